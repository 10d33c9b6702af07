//! A database of CoreScope, taken over by the real program, also when that is killed on the way, and served.

use crate::binary;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use simulator::{Mesh, SimConfig};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;
use testkit::{Age, CoreScopeDb, Publisher, Server, eventually};

/// Where CoreScope's database and ours lie.
struct Place {
    folder: TempDir,
}

impl Place {
    /// With a database of CoreScope made of this many messages.
    fn with_messages(count: usize) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a scratch folder") };
        let mut db = CoreScopeDb::create(&place.theirs(), Age::Today);
        let config =
            SimConfig { nodes: 80, observers: 10, packets_per_hour: 36_000.0, ..SimConfig::default() };
        db.fill(Mesh::new(config).take(count));
        db.execute("UPDATE observations SET observer_idx = NULL WHERE id % 100 = 7");
        db.finish();
        place
    }

    fn theirs(&self) -> PathBuf {
        self.folder.path().join("meshcore.db")
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, data: &Path) -> Command {
        let mut command = Command::new(binary());
        command.arg("import").arg(self.theirs()).arg("--data-dir").arg(data).current_dir(self.folder.path());
        command
    }

    fn import(&self, data: &Path) -> String {
        said(&self.command(data).output().expect("the program starts"))
    }
}

/// What a program that ended well printed.
fn said(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

/// What a program said that did not.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !text.contains("panicked"), "{text}");
    text
}

/// Every row of our database, and how many of them are observations.
fn rows(data: &Path) -> (Vec<Vec<Value>>, usize) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let conn = Connection::open_with_flags(data.join("analyzer.db"), flags).expect("our database");
    let mut all = Vec::new();
    let mut observations = 0;
    for table in [
        "heads",
        "observers",
        "nodes",
        "transmissions",
        "observer_metrics",
        "dropped_packets",
        "client_observers",
        "client_receptions",
        "observations",
    ] {
        let mut statement = conn.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).expect("a table");
        let columns = statement.column_count();
        let read = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
        let read: Vec<Vec<Value>> = read.expect("rows").map(|row| row.expect("a row")).collect();
        observations = read.len();
        all.extend(read);
    }
    (all, observations)
}

/// Observations that are committed.
fn stored(data: &Path) -> usize {
    let conn = Connection::open_with_flags(data.join("analyzer.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let count = |conn: Connection| {
        conn.query_row("SELECT coalesce(max(id), 0) FROM observations", [], |row| row.get::<_, i64>(0))
    };
    // There may be no file or no table yet.
    conn.and_then(count).map_or(0, |count| count as usize)
}

fn count(db: &Path, sql: &str) -> u64 {
    let conn = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    conn.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number") as u64
}

#[test]
fn what_was_imported_is_served_as_corescope_counted_it() {
    let place = Place::with_messages(4_000);
    let data = place.data("data");
    let report = place.import(&data);
    assert!(report.contains("imported into") && report.contains("observer unknown"), "{report}");

    // What was imported is older than the week after which nodes leave the list.
    let config = place.folder.path().join("config.json");
    std::fs::write(&config, r#"{"retention": {"nodeDays": -1}}"#).expect("written");
    let config = config.to_string_lossy();
    let server = Server::start_in(&binary(), &data, &["--mqtt", "off", "--config", &config]);
    let theirs = |sql: &str| count(&place.theirs(), sql);
    let stats = eventually("the history", || {
        let stats = server.get("/api/stats").json();
        (stats["totalTransmissions"] == theirs("SELECT count(*) FROM transmissions")).then_some(stats)
    });
    // Hearings of nobody known share one observer, so some of them are one.
    let merged = theirs(
        "SELECT count(*) - count(DISTINCT transmission_id || path_json) FROM observations WHERE observer_idx IS NULL",
    );
    assert_eq!(stats["totalObservations"], theirs("SELECT count(*) FROM observations") - merged);
    assert_eq!(stats["totalObservers"], theirs("SELECT count(*) FROM observers") + 1);
    assert_eq!(stats["totalNodesAllTime"], theirs("SELECT count(*) FROM nodes"));

    let nodes = server.get("/api/nodes?limit=2000").json();
    let found: Vec<(String, String, u64)> =
        nodes["nodes"].as_array().expect("nodes").iter().map(node).collect();
    let conn = Connection::open(place.theirs()).expect("theirs");
    let mut statement = conn.prepare("SELECT public_key, role, advert_count FROM nodes").expect("nodes");
    let wanted = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64)));
    let mut wanted: Vec<(String, String, u64)> = wanted.expect("rows").map(Result::unwrap).collect();
    wanted.sort();
    let mut found = found;
    found.sort();
    assert_eq!(found, wanted);
    assert_eq!(server.get("/api/observers/unknown").status, 200);
}

