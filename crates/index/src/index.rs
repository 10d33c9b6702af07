//! The index as a whole: its parts, and what is asked of it by id, hash or key.

use std::fmt;
use std::sync::Arc;

use meshcore::{KeyRing, NodeKey, PacketHash, ScopeSet};
use model::{
    ClientId, HeadId, ObservationId, ObserverId, ObserverRecord, ReceptionId, TransmissionId, UnixMillis,
};
use parking_lot::RwLock;
use roaring::RoaringBitmap;

use crate::activity::MinuteCounts;
use crate::channels::ChannelTable;
use crate::clocks::NewestAdverts;
use crate::cold::ColdHistory;
use crate::heads::{Head, HeadTable};
use crate::hops::HopResolver;
use crate::hops::book::HopBook;
use crate::id_runs::IdRuns;
use crate::latest::LatestIndex;
use crate::memory::Reckoned;
use crate::nodes::{Node, NodeTable};
use crate::observations::{NONE, ObservationColumns};
use crate::observers::{ObserverEntry, ObserverTable, ObserverView};
use crate::receptions::ReceptionTable;
use crate::row_set::RowSet;
use crate::transmissions::TransmissionTable;
use crate::version::Version;
use crate::view::{ObservationView, TransmissionView};

/// The index as its one writer and many readers share it. No `.await` under a guard.
pub type SharedIndex = Arc<RwLock<Index>>;

/// What the index needs to know beside the changes. Fixed for its life: other keys would give other channels.
#[derive(Clone)]
pub struct IndexOptions {
    /// Opens channel packets.
    pub keys: Arc<KeyRing>,
    /// Recognises region scopes.
    pub scopes: Arc<ScopeSet>,
}

/// All packets, nodes, observers and channels, in memory.
///
/// It is what the changes applied to it add up to: [`Index::apply`] is the one way in. See the crate's documentation
/// for the costs.
pub struct Index {
    pub(crate) options: IndexOptions,
    pub(crate) heads: HeadTable,
    pub(crate) transmission_ids: IdRuns,
    pub(crate) transmissions: TransmissionTable,
    pub(crate) observation_ids: IdRuns,
    pub(crate) observations: ObservationColumns,
    /// Observations by (transmission, observer, way).
    pub(crate) heard_once: RowSet,
    pub(crate) postings: Postings,
    pub(crate) latest: LatestIndex,
    pub(crate) nodes: NodeTable,
    pub(crate) observers: ObserverTable,
    pub(crate) newest_adverts: NewestAdverts,
    pub(crate) channels: ChannelTable,
    pub(crate) scope_names: Vec<Box<str>>,
    pub(crate) minutes: MinuteCounts,
    pub(crate) hop_book: HopBook,
    /// The newest; derived from everything else, now and then, and so no part of what [`Index::apply`] keeps up to date.
    pub(crate) resolver: RwLock<Arc<HopResolver>>,
    pub(crate) receptions: ReceptionTable,
    /// Least and greatest observation time.
    pub(crate) time_span: Option<(UnixMillis, UnixMillis)>,
    /// What storage has beyond this.
    pub(crate) cold: ColdHistory,
    /// Below these no transmission and no observation is new: see [`Index::pass_over_ids`].
    least_ids: (u64, u64),
    pub(crate) version: Version,
    pub(crate) memory_reckoned: Reckoned,
}

/// Transmissions by what never changes of them. Only those with an observation: nothing was heard of the others.
#[derive(Default)]
pub(crate) struct Postings {
    pub(crate) all: RoaringBitmap,
    /// By the code of the payload type.
    pub(crate) types: [RoaringBitmap; 16],
    /// By the code of the first copy's route.
    pub(crate) routes: [RoaringBitmap; 4],
}

/// The ids that the next changes must have, or may at least have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextIds {
    /// One more than the greatest so far.
    pub transmission: TransmissionId,
    /// One more than the greatest so far.
    pub observation: ObservationId,
    /// The only one that can come next.
    pub head: HeadId,
    /// One more than the greatest so far. 65,535 also when that is taken already; its key is then another, and
    /// [`Index::apply`] refuses the change.
    pub observer: ObserverId,
    /// One more than the greatest so far, with the same exception.
    pub client: ClientId,
    /// One more than the greatest so far.
    pub reception: ReceptionId,
}

