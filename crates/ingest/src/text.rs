//! Texts from strangers: bounded, and without control characters.

/// Longest name, model, firmware or client version kept, in bytes. Node names have 31 at most.
pub(crate) const MAX_TEXT_BYTES: usize = 64;

/// The text without control characters, without blanks at its ends and cut on a character boundary; `None` when
/// nothing is left. Markup and right-to-left marks stay: whoever shows a text escapes it.
pub(crate) fn clean(text: &str, max_bytes: usize) -> Option<Box<str>> {
    // Most texts are clean already.
    if text.len() <= max_bytes
        && !text.is_empty()
        && text.trim().len() == text.len()
        && !text.chars().any(char::is_control)
    {
        return Some(text.into());
    }
    // A text that is to be cut far down is not worth reading to its end.
    let head = cut(text, max_bytes.saturating_mul(4));
    let cleaned: String = head.chars().filter(|c| !c.is_control()).collect();
    let kept = cut(cleaned.trim(), max_bytes).trim_end();
    (!kept.is_empty()).then(|| kept.into())
}

/// The longest beginning of the text that has at most `max_bytes` bytes and ends between characters.
pub(crate) fn cut(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// A region code in its one form: without blanks, in capitals. `None` for what cannot be a code, such as markup.
pub(crate) fn region(text: &str) -> Option<Box<str>> {
    let code = text.trim();
    let plausible = !code.is_empty()
        && code.len() <= 16
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plausible.then(|| code.to_ascii_uppercase().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_go_and_everything_else_stays() {
        let name = "\u{1b}[31m<b>Ana\u{202e}\u{7f}\u{9f}</b>\r\n 🏔";
        assert_eq!(clean(name, 64).as_deref(), Some("[31m<b>Ana\u{202e}</b> 🏔"));
        assert_eq!(clean(" \u{0}\t ", 64), None);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(clean("ab🏔cd", 5).as_deref(), Some("ab"));
        assert_eq!(clean("ab🏔cd", 6).as_deref(), Some("ab🏔"));
        assert_eq!(clean(&"x".repeat(10_000_000), 8).as_deref(), Some("xxxxxxxx"));
    }

    #[test]
    fn regions_are_trimmed_capitals_and_never_markup() {
        assert_eq!(region(" sjc ").as_deref(), Some("SJC"));
        assert_eq!(region("test").as_deref(), Some("TEST"));
        for odd in ["", "  ", "<b>", "A B", "SFO\n1", "ÄÖÜ", "ABCDEFGHIJKLMNOPQ"] {
            assert_eq!(region(odd), None, "{odd:?}");
        }
    }
}
