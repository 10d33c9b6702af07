//! The Write X-ray on the real program. The first eight tests are the failures of the incumbent, one each; those that need
//! no process are beside the code that they test (`xray`, `stats_file.rs`).

use crate::binary;
use crate::xray_receiver::Receiver;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;
use testkit::{AckedPublisher, HttpClient, Publisher, Server, eventually};

const TOPIC: &str = "meshcore/SFO/00000000000000000000000000000000000000000000000000000000000000AA/packets";
const KEY: &str = "correct horse battery staple";

/// Switches on the job that rewrites rows; only a debug build knows it. The value is rows for each step.
const REWRITE: &str = "ANALYZER_DEBUG_REWRITE";

fn message(number: u32) -> String {
    format!(r#"{{"raw":"0D00{number:08X}","SNR":7,"RSSI":-88}}"#)
}

/// A data folder in which some thousand observations lie, so that there is something to rewrite.
fn data_with_rows(folder: &Path) {
    let mut server = Server::start_in(&binary(), folder, &[]);
    let mut publisher = AckedPublisher::connect(&server.mqtt, "filling", 100).expect("the broker takes us");
    for number in 0..3_000 {
        publisher.publish(TOPIC, message(number).as_bytes()).expect("the broker takes it");
    }
    publisher.settle().expect("all are stored");
    assert!(server.terminate());
}

fn configuration(folder: &Path, content: &Value) -> String {
    let path = folder.join("config.json");
    std::fs::write(&path, content.to_string()).expect("the configuration can be written");
    path.display().to_string()
}

fn rewriting(data: &Path, rows: &str, config: &str) -> Server {
    Server::start_with(&binary(), data, &["--config", config], &[(REWRITE, OsStr::new(rows))])
}

/// The flags about a subject.
fn flags_about(client: &mut HttpClient, name: &str) -> Vec<Value> {
    let alerts = client.get("/api/alerts").json();
    let active = alerts["active"].as_array().expect("flags are a list").clone();
    active.into_iter().filter(|flag| flag["subject"]["name"] == name).collect()
}

fn job(client: &mut HttpClient, name: &str) -> Value {
    let jobs = client.get("/api/jobs").json();
    let found = jobs["jobs"].as_array().expect("jobs are a list").iter().find(|job| job["name"] == name);
    found.unwrap_or_else(|| panic!("no job {name} in {jobs}")).clone()
}

#[test]
fn a_loop_that_has_rewritten_rows_since_boot_is_named_everywhere_with_the_page_closed() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let data = scratch.path().join("data");
    data_with_rows(&data);
    let receiver = Receiver::start();
    let hook = json!({"name": "test", "url": receiver.url(), "kind": "json"});
    let config = configuration(scratch.path(), &json!({"alerts": {"webhooks": [hook]}}));
    let server = rewriting(&data, "200", &config);
    // Nothing is asked of the program until it has spoken by itself.
    let told = eventually("a message at the webhook", || {
        receiver.bodies().into_iter().find(|body| body["flag"]["subject"]["name"] == "rewrite")
    });
    assert_eq!(told["change"], "raised");
    let reason = told["flag"]["reason"].as_str().expect("a reason in words");
    assert!(reason.contains("without changing"), "{reason}");

    let mut client = server.client();
    let since = client.get("/api/ingest").json()["since"].as_str().expect("a time").to_owned();
    let started = since.parse::<jiff::Timestamp>().expect("a time in RFC 3339");
    let after_ms = told["at_ms"].as_i64().expect("a time") - started.as_millisecond();
    assert!(
        (0..30_000).contains(&after_ms),
        "flagged {after_ms} ms after the start, by the program's own clock"
    );

    let flags = flags_about(&mut client, "rewrite");
    assert!(flags.iter().any(|flag| flag["rule"] == "no_op"), "{flags:?}");
    let verdict = client.get("/api/alerts").json()["verdict"].clone();
    assert_ne!(verdict["level"], "ok");
    assert!(verdict["text"].as_str().is_some_and(|text| text.contains("rewrite")), "{verdict}");
    let metrics = String::from_utf8(client.get("/metrics").body).expect("text");
    assert!(metrics.contains("meshcore_analyzer_alert_active{id=\"rewrite.no_op\""), "{metrics}");
    let url = format!("http://{}", server.web);
    let (ok, shown, said) = crate::run_in(scratch.path(), &["top", "--once", "--url", &url]);
    assert!(ok, "{said}");
    assert!(shown.contains("rewrite"), "{shown}");
    let report = job(&mut client, "rewrite");
    assert!(report["no_op_ratio"].as_f64().is_some_and(|ratio| ratio > 0.9), "{report}");
}

