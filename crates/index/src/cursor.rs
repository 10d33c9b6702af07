//! Where a page ended, so that the next one can go on from there.

use std::fmt;
use std::str::FromStr;

use model::{TransmissionId, UnixMillis};

use crate::query::Sort;

/// The place of the last row of a page in its order. The next page begins with the first row beyond it, however many
/// rows were added since; it need not exist any more.
///
/// The text is for whoever asks for the next page, to be handed back as it is.
///
/// ```
/// use index::{Cursor, Sort};
///
/// let cursor: Cursor = "i-12".parse()?;
/// assert_eq!(cursor.sort(), Sort::Id);
/// assert_eq!(cursor.to_string(), "i-12");
/// assert!("12".parse::<Cursor>().is_err());
/// # Ok::<(), index::CursorError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub(crate) key: CursorKey,
    pub(crate) id: TransmissionId,
}

/// What the rows are sorted by, before their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CursorKey {
    Id,
    Latest(UnixMillis),
}

/// The text is not a [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this version")]
pub struct CursorError;

impl Cursor {
    /// The end of a page, in order of the latest observation from the newest, behind which come those last heard before a
    /// time.
    pub fn before(time: UnixMillis) -> Self {
        Self { key: CursorKey::Latest(time), id: TransmissionId(0) }
    }

    /// The order it belongs to; a query with this cursor is answered in this order.
    pub fn sort(&self) -> Sort {
        match self.key {
            CursorKey::Id => Sort::Id,
            CursorKey::Latest(_) => Sort::Latest,
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            CursorKey::Id => write!(f, "i-{}", self.id.0),
            CursorKey::Latest(time) => write!(f, "l-{}-{}", time.0, self.id.0),
        }
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, rest) = text.split_once('-').ok_or(CursorError)?;
        let (key, id) = match kind {
            "i" => (CursorKey::Id, rest),
            "l" => {
                let (time, id) = rest.split_once('-').ok_or(CursorError)?;
                (CursorKey::Latest(UnixMillis(number(time)?.try_into().map_err(|_| CursorError)?)), id)
            }
            _ => return Err(CursorError),
        };
        Ok(Self { key, id: TransmissionId(number(id)?) })
    }
}

/// Digits only: `parse` alone would also take a sign.
fn number(text: &str) -> Result<u64, CursorError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| CursorError)
    } else {
        Err(CursorError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_cursor_agree_and_everything_else_is_refused() {
        for text in ["i-0", "i-18446744073709551615", "l-1767225600000-3"] {
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        }
        for text in
            ["", "i", "i-", "i--1", "i-+1", "i-1-2", "l-1", "l-1-", "l--1", "x-1", "l-18446744073709551615-1"]
        {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
