//! Who wants which topics: a tree of topic levels, so that a message costs the depth of its topic, not the number of subscriptions.

use std::collections::HashMap;
use std::sync::Arc;

use super::hub::Client;
use crate::message::Qos;

/// Most levels a topic filter may have: bounds the tree, and the depth of the walk through it.
pub(crate) const MAX_FILTER_LEVELS: usize = 16;
/// Subscriptions of all clients together: with the levels above, some 50 MB at the very worst.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 5_000;

/// What a subscriber asked for with a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    /// Never above QoS 1.
    pub(crate) qos: Qos,
    /// MQTT 5: not what it published itself.
    pub(crate) no_local: bool,
    /// MQTT 5: keep the retain flag as the publisher set it.
    pub(crate) retain_as_published: bool,
}

/// One subscriber that wants a message.
#[derive(Debug, Clone)]
pub(crate) struct Match {
    pub(crate) client: Arc<Client>,
    pub(crate) options: Options,
}

/// All subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    root: Node,
    count: usize,
}

#[derive(Debug, Default)]
struct Node {
    children: HashMap<Box<str>, Node>,
    /// The child for `+`.
    any: Option<Box<Node>>,
    /// Filters that end here.
    here: Vec<Match>,
    /// Filters that go on with `#`: they match this level and everything below.
    below: Vec<Match>,
}

impl Subscriptions {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Adds a subscription or replaces the options of the same client and filter; true if it is new.
    pub(crate) fn insert(&mut self, filter: &str, client: &Arc<Client>, options: Options) -> bool {
        let mut node = &mut self.root;
        let mut ends_below = false;
        for level in filter.split('/') {
            match level {
                "#" => ends_below = true,
                "+" => node = node.any.get_or_insert_default(),
                name => {
                    if !node.children.contains_key(name) {
                        node.children.insert(name.into(), Node::default());
                    }
                    node = node.children.get_mut(name).expect("the child was put in above");
                }
            }
        }
        let list = if ends_below { &mut node.below } else { &mut node.here };
        if let Some(known) = list.iter_mut().find(|known| Arc::ptr_eq(&known.client, client)) {
            known.options = options;
            return false;
        }
        list.push(Match { client: Arc::clone(client), options });
        self.count += 1;
        true
    }

    /// Removes a subscription; true if there was one.
    pub(crate) fn remove(&mut self, filter: &str, client: &Arc<Client>) -> bool {
        let removed = self.root.remove(&mut filter.split('/'), client);
        self.count -= usize::from(removed);
        removed
    }

    /// Puts every subscriber of a topic into `out` once, with the best of its matching options.
    pub(crate) fn matching(&self, topic: &str, out: &mut Vec<Match>) {
        out.clear();
        let levels = topic.split('/');
        if topic.starts_with('$') {
            // Wildcards at the first level do not match such a topic.
            let mut levels = levels;
            let first = levels.next().unwrap_or_default();
            if let Some(child) = self.root.children.get(first) {
                child.matching(levels, out);
            }
        } else {
            self.root.matching(levels, out);
        }
        merge_by_client(out);
    }
}

impl Node {
    fn matching<'a>(&self, mut levels: impl Iterator<Item = &'a str> + Clone, out: &mut Vec<Match>) {
        out.extend_from_slice(&self.below);
        let Some(level) = levels.next() else {
            out.extend_from_slice(&self.here);
            return;
        };
        if let Some(any) = &self.any {
            any.matching(levels.clone(), out);
        }
        if let Some(child) = self.children.get(level) {
            child.matching(levels, out);
        }
    }

    fn remove<'a>(&mut self, levels: &mut impl Iterator<Item = &'a str>, client: &Arc<Client>) -> bool {
        match levels.next() {
            None => take(&mut self.here, client),
            Some("#") => take(&mut self.below, client),
            Some("+") => {
                let Some(any) = &mut self.any else { return false };
                let removed = any.remove(levels, client);
                if any.is_empty() {
                    self.any = None;
                }
                removed
            }
            Some(name) => {
                let Some(child) = self.children.get_mut(name) else { return false };
                let removed = child.remove(levels, client);
                if child.is_empty() {
                    self.children.remove(name);
                }
                removed
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.any.is_none() && self.here.is_empty() && self.below.is_empty()
    }
}

fn take(list: &mut Vec<Match>, client: &Arc<Client>) -> bool {
    let index = list.iter().position(|known| Arc::ptr_eq(&known.client, client));
    index.map(|index| list.swap_remove(index)).is_some()
}

/// Overlapping filters of one client give it one copy, at the highest QoS of them (specification 3.1.1, section 3.3.5).
fn merge_by_client(matches: &mut Vec<Match>) {
    if matches.len() < 2 {
        return;
    }
    matches.sort_unstable_by_key(|found| found.client.number);
    matches.dedup_by(|later, kept| {
        let same = later.client.number == kept.client.number;
        if same {
            kept.options.qos = kept.options.qos.max(later.options.qos);
            kept.options.no_local &= later.options.no_local;
            kept.options.retain_as_published |= later.options.retain_as_published;
        }
        same
    });
}

#[cfg(test)]
mod tests;