impl Index {
    /// Without packets.
    pub fn new(options: IndexOptions) -> Index {
        Index {
            options,
            heads: HeadTable::default(),
            transmission_ids: IdRuns::default(),
            transmissions: TransmissionTable::default(),
            observation_ids: IdRuns::default(),
            observations: ObservationColumns::default(),
            heard_once: RowSet::default(),
            postings: Postings::default(),
            latest: LatestIndex::default(),
            nodes: NodeTable::default(),
            observers: ObserverTable::default(),
            newest_adverts: NewestAdverts::default(),
            channels: ChannelTable::default(),
            scope_names: Vec::new(),
            minutes: MinuteCounts::default(),
            hop_book: HopBook::default(),
            resolver: RwLock::default(),
            receptions: ReceptionTable::default(),
            time_span: None,
            cold: ColdHistory::default(),
            least_ids: (0, 0),
            version: Version::of_new_index(),
            memory_reckoned: Reckoned::default(),
        }
    }

    /// The state it is in. It differs after each change, and from that of any other index of this process, so that who
    /// has an answer of the same version has the answer.
    pub fn version(&self) -> Version {
        Version { hops: self.resolver.read().knowledge_number(), ..self.version }
    }

    /// The transmission with this content hash, also when nobody has been said to have heard it, or when only storage has
    /// it any more.
    pub fn find(&self, hash: PacketHash) -> Option<TransmissionId> {
        let row = self.transmissions.find(hash);
        row.map(|row| self.transmission_id(row)).or_else(|| self.cold.find(hash))
    }

    /// The head with exactly these bytes.
    pub fn head_id(&self, head_bytes: &[u8]) -> Option<HeadId> {
        self.heads.find(head_bytes).map(HeadId)
    }

    /// Whether the observer has already heard the transmission by the same way: the same hop size and hops. Copies
    /// without hops went the same way whatever their hop size; route and transport codes do not matter (contract §4.4).
    pub fn has_observation(
        &self,
        transmission: TransmissionId,
        observer: ObserverId,
        head_bytes: &[u8],
    ) -> bool {
        self.observation_of(transmission, observer, head_bytes).is_some()
    }

    /// The observation that speaks for [`Index::has_observation`].
    pub fn observation_of(
        &self,
        transmission: TransmissionId,
        observer: ObserverId,
        head_bytes: &[u8],
    ) -> Option<ObservationId> {
        let row = self.transmission_ids.row(transmission.0)?;
        let way = Head::parse(head_bytes).and_then(|head| self.heads.find_way(&head))?;
        let found = self.find_observation((row, observer.0, way))?;
        Some(ObservationId(self.observation_ids.id(found)))
    }

    /// Makes [`Index::next_ids`] pass over ids up to these, whose rows are stored and were left out of the index because
    /// they could not be read: a new row must not take their place.
    pub fn pass_over_ids(&mut self, transmission: TransmissionId, observation: ObservationId) {
        let (least_transmission, least_observation) = self.least_ids;
        self.least_ids =
            (least_transmission.max(transmission.0 + 1), least_observation.max(observation.0 + 1));
    }

    /// The greatest time of an observation; `None` before any.
    pub fn newest_time(&self) -> Option<UnixMillis> {
        self.time_span.map(|(_, greatest)| greatest)
    }

    /// What the ids of the next changes are.
    pub fn next_ids(&self) -> NextIds {
        NextIds {
            transmission: TransmissionId(self.transmission_ids.next_id().max(self.least_ids.0)),
            observation: ObservationId(self.next_observation().max(self.least_ids.1)),
            head: HeadId(self.heads.len()),
            observer: self.observers.next_id(),
            client: self.receptions.next_client(),
            reception: self.receptions.next_id(),
        }
    }

    /// The observer with this key, in either case.
    pub fn observer_by_key(&self, key: &str) -> Option<ObserverId> {
        self.observers.by_key(key)
    }

    /// What is known of an observer.
    pub fn observer_record(&self, id: ObserverId) -> Option<&ObserverRecord> {
        self.observers.get(id).map(|entry| &entry.record)
    }

