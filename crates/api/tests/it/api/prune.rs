use crate::app::{API_KEY, TestApp};
use crate::golden::assert_golden;
use axum::http::Method;
use model::{Change, NodeKey, PrunedNode, UnixMillis};
use serde_json::{Value, json};

const PRUNE: &str = "/api/admin/prune-geo-filter";

/// A corner of the Bay Area, so that some nodes are outside.
fn config() -> Value {
    json!({
        "apiKey": API_KEY,
        "geo_filter": {"polygon": [[37.0, -123.0], [37.9, -123.0], [37.9, -121.0], [37.0, -121.0]], "bufferKm": 0}
    })
}

async fn outside(app: &TestApp) -> Vec<String> {
    let nodes = app.get("/api/nodes?limit=2000").await.good();
    let mut keys: Vec<String> = nodes["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["foreign"] == true)
        .map(|node| node["public_key"].as_str().unwrap().to_owned())
        .collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn without_confirmation_it_only_says_which_nodes_are_outside() {
    let app = TestApp::with(config());
    let keys = outside(&app).await;
    assert!(keys.len() > 2, "the capture has nodes outside");
    for query in ["", "?confirm=", "?confirm=false", "?confirm=TRUE"] {
        let answer = app.with_key(Method::POST, &format!("{PRUNE}{query}"), Value::Null).await.good();
        let found: Vec<&str> =
            answer["nodes"].as_array().unwrap().iter().map(|node| node["pubkey"].as_str().unwrap()).collect();
        assert_eq!(found, keys);
        assert_eq!((&answer["dryRun"], &answer["count"]), (&json!(true), &json!(keys.len())));
        assert!(answer.get("requestId").is_none());
    }
    assert!(app.services.registry.pruned.lock().unwrap().is_empty());
    let mut inside = config();
    inside["geo_filter"] = json!({"latMin": -90, "latMax": 90, "lonMin": -180, "lonMax": 180});
    let answer = TestApp::with(inside).with_key(Method::POST, PRUNE, Value::Null).await.good();
    assert_eq!(answer, json!({"dryRun": true, "count": 0, "nodes": null}));
}

#[tokio::test]
async fn confirmed_it_asks_for_those_of_the_named_nodes_that_are_outside() {
    let app = TestApp::with(config());
    let keys = outside(&app).await;
    let inside = app.get("/api/nodes?limit=2000").await.good()["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|node| node["foreign"] == false)
        .map(|node| node["public_key"].as_str().unwrap().to_owned())
        .unwrap();
    let body = json!({"pubkeys": [keys[0].to_uppercase(), keys[1], inside, "ab".repeat(32)]});
    let answer = app.with_key(Method::POST, &format!("{PRUNE}?confirm=true"), body).await;
    assert_eq!(answer.status, 202);
    assert_golden("prune/accepted", answer.json(), &[]);
    let wanted: Vec<NodeKey> = keys[..2].iter().map(|key| key.parse().unwrap()).collect();
    assert_eq!(*app.services.registry.pruned.lock().unwrap(), [wanted]);

    *app.services.registry.prune_unavailable.lock().unwrap() = true;
    let body = json!({"pubkeys": [keys[0]]});
    app.with_key(Method::POST, &format!("{PRUNE}?confirm=true"), body).await.error(503);
    app.with_key(Method::GET, &format!("{PRUNE}/status?id=bb"), Value::Null).await.error(503);
}

#[tokio::test]
async fn bad_requests_are_refused_and_nothing_is_pruned() {
    let app = TestApp::with(config());
    let too_many: Vec<String> = (0..2_001).map(|number| format!("{number:064x}")).collect();
    for body in [
        Value::Null,
        json!({}),
        json!([]),
        json!({"pubkeys": []}),
        json!({"pubkeys": ["zz"]}),
        json!({"pubkeys": too_many}),
    ] {
        app.with_key(Method::POST, &format!("{PRUNE}?confirm=true"), body).await.error(400);
    }
    app.post(PRUNE, Value::Null).await.error(401);
    let without_filter = TestApp::with(json!({"apiKey": API_KEY}));
    without_filter.with_key(Method::POST, PRUNE, Value::Null).await.error(400);
    assert!(app.services.registry.pruned.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_request_can_be_asked_after() {
    let app = TestApp::with(config());
    let get = async |id: &str| app.with_key(Method::GET, &format!("{PRUNE}/status{id}"), Value::Null).await;
    let statuses = [get("?id=aa").await.good(), get("?id=BB").await.good(), get("?id=cc").await.good()];
    assert_golden("prune/statuses", json!(statuses), &[]);
    for (id, status) in [("", 400), ("?id=", 400), ("?id=xyz", 400), ("?id=1", 404)] {
        get(id).await.error(status);
    }
    get(&format!("?id={}", "a".repeat(65))).await.error(400);
    app.get(&format!("{PRUNE}/status?id=bb")).await.error(401);
}

#[tokio::test]
async fn a_pruned_node_is_found_nowhere_until_it_is_heard_again() {
    let app = TestApp::with(config());
    let key = outside(&app).await.remove(0);
    let pruned = PrunedNode { key: key.parse().unwrap(), time: UnixMillis(i64::MAX) };
    app.index.write().apply(&Change::Pruned(pruned)).unwrap();
    assert!(!outside(&app).await.contains(&key));
    app.get(&format!("/api/nodes/{key}")).await.error(404);
    let search = app.get(&format!("/api/nodes/search?q={key}")).await.good();
    assert_eq!(search["nodes"], json!([]));
}

/// The senders of all adverts in the list of packets.
async fn senders_of_adverts(app: &TestApp) -> Vec<String> {
    let packets = app.get("/api/packets?type=4&limit=10000").await.good();
    let decoded =
        packets["packets"].as_array().unwrap().iter().map(|row| row["decoded_json"].as_str().unwrap());
    decoded
        .map(|decoded| serde_json::from_str::<Value>(decoded).unwrap()["pubKey"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn packets_of_a_pruned_node_stay_and_those_of_a_hidden_one_stay_hidden() {
    let keys = outside(&TestApp::with(config())).await;
    let [pruned, hidden] = [&keys[0], &keys[1]];
    let app = TestApp::with(json!({ "nodeBlacklist": [hidden] }));
    let senders = senders_of_adverts(&app).await;
    assert!(senders.contains(pruned) && !senders.contains(hidden));
    for key in [pruned, hidden] {
        let pruned = PrunedNode { key: key.parse().unwrap(), time: UnixMillis(i64::MAX) };
        app.index.write().apply(&Change::Pruned(pruned)).unwrap();
    }
    assert_eq!(senders_of_adverts(&app).await, senders);
}
