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