#[test]
fn a_job_that_wants_a_million_rows_a_minute_is_braked_and_ingest_keeps_its_rate() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let data = scratch.path().join("data");
    data_with_rows(&data);
    let config = configuration(scratch.path(), &json!({"apiKey": KEY}));
    let server = rewriting(&data, "1000", &config);
    let mut client = server.client();
    eventually("the brake", || {
        let flagged = flags_about(&mut client, "rewrite").iter().any(|flag| flag["rule"] == "budget");
        let held = job(&mut client, "rewrite")["braked_ms"].as_u64().unwrap_or(0) > 0;
        (flagged && held).then_some(())
    });
    // 200 messages a second for some seconds, all acknowledged, beside the job.
    let mut publisher = AckedPublisher::connect(&server.mqtt, "beside", 50).expect("the broker takes us");
    for number in 10_000..12_000 {
        publisher.publish(TOPIC, message(number).as_bytes()).expect("the broker takes it");
    }
    publisher.settle().expect("each is answered");
    let report = job(&mut client, "rewrite");
    let (budget, rate) = (report["budget_bytes_per_sec"].as_f64(), report["bytes_per_sec"].as_f64());
    assert!(rate <= budget.map(|budget| budget * 3.0), "{report}");
    assert!(flags_about(&mut client, "packets").is_empty(), "ingest is not to blame");

    let pause = json!({"action": "pause"}).to_string();
    let keyless = client.request("POST", "/api/jobs/rewrite", &[], pause.as_bytes());
    assert_eq!(keyless.status, 401);
    let paused = client.request("POST", "/api/jobs/rewrite", &[("X-API-Key", KEY)], pause.as_bytes());
    assert_eq!((paused.status, &paused.json()["state"]), (200, &json!("paused")));
    let examined = eventually("the end of its step", || {
        let before = job(&mut client, "rewrite")["examined"].as_u64();
        std::thread::sleep(Duration::from_millis(500));
        (job(&mut client, "rewrite")["examined"].as_u64() == before).then_some(before)
    });
    let resume = json!({"action": "resume"}).to_string();
    client.request("POST", "/api/jobs/rewrite", &[("X-API-Key", KEY)], resume.as_bytes());
    eventually("it to go on", || (job(&mut client, "rewrite")["examined"].as_u64() > examined).then_some(()));
}

#[test]
fn clients_that_poll_at_different_paces_see_the_same_rates() {
    let server = Server::start(&binary(), &[]);
    let mut publisher = Publisher::connect(&server.mqtt);
    (0..500).for_each(|number| publisher.publish(TOPIC, message(number).as_bytes()));
    let mut hasty = server.client();
    let mut calm = server.client();
    // The sample that an answer is of names the answer; whoever asks between two samples gets the same.
    for _ in 0..20 {
        eventually("both answers from one sample", || {
            (0..5).for_each(|_| drop(hasty.get("/api/perf/io")));
            let (one, other) = (hasty.get("/api/perf/io").json(), calm.get("/api/perf/io").json());
            if one["sampledAt"] != other["sampledAt"] {
                return None;
            }
            assert_eq!(one, other);
            Some(())
        });
        std::thread::sleep(Duration::from_millis(50));
    }
    let io = calm.get("/api/perf/io").json();
    for figure in
        ["readBytesPerSec", "writeBytesPerSec", "cancelledWriteBytesPerSec", "syscallsRead", "syscallsWrite"]
    {
        assert!(io[figure].as_f64().is_some_and(|rate| rate >= 0.0), "{figure} in {io}");
    }
}

#[test]
fn rates_are_there_from_the_first_call_on() {
    let server = Server::start(&binary(), &[]);
    let mut client = server.client();
    let first = eventually("a second sample", || {
        let io = client.get("/api/perf/io").json();
        (io["windowMs"].as_u64()? > 0).then_some(io)
    });
    assert_eq!(first["available"], true);
    assert!(first["syscallsRead"].as_f64().is_some_and(|rate| rate > 0.0), "{first}");
}

