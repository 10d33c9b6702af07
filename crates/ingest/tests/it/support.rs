//! An ingest that keeps what it decides where tests can see it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use index::{Index, IndexOptions, SharedIndex};
use ingest::{Ingest, IngestConfig, IngestReport, OnDurable, Outcome, Remark};
use meshcore::{AppData, FrameBuilder, Identity, KeyRing, PayloadBuf, PayloadType, Role, Route, ScopeSet};
use model::{Change, Observation, ObservationId, ObserverMetrics, ObserverRecord, Transmission, UnixMillis};
use mqtt::{Ack, Message, Qos};
use parking_lot::{Mutex, RwLock};

/// 2026-01-01T12:00:05Z, when messages arrive unless a test says otherwise.
pub(crate) const NOW: UnixMillis = UnixMillis(1_767_268_805_000);

pub(crate) const KEY: &str = "4F3CA1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6DA1";
pub(crate) const OTHER_KEY: &str = "91D0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E";

pub(crate) struct Fixture {
    pub(crate) ingest: Ingest,
    pub(crate) index: SharedIndex,
    pub(crate) changes: Arc<Mutex<Vec<Change>>>,
    pub(crate) live: Arc<Mutex<Vec<ObservationId>>>,
    pub(crate) now: UnixMillis,
}

pub(crate) fn empty_index() -> SharedIndex {
    let options = IndexOptions { keys: Arc::new(KeyRing::with_public()), scopes: Arc::new(ScopeSet::new()) };
    Arc::new(RwLock::new(Index::new(options)))
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        Fixture::with(IngestConfig::default())
    }

    pub(crate) fn with(config: IngestConfig) -> Fixture {
        Fixture::on(config, empty_index())
    }

    pub(crate) fn on(config: IngestConfig, index: SharedIndex) -> Fixture {
        let (changes, live) =
            (Arc::<Mutex<Vec<Change>>>::default(), Arc::<Mutex<Vec<ObservationId>>>::default());
        let (sink_changes, sink_live) = (Arc::clone(&changes), Arc::clone(&live));
        let sink = move |mut new: Vec<Change>, on_durable: Option<OnDurable>| {
            sink_changes.lock().append(&mut new);
            if let Some(on_durable) = on_durable {
                on_durable();
            }
        };
        let hook = move |mut new: Vec<ObservationId>| sink_live.lock().append(&mut new);
        let ingest = Ingest::with_sink(config, Arc::clone(&index), Box::new(sink), Box::new(hook));
        Fixture { ingest, index, changes, live, now: NOW }
    }

    /// Sends one message and says how it ended.
    pub(crate) fn send(&mut self, topic: &str, payload: impl AsRef<[u8]>) -> Outcome {
        self.send_message(message(0, topic, payload.as_ref(), self.now))
    }

    pub(crate) fn send_retained(&mut self, topic: &str, payload: &str) -> Outcome {
        self.send_message(Message { retained: true, ..message(0, topic, payload.as_bytes(), self.now) })
    }

    pub(crate) fn send_message(&mut self, message: Message) -> Outcome {
        let before = self.report();
        self.ingest.handle_batch(vec![message]);
        let after = self.report();
        assert!(after.balances());
        assert_eq!(after.received, before.received + 1);
        let came_up = |outcome: &&Outcome| after.count(**outcome) > before.count(**outcome);
        *Outcome::ALL.iter().find(came_up).expect("every message ends somehow")
    }

    /// Sends a packet message of the observer [`KEY`] with these fields beside `raw`, such as `"SNR":"7"`.
    pub(crate) fn packet(&mut self, raw: &str, fields: &str) -> Outcome {
        let comma = if fields.is_empty() { "" } else { "," };
        self.send(&packets_topic("AMS", KEY), format!("{{\"raw\":\"{raw}\"{comma}{fields}}}"))
    }

    /// Sends a status message of the observer [`KEY`] with these fields.
    pub(crate) fn status(&mut self, fields: &str) -> Outcome {
        self.send(&status_topic("AMS", KEY), format!("{{{fields}}}"))
    }

    pub(crate) fn report(&self) -> IngestReport {
        self.ingest.ledger().report()
    }

    /// The remarks, but for the quality of service, which says nothing of a message's content.
    pub(crate) fn oddities(&self) -> Vec<ingest::Count> {
        self.report().remarks.into_iter().filter(|remark| remark.name != "sent_at_qos_0").collect()
    }

    pub(crate) fn remarked(&self, remark: Remark) -> u64 {
        self.report().remarked(remark)
    }

    pub(crate) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.changes.lock())
    }

    pub(crate) fn observations(&self) -> Vec<Observation> {
        let changes = self.changes.lock();
        changes.iter().filter_map(|c| if let Change::Observation(o) = c { Some(*o) } else { None }).collect()
    }

    pub(crate) fn last_observation(&self) -> Observation {
        *self.observations().last().expect("something was observed")
    }

    pub(crate) fn transmissions(&self) -> Vec<Transmission> {
        let changes = self.changes.lock();
        let transmission = |c: &Change| if let Change::Transmission(t) = c { Some(t.clone()) } else { None };
        changes.iter().filter_map(transmission).collect()
    }

    pub(crate) fn metrics(&self) -> Vec<ObserverMetrics> {
        let changes = self.changes.lock();
        changes.iter().filter_map(|c| if let Change::Metrics(m) = c { Some(*m) } else { None }).collect()
    }

    pub(crate) fn observer(&self, key: &str) -> Option<ObserverRecord> {
        let index = self.index.read();
        index.observer_by_key(key).and_then(|id| index.observer_record(id)).cloned()
    }

    pub(crate) fn observer_changes(&self) -> usize {
        self.changes.lock().iter().filter(|change| matches!(change, Change::Observer(_))).count()
    }
}

pub(crate) fn message(source: u16, topic: &str, payload: &[u8], received: UnixMillis) -> Message {
    let since_epoch = Duration::from_millis(u64::try_from(received.0).unwrap());
    Message {
        source,
        topic: topic.into(),
        payload: bytes::Bytes::copy_from_slice(payload),
        qos: Qos::AtMostOnce,
        retained: false,
        received: UNIX_EPOCH + since_epoch,
        ack: Ack::none(),
    }
}

pub(crate) fn packets_topic(region: &str, key: &str) -> String {
    format!("meshcore/{region}/{key}/packets")
}

pub(crate) fn status_topic(region: &str, key: &str) -> String {
    format!("meshcore/{region}/{key}/status")
}

/// A flooded acknowledgement whose content follows from `n`, with these hops of one byte.
pub(crate) fn ack(n: u32, hops: &[u8]) -> String {
    let payload = PayloadBuf::new(PayloadType::Ack, n.to_le_bytes().to_vec()).unwrap();
    flood(&payload, hops)
}

pub(crate) fn flood(payload: &PayloadBuf, hops: &[u8]) -> String {
    let mut path = meshcore::PathBuf::new(1).unwrap();
    hops.iter().for_each(|hop| path.push(&[*hop]).unwrap());
    hex(&FrameBuilder::new(Route::Flood, payload).path(path.as_path()).encode())
}

/// A signed advert of the node with this seed.
pub(crate) fn advert(seed: u8, name: &str) -> PayloadBuf {
    let app = AppData::new(Role::Repeater).with_name(name).unwrap();
    Identity::from_seed(&[seed; 32]).advert(1_767_225_600, &app).unwrap()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    format!("{:X}", meshcore::Hex(bytes))
}
