//! Which observations a subscription is about.

use super::filter::RowFilter;
use index::ObservationView;
use std::sync::Arc;

/// Who heard it, and what the filter says. Two subscriptions that say the same share their work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) filter: Option<Arc<RowFilter>>,
    observers: Vec<String>,
    regions: Vec<String>,
}

impl Selection {
    /// Observers and regions in any case and order.
    pub(crate) fn new(filter: Option<RowFilter>, observers: Vec<String>, regions: Vec<String>) -> Self {
        let sorted = |mut names: Vec<String>| {
            names.iter_mut().for_each(|name| name.make_ascii_lowercase());
            names.sort_unstable();
            names.dedup();
            names
        };
        Self { filter: filter.map(Arc::new), observers: sorted(observers), regions: sorted(regions) }
    }

    /// Whether the right observer heard it; the filter is asked separately.
    pub(crate) fn is_of_observer(&self, heard: &ObservationView<'_>) -> bool {
        if self.observers.is_empty() && self.regions.is_empty() {
            return true;
        }
        let observer = heard.observer();
        let listed = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|listed| listed.eq_ignore_ascii_case(name))
        };
        listed(&self.observers, &observer.key)
            && listed(&self.regions, observer.iata.as_deref().unwrap_or_default())
    }

    fn filter_text(&self) -> Option<&str> {
        self.filter.as_ref().map(|filter| filter.text())
    }

    /// Takes the filter of `other` if it says the same, so that it is asked once for both.
    pub(crate) fn share_filter(&mut self, other: &Self) {
        if self.filter_text() == other.filter_text() {
            self.filter.clone_from(&other.filter);
        }
    }
}

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        self.filter_text() == other.filter_text()
            && self.observers == other.observers
            && self.regions == other.regions
    }
}
