use super::health::busiest;
use super::{nodes, text};
use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::{Value, json};

async fn reach(app: &TestApp, key: &str, query: &str) -> Value {
    app.get(&format!("/api/nodes/{key}/reach{query}")).await.good()
}

fn count(row: &Value, field: &str) -> u64 {
    row[field].as_u64().unwrap()
}

#[tokio::test]
async fn reach_has_the_agreed_shape_and_agrees_with_itself() {
    let app = TestApp::recent();
    let (mut relayed, mut linked) = (0, 0);
    for node in nodes(&app, "").await {
        let key = text(&node, "public_key");
        let reach = reach(&app, key, "").await;
        let (links, importance) = (reach["links"].as_array().unwrap(), &reach["importance"]);
        for link in links {
            let (we, they) = (count(link, "we_hear"), count(link, "they_hear"));
            assert!(we + they > 0 && link["pubkey"] != key);
            assert_eq!(
                (count(link, "bottleneck"), &link["bidir"]),
                (we.min(they), &json!(we > 0 && they > 0))
            );
        }
        assert!(links.is_sorted_by_key(|link| u64::MAX - count(link, "bottleneck")));
        let bidir = links.iter().filter(|link| link["bidir"] == true).count();
        assert_eq!(importance["bidirectional_links"], bidir);
        let direct = reach["direct_observers"].as_array().unwrap();
        assert_eq!(importance["direct_observers"], direct.len());
        assert!(count(importance, "degree_rank") <= count(importance, "nodes_with_edges"));
        assert_eq!(count(importance, "degree_rank") == 0, count(importance, "neighbor_degree") == 0);
        for token in reach["reliable_tokens"].as_array().unwrap() {
            assert!(key.starts_with(token.as_str().unwrap()));
        }
        relayed += count(importance, "relay_observations");
        linked += links.len();
    }
    assert!(relayed > 0 && linked > 0);
    let key = busiest(&app).await;
    assert_golden("nodes/reach", reach(&app, &key, "").await, &["since", "first_seen"]);
}

#[tokio::test]
async fn each_link_is_seen_from_both_ends() {
    let app = TestApp::recent();
    let mut seen = 0;
    for node in nodes(&app, "").await {
        let key = text(&node, "public_key");
        for link in reach(&app, key, "").await["links"].as_array().unwrap() {
            if link["role"].is_null() || count(link, "they_hear") == 0 {
                continue;
            }
            // What the other hears is named from here, where this node need only be likely.
            let back = reach(&app, text(link, "pubkey"), "").await;
            let back = back["links"].as_array().unwrap().iter().find(|back| back["pubkey"] == key).cloned();
            if let Some(back) = back {
                assert_eq!(back["distance_km"], link["distance_km"]);
                seen += u32::from(back["we_hear"] == link["they_hear"]);
            }
        }
    }
    assert!(seen > 0);
}

#[tokio::test]
async fn days_and_keys_are_checked() {
    let app = TestApp::init();
    let key = busiest(&app).await;
    for (query, days) in [("", 7), ("?days=", 7), ("?days=0", 7), ("?days=3", 3), ("?days=90", 30)] {
        assert_eq!(reach(&app, &key, query).await["window"]["days"], days, "{query}");
    }
    let error = app.get(&format!("/api/nodes/{key}/reach?days=week")).await.error(400);
    assert!(error.starts_with("days: "), "{error}");
    assert_eq!(reach(&app, &key, "").await["links"], json!([]), "the packets are from May 2026");
    assert_eq!(reach(&app, &key[..8], "").await["node"]["pubkey"], key);
    for wrong in ["xyz", "abcdef", "zz".repeat(32).as_str(), "ab".repeat(33).as_str()] {
        let error = app.get(&format!("/api/nodes/{wrong}/reach")).await.error(400);
        assert!(error.starts_with("pubkey: "), "{error}");
    }
    app.get(&format!("/api/nodes/{}/reach", "0".repeat(64))).await.error(404);
}

#[tokio::test]
async fn hidden_nodes_and_observers_are_in_no_reach() {
    let open = TestApp::recent();
    let key = busiest(&open).await;
    let whole = reach(&open, &key, "").await;
    let link = text(&whole["links"][0], "pubkey");
    let observer = text(&whole["direct_observers"][0], "pubkey");
    let app = TestApp::recent_with(json!({"nodeBlacklist": [link], "observerBlacklist": [observer]}));
    let body = reach(&app, &key, "").await.to_string();
    assert!(!body.contains(link) && !body.contains(observer), "{body}");
    assert_eq!(app.get(&format!("/api/nodes/{link}/reach")).await.status, 404);
}
