//! What follows a field: a sign and a value of the field's kind, or nothing.

use super::Parser;
use crate::ast::{Condition, Op};
use crate::error::FilterError;
use crate::fields::{Field, Kind, closest};
use crate::scanner::Word;
use crate::values::{BadPattern, Pattern, Text, Value, duration, number, time};
use meshcore::{PayloadType, Route};

/// Signs, the longer of those that begin alike first; `=` and `:` are what people type.
const SIGNS: &[(&str, Op)] = &[
    ("==", Op::Equal),
    ("!=", Op::NotEqual),
    (">=", Op::GreaterOrEqual),
    ("<=", Op::LessOrEqual),
    (">", Op::Greater),
    ("<", Op::Less),
    ("=", Op::Equal),
    (":", Op::Equal),
];

const WORDS: &[(&str, Op)] = &[
    ("contains", Op::Contains),
    ("starts_with", Op::StartsWith),
    ("ends_with", Op::EndsWith),
    ("after", Op::Greater),
    ("before", Op::Less),
];

/// Names that people have for types, in small letters without what is neither letter nor digit.
const TYPE_ALIASES: &[(&str, PayloadType)] = &[
    ("request", PayloadType::Request),
    ("directmsg", PayloadType::Text),
    ("directmessage", PayloadType::Text),
    ("directtext", PayloadType::Text),
    ("text", PayloadType::Text),
    ("dm", PayloadType::Text),
    ("acknowledgement", PayloadType::Ack),
    ("advertisement", PayloadType::Advert),
    ("channelmsg", PayloadType::GroupText),
    ("channelmessage", PayloadType::GroupText),
    ("channeltext", PayloadType::GroupText),
    ("grouptext", PayloadType::GroupText),
    ("chan", PayloadType::GroupText),
    ("channel", PayloadType::GroupText),
    ("channeldata", PayloadType::GroupData),
    ("groupdata", PayloadType::GroupData),
    ("anonrequest", PayloadType::AnonRequest),
    ("anonreq", PayloadType::AnonRequest),
    ("pathreturn", PayloadType::PathReturn),
    ("raw", PayloadType::RawCustom),
    ("custom", PayloadType::RawCustom),
];

const ROUTES: [(&str, &str, Route); 4] = [
    ("TRANSPORT_FLOOD", "tflood", Route::TransportFlood),
    ("FLOOD", "flood", Route::Flood),
    ("DIRECT", "direct", Route::Direct),
    ("TRANSPORT_DIRECT", "tdirect", Route::TransportDirect),
];

