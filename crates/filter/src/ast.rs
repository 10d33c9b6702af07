//! A filter as a tree, and that tree as text.

use std::fmt;

use crate::fields::Field;
use crate::values::{Pattern, Value};

/// A filter or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// All of them hold; at least two.
    And(Vec<Expr>),
    /// At least one of them holds; at least two.
    Or(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// It holds for some or for each observation of the packet; fields within are those of one and the same observation.
    Heard(Quantifier, Box<Expr>),
    /// One comparison.
    Test(Test),
}

/// For which observations something must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one.
    Any,
    /// Each.
    All,
}

/// One comparison of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What is compared.
    pub field: Field,
    /// With what.
    pub condition: Condition,
}

/// What must hold of a field's value. A value that is not there fulfils none of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The field alone: there is a value, and it is neither 0 nor false nor empty.
    Truthy,
    /// A comparison with one value.
    Compare(Op, Value),
    /// From the first to the second, both included.
    Between(Value, Value),
    /// Equal to one of them.
    In(Vec<Value>),
    /// Found somewhere in the text, or with `true` nowhere in it.
    Matches(Pattern, bool),
}

/// How a field and a value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `==`; of several values one is equal.
    Equal,
    /// `!=`; of several values none is equal.
    NotEqual,
    /// `>`, for times also `after`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `<`, for times also `before`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `contains`: somewhere in the text.
    Contains,
    /// `starts_with`.
    StartsWith,
    /// `ends_with`.
    EndsWith,
}

impl Op {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Contains => "contains",
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
        }
    }

    /// Whether it asks for more or less, which texts do not have.
    pub(crate) fn is_order(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => join(f, parts, " && ", |part| matches!(part, Self::Or(_) | Self::And(_))),
            Self::Or(parts) => join(f, parts, " || ", |part| matches!(part, Self::Or(_))),
            Self::Not(part) => match &**part {
                // `!` takes the next comparison only.
                inner @ (Self::Test(_) | Self::Heard(..)) => write!(f, "!{inner}"),
                inner => write!(f, "!({inner})"),
            },
            Self::Heard(Quantifier::Any, part) => write!(f, "any({part})"),
            Self::Heard(Quantifier::All, part) => write!(f, "all({part})"),
            Self::Test(test) => test.fmt(f),
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    between: &str,
    needs_parentheses: impl Fn(&Expr) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(between)?;
        }
        if needs_parentheses(part) { write!(f, "({part})")? } else { write!(f, "{part}")? }
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.name();
        match &self.condition {
            Condition::Truthy => f.write_str(field),
            Condition::Compare(op, value) => write!(f, "{field} {} {value}", op.text()),
            Condition::Between(low, high) => write!(f, "{field} between {low} {high}"),
            Condition::In(values) => {
                write!(f, "{field} in (")?;
                for (place, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if place > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
            Condition::Matches(pattern, negated) => {
                write!(f, "{field} {} {pattern}", if *negated { "!~" } else { "~" })
            }
        }
    }
}
