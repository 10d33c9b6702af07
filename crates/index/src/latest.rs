//! Which transmissions were heard last, kept up to date at the cost of a few moves per transmission.

use std::collections::BTreeSet;

use model::UnixMillis;
use roaring::RoaringBitmap;

use crate::query::Order;

/// Times are sorted into buckets of 2^14 ms, some 16 seconds: most copies of a packet arrive in the bucket of the
/// first, and a row moves only when its bucket changes. Within a bucket the rows are sorted when they are asked for.
const BUCKET_BITS: u32 = 14;

/// The rows by the bucket of their latest observation.
#[derive(Default)]
pub(crate) struct LatestIndex {
    /// The bucket in the upper half, the row in the lower.
    keys: BTreeSet<u64>,
}

/// A row's place in the order: its latest observation, then the row itself.
pub(crate) type LatestKey = (UnixMillis, u32);

/// What to skip and how much to take.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) order: Order,
    /// Only keys beyond this one in the given order.
    pub(crate) after: Option<LatestKey>,
    pub(crate) skip: usize,
    pub(crate) take: usize,
}

impl LatestIndex {
    /// Moves a row from its former latest time, if it had one, to a new one.
    pub(crate) fn set(&mut self, row: u32, former: Option<UnixMillis>, latest: UnixMillis) {
        let key = key(latest, row);
        match former.map(|former| self::key(former, row)) {
            Some(former) if former == key => {}
            Some(former) => {
                self.keys.remove(&former);
                self.keys.insert(key);
            }
            None => {
                self.keys.insert(key);
            }
        }
    }

    /// The keys in the window among the rows of `set` (all rows without one), in order.
    ///
    /// Walks the index from the window's start. That ends early for sets with many rows near there; for the others it
    /// gives up after as many steps as the set has rows, and reads the keys of the set itself.
    pub(crate) fn page(
        &self,
        set: Option<&RoaringBitmap>,
        window: Window,
        latest_of: impl Fn(u32) -> UnixMillis,
    ) -> Vec<LatestKey> {
        let walked = self.walk(set, window, &latest_of);
        walked.unwrap_or_else(|| {
            let rows = set.into_iter().flatten();
            let mut keys: Vec<LatestKey> = rows.map(|row| (latest_of(row), row)).collect();
            keys.retain(|key| window.is_inside(*key));
            window.sort_head(&mut keys, window.skip.saturating_add(window.take));
            keys.drain(..window.skip.min(keys.len()));
            keys
        })
    }

    /// Bytes of heap, supposing B-tree nodes to be two thirds full.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.keys.len() * 12
    }

    /// `None` when the walk was given up.
    fn walk(
        &self,
        set: Option<&RoaringBitmap>,
        window: Window,
        latest_of: impl Fn(u32) -> UnixMillis,
    ) -> Option<Vec<LatestKey>> {
        let mut steps_left = set.map_or(u64::MAX, RoaringBitmap::len);
        let mut keys = self.keys_from(window).peekable();
        let (mut skip, mut found, mut bucket) = (window.skip, Vec::new(), Vec::new());
        while found.len() < window.take {
            let Some(first) = keys.next() else { break };
            bucket.clear();
            let mut member = Some(first);
            while let Some(key) = member {
                let row = key as u32;
                if set.is_none_or(|set| set.contains(row)) {
                    bucket.push((latest_of(row), row));
                }
                steps_left = steps_left.checked_sub(1)?;
                member = keys.next_if(|next| next >> 32 == first >> 32);
            }
            bucket.retain(|key| window.is_inside(*key));
            if bucket.len() <= skip {
                skip -= bucket.len();
                continue;
            }
            let wanted = skip.saturating_add(window.take - found.len());
            window.sort_head(&mut bucket, wanted);
            found.extend(bucket.iter().skip(skip));
            skip = 0;
        }
        Some(found)
    }

    fn keys_from(&self, window: Window) -> Box<dyn Iterator<Item = u64> + '_> {
        let bucket = window.after.map(|(time, _)| bucket_of(time));
        match window.order {
            Order::Descending => {
                let end = bucket.map_or(u64::MAX, |bucket| bucket << 32 | u64::from(u32::MAX));
                Box::new(self.keys.range(..=end).rev().copied())
            }
            Order::Ascending => Box::new(self.keys.range(bucket.unwrap_or(0) << 32..).copied()),
        }
    }
}

impl Window {
    fn is_inside(&self, key: LatestKey) -> bool {
        self.after.is_none_or(|after| match self.order {
            Order::Descending => key < after,
            Order::Ascending => key > after,
        })
    }

    /// Leaves the first `wanted` keys of the order, sorted.
    fn sort_head(&self, keys: &mut Vec<LatestKey>, wanted: usize) {
        let compare = |a: &LatestKey, b: &LatestKey| match self.order {
            Order::Descending => b.cmp(a),
            Order::Ascending => a.cmp(b),
        };
        if wanted < keys.len() {
            keys.select_nth_unstable_by(wanted, compare);
            keys.truncate(wanted);
        }
        keys.sort_unstable_by(compare);
    }
}

/// Times that the columns can hold have 46 bits, so their buckets have 32.
fn bucket_of(time: UnixMillis) -> u64 {
    u64::try_from(time.0 >> BUCKET_BITS).unwrap_or(0).min(u64::from(u32::MAX))
}

fn key(latest: UnixMillis, row: u32) -> u64 {
    bucket_of(latest) << 32 | u64::from(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_exact_whether_walked_or_gathered() {
        let mut index = LatestIndex::default();
        let mut latest: Vec<i64> = vec![0; 3000];
        for i in 0..20_000usize {
            let row = (i * 7919) % latest.len();
            let time = (i as i64 * 900 - (i as i64 * 31) % 60_000).max(1);
            let former = (latest[row] > 0).then_some(UnixMillis(latest[row]));
            if time > latest[row] {
                index.set(row as u32, former, UnixMillis(time));
                latest[row] = time;
            }
        }
        let few: RoaringBitmap = (0..3000).step_by(700).collect();
        let many: RoaringBitmap = (0..3000).step_by(3).collect();
        for set in [None, Some(&few), Some(&many)] {
            for order in [Order::Descending, Order::Ascending] {
                let mut expected: Vec<LatestKey> = (0..3000u32)
                    .filter(|row| set.is_none_or(|set| set.contains(*row)))
                    .map(|row| (UnixMillis(latest[row as usize]), row))
                    .collect();
                expected.sort_unstable();
                if order == Order::Descending {
                    expected.reverse();
                }
                for (skip, take) in [(0, 50), (3, 2), (900, 200), (0, 10_000)] {
                    let window = Window { order, after: None, skip, take };
                    let page = index.page(set, window, |row| UnixMillis(latest[row as usize]));
                    let wanted: Vec<LatestKey> = expected.iter().skip(skip).take(take).copied().collect();
                    assert_eq!(page, wanted);
                    let after = Some(expected[2]);
                    let window = Window { after, ..window };
                    let page = index.page(set, window, |row| UnixMillis(latest[row as usize]));
                    let wanted: Vec<LatestKey> = expected.iter().skip(3 + skip).take(take).copied().collect();
                    assert_eq!(page, wanted);
                }
            }
        }
    }
}
