//! Letters, words and signs, with their places.

use crate::error::FilterError;

/// Where the reading of a text has got to.
#[derive(Clone)]
pub(crate) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

/// A value as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// Without quotes and the backslashes that protect them.
    pub(crate) text: String,
    /// As it stands in the text.
    pub(crate) span: Span,
}

/// A part of the text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Signs that end a bare value beside spaces. A colon does not: times have them.
const ENDS_A_VALUE: &[char] = &['(', ')', ',', '"', '\'', '&', '|', '=', '<', '>'];

impl<'t> Scanner<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What is left, without the spaces before it.
    pub(crate) fn rest(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &self.text[self.at..]
    }

    pub(crate) fn is_at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Whether a space, a `)` or the end comes next.
    pub(crate) fn ends_here(&self) -> bool {
        self.text[self.at..].chars().next().is_none_or(|next| next.is_whitespace() || next == ')')
    }

    /// Takes a sign, if it is the next thing.
    pub(crate) fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    /// Takes a word made of letters, if it is the next thing and does not go on.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_name().is_some_and(|name| name.eq_ignore_ascii_case(word));
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// The name that comes next: a letter or `_`, then letters, digits, `_` and dots that are not two.
    pub(crate) fn peek_name(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        if !rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            return None;
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let name = &rest[..end];
        Some(name.split_once("..").map_or(name, |(name, _)| name))
    }

    /// Takes a name that [`Self::peek_name`] has given.
    pub(crate) fn skip(&mut self, name: &str) -> Span {
        let start = self.at;
        self.at += name.len();
        Span { start, end: self.at }
    }

    /// Takes a value: a text in quotes, or everything up to a space or a sign.
    pub(crate) fn value(&mut self) -> Result<Word, FilterError> {
        let rest = self.rest();
        match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted_value(quote),
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || ENDS_A_VALUE.contains(&c));
                let written = &rest[..end.unwrap_or(rest.len())];
                // Two dots part the ends of a range.
                let written = match written.find("..") {
                    Some(dots) => &written[..dots],
                    None => written,
                };
                if written.is_empty() {
                    let end = self.at + rest.chars().next().map_or(0, char::len_utf8);
                    let span = Span { start: self.at, end };
                    return Err(self.error(span, "a value is missing here", None));
                }
                let span = self.skip(written);
                Ok(Word { text: written.to_owned(), span })
            }
        }
    }

    fn quoted_value(&mut self, quote: char) -> Result<Word, FilterError> {
        let start = self.at;
        let mut text = String::new();
        let mut letters = self.text[start + 1..].char_indices().peekable();
        while let Some((place, letter)) = letters.next() {
            match letter {
                '\\' if letters.peek().is_some_and(|(_, next)| *next == quote || *next == '\\') => {
                    text.extend(letters.next().map(|(_, next)| next));
                }
                letter if letter == quote => {
                    self.at = start + 1 + place + 1;
                    let span = Span { start, end: self.at };
                    return Ok(Word { text, span });
                }
                letter => text.push(letter),
            }
        }
        let span = Span { start, end: self.text.len() };
        Err(self.error(
            span,
            "the quote is not closed",
            Some(format!("add `{quote}` at the end of the text")),
        ))
    }

    /// An error about a part of the text.
    pub(crate) fn error(&self, span: Span, message: impl Into<String>, hint: Option<String>) -> FilterError {
        let offset = self.text[..span.start].chars().count();
        let length = self.text[span.start..span.end].chars().count();
        FilterError { offset, length, message: message.into(), hint }
    }

    /// An error about what comes next.
    pub(crate) fn error_here(&mut self, message: impl Into<String>, hint: Option<String>) -> FilterError {
        let rest = self.rest();
        let end = match self.peek_name() {
            Some(name) => name.len(),
            None => rest.chars().next().map_or(0, char::len_utf8),
        };
        self.error(Span { start: self.at, end: self.at + end }, message, hint)
    }
}
