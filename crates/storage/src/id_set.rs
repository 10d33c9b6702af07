//! Which ids were seen, when they come nearly without gaps.

/// A set of ascending ids as ranges: one entry for each run without gaps, so normally one in all.
#[derive(Debug, Default)]
pub(crate) struct IdSet {
    /// First and last id of each run, both included; ascending, not touching.
    runs: Vec<(u64, u64)>,
    len: u64,
}

impl IdSet {
    /// Adds an id that is greater than all before; others are ignored.
    pub(crate) fn push(&mut self, id: u64) {
        match self.runs.last_mut() {
            Some((_, last)) if id <= *last => return,
            Some((_, last)) if id == *last + 1 => *last = id,
            _ => self.runs.push((id, id)),
        }
        self.len += 1;
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        // Most questions are about the newest run.
        match self.runs.last() {
            None => false,
            Some((first, last)) if *first <= id => id <= *last,
            Some(_) => {
                let after = self.runs.partition_point(|(first, _)| *first <= id);
                after > 0 && id <= self.runs[after - 1].1
            }
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::IdSet;

    proptest::proptest! {
        #[test]
        fn the_set_equals_a_naive_one(mut ids in proptest::collection::vec(0u64..60, 0..40)) {
            ids.sort_unstable();
            ids.dedup();
            let mut set = IdSet::default();
            ids.iter().for_each(|id| set.push(*id));
            proptest::prop_assert_eq!(set.len(), ids.len() as u64);
            for id in 0..62 {
                proptest::prop_assert_eq!(set.contains(id), ids.contains(&id));
            }
        }
    }
}
