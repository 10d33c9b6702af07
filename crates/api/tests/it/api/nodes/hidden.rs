//! A node that is not to be shown is as if unknown, wherever it could be named.

use super::{nodes, text};
use crate::app::TestApp;
use serde_json::json;

const BELOW: [&str; 7] =
    ["", "/health", "/paths", "/analytics?days=365", "/battery", "/reach?days=30", "/clock-skew"];

#[tokio::test]
async fn a_hidden_node_is_named_nowhere() {
    let open = TestApp::init();
    let all = nodes(&open, "").await;
    // All but two, so that whoever stands beside the two is hidden.
    let shown: Vec<&str> = all.iter().take(2).map(|node| text(node, "public_key")).collect();
    let hidden: Vec<&str> = all.iter().skip(2).map(|node| text(node, "public_key")).collect();
    let app = TestApp::with(json!({"nodeBlacklist": hidden}));
    for key in &hidden {
        for below in &BELOW {
            assert_eq!(app.get(&format!("/api/nodes/{key}{below}")).await.status, 404, "{below}");
        }
        let neighbors = app.get(&format!("/api/nodes/{key}/neighbors")).await.good();
        assert_eq!(neighbors, json!({"node": key, "neighbors": [], "total_observations": 0}));
        let resolved = app.get(&format!("/api/nodes/resolve?prefix={}", &key[..12])).await.good();
        assert_eq!(resolved, json!({"prefix": &key[..12], "ambiguous": false}));
    }
    let mut answers = vec![
        app.get("/api/nodes?limit=2000").await,
        app.get("/api/nodes/bulk-health?limit=200").await,
        app.get("/api/nodes/search?q=e").await,
        app.get("/api/nodes/clock-skew").await,
    ];
    for key in &shown {
        for below in BELOW.iter().chain(&["/neighbors"]) {
            answers.push(app.get(&format!("/api/nodes/{key}{below}")).await);
        }
    }
    for answer in answers {
        let body = answer.good().to_string();
        for key in &hidden {
            assert!(!body.contains(key), "{key} in {body}");
        }
    }
    let status = app.get("/api/nodes/network-status").await.good();
    assert_eq!(status["total"], 2);
}

#[tokio::test]
async fn a_node_with_a_hidden_name_is_named_nowhere_either() {
    let all = nodes(&TestApp::init(), "&role=repeater").await;
    let (key, name) = (text(&all[0], "public_key"), text(&all[0], "name"));
    let app = TestApp::with(json!({"hiddenNamePrefixes": [name]}));
    for below in &BELOW {
        assert_eq!(app.get(&format!("/api/nodes/{key}{below}")).await.status, 404, "{below}");
    }
    for node in nodes(&app, "").await {
        let other = text(&node, "public_key");
        for below in ["/paths", "/analytics?days=365", "/neighbors", "/health"] {
            let body = app.get(&format!("/api/nodes/{other}{below}")).await.good().to_string();
            assert!(!body.contains(key), "{key} in {other}{below}");
        }
    }
}

#[tokio::test]
async fn a_hidden_observer_is_in_no_list_of_a_node() {
    let open = TestApp::init();
    let key = super::health::busiest(&open).await;
    let health = open.get(&format!("/api/nodes/{key}/health")).await.good();
    let hidden = text(&health["observers"][0], "observer_id").to_owned();
    let app = TestApp::with(json!({"observerBlacklist": [hidden.to_lowercase()]}));
    let names_it = |rows: &serde_json::Value| rows.to_string().contains(&hidden);
    assert!(names_it(&health["observers"]));
    let health = app.get(&format!("/api/nodes/{key}/health")).await.good();
    let analytics = app.get(&format!("/api/nodes/{key}/analytics?days=365")).await.good();
    let bulk = app.get("/api/nodes/bulk-health?limit=200").await.good();
    for rows in [&health["observers"], &analytics["observerCoverage"], &analytics["snrTrend"], &bulk] {
        assert!(!names_it(rows));
    }
}
