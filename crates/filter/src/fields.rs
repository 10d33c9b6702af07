//! What can be asked of a packet.

use meshcore::PayloadType as T;

/// A field of a packet. Those that belong to an observation are, of a packet as a whole, those of its best observation: the one
/// with the longest path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Payload type, by its name.
    Type,
    /// Route of the first copy, or of the observation.
    Route,
    /// Whether there are transport codes.
    Transport,
    /// Content hash.
    Hash,
    /// The whole frame as hex.
    Raw,
    /// Bytes of the frame.
    Size,
    /// Bytes of the payload.
    PayloadBytes,
    /// The payload as hex.
    PayloadHex,
    /// How often it was heard.
    Observations,
    /// By how many observers it was heard.
    Observers,
    /// The first transport code, four hex digits.
    Code1,
    /// The second transport code.
    Code2,
    /// Name of the region scope.
    Scope,
    /// Name of the channel, or `enc_HH`.
    Channel,
    /// Who wrote a channel text, as it claims.
    Sender,
    /// A channel text without its sender.
    Text,
    /// The node of an advert: its key and its name.
    Node,
    /// The role in an advert.
    Role,
    /// When it was first heard; of an observation, when that was made.
    Time,
    /// Seconds since then.
    Age,
    /// When it was last heard.
    Latest,
    /// Name of the observer.
    Observer,
    /// Id of the observer.
    ObserverId,
    /// Region of the observer.
    Iata,
    /// Signal-to-noise ratio in decibels.
    Snr,
    /// Signal strength in dBm.
    Rssi,
    /// Number of hops.
    Hops,
    /// Bytes of a hop.
    HashSize,
    /// The hops as hex.
    Path,
    /// Keys and names of the nodes that relayed it.
    RoutedThrough,
    /// A field of the decoded payload.
    Payload(&'static PayloadField),
}

/// What values a field has, and so what it can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text.
    Text,
    /// Several texts, of which one must fit.
    Texts,
    /// A number.
    Number,
    /// A time.
    Time,
    /// Seconds, also written as a duration.
    Age,
    /// True or false.
    Flag,
    /// A payload type.
    PayloadType,
    /// A route.
    Route,
}

/// A field of the decoded payload, `payload.` and its name in `decoded_json`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PayloadField {
    /// With `payload.` before it.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// The types of packets that have it.
    pub types: &'static [T],
}

/// Every field but those of payloads: its names, the first of which is the one that is printed, and its kind.
const FIELDS: &[(Field, Kind, &[&str])] = &[
    (Field::Type, Kind::PayloadType, &["type", "payload_type"]),
    (Field::Route, Kind::Route, &["route", "route_type"]),
    (Field::Transport, Kind::Flag, &["transport"]),
    (Field::Hash, Kind::Text, &["hash"]),
    (Field::Raw, Kind::Text, &["raw", "raw_hex"]),
    (Field::Size, Kind::Number, &["size"]),
    (Field::PayloadBytes, Kind::Number, &["payload_bytes"]),
    (Field::PayloadHex, Kind::Text, &["payload_hex"]),
    (Field::Observations, Kind::Number, &["observations", "observation_count"]),
    (Field::Observers, Kind::Number, &["observers", "observer_count"]),
    (Field::Code1, Kind::Text, &["code1"]),
    (Field::Code2, Kind::Text, &["code2"]),
    (Field::Scope, Kind::Text, &["scope", "scope_name"]),
    (Field::Channel, Kind::Text, &["channel"]),
    (Field::Sender, Kind::Text, &["sender"]),
    (Field::Text, Kind::Text, &["text"]),
    (Field::Node, Kind::Texts, &["node", "from"]),
    (Field::Role, Kind::Text, &["role"]),
    (Field::Time, Kind::Time, &["time", "timestamp", "first_seen"]),
    (Field::Age, Kind::Age, &["age"]),
    (Field::Latest, Kind::Time, &["latest", "last_seen"]),
    (Field::Observer, Kind::Text, &["observer", "observer_name"]),
    (Field::ObserverId, Kind::Text, &["observer_id"]),
    (Field::Iata, Kind::Text, &["observer_iata", "iata", "region"]),
    (Field::Snr, Kind::Number, &["snr"]),
    (Field::Rssi, Kind::Number, &["rssi"]),
    (Field::Hops, Kind::Number, &["hops", "hop_count"]),
    (Field::HashSize, Kind::Number, &["hash_size", "hb"]),
    (Field::Path, Kind::Texts, &["path", "path_prefixes"]),
    (Field::RoutedThrough, Kind::Texts, &["routed_through"]),
];

macro_rules! payload {
    ($($name:literal $kind:ident $types:expr;)*) => {
        &[$(PayloadField { name: concat!("payload.", $name), kind: Kind::$kind, types: $types }),*]
    };
}

