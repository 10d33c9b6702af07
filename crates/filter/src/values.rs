//! The values that fields are compared with, and how texts are read as them.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use memchr::memmem::Finder;
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

/// A value of a comparison, of the kind of its field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text; compared without regard to case.
    Text(Text),
    /// A number; of an age, seconds.
    Number(f64),
    /// True or false.
    Flag(bool),
    /// A time, in milliseconds since 1970.
    Time(i64),
    /// So many milliseconds before the moment at which the filter is tried.
    Ago(i64),
}

/// A text as written and as compared.
#[derive(Clone, Debug)]
pub struct Text {
    shown: String,
    folded: String,
    /// Looks for `folded`.
    finder: Box<Finder<'static>>,
}

/// Bytes of a text whose lower case is made without an allocation: the digits of the longest frame.
const FOLDED_IN_PLACE: usize = 512;

/// A regular expression, tried without regard to case. It takes time in proportion to the text, whatever it says.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

/// The patterns of one filter may take this much memory together, which stops `(a{1000}){1000}` and many that are each half
/// as large.
const MAX_PATTERN_BYTES: usize = 1024 * 1024;

/// Of that, what is set aside for trying a pattern, in either direction. It makes trying quick, and grows up to this with the
/// texts that the pattern is tried on. Most need a tenth of it; one that needs more (`\w+`) takes twice as long.
const CACHE_BYTES: usize = 24 * 1024;

/// What is left for the patterns of a filter.
#[derive(Debug)]
pub(crate) struct PatternRoom {
    bytes: usize,
}

/// Why there is no such pattern.
pub(crate) enum BadPattern {
    /// What is wrong with it.
    Malformed(String),
    /// There is not so much room left.
    TooLarge,
}

impl Text {
    pub(crate) fn new(shown: &str) -> Self {
        let folded = shown.to_lowercase();
        Self { shown: shown.to_owned(), finder: Box::new(Finder::new(&folded).into_owned()), folded }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    pub(crate) fn equals(&self, text: &str) -> bool {
        if text.is_ascii() {
            text.eq_ignore_ascii_case(&self.folded)
        } else {
            text.to_lowercase() == self.folded
        }
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return self.finder.find(text.to_lowercase().as_bytes()).is_some();
        }
        let mut room = [0; FOLDED_IN_PLACE];
        match room.get_mut(..text.len()) {
            Some(folded) => {
                folded.copy_from_slice(text.as_bytes());
                folded.make_ascii_lowercase();
                self.finder.find(folded).is_some()
            }
            None => self.finder.find(text.to_ascii_lowercase().as_bytes()).is_some(),
        }
    }

    pub(crate) fn starts(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return text.to_lowercase().starts_with(&self.folded);
        }
        text.get(..self.folded.len()).is_some_and(|start| start.eq_ignore_ascii_case(&self.folded))
    }

    pub(crate) fn ends(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return text.to_lowercase().ends_with(&self.folded);
        }
        let from = text.len().checked_sub(self.folded.len());
        from.is_some_and(|from| text[from..].eq_ignore_ascii_case(&self.folded))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}

impl Eq for Text {}

impl Default for PatternRoom {
    fn default() -> Self {
        Self { bytes: MAX_PATTERN_BYTES }
    }
}

impl Pattern {
    /// Takes what it needs from the room that is left.
    ///
    /// # Errors
    /// When it is no regular expression, or there is not enough room.
    pub(crate) fn new(source: &str, room: &mut PatternRoom) -> Result<Self, BadPattern> {
        let limits = Regex::config()
            .nfa_size_limit(Some(room.bytes))
            .onepass_size_limit(Some(CACHE_BYTES))
            .hybrid_cache_capacity(CACHE_BYTES);
        let folded = syntax::Config::new().case_insensitive(true);
        let regex = Regex::builder().configure(limits).syntax(folded).build(source);
        let regex = regex.map_err(|error| match error.syntax_error() {
            // The last line says what is wrong, those before it draw the place.
            Some(mistake) => {
                let text = mistake.to_string();
                let last = text.lines().last().unwrap_or_default().trim();
                BadPattern::Malformed(last.trim_start_matches("error: ").to_owned())
            }
            None => BadPattern::TooLarge,
        })?;
        let bytes = regex.memory_usage() + 2 * CACHE_BYTES;
        room.bytes = room.bytes.checked_sub(bytes).ok_or(BadPattern::TooLarge)?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// As written.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Texts in quotes, all else bare; both parse back to the same value.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(f, &text.shown),
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Time(ms) => match Timestamp::from_millisecond(*ms) {
                Ok(time) => time.fmt(f),
                Err(_) => ms.fmt(f),
            },
            Self::Ago(ms) => write!(f, "{}s", *ms as f64 / 1000.0),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quoted(f, &self.source)
    }
}

/// Within quotes a backslash keeps a quote or a backslash from its meaning, and stands for itself before anything else,
/// so that regular expressions need no second one.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A number, with an optional sign and fraction.
pub(crate) fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (plain && digits.starts_with(|first: char| first.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// `30s`, `15m`, `1h`, `7d`, `2w`, as milliseconds.
pub(crate) fn duration(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3_600.0,
        'd' => 86_400.0,
        'w' => 604_800.0,
        _ => return None,
    };
    let count = number(&text[..text.len() - 1]).filter(|count| *count >= 0.0)?;
    let ms = count * seconds * 1000.0;
    // A hundred years; longer ones are mistakes, and must not run over.
    (ms <= 3.2e12).then_some(ms as i64)
}

/// RFC 3339, or a date with or without a time of day, which are UTC.
pub(crate) fn time(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    // Longer texts may name zones, which a filter that is shared should not depend on.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-: T.".contains(&byte));
    if !plain {
        return None;
    }
    let moment = match text.parse::<DateTime>() {
        Ok(moment) => moment,
        Err(_) => text.parse::<Date>().ok()?.at(0, 0, 0, 0),
    };
    Offset::UTC.to_timestamp(moment).ok().map(jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_part_is_found_wherever_it_stands_and_whatever_its_case(
            before in "[ -~]{0,600}", part in "[ -~é]{1,12}", behind in "[ -~]{0,12}", other in "[a-c]{1,3}",
        ) {
            let whole = format!("{before}{part}{behind}");
            for text in [whole.to_uppercase(), whole.to_lowercase()] {
                prop_assert!(Text::new(&part).is_in(&text), "{part:?} in {text:?}");
                let expected = text.to_lowercase().contains(&other);
                prop_assert_eq!(Text::new(&other).is_in(&text), expected, "{} in {}", other, text);
            }
        }
    }
}
