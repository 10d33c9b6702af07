//! Whether a packet passes.

use std::borrow::Cow;

use crate::ast::{Condition, Expr, Op, Quantifier, Test};
use crate::fields::{Field, Kind};
use crate::values::Value;

/// A packet, or one observation of it, as a filter sees it.
pub trait Packet {
    /// The value of a field, of the kind that [`Field::kind`] says; types and routes as texts, by their names. Never asked
    /// for [`Field::Age`], which follows from [`Field::Time`].
    fn find(&self, field: Field) -> Found<'_>;

    /// Tries the packet's observations, one after the other, until one passes.
    fn any_observation(&self, test: &mut dyn FnMut(&dyn Packet) -> bool) -> bool;
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<'a> {
    /// There is none, so no comparison holds.
    Nothing,
    /// Of [`Kind::Text`], [`Kind::PayloadType`] and [`Kind::Route`].
    Text(Cow<'a, str>),
    /// Of [`Kind::Texts`].
    Texts(Vec<Cow<'a, str>>),
    /// Of [`Kind::Number`].
    Number(f64),
    /// Of [`Kind::Time`], in milliseconds since 1970.
    Time(i64),
    /// Of [`Kind::Flag`].
    Flag(bool),
}

impl<'a> Found<'a> {
    /// A text, or nothing; an empty one is nothing, too.
    pub fn text(text: Option<impl Into<Cow<'a, str>>>) -> Self {
        let text = text.map(Into::into).filter(|text| !text.is_empty());
        text.map_or(Self::Nothing, Self::Text)
    }

    /// A number, or nothing.
    pub fn number(number: Option<impl Into<f64>>) -> Self {
        number.map_or(Self::Nothing, |number| Self::Number(number.into()))
    }
}

impl Expr {
    /// Whether a packet passes; see [`crate::Filter::matches`].
    pub fn matches(&self, packet: &dyn Packet, now: i64) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(packet, now)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(packet, now)),
            Self::Not(part) => !part.matches(packet, now),
            Self::Heard(Quantifier::Any, part) => {
                packet.any_observation(&mut |heard| part.matches(heard, now))
            }
            Self::Heard(Quantifier::All, part) => {
                !packet.any_observation(&mut |heard| !part.matches(heard, now))
            }
            Self::Test(test) => test.holds(packet, now),
        }
    }
}

impl Test {
    /// Whether the comparison holds for a packet or an observation.
    pub fn holds(&self, packet: &dyn Packet, now: i64) -> bool {
        let found = match self.field.kind() {
            Kind::Age => match packet.find(Field::Time) {
                Found::Time(time) => Found::Number((now - time) as f64 / 1000.0),
                _ => Found::Nothing,
            },
            _ => packet.find(self.field),
        };
        self.condition.holds(&found, now)
    }
}

impl Condition {
    /// Whether it holds for a value.
    pub fn holds(&self, found: &Found<'_>, now: i64) -> bool {
        match found {
            Found::Nothing => false,
            Found::Text(text) => self.holds_for_text(text),
            // Of several values, one must fit; for what is negated, none may be what is named.
            Found::Texts(texts) => match self {
                Self::Compare(Op::NotEqual, _) | Self::Matches(_, true) => {
                    !texts.is_empty() && texts.iter().all(|text| self.holds_for_text(text))
                }
                _ => texts.iter().any(|text| self.holds_for_text(text)),
            },
            Found::Number(number) => self.holds_for_number(*number),
            Found::Time(time) => self.holds_for_time(*time, now),
            Found::Flag(flag) => match self {
                Self::Truthy => *flag,
                Self::Compare(Op::Equal, value) => *value == Value::Flag(*flag),
                Self::Compare(Op::NotEqual, value) => *value == Value::Flag(!*flag),
                Self::In(values) => values.contains(&Value::Flag(*flag)),
                _ => false,
            },
        }
    }

    fn holds_for_text(&self, found: &str) -> bool {
        let equals = |value: &Value| matches!(value, Value::Text(text) if text.equals(found));
        match self {
            Self::Truthy => !found.is_empty(),
            Self::Compare(op, Value::Text(text)) => match op {
                Op::Equal => text.equals(found),
                Op::NotEqual => !text.equals(found),
                Op::Contains => text.is_in(found),
                Op::StartsWith => text.starts(found),
                Op::EndsWith => text.ends(found),
                Op::Greater | Op::GreaterOrEqual | Op::Less | Op::LessOrEqual => false,
            },
            Self::In(values) => values.iter().any(equals),
            Self::Matches(pattern, negated) => pattern.is_in(found) != *negated,
            Self::Compare(..) | Self::Between(..) => false,
        }
    }

    fn holds_for_number(&self, found: f64) -> bool {
        let of = |value: &Value| if let Value::Number(number) = value { *number } else { f64::NAN };
        match self {
            Self::Truthy => found != 0.0,
            Self::Compare(op, value) => ordered(*op, found, of(value)),
            Self::Between(low, high) => of(low) <= found && found <= of(high),
            Self::In(values) => values.iter().any(|value| of(value) == found),
            Self::Matches(..) => false,
        }
    }

    fn holds_for_time(&self, found: i64, now: i64) -> bool {
        let of = |value: &Value| match value {
            Value::Time(time) => Some(*time),
            Value::Ago(span) => Some(now.saturating_sub(*span)),
            _ => None,
        };
        match self {
            Self::Truthy => true,
            Self::Compare(op, value) => of(value).is_some_and(|value| ordered(*op, found, value)),
            Self::Between(low, high) => {
                of(low).is_some_and(|low| low <= found) && of(high).is_some_and(|high| found <= high)
            }
            Self::In(values) => values.iter().any(|value| of(value) == Some(found)),
            Self::Matches(..) => false,
        }
    }
}

fn ordered<T: PartialOrd>(op: Op, found: T, value: T) -> bool {
    match op {
        Op::Equal => found == value,
        Op::NotEqual => found != value,
        Op::Greater => found > value,
        Op::GreaterOrEqual => found >= value,
        Op::Less => found < value,
        Op::LessOrEqual => found <= value,
        Op::Contains | Op::StartsWith | Op::EndsWith => false,
    }
}
