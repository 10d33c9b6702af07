//! What became of each row of `transmissions`, which shows only after all of its observations.

use std::collections::HashMap;

use model::TransmissionId;

/// The best that any of a row's observations has led to. Better ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// A transmission is here because of it.
    Taken,
    /// It was here before.
    Known,
    /// It is the same as that of another row.
    Merged,
    /// None of its observations could be kept.
    Refused(&'static str),
}

pub(crate) struct Fates {
    by_row: HashMap<i64, Fate>,
    /// The rows because of which the new transmissions are here, in the order of these.
    makers: Vec<Option<i64>>,
    first_new: TransmissionId,
    /// Rows without observations whose hash is not that of their bytes.
    pub(crate) wrong_hashes: u64,
}

impl Fates {
    pub(crate) fn new(first_new: TransmissionId) -> Fates {
        Fates { by_row: HashMap::new(), makers: Vec::new(), first_new, wrong_hashes: 0 }
    }

    pub(crate) fn contains(&self, row: i64) -> bool {
        self.by_row.contains_key(&row)
    }

    /// A copy of the row's packet is kept as one of this transmission. The row may be lost.
    pub(crate) fn kept(&mut self, row: Option<i64>, transmission: TransmissionId, is_new: bool) {
        if is_new {
            self.makers.push(row);
        }
        let maker = transmission.0.checked_sub(self.first_new.0);
        let maker = maker.and_then(|place| self.makers.get(usize::try_from(place).ok()?));
        let fate = match maker {
            None => Fate::Known,
            Some(maker) if *maker == row => Fate::Taken,
            Some(_) => Fate::Merged,
        };
        if let Some(row) = row {
            let known = self.by_row.entry(row).or_insert(fate);
            *known = fate.min(*known);
        }
    }

    pub(crate) fn refused(&mut self, row: i64, why: &'static str) {
        self.by_row.entry(row).or_insert(Fate::Refused(why));
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (i64, Fate)> {
        self.by_row.iter().map(|(row, fate)| (*row, *fate))
    }
}
