//! A clock that jumps: a machine without a battery for it starts in the past and is set right while the program runs.

use crate::binary;
use crate::kept::{demand, hash, observer, publish_all, ready};
use std::ffi::OsStr;
use std::path::Path;
use testkit::{LiveFeed, Server};

/// The library that shows a program another time; where systems put it.
fn library() -> Option<std::path::PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let folders = folders.chain(["/usr/lib64".into(), "/usr/lib".into(), "/usr/local/lib".into()]);
    let found = folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: libfaketime is not installed; jumps of the clock were not tested");
    }
    found
}

/// Moves the clock of the program by so much from the true time.
fn set(file: &Path, offset: &str) {
    // Renamed over the old one, because the program may read it at any moment.
    let aside = file.with_extension("new");
    std::fs::write(&aside, format!("{offset}\n")).expect("written");
    std::fs::rename(aside, file).expect("renamed");
}

/// The day on which this packet was first heard, as the program has it.
fn day_of(server: &Server, number: u32) -> String {
    let packet = server.get(&format!("/api/packets/{}", hash(number))).json();
    let packet = if packet["packet"].is_object() { &packet["packet"] } else { &packet };
    packet["first_seen"].as_str().unwrap_or_else(|| panic!("a time: {packet}"))[..10].to_owned()
}

#[test]
fn a_clock_that_jumps_a_day_forward_and_back_loses_and_doubles_nothing() {
    let Some(library) = library() else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = folder.path().join("data");
    let offset = folder.path().join("offset");
    let environment: [(&str, &OsStr); 4] = [
        ("LD_PRELOAD", library.as_os_str()),
        ("FAKETIME_TIMESTAMP_FILE", offset.as_os_str()),
        ("FAKETIME_NO_CACHE", OsStr::new("1")),
        // A clock that is set does not move the one that pauses are measured by.
        ("FAKETIME_DONT_FAKE_MONOTONIC", OsStr::new("1")),
    ];
    set(&offset, "+0");
    let mut server = Server::start_with(&binary(), &data, &[], &environment);
    let mut feed = LiveFeed::open(&server.web);
    let mut promised = publish_all(&server.mqtt, &observer(1), 0..100);
    for (jump, first) in [("+1d", 100), ("-1d", 200), ("+0", 300)] {
        set(&offset, jump);
        promised.extend(publish_all(&server.mqtt, &observer(1), first..first + 100));
        // The same packets from another observer, so that hearings of one packet lie on both sides of the jump.
        promised.extend(publish_all(&server.mqtt, &observer(2), first - 50..first + 50));
    }
    demand(&server, &promised);
    // Each of these was heard under one clock only: the program did see another time, or this would say nothing.
    let days = [day_of(&server, 225), day_of(&server, 375), day_of(&server, 125)];
    assert!(days.is_sorted() && days[0] < days[1] && days[1] < days[2], "{days:?}");

    // Live, they came in the order in which they were published, whatever the clock said.
    let frames: Vec<i64> = (0..promised.len())
        .map(|_| feed.frame()["data"]["observation_id"].as_i64().expect("an id"))
        .collect();
    assert_eq!(frames.iter().collect::<std::collections::BTreeSet<_>>().len(), promised.len());
    assert!(frames.is_sorted(), "{frames:?}");

    // After a kill and a start in the past, everything is known again.
    server.kill();
    set(&offset, "-1d");
    let server = Server::start_with(&binary(), &data, &[], &environment);
    ready(&server);
    promised.extend(publish_all(&server.mqtt, &observer(1), 0..500));
    demand(&server, &promised);
    assert_eq!(server.get("/api/perf").status, 200);
}