#[test]
fn history_and_alerts_are_there_after_a_kill() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let data = scratch.path().join("data");
    data_with_rows(&data);
    // A clean stop writes what there is; a kill leaves what was written before.
    let count = |server: &Server| {
        let answer = server.get("/api/perf/history?series=rows.obs_inserted,wal.bytes&step=1").json();
        let values = answer["series"][0]["values"].as_array().expect("values").clone();
        let total: f64 = values.iter().filter_map(Value::as_f64).sum();
        total.round() as u64
    };
    // A window ends before the second that is not over, which may be the one in which the rows were written.
    let eventually_all =
        |what: &str, server: &Server| eventually(what, || (count(server) == 3_000).then_some(()));
    let mut server = Server::start_in(&binary(), &data, &[]);
    eventually_all("the rows of the process before", &server);
    server.kill();
    let server = Server::start_in(&binary(), &data, &[]);
    eventually_all("the same rows after a kill", &server);
}

#[test]
fn a_burst_at_the_start_does_not_cry_wolf() {
    let server = Server::start(&binary(), &[]);
    let mut publisher =
        AckedPublisher::connect(&server.mqtt, "catching-up", 500).expect("the broker takes us");
    for number in 0..20_000 {
        publisher.publish(TOPIC, message(number).as_bytes()).expect("the broker takes it");
    }
    publisher.settle().expect("all are stored");
    let mut client = server.client();
    // Until the verdict is in: it says that it is too early before.
    let alerts = eventually("a verdict", || {
        let alerts = client.get("/api/alerts").json();
        (alerts["verdict"]["level"] != "unknown").then_some(alerts)
    });
    assert_eq!(alerts["active"], json!([]), "{alerts}");
    assert_eq!(alerts["events"], json!([]), "{alerts}");
}

#[test]
fn without_proc_the_figures_say_why_and_everything_else_works() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let nowhere = scratch.path().join("no-proc");
    let server = Server::start_with(
        &binary(),
        &scratch.path().join("data"),
        &[],
        &[("ANALYZER_PROC", nowhere.as_os_str())],
    );
    let mut publisher = Publisher::connect(&server.mqtt);
    (0..10).for_each(|number| publisher.publish(TOPIC, message(number).as_bytes()));
    let mut client = server.client();
    let io = client.get("/api/perf/io").json();
    assert_eq!(io["available"], false);
    assert!(io["reason"].as_str().is_some_and(|reason| reason.contains("no-proc")), "{io}");
    assert_eq!(io["writeBytesPerSec"].as_f64(), Some(0.0));
    let ledger = eventually("a ledger", || {
        let ledger = client.get("/api/perf/ledger?window=60").json();
        (ledger["processes"][0]["totals"]["counted_bytes"].as_u64()? > 0).then_some(ledger)
    });
    let totals = &ledger["processes"][0]["totals"];
    assert_eq!((&totals["wchar_bytes"], &ledger["processes"][0]["remainder"]), (&Value::Null, &Value::Null));
    assert!(totals["reason"].as_str().is_some_and(|reason| reason.contains("no-proc")), "{totals}");
}

#[test]
fn the_cache_is_given_in_its_unit_and_its_hit_rate_is_that_of_sqlite() {
    let server = Server::start(&binary(), &[]);
    let mut publisher = AckedPublisher::connect(&server.mqtt, "cache", 100).expect("the broker takes us");
    for number in 0..2_000 {
        publisher.publish(TOPIC, message(number).as_bytes()).expect("the broker takes it");
    }
    publisher.settle().expect("all are stored");
    let sqlite = server.get("/api/perf/sqlite").json();
    let (size, kib) = (sqlite["cacheSize"].as_i64().unwrap(), sqlite["cacheSizeKib"].as_i64().unwrap());
    assert_eq!(kib, if size < 0 { -size } else { size * sqlite["pageSize"].as_i64().unwrap() / 1024 });
    let (hits, misses) = (sqlite["cacheHits"].as_f64().unwrap(), sqlite["cacheMisses"].as_f64().unwrap());
    assert!(hits > 0.0, "{sqlite}");
    assert!((sqlite["cacheHitRate"].as_f64().unwrap() - hits / (hits + misses)).abs() < 1e-9, "{sqlite}");
}

