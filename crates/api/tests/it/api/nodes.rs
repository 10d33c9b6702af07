mod activity;
mod battery;
mod clock;
mod health;
mod hidden;
mod reach;
mod resolve;
mod ways;

use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::{Value, json};

async fn nodes(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.get(&format!("/api/nodes?limit=2000{query}")).await.good();
    let nodes = page["nodes"].as_array().unwrap().clone();
    assert_eq!(page["total"], nodes.len());
    nodes
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

#[tokio::test]
async fn lists_and_details_have_the_agreed_shape() {
    let app = TestApp::init();
    assert_golden("nodes/list", app.get("/api/nodes?limit=3&sortBy=packetCount").await.good(), &[]);
    let key = text(&nodes(&app, "&sortBy=name").await[0], "public_key").to_owned();
    assert_golden("nodes/one", app.get(&format!("/api/nodes/{key}")).await.good(), &[]);
    assert_golden("nodes/search", app.get("/api/nodes/search?q=oak").await.good(), &[]);
}

#[tokio::test]
async fn each_filter_gives_exactly_the_nodes_that_it_describes() {
    let app = TestApp::init();
    let all = nodes(&app, "").await;
    let count = |filter: &dyn Fn(&Value) -> bool| all.iter().filter(|node| filter(node)).count();
    let repeaters = nodes(&app, "&role=repeater").await;
    assert_eq!(repeaters.len(), count(&|node| node["role"] == "repeater"));
    assert!(!repeaters.is_empty());

    let part: String =
        text(&repeaters[0], "name").chars().filter(char::is_ascii_alphanumeric).take(3).collect();
    let named = nodes(&app, &format!("&search={}", part.to_uppercase())).await;
    let has_part = |node: &Value| {
        node["name"].as_str().is_some_and(|name| name.to_lowercase().contains(&part.to_lowercase()))
    };
    assert_eq!(named.len(), count(&has_part));

    let before = text(&all[3], "first_seen");
    let early = nodes(&app, &format!("&before={before}")).await;
    assert_eq!(early.len(), count(&|node| text(node, "first_seen") <= before));
    assert!(nodes(&app, "&lastHeard=1h").await.is_empty(), "the packets are from May 2026");
    assert!(nodes(&app, "&region=XXX").await.is_empty());
    assert!(!nodes(&app, "&region=oak").await.is_empty());
}

#[tokio::test]
async fn each_order_is_the_one_that_it_says() {
    let app = TestApp::init();
    let by_time = nodes(&app, "").await;
    assert!(by_time.is_sorted_by(|a, b| text(a, "last_seen") >= text(b, "last_seen")));
    assert_eq!(nodes(&app, "&sortBy=lastSeen").await, by_time);
    let by_count = nodes(&app, "&sortBy=packetCount").await;
    assert!(by_count.is_sorted_by(|a, b| a["advert_count"].as_u64() >= b["advert_count"].as_u64()));
    let by_name = nodes(&app, "&sortBy=name").await;
    let names: Vec<String> =
        by_name.iter().filter_map(|node| Some(node["name"].as_str()?.to_lowercase())).collect();
    assert!(names.is_sorted());
}

#[tokio::test]
async fn hidden_nodes_are_nowhere_and_pages_stay_full() {
    let all = nodes(&TestApp::init(), "").await;
    let (hidden, named) = (text(&all[0], "public_key"), text(&all[2], "name"));
    let app =
        TestApp::with(json!({"nodeBlacklist": [hidden.to_uppercase()], "hiddenNamePrefixes": [named, ""]}));
    let shown = nodes(&app, "").await;
    assert!(shown.iter().all(|node| text(node, "public_key") != hidden && node["name"] != named));
    assert_eq!(shown[0], all[1]);
    let page = app.get("/api/nodes?limit=5").await.good();
    assert_eq!(
        (page["nodes"].as_array().unwrap().len(), page["total"].as_u64()),
        (5, Some(shown.len() as u64))
    );
    assert_eq!(app.get(&format!("/api/nodes/{hidden}")).await.error(404), "Not found");
    assert_eq!(app.get(&format!("/api/nodes/search?q={hidden}")).await.good(), json!({"nodes": []}));
}

#[tokio::test]
async fn nodes_outside_the_area_of_interest_are_flagged_or_dropped() {
    let small = json!({"polygon": [[37.7, -122.6], [37.9, -122.6], [37.9, -122.1], [37.7, -122.1]]});
    let flagged = nodes(&TestApp::with(json!({"geo_filter": small})), "").await;
    let foreign = flagged.iter().filter(|node| node["foreign"] == true).count();
    assert!(0 < foreign && foreign < flagged.len());
    assert!(flagged.iter().all(|node| node["foreign"] == false || node["lat"].is_number()));
    let dropping = json!({"geo_filter": small, "foreignAdverts": {"mode": "drop"}});
    assert_eq!(nodes(&TestApp::with(dropping), "").await.len(), flagged.len() - foreign);
}

#[tokio::test]
async fn a_node_is_found_by_eight_digits_of_its_key_when_they_are_its_own() {
    let app = TestApp::init();
    let key = text(&nodes(&app, "").await[0], "public_key").to_owned();
    let whole = app.get(&format!("/api/nodes/{key}")).await.good();
    assert_eq!(app.get(&format!("/api/nodes/{}", &key[..8])).await.good(), whole);
    assert_eq!(app.get(&format!("/api/nodes/{}", key.to_uppercase())).await.good(), whole);
    for unknown in [&key[..7], "zzzzzzzzzzzz", "%ff%fe", &"0".repeat(64), &"a".repeat(65)] {
        assert_eq!(app.get(&format!("/api/nodes/{unknown}")).await.error(404), "Not found");
    }
}

#[tokio::test]
async fn a_search_takes_names_and_keys_and_nothing_finds_nothing() {
    let app = TestApp::init();
    let node = nodes(&app, "").await[0].clone();
    let by_key = app.get(&format!("/api/nodes/search?q={}", &text(&node, "public_key")[..12])).await.good();
    let found: Vec<&str> =
        by_key["nodes"].as_array().unwrap().iter().map(|row| text(row, "public_key")).collect();
    assert_eq!(found, [text(&node, "public_key")]);
    assert!(by_key["nodes"][0].get("relay_active").is_none(), "rows of a search are plain");
    for nothing in ["", "?q=", "?q=%20", "?q=no%20node%20is%20called%20so"] {
        assert_eq!(app.get(&format!("/api/nodes/search{nothing}")).await.good(), json!({"nodes": []}));
    }
    assert_eq!(app.get("/api/nodes/search?q=e").await.good()["nodes"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn a_bad_parameter_is_refused_by_its_name() {
    let app = TestApp::init();
    for (parameter, value) in [
        ("limit", "x"),
        ("offset", "-1"),
        ("role", "king"),
        ("before", "x"),
        ("lastHeard", "2h"),
        ("sortBy", "age"),
        ("area", "x"),
    ] {
        let error = app.get(&format!("/api/nodes?{parameter}={value}")).await.error(400);
        assert!(error.starts_with(&format!("{parameter}: ")), "{error}");
    }
}

#[tokio::test]
async fn nodes_that_were_not_seen_for_long_leave_the_list_and_nothing_else() {
    let all = TestApp::init();
    let key = text(&nodes(&all, "").await[0], "public_key").to_owned();
    let week = std::time::Duration::from_secs(7 * 86_400);
    let app = TestApp::with_config(api::ApiConfig { nodes_listed_for: Some(week), ..Default::default() });
    assert!(nodes(&app, "").await.is_empty(), "the packets are from May 2026");
    assert!(nodes(&app, "&lastHeard=30d").await.is_empty());
    app.get(&format!("/api/nodes/{key}")).await.good();
    assert!(app.get("/api/stats").await.good()["totalNodesAllTime"].as_u64() > Some(0));
    let century = std::time::Duration::from_secs(36_500 * 86_400);
    let app = TestApp::with_config(api::ApiConfig { nodes_listed_for: Some(century), ..Default::default() });
    assert_eq!(nodes(&app, "").await, nodes(&all, "").await);
}

#[tokio::test]
async fn observers_that_were_not_heard_for_long_leave_the_list() {
    let listed = |secs| async move {
        let observers_listed_for = Some(std::time::Duration::from_secs(secs));
        let app = TestApp::with_config(api::ApiConfig { observers_listed_for, ..Default::default() });
        app.get("/api/observers").await.good()["observers"].as_array().unwrap().len()
    };
    assert_eq!(listed(14 * 86_400).await, 0, "the packets are from May 2026");
    assert!(listed(36_500 * 86_400).await > 0);
}

#[tokio::test]
async fn a_repeater_that_paths_name_by_two_bytes_is_suspected_of_more() {
    let all = nodes(&TestApp::init(), "").await;
    let suspected: Vec<_> = all.iter().filter(|node| node["multi_byte_status"] == "suspected").collect();
    assert!(!suspected.is_empty());
    for node in suspected {
        assert_eq!(node["multi_byte_evidence"], "path");
        assert!(node["multi_byte_max_hash_size"].as_u64() >= Some(2) && node["role"] != "companion");
    }
    assert!(all.iter().any(|node| node["multi_byte_status"] == "unknown"));
}
