//! From rising ids to row numbers and back.

/// Ids rise by one except where rows were pruned from storage, so a few runs say it all: 16 bytes a gap instead of
/// eight bytes a row.
#[derive(Clone, Default)]
pub(crate) struct IdRuns {
    runs: Vec<Run>,
    rows: u32,
    /// The newest id; 0 before the first, since ids start at 1.
    last_id: u64,
}

#[derive(Clone, Copy)]
struct Run {
    first_id: u64,
    first_row: u32,
}

impl IdRuns {
    pub(crate) fn len(&self) -> u32 {
        self.rows
    }

    /// The least id that may come next.
    pub(crate) fn next_id(&self) -> u64 {
        self.last_id.saturating_add(1)
    }

    /// Whether the greatest id of all was given out.
    pub(crate) fn is_at_end(&self) -> bool {
        self.last_id == u64::MAX
    }

    /// Gives the next row to `id`, which is at least [`Self::next_id`] and not the last of its kind.
    pub(crate) fn push(&mut self, id: u64) -> u32 {
        debug_assert!(
            id > self.last_id && self.rows < u32::MAX,
            "the caller has checked the id and the room"
        );
        let row = self.rows;
        if self.runs.is_empty() || id != self.last_id + 1 {
            self.runs.push(Run { first_id: id, first_row: row });
        }
        self.rows += 1;
        self.last_id = id;
        row
    }

    pub(crate) fn row(&self, id: u64) -> Option<u32> {
        let row = self.first_row_from(id);
        (row < self.rows && self.id(row) == id).then_some(row)
    }

    /// The id of a row that exists.
    pub(crate) fn id(&self, row: u32) -> u64 {
        let run = self.runs[self.runs.partition_point(|run| run.first_row <= row) - 1];
        run.first_id + u64::from(row - run.first_row)
    }

    /// The first row whose id is `id` or greater; the number of rows when there is none.
    pub(crate) fn first_row_from(&self, id: u64) -> u32 {
        let next = self.runs.partition_point(|run| run.first_id <= id);
        let Some(run) = next.checked_sub(1).map(|i| self.runs[i]) else { return 0 };
        let end = self.runs.get(next).map_or(self.rows, |run| run.first_row);
        (u64::from(run.first_row) + (id - run.first_id)).min(u64::from(end)) as u32
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.runs.capacity() * size_of::<Run>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_ids_agree_across_gaps() {
        let ids = [3, 4, 5, 9, 10, 40];
        let mut runs = IdRuns::default();
        for id in ids {
            runs.push(id);
        }
        for (row, id) in ids.into_iter().enumerate() {
            assert_eq!(runs.id(row as u32), id);
        }
        for id in 0..50 {
            let expected = ids.iter().position(|known| *known == id).map(|row| row as u32);
            assert_eq!(runs.row(id), expected, "id {id}");
            let from = ids.iter().filter(|known| **known < id).count() as u32;
            assert_eq!(runs.first_row_from(id), from, "id {id}");
        }
        assert_eq!(runs.next_id(), 41);
        assert_eq!(runs.runs.len(), 3);
    }
}
