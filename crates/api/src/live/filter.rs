//! Filters of subscriptions.

use super::protocol::Problem;
use filter::Filter;
use index::ObservationView;
use model::UnixMillis;

/// An expression of the packet filter language.
#[derive(Debug)]
pub(crate) struct RowFilter {
    /// In its canonical form, so that two that say the same are the same.
    text: String,
    filter: Filter,
}

impl RowFilter {
    /// Reads the filter of the subscription `id`.
    ///
    /// # Errors
    /// With the place of the first mistake.
    pub(crate) fn parse(id: &str, text: &str) -> Result<Self, Problem> {
        match Filter::parse(text) {
            Ok(filter) => Ok(Self { text: filter.to_string(), filter }),
            Err(error) => {
                let mut problem = Problem::with(id, "filter", error.message);
                problem.offset = Some(error.offset);
                problem.length = Some(error.length);
                problem.hint = error.hint;
                Err(problem)
            }
        }
    }

    /// The expression in its canonical form.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether an observation matches. Fields that observations differ in are those of this one.
    pub(crate) fn matches(&self, heard: &ObservationView<'_>) -> bool {
        self.filter.matches(heard, UnixMillis::now().0)
    }
}
