//! The shape of each kind of row, in both formats.

use super::csv::Cell;
use super::writer::Row;
use index::Node;
use meshcore::{Frame, Hex, KeyRing, Payload};
use model::{ObserverRecord, UnixMillis};
use serde::Serialize;
use serde_json::value::RawValue;
use std::rc::Rc;

/// One observer heard one copy.
#[derive(Debug, Serialize)]
pub(super) struct ObservationRow<'a> {
    /// RFC 3339 with milliseconds.
    pub(super) time: String,
    /// Content hash.
    pub(super) hash: String,
    /// The very frame that was heard.
    pub(super) raw: String,
    pub(super) observer_id: &'a str,
    pub(super) observer_name: Option<&'a str>,
    pub(super) observer_iata: Option<&'a str>,
    pub(super) snr: Option<f64>,
    pub(super) rssi: Option<i16>,
    pub(super) score: Option<u16>,
    pub(super) route: &'static str,
    #[serde(rename = "type")]
    pub(super) payload_type: &'static str,
    pub(super) hops: Vec<String>,
    /// The payload's fields, as `decode` prints them.
    pub(super) p: Option<Rc<RawValue>>,
    #[serde(skip)]
    pub(super) said: Rc<Said>,
}

/// A packet content.
#[derive(Debug, Serialize)]
pub(super) struct TransmissionRow {
    pub(super) hash: String,
    pub(super) first_seen: String,
    pub(super) last_seen: String,
    pub(super) observations: u32,
    pub(super) route: &'static str,
    #[serde(rename = "type")]
    pub(super) payload_type: &'static str,
    /// The frame of the copy that was stored first.
    pub(super) raw: String,
    pub(super) p: Option<Rc<RawValue>>,
    #[serde(skip)]
    pub(super) said: Rc<Said>,
}

/// A node.
#[derive(Debug, Serialize)]
pub(super) struct NodeRow<'a> {
    public_key: String,
    name: Option<&'a str>,
    role: String,
    lat: Option<f64>,
    lon: Option<f64>,
    first_seen: String,
    last_seen: String,
    adverts: u32,
    hash_size: Option<u8>,
    default_scope: Option<&'a str>,
}

/// An observer.
#[derive(Debug, Serialize)]
pub(super) struct ObserverRow<'a> {
    id: &'a str,
    name: Option<&'a str>,
    iata: Option<&'a str>,
    model: Option<&'a str>,
    firmware: Option<&'a str>,
    client_version: Option<&'a str>,
    radio: Option<&'a str>,
    battery_mv: Option<u32>,
    uptime_secs: Option<u64>,
    noise_floor: Option<f32>,
    can_relay: Option<bool>,
    first_seen: String,
    last_seen: String,
    observations: u64,
}

/// What of a payload has a column of its own in a flat row.
#[derive(Debug, Default)]
pub(super) struct Said {
    node_key: Option<String>,
    node_name: Option<String>,
    channel: Option<String>,
    sender: Option<String>,
    text: Option<String>,
}

impl Said {
    pub(super) fn of(frame: &Frame<'_>, keys: &KeyRing) -> Self {
        match frame.payload() {
            Ok(Payload::Advert(advert)) => {
                let name = advert.app().and_then(Result::ok).and_then(|app| app.name);
                let node_name = name.map(|name| name.display());
                Self { node_key: Some(advert.key.to_string()), node_name, ..Self::default() }
            }
            Ok(Payload::GroupText(group)) => match keys.decrypt_text(&group) {
                Some(message) => Self {
                    channel: Some(message.channel.to_owned()),
                    sender: message.sender().map(std::borrow::Cow::into_owned),
                    text: Some(message.body().into_owned()),
                    ..Self::default()
                },
                None => Self::default(),
            },
            _ => Self::default(),
        }
    }

    fn cells(&self) -> [Cell<'_>; 5] {
        let key = self.node_key.as_deref().map_or(Cell::Empty, Cell::ours);
        let theirs = [&self.node_name, &self.channel, &self.sender, &self.text];
        let [name, channel, sender, text] = theirs.map(|text| Cell::theirs(text.as_deref()));
        [key, name, channel, sender, text]
    }
}

