use super::{nodes, text};
use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::{Value, json};

/// The repeater with the most packets.
pub(super) async fn busiest(app: &TestApp) -> String {
    let mut best = (0, String::new());
    for node in nodes(app, "&role=repeater").await {
        let key = text(&node, "public_key");
        let health = app.get(&format!("/api/nodes/{key}/health")).await.good();
        let packets = health["stats"]["totalPackets"].as_u64().unwrap();
        best = best.max((packets, key.to_owned()));
    }
    assert!(best.0 > 1);
    best.1
}

fn sum(rows: &Value, key: &str) -> u64 {
    rows.as_array().unwrap().iter().map(|row| row[key].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn health_has_the_agreed_shape() {
    let app = TestApp::init();
    let key = busiest(&app).await;
    let health = app.get(&format!("/api/nodes/{key}/health")).await.good();
    assert_eq!(sum(&health["observers"], "packetCount"), health["stats"]["totalPackets"].as_u64().unwrap());
    assert_golden("nodes/health", health, &[]);
    assert_golden("nodes/bulk-health", app.get("/api/nodes/bulk-health?limit=2").await.good(), &[]);
    assert_golden("nodes/network-status", app.get("/api/nodes/network-status").await.good(), &[]);
}

#[tokio::test]
async fn bulk_health_is_a_bare_list_of_those_seen_last() {
    let app = TestApp::init();
    let listed = nodes(&app, "").await;
    let rows = app.get("/api/nodes/bulk-health?limit=200").await.good();
    let keys = |rows: &[Value]| rows.iter().map(|row| row["public_key"].clone()).collect::<Vec<_>>();
    assert_eq!(keys(rows.as_array().unwrap()), keys(&listed)[..listed.len().min(200)]);
    assert_eq!(
        app.get("/api/nodes/bulk-health").await.good().as_array().unwrap().len(),
        50.min(listed.len())
    );
    for row in rows.as_array().unwrap() {
        let adverts = listed.iter().find(|node| node["public_key"] == row["public_key"]).unwrap();
        assert_eq!(row["stats"]["totalTransmissions"], adverts["advert_count"]);
        assert_eq!(sum(&row["observers"], "packetCount"), row["stats"]["totalPackets"].as_u64().unwrap());
        assert_eq!(row["stats"]["packetsToday"], 0, "the packets are from May 2026");
    }
    let oak = app.get("/api/nodes/bulk-health?limit=200&region=oak").await.good();
    assert_eq!(keys(oak.as_array().unwrap()), keys(&nodes(&app, "&region=OAK").await));
    assert_eq!(app.get("/api/nodes/bulk-health?region=XXX").await.good(), json!([]));
    assert!(app.get("/api/nodes/bulk-health?area=x").await.error(400).starts_with("area: "));
}

#[tokio::test]
async fn today_begins_at_midnight_utc() {
    let app = TestApp::recent();
    let now = model::UnixMillis::now();
    let key = busiest(&app).await;
    let health = app.get(&format!("/api/nodes/{key}/health")).await.good();
    let analytics = app.get(&format!("/api/nodes/{key}/analytics?days=2")).await.good();
    let today = now.0 / 86_400_000;
    let buckets = analytics["activityTimeline"].as_array().unwrap();
    let of_today = buckets.iter().filter(|bucket| {
        let time: jiff::Timestamp = text(bucket, "bucket").parse().unwrap();
        time.as_millisecond() / 86_400_000 == today
    });
    let of_today: u64 = of_today.map(|bucket| bucket["count"].as_u64().unwrap()).sum();
    if model::UnixMillis::now().0 / 86_400_000 == today {
        assert_eq!(health["stats"]["packetsToday"], of_today);
    }
}

#[tokio::test]
async fn the_states_of_the_network_add_up() {
    for app in [TestApp::init(), TestApp::recent()] {
        let status = app.get("/api/nodes/network-status").await.good();
        let count = |key: &str| status[key].as_u64().unwrap();
        assert_eq!(count("total"), nodes(&app, "").await.len() as u64);
        assert_eq!(count("active") + count("degraded") + count("silent"), count("total"));
        let roles = status["roleCounts"].as_object().unwrap().values();
        assert_eq!(roles.map(|count| count.as_u64().unwrap()).sum::<u64>(), count("total"));
    }
    let silent = TestApp::init().get("/api/nodes/network-status").await.good();
    assert_eq!(silent["silent"], silent["total"], "the packets are from May 2026");
    let active = TestApp::recent().get("/api/nodes/network-status").await.good();
    assert!(active["active"].as_u64() > Some(0));
}

#[tokio::test]
async fn an_observer_that_relays_and_never_adverted_is_an_unknown_node() {
    let app = TestApp::init();
    let unknown = "0".repeat(64);
    assert_eq!(app.get(&format!("/api/nodes/{unknown}/health")).await.error(404), "Not found");
}
