use super::*;
use crate::{Catalogue, SeriesKind, Severity, Subject, SubjectKind, Unit, info};
use proptest::prelude::*;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

const START_MS: i64 = 1_700_000_000_000;

fn open(folder: &Path, at_ms: i64) -> Alerts {
    Alerts::open(folder, at_ms, Arc::new(Written::default())).unwrap()
}

fn flag(id: &str) -> Flag {
    Flag {
        id: id.to_owned(),
        subject: Subject { kind: SubjectKind::Process, name: "process".to_owned() },
        rule: "test".to_owned(),
        severity: Severity::Critical,
        title: "something is wrong".to_owned(),
        reason: "7.5 of 1".to_owned(),
        remedy: "look at it".to_owned(),
        value: 7.5,
        limit: 1.0,
        unit: "ratio".to_owned(),
        since_ms: START_MS,
        series: Vec::new(),
    }
}

fn change(change: AlertChange, id: &str) -> Change {
    let flag = flag(id);
    Change { change, flag, before: Some(1.0), after: 2.0 }
}

fn recent() -> Recent {
    let infos = vec![
        info("a", SeriesKind::Counter, Unit::Bytes, ""),
        info("b", SeriesKind::Gauge, Unit::Bytes, ""),
        info("idle", SeriesKind::Gauge, Unit::Bytes, ""),
    ];
    Recent::new(Arc::new(Catalogue::new(infos)))
}

fn told(alerts: &Alerts) -> Vec<(u64, AlertChange, String)> {
    alerts.events(100).into_iter().map(|event| (event.id, event.change, event.flag.id)).collect()
}

#[test]
fn events_survive_a_restart_and_flags_that_were_up_are_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let mut alerts = open(folder.path(), START_MS);
    alerts.record(START_MS, &[change(AlertChange::Raised, "a"), change(AlertChange::Raised, "b")]);
    alerts.record(START_MS + 1, &[change(AlertChange::Cleared, "a"), change(AlertChange::Worsened, "b")]);
    let before = alerts.events(10);
    drop(alerts);
    let alerts = open(folder.path(), START_MS + 5_000);
    let events = alerts.events(10);
    assert_eq!(events[0].change, AlertChange::Cleared);
    assert_eq!(
        (events[0].flag.id.as_str(), events[0].flag.reason.as_str()),
        ("b", "the program ended meanwhile")
    );
    assert_eq!((events[0].id, events[0].at_ms), (5, START_MS + 5_000));
    let without_boxes = |events: &[AlertEvent]| {
        events.iter().map(|event| AlertEvent { black_box: false, ..event.clone() }).collect::<Vec<_>>()
    };
    assert_eq!(without_boxes(&events[1..]), without_boxes(&before));
    drop(alerts);
    assert_eq!(open(folder.path(), START_MS + 9_000).events(10), events, "nothing is cleared twice");
    let mode = fs::metadata(folder.path().join("alerts.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_torn_line_costs_nothing_but_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut alerts = open(folder.path(), START_MS);
    alerts.record(START_MS, &[change(AlertChange::Raised, "a"), change(AlertChange::Cleared, "a")]);
    let path = folder.path().join("alerts.jsonl");
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"event\":{\"id\":3,\"at").unwrap();
    let mut alerts = open(folder.path(), START_MS);
    alerts.record(START_MS, &[change(AlertChange::Raised, "c"), change(AlertChange::Cleared, "c")]);
    assert_eq!(alerts.events(10).len(), 4);
    assert_eq!(told(&open(folder.path(), START_MS)), told(&alerts));
}

#[test]
fn what_could_not_be_written_down_is_written_once_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let mut alerts = open(folder.path(), START_MS);
    alerts.record(START_MS, &[change(AlertChange::Raised, "before")]);
    let path = folder.path().join("alerts.jsonl");
    let broken = alerts.log.as_mut().unwrap().replace_file(File::open(&path).unwrap());
    alerts.record(START_MS + 1, &[change(AlertChange::Raised, "meanwhile")]);
    alerts.record(START_MS + 2, &[change(AlertChange::Cleared, "meanwhile")]);
    assert_eq!(
        fs::read_to_string(&path).unwrap().lines().count(),
        1,
        "a file open for reading takes nothing"
    );
    alerts.log.as_mut().unwrap().replace_file(broken);
    alerts.tick(START_MS + 3, &recent());
    assert_eq!(told(&alerts).len(), 3);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    alerts.record(START_MS + 4, &[change(AlertChange::Cleared, "before")]);
    assert_eq!(told(&open(folder.path(), START_MS + 5)), told(&alerts));
}

