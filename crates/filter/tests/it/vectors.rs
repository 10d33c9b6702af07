//! `vectors.jsonl`: what expressions mean, where they are wrong, and which packets they match.

use filter::{Field, Filter, Found, Kind, Packet};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One line of the file.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Vector {
    /// An expression and its canonical form.
    Parses { text: String, canonical: String },
    /// An expression, and what is wrong with it.
    Fails { text: String, offset: usize, length: usize, message: String, hint: Option<String> },
    /// All fields.
    Fields(Vec<FieldRow>),
    /// A packet, the time at which it is looked at, and which expressions match it.
    Packet { now: i64, packet: Sample, matches: Vec<String>, fails: Vec<String> },
}

#[derive(Debug, Deserialize, PartialEq)]
struct FieldRow {
    name: String,
    aliases: Vec<String>,
    kind: String,
    heard: bool,
}

/// A packet as plain values, by the names of its fields.
#[derive(Deserialize)]
struct Sample {
    #[serde(flatten)]
    fields: BTreeMap<String, Plain>,
    #[serde(default)]
    heard: Vec<Sample>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Plain {
    Flag(bool),
    Number(f64),
    Text(String),
    Texts(Vec<String>),
}

impl Packet for Sample {
    fn find(&self, field: Field) -> Found<'_> {
        match (self.fields.get(field.name()), field.kind()) {
            (None, _) => Found::Nothing,
            (Some(Plain::Flag(flag)), _) => Found::Flag(*flag),
            (Some(Plain::Number(time)), Kind::Time) => Found::Time(*time as i64),
            (Some(Plain::Number(number)), _) => Found::Number(*number),
            (Some(Plain::Text(text)), _) => Found::Text(text.into()),
            (Some(Plain::Texts(texts)), _) => Found::Texts(texts.iter().map(Into::into).collect()),
        }
    }

    fn any_observation(&self, test: &mut dyn FnMut(&dyn Packet) -> bool) -> bool {
        self.heard.iter().any(|heard| test(heard))
    }
}

#[test]
fn every_vector_holds() {
    let lines = include_str!("../../vectors.jsonl").lines().filter(|line| !line.trim().is_empty());
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in lines {
        count += 1;
        match serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")) {
            Vector::Parses { text, canonical } => match Filter::parse(&text) {
                Ok(filter) if filter.to_string() == canonical => {
                    assert_eq!(
                        Filter::parse(&canonical),
                        Ok(filter),
                        "{canonical} reads back as another filter"
                    );
                }
                other => wrong.push(format!("{text}\n  wanted {canonical}\n  got {other:?}")),
            },
            Vector::Fails { text, offset, length, message, hint } => match Filter::parse(&text) {
                Err(e) if (e.offset, e.length, &e.message, &e.hint) == (offset, length, &message, &hint) => {}
                other => wrong
                    .push(format!("{text}\n  wanted {offset} {length} {message} {hint:?}\n  got {other:?}")),
            },
            Vector::Fields(rows) => {
                let row = |field: Field| FieldRow {
                    name: field.name().to_owned(),
                    aliases: field.aliases().iter().map(|alias| (*alias).to_owned()).collect(),
                    kind: match field.kind() {
                        Kind::PayloadType => "payload_type".to_owned(),
                        kind => format!("{kind:?}").to_lowercase(),
                    },
                    heard: field.is_of_observation(),
                };
                assert_eq!(Field::all().map(row).collect::<Vec<_>>(), rows);
            }
            Vector::Packet { now, packet, matches, fails } => {
                for (texts, expected) in [(&matches, true), (&fails, false)] {
                    for text in texts {
                        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
                        if filter.matches(&packet, now) != expected {
                            wrong.push(format!("{text}\n  should give {expected}"));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} vectors do not hold:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 80, "only {count} vectors were read");
}
