//! Which hash sizes a node's recent adverts asked for (contract §7.7).

use meshcore::{Path, Route};
use model::UnixMillis;
use smallvec::SmallVec;

/// How far back the newest advert looks.
const WINDOW_MS: i64 = 7 * 24 * 3_600_000;

/// The newest adverts that are remembered per node. A node adverts a few times a day; one that does so each minute
/// is judged by its last half hour, at no more memory.
const MAX_SAMPLES: usize = 32;

/// Bytes of the hashes that the sender of a packet asks for. `None` for a direct packet without hops: there the firmware
/// writes a path byte of 0, whatever is set.
pub(crate) fn hash_size(route: Route, path: Path<'_>) -> Option<u8> {
    (!(route.is_direct() && path.is_empty())).then(|| path.hash_size())
}

/// Samples of the seven days before the newest, in the order of times; of equal times in the order of arrival.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HashSizeHistory {
    samples: Vec<(UnixMillis, u8)>,
}

impl HashSizeHistory {
    pub(crate) fn add(&mut self, time: UnixMillis, hash_size: u8) {
        let at = self.samples.partition_point(|(held, _)| *held <= time);
        self.samples.insert(at, (time, hash_size));
        let newest = self.samples.last().map_or(time, |(newest, _)| *newest);
        let too_old = self.samples.partition_point(|(held, _)| *held < newest.plus_ms(-WINDOW_MS));
        let too_many = self.samples.len().saturating_sub(MAX_SAMPLES);
        self.samples.drain(..too_old.max(too_many));
    }

    /// Forgets a sample, if it is remembered.
    pub(crate) fn remove(&mut self, time: UnixMillis, hash_size: u8) {
        if let Some(place) = self.samples.iter().position(|sample| *sample == (time, hash_size)) {
            self.samples.remove(place);
        }
    }

    pub(crate) fn newest(&self) -> Option<u8> {
        self.samples.last().map(|(_, size)| *size)
    }

    /// The different sizes, rising.
    pub(crate) fn sizes(&self) -> SmallVec<[u8; 4]> {
        (1..=3).filter(|size| self.samples.iter().any(|(_, seen)| seen == size)).collect()
    }

    /// At least three samples, two changes, and the last three are not all equal.
    pub(crate) fn is_inconsistent(&self) -> bool {
        let changes = self.samples.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
        let settled = match self.samples.as_slice() {
            [.., a, b, c] => a.1 == b.1 && b.1 == c.1,
            _ => true,
        };
        changes >= 2 && !settled
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.samples.capacity() * size_of::<(UnixMillis, u8)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(sizes: &[u8]) -> HashSizeHistory {
        let mut history = HashSizeHistory::default();
        for (hour, size) in sizes.iter().enumerate() {
            history.add(UnixMillis(hour as i64 * 3_600_000), *size);
        }
        history
    }

    #[test]
    fn to_and_fro_is_inconsistent_and_one_change_is_not() {
        assert!(!history(&[1, 2]).is_inconsistent());
        assert!(!history(&[1, 1, 2, 2]).is_inconsistent());
        assert!(history(&[1, 2, 1]).is_inconsistent());
        assert!(!history(&[1, 2, 1, 2, 2, 2]).is_inconsistent(), "settled since");
        assert_eq!(history(&[3, 1, 3]).sizes().as_slice(), [1, 3]);
        assert_eq!(history(&[3, 1]).newest(), Some(1));
    }

    #[test]
    fn samples_older_than_a_week_before_the_newest_are_forgotten() {
        let mut history = history(&[1, 2, 1]);
        history.add(UnixMillis(WINDOW_MS + 3_600_000), 3);
        assert_eq!(history.sizes().as_slice(), [1, 2, 3]);
        history.add(UnixMillis(WINDOW_MS + 2 * 3_600_000 + 1), 3);
        assert_eq!(history.sizes().as_slice(), [3]);
    }

    #[test]
    fn late_arrivals_take_their_place_and_memory_is_bounded() {
        let mut history = history(&[2; 100]);
        assert_eq!(history.samples.len(), MAX_SAMPLES);
        history.add(UnixMillis(90 * 3_600_000 + 1), 1);
        assert_eq!(history.newest(), Some(2));
        assert_eq!(history.sizes().as_slice(), [1, 2]);
        assert_eq!(history.samples.len(), MAX_SAMPLES);
    }
}
