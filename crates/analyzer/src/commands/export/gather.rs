//! Rows out of the database, in the order in which they are stored.

use super::rows::{NodeRow, ObservationRow, ObserverRow, Said, TransmissionRow, rfc_3339, upper};
use super::writer::RowWriter;
use crate::cli::ExportArgs;
use crate::commands::decode::line::Fields;
use anyhow::Result;
use index::{Index, IndexOptions, copy_frame};
use meshcore::{Frame, PayloadType};
use model::{Change, Observation, ObserverId, ObserverRecord, Transmission, TransmissionId, UnixMillis};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::rc::Rc;
use storage::Snapshot;

/// Decoded payloads kept at hand, since the copies of a packet mostly come together.
const CACHED_PAYLOADS: usize = 4_096;

/// All times there are.
const ALWAYS: Range<UnixMillis> = UnixMillis(i64::MIN)..UnixMillis(i64::MAX);

/// What is read, and how it is understood.
pub(super) struct Gather<'a> {
    snapshot: &'a Snapshot,
    options: IndexOptions,
    time: Range<UnixMillis>,
    is_flat: bool,
}

/// A payload, decoded once for all copies: as JSON, and as flat fields.
type Decoded = (Option<Rc<RawValue>>, Rc<Said>);

/// When something was heard first and last, and how often.
#[derive(Clone, Copy)]
struct Hearings {
    first: UnixMillis,
    last: UnixMillis,
    count: u32,
}