impl Parser<'_> {
    pub(super) fn condition(&mut self, field: Field) -> Result<Condition, FilterError> {
        if self.scanner.take("!~") {
            return self.pattern(field, true);
        }
        if self.scanner.take("~") {
            return self.pattern(field, false);
        }
        if self.scanner.take_word("between") {
            let low = self.value(field)?;
            // `between 1 and 5` reads well, and `and` is no value.
            let _ = self.scanner.take_word("and") || self.scanner.take(",");
            let high = self.value(field)?;
            return self.between(field, low, high);
        }
        if self.scanner.take_word("in") {
            return self.one_of(field);
        }
        let start = self.scanner.rest();
        let from = self.scanner.at();
        let sign = SIGNS.iter().find(|(sign, _)| self.scanner.take(sign));
        let op = sign.or_else(|| WORDS.iter().find(|(word, _)| self.scanner.take_word(word)));
        let Some((written, op)) = op else { return Ok(Condition::Truthy) };
        let fits = match field.kind() {
            Kind::Number | Kind::Age | Kind::Time => op.is_order() || matches!(op, Op::Equal | Op::NotEqual),
            Kind::Flag => matches!(op, Op::Equal | Op::NotEqual),
            Kind::Text | Kind::Texts | Kind::PayloadType | Kind::Route => !op.is_order(),
        };
        if !fits {
            let end = from + start.find(written).unwrap_or(0) + written.len();
            let span = crate::scanner::Span { start: from, end };
            let message = format!(
                "`{written}` cannot be asked of `{}`, which is {}",
                field.name(),
                article(field.kind())
            );
            return Err(self.scanner.error(span, message, Some(usable(field.kind()).to_owned())));
        }
        let value = self.value_for(field, *op)?;
        Ok(Condition::Compare(*op, value))
    }

    fn pattern(&mut self, field: Field, negated: bool) -> Result<Condition, FilterError> {
        let word = self.scanner.value()?;
        if !matches!(field.kind(), Kind::Text | Kind::Texts | Kind::PayloadType | Kind::Route) {
            let message = format!("`~` wants a text, and `{}` is {}", field.name(), article(field.kind()));
            return Err(self.scanner.error(word.span, message, Some(usable(field.kind()).to_owned())));
        }
        let pattern = Pattern::new(&word.text, &mut self.patterns).map_err(|problem| {
            let (message, hint) = match problem {
                BadPattern::Malformed(message) => {
                    (message, "`~` wants a regular expression; `contains` takes the text as it is")
                }
                BadPattern::TooLarge => (
                    "the regular expressions of the filter are too large".to_owned(),
                    "make them shorter, write one `a|b` for several, or use `contains`",
                ),
            };
            self.scanner.error(word.span, message, Some(hint.to_owned()))
        })?;
        Ok(Condition::Matches(pattern, negated))
    }

    /// `in (a, b, c)`, `in 1..5`, `in 5..`, `in ..5`.
    fn one_of(&mut self, field: Field) -> Result<Condition, FilterError> {
        if self.scanner.take("(") {
            let mut values = vec![self.value(field)?];
            while self.scanner.take(",") {
                values.push(self.value(field)?);
                if values.len() > crate::MAX_TESTS {
                    let message = format!("more than {} values", crate::MAX_TESTS);
                    return Err(self.scanner.error_here(message, None));
                }
            }
            self.close()?;
            return Ok(Condition::In(values));
        }
        if !matches!(field.kind(), Kind::Number | Kind::Age | Kind::Time) {
            let hint = Some(format!("write `{} in (a, b)`", field.name()));
            return Err(self.scanner.error_here("`in` wants values in parentheses", hint));
        }
        if self.scanner.take("..") {
            return Ok(Condition::Compare(Op::LessOrEqual, self.value(field)?));
        }
        let low = self.value(field)?;
        if !self.scanner.take("..") {
            let hint = Some(format!("write `{} in 1..5` or `{0} in (1, 5)`", field.name()));
            return Err(self.scanner.error_here("`in` wants a range or values in parentheses", hint));
        }
        // An end that is left out: whatever stands behind a space is the next comparison.
        if self.scanner.ends_here() {
            return Ok(Condition::Compare(Op::GreaterOrEqual, low));
        }
        let high = self.value(field)?;
        self.between(field, low, high)
    }

    fn between(&mut self, field: Field, low: Value, high: Value) -> Result<Condition, FilterError> {
        if matches!(field.kind(), Kind::Number | Kind::Age | Kind::Time) {
            return Ok(Condition::Between(low, high));
        }
        let message =
            format!("`between` wants numbers or times, and `{}` is {}", field.name(), article(field.kind()));
        Err(self.scanner.error_here(message, Some(usable(field.kind()).to_owned())))
    }

    fn value(&mut self, field: Field) -> Result<Value, FilterError> {
        self.value_for(field, Op::Equal)
    }

    fn value_for(&mut self, field: Field, op: Op) -> Result<Value, FilterError> {
        let word = self.scanner.value()?;
        let parts_of_names = matches!(op, Op::Contains | Op::StartsWith | Op::EndsWith);
        let value = match field.kind() {
            Kind::Text | Kind::Texts => Ok(Value::Text(Text::new(&word.text))),
            Kind::PayloadType | Kind::Route if parts_of_names => Ok(Value::Text(Text::new(&word.text))),
            Kind::PayloadType => payload_type(&word),
            Kind::Route => route(&word),
            Kind::Number => number(&word.text).map(Value::Number).ok_or(("is no number", None)),
            Kind::Age => {
                age(&word.text).ok_or(("is no time span", Some("write 30s, 15m, 1h, 7d or 2w".to_owned())))
            }
            Kind::Time => moment(&word.text).ok_or((
                "is no time",
                Some("write 2026-05-16, 2026-05-16T12:00:00Z, or 1h for an hour ago".to_owned()),
            )),
            Kind::Flag => match word.text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(Value::Flag(true)),
                "false" | "no" | "0" => Ok(Value::Flag(false)),
                _ => Err(("is neither true nor false", None)),
            },
        };
        value.map_err(|(problem, hint)| {
            self.scanner.error(word.span, format!("`{}` {problem}", word.text), hint)
        })
    }
}

type Problem = (&'static str, Option<String>);

fn age(text: &str) -> Option<Value> {
    let span = duration(text).map(|ms| ms as f64 / 1000.0);
    span.or_else(|| number(text)).map(Value::Number)
}

fn moment(text: &str) -> Option<Value> {
    duration(text).map(Value::Ago).or_else(|| time(text).map(Value::Time))
}

fn payload_type(word: &Word) -> Result<Value, Problem> {
    let plain = plain(&word.text);
    let by_name =
        PayloadType::ALL.into_iter().find(|known| known.is_assigned() && self::plain(known.name()) == plain);
    let by_alias = || TYPE_ALIASES.iter().find(|(alias, _)| *alias == plain).map(|(_, known)| *known);
    let by_code = || plain.parse().ok().filter(|code| *code < 16).map(PayloadType::from_bits);
    if let Some(known) = by_name.or_else(by_alias).or_else(by_code) {
        return Ok(Value::Text(Text::new(known.name())));
    }
    if plain == "unknown" {
        return Ok(Value::Text(Text::new("UNKNOWN")));
    }
    let names = PayloadType::ALL.into_iter().filter(|known| known.is_assigned()).map(PayloadType::name);
    Err(("is no payload type", closest(&word.text, names).map(|known| format!("did you mean {known}?"))))
}

fn route(word: &Word) -> Result<Value, Problem> {
    let plain = plain(&word.text);
    let known = ROUTES.iter().find(|(name, alias, route)| {
        self::plain(name) == plain || *alias == plain || route.code().to_string() == plain
    });
    known
        .map(|(name, ..)| Value::Text(Text::new(name)))
        .ok_or(("is no route", Some("write FLOOD, DIRECT, TRANSPORT_FLOOD or TRANSPORT_DIRECT".to_owned())))
}

/// Small letters and digits alone.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::Texts => "a list of texts",
        Kind::Number => "a number",
        Kind::Time => "a time",
        Kind::Age => "a time span",
        Kind::Flag => "true or false",
        Kind::PayloadType => "a payload type",
        Kind::Route => "a route",
    }
}

fn usable(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Texts | Kind::PayloadType | Kind::Route => {
            "use ==, !=, contains, starts_with, ends_with, ~ or in (…)"
        }
        Kind::Number | Kind::Age => "use ==, !=, <, <=, >, >=, between or in 1..5",
        Kind::Time => "use after, before, between or in",
        Kind::Flag => "use the field alone, or == true",
    }
}
