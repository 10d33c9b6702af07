//! What can be asked of the nodes.

use std::cmp::Ordering;
use std::collections::HashSet;

use meshcore::{NodeKey, Role};
use model::UnixMillis;

use crate::index::Index;
use crate::nodes::Node;

/// Which nodes, in which order, and which page of them. All filters hold before the page is cut, and count.
#[derive(Clone, Copy, Default)]
pub struct NodeQuery<'a> {
    /// The most nodes of the page.
    pub limit: usize,
    /// Nodes to leave out before the page.
    pub offset: usize,
    /// Only this role.
    pub role: Option<Role>,
    /// Only those with this in their names, in either case.
    pub search: Option<&'a str>,
    /// Only those first seen at or before this time.
    pub first_seen_before: Option<UnixMillis>,
    /// Only those last seen after this time.
    pub last_seen_after: Option<UnixMillis>,
    /// What comes first.
    pub sort: NodeSort,
    /// Only those with an advert heard by an observer of any of these regions (in either case).
    pub regions: Option<&'a [String]>,
    /// Only these.
    pub keys: Option<&'a HashSet<NodeKey>>,
    /// Only those for which it says `true`, asked after all others.
    pub keep: Option<&'a dyn Fn(&Node) -> bool>,
}

/// What nodes are ordered by; of equals, by their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NodeSort {
    /// Those seen last first.
    #[default]
    LastSeen,
    /// By name as shown, case aside; those without a name last.
    Name,
    /// Those with the most adverts first.
    PacketCount,
}

/// One page of nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct NodePage<'a> {
    /// In the order that was asked for.
    pub nodes: Vec<&'a Node>,
    /// How many nodes pass the filters, on this page or not.
    pub total: u64,
}

impl Index {
    /// The nodes that pass the filters, one page of them, without those taken off the list. Looks at every node once.
    pub fn nodes(&self, query: &NodeQuery<'_>) -> NodePage<'_> {
        let search = query.search.map(str::to_lowercase);
        let heard = query.regions.map(|regions| self.heard_in(regions));
        let passes = |node: &&Node| {
            !node.is_pruned()
                && query.role.is_none_or(|role| node.role == role)
                && query.first_seen_before.is_none_or(|before| node.first_seen <= before)
                && query.last_seen_after.is_none_or(|after| node.last_seen > after)
                && query.keys.is_none_or(|keys| keys.contains(&node.key))
                && search.as_deref().is_none_or(|text| node.is_named_like(text))
                && heard
                    .as_deref()
                    .is_none_or(|heard| node.history.adverts.iter().any(|row| heard.contains(*row)))
                && query.keep.is_none_or(|keep| keep(node))
        };
        let mut nodes: Vec<&Node> = self.nodes.iter().filter(passes).collect();
        let total = nodes.len() as u64;
        let end = query.offset.saturating_add(query.limit);
        if end < nodes.len() {
            nodes.select_nth_unstable_by(end, |a, b| query.sort.compare(a, b));
            nodes.truncate(end);
        }
        nodes.sort_unstable_by(|a, b| query.sort.compare(a, b));
        nodes.drain(..query.offset.min(nodes.len()));
        NodePage { nodes, total }
    }

    /// The nodes with `text` in their names (in either case) or at the beginning of their keys, those seen last first.
    /// None for an empty text.
    pub fn search_nodes(&self, text: &str, limit: usize) -> Vec<&Node> {
        if text.is_empty() {
            return Vec::new();
        }
        let by_key: HashSet<NodeKey> = self.nodes.by_prefix(text).map(|node| node.key).collect();
        let folded = text.to_lowercase();
        let is_meant = |node: &Node| node.is_named_like(&folded) || by_key.contains(&node.key);
        self.nodes(&NodeQuery { limit, keep: Some(&is_meant), ..NodeQuery::default() }).nodes
    }
}

impl Node {
    fn is_named_like(&self, folded: &str) -> bool {
        self.name.as_ref().is_some_and(|name| name.contains(folded))
    }
}

impl NodeSort {
    fn compare(self, a: &Node, b: &Node) -> Ordering {
        let first = match self {
            NodeSort::LastSeen => b.last_seen.cmp(&a.last_seen),
            NodeSort::PacketCount => b.advert_count.cmp(&a.advert_count),
            NodeSort::Name => {
                let (a, b) = (a.name.as_ref().map(|n| &n.folded), b.name.as_ref().map(|n| &n.folded));
                a.is_none().cmp(&b.is_none()).then_with(|| a.cmp(&b))
            }
        };
        first.then_with(|| a.key.cmp(&b.key))
    }
}
