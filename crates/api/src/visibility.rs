//! What is never shown: applied before lists are paged, so that pages are full and totals true.

use crate::config::{ApiConfig, ForeignAdvertsMode};
use crate::error::HttpError;
use crate::render::node::{believable_place, is_foreign};
use index::{Hidden, Index, Node, NodeQuery, ObservationView, ObserverView};
use model::{NodeKey, UnixMillis};
use std::sync::Arc;
use std::time::Duration;

/// Which nodes and observers may be shown under a configuration.
pub(crate) struct Visibility<'a> {
    config: &'a ApiConfig,
    hidden_nodes: Vec<NodeKey>,
}

impl<'a> Visibility<'a> {
    pub(crate) fn new(config: &'a ApiConfig) -> Self {
        // What is not a key cannot be a node's.
        let hidden_nodes = config.node_blacklist.iter().filter_map(|key| key.trim().parse().ok()).collect();
        Self { config, hidden_nodes }
    }

    pub(crate) fn shows_node(&self, node: &Node) -> bool {
        !node.is_pruned() && self.shows_adverts_of(node)
    }

    /// Whether packets that a node sent are shown: those of a node that was taken off the list stay.
    fn shows_adverts_of(&self, node: &Node) -> bool {
        let foreign =
            self.config.foreign_adverts.mode == ForeignAdvertsMode::Drop && is_foreign(node, self.config);
        !foreign && !self.hides_node(node)
    }

    /// Whether the configuration hides a node wherever it is.
    pub(crate) fn hides_node(&self, node: &Node) -> bool {
        self.hidden_nodes.contains(&node.key)
            || node.name.as_ref().is_some_and(|name| self.hides_name(&name.display))
            // The cleaned name may have lost the very character that is to be hidden.
            || node.name.as_ref().is_some_and(|name| self.hides_name(&String::from_utf8_lossy(&name.raw)))
    }

    /// Whether a node of which perhaps only the key is known may be named.
    pub(crate) fn shows_key(&self, key: &NodeKey) -> bool {
        !self.hidden_nodes.contains(key)
    }

    /// Whether a key may be named that stands beside a shown node: of a node, of an observer that never adverted, or both.
    pub(crate) fn shows_peer(&self, index: &Index, key: &NodeKey) -> bool {
        let as_node = match index.node(key) {
            Some(node) => self.shows_node(node),
            None => !self.hidden_nodes.contains(key),
        };
        as_node && self.shows_observer_key(&key.to_string())
    }

    /// Whether an observation may be shown. Adverts of hidden nodes and what hidden observers heard are in no list of packets
    /// and in no feed.
    pub(crate) fn shows_heard(&self, heard: &ObservationView<'_>) -> bool {
        self.shows_observer_key(&heard.observer().key)
            && heard.transmission().node().is_none_or(|node| self.shows_adverts_of(node))
    }

    /// The same rule for lists, whose packets may be in storage, where less is known of nodes than in the index.
    pub(crate) fn hidden(&self, index: &Index) -> Hidden {
        let config = self.config;
        let observers = config.observer_blacklist.iter();
        let observers = observers.filter_map(|key| index.observer_by_key(key.trim())).collect();
        let may_hide_nodes = !config.node_blacklist.is_empty()
            || !config.hidden_name_prefixes.is_empty()
            || config.foreign_adverts.mode == ForeignAdvertsMode::Drop;
        if !may_hide_nodes {
            return Hidden::new(observers, Vec::new());
        }
        let nodes = index.nodes_by_prefix("").into_iter().filter(|node| !self.shows_adverts_of(node));
        Hidden::new(observers, nodes.map(|node| node.key).collect())
    }

    pub(crate) fn shows_observer(&self, observer: &ObserverView<'_>) -> bool {
        self.shows_observer_key(&observer.record.key)
    }

    pub(crate) fn shows_observer_key(&self, key: &str) -> bool {
        !self.config.observer_blacklist.iter().any(|hidden| hidden.trim().eq_ignore_ascii_case(key))
    }

    fn hides_name(&self, name: &str) -> bool {
        self.config
            .hidden_name_prefixes
            .iter()
            .any(|prefix| !prefix.is_empty() && name.starts_with(prefix.as_str()))
    }
}

/// Which nodes are never to be named as hops: those that no list shows.
pub fn hides_nodes(config: Arc<ApiConfig>) -> Box<index::Hides> {
    Box::new(move |key, node| {
        let visibility = Visibility::new(&config);
        let is_hidden = node.is_some_and(|node| !visibility.shows_node(node));
        is_hidden || visibility.hidden_nodes.contains(key) || !visibility.shows_observer_key(&key.to_string())
    })
}

/// The regions of a `region` parameter: `None` for all of them. Codes are compared without regard to case.
pub(crate) fn regions(codes: Vec<String>) -> Option<Vec<String>> {
    let all = codes.is_empty() || codes.iter().any(|code| code.eq_ignore_ascii_case("all"));
    (!all).then(|| codes.into_iter().map(|code| code.to_uppercase()).collect())
}

/// Checks an `area` parameter against the configured areas.
///
/// # Errors
/// A 400 for an area that is not configured: leaving the filter away would show the wrong nodes as the right ones.
pub(crate) fn area_key(area: Option<String>, config: &ApiConfig) -> Result<Option<String>, HttpError> {
    match area.filter(|area| !area.is_empty()) {
        Some(area) if !config.areas.contains_key(&area) => {
            Err(HttpError::bad_parameter("area", "no such area"))
        }
        area => Ok(area),
    }
}

/// Whether a node says that it is in an area.
pub(crate) fn is_in_area(node: &Node, config: &ApiConfig, area: &str) -> bool {
    let place = believable_place(node);
    config.areas.get(area).zip(place).is_some_and(|(area, place)| area.contains(place))
}

/// The keys of all nodes that say that they are in an area.
pub(crate) fn nodes_in_area(index: &Index, config: &ApiConfig, area: &str) -> Vec<NodeKey> {
    let keep = |node: &Node| is_in_area(node, config, area);
    let query = NodeQuery { limit: usize::MAX, keep: Some(&keep), ..NodeQuery::default() };
    index.nodes(&query).nodes.iter().map(|node| node.key).collect()
}

/// From when on a node or observer must have been seen to be in the lists; `None` for all. They are not forgotten: their
/// own pages, searches and totals have them.
pub(crate) fn listed_since(listed_for: Option<Duration>, now: UnixMillis) -> Option<UnixMillis> {
    let span = i64::try_from(listed_for?.as_millis()).unwrap_or(i64::MAX);
    Some(now.plus_ms(-span))
}
