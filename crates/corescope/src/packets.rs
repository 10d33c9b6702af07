//! Observations and transmissions: each copy that was heard goes through the decisions of live packets.

use std::collections::HashMap;
use std::rc::Rc;

use ingest::{Outcome, PastPacket, PastSignal, PastVerdict, past_frame, past_time};
use meshcore::{Frame, PacketHash};
use model::{ObserverId, UnixMillis};
use roaring::RoaringTreemap;
use rusqlite::{Row, Statement};

use crate::fates::{Fate, Fates};
use crate::frames::{Kept, copy_frame};
use crate::import::{Phase, Run};
use crate::observers::Observers;
use crate::source::{Table, cell, row_number};
use crate::{ImportError, Source};

/// Packets decided together. Signatures are cheaper by the batch, and a batch is some milliseconds of work.
const BATCH: usize = 1_024;

/// Transmissions kept at hand: the copies of a packet mostly come within minutes.
const CACHED: usize = 16_384;

/// The reasons that are not those of live packets.
const TIME_UNREADABLE: &str = "time_unreadable";
const TRANSMISSION_MISSING: &str = "transmission_missing";

/// The repair of a transmission without observations.
const UNHEARD: &str = "unheard_kept_as_heard_by_unknown";

/// An import of packets under way.
pub(crate) struct Packets<'r, 'a, 'p> {
    run: &'r mut Run<'a, 'p>,
    observers: Observers,
    transmissions: Transmissions<'a>,
    fates: Fates,
    batch: Vec<PastPacket>,
    /// Of each packet of the batch: which row of `transmissions` it belongs to, and whether it comes from a row of
    /// `observations`.
    origins: Vec<Origin>,
}

#[derive(Clone, Copy)]
struct Origin {
    transmission: Option<i64>,
    is_observation: bool,
}

impl<'r, 'a, 'p> Packets<'r, 'a, 'p> {
    pub(crate) fn new(run: &'r mut Run<'a, 'p>, observers: Observers) -> Result<Self, ImportError> {
        let transmissions = Transmissions::new(run.source)?;
        let fates = Fates::new(run.known.transmission);
        Ok(Self { run, observers, transmissions, fates, batch: Vec::new(), origins: Vec::new() })
    }

