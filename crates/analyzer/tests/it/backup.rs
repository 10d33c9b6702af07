//! Backup and restore of the real program, while it runs and after.

use crate::{binary, capture_lines, run_in};
use serde_json::json;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use testkit::{HttpClient, Publisher, Server, eventually};

const KEY: &str = "correct horse battery staple";

/// A frame that no other number gives: an acknowledgement of four bytes.
fn frame(number: u32) -> String {
    format!("0E00{number:08X}")
}

/// Publishes frame after frame with QoS 1, a few at a time, until told to stop. Both counts are of frames.
fn publish_acknowledged(address: &str, stop: &AtomicBool, sent: &AtomicU32, acknowledged: &AtomicU32) {
    const WINDOW: u32 = 40;
    const CONNECT: &[u8] = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04load";
    let mut stream = TcpStream::connect(address).expect("the broker accepts");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket option");
    stream.write_all(CONNECT).expect("sent");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).expect("a CONNACK");
    assert_eq!(answer, [0x20, 2, 0, 0]);
    let topic = format!("meshcore/AMS/{}/packets", "4F".repeat(32));
    while !stop.load(Ordering::SeqCst) {
        for _ in 0..WINDOW {
            let number = sent.fetch_add(1, Ordering::SeqCst);
            let payload = json!({"raw": frame(number), "origin": "load"}).to_string();
            let mut body = (topic.len() as u16).to_be_bytes().to_vec();
            body.extend(topic.as_bytes());
            body.extend((number as u16 + 1).to_be_bytes());
            body.extend(payload.as_bytes());
            // Between 128 and 16,383 bytes the length takes two.
            let mut packet = vec![0x32, (body.len() % 128) as u8 | 0x80, (body.len() / 128) as u8];
            packet.extend(body);
            stream.write_all(&packet).expect("sent");
        }
        for _ in 0..WINDOW {
            stream.read_exact(&mut answer).expect("a PUBACK");
            let number = acknowledged.load(Ordering::SeqCst);
            assert_eq!((answer[0], answer[1]), (0x40, 2));
            assert_eq!(u16::from_be_bytes([answer[2], answer[3]]), number as u16 + 1, "in order");
            acknowledged.store(number + 1, Ordering::SeqCst);
        }
    }
}

/// The frames that a program shows, by number, lowest first.
fn shown(server: &Server) -> Vec<String> {
    eventually("the history", || (server.get("/api/healthz").status == 200).then_some(()));
    let list = server.get("/api/packets?limit=10000").json();
    let mut frames: Vec<String> = list["packets"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["raw_hex"].as_str().expect("hex").to_uppercase())
        .collect();
    frames.sort();
    frames
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    entries.map(|name| name.into_string().expect("text")).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// The recorded packets in a folder, and the program stopped.
fn filled(data: &Path) {
    let mut server = Server::start_in(&binary(), data, &[]);
    publish_capture(&server);
    assert!(server.terminate(), "{:?}", server.output());
}

fn publish_capture(server: &Server) {
    let mut publisher = Publisher::connect(&server.mqtt);
    let lines = capture_lines();
    for line in &lines {
        publisher.publish(line["topic"].as_str().expect("a topic"), line["payload"].to_string().as_bytes());
    }
    eventually("all of the capture", || {
        (server.get("/api/ingest").json()["received"].as_u64() == Some(lines.len() as u64)).then_some(())
    });
}

#[test]
fn a_backup_under_load_is_a_prefix_of_what_was_acknowledged_and_comes_back() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let server = Server::start_in(&binary(), &scratch.path().join("data"), &[]);
    let (stop, sent, acknowledged) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    let now = |count: &AtomicU32| count.load(Ordering::SeqCst);
    let file = scratch.path().join("copy.db");
    let (before, after) = std::thread::scope(|scope| {
        scope.spawn(|| publish_acknowledged(&server.mqtt, &stop, &sent, &acknowledged));
        eventually("some acknowledgements", || (now(&acknowledged) >= 200).then_some(()));
        let before = now(&acknowledged);
        let args = ["backup", text(&file), "--data-dir", text(server.data()), "--rate", "0.05"];
        let (good, out, err) = run_in(scratch.path(), &args);
        let (during, after) = (now(&acknowledged) - before, now(&sent));
        stop.store(true, Ordering::SeqCst);
        assert!(good, "{err}");
        assert!(out.contains("no damage"), "{out}");
        assert!(during > 0, "the program went on acknowledging while the backup was made");
        (before, after)
    });
    assert_eq!(names(scratch.path()).iter().filter(|name| name.contains(".part")).count(), 0);

    let data = scratch.path().join("restored");
    let (good, _, err) = run_in(scratch.path(), &["restore", text(&file), "--data-dir", text(&data)]);
    assert!(good, "{err}");
    let restored = Server::start_in(&binary(), &data, &[]);
    let frames = shown(&restored);
    let count = u32::try_from(frames.len()).expect("few");
    assert!((before..=after).contains(&count), "{count} packets, {before} acknowledged, {after} sent");
    assert_eq!(frames, (0..count).map(frame).collect::<Vec<_>>());
}

