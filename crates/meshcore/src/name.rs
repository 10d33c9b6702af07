//! Names of nodes, and text of strangers made fit to be shown.

use std::borrow::Cow;
use std::fmt;

use crate::build::BuildError;

/// The name in an advert: bytes as sent, up to the first NUL. Mostly but not always UTF-8; never empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName<'a>(&'a [u8]);

impl<'a> NodeName<'a> {
    /// The most bytes of [`NodeName::display`].
    pub const MAX_DISPLAY_BYTES: usize = 32;

    /// A name to be sent.
    ///
    /// # Errors
    /// When it is empty or contains a NUL. How long it may be depends on the advert: see
    /// [`crate::AppData::max_name_bytes`].
    pub const fn new(name: &'a str) -> Result<NodeName<'a>, BuildError> {
        let bytes = name.as_bytes();
        if bytes.is_empty() {
            return Err(BuildError::Empty { field: "name" });
        }
        let mut i = 0;
        while i < bytes.len() {
            if bytes[i] == 0 {
                return Err(BuildError::Nul { field: "name" });
            }
            i += 1;
        }
        Ok(NodeName(bytes))
    }

    /// As the firmware reads it: up to the first NUL; `None` when nothing is left.
    pub fn from_wire(bytes: &'a [u8]) -> Option<NodeName<'a>> {
        let name = until_nul(bytes);
        (!name.is_empty()).then_some(NodeName(name))
    }

    /// Shortens a name to `max` bytes without cutting inside a character, as firmware 1.17 does.
    pub fn cut(name: &str, max: usize) -> &str {
        &name[..name.floor_char_boundary(max)]
    }

    /// As sent.
    pub const fn bytes(&self) -> &'a [u8] {
        self.0
    }

    /// As text, with U+FFFD for what is not UTF-8. May contain anything that UTF-8 can: see [`NodeName::display`].
    pub fn lossy(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }

    /// Fit to be shown: [`clean_text`] of at most 32 bytes. May be empty.
    ///
    /// ```
    /// use meshcore::NodeName;
    ///
    /// assert_eq!(NodeName::new("A\u{7}\u{1b}B \u{202e}evil")?.display(), "AB evil");
    /// # Ok::<(), meshcore::BuildError>(())
    /// ```
    pub fn display(&self) -> String {
        clean_text(self.0, NodeName::MAX_DISPLAY_BYTES)
    }
}

impl fmt::Debug for NodeName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeName({:?})", self.lossy())
    }
}

/// Makes a stranger's text fit to be shown on one line: at most `max_bytes` of UTF-8, cut between characters.
///
/// Left out are control characters, everything that reorders text (bidi marks, overrides, isolates) and characters
/// that show as nothing and so let two names look the same; invalid UTF-8 becomes U+FFFD. A zero-width joiner stays
/// between two pictographs, where it makes one of both.
pub fn clean_text(bytes: &[u8], max_bytes: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.len() <= max_bytes && is_plain(&text) {
        return text.into_owned();
    }
    let mut clean = String::with_capacity(text.len().min(max_bytes));
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let joins = c == ZERO_WIDTH_JOINER
            && clean.chars().next_back().is_some_and(is_pictograph)
            && chars.peek().copied().is_some_and(is_pictograph);
        if is_unfit(c) && !joins {
            continue;
        }
        // A joiner at the very end would join nothing, so it needs room for what follows.
        let room = if joins { c.len_utf8() + chars.peek().map_or(0, |c| c.len_utf8()) } else { c.len_utf8() };
        if clean.len() + room > max_bytes {
            break;
        }
        clean.push(c);
    }
    clean
}

/// The most bytes of a line of a text, and of a name within it: longer ones do not fit in a packet. What is not UTF-8
/// grows by the factor 3 when it is made fit.
const MAX_LINE_BYTES: usize = 255;

/// A text of a stranger as it may be shown: [`clean_text`] of each line, with the line breaks kept.
///
/// ```
/// assert_eq!(meshcore::shown_text("one\u{202e}\ntwo\u{7}"), "one\ntwo");
/// ```
pub fn shown_text(text: &str) -> String {
    if is_plain(text) && text.len() <= MAX_LINE_BYTES * 3 {
        return text.to_owned();
    }
    let lines = text.split('\n').map(|line| clean_text(line.as_bytes(), MAX_LINE_BYTES * 3));
    lines.collect::<Vec<_>>().join("\n")
}

/// The name of a stranger as it may be shown, on one line.
pub fn shown_name(name: &str) -> String {
    clean_text(name.as_bytes(), MAX_LINE_BYTES)
}

/// Whether there is nothing to leave out, which is so for most texts and quickly seen.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The bytes before the first NUL: all strings on air are C strings.
pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

const ZERO_WIDTH_JOINER: char = '\u{200D}';

fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Roughly: emoji, their skin tones, and the selector that asks for the coloured form.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2BFF}' | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_reorders_or_hides_text_is_left_out() {
        assert_eq!(clean_text("a\u{202E}b\u{2066}c\u{200B}d\u{FEFF}e\u{061C}f".as_bytes(), 32), "abcdef");
        assert_eq!(clean_text("tab\there\nline\u{2028}x\u{7F}\u{85}y".as_bytes(), 32), "tabherelinexy");
        assert_eq!(clean_text(b"A\xFF\xFEB", 32), "A\u{FFFD}\u{FFFD}B");
    }

    #[test]
    fn a_joiner_stays_only_between_pictographs() {
        assert_eq!(clean_text("🏴\u{200D}☠\u{FE0F}".as_bytes(), 32), "🏴\u{200D}☠\u{FE0F}");
        assert_eq!(clean_text("a\u{200D}b\u{200D}".as_bytes(), 32), "ab");
        assert_eq!(clean_text("🏴\u{200D}☠".as_bytes(), 9), "🏴");
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(clean_text("éééé".as_bytes(), 5), "éé");
        assert_eq!(NodeName::cut("éééé", 5), "éé");
        assert_eq!(NodeName::cut("ab", 5), "ab");
    }

    #[test]
    fn names_to_be_sent_are_neither_empty_nor_with_nul() {
        assert_eq!(NodeName::new(""), Err(BuildError::Empty { field: "name" }));
        assert_eq!(NodeName::new("a\0b"), Err(BuildError::Nul { field: "name" }));
    }

    proptest! {
        #[test]
        fn cleaned_text_is_bounded_and_cleaning_it_again_changes_nothing(
            bytes in proptest::collection::vec(any::<u8>(), 0..80), text in ".{0,20}", max in 0_usize..40,
        ) {
            for input in [bytes.as_slice(), text.as_bytes()] {
                let clean = clean_text(input, max);
                prop_assert!(clean.len() <= max);
                prop_assert_eq!(clean_text(clean.as_bytes(), max), clean);
            }
        }
    }
}