#[test]
fn more_than_can_wait_is_written_with_the_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut alerts = open(folder.path(), START_MS);
    let path = folder.path().join("alerts.jsonl");
    let broken = alerts.log.as_mut().unwrap().replace_file(File::open(&path).unwrap());
    // Where the new file would be made lies a folder.
    let aside = folder.path().join("alerts.jsonl.tmp");
    fs::create_dir(&aside).unwrap();
    let long = Flag { reason: "because ".repeat(10_000), ..flag("long") };
    let long = Change { flag: long, ..change(AlertChange::Cleared, "long") };
    for _ in 0..100 {
        alerts.record(START_MS, std::slice::from_ref(&long));
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    alerts.log.as_mut().unwrap().replace_file(broken);
    fs::remove_dir(&aside).unwrap();
    alerts.record(START_MS, &[change(AlertChange::Cleared, "newest")]);
    let bytes = fs::metadata(&path).unwrap().len();
    assert!(bytes <= log::MAX_BYTES && bytes > log::MAX_BYTES / 2, "{bytes}");
    assert_eq!(open(folder.path(), START_MS).events(usize::MAX), alerts.events(usize::MAX));
}

#[test]
fn a_black_box_that_could_not_be_written_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut alerts = open(folder.path(), START_MS);
    let mut recent = recent();
    alerts.record(START_MS, &[change(AlertChange::Raised, "a")]);
    recent.push(START_MS, &[1, 1, 0]);
    let in_the_way = folder.path().join("black-box-1.json.zst.tmp");
    fs::create_dir(&in_the_way).unwrap();
    alerts.tick(START_MS + 600_000, &recent);
    assert!(alerts.events(1)[0].black_box, "it may still come");
    fs::remove_dir(&in_the_way).unwrap();
    alerts.tick(START_MS + 659_999, &recent);
    assert!(!folder.path().join("black-box-1.json.zst").exists(), "not each second");
    alerts.tick(START_MS + 660_000, &recent);
    assert!(folder.path().join("black-box-1.json.zst").exists());

    alerts.record(START_MS, &[change(AlertChange::Raised, "b")]);
    fs::create_dir(folder.path().join("black-box-2.json.zst.tmp")).unwrap();
    for minute in 10..21 {
        alerts.tick(START_MS + minute * 60_000, &recent);
    }
    assert!(!alerts.events(1)[0].black_box, "it is given up when its seconds are forgotten");
}

#[test]
fn the_file_is_bounded_and_old_events_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut alerts = open(folder.path(), START_MS);
    alerts.record(START_MS - 200 * 86_400_000, &[change(AlertChange::Cleared, "old")]);
    for _ in 0..KEPT_ANYWAY {
        alerts.record(START_MS - 80 * 86_400_000, &[change(AlertChange::Cleared, "kept")]);
    }
    assert!(alerts.events(usize::MAX).iter().all(|event| event.flag.id == "kept"));
    alerts.record(START_MS + 400 * 86_400_000, &[change(AlertChange::Cleared, "wrong clock")]);
    assert_eq!(
        alerts.events(usize::MAX).len(),
        KEPT_ANYWAY,
        "a clock that is wrong does not cost everything"
    );
    let long = Flag { reason: "because ".repeat(60), ..flag("long") };
    let long = Change { flag: long, ..change(AlertChange::Cleared, "long") };
    for _ in 0..12_000 {
        alerts.record(START_MS, std::slice::from_ref(&long));
    }
    let bytes = fs::metadata(folder.path().join("alerts.jsonl")).unwrap().len();
    assert!(bytes <= log::MAX_BYTES && bytes > log::MAX_BYTES / 2, "{bytes}");
    let known = alerts.events(usize::MAX);
    assert!(known.len() <= MAX_EVENTS && known[0].id == 12_002 + KEPT_ANYWAY as u64);
    assert_eq!(open(folder.path(), START_MS).events(usize::MAX), known);
}

