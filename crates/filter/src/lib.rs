//! The packet filter language: what people type to narrow a list of packets, parsed once and tried on packets.
//!
//! The grammar is `grammar.ebnf` beside this crate. `vectors.jsonl` has expressions with what they mean and where they are
//! wrong, and packets with the expressions that match them; this crate and its twin in the page are both held
//! against it. The language takes everything that CoreScope's does.
//!
//! This crate must never do I/O, look at the clock, or know where packets come from: whoever has packets implements
//! [`Packet`] for them. Whatever text it is given, it neither panics nor takes time or memory out of proportion.
//!
//! ```
//! use filter::Filter;
//!
//! let filter = Filter::parse(r#"type == ADVERT && any(snr > 5)"#)?;
//! assert_eq!(filter.to_string(), r#"type == "ADVERT" && any(snr > 5)"#);
//!
//! let error = Filter::parse("observr == x").unwrap_err();
//! assert_eq!((error.offset, error.length), (0, 7));
//! assert_eq!(error.hint.as_deref(), Some("did you mean `observer`?"));
//! # Ok::<(), filter::FilterError>(())
//! ```
#![forbid(unsafe_code)]

mod ast;
mod describe;
mod error;
mod evaluate;
mod fields;
mod parser;
mod scanner;
mod values;

pub use ast::{Condition, Expr, Op, Quantifier, Test};
pub use describe::{FieldDescription, OPERATORS, describe};
pub use error::FilterError;
pub use evaluate::{Found, Packet};
pub use fields::{Field, Kind, PAYLOAD_FIELDS, PayloadField};
pub use values::{Pattern, Text, Value};

/// Longest text that is taken, in bytes: far beyond what people type, and short enough for a query string.
pub const MAX_BYTES: usize = 4096;

/// Deepest nesting of parentheses, quantifiers and `!`.
pub const MAX_DEPTH: usize = 64;

/// Most comparisons of one filter.
pub const MAX_TESTS: usize = 256;

/// A filter that is well-formed.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    expr: Expr,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// With the place of the first mistake, and a hint where there is one to give. An empty text is one, too: it would be
    /// no filter.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text).map(|expr| Self { expr })
    }

    /// What it says.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Whether a packet passes. `now`, in milliseconds since 1970, is what ages are counted from.
    pub fn matches(&self, packet: &dyn Packet, now: i64) -> bool {
        self.expr.matches(packet, now)
    }
}

/// The filter in its one canonical form, which parses to the same filter.
impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.expr.fmt(f)
    }
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}