fn node(row: &serde_json::Value) -> (String, String, u64) {
    let text = |key: &str| row[key].as_str().expect("a text").to_owned();
    (text("public_key"), text("role"), row["advert_count"].as_u64().expect("a count"))
}

#[test]
fn beside_what_was_heard_live_it_adds_only_what_live_has_missed() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let place = Place { folder };
    let data = place.data("data");
    let total = |server: &Server, key: &str| server.get("/api/stats").json()[key].as_u64().expect("a count");
    let mut server = Server::start_in(&binary(), &data, &[]);
    let mut publisher = Publisher::connect(&server.mqtt);
    for message in simulator::capture() {
        publisher.publish(&message.topic, message.payload.as_bytes());
    }
    let sent = simulator::capture().len() as u64;
    eventually("all of the capture", || {
        (server.get("/api/ingest").json()["received"].as_u64() == Some(sent)).then_some(())
    });
    let [observations, observers] = ["totalObservations", "totalObservers"].map(|key| total(&server, key));
    assert!(server.terminate());

    // CoreScope has heard the same and, from other observers, some more.
    let mut db = CoreScopeDb::create(&place.theirs(), Age::Today);
    db.fill(simulator::capture());
    let more = db.fill(Mesh::new(SimConfig { nodes: 80, observers: 10, ..SimConfig::default() }).take(500));
    db.finish();
    let known = place.import(&data);
    assert!(!known.contains("refused  "), "{known}");

    let server = Server::start_in(&binary(), &data, &["--mqtt", "off"]);
    eventually("both histories", || {
        (total(&server, "totalObservations") == observations + more).then_some(())
    });
    assert!(total(&server, "totalObservers") > observers);
}

#[test]
fn killed_in_the_middle_and_run_again_it_gives_what_one_go_gives() {
    let place = Place::with_messages(120_000);
    let (whole, cut) = (place.data("whole"), place.data("cut"));
    place.import(&whole);
    let (wanted, total) = rows(&whole);

    for kill in 0..3 {
        let mut child =
            place.command(&cut).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let before = stored(&cut);
        eventually("some rows are committed", || {
            let ended = child.try_wait().expect("a child").is_some();
            (ended || stored(&cut) > before).then_some(())
        });
        child.kill().expect("it can be killed");
        child.wait().expect("it has ended");
        let here = stored(&cut);
        println!("kill {kill}: {here} of {total} observations");
        assert!(
            kill > 0 || (here > 0 && here < total),
            "the first kill was in the middle: {here} of {total}"
        );
    }
    place.import(&cut);
    let (found, _) = rows(&cut);
    assert_eq!(found.len(), wanted.len());
    assert!(found == wanted, "rows differ");
    assert!(place.import(&cut).contains("had everything already"));
}

#[test]
fn a_dry_run_makes_not_even_the_folder() {
    let place = Place::with_messages(500);
    let data = place.data("data");
    let said = said(&place.command(&data).arg("--dry-run").output().expect("the program starts"));
    assert!(said.contains("nothing was written") && said.contains("observations"), "{said}");
    assert!(!data.exists());
    // What it said is what happens.
    let table =
        |text: &str| text.lines().take_while(|line| !line.contains(" a second")).map(str::to_owned).collect();
    let dry: Vec<String> = table(&said);
    let real: Vec<String> = table(&place.import(&data));
    assert_eq!(dry, real);
}

#[test]
fn a_running_program_is_not_disturbed_and_named() {
    let place = Place::with_messages(100);
    let data = place.data("data");
    let server = Server::start_in(&binary(), &data, &["--mqtt", "off"]);
    let text = complaint(&place.command(&data).output().expect("the program starts"));
    assert!(text.contains(&server.pid().to_string()) && text.contains("stop it first"), "{text}");
}

#[test]
fn what_is_no_database_of_corescope_is_refused_before_anything_is_made() {
    let place = Place::with_messages(100);
    let (data, imported) = (place.data("data"), place.data("imported"));
    place.import(&imported);
    std::fs::remove_file(place.theirs()).expect("removed");
    let refusal = || complaint(&place.command(&data).output().expect("the program starts"));
    assert!(refusal().contains("there is no file"));
    std::fs::write(place.theirs(), "notes").expect("written");
    assert!(refusal().contains("is no SQLite database"));
    std::fs::copy(imported.join("analyzer.db"), place.theirs()).expect("copied");
    assert!(refusal().contains("database of meshcore-analyzer already"));
    std::fs::remove_file(place.theirs()).expect("removed");
    Connection::open(place.theirs())
        .expect("opened")
        .execute_batch("CREATE TABLE songs (title)")
        .expect("made");
    assert!(refusal().contains("no database of CoreScope"));
    assert!(!data.exists());
}
