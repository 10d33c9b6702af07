//! Rows of storage as an index for as long as they are read.

use std::collections::HashMap;

use model::{Change, FrameHead, HeadId, Observation, Transmission};

use crate::index::Index;

impl Index {
    /// The changes that make an index of rows that this one has let go: with the heads and observers that they name, taken
    /// from here, so that the same packets say the same wherever they are read. Heads have ids of their own in it.
    ///
    /// Both kinds of rows are in the order of their ids. What names something that is not known is left out.
    pub fn revive(&self, transmissions: Vec<Transmission>, observations: Vec<Observation>) -> Vec<Change> {
        let mut changes = Vec::with_capacity(transmissions.len() + 2 * observations.len());
        let mut observers = HashMap::new();
        let mut heads = HashMap::new();
        for seen in &observations {
            if let Some(entry) = self.observers.get(seen.observer)
                && observers.insert(seen.observer, ()).is_none()
            {
                changes.push(Change::Observer(entry.record.clone()));
            }
            if seen.head.0 < self.heads.len() && !heads.contains_key(&seen.head) {
                let id = HeadId(heads.len() as u32);
                heads.insert(seen.head, id);
                changes.push(Change::Head(FrameHead { id, bytes: self.heads.bytes(seen.head.0).into() }));
            }
        }
        changes.extend(transmissions.into_iter().map(Change::Transmission));
        let known = observations.into_iter().filter_map(|seen| {
            let head = *heads.get(&seen.head)?;
            Some(Change::Observation(Observation { head, ..seen }))
        });
        changes.extend(known);
        changes
    }

    /// Whether observers are called the same here as in an index of rows that this one has let go.
    pub fn knows_observers_of(&self, revived: &Index) -> bool {
        revived.observers.iter().map(|entry| &entry.record).all(|then| {
            self.observer_record(then.id)
                .is_some_and(|now| now.key == then.key && now.name == then.name && now.iata == then.iata)
        })
    }
}