#[test]
fn a_link_at_the_place_of_the_file_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, folder.path().join("alerts.jsonl")).unwrap();
    let error = Alerts::open(folder.path(), START_MS, Arc::default()).unwrap_err();
    assert!(error.to_string().ends_with("something else lies there; move it away"), "{error}");
    assert_eq!(fs::read(victim).unwrap(), b"precious");
}

#[test]
fn a_black_box_has_ten_minutes_before_and_after_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let mut alerts = open(folder.path(), START_MS);
    let mut recent = recent();
    for second in 0..=1_500_u64 {
        let at_ms = START_MS + second as i64 * 1_000 + 7;
        recent.push(at_ms, &[second * 10, second % 5, 0]);
        if second == 700 {
            alerts.record(at_ms, &[change(AlertChange::Raised, "a"), change(AlertChange::Cleared, "x")]);
        }
        alerts.tick(at_ms, &recent);
        if second == 710 {
            let now = alerts.black_box(1, &recent).unwrap();
            assert_eq!(now.series[0].values.len(), 611);
        }
    }
    let kept = alerts.black_box(1, &recent).unwrap();
    assert_eq!((kept.from_secs, kept.step_secs), (START_MS / 1_000 + 100, 1));
    let names: Vec<_> =
        kept.series.iter().map(|series| (series.name.as_str(), series.values.len())).collect();
    assert_eq!(names, [("a", 1_201), ("b", 1_201)]);
    assert_eq!(kept.series[0].values[..2], [None, Some(10.0)]);
    assert_eq!(kept.series[1].values[1_200], Some(0.0));
    assert_eq!(alerts.black_box(2, &recent), None, "nothing is kept of what goes");
    let reopened = open(folder.path(), START_MS);
    assert_eq!(reopened.black_box(1, &self::recent()), Some(kept));
    let newest_first: Vec<_> = reopened.events(9).iter().map(|event| event.black_box).collect();
    assert_eq!(newest_first, [false, false, true]);
}

#[test]
fn black_boxes_are_written_at_the_end_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut alerts = open(folder.path(), START_MS);
    let mut recent = recent();
    recent.push(START_MS, &[1, 1, 1]);
    for _ in 0..130 {
        alerts.record(START_MS, &[change(AlertChange::Raised, "a")]);
    }
    alerts.close(&recent);
    let boxes = fs::read_dir(folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("black-box-"));
    assert_eq!(boxes.count(), 100);
    assert!(alerts.black_box(30, &recent).is_none() && alerts.black_box(31, &recent).is_some());
    fs::write(folder.path().join("black-box-31.json.zst"), "nonsense").unwrap();
    assert_eq!(alerts.black_box(31, &recent), None);
}

#[test]
fn how_an_event_was_delivered_is_kept_and_what_nobody_was_told_of_is_still_news_for_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let mut alerts = open(folder.path(), START_MS);
    let changes = [change(AlertChange::Raised, "a"), change(AlertChange::Cleared, "a")];
    let recorded: Vec<_> =
        alerts.record(START_MS, &changes).iter().map(|event| (event.id, event.change)).collect();
    assert_eq!(recorded, [(1, AlertChange::Raised), (2, AlertChange::Cleared)]);
    let delivery = Delivery { webhook: "phone".to_owned(), delivered: true, attempts: 2, error: None };
    alerts.delivered(1, delivery.clone());
    alerts.delivered(9, delivery.clone());
    drop(alerts);
    let alerts = open(folder.path(), START_MS + 60_000);
    assert_eq!(alerts.events(9)[1].deliveries, [delivery]);
    let untold = |at_ms| alerts.untold(at_ms).map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(untold(START_MS + 60_000), [2], "what was taken is not sent again");
    assert!(untold(START_MS + 4_000_000).is_empty(), "what is old is no news");
}

proptest! {
    #[test]
    fn no_content_of_the_file_is_fatal_or_costs_ids(content in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("alerts.jsonl"), content).unwrap();
        let mut alerts = open(folder.path(), START_MS);
        alerts.record(START_MS, &[change(AlertChange::Cleared, "a")]);
        prop_assert_eq!(open(folder.path(), START_MS).events(9), alerts.events(9));
    }
}
