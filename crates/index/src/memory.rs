//! Where the memory is.

use parking_lot::Mutex;
use roaring::RoaringBitmap;

use crate::index::Index;
use crate::version::Version;

/// Bytes of heap by structure, reckoned from capacities; what an allocator adds is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryReport {
    /// Names in lower case, of structures that do not overlap.
    pub parts: [(&'static str, usize); PARTS],
}

/// Structures that are told apart.
const PARTS: usize = 21;

impl MemoryReport {
    /// All parts together.
    pub fn total(&self) -> usize {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// A report is good until this part of the changes before it has come on top: 0.1 %, where figures are shown in megabytes.
const GOOD_FOR: u64 = 1_000;

/// The newest report, with the state of the index that it is of.
#[derive(Default)]
pub(crate) struct Reckoned(Mutex<Option<(Version, MemoryReport)>>);

impl Index {
    /// Bytes of heap by structure, exact to about a thousandth. Reckoning them means a look at every node, observer, channel and hop
    /// hash, so that is done again only when the index has grown by as much.
    pub fn memory(&self) -> MemoryReport {
        let now = self.version();
        let mut newest = self.memory_reckoned.0.lock();
        let good = newest.filter(|(then, _)| {
            now.hops == then.hops && now.changes - then.changes <= then.changes / GOOD_FOR
        });
        newest.insert(good.unwrap_or_else(|| (now, self.reckon_memory()))).1
    }

    fn reckon_memory(&self) -> MemoryReport {
        let [frames, hashes, transmissions] = self.transmissions.heap_bytes();
        let [observers, heard, observer_hours] = self.observers.heap_bytes();
        let sets = self.postings.types.iter().chain(&self.postings.routes).chain([&self.postings.all]);
        let [hop_postings, hop_edges] = self.hop_book.heap_bytes();
        let ids = self.transmission_ids.heap_bytes() + self.observation_ids.heap_bytes();
        let scopes: usize = self.scope_names.iter().map(|name| name.len() + 16).sum();
        let parts = [
            ("observation columns", self.observations.heap_bytes()),
            ("observation dedupe", self.heard_once.heap_bytes()),
            ("frames", frames),
            ("transmission columns", transmissions),
            ("transmission hashes", hashes),
            ("frame heads", self.heads.heap_bytes()),
            ("observer postings", heard),
            ("type and route postings", sets.map(bitmap_bytes).sum()),
            ("hop postings", hop_postings),
            ("hop edges", hop_edges),
            ("hop resolver", self.hops().heap_bytes()),
            ("latest order", self.latest.heap_bytes()),
            ("nodes", self.nodes.heap_bytes()),
            ("newest adverts", self.newest_adverts.heap_bytes()),
            ("observers", observers),
            ("observer hours and samples", observer_hours),
            ("channels", self.channels.heap_bytes()),
            ("minutes", self.minutes.heap_bytes()),
            ("receptions", self.receptions.heap_bytes()),
            ("ids and scopes", ids + scopes),
            ("history beyond", self.cold.heap_bytes()),
        ];
        MemoryReport { parts }
    }
}

/// Bytes of heap of a set. The library's own figures take bits for bytes and 16 for 32 bits, so they are put right.
pub(crate) fn bitmap_bytes(set: &RoaringBitmap) -> usize {
    let of = set.statistics();
    let (bitsets, arrays) =
        (of.n_bitset_containers as usize * BITSET_BYTES, of.n_bytes_array_containers as usize / 2);
    bitsets + arrays + of.n_bytes_run_containers as usize + of.n_containers as usize * CONTAINER_BYTES
}

/// One bit for each of 65,536 rows.
const BITSET_BYTES: usize = 8192;

/// What a set keeps for each of its containers beside the values.
const CONTAINER_BYTES: usize = 40;
