//! Comma-separated values by RFC 4180, made so that a spreadsheet takes no text for a formula.

use std::borrow::Cow;
use std::io::{self, Write};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing is known.
    Empty,
    /// Written by this program: numbers, times, hex digits, fixed words.
    Ours(Cow<'a, str>),
    /// Written by a stranger: names, messages, ids.
    Theirs(Cow<'a, str>),
}

impl<'a> Cell<'a> {
    /// A number, if there is one.
    pub(super) fn number<N: ToString>(number: Option<N>) -> Cell<'a> {
        number.map_or(Cell::Empty, |number| Cell::Ours(number.to_string().into()))
    }

    /// A stranger's text, if there is one.
    pub(super) fn theirs(text: Option<&'a str>) -> Cell<'a> {
        text.map_or(Cell::Empty, |text| Cell::Theirs(text.into()))
    }

    pub(super) fn ours(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
        Cell::Ours(text.into())
    }
}

/// Writes a row and its end.
///
/// # Errors
/// When the bytes cannot be written.
pub(super) fn write_row<'a>(out: &mut impl Write, cells: impl Iterator<Item = Cell<'a>>) -> io::Result<()> {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        match cell {
            Cell::Empty => {}
            Cell::Ours(text) => write_text(out, &text)?,
            Cell::Theirs(text) => write_text(out, &defused(&text))?,
        }
    }
    out.write_all(b"\r\n")
}

/// A text that a spreadsheet would run as a formula, or that hides one behind a tab or an end of line, gets an apostrophe in
/// front, which makes it a text there.
fn defused(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        return format!("'{text}").into();
    }
    text.into()
}

fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    if !text.contains([',', '"', '\r', '\n']) {
        return out.write_all(text.as_bytes());
    }
    write!(out, "\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: Vec<Cell<'_>>) -> String {
        let mut out = Vec::new();
        write_row(&mut out, cells.into_iter()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn commas_quotes_and_line_ends_are_quoted() {
        let cells = ["plain", "a,b", "say \"hi\"", "two\r\nlines", ""].map(|text| Cell::theirs(Some(text)));
        assert_eq!(row(cells.into()), "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\",\r\n");
    }

    #[test]
    fn what_would_be_a_formula_is_a_text_and_numbers_stay_numbers() {
        let texts = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "a=1", "'=1"];
        let cells = texts.map(|text| Cell::theirs(Some(text)));
        assert_eq!(row(cells.into()), "'=cmd|' /C calc'!A0,'+1,'-1,'@SUM(1),'\t=1,a=1,'=1\r\n");
        assert_eq!(
            row(vec![Cell::number(Some(-88)), Cell::number(None::<u8>), Cell::ours("x")]),
            "-88,,x\r\n"
        );
    }
}
