//! Following a database that somebody else writes.

use model::Change;
use storage::{LastIds, Reader, StorageError, Tail};

use crate::support::{Place, intruder, metrics, observer, observers, packet, submit};

#[test]
fn a_tail_gives_what_was_committed_since_the_last_look_and_nothing_twice() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    submit(&storage, packet(0));
    storage.writer().flush().unwrap();
    let mut tail = Tail::open(&place.database(), LastIds::default()).unwrap();
    let all: Vec<Change> = [observers(), packet(0)].concat();
    let seen = tail.look().unwrap().changes;
    assert_eq!(seen.len(), all.len());
    assert!(all.iter().all(|change| seen.contains(change)));
    assert_eq!(tail.look().unwrap().changes, []);

    submit(&storage, packet(1));
    let mut changed = observer(3);
    changed.name = Some("renamed".into());
    submit(&storage, vec![Change::Observer(changed.clone())]);
    storage.writer().flush().unwrap();
    let seen = tail.look().unwrap().changes;
    assert_eq!(seen.len(), packet(1).len() + 1);
    assert!(
        seen.contains(&Change::Observer(changed)) && packet(1).iter().all(|change| seen.contains(change))
    );
    assert_eq!(tail.look().unwrap().changes, []);
    storage.close().unwrap();
}

#[test]
fn a_tail_goes_on_from_where_a_load_ended() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    (0..10).for_each(|number| submit(&storage, packet(number)));
    storage.writer().flush().unwrap();
    let reader = Reader::open(&place.database()).unwrap();
    let report = reader.load(&mut |_| {}, &mut |_| {}).unwrap();
    let mut tail = Tail::open(&place.database(), report.last_ids).unwrap();
    let first = tail.look().unwrap().changes;
    assert!(first.iter().all(|change| matches!(change, Change::Observer(_))), "{first:?}");
    submit(&storage, packet(10));
    storage.writer().flush().unwrap();
    assert_eq!(tail.look().unwrap().changes, packet(10));
    storage.close().unwrap();
}

#[test]
fn samples_come_with_the_load_and_then_with_the_status_that_brought_them() {
    let place = Place::new();
    let storage = place.open();
    submit(&storage, observers());
    submit(&storage, (0..400).map(|time| Change::Metrics(metrics(time))).collect());
    storage.writer().flush().unwrap();
    let times = |changes: &[Change]| -> Vec<i64> {
        let time =
            |change: &Change| if let Change::Metrics(sample) = change { Some(sample.time.0) } else { None };
        changes.iter().filter_map(time).collect()
    };
    let mut loaded = Vec::new();
    let reader = Reader::open(&place.database()).unwrap();
    let report = reader.load(&mut |_| {}, &mut |change| loaded.push(change)).unwrap();
    assert_eq!(times(&loaded), (100..400).collect::<Vec<_>>());
    assert!(matches!(loaded[0], Change::Observer(_)), "an observer comes before its samples");

    let mut tail = Tail::open(&place.database(), report.last_ids).unwrap();
    assert_eq!(times(&tail.look().unwrap().changes), (388..400).collect::<Vec<_>>());
    let mut changed = observer(0);
    changed.last_status = Some(model::UnixMillis(400));
    let replaced = model::ObserverMetrics { packets_recv: Some(2), ..metrics(399) };
    submit(
        &storage,
        vec![Change::Observer(changed), Change::Metrics(replaced), Change::Metrics(metrics(400))],
    );
    storage.writer().flush().unwrap();
    assert_eq!(times(&tail.look().unwrap().changes), [399, 400]);
    assert!(times(&tail.look().unwrap().changes).is_empty());
    storage.close().unwrap();
}

#[test]
fn more_than_one_look_takes_comes_in_portions_that_can_each_be_applied() {
    let place = Place::new();
    place.open().close().unwrap();
    // One transmission, whose 50,001st observation names the last of 50,001 heads.
    intruder(&place.database())
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
             INSERT INTO heads SELECT i, zeroblob(2) FROM n;
             INSERT INTO transmissions VALUES (1, zeroblob(8), zeroblob(3));
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
             INSERT INTO observations SELECT i + 1, 1, 0, iif(i = 10, 50000, i), 0, NULL, NULL, NULL FROM n;",
        )
        .unwrap();
    let mut tail = Tail::open(&place.database(), LastIds::default()).unwrap();
    let (mut heads, mut observations, mut looks) = (0, 0, 0);
    loop {
        let news = tail.look().unwrap();
        looks += 1;
        for change in &news.changes {
            match change {
                Change::Head(_) => heads += 1,
                Change::Observation(seen) => {
                    observations += 1;
                    assert_eq!(seen.id.0, observations);
                    assert!(u64::from(seen.head.0) < heads, "look {looks}: a head that has not come yet");
                }
                _ => {}
            }
        }
        if !news.more {
            break;
        }
    }
    assert_eq!((heads, observations), (50_001, 50_001));
    assert!(looks >= 2);
}

#[test]
fn a_database_that_is_missing_or_of_another_format_is_an_error_and_is_not_made() {
    let place = Place::new();
    assert!(matches!(Reader::open(&place.database()), Err(StorageError::NotThere { .. })));
    assert!(!place.database().exists());
    place.open().close().unwrap();
    intruder(&place.database()).pragma_update(None, "user_version", 1).unwrap();
    assert!(matches!(Reader::open(&place.database()), Err(StorageError::OlderVersion { found: 1, .. })));
    intruder(&place.database()).pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Reader::open(&place.database()), Err(StorageError::NewerVersion { found: 99, .. })));
}
