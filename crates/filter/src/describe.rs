//! The language for those who complete it: fields, operators, examples.

use meshcore::PayloadType;

use crate::fields::{Field, Kind};

/// A field, for people and for completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDescription {
    /// As it is printed.
    pub name: &'static str,
    /// Other names that are taken for it.
    pub aliases: &'static [&'static str],
    /// What it is, in a few words; of a field of payloads, the types of packets that have it.
    pub description: String,
    /// What its values are.
    pub kind: Kind,
    /// Whether observations of one packet may differ in it, so that `any(…)` and `all(…)` make sense.
    pub of_observation: bool,
    /// An expression with it.
    pub example: String,
    /// Values that it can have, where there are few.
    pub values: Vec<&'static str>,
}

/// Operators and the kinds of fields that have them.
pub const OPERATORS: &[(&str, &[Kind])] = &[
    (
        "==",
        &[
            Kind::Text,
            Kind::Texts,
            Kind::Number,
            Kind::Time,
            Kind::Age,
            Kind::Flag,
            Kind::PayloadType,
            Kind::Route,
        ],
    ),
    (
        "!=",
        &[
            Kind::Text,
            Kind::Texts,
            Kind::Number,
            Kind::Time,
            Kind::Age,
            Kind::Flag,
            Kind::PayloadType,
            Kind::Route,
        ],
    ),
    (">", &[Kind::Number, Kind::Time, Kind::Age]),
    (">=", &[Kind::Number, Kind::Time, Kind::Age]),
    ("<", &[Kind::Number, Kind::Time, Kind::Age]),
    ("<=", &[Kind::Number, Kind::Time, Kind::Age]),
    ("after", &[Kind::Time]),
    ("before", &[Kind::Time]),
    ("between", &[Kind::Number, Kind::Time, Kind::Age]),
    ("in", &[Kind::Text, Kind::Texts, Kind::Number, Kind::Time, Kind::Age, Kind::PayloadType, Kind::Route]),
    ("contains", &[Kind::Text, Kind::Texts, Kind::PayloadType, Kind::Route]),
    ("starts_with", &[Kind::Text, Kind::Texts, Kind::PayloadType, Kind::Route]),
    ("ends_with", &[Kind::Text, Kind::Texts, Kind::PayloadType, Kind::Route]),
    ("~", &[Kind::Text, Kind::Texts, Kind::PayloadType, Kind::Route]),
    ("!~", &[Kind::Text, Kind::Texts, Kind::PayloadType, Kind::Route]),
];

/// All fields.
pub fn describe() -> Vec<FieldDescription> {
    let describe = |field: Field| FieldDescription {
        name: field.name(),
        aliases: field.aliases(),
        description: description(field),
        kind: field.kind(),
        of_observation: field.is_of_observation(),
        example: example(field),
        values: match field.kind() {
            Kind::PayloadType => PayloadType::ALL
                .iter()
                .filter(|known| known.is_assigned())
                .map(|known| known.name())
                .collect(),
            Kind::Route => vec!["FLOOD", "DIRECT", "TRANSPORT_FLOOD", "TRANSPORT_DIRECT"],
            Kind::Flag => vec!["true", "false"],
            _ if field == Field::Role => vec!["companion", "repeater", "room", "sensor"],
            _ => Vec::new(),
        },
    };
    Field::all().map(describe).collect()
}

fn description(field: Field) -> String {
    let words = match field {
        Field::Type => "payload type",
        Field::Route => "route of the first copy; of an observation, of that copy",
        Field::Transport => "whether there are transport codes",
        Field::Hash => "content hash, 16 hex digits",
        Field::Raw => "the whole frame as hex",
        Field::Size => "bytes of the frame",
        Field::PayloadBytes => "bytes of the payload",
        Field::PayloadHex => "the payload as hex",
        Field::Observations => "how often it was heard",
        Field::Observers => "by how many observers it was heard",
        Field::Code1 => "first transport code, four hex digits",
        Field::Code2 => "second transport code, four hex digits",
        Field::Scope => "name of the region scope",
        Field::Channel => "name of the channel, or enc_ and its hash byte",
        Field::Sender => "who wrote a channel text, as it claims",
        Field::Text => "a channel text, without its sender",
        Field::Node => "key and name of the node that an advert is of",
        Field::Role => "role in an advert",
        Field::Time => "when it was first heard",
        Field::Age => "how long ago it was first heard",
        Field::Latest => "when it was last heard",
        Field::Observer => "name of the observer",
        Field::ObserverId => "id of the observer",
        Field::Iata => "region of the observer",
        Field::Snr => "signal-to-noise ratio in dB",
        Field::Rssi => "signal strength in dBm",
        Field::Hops => "number of hops",
        Field::HashSize => "bytes of each hop in the path",
        Field::Path => "the hops as hex",
        Field::RoutedThrough => "keys and names of the nodes that relayed it",
        Field::Payload(payload) => {
            let types: Vec<_> = payload.types.iter().map(|one| one.name()).collect();
            return format!("in the payload of {}", types.join(", "));
        }
    };
    words.to_owned()
}

fn example(field: Field) -> String {
    let name = field.name();
    match (field, field.kind()) {
        (Field::Snr, _) => "any(snr) > 5".to_owned(),
        (Field::Rssi, _) => "rssi between -120 -90".to_owned(),
        (Field::Hops, _) => "hops in 3..5".to_owned(),
        (Field::Path, _) => "path == \"A3\"".to_owned(),
        (Field::Channel, _) => "channel == \"#test\"".to_owned(),
        (Field::Iata, _) => "observer_iata in (SFO, OAK)".to_owned(),
        (_, Kind::PayloadType) => "type == ADVERT".to_owned(),
        (_, Kind::Route) => "route == FLOOD".to_owned(),
        (_, Kind::Flag) => name.to_owned(),
        (_, Kind::Number) => format!("{name} > 0"),
        (_, Kind::Age) => "age < 15m".to_owned(),
        (_, Kind::Time) => format!("{name} after 1h"),
        (_, Kind::Text | Kind::Texts) => format!("{name} contains \"a\""),
    }
}
