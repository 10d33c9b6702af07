//! Every age of the schema gives what live ingest would have made of the same messages.

use index::PacketQuery;
use ingest::{Ingest, Outcome};
use model::{Change, UnixMillis};
use mqtt::{Ack, Message, Qos};
use parking_lot::{Mutex, RwLock};
use simulator::{Mesh, SimConfig, SimMessage};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use testkit::Age;

use crate::support::{Place, options};

fn messages() -> Vec<SimMessage> {
    let mesh = Mesh::new(SimConfig { nodes: 60, observers: 8, ..SimConfig::default() });
    let mut messages: Vec<_> = mesh.take(4_000).collect();
    // Brokers deliver some messages twice.
    messages.extend_from_within(1_000..1_200);
    messages
}

/// Who heard which frame, and nothing of when or how well.
type Heard = BTreeSet<(String, String)>;

fn heard(index: &index::Index) -> Heard {
    let query = PacketQuery { limit: usize::MAX, ..PacketQuery::default() };
    let rows = index.packets(&query).rows.into_iter();
    let all = rows.flat_map(|row| index.view(row).observations().collect::<Vec<_>>());
    all.map(|it| (it.observer().key.to_string(), crate::support::hex(&it.frame_bytes()))).collect()
}

/// What live ingest makes of the messages.
fn live(messages: &[SimMessage]) -> index::Index {
    let index = Arc::new(RwLock::new(index::Index::new(options().index)));
    let changes = Arc::new(Mutex::new(Vec::<Change>::new()));
    let kept = Arc::clone(&changes);
    let sink = move |mut new: Vec<Change>, on_durable: Option<ingest::OnDurable>| {
        kept.lock().append(&mut new);
        if let Some(on_durable) = on_durable {
            on_durable();
        }
    };
    let mut ingest = Ingest::with_sink(options().ingest, index, Box::new(sink), Box::new(|_| {}));
    let received = |time: UnixMillis| UNIX_EPOCH + Duration::from_millis(time.0.try_into().unwrap());
    let message = |sim: &SimMessage| Message {
        source: 0,
        topic: sim.topic.as_str().into(),
        payload: sim.payload.clone().into(),
        qos: Qos::AtMostOnce,
        retained: false,
        received: received(sim.time),
        ack: Ack::none(),
    };
    ingest.handle_batch(messages.iter().map(message).collect());
    let report = ingest.ledger().report();
    assert!(report.count(Outcome::Duplicate) > 0, "the mesh has duplicates");
    let mut copy = index::Index::new(options().index);
    changes.lock().iter().for_each(|change| copy.apply(change).unwrap());
    copy
}

#[test]
fn a_database_of_today_gives_every_frame_that_live_ingest_stores() {
    let messages = messages();
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.fill(messages.clone());
    });
    let report = place.import();
    let (ours, live) = (place.index(), live(&messages));
    assert_eq!(heard(&ours), heard(&live));
    assert_eq!(report.observations.taken, live.totals(UnixMillis(0)).observations);
    assert_eq!(report.transmissions.taken, live.totals(UnixMillis(0)).transmissions);
    assert!(report.transmissions.repaired.is_empty() && report.observations.refused.is_empty(), "{report}");
}

#[test]
fn older_databases_give_the_same_hearings_by_the_paths_that_they_kept() {
    let messages = messages();
    let live = live(&messages);
    for age in [Age::Oldest, Age::Middle] {
        let place = Place::new();
        place.make(age, |db| {
            db.fill(messages.clone());
        });
        let report = place.import();
        let ours = place.index();
        let (ours, wanted) = (heard(&ours), heard(&live));
        // A copy that came by another route than the first is given back by the first one's: the path is all that was kept.
        let differ = wanted.difference(&ours).count();
        assert!(differ * 100 <= wanted.len(), "{age:?}: {differ} of {} frames differ", wanted.len());
        assert!(
            report.observations.taken * 1000 >= live.totals(UnixMillis(0)).observations * 995,
            "{age:?}\n{report}"
        );
        assert_eq!(report.transmissions.taken, live.totals(UnixMillis(0)).transmissions, "{age:?}");
    }
}

#[test]
fn nodes_and_observers_are_those_of_live_ingest() {
    let messages = messages();
    let place = Place::new();
    place.make(Age::Today, |db| {
        db.fill(messages.clone());
    });
    place.import();
    let (ours, live) = (place.index(), live(&messages));
    let nodes = |index: &index::Index| -> Vec<_> {
        let all = index.nodes_by_prefix("").into_iter();
        all.map(|node| (node.key, node.name.clone(), node.role, node.location, node.advert_count)).collect()
    };
    assert!(!nodes(&live).is_empty());
    assert_eq!(nodes(&ours), nodes(&live));
    let observers = |index: &index::Index| -> BTreeSet<_> {
        let all = index.observers(UnixMillis(0)).into_iter();
        all.map(|it| {
            (it.record.key.clone(), it.record.name.clone(), it.record.model.clone(), it.packet_count)
        })
        .collect()
    };
    assert_eq!(observers(&ours), observers(&live));
}