impl Row for ObservationRow<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "time",
        "hash",
        "observer_id",
        "observer_name",
        "observer_iata",
        "snr",
        "rssi",
        "score",
        "route",
        "type",
        "hop_count",
        "hops",
        "node_key",
        "node_name",
        "channel",
        "sender",
        "text",
        "raw",
    ];

    fn cells(&self) -> Vec<Cell<'_>> {
        let mut cells = vec![
            Cell::ours(&*self.time),
            Cell::ours(&*self.hash),
            Cell::theirs(Some(self.observer_id)),
            Cell::theirs(self.observer_name),
            Cell::theirs(self.observer_iata),
            Cell::number(self.snr),
            Cell::number(self.rssi),
            Cell::number(self.score),
            Cell::ours(self.route),
            Cell::ours(self.payload_type),
            Cell::number(Some(self.hops.len())),
            Cell::ours(self.hops.join(" ")),
        ];
        cells.extend(self.said.cells());
        cells.push(Cell::ours(&*self.raw));
        cells
    }
}

impl Row for TransmissionRow {
    const COLUMNS: &'static [&'static str] = &[
        "hash",
        "first_seen",
        "last_seen",
        "observations",
        "route",
        "type",
        "node_key",
        "node_name",
        "channel",
        "sender",
        "text",
        "raw",
    ];

    fn cells(&self) -> Vec<Cell<'_>> {
        let mut cells = vec![
            Cell::ours(&*self.hash),
            Cell::ours(&*self.first_seen),
            Cell::ours(&*self.last_seen),
            Cell::number(Some(self.observations)),
            Cell::ours(self.route),
            Cell::ours(self.payload_type),
        ];
        cells.extend(self.said.cells());
        cells.push(Cell::ours(&*self.raw));
        cells
    }
}

impl<'a> NodeRow<'a> {
    pub(super) fn of(node: &'a Node) -> Self {
        Self {
            public_key: node.key.to_string(),
            name: node.name.as_ref().map(|name| &*name.display),
            role: node.role.to_string(),
            lat: node.location.map(|place| place.lat()),
            lon: node.location.map(|place| place.lon()),
            first_seen: rfc_3339(node.first_seen),
            last_seen: rfc_3339(node.last_seen),
            adverts: node.advert_count,
            hash_size: node.hash_size,
            default_scope: node.default_scope.as_deref(),
        }
    }
}

impl Row for NodeRow<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "public_key",
        "name",
        "role",
        "lat",
        "lon",
        "first_seen",
        "last_seen",
        "adverts",
        "hash_size",
        "default_scope",
    ];

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            Cell::ours(&*self.public_key),
            Cell::theirs(self.name),
            Cell::ours(&*self.role),
            Cell::number(self.lat),
            Cell::number(self.lon),
            Cell::ours(&*self.first_seen),
            Cell::ours(&*self.last_seen),
            Cell::number(Some(self.adverts)),
            Cell::number(self.hash_size),
            Cell::theirs(self.default_scope),
        ]
    }
}

impl<'a> ObserverRow<'a> {
    pub(super) fn of(record: &'a ObserverRecord, last_seen: UnixMillis, observations: u64) -> Self {
        Self {
            id: &record.key,
            name: record.name.as_deref(),
            iata: record.iata.as_deref(),
            model: record.model.as_deref(),
            firmware: record.firmware.as_deref(),
            client_version: record.client_version.as_deref(),
            radio: record.radio.as_deref(),
            battery_mv: record.battery_mv,
            uptime_secs: record.uptime_secs,
            noise_floor: record.noise_floor,
            can_relay: record.can_relay,
            first_seen: rfc_3339(record.first_seen),
            last_seen: rfc_3339(last_seen),
            observations,
        }
    }
}

impl Row for ObserverRow<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "iata",
        "model",
        "firmware",
        "client_version",
        "radio",
        "battery_mv",
        "uptime_secs",
        "noise_floor",
        "can_relay",
        "first_seen",
        "last_seen",
        "observations",
    ];

    fn cells(&self) -> Vec<Cell<'_>> {
        let texts = [self.name, self.iata, self.model, self.firmware, self.client_version, self.radio];
        let mut cells = vec![Cell::theirs(Some(self.id))];
        cells.extend(texts.map(Cell::theirs));
        cells.extend([
            Cell::number(self.battery_mv),
            Cell::number(self.uptime_secs),
            Cell::number(self.noise_floor),
            Cell::number(self.can_relay),
            Cell::ours(&*self.first_seen),
            Cell::ours(&*self.last_seen),
            Cell::number(Some(self.observations)),
        ]);
        cells
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(super) fn rfc_3339(time: UnixMillis) -> String {
    let instant = jiff::Timestamp::from_millisecond(time.0).unwrap_or_default();
    instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

pub(super) fn upper(bytes: &[u8]) -> String {
    format!("{:X}", Hex(bytes))
}
