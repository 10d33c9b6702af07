use crate::app::{API_KEY, TestApp};
use crate::golden::assert_golden;
use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

const VARYING: &[&str] = &[
    "uptime",
    "avgMs",
    "endpoints",
    "trackedMB",
    "estimatedMB",
    "avgBytesPerPacket",
    "goroutines",
    "heapAllocMB",
    "heapInuseMB",
    "numCPU",
];

#[tokio::test]
async fn the_perf_routes_have_the_agreed_shape() {
    let app = TestApp::init();
    assert_golden("perf/perf", app.get("/api/perf").await.good(), VARYING);
    assert_golden("perf/io", app.get("/api/perf/io").await.good(), &[]);
    assert_golden("perf/sqlite", app.get("/api/perf/sqlite").await.good(), &[]);
    assert_golden("perf/write-sources", app.get("/api/perf/write-sources").await.good(), &[]);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_the_table_does_not_grow_with_paths() {
    let app = TestApp::with(json!({"apiKey": API_KEY}));
    for number in 0..50 {
        app.get(&format!("/api/packets/{number}")).await;
        app.get(&format!("/api/unknown/{number}")).await;
    }
    let perf = app.get("/api/perf").await.good();
    assert_eq!(perf["totalRequests"], 100);
    assert_eq!(perf["endpoints"]["/api/packets/:id"]["count"], 50);
    assert_eq!(perf["endpoints"].as_object().unwrap().len(), 2, "{}", perf["endpoints"]);
    let reset = app.send(Method::POST, "/api/perf/reset", &[("x-api-key", API_KEY)], Body::empty()).await;
    assert_eq!(reset.good(), json!({"ok": true}));
    assert!(app.get("/api/perf").await.good()["totalRequests"].as_u64() <= Some(1));
}

#[tokio::test]
async fn memory_by_structure_is_given_when_asked_for() {
    let app = TestApp::init();
    assert!(app.get("/api/perf").await.good().get("memoryBreakdown").is_none());
    let breakdown = app.get("/api/perf?mem=1").await.good()["memoryBreakdown"].clone();
    assert!(breakdown["frames"].as_u64().unwrap() > 0);
    assert_eq!(app.get("/api/perf?mem=x").await.json()["parameter"], "mem");
}

#[tokio::test]
async fn the_reset_needs_the_key() {
    let app = TestApp::with(json!({"apiKey": API_KEY}));
    assert_eq!(app.post("/api/perf/reset", json!({})).await.error(401), "unauthorized");
}

/// Contract §2: every field of the three endpoints of CoreScope's page, with its type.
#[tokio::test]
async fn every_field_of_the_contract_is_there_with_its_type() {
    let app = TestApp::init();
    let is_number = |answer: &Value, field: &str| assert!(answer[field].is_number(), "{field} in {answer}");
    let io = app.get("/api/perf/io").await.good();
    let ingestor = io["ingestor"].clone();
    for field in
        ["readBytesPerSec", "writeBytesPerSec", "cancelledWriteBytesPerSec", "syscallsRead", "syscallsWrite"]
    {
        is_number(&io, field);
        is_number(&ingestor, field);
    }
    assert!(ingestor["sampledAt"].is_string(), "{ingestor}");
    let sqlite = app.get("/api/perf/sqlite").await.good();
    for field in ["walSizeMB", "walSize", "pageCount", "pageSize", "cacheSize", "cacheHitRate"] {
        is_number(&sqlite, field);
    }
    let writes = app.get("/api/perf/write-sources").await.good();
    assert!(writes["sampleAt"].is_string(), "{writes}");
    assert!(writes["sources"].as_object().unwrap().values().all(Value::is_u64), "{writes}");
    let component = &writes["writer_perf"]["storage_writer"];
    let times = ["wait", "hold"]
        .iter()
        .flat_map(|time| ["p50", "p95", "p99", "max"].map(|of| format!("{time}_ms_{of}")));
    for field in ["count", "contention_total"].map(str::to_owned).into_iter().chain(times) {
        is_number(component, &field);
    }
}
