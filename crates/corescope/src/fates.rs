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

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(fates: &Fates, row: i64) -> Option<Fate> {
        fates.all().find(|(other, _)| *other == row).map(|(_, fate)| fate)
    }

    #[test]
    fn the_best_of_a_rows_observations_speaks_for_it() {
        // Transmissions from 5 on are new.
        let mut fates = Fates::new(TransmissionId(5));
        fates.refused(1, "no frame");
        assert_eq!(fate(&fates, 1), Some(Fate::Refused("no frame")));
        fates.kept(Some(2), TransmissionId(5), true);
        fates.kept(Some(1), TransmissionId(5), false);
        assert_eq!((fate(&fates, 2), fate(&fates, 1)), (Some(Fate::Taken), Some(Fate::Merged)));
        fates.kept(Some(1), TransmissionId(6), true);
        assert_eq!(fate(&fates, 1), Some(Fate::Taken));
        fates.kept(Some(1), TransmissionId(5), false);
        fates.refused(1, "another");
        assert_eq!(fate(&fates, 1), Some(Fate::Taken), "nothing worse takes the place of something better");
        fates.kept(Some(3), TransmissionId(4), false);
        assert_eq!(fate(&fates, 3), Some(Fate::Known));
    }

    #[test]
    fn a_lost_row_makes_transmissions_and_has_no_fate() {
        let mut fates = Fates::new(TransmissionId(1));
        fates.kept(None, TransmissionId(1), true);
        fates.kept(Some(7), TransmissionId(1), false);
        assert_eq!(fates.all().collect::<Vec<_>>(), [(7, Fate::Merged)]);
        assert!(fates.contains(7) && !fates.contains(8));
    }
}
