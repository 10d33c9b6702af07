use crate::app::TestApp;
use crate::golden::assert_golden;
use api::LoadStatus;
use serde_json::json;

/// Of the machine, the build or the clock.
const VARYING: &[&str] = &[
    "uptime",
    "uptimeHuman",
    "version",
    "commit",
    "buildTime",
    "heapUsed",
    "trackedMB",
    "estimatedMB",
    "storeDataMB",
    "goHeapInuseMB",
    "avgMs",
    "totalNodes",
    "packetsLastHour",
    "packetsLast24h",
    "counts",
];

#[tokio::test]
async fn health_and_stats_have_the_agreed_shape() {
    let app = TestApp::init();
    assert_golden("healthz", app.get("/api/healthz").await.good(), &[]);
    assert_golden("health", app.get("/api/health").await.good(), VARYING);
    assert_golden("stats", app.get("/api/stats").await.good(), VARYING);
    assert_golden("mqtt-status", app.get("/api/mqtt/status").await.good(), &["sampleAt"]);
    assert_golden("iata-coords", app.get("/api/iata-coords").await.good(), &[]);
}

#[tokio::test]
async fn stats_count_what_the_lists_list() {
    let app = TestApp::init();
    let stats = app.get("/api/stats").await.good();
    assert_eq!(stats["totalTransmissions"], app.get("/api/packets").await.good()["total"]);
    assert_eq!(stats["totalNodesAllTime"], app.get("/api/nodes").await.good()["total"]);
    let observers = app.get("/api/observers").await.good();
    assert_eq!(stats["totalObservers"], observers["observers"].as_array().unwrap().len());
    let heard: u64 =
        observers["observers"].as_array().unwrap().iter().map(|o| o["packet_count"].as_u64().unwrap()).sum();
    assert_eq!(stats["totalObservations"], heard);
}

#[tokio::test]
async fn while_loading_everything_answers_and_says_how_far_it_is() {
    let app = TestApp::init();
    assert_eq!(app.get("/api/stats").await.header("x-corescope-load-status"), "ready");
    *app.services.load.lock().unwrap() = LoadStatus::Loading { rows: 1_234 };
    for path in ["/api/packets", "/api/nope", "/", "/ws"] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("x-corescope-load-status"), "loading; progress=1234", "{path}");
    }
    app.get("/api/packets").await.good();
    let healthz = app.get("/api/healthz").await;
    assert_eq!(healthz.status, 503);
    assert_eq!(healthz.json(), json!({"ready": false, "reason": "loading", "rows": 1234}));
}
