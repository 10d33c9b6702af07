//! The nodes, as their adverts tell of them.

use std::collections::BTreeMap;

use meshcore::{Advert, Frame, Location, NodeKey, NodeName, Role};
use model::{NodeRecord, PrunedNode, UnixMillis};
use roaring::RoaringBitmap;

use crate::hash_sizes::{HashSizeHistory, hash_size};

/// What is known of a node from the adverts that were heard of it, and from its [`NodeRecord`] if there is one.
///
/// Name, role and location are those of the advert heard latest among those that say them: an advert without a
/// location leaves the one before. Later copies of an advert only move the times.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its identity.
    pub key: NodeKey,
    /// `None` while no advert had one.
    pub name: Option<HeardName>,
    /// [`Role::None`] while no advert could be read.
    pub role: Role,
    /// As sent: to be judged by whoever shows it.
    pub location: Option<Location>,
    /// The least time of an observation of its adverts.
    pub first_seen: UnixMillis,
    /// The greatest time of an observation of its adverts.
    pub last_seen: UnixMillis,
    /// Different adverts, however many copies of each were heard.
    pub advert_count: u32,
    /// Bytes per hop (1 to 3) that it asked for in its newest advert; those sent to direct neighbours do not say.
    pub hash_size: Option<u8>,
    /// The different values of `hash_size` in the last seven days before its newest advert, rising.
    pub hash_sizes_seen: Box<[u8]>,
    /// Whether it changes its hash size to and fro: at least two changes in that time, and not settled since.
    pub hash_size_inconsistent: bool,
    /// Name of the region scope of its newest advert that was scoped to a region we know.
    pub default_scope: Option<Box<str>>,
    /// Unix seconds by the node's own clock, in the advert heard latest.
    pub last_advert_timestamp: u32,
    /// When it was last taken off the list, see [`Node::is_pruned`].
    pub pruned: Option<UnixMillis>,
    pub(crate) history: NodeHistory,
}

/// A name as sent and as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardName {
    /// Bytes of the advert, mostly but not always UTF-8.
    pub raw: Box<[u8]>,
    /// Without what would mislead (see [`meshcore::NodeName::display`]); may be empty.
    pub display: Box<str>,
    /// `display` in lower case, for searches.
    pub(crate) folded: Box<str>,
}

/// What a node's fields are worked out from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NodeHistory {
    /// Rows of its adverts, rising.
    pub(crate) adverts: Vec<u32>,
    hash_sizes: HashSizeHistory,
    /// Adverts that have no row any more and are in storage.
    cold_adverts: u32,
    /// `last_seen` of its [`NodeRecord`], if it has one.
    recorded: Option<UnixMillis>,
    /// When the advert was heard that each field is from.
    advert_at: Heard,
    role_at: Heard,
    name_at: Heard,
    location_at: Heard,
    scope_at: Heard,
}

/// The time of the advert's first observation, and `None` before any.
type Heard = Option<UnixMillis>;

/// An advert heard for the first time.
pub(crate) struct HeardAdvert<'a> {
    pub(crate) row: u32,
    /// Of the observation that arrived first.
    pub(crate) time: UnixMillis,
    pub(crate) frame: &'a Frame<'a>,
    pub(crate) advert: &'a Advert<'a>,
    /// The scope's name, when it is known.
    pub(crate) scope: Option<&'a str>,
}

/// All nodes, in the order of their first adverts.
#[derive(Default)]
pub(crate) struct NodeTable {
    nodes: Vec<Node>,
    by_key: BTreeMap<NodeKey, u32>,
    /// Also of nodes that are not known yet.
    pruned: BTreeMap<NodeKey, UnixMillis>,
    /// How often a node was taken off the list.
    prunings: u64,
}

impl NodeTable {
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Node> {
        self.nodes.iter()
    }

    pub(crate) fn get(&self, key: &NodeKey) -> Option<&Node> {
        self.by_key.get(key).map(|place| &self.nodes[*place as usize])
    }

    /// The places of those of these nodes that are known.
    pub(crate) fn places(&self, keys: &[NodeKey]) -> RoaringBitmap {
        keys.iter().filter_map(|key| self.by_key.get(key)).copied().collect()
    }

    /// How many adverts of nodes at these places only storage has.
    pub(crate) fn cold_adverts(&self, places: &RoaringBitmap) -> u64 {
        places.iter().map(|place| u64::from(self.at(place).history.cold_adverts)).sum()
    }

    /// A node that exists.
    pub(crate) fn at(&self, place: u32) -> &Node {
        &self.nodes[place as usize]
    }

    /// The nodes whose keys begin with the hex digits, in the order of keys; none when a digit is not one.
    pub(crate) fn by_prefix(&self, hex_prefix: &str) -> impl Iterator<Item = &Node> {
        let range = key_range(hex_prefix).map(|(low, high)| self.by_key.range(low..=high));
        range.into_iter().flatten().map(|(_, place)| &self.nodes[*place as usize])
    }