    /// The transmission with this id, once it was heard.
    pub fn transmission(&self, id: TransmissionId) -> Option<TransmissionView<'_>> {
        self.heard_view(self.transmission_ids.row(id.0)?)
    }

    /// The transmission with this content hash, once it was heard.
    pub fn by_hash(&self, hash: PacketHash) -> Option<TransmissionView<'_>> {
        self.heard_view(self.transmissions.find(hash)?)
    }

    /// The observation with this id.
    pub fn observation(&self, id: ObservationId) -> Option<ObservationView<'_>> {
        self.observation_ids.row(id.0).map(|row| ObservationView { index: self, row })
    }

    /// The least id of an observation that is held; `None` before the first.
    pub fn oldest_observation(&self) -> Option<ObservationId> {
        (self.observation_ids.len() > 0).then(|| ObservationId(self.observation_ids.id(0)))
    }

    /// When the transmissions first seen after `since` were, in the order of their ids.
    pub fn first_seen_since(&self, since: UnixMillis) -> impl Iterator<Item = UnixMillis> {
        self.transmissions.first_seen_after(since).map(|(_, time)| time)
    }

    /// The node with this key.
    pub fn node(&self, key: &NodeKey) -> Option<&Node> {
        self.nodes.get(key)
    }

    /// The nodes whose keys begin with these hex digits (of either case), in the order of keys. All nodes for no
    /// digits, none for anything else.
    pub fn nodes_by_prefix(&self, hex_prefix: &str) -> Vec<&Node> {
        self.nodes.by_prefix(hex_prefix).collect()
    }

    /// All observers, those heard of last first.
    pub fn observers(&self, now: UnixMillis) -> Vec<ObserverView<'_>> {
        let mut views: Vec<_> = self.observers.iter().map(|entry| self.observer_view(entry, now)).collect();
        views.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| a.record.key.cmp(&b.record.key)));
        views
    }

    /// The observer with this key, in either case.
    pub fn observer(&self, key: &str, now: UnixMillis) -> Option<ObserverView<'_>> {
        let entry = self.observers.get(self.observers.by_key(key)?)?;
        Some(self.observer_view(entry, now))
    }

    /// The least id that an observation may come with.
    pub(crate) fn next_observation(&self) -> u64 {
        self.observation_ids.next_id().max(self.cold.next_observation())
    }

    /// What the index is made for.
    pub fn options(&self) -> &IndexOptions {
        &self.options
    }

    pub(crate) fn transmission_id(&self, row: u32) -> TransmissionId {
        TransmissionId(self.transmission_ids.id(row))
    }

    /// The observation of this transmission row by this observer by this way.
    pub(crate) fn find_observation(&self, key: ObservationKey) -> Option<u32> {
        self.heard_once.find(&key, |row| observation_key(&self.observations, &self.heads, row))
    }

    fn heard_view(&self, row: u32) -> Option<TransmissionView<'_>> {
        (self.transmissions.state(row).first != NONE).then_some(TransmissionView { index: self, row })
    }

    fn observer_view<'a>(&'a self, entry: &'a ObserverEntry, now: UnixMillis) -> ObserverView<'a> {
        let record = &entry.record;
        let node = entry.node.and_then(|key| self.nodes.get(&key)).filter(|node| !node.is_pruned());
        ObserverView {
            record,
            packet_count: entry.observations,
            last_packet: entry.last_packet,
            last_seen: record.last_status.max(entry.last_packet).unwrap_or(record.first_seen),
            packets_last_hour: entry.recent.last_hour(now),
            location: node.and_then(|node| node.location),
            role: node.map(|node| node.role),
        }
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transmissions, observations) = (self.postings.all.len(), self.observations.len());
        write!(f, "Index({transmissions} transmissions, {observations} observations)")
    }
}

/// Transmission row, observer, way: what an observation is unique by.
pub(crate) type ObservationKey = (u32, u16, u32);

pub(crate) fn observation_key(
    observations: &ObservationColumns,
    heads: &HeadTable,
    row: u32,
) -> ObservationKey {
    let way = heads.way(observations.head(row));
    (observations.transmission(row), observations.observer(row), way)
}