#[test]
fn the_api_gives_a_backup_that_can_be_restored_and_leaves_no_file() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let config = scratch.path().join("config.json");
    fs::write(&config, json!({"apiKey": KEY}).to_string()).expect("written");
    let data = scratch.path().join("data");
    let server = Server::start_in(&binary(), &data, &["--config", text(&config)]);
    publish_capture(&server);
    let frames = shown(&server);
    assert_eq!(server.get("/api/backup").status, 401);
    // A client that goes away before anything came.
    let mut gone = TcpStream::connect(&server.web).expect("the server accepts");
    let request = format!("GET /api/backup HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n\r\n");
    gone.write_all(request.as_bytes()).expect("sent");
    drop(gone);
    let mut client = HttpClient::new(&server.web);
    // The one that was left behind may still be ending.
    let answer = eventually("a backup", || {
        let answer = client.request("GET", "/api/backup", &[("X-API-Key", KEY)], b"");
        (answer.status != 409).then_some(answer)
    });
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    eventually("no file beside the database", || {
        (!names(&data).iter().any(|name| name.contains("part"))).then_some(())
    });
    let file = scratch.path().join("downloaded.db");
    fs::write(&file, &answer.body).expect("written");
    let restored = scratch.path().join("restored");
    let (good, _, err) = run_in(scratch.path(), &["restore", text(&file), "--data-dir", text(&restored)]);
    assert!(good, "{err}");
    assert_eq!(shown(&Server::start_in(&binary(), &restored, &["--mqtt", "off"])), frames);
}

#[test]
fn restoring_over_a_database_asks_for_force_and_keeps_the_old_one() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let folder = scratch.path();
    let (data, file) = (folder.join("data"), folder.join("copy.db"));
    filled(&data);
    let backup = ["backup", text(&file), "--data-dir", text(&data)];
    assert!(run_in(folder, &backup).0);
    let (good, _, err) = run_in(folder, &backup);
    assert!(!good && err.contains("exists already") && err.contains("--force"), "{err}");

    let restore = ["restore", text(&file), "--data-dir", text(&data)];
    let (good, _, err) = run_in(folder, &restore);
    assert!(!good && err.contains("--force"), "{err}");
    let forced = [&restore[..], &["--force"]].concat();
    {
        let server = Server::start_in(&binary(), &data, &["--mqtt", "off"]);
        let (good, _, err) = run_in(folder, &forced);
        assert!(!good && err.contains(&format!("in use by process {}", server.pid())), "{err}");
    }
    let (good, out, err) = run_in(folder, &forced);
    assert!(good && out.contains("kept as"), "{out} {err}");
    let kept: Vec<String> =
        names(&data).into_iter().filter(|name| name.starts_with("analyzer.db.before-restore-2")).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    // What was kept is a database, too: it can be restored in its turn.
    let kept = data.join(&kept[0]);
    let again = folder.join("again");
    let (good, _, err) = run_in(folder, &["restore", text(&kept), "--data-dir", text(&again)]);
    assert!(good, "{err}");
    let frames = shown(&Server::start_in(&binary(), &data, &["--mqtt", "off"]));
    assert!(!frames.is_empty());
    assert_eq!(shown(&Server::start_in(&binary(), &again, &["--mqtt", "off"])), frames);
}

#[test]
fn a_torn_or_foreign_file_is_refused_with_a_sentence() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let folder = scratch.path();
    let (data, file) = (folder.join("data"), folder.join("copy.db"));
    filled(&data);
    assert!(run_in(folder, &["backup", text(&file), "--data-dir", text(&data)]).0);
    let whole = fs::read(&file).expect("a backup");
    let before = fs::read(data.join("analyzer.db")).expect("a database");
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&999_u32.to_be_bytes());
    let mut foreign = whole.clone();
    foreign[68..72].copy_from_slice(&7_u32.to_be_bytes());
    let cases: [(&[u8], &str); 4] = [
        (&whole[..whole.len() / 2], "is not sound"),
        (b"a shopping list", "is not a database"),
        (&newer, "use a newer release"),
        (&foreign, "another program"),
    ];
    for (content, words) in cases {
        let bad = folder.join("bad.db");
        fs::write(&bad, content).expect("written");
        let (good, _, err) = run_in(folder, &["restore", text(&bad), "--data-dir", text(&data), "--force"]);
        assert!(!good && err.contains(words) && err.contains("bad.db"), "{words}: {err}");
    }
    assert_eq!(fs::read(data.join("analyzer.db")).expect("still there"), before);
}

#[test]
fn a_disk_that_is_full_gives_an_error_and_leaves_no_file() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let folder = scratch.path();
    let data = folder.join("data");
    filled(&data);
    let file = folder.join("copy.db");
    // A limit on the size of files stands for the disk; the signal that comes with it must not end the program.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" backup \"$1\" --data-dir \"$2\"";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(binary())
        .args([&file, &data])
        .current_dir(folder)
        .output()
        .expect("a shell");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && err.contains("cannot back up to"), "{err}");
    assert_eq!(names(folder), ["data"]);
}

#[test]
fn a_rate_that_is_none_and_a_missing_database_are_said() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let (good, _, err) = run_in(scratch.path(), &["backup", "x.db", "--rate=-1"]);
    assert!(!good && err.contains("millions of bytes a second"), "{err}");
    let (good, _, err) = run_in(scratch.path(), &["backup", "x.db"]);
    assert!(!good && err.contains("there is no database at data/analyzer.db"), "{err}");
    assert!(names(scratch.path()).is_empty());
}