const SEALED: &[T] = &[T::Request, T::Response, T::Text, T::PathReturn, T::AnonRequest];
const GROUP: &[T] = &[T::GroupText, T::GroupData];

/// The fields of decoded payloads that can be asked for, in the contract's names (§5.6).
pub const PAYLOAD_FIELDS: &[PayloadField] = payload! {
    "name" Text &[T::Advert];
    "pubKey" Text &[T::Advert];
    "timestamp" Number &[T::Advert];
    "lat" Number &[T::Advert];
    "lon" Number &[T::Advert];
    "flags.type" Number &[T::Advert];
    "flags.chat" Flag &[T::Advert];
    "flags.repeater" Flag &[T::Advert];
    "flags.room" Flag &[T::Advert];
    "flags.sensor" Flag &[T::Advert];
    "flags.hasLocation" Flag &[T::Advert];
    "flags.hasName" Flag &[T::Advert];
    "channel" Text GROUP;
    "channelHash" Number GROUP;
    "channelHashHex" Text GROUP;
    "decryptionStatus" Text GROUP;
    "sender" Text &[T::GroupText];
    "text" Text &[T::GroupText];
    "sender_timestamp" Number &[T::GroupText];
    "destHash" Text SEALED;
    "srcHash" Text &[T::Request, T::Response, T::Text, T::PathReturn];
    "ephemeralPubKey" Text &[T::AnonRequest];
    "extraHash" Text &[T::Ack];
    "ackLen" Number &[T::Ack];
    "tag" Number &[T::Trace];
    "authCode" Number &[T::Trace];
    "traceFlags" Number &[T::Trace];
    "remaining" Number &[T::Multipart];
    "innerType" Number &[T::Multipart];
    "innerTypeName" Text &[T::Multipart];
    "ctrlFlags" Text &[T::Control];
    "ctrlSubtype" Text &[T::Control];
    "ctrlZeroHop" Flag &[T::Control];
    "ctrlTag" Number &[T::Control];
    "ctrlNodeType" Number &[T::Control];
    "ctrlPubKey" Text &[T::Control];
    "rawLength" Number &[T::RawCustom];
    "firstByteTag" Text &[T::RawCustom];
};

impl Field {
    /// The field with this name, case aside.
    pub fn from_name(name: &str) -> Option<Field> {
        let is_meant = |known: &&str| known.eq_ignore_ascii_case(name);
        let plain = FIELDS.iter().find(|(_, _, names)| names.iter().any(&is_meant));
        let payload = || PAYLOAD_FIELDS.iter().find(|field| is_meant(&field.name)).map(Field::Payload);
        plain.map(|(field, ..)| *field).or_else(payload)
    }

    /// The name under which it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Field::Payload(field) => field.name,
            field => row(field).2[0],
        }
    }

    /// What its values are.
    pub fn kind(self) -> Kind {
        match self {
            Field::Payload(field) => field.kind,
            field => row(field).1,
        }
    }

    /// Whether observations of one packet may differ in it.
    pub fn is_of_observation(self) -> bool {
        matches!(
            self,
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
                | Field::RoutedThrough
        )
    }

    /// All fields, those of payloads last.
    pub fn all() -> impl Iterator<Item = Field> {
        FIELDS.iter().map(|(field, ..)| *field).chain(PAYLOAD_FIELDS.iter().map(Field::Payload))
    }

    /// Other names that are taken for it.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Field::Payload(_) => &[],
            field => &row(field).2[1..],
        }
    }

    /// The name most like a text that is none; `None` when nothing is like it.
    pub(crate) fn like(text: &str) -> Option<&'static str> {
        let names = FIELDS.iter().flat_map(|(_, _, names)| names.iter().copied());
        closest(text, names.chain(PAYLOAD_FIELDS.iter().map(|field| field.name)))
    }
}

fn row(field: Field) -> &'static (Field, Kind, &'static [&'static str]) {
    FIELDS
        .iter()
        .find(|(known, ..)| *known == field)
        .expect("every field but those of payloads is in the table")
}

/// The name that differs in the fewest letters, at most a third of them.
pub(crate) fn closest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_ascii_lowercase();
    // Longer texts are not slips of the fingers, and comparing them would cost by the square.
    if text.len() > 40 {
        return None;
    }
    let distances = names.map(|name| (distance(text.as_bytes(), name.to_ascii_lowercase().as_bytes()), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= name.len().max(3)).then_some(name)
}

/// Levenshtein's distance.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let change = before[j] + usize::from(x != y);
            row.push(change.min(before[j + 1] + 1).min(row[j] + 1));
        }
        before = row;
    }
    before[b.len()]
}
