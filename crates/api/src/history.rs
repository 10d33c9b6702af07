//! Packets that the index has let go, read from storage when somebody asks.
//!
//! A segment of storage is made an index and asked as the one in memory is ([`index::Reach`]). A few are kept, since whoever
//! turns a page asks for the next one of the same segment.

use crate::render::time::rfc3339;
use index::{ColdRows, ColdSegment, Index, SharedIndex};
use model::UnixMillis;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use storage::Reader;

/// How long one question may read storage; what was found by then is the answer, and says that it is bounded.
pub(crate) const READING_TIME: Duration = Duration::from_millis(400);

/// Bytes of segments that are kept when nobody says another number.
const DEFAULT_BYTES: u64 = 16 << 20;

/// Segments that were read, the one used last first.
#[derive(Default)]
pub(crate) struct SegmentCache {
    kept: Mutex<VecDeque<Kept>>,
}

struct Kept {
    facts: ColdSegment,
    index: Arc<Index>,
    bytes: usize,
}

/// Storage, for one question.
pub(crate) struct StoredRows<'a> {
    pub(crate) hot: &'a SharedIndex,
    pub(crate) reader: Option<Arc<Reader>>,
    pub(crate) cache: &'a SegmentCache,
    /// `None` for the default.
    pub(crate) cache_bytes: Option<u64>,
}

impl ColdRows for StoredRows<'_> {
    fn segment(&self, segment: &ColdSegment) -> Option<Arc<Index>> {
        let kept = self.cache.get(segment).filter(|kept| {
            let hot = self.hot.read();
            // What is believed of who relays has perhaps changed since the segment was read.
            kept.set_hops(hot.hops());
            hot.knows_observers_of(kept)
        });
        kept.or_else(|| self.read(segment))
    }
}

impl StoredRows<'_> {
    fn read(&self, segment: &ColdSegment) -> Option<Arc<Index>> {
        let read = self.reader.as_ref()?.segment((segment.first, segment.last), &segment.observation_ids);
        let stored = read
            .inspect_err(|error| tracing::warn!(%error, "old packets cannot be read from storage"))
            .ok()?;
        let is_whole = stored.observations.len() as u64 == segment.observations;
        let (changes, options, hops) = {
            let hot = self.hot.read();
            let changes = hot.revive(stored.transmissions, stored.observations);
            (changes, hot.options().clone(), hot.hops())
        };
        let mut index = Index::new(options);
        // Who relays is learned from what is in memory.
        index.set_hops(hops);
        for change in &changes {
            if let Err(error) = index.apply(change) {
                tracing::debug!(%error, "the index refused a stored row");
            }
        }
        let index = Arc::new(index);
        // A copy that came just now may not be committed yet.
        if is_whole {
            let most = usize::try_from(self.cache_bytes.unwrap_or(DEFAULT_BYTES)).unwrap_or(usize::MAX);
            self.cache.put(segment, &index, most);
        }
        Some(index)
    }
}

impl SegmentCache {
    fn get(&self, segment: &ColdSegment) -> Option<Arc<Index>> {
        let mut kept = self.kept.lock();
        let place = kept.iter().position(|kept| kept.facts == *segment)?;
        let found = kept.remove(place)?;
        let index = Arc::clone(&found.index);
        kept.push_front(found);
        Some(index)
    }

    fn put(&self, segment: &ColdSegment, index: &Arc<Index>, most_bytes: usize) {
        let bytes = index.memory().total();
        let mut kept = self.kept.lock();
        kept.retain(|kept| kept.facts.first != segment.first);
        kept.push_front(Kept { facts: segment.clone(), index: Arc::clone(index), bytes });
        let mut total: usize = kept.iter().map(|kept| kept.bytes).sum();
        while total > most_bytes
            && let Some(oldest) = kept.pop_back()
        {
            total -= oldest.bytes;
        }
    }

    /// Bytes that are kept.
    pub(crate) fn bytes(&self) -> u64 {
        self.kept.lock().iter().map(|kept| kept.bytes as u64).sum()
    }
}

/// From when on packets are in memory, when not all are that were first seen since a time; of all packets without one.
pub(crate) fn packets_since(index: &Index, wanted: Option<UnixMillis>) -> Option<String> {
    let since = index.in_memory_since()?;
    wanted.is_none_or(|wanted| wanted < since).then(|| rfc3339(since))
}
