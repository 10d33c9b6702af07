use super::health::busiest;
use super::text;
use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::Value;

const TIMES: &[&str] = &[
    "activityTimeline",
    "availabilityPct",
    "clockSkew",
    "first_seen",
    "firstSeen",
    "from",
    "lastContact",
    "last_heard",
    "last_relayed",
    "last_seen",
    "lastSeen",
    "longestSilenceStart",
    "timestamp",
    "to",
    "uptimeHeatmap",
];

fn sum(rows: &Value) -> u64 {
    rows.as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn analytics_have_the_agreed_shape_and_agree_with_each_other() {
    let app = TestApp::recent();
    let key = busiest(&app).await;
    let analytics = app.get(&format!("/api/nodes/{key}/analytics")).await.good();
    let stats = &analytics["computedStats"];
    let packets = stats["totalPackets"].as_u64().unwrap();
    for part in ["activityTimeline", "packetTypeBreakdown", "hopDistribution", "uptimeHeatmap"] {
        assert_eq!(sum(&analytics[part]), packets, "{part}");
    }
    let observers = analytics["observerCoverage"].as_array().unwrap();
    assert_eq!(stats["uniqueObservers"], observers.len());
    assert_eq!(analytics["timeRange"]["days"], 7);
    let hours = analytics["activityTimeline"].as_array().unwrap().len() as f64;
    let availability = (hours / 168.0 * 1000.0).round() / 10.0;
    assert_eq!(stats["availabilityPct"], availability);
    for bucket in analytics["activityTimeline"].as_array().unwrap() {
        assert!(text(bucket, "bucket").ends_with(":00:00Z"));
    }
    let peers = analytics["peerInteractions"].as_array().unwrap();
    assert!(!peers.is_empty() && peers.iter().all(|peer| peer["peer_key"] != key));
    assert_golden("nodes/analytics", analytics, TIMES);
}

#[tokio::test]
async fn analytics_look_back_as_many_days_as_asked() {
    let app = TestApp::init();
    let key = busiest(&app).await;
    let ask = async |query: &str| app.get(&format!("/api/nodes/{key}/analytics{query}")).await.good();
    let week = ask("?days=7").await;
    assert_eq!(week["computedStats"]["totalPackets"], 0, "the packets are from May 2026");
    assert_eq!(week["computedStats"]["longestSilenceStart"], Value::Null);
    assert_eq!(ask("?days=").await["timeRange"]["days"], 7);
    assert_eq!(ask("?days=100000").await["timeRange"]["days"], 365);
    let error = app.get(&format!("/api/nodes/{key}/analytics?days=x")).await.error(400);
    assert!(error.starts_with("days: "), "{error}");
}