    /// Reads `observations` in the order of their rows, which is that of their arrival.
    pub(crate) fn observations(&mut self) -> Result<(), ImportError> {
        let source = self.run.source;
        let Some(table) = source.table("observations")? else { return Ok(()) };
        let failed = source.failed("the observations");
        let observer = if table.has("observer_idx") { "observer_idx" } else { "observer_id" };
        let by_row = table.has("observer_idx");
        let columns =
            ["transmission_id", observer, "snr", "rssi", "score", "path_json", "timestamp", "raw_hex"];
        let total = source.about_rows("observations");
        let sql = table.select(&columns, &format!("ORDER BY {}", table.id()));
        let mut statement = source.conn().prepare(&sql).map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            self.run.report.observations.read += 1;
            if let Err(why) = self.observation(row, by_row)? {
                self.run.report.observations.refuse(why);
            }
            if self.batch.len() >= BATCH {
                self.decide()?;
                let done = self.run.report.observations.read;
                self.run.progress(Phase::Observations, done, total);
            }
        }
        self.decide()
    }

    /// Reads the transmissions that no row of `observations` names. Somebody has heard them, so they are kept.
    pub(crate) fn unheard_transmissions(&mut self) -> Result<(), ImportError> {
        let source = self.run.source;
        let Some(table) = source.table("transmissions")? else { return Ok(()) };
        let failed = source.failed("the transmissions");
        let total = source.about_rows("transmissions");
        let sql =
            table.select(&[table.id(), "raw_hex", "hash", "first_seen"], &format!("ORDER BY {}", table.id()));
        let mut statement = source.conn().prepare(&sql).map_err(&failed)?;
        let mut rows = statement.query([]).map_err(&failed)?;
        let mut met = RoaringTreemap::new();
        while let Some(row) = rows.next().map_err(&failed)? {
            self.run.report.transmissions.read += 1;
            let Some(id) = row_number(row, 0) else {
                self.run.report.transmissions.refuse("id_unreadable");
                continue;
            };
            // Ids are unique in every table that CoreScope has made, but not in every one that somebody has rescued.
            if !met.insert(id.cast_unsigned()) {
                self.run.report.transmissions.merged += 1;
                continue;
            }
            if !self.fates.contains(id)
                && let Err(why) = self.unheard(id, &KeptTransmission::read(row))
            {
                self.fates.refused(id, why);
            }
            if self.batch.len() >= BATCH {
                self.decide()?;
            }
            let done = self.run.report.transmissions.read;
            if done.is_multiple_of(16_384) {
                self.run.progress(Phase::Unheard, done, total);
            }
        }
        self.decide()
    }

    /// Books what became of the transmissions.
    pub(crate) fn finish(self) {
        let report = &mut self.run.report.transmissions;
        let faults = self.transmissions.wrong_hashes + self.fates.wrong_hashes;
        if faults > 0 {
            report.repaired.insert("hash_recomputed", faults);
        }
        for (_, fate) in self.fates.all() {
            match fate {
                Fate::Taken => report.taken += 1,
                Fate::Known => report.known += 1,
                Fate::Merged => report.merged += 1,
                Fate::Refused(why) => report.refuse(why),
            }
        }
    }

    /// Puts an observation into the batch; inside, why it is left out.
    fn observation(&mut self, row: &Row<'_>, by_row: bool) -> Result<Result<(), &'static str>, ImportError> {
        let id = row_number(row, 0);
        let kept = id.map(|id| self.transmissions.get(id)).transpose()?.flatten();
        let time = past_time(&cell(row, 6));
        let signal = PastSignal {
            snr: cell(row, 2).number(),
            rssi: cell(row, 3).number(),
            score: cell(row, 4).number(),
        };
        let lost =
            (2..=4).any(|column| cell(row, column).says_something() && cell(row, column).number().is_none());
        let (path, own) = (cell(row, 5), cell(row, 7));
        let first = kept.as_deref().map(|kept| &kept.kept);
        let (frame, fault) = match copy_frame(own.text(), path.text(), first) {
            Ok(found) => found,
            Err(why) => return Ok(Err(self.refused(id, kept.is_some(), why.name()))),
        };
        let Some(at) = time.or(kept.as_deref().and_then(|kept| kept.first_seen)) else {
            return Ok(Err(self.refused(id, kept.is_some(), TIME_UNREADABLE)));
        };
        let Some(observer) = self.observer(row, by_row, at) else {
            return Ok(Err(self.refused(id, kept.is_some(), Outcome::TooManyObservers.name())));
        };
        let packet = match PastPacket::new(frame, observer, at, signal) {
            Ok(packet) => packet,
            Err(why) => return Ok(Err(self.refused(id, kept.is_some(), why.name()))),
        };
        let report = &mut self.run.report.observations;
        if let Some(fault) = fault {
            report.repair(fault.name());
        }
        if time.is_none() {
            report.repair("time_taken_from_transmission");
        }
        if kept.is_none() {
            report.repair(TRANSMISSION_MISSING);
        }
        if lost || packet.signal_lost() {
            report.repair("signal_out_of_range_left_out");
        }
        if signal.score.is_some_and(|score| score.fract() != 0.0) {
            report.repair("score_rounded");
        }
        if kept.as_deref().is_some_and(|kept| kept.hash.is_some_and(|hash| hash != packet.hash())) {
            report.repair("frame_of_another_transmission");
        }
        let transmission = id.filter(|_| kept.is_some());
        self.batch.push(packet);
        self.origins.push(Origin { transmission, is_observation: true });
        Ok(Ok(()))
    }

    /// Notes that a transmission could not be kept by this copy; another may be better.
    fn refused(&mut self, id: Option<i64>, exists: bool, why: &'static str) -> &'static str {
        match id.filter(|_| exists) {
            Some(id) => {
                self.fates.refused(id, why);
                why
            }
            None => TRANSMISSION_MISSING,
        }
    }

    fn observer(&mut self, row: &Row<'_>, by_row: bool, time: UnixMillis) -> Option<ObserverId> {
        let known = if by_row {
            row_number(row, 1).and_then(|number| self.observers.by_row(number))
        } else {
            cell(row, 1).text().and_then(|key| self.run.history.observer(key, time).ok())
        };
        known.or_else(|| {
            self.run.report.observations.repair("observer_unknown");
            self.observers.unknown(self.run, time)
        })
    }

    fn unheard(&mut self, id: i64, row: &KeptTransmission) -> Result<(), &'static str> {
        let frame = row.kept.frame.as_ref().map_err(|why| why.name())?;
        self.fates.wrong_hashes += u64::from(row.wrong_hash);
        let known = row.hash.and_then(|hash| self.run.history.index().find(hash));
        if let Some(transmission) = known {
            self.run.report.transmissions.repair(UNHEARD);
            self.fates.kept(Some(id), transmission, false);
            return Ok(());
        }
        let time = row.first_seen.ok_or(TIME_UNREADABLE)?;
        let observer = self.observers.unknown(self.run, time).ok_or(Outcome::TooManyObservers.name())?;
        let packet =
            PastPacket::new(frame.clone(), observer, time, PastSignal::default()).map_err(Outcome::name)?;
        self.run.report.transmissions.repair(UNHEARD);
        self.batch.push(packet);
        self.origins.push(Origin { transmission: Some(id), is_observation: false });
        Ok(())
    }

    fn decide(&mut self) -> Result<(), ImportError> {
        let verdicts = self.run.history.decide(&self.batch);
        for (origin, verdict) in self.origins.drain(..).zip(verdicts) {
            match (verdict.outcome, verdict.transmission) {
                (outcome, Some(transmission)) => {
                    let is_new = outcome == Outcome::StoredTransmission;
                    self.fates.kept(origin.transmission, transmission, is_new);
                }
                (outcome, None) => {
                    origin.transmission.into_iter().for_each(|row| self.fates.refused(row, outcome.name()));
                }
            }
            if origin.is_observation {
                self.run.book(&verdict);
            }
        }
        self.batch.clear();
        self.run.submit()
    }
}

