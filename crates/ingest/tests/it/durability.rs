//! Who is answered, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ingest::{Ingest, IngestConfig, IngestError, OnDurable, Outcome, PacketSubmission, SubmitAnswer};
use model::{Change, ObservationId, TransmissionId, UnixMillis};
use mqtt::{Broker, BrokerConfig, BrokerUrl, Publisher, Qos};
use parking_lot::Mutex;
use storage::{Storage, StorageOptions};

use crate::support::{KEY, ack, empty_index, message, packets_topic};

/// Answers that are held back, and how many batches came that nobody waits for.
#[derive(Clone, Default)]
struct Held {
    answers: Arc<Mutex<Vec<OnDurable>>>,
    unasked: Arc<AtomicUsize>,
}

/// An ingest whose batches become durable when the test says so.
fn holding() -> (Ingest, Held) {
    let held = Held::default();
    let sink_held = held.clone();
    let sink = move |_: Vec<Change>, on_durable: Option<OnDurable>| match on_durable {
        Some(on_durable) => sink_held.answers.lock().push(on_durable),
        None => _ = sink_held.unasked.fetch_add(1, Ordering::SeqCst),
    };
    let ingest = Ingest::with_sink(IngestConfig::default(), empty_index(), Box::new(sink), Box::new(|_| {}));
    (ingest, held)
}

fn wait_for(what: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < deadline, "waited in vain");
        std::thread::yield_now();
    }
}

