//! Both ends, over a real socket.
#![allow(
    clippy::unwrap_used,
    reason = "the lint's exception for tests does not reach their helper functions"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use feed::{FeedError, FeedHandle, FeedServer, Follower, News};
use model::{Change, FrameHead, HeadId, ObserverId, ObserverMetrics, UnixMillis};

/// Only reached when something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

struct Place {
    _folder: tempfile::TempDir,
    database: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { database: folder.path().join("test.db"), _folder: folder }
    }
}

fn head(id: u32) -> Change {
    Change::Head(FrameHead { id: HeadId(id), bytes: vec![0x02, 0x00].into() })
}

fn metrics() -> Change {
    Change::Metrics(ObserverMetrics {
        observer: ObserverId(0),
        time: UnixMillis(0),
        noise_floor: None,
        tx_air_secs: None,
        rx_air_secs: None,
        recv_errors: None,
        battery_mv: None,
        packets_sent: None,
        packets_recv: None,
    })
}

fn changes(sequence: u64, id: u32) -> News {
    News::Changes { sequence, changes: vec![head(id)] }
}

fn next(follower: &mut Follower) -> News {
    follower.next(PATIENCE).unwrap().expect("something comes")
}

/// Connects and waits until the server has noticed.
fn connect(database: &Path, server: &FeedHandle) -> Follower {
    let before = server.followers();
    let follower = Follower::connect(database).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while server.followers() == before {
        assert!(Instant::now() < deadline, "the follower is not noticed");
        std::thread::sleep(Duration::from_millis(1));
    }
    follower
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_gets_first_what_is_not_durable_and_then_all_that_comes() {
    let place = Place::new();
    let server = FeedServer::bind(&place.database).unwrap();
    let ingest = server.handle();
    assert_eq!(ingest.publish(&[head(0)]), Some(1));
    assert_eq!(ingest.publish(&[head(1)]), Some(2));
    assert_eq!(ingest.publish(&[metrics()]), None, "no index needs it");
    ingest.durable(1);
    let mut follower = connect(&place.database, &ingest);
    ingest.publish(&[head(2), metrics()]);
    ingest.durable(3);
    ingest.removed();
    ingest.report(|| b"{}".to_vec());
    assert_eq!(next(&mut follower), changes(2, 1));
    assert_eq!(next(&mut follower), changes(3, 2));
    assert_eq!(next(&mut follower), News::Durable { sequence: 3 });
    assert_eq!(next(&mut follower), News::Removed);
    assert_eq!(next(&mut follower), News::Report(b"{}".to_vec()));
    assert_eq!(follower.next(Duration::from_millis(1)).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_followers_hear_the_same_and_one_that_leaves_disturbs_no_other() {
    let place = Place::new();
    let server = FeedServer::bind(&place.database).unwrap();
    let ingest = server.handle();
    let gone = connect(&place.database, &ingest);
    let mut stays = connect(&place.database, &ingest);
    drop(gone);
    for id in 0..100 {
        ingest.publish(&[head(id)]);
        assert_eq!(next(&mut stays), changes(u64::from(id) + 1, id));
    }
    let deadline = Instant::now() + PATIENCE;
    while ingest.followers() > 1 {
        assert!(Instant::now() < deadline, "the one that left is still on the list");
        ingest.publish(&[head(0)]);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_ingest_is_seen_after_its_last_words_and_the_socket_goes_with_it() {
    let place = Place::new();
    let server = FeedServer::bind(&place.database).unwrap();
    let ingest = server.handle();
    let mut follower = connect(&place.database, &ingest);
    ingest.publish(&[head(0)]);
    ingest.durable(1);
    drop(server);
    assert_eq!(next(&mut follower), changes(1, 0));
    assert_eq!(next(&mut follower), News::Durable { sequence: 1 });
    assert!(matches!(follower.next(PATIENCE), Err(FeedError::Closed)));
    assert!(matches!(Follower::connect(&place.database), Err(FeedError::Connect { .. })));
    assert_eq!(ingest.publish(&[head(1)]), None, "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_never_reads_is_dropped_and_ingest_never_waits() {
    let place = Place::new();
    let server = FeedServer::bind(&place.database).unwrap();
    let ingest = server.handle();
    let _sleeper = connect(&place.database, &ingest);
    let big: Vec<Change> = (0..50_000).map(head).collect();
    let mut published = 0;
    while ingest.followers() > 0 {
        let sequence = ingest.publish(&big).unwrap();
        ingest.durable(sequence);
        published += 1;
        assert!(published < 10_000, "what waits for it has no bound");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_left_behind_is_replaced_and_a_file_in_its_place_is_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let socket = place.database.with_file_name("test.db-feed");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let server = FeedServer::bind(&place.database).unwrap();
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    drop(server);
    std::fs::write(&socket, "somebody's notes").unwrap();
    let error = FeedServer::bind(&place.database).unwrap_err();
    assert!(error.to_string().contains("test.db-feed"), "{error}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "somebody's notes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_may_ask_and_gets_the_answer_among_the_news() {
    let place = Place::new();
    let server = FeedServer::bind(&place.database).unwrap();
    let ingest = server.handle();
    ingest.answer_with(|question| question.into_iter().rev().collect());
    let mut follower = connect(&place.database, &ingest);
    let mut bystander = connect(&place.database, &ingest);
    let mut asker = follower.asker().unwrap();
    asker.ask(7, b"abc".to_vec()).unwrap();
    asker.ask(8, b"xyz".to_vec()).unwrap();
    assert_eq!(next(&mut follower), News::Answer { question: 7, answer: b"cba".to_vec() });
    assert_eq!(next(&mut follower), News::Answer { question: 8, answer: b"zyx".to_vec() });
    ingest.removed();
    assert_eq!(next(&mut bystander), News::Removed, "an answer is for who has asked");
    drop(follower);
    asker.ask(9, b"of one that has gone".to_vec()).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_question_ends_the_listening_and_not_the_feed() {
    use std::io::Write as _;
    let place = Place::new();
    let server = FeedServer::bind(&place.database).unwrap();
    let ingest = server.handle();
    let mut socket = place.database.clone().into_os_string();
    socket.push("-feed");
    let mut stranger = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stranger.write_all(&[0xff; 100_000]).ok();
    let mut follower = connect(&place.database, &ingest);
    ingest.removed();
    assert_eq!(next(&mut follower), News::Removed);
}