    /// Takes in an advert and returns the node's place.
    pub(crate) fn hear(&mut self, heard: &HeardAdvert<'_>) -> u32 {
        let next = self.nodes.len() as u32;
        let place = *self.by_key.entry(heard.advert.key).or_insert(next);
        if place == next {
            let pruned = self.pruned.get(&heard.advert.key).copied();
            self.nodes.push(Node { pruned, ..Node::new(heard.advert.key, heard.time) });
        }
        self.nodes[place as usize].hear(heard);
        place
    }

    /// Takes in what is known beside the stored adverts; false when one of these has already come.
    pub(crate) fn set_record(&mut self, record: &NodeRecord) -> bool {
        let next = self.nodes.len() as u32;
        let place = *self.by_key.entry(record.key).or_insert(next);
        if place == next {
            let pruned = self.pruned.get(&record.key).copied();
            self.nodes.push(Node { pruned, ..Node::recorded(record) });
            return true;
        }
        let node = &mut self.nodes[place as usize];
        if !node.history.adverts.is_empty() {
            return false;
        }
        *node = Node { pruned: node.pruned, ..Node::recorded(record) };
        true
    }

    /// Takes note that a node was taken off the list; of several times the latest counts.
    pub(crate) fn prune(&mut self, pruned: &PrunedNode) {
        self.prunings += 1;
        let time = self.pruned.entry(pruned.key).or_insert(pruned.time);
        *time = pruned.time.max(*time);
        if let Some(place) = self.by_key.get(&pruned.key) {
            self.nodes[*place as usize].pruned = Some(*time);
        }
    }

    /// Another number after each time that a node was taken off the list.
    pub(crate) fn prunings(&self) -> u64 {
        self.prunings
    }

    /// The nodes taken off the list, each with the time when it was, those that have come back included.
    pub(crate) fn pruned(&self) -> impl Iterator<Item = PrunedNode> {
        self.pruned.iter().map(|(key, time)| PrunedNode { key: *key, time: *time })
    }

    /// Takes note of any copy of one of the node's adverts.
    pub(crate) fn note_seen(&mut self, place: u32, time: UnixMillis) {
        let node = &mut self.nodes[place as usize];
        node.first_seen = node.first_seen.min(time);
        node.last_seen = node.last_seen.max(time);
    }

    /// Takes leave of the first rows, so that those behind them are the first. What they told stays.
    pub(crate) fn let_go(&mut self, rows: u32) {
        for node in &mut self.nodes {
            let adverts = &mut node.history.adverts;
            let gone = adverts.partition_point(|row| *row < rows);
            adverts.drain(..gone);
            adverts.iter_mut().for_each(|row| *row -= rows);
            node.history.cold_adverts += gone as u32;
        }
    }

    /// Takes note that storage has no longer so many adverts of a node that have no row.
    pub(crate) fn forget_cold(
        &mut self,
        key: &NodeKey,
        adverts: u32,
        last_seen: UnixMillis,
    ) -> Option<NodeRecord> {
        let node = &mut self.nodes[*self.by_key.get(key)? as usize];
        let record = node.record_with(adverts, last_seen);
        node.history.cold_adverts = node.history.cold_adverts.saturating_sub(adverts);
        node.history.recorded = Some(record.last_seen);
        Some(record)
    }

    /// Forgets which hash size an advert asked for that was first heard at this time.
    pub(crate) fn forget_hash_size(&mut self, key: &NodeKey, time: UnixMillis, frame: &Frame<'_>) {
        let node = self.by_key.get(key).map(|place| &mut self.nodes[*place as usize]);
        if let (Some(node), Some(size)) = (node, hash_size(frame.route(), frame.path())) {
            node.history.hash_sizes.remove(time, size);
            node.tell_hash_sizes();
        }
    }

    /// Bytes of heap, supposing B-tree nodes to be two thirds full.
    pub(crate) fn heap_bytes(&self) -> usize {
        let texts = |node: &Node| {
            let name = node.name.as_ref().map_or(0, |name| name.raw.len() + 2 * name.display.len());
            name + node.hash_sizes_seen.len() + node.default_scope.as_ref().map_or(0, |scope| scope.len())
        };
        let each = |node: &Node| {
            texts(node) + node.history.adverts.capacity() * 4 + node.history.hash_sizes.heap_bytes()
        };
        let owned: usize = self.nodes.iter().map(each).sum();
        owned
            + self.nodes.capacity() * size_of::<Node>()
            + (self.by_key.len() * 36 + self.pruned.len() * 40) * 3 / 2
    }
}

impl Node {
    fn new(key: NodeKey, time: UnixMillis) -> Self {
        Self {
            key,
            name: None,
            role: Role::None,
            location: None,
            first_seen: time,
            last_seen: time,
            advert_count: 0,
            hash_size: None,
            hash_sizes_seen: Box::default(),
            hash_size_inconsistent: false,
            default_scope: None,
            last_advert_timestamp: 0,
            pruned: None,
            history: NodeHistory::default(),
        }
    }

