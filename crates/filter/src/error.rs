//! What is wrong with a filter, and where.

/// A mistake in the text of a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {}{}", .offset + 1, .hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct FilterError {
    /// Where the mistake begins, in characters (not bytes) from the start.
    pub offset: usize,
    /// How many characters it covers; 0 at the end of the text.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead, where that can be guessed.
    pub hint: Option<String>,
}
