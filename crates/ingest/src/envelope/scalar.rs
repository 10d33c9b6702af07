//! One value of an envelope, of whatever JSON type its author chose.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Longest text that is looked at as a number, a time or a yes/no.
const MAX_PLAIN_BYTES: usize = 40;

/// A value as it came. Arrays and objects are `Absent`, like null: no field that we read is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scalar<'a> {
    /// Not there, null, or an array or object.
    #[default]
    Absent,
    /// A text of any length.
    Text(Cow<'a, str>),
    /// A number of any kind.
    Number(f64),
    /// Yes or no.
    Bool(bool),
}

impl<'a> Scalar<'a> {
    /// Takes a value that comes later in the object; one that says nothing does not erase one that did.
    pub(crate) fn keep_last(&mut self, value: Scalar<'a>) {
        if value != Scalar::Absent {
            *self = value;
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as a finite number: a number, or a text that is one, perhaps followed by a unit ("7 dB", "-88dBm").
    pub fn number(&self) -> Option<f64> {
        match self {
            Scalar::Number(number) => Some(*number).filter(|n| n.is_finite()),
            Scalar::Text(text) => number_with_unit(text),
            _ => None,
        }
    }

    /// The value as a count; fractions are cut off.
    pub fn count(&self) -> Option<u64> {
        // The greatest integer that an f64 holds exactly: a counter beyond it is none.
        self.number().filter(|n| (0.0..=9_007_199_254_740_992.0).contains(n)).map(|n| n as u64)
    }

    /// The value as yes or no, in the words of contract §5.3.
    pub fn yes_or_no(&self) -> Option<bool> {
        match self {
            Scalar::Bool(value) => Some(*value),
            Scalar::Number(number) => Some(*number != 0.0),
            Scalar::Text(text) if text.len() <= MAX_PLAIN_BYTES => {
                match text.trim().to_ascii_lowercase().as_str() {
                    "on" | "true" | "1" | "yes" => Some(true),
                    "off" | "false" | "0" | "no" => Some(false),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether an observer wrote something here that is meant as a value; it writes "Unknown" for none.
    pub fn says_something(&self) -> bool {
        match self {
            Scalar::Absent => false,
            Scalar::Text(text) => {
                let text = text.trim();
                !text.is_empty()
                    && !["unknown", "null", "none", "n/a"].iter().any(|word| text.eq_ignore_ascii_case(word))
            }
            _ => true,
        }
    }
}

fn number_with_unit(text: &str) -> Option<f64> {
    if text.len() > MAX_PLAIN_BYTES {
        return None;
    }
    let text = text.trim();
    let end =
        text.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(text.len());
    let unit = text[end..].trim_start();
    let known = unit.is_empty()
        || ["dBm", "dB", "mW", "km", "mi", "m", "mV", "V", "s", "ms"]
            .iter()
            .any(|u| unit.eq_ignore_ascii_case(u));
    let number = if known { text[..end].parse::<f64>().ok() } else { None };
    number.filter(|n| n.is_finite())
}

/// The `visit_…` functions of a visitor of type `()` that passes over everything but arrays and objects.
macro_rules! ignore_plain_values {
    () => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}
pub(super) use ignore_plain_values;

/// A value that is read and forgotten. Unlike serde's `IgnoredAny` it descends by recursion, so that the parser's limit
/// of 128 levels stops a bomb of brackets.
#[derive(Default)]
pub(crate) struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SkippedVisitor;
        impl<'de> Visitor<'de> for SkippedVisitor {
            type Value = Skipped;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Skipped, A::Error> {
                while map.next_entry::<Skipped, Skipped>()?.is_some() {}
                Ok(Skipped)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Skipped, A::Error> {
                while seq.next_element::<Skipped>()?.is_some() {}
                Ok(Skipped)
            }

            ignore_plain_values!();
        }
        deserializer.deserialize_any(SkippedVisitor)
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Absent)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<Skipped, Skipped>()?.is_some() {}
        Ok(Scalar::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<Skipped>()?.is_some() {}
        Ok(Scalar::Absent)
    }
}