fn submission(n: u32) -> PacketSubmission {
    PacketSubmission {
        raw: ack(n, &[]),
        observer: Some("roof".into()),
        snr: Some(7.25),
        ..PacketSubmission::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_is_answered_when_its_packet_is_durable_and_not_before() {
    let (ingest, held) = holding();
    let ledger = ingest.ledger();
    let (sender, receiver) = mqtt::queue(100);
    let config = BrokerConfig { listen: "127.0.0.1:0".parse().unwrap(), ..BrokerConfig::default() };
    let broker = Broker::bind(config, sender).await.unwrap();
    let thread = std::thread::spawn(move || ingest.run(receiver));

    let url = BrokerUrl::parse(&format!("mqtt://{}", broker.local_addr())).unwrap();
    let mut publisher = Publisher::connect(&url, None).await.unwrap();
    let payload = format!("{{\"raw\":\"{}\"}}", ack(1, &[]));
    for _ in 0..3 {
        publisher
            .publish(&packets_topic("AMS", KEY), payload.clone(), Qos::AtLeastOnce, false)
            .await
            .unwrap();
    }
    let seen = Arc::clone(&ledger);
    tokio::task::spawn_blocking(move || wait_for(|| seen.received() == 3)).await.unwrap();
    let flush = tokio::spawn(async move {
        publisher.flush().await.unwrap();
        publisher
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!flush.is_finished(), "acknowledged what is not durable");
    // The duplicates, too, wait for the first one, and nothing is left unanswered.
    let held_batches = std::mem::take(&mut *held.answers.lock());
    held_batches.into_iter().for_each(|on_durable| on_durable());
    let release = tokio::task::spawn_blocking(move || {
        wait_for(|| {
            let more = std::mem::take(&mut *held.answers.lock());
            more.into_iter().for_each(|on_durable| on_durable());
            flush.is_finished()
        });
        flush
    });
    let publisher = release.await.unwrap().await.unwrap();
    drop(publisher);
    let report = ledger.report();
    assert_eq!((report.count(Outcome::StoredTransmission), report.count(Outcome::Duplicate)), (1, 2));
    broker.shutdown().await;
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_answered_with_its_rows_a_duplicate_or_the_reason() {
    let (ingest, held) = holding();
    let submit = ingest.submit_handle();
    let ledger = ingest.ledger();
    let (sender, receiver) = mqtt::queue(10);
    let thread = std::thread::spawn(move || ingest.run(receiver));
    let released = std::thread::spawn(move || {
        let mut count = 0;
        wait_for(|| {
            let batches = std::mem::take(&mut *held.answers.lock());
            batches.into_iter().for_each(|on_durable| on_durable());
            thread.is_finished()
        });
        count += 1;
        count
    });

    let stored = SubmitAnswer::Stored { transmission: TransmissionId(1), observation: ObservationId(1) };
    assert_eq!(submit.submit(submission(1)).await, Ok(stored));
    let duplicate = SubmitAnswer::Duplicate { transmission: TransmissionId(1) };
    assert_eq!(submit.submit(submission(1)).await, Ok(duplicate));
    let bad = PacketSubmission { raw: "0DC0".into(), ..PacketSubmission::default() };
    let Ok(SubmitAnswer::Refused { outcome, detail }) = submit.submit(bad).await else { panic!("taken") };
    assert_eq!(outcome, Outcome::FramePathMode3);
    assert!(!detail.is_empty());
    let bad = PacketSubmission { observer: Some("<b>".into()), ..submission(2) };
    assert!(matches!(
        submit.submit(bad).await,
        Ok(SubmitAnswer::Refused { outcome: Outcome::BadObserverKey, .. })
    ));
    let report = ledger.report();
    assert!(report.balances());
    assert_eq!(report.sources.iter().map(|s| (&*s.name, s.received)).collect::<Vec<_>>(), [("api", 4)]);

    drop(sender);
    tokio::task::spawn_blocking(move || released.join().unwrap()).await.unwrap();
    assert_eq!(submit.submit(submission(3)).await, Err(IngestError::Stopped));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_never_becomes_durable_is_told_so() {
    let sink = |_: Vec<Change>, on_durable: Option<OnDurable>| drop(on_durable);
    let ingest = Ingest::with_sink(IngestConfig::default(), empty_index(), Box::new(sink), Box::new(|_| {}));
    let submit = ingest.submit_handle();
    let (sender, receiver) = mqtt::queue(10);
    let thread = std::thread::spawn(move || ingest.run(receiver));
    assert_eq!(submit.submit(submission(1)).await, Err(IngestError::NotDurable));
    drop(sender);
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_whose_packet_never_becomes_durable_is_not_acknowledged() {
    let sink = |_: Vec<Change>, on_durable: Option<OnDurable>| drop(on_durable);
    let ingest = Ingest::with_sink(IngestConfig::default(), empty_index(), Box::new(sink), Box::new(|_| {}));
    let (sender, receiver) = mqtt::queue(10);
    let config = BrokerConfig { listen: "127.0.0.1:0".parse().unwrap(), ..BrokerConfig::default() };
    let broker = Broker::bind(config, sender).await.unwrap();
    let thread = std::thread::spawn(move || ingest.run(receiver));
    let url = BrokerUrl::parse(&format!("mqtt://{}", broker.local_addr())).unwrap();
    let mut publisher = Publisher::connect(&url, None).await.unwrap();
    let payload = format!("{{\"raw\":\"{}\"}}", ack(1, &[]));
    publisher.publish(&packets_topic("AMS", KEY), payload, Qos::AtLeastOnce, false).await.unwrap();
    assert!(publisher.flush().await.is_err());
    drop(publisher);
    broker.shutdown().await;
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
}

#[test]
fn run_ends_when_all_senders_are_gone_and_has_handed_everything_on() {
    let (ingest, held) = holding();
    let ledger = ingest.ledger();
    let (sender, receiver) = mqtt::queue(2000);
    for n in 0..1500 {
        let payload = format!("{{\"raw\":\"{}\"}}", ack(n, &[]));
        let message =
            crate::support::message(0, &packets_topic("AMS", KEY), payload.as_bytes(), crate::support::NOW);
        sender.blocking_send(message).unwrap();
    }
    drop(sender);
    ingest.run(receiver);
    assert_eq!(ledger.report().count(Outcome::StoredTransmission), 1500);
    // Messages at QoS 0: the writer is told that nobody waits, so that it can gather more.
    assert!(held.answers.lock().is_empty());
    assert!(held.unasked.load(Ordering::SeqCst) > 0);
}

#[test]
fn what_a_database_keeps_is_known_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut messages = simulator::capture();
    simulator::shift_to(&mut messages, crate::support::NOW);
    let mut totals = Vec::new();
    for start in 0..3 {
        let storage = Storage::open(StorageOptions::new(folder.path().join("packets.db"))).unwrap();
        let index = empty_index();
        storage.load(&mut |_| {}, &mut |change| index.write().apply(&change).unwrap()).unwrap();
        let live = Box::new(|_| {});
        let mut ingest = Ingest::new(IngestConfig::default(), Arc::clone(&index), storage.writer(), live);
        let received =
            messages.iter().map(|m| crate::support::message(0, &m.topic, m.payload.as_bytes(), m.time));
        ingest.handle_batch(received.collect());
        let report = ingest.ledger().report();
        let stored = report.count(Outcome::StoredTransmission) + report.count(Outcome::StoredObservation);
        assert_eq!(stored, if start == 0 { 286 } else { 0 });
        assert!(report.balances());
        totals.push(index.read().totals(crate::support::NOW));
        drop(ingest);
        storage.close().unwrap();
    }
    assert!(totals.iter().all(|t| *t == totals[0]), "{totals:?}");
}

#[test]
fn what_nobody_waits_for_is_counted_as_such() {
    let (mut ingest, _held) = holding();
    let send = |ingest: &mut Ingest, qos| {
        let message = message(0, &packets_topic("AMS", KEY), b"{}", UnixMillis(1_767_268_805_000));
        ingest.handle_batch(vec![mqtt::Message { qos, ..message }]);
        ingest.ledger().report().remarked(ingest::Remark::SentAtQos0)
    };
    assert_eq!(send(&mut ingest, mqtt::Qos::AtLeastOnce), 0);
    assert_eq!(send(&mut ingest, mqtt::Qos::AtMostOnce), 1);
}
