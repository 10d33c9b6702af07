//! Rendering transmissions and observations of the index.

use super::{GroupedPacketRow, ObservationRow, PacketRow};
use crate::fields::Fields;
use crate::json::to_text;
use crate::render::hex;
use crate::render::hops::resolved_path;
use crate::render::payload::{DecodedPayload, Signatures, decode_payload, group_text};
use crate::render::time::{rfc3339, rfc3339_millis};
use index::{Hidden, Index, ObservationView, TransmissionView};
use meshcore::{Frame, KeyRing, Path, Payload, PayloadType};
use model::{ObserverId, ObserverRecord};
use std::collections::BTreeSet;

/// Whether a row carries all observations of its transmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observations {
    /// None of them.
    LeftOut,
    /// All, without their frames.
    Listed,
    /// All, each with the very frame that was heard.
    WithFrames,
}

/// Copies that an observer sent itself are not stored: their bytes may belong to another packet.
pub(crate) const RECEIVED: &str = "rx";

/// A transmission as a row of `/api/packets`; `None` when it is not to be shown.
pub(crate) fn packet_row(
    packet: &TransmissionView<'_>,
    keys: &KeyRing,
    hidden: &Hidden,
    observations: Observations,
) -> Option<PacketRow> {
    packet_row_of(packet, keys, hidden, observations, &Fields::all())
}

/// The same with some fields only; of the others, those that cost something are left empty.
pub(crate) fn packet_row_of(
    packet: &TransmissionView<'_>,
    keys: &KeyRing,
    hidden: &Hidden,
    observations: Observations,
    fields: &Fields<PacketRow>,
) -> Option<PacketRow> {
    let best = hidden.best(packet)?;
    let observer = ObserverTexts::of(best.observer());
    let wants_hops = fields.wants("path_json") || fields.wants("_parsedPath");
    let hops = if wants_hops { hops(&packet.frame(), best.path()) } else { Vec::new() };
    let first_seen = rfc3339(packet.first_seen());
    Some(PacketRow {
        id: packet.id().0,
        raw_hex: fields.make("raw_hex", || hex::upper(packet.raw())),
        hash: packet.hash().to_string(),
        timestamp: first_seen.clone(),
        first_seen,
        latest: rfc3339(packet.latest()),
        route_type: packet.frame().route().code(),
        payload_type: packet.payload_type().code(),
        decoded_json: fields.make("decoded_json", || to_text(&decoded(packet, keys))),
        observation_count: u64::from(packet.observation_count()),
        observer_count: u64::from(packet.observer_count()),
        scope_name: packet.scope().map(str::to_owned),
        observer_id: observer.id,
        observer_name: observer.name,
        observer_iata: observer.iata,
        snr: best.snr().map(model::SnrQuarterDb::db),
        rssi: best.rssi().map(f64::from),
        path_json: fields.make("path_json", || Some(to_text(&hops))),
        direction: Some(RECEIVED),
        parsed_path: (!hops.is_empty()).then_some(hops),
        resolved_path: fields.make("resolved_path", || resolved_path(&best)),
        observations: match observations {
            Observations::LeftOut => None,
            _ if !fields.wants("observations") => None,
            _ => Some(hidden.heard(packet).map(|heard| observation_row(&heard, observations)).collect()),
        },
    })
}

/// A transmission as a row of `/api/packets?groupByHash=true`; `None` when it is not to be shown.
pub(crate) fn grouped_row(
    packet: &TransmissionView<'_>,
    keys: &KeyRing,
    hidden: &Hidden,
    fields: &Fields<GroupedPacketRow>,
) -> Option<GroupedPacketRow> {
    let best = hidden.best(packet)?;
    let observer = ObserverTexts::of(best.observer());
    let iatas: BTreeSet<&str> = fields.make("distinct_iatas", || {
        hidden.heard(packet).filter_map(|heard| heard.observer().iata.as_deref()).collect()
    });
    let count = u64::from(packet.observation_count());
    Some(GroupedPacketRow {
        id: packet.id().0,
        hash: packet.hash().to_string(),
        first_seen: rfc3339(packet.first_seen()),
        count,
        observer_count: u64::from(packet.observer_count()),
        observation_count: count,
        latest: rfc3339(packet.latest()),
        observer_id: observer.id,
        observer_name: observer.name,
        observer_iata: observer.iata,
        distinct_iatas: iatas.into_iter().map(str::to_owned).collect(),
        path_json: fields.make("path_json", || Some(to_text(&hops(&packet.frame(), best.path())))),
        payload_type: packet.payload_type().code(),
        route_type: packet.frame().route().code(),
        raw_hex: fields.make("raw_hex", || hex::upper(packet.raw())),
        decoded_json: fields.make("decoded_json", || to_text(&decoded(packet, keys))),
        snr: best.snr().map(model::SnrQuarterDb::db),
        rssi: best.rssi().map(f64::from),
    })
}

/// An observation as a row.
pub(crate) fn observation_row(heard: &ObservationView<'_>, detail: Observations) -> ObservationRow {
    let packet = heard.transmission();
    let observer = ObserverTexts::of(heard.observer());
    ObservationRow {
        id: heard.id().0,
        transmission_id: packet.id().0,
        hash: packet.hash().to_string(),
        observer_id: observer.id,
        observer_name: observer.name,
        observer_iata: observer.iata,
        snr: heard.snr().map(model::SnrQuarterDb::db),
        rssi: heard.rssi().map(f64::from),
        score: heard.score(),
        path_json: Some(to_text(&hops(&packet.frame(), heard.path()))),
        timestamp: rfc3339_millis(heard.time()),
        direction: Some(RECEIVED),
        route_type: heard.route().code(),
        resolved_path: resolved_path(heard),
        raw_hex: (detail == Observations::WithFrames).then(|| hex::upper(&heard.frame_bytes())),
    }
}

/// What the payload says. Texts to channels are decrypted by the index, which found their channel when they came in.
pub(crate) fn decoded(packet: &TransmissionView<'_>, keys: &KeyRing) -> DecodedPayload {
    let frame = packet.frame();
    match (packet.payload_type(), frame.payload()) {
        (PayloadType::GroupText, Ok(Payload::GroupText(text))) => {
            group_text(&text, packet.channel_message(), keys)
        }
        _ => decode_payload(&frame, keys, Signatures::CheckedBefore),
    }
}

/// The hops of a copy as hex.
pub(crate) fn hops<'a>(frame: &Frame<'a>, path: Path<'a>) -> Vec<String> {
    frame.hops_along(path).map(|hop| hex::upper(hop.bytes())).collect()
}

/// Who heard it, with empty texts as null.
#[derive(Default)]
pub(crate) struct ObserverTexts {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) iata: Option<String>,
}

impl ObserverTexts {
    /// All null for an observer that is not there.
    pub(crate) fn of_id(id: ObserverId, index: &Index) -> Self {
        index.observer_record(id).map(Self::of).unwrap_or_default()
    }

    pub(crate) fn of(record: &ObserverRecord) -> Self {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            id: text(Some(&record.key)),
            name: text(record.name.as_deref()),
            iata: text(record.iata.as_deref()),
        }
    }
}