impl Run<'_, '_> {
    fn book(&mut self, verdict: &PastVerdict) {
        let report = &mut self.report.observations;
        match (verdict.outcome, verdict.observation) {
            (Outcome::StoredTransmission | Outcome::StoredObservation, _) => report.taken += 1,
            (Outcome::Duplicate, Some(id)) if id < self.known.observation => report.known += 1,
            (Outcome::Duplicate, _) => report.merged += 1,
            (outcome, _) => report.refuse(outcome.name()),
        }
    }
}

/// A row of `transmissions`.
struct KeptTransmission {
    kept: Kept,
    /// Of the frame, not of the row.
    hash: Option<PacketHash>,
    /// Whether the row says another hash.
    wrong_hash: bool,
    first_seen: Option<UnixMillis>,
}

impl KeptTransmission {
    /// Reads the columns `raw_hex`, `hash` and `first_seen` behind the first.
    fn read(row: &Row<'_>) -> KeptTransmission {
        let raw = cell(row, 1);
        let kept = Kept { frame: past_frame(raw.text().unwrap_or_default()) };
        let hash = kept
            .frame
            .as_deref()
            .ok()
            .and_then(|frame| Frame::parse(frame).ok())
            .map(|frame| frame.content_hash());
        let said = cell(row, 2);
        let said = said.text().and_then(|text| text.trim().parse::<PacketHash>().ok());
        let wrong_hash = hash.is_some() && said != hash;
        KeptTransmission { kept, hash, wrong_hash, first_seen: past_time(&cell(row, 3)) }
    }
}

/// The rows of `transmissions` by their ids, those that were asked for last at hand.
struct Transmissions<'s> {
    source: &'s Source,
    find: Statement<'s>,
    cached: HashMap<i64, Option<Rc<KeptTransmission>>>,
    met: RoaringTreemap,
    wrong_hashes: u64,
}

impl<'s> Transmissions<'s> {
    fn new(source: &'s Source) -> Result<Self, ImportError> {
        let sql = match source.table("transmissions")? {
            Some(table) => Self::query(&table),
            None => "SELECT NULL, NULL, NULL, NULL WHERE ?1 IS NULL".to_owned(),
        };
        let find = source.conn().prepare(&sql).map_err(source.failed("the transmissions"))?;
        Ok(Self { source, find, cached: HashMap::new(), met: RoaringTreemap::new(), wrong_hashes: 0 })
    }

    fn query(table: &Table) -> String {
        table.select(&["NULL", "raw_hex", "hash", "first_seen"], &format!("WHERE {} = ?1", table.id()))
    }

    fn get(&mut self, id: i64) -> Result<Option<Rc<KeptTransmission>>, ImportError> {
        if let Some(known) = self.cached.get(&id) {
            return Ok(known.clone());
        }
        let failed = self.source.failed("the transmissions");
        let mut rows = self.find.query([id]).map_err(&failed)?;
        let found = rows.next().map_err(&failed)?.map(|row| Rc::new(KeptTransmission::read(row)));
        if let Some(found) = &found {
            let is_first = self.met.insert(id.cast_unsigned());
            self.wrong_hashes += u64::from(is_first && found.wrong_hash);
        }
        if self.cached.len() >= CACHED {
            self.cached.clear();
        }
        self.cached.insert(id, found.clone());
        Ok(found)
    }
}
