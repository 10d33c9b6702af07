use crate::app::TestApp;
use serde_json::Value;

#[tokio::test]
async fn a_bundle_is_a_file_with_all_figures() {
    let app = TestApp::init();
    app.get("/api/stats").await;
    let answer = app.get("/api/perf/bundle").await;
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"meshcore-analyzer-bundle.json\""
    );
    let bundle = answer.good();
    assert_eq!(bundle["alerts"]["verdict"]["level"], "warning");
    assert_eq!(bundle["jobs"]["jobs"][0]["name"], "retention");
    let windows = bundle["ledgers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ledger| (ledger["to_ms"].as_i64().unwrap() - ledger["from_ms"].as_i64().unwrap()) / 1000);
    assert_eq!(windows.collect::<Vec<_>>(), [300, 86_400]);
    assert_eq!(bundle["perf"]["endpoints"]["/api/stats"]["count"], 1);
    assert!(bundle["perf"]["memoryBreakdown"]["frames"].as_u64().unwrap() > 0);
    assert_eq!(bundle["ingest"]["received"], 3);
    let telling: Vec<&str> = bundle["history"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|part| part["series"].as_array().unwrap())
        .map(|series| series["name"].as_str().unwrap())
        .collect();
    for name in ["written.packets.wal", "process.wchar", "wal.bytes", "commit.p99"] {
        assert!(telling.contains(&name), "{name} is not in {telling:?}");
    }
    assert!(telling.len() <= 41);
}

#[tokio::test]
async fn a_bundle_names_no_observer_topic_source_or_login() {
    let app = TestApp::init();
    let names: Value = app.get("/api/observers").await.good();
    let bundle = app.get("/api/perf/bundle").await.good();
    let text = bundle.to_string();
    let rows = names["observers"].as_array().unwrap();
    assert!(!rows.is_empty());
    let known = rows.iter().flat_map(|row| [row["id"].as_str(), row["name"].as_str()]).flatten();
    let secrets = ["OAK", "meshcore/", "user:", "1883", "far\"", "expected value at line"];
    for secret in known.chain(secrets).filter(|secret| secret.len() > 2) {
        assert!(!text.contains(secret), "{secret} is in the bundle");
    }
    // The same source has the same name in both places.
    assert_eq!(bundle["ingest"]["sources"][0]["name"], bundle["mqtt_sources"][0]["name"]);
    assert_eq!(bundle["mqtt_sources"][1]["broker"], "mqtt://far.example");
    assert_eq!(bundle["ingest"]["recent_rejections"][0]["reason"], "rejected_not_json");
}