impl<'a> Gather<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, options: IndexOptions, args: &ExportArgs) -> Self {
        let time = args.from.unwrap_or(ALWAYS.start)..args.until.unwrap_or(ALWAYS.end);
        Self { snapshot, options, time, is_flat: args.format.is_flat() }
    }

    pub(super) fn observations(&self, out: &mut RowWriter<impl Write>) -> Result<()> {
        out.begin::<ObservationRow<'_>>();
        let mut heads: Vec<Box<[u8]>> = Vec::new();
        let mut observers: HashMap<ObserverId, ObserverRecord> = HashMap::new();
        self.snapshot.directories(&mut |change| match change {
            Change::Head(head) => {
                // Heads have no gaps; an unreadable one leaves an empty place, which is no head.
                heads.resize(heads.len().max(head.id.0 as usize + 1), Box::default());
                heads[head.id.0 as usize] = head.bytes;
            }
            Change::Observer(record) => {
                observers.insert(record.id, record);
            }
            _ => {}
        })?;
        let mut payloads: HashMap<TransmissionId, Decoded> = HashMap::new();
        let mut left_out = 0_u64;
        self.snapshot.observations(self.time.start, self.time.end, &mut |observation, transmission| {
            let head = heads.get(observation.head.0 as usize);
            let raw = head.and_then(|head| copy_frame(head, &transmission.raw));
            let Some((raw, observer)) = raw.zip(observers.get(&observation.observer)) else {
                left_out += 1;
                return ControlFlow::Continue(());
            };
            match self.observation(observation, transmission, &raw, observer, &mut payloads) {
                Some(row) => out.row(&row),
                None => ControlFlow::Continue(()),
            }
        })?;
        if left_out > 0 {
            tracing::warn!(left_out, "observations name heads or observers that are not there");
        }
        Ok(())
    }

    pub(super) fn transmissions(&self, out: &mut RowWriter<impl Write>) -> Result<()> {
        out.begin::<TransmissionRow>();
        let mut hearings: HashMap<TransmissionId, Hearings> = HashMap::new();
        self.snapshot.observations(ALWAYS.start, ALWAYS.end, &mut |observation, _| {
            let time = observation.time;
            let heard = hearings.entry(observation.transmission);
            heard.and_modify(|heard| heard.add(time)).or_insert(Hearings {
                first: time,
                last: time,
                count: 1,
            });
            ControlFlow::Continue(())
        })?;
        self.snapshot.transmissions(&mut |transmission| {
            let heard = hearings.get(&transmission.id).filter(|heard| self.time.contains(&heard.first));
            match heard.and_then(|heard| self.transmission(transmission, heard)) {
                Some(row) => out.row(&row),
                None => ControlFlow::Continue(()),
            }
        })?;
        Ok(())
    }

    /// Nodes are what their adverts say, so these go through an index, and nothing else does.
    pub(super) fn nodes(&self, out: &mut RowWriter<impl Write>) -> Result<()> {
        out.begin::<NodeRow<'_>>();
        let mut index = Index::new(self.options.clone());
        let mut refused = 0_u64;
        self.snapshot.directories(&mut |change| refused += u64::from(index.apply(&change).is_err()))?;
        self.snapshot.observations(ALWAYS.start, ALWAYS.end, &mut |observation, transmission| {
            let is_advert = PayloadType::from_bits(transmission.raw[0] >> 2) == PayloadType::Advert;
            if is_advert {
                if index.find(transmission.hash).is_none() {
                    refused += u64::from(index.apply(&Change::Transmission(transmission.clone())).is_err());
                }
                refused += u64::from(index.apply(&Change::Observation(*observation)).is_err());
            }
            ControlFlow::Continue(())
        })?;
        if refused > 0 {
            tracing::warn!(refused, "stored rows were left out");
        }
        for node in index.nodes_by_prefix("") {
            if self.time.contains(&node.last_seen) && out.row(&NodeRow::of(node)).is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn observers(&self, out: &mut RowWriter<impl Write>) -> Result<()> {
        out.begin::<ObserverRow<'_>>();
        let mut records: BTreeMap<ObserverId, ObserverRecord> = BTreeMap::new();
        self.snapshot.directories(&mut |change| {
            if let Change::Observer(record) = change {
                records.insert(record.id, record);
            }
        })?;
        let mut heard: HashMap<ObserverId, (u64, UnixMillis)> = HashMap::new();
        self.snapshot.observations(ALWAYS.start, ALWAYS.end, &mut |observation, _| {
            let (count, last) = heard.entry(observation.observer).or_insert((0, observation.time));
            (*count, *last) = (*count + 1, observation.time.max(*last));
            ControlFlow::Continue(())
        })?;
        for record in records.values() {
            let packets = heard.get(&record.id);
            let last = record.last_status.max(packets.map(|(_, last)| *last)).unwrap_or(record.first_seen);
            let row = ObserverRow::of(record, last, packets.map_or(0, |(count, _)| *count));
            if self.time.contains(&last) && out.row(&row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn observation<'r>(
        &self,
        observation: &Observation,
        transmission: &Transmission,
        raw: &[u8],
        observer: &'r ObserverRecord,
        payloads: &mut HashMap<TransmissionId, Decoded>,
    ) -> Option<ObservationRow<'r>> {
        let frame = Frame::parse(raw).ok()?;
        // A trace reads its path, too, which is another in each copy.
        let (p, said) = if frame.payload_type() == PayloadType::Trace {
            self.decode(&frame)
        } else {
            if payloads.len() >= CACHED_PAYLOADS {
                payloads.clear();
            }
            payloads.entry(transmission.id).or_insert_with(|| self.decode(&frame)).clone()
        };
        Some(ObservationRow {
            time: rfc_3339(observation.time),
            hash: transmission.hash.to_string(),
            raw: upper(raw),
            observer_id: &observer.key,
            observer_name: observer.name.as_deref(),
            observer_iata: observer.iata.as_deref(),
            snr: observation.snr.map(model::SnrQuarterDb::db),
            rssi: observation.rssi,
            score: observation.score,
            route: frame.route().name(),
            payload_type: frame.payload_type().name(),
            hops: frame.path().hops().map(|hop| hop.to_string()).collect(),
            p,
            said,
        })
    }

    fn transmission(&self, transmission: &Transmission, heard: &Hearings) -> Option<TransmissionRow> {
        let frame = Frame::parse(&transmission.raw).ok()?;
        let (p, said) = self.decode(&frame);
        Some(TransmissionRow {
            hash: transmission.hash.to_string(),
            first_seen: rfc_3339(heard.first),
            last_seen: rfc_3339(heard.last),
            observations: heard.count,
            route: frame.route().name(),
            payload_type: frame.payload_type().name(),
            raw: upper(&transmission.raw),
            p,
            said,
        })
    }

    /// Only what the format needs: checking a signature for a field that is not written would be a waste.
    fn decode(&self, frame: &Frame<'_>) -> Decoded {
        if self.is_flat {
            return (None, Rc::new(Said::of(frame, &self.options.keys)));
        }
        let fields = serde_json::value::to_raw_value(&Fields::of(frame, &self.options.keys));
        (fields.ok().map(Rc::from), Rc::default())
    }
}

impl Hearings {
    fn add(&mut self, time: UnixMillis) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.count += 1;
    }
}
