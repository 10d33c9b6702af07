use crate::app::{API_KEY, TestApp};
use crate::golden::assert_golden;
use axum::body::Body;
use axum::http::Method;
use serde_json::json;

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
