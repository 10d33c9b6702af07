//! Transmissions and observations as filters see them.

use std::borrow::Cow;

use filter::{Field, Found, Packet};
use meshcore::{AppData, Hex, Hop, Payload};

use super::payload;
use crate::hash_sizes::hash_size;
use crate::view::{ObservationView, TransmissionView};

impl Packet for TransmissionView<'_> {
    fn find(&self, field: Field) -> Found<'_> {
        match field {
            Field::Route => text(self.frame().route().name()),
            Field::Time | Field::Age => Found::Time(self.first_seen().0),
            _ if field.is_of_observation() => of_observation(&self.best(), field),
            _ => of_transmission(self, field),
        }
    }

    fn any_observation(&self, test: &mut dyn FnMut(&dyn Packet) -> bool) -> bool {
        self.observations().any(|heard| test(&heard))
    }
}

/// Whatever is the same for all observations of a packet is asked of the packet.
impl Packet for ObservationView<'_> {
    fn find(&self, field: Field) -> Found<'_> {
        if field.is_of_observation() {
            of_observation(self, field)
        } else {
            of_transmission(&self.transmission(), field)
        }
    }

    /// An observation is its own only one.
    fn any_observation(&self, test: &mut dyn FnMut(&dyn Packet) -> bool) -> bool {
        test(self)
    }
}

/// A field that does not differ from observation to observation.
fn of_transmission<'a>(packet: &TransmissionView<'a>, field: Field) -> Found<'a> {
    match field {
        Field::Type => text(packet.payload_type().name()),
        Field::Transport => Found::Flag(packet.frame().route().has_transport_codes()),
        Field::Hash => owned(packet.hash().to_string()),
        Field::Raw => owned(Hex(packet.raw()).to_upper()),
        Field::Size => count(packet.raw().len()),
        Field::PayloadBytes => count(packet.frame().payload_bytes().len()),
        Field::PayloadHex => owned(Hex(packet.frame().payload_bytes()).to_upper()),
        Field::Observations => Found::Number(f64::from(packet.observation_count())),
        Field::Observers => Found::Number(f64::from(packet.observer_count())),
        Field::Code1 => code(packet, 0),
        Field::Code2 => code(packet, 1),
        Field::Scope => Found::text(packet.scope()),
        Field::Channel => Found::text(packet.channel().map(ToString::to_string)),
        Field::Sender => {
            let message = packet.channel_message();
            let sender = message.as_ref().and_then(meshcore::ChannelMessage::sender);
            Found::text(sender.map(|sender| meshcore::shown_name(&sender)))
        }
        Field::Text => {
            let message = packet.channel_message();
            Found::text(message.map(|message| meshcore::shown_text(&message.body())))
        }
        Field::Node => match packet.node() {
            Some(node) => {
                let name = node.name.as_ref().map(|name| Cow::Borrowed(&*name.display));
                Found::Texts([Cow::Owned(node.key.to_string())].into_iter().chain(name).collect())
            }
            None => Found::Nothing,
        },
        Field::Role => match packet.frame().payload() {
            Ok(Payload::Advert(advert)) => Found::text(app_data(advert.app()).map(|app| app.role.name())),
            _ => Found::Nothing,
        },
        Field::Latest => Found::Time(packet.latest().0),
        Field::Payload(field) => payload::find(packet, field),
        Field::Route
        | Field::Time
        | Field::Age
        | Field::Observer
        | Field::ObserverId
        | Field::Iata
        | Field::Snr
        | Field::Rssi
        | Field::Hops
        | Field::HashSize
        | Field::Path
        | Field::RoutedThrough => Found::Nothing,
    }
}

/// A field in which observations may differ.
fn of_observation<'a>(heard: &ObservationView<'a>, field: Field) -> Found<'a> {
    match field {
        Field::Route => text(heard.route().name()),
        Field::Time | Field::Age => Found::Time(heard.time().0),
        Field::Observer => Found::text(heard.observer().name.as_deref()),
        Field::ObserverId => text(&heard.observer().key),
        Field::Iata => Found::text(heard.observer().iata.as_deref().map(str::trim)),
        Field::Snr => Found::number(heard.snr().map(model::SnrQuarterDb::db)),
        Field::Rssi => Found::number(heard.rssi()),
        Field::Hops => count(hops(heard).len()),
        Field::HashSize => Found::number(hash_size_of(heard)),
        Field::Path => Found::Texts(hops(heard).map(|hop| Cow::Owned(hop.to_string())).collect()),
        Field::RoutedThrough => Found::Texts(relays(heard)),
        _ => Found::Nothing,
    }
}

fn hops<'a>(heard: &ObservationView<'a>) -> impl ExactSizeIterator<Item = Hop<'a>> + use<'a> {
    heard.transmission().frame().hops_along(heard.path())
}

fn hash_size_of(heard: &ObservationView<'_>) -> Option<u8> {
    match heard.transmission().frame().payload() {
        Ok(Payload::Trace(trace)) => Some(trace.entry_size()),
        _ => hash_size(heard.route(), heard.path()),
    }
}

/// Keys and names of the nodes that its hops are as good as sure to be.
fn relays<'a>(heard: &ObservationView<'a>) -> Vec<Cow<'a, str>> {
    let index = heard.index;
    let mut texts = Vec::new();
    for key in heard.named_path().into_iter().flatten() {
        texts.push(Cow::Owned(key.to_string()));
        let name = index.nodes.get(&key).and_then(|node| node.name.as_ref());
        texts.extend(name.map(|name| Cow::Borrowed(&*name.display)));
    }
    texts
}

pub(super) fn app_data<'a, E>(app: Option<Result<AppData<'a>, E>>) -> Option<AppData<'a>> {
    app.and_then(Result::ok)
}

fn code<'a>(packet: &TransmissionView<'_>, place: usize) -> Found<'a> {
    let codes = packet.frame().transport_codes();
    Found::text(codes.map(|codes| codes.wire_hex()[place].clone()))
}

fn text(text: &str) -> Found<'_> {
    Found::text(Some(text))
}

fn owned<'a>(text: String) -> Found<'a> {
    Found::text(Some(text))
}

fn count<'a>(count: usize) -> Found<'a> {
    Found::Number(count as f64)
}
