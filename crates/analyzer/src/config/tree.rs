//! JSON that remembers where each key and each value stands, so that a complaint can name the place.

use super::error::ConfigError;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use std::path::Path;

/// A place in a file, both numbers from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value.
pub(crate) struct Node {
    /// Its key as the operator would say it, such as `mqttSources[0].broker`; stays when others are removed.
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Scalar(Value),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// A key with its value. An object may hold a key twice; the last one counts.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) node: Node,
}

// A configuration holds secrets; whatever prints it must not print them.
impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("path", &self.path).field("place", &self.place).finish_non_exhaustive()
    }
}

impl Node {
    /// Reads a text. `serde_json` decides what is JSON and how deep it may be; this finds the places.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] when it is not JSON.
    pub(super) fn read(path: &Path, text: &str) -> Result<Self, ConfigError> {
        // Editors of one well-known system put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        serde_json::from_str::<Value>(text).map_err(|error| ConfigError::syntax(path, &error))?;
        let mut scanner = Scanner { text, at: 0, line: 1, line_start: 0 };
        scanner.value(String::new()).ok_or_else(|| ConfigError::Syntax {
            path: path.to_path_buf(),
            place: scanner.place(),
            problem: "cannot be understood from here on".to_owned(),
        })
    }

    /// The value under a key such as `mqttSources[0].broker`, counted in the tree as it is now.
    pub(super) fn find(&self, key: &str) -> Option<&Node> {
        let (node, missing) = self.locate(key);
        missing.is_empty().then_some(node)
    }

    /// Goes down as far as a key leads; also returns what is left of the key when the rest is not there.
    pub(super) fn locate<'k>(&self, key: &'k str) -> (&Node, &'k str) {
        let below = match &self.kind {
            Kind::Object(members) => members.iter().rev().find_map(|member| {
                let rest = key.strip_prefix(member.name.as_str())?;
                // A name may itself hold a dot, and one name may be the beginning of another.
                let ends = rest.is_empty() || rest.starts_with(['.', '[']);
                ends.then_some((&member.node, rest))
            }),
            Kind::Array(items) => key.strip_prefix('[').and_then(|rest| {
                let (index, rest) = rest.split_once(']')?;
                Some((items.get(index.parse::<usize>().ok()?)?, rest))
            }),
            Kind::Scalar(_) => None,
        };
        below.map_or((self, key), |(node, rest)| node.locate(rest.strip_prefix('.').unwrap_or(rest)))
    }

    /// Where a key's value stands, or the value around it if it is missing.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.locate(key).0.place
    }

    /// As `serde_json` has it. Members that are null are left out, as if they were not given: so CoreScope reads them.
    pub(super) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Array(items) => items.iter().map(Node::to_value).collect(),
            Kind::Object(members) => {
                let members = members.iter().map(|member| (member.name.clone(), member.node.to_value()));
                Value::Object(members.filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
            }
        }
    }

    /// Takes out what these steps lead to; `None` when they lead nowhere.
    pub(super) fn remove(&mut self, steps: &[Segment]) -> Option<Node> {
        let (step, rest) = steps.split_first()?;
        match (&mut self.kind, step) {
            (Kind::Array(items), Segment::Seq { index }) if rest.is_empty() => {
                (*index < items.len()).then(|| items.remove(*index))
            }
            (Kind::Array(items), Segment::Seq { index }) => items.get_mut(*index)?.remove(rest),
            (Kind::Object(members), Segment::Map { key }) => {
                let index = members.iter().rposition(|member| member.name == *key)?;
                if !rest.is_empty() {
                    return members[index].node.remove(rest);
                }
                let gone = members.remove(index);
                members.retain(|member| member.name != *key);
                Some(gone.node)
            }
            _ => None,
        }
    }
}

/// Goes through a text that is known to be JSON.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    line_start: usize,
}

impl Scanner<'_> {
    fn value(&mut self, path: String) -> Option<Node> {
        let first = self.skip_space()?;
        let place = self.place();
        let kind = match first {
            b'{' => Kind::Object(self.members(&path)?),
            b'[' => Kind::Array(self.items(&path)?),
            _ => Kind::Scalar(serde_json::from_str(self.scalar()?).ok()?),
        };
        Some(Node { path, place, kind })
    }

    fn members(&mut self, path: &str) -> Option<Vec<Member>> {
        let mut members = Vec::new();
        self.at += 1;
        loop {
            match self.skip_space()? {
                b'}' => break,
                b',' => self.at += 1,
                _ => {
                    let place = self.place();
                    let name: String = serde_json::from_str(self.scalar()?).ok()?;
                    self.skip_space().filter(|byte| *byte == b':')?;
                    self.at += 1;
                    let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    members.push(Member { name, place, node: self.value(below)? });
                }
            }
        }
        self.at += 1;
        Some(members)
    }

    fn items(&mut self, path: &str) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            match self.skip_space()? {
                b']' => break,
                b',' => self.at += 1,
                _ => items.push(self.value(format!("{path}[{}]", items.len()))?),
            }
        }
        self.at += 1;
        Some(items)
    }

    /// A string, number, or word.
    fn scalar(&mut self) -> Option<&str> {
        let rest = &self.text.as_bytes()[self.at..];
        let length = if rest.first() == Some(&b'"') {
            let mut escaped = false;
            let end = rest[1..].iter().position(|byte| {
                let closes = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                closes
            });
            end? + 2
        } else {
            let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':') || byte.is_ascii_whitespace();
            rest.iter().position(ends).unwrap_or(rest.len())
        };
        let start = self.at;
        self.at += length;
        self.text.get(start..self.at)
    }

    /// The next byte that is not space.
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.at + 1;
                }
                b' ' | b'\t' | b'\r' => {}
                _ => return Some(byte),
            }
            self.at += 1;
        }
    }

    fn place(&self) -> Place {
        let before = self.text.get(self.line_start..self.at).unwrap_or_default();
        Place { line: self.line, column: before.chars().count() + 1 }
    }
}