#[test]
fn the_ledger_closes_and_agrees_with_the_kernel() {
    let server = Server::start(&binary(), &[]);
    let mut publisher = AckedPublisher::connect(&server.mqtt, "ledger", 200).expect("the broker takes us");
    for number in 0..20_000 {
        publisher.publish(TOPIC, message(number).as_bytes()).expect("the broker takes it");
    }
    publisher.settle().expect("all are stored");
    let mut client = server.client();
    let ledger = eventually("all rows in the books", || {
        let ledger = client.get("/api/perf/ledger?window=600").json();
        let stored =
            client.get("/api/perf/series").json()["series"].as_array()?.iter().find_map(|series| {
                (series["name"] == "rows.obs_inserted").then(|| series["value"].as_u64())?
            })?;
        (stored == 20_000).then_some(ledger)
    });
    let process = &ledger["processes"][0];
    let sum = |rows: &str, field: &str| -> u64 {
        process[rows].as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).sum()
    };
    let counted = process["totals"]["counted_bytes"].as_u64().unwrap();
    assert!(counted > 1_000_000, "{process}");
    assert_eq!((sum("causes", "bytes"), sum("effects", "bytes")), (counted, counted));
    let effect = |name: &str| {
        let rows = process["effects"].as_array().unwrap().iter();
        rows.filter(|row| row["effect"] == name).map(|row| row["bytes"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(
        (sum("tables", "wal_bytes"), sum("tables", "checkpoint_bytes")),
        (effect("wal"), effect("database"))
    );
    let unknown = process["tables"].as_array().unwrap().iter().find(|row| row["table"] == "(unknown)");
    assert!(unknown.is_none_or(|row| row["wal_bytes"].as_u64().unwrap() * 100 < effect("wal")), "{process}");
    let remainder = process["remainder"]["percent"].as_f64().expect("the kernel tells");
    assert!(remainder.abs() < 2.0, "{process}");
}

#[test]
fn a_serving_process_shows_the_books_of_the_ingest_process() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut ingest = Server::ingest_in(&binary(), scratch.path(), &[]);
    let config = configuration(scratch.path(), &json!({"apiKey": KEY}));
    let serve = Server::serve_in(&binary(), scratch.path(), &["--config", &config]);
    let mut client = serve.client();
    eventually("the jobs of ingest", || {
        let jobs = client.get("/api/jobs").json();
        (!jobs["jobs"].as_array()?.is_empty()).then_some(())
    });
    let mut publisher = AckedPublisher::connect(&ingest.mqtt, "split", 200).expect("the broker takes us");
    for number in 0..2_000 {
        publisher.publish(TOPIC, message(number).as_bytes()).expect("the broker takes it");
    }
    publisher.settle().expect("all are stored");
    let ledger = eventually("what ingest has written", || {
        let ledger = client.get("/api/perf/ledger?window=60").json();
        let ingest = ledger["processes"].as_array()?.iter().find(|row| row["process"] == "ingest")?;
        (ingest["causes"].as_array()?.iter().any(|row| row["cause"] == "packets")).then(|| ledger.clone())
    });
    assert!(ledger["processes"].as_array().unwrap().iter().any(|row| row["process"] == "serve"), "{ledger}");
    let pause = json!({"action": "pause"}).to_string();
    let paused = client.request("POST", "/api/jobs/retention", &[("X-API-Key", KEY)], pause.as_bytes());
    assert_eq!((paused.status, &paused.json()["state"]), (200, &json!("paused")), "ingest has done it");
    let io = client.get("/api/perf/io").json();
    assert_eq!(io["ingestorStatus"]["stale"], false, "{io}");
    assert!(io["ingestor"].is_object());
    ingest.kill();
    let io = eventually("a word on the silence of ingest", || {
        let io = client.get("/api/perf/io").json();
        (io["ingestorStatus"]["stale"] == true).then_some(io)
    });
    assert!(io["ingestorStatus"]["ageMs"].as_u64().is_some_and(|age| age >= 5_000), "{io}");
    assert!(io.get("ingestor").is_none(), "figures of the past are no rates of now: {io}");
    assert_eq!(client.get("/api/perf/write-sources").json()["stale"], true);
    assert_eq!(client.get("/api/alerts").json()["verdict"]["level"], "unknown");
    let refused = client.request("POST", "/api/jobs/retention", &[("X-API-Key", KEY)], pause.as_bytes());
    assert_eq!(refused.status, 503);
}