    fn recorded(record: &NodeRecord) -> Self {
        let at = Some(record.last_seen);
        let name = record.name.as_deref().and_then(NodeName::from_wire).map(HeardName::new);
        let location = record.location.map(|(lat_e6, lon_e6)| Location { lat_e6, lon_e6 });
        Self {
            role: Role::from_bits(record.role),
            location,
            last_seen: record.last_seen,
            advert_count: record.adverts,
            default_scope: record.default_scope.clone(),
            history: NodeHistory {
                recorded: at,
                role_at: at,
                name_at: at.filter(|_| name.is_some()),
                location_at: at.filter(|_| location.is_some()),
                scope_at: at.filter(|_| record.default_scope.is_some()),
                ..NodeHistory::default()
            },
            name,
            ..Self::new(record.key, record.first_seen)
        }
    }

    /// Whether it was taken off the list, and no advert of it was heard for the first time since.
    pub fn is_pruned(&self) -> bool {
        let newest = self.history.advert_at.max(self.history.recorded);
        self.pruned.is_some_and(|pruned| newest.is_none_or(|newest| newest <= pruned))
    }

    /// Its record, if it has one, with the fields as they are known by now.
    pub(crate) fn record(&self) -> Option<NodeRecord> {
        self.history.recorded.map(|last_seen| self.record_with(0, last_seen))
    }

    /// What its record is when `adverts` more of its adverts are no longer there, the last of them seen at `last_seen`.
    ///
    /// The fields are those known by now, even where a later advert said them: such an advert says the same once more.
    pub(crate) fn record_with(&self, adverts: u32, last_seen: UnixMillis) -> NodeRecord {
        NodeRecord {
            key: self.key,
            name: self.name.as_ref().map(|name| name.raw.clone()),
            role: self.role.code(),
            location: self.location.map(|place| (place.lat_e6, place.lon_e6)),
            first_seen: self.first_seen,
            last_seen: self.history.recorded.map_or(last_seen, |before| before.max(last_seen)),
            adverts: (self.advert_count - self.history.adverts.len() as u32)
                .saturating_sub(self.history.cold_adverts)
                .saturating_add(adverts),
            default_scope: self.default_scope.clone(),
        }
    }

    fn hear(&mut self, heard: &HeardAdvert<'_>) {
        self.advert_count += 1;
        let adverts = &mut self.history.adverts;
        // Nearly always the end; a transmission can be stored before another and heard after it.
        adverts.insert(adverts.partition_point(|row| *row < heard.row), heard.row);
        if takes_over(&mut self.history.advert_at, heard.time) {
            self.last_advert_timestamp = heard.advert.timestamp;
        }
        if let Some(Ok(app)) = heard.advert.app() {
            self.take_app_data(&app, heard.time);
        }
        if let Some(scope) = heard.scope
            && takes_over(&mut self.history.scope_at, heard.time)
        {
            self.default_scope = Some(scope.into());
        }
        if let Some(size) = hash_size(heard.frame.route(), heard.frame.path()) {
            self.history.hash_sizes.add(heard.time, size);
            self.tell_hash_sizes();
        }
    }

    fn take_app_data(&mut self, app: &meshcore::AppData<'_>, time: UnixMillis) {
        if takes_over(&mut self.history.role_at, time) {
            self.role = app.role;
        }
        if let Some(name) = app.name
            && takes_over(&mut self.history.name_at, time)
        {
            self.name = Some(HeardName::new(name));
        }
        if let Some(location) = app.location
            && takes_over(&mut self.history.location_at, time)
        {
            self.location = Some(location);
        }
    }

    fn tell_hash_sizes(&mut self) {
        let history = &self.history.hash_sizes;
        self.hash_size = history.newest();
        self.hash_size_inconsistent = history.is_inconsistent();
        let sizes = history.sizes();
        if *sizes != *self.hash_sizes_seen {
            self.hash_sizes_seen = sizes.as_slice().into();
        }
    }
}

impl HeardName {
    fn new(name: NodeName<'_>) -> Self {
        let display = name.display();
        Self { raw: name.bytes().into(), folded: display.to_lowercase().into(), display: display.into() }
    }

    pub(crate) fn contains(&self, folded: &str) -> bool {
        self.folded.contains(folded)
    }
}

/// Whether something heard at `time` replaces what was heard at `held`: of equal times the later arrival wins.
fn takes_over(held: &mut Heard, time: UnixMillis) -> bool {
    let newer = held.is_none_or(|held| time >= held);
    if newer {
        *held = Some(time);
    }
    newer
}

/// The least and the greatest key that begin with these digits.
fn key_range(hex_prefix: &str) -> Option<(NodeKey, NodeKey)> {
    if hex_prefix.len() > 64 || !hex_prefix.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let low = format!("{hex_prefix:0<64}").parse().ok()?;
    let high = format!("{hex_prefix:f<64}").parse().ok()?;
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_may_end_in_half_a_byte() {
        let (low, high) = key_range("Ab3").unwrap();
        assert_eq!(low.to_string(), format!("ab3{}", "0".repeat(61)));
        assert_eq!(high.to_string(), format!("ab3{}", "f".repeat(61)));
        assert_eq!(key_range(""), Some((NodeKey([0; 32]), NodeKey([255; 32]))));
        assert_eq!(key_range("xy"), None);
        assert_eq!(key_range(&"0".repeat(65)), None);
        assert_eq!(key_range("é"), None);
    }
}
