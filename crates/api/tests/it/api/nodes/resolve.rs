use super::{nodes, text};
use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::json;

#[tokio::test]
async fn a_prefix_names_the_one_node_that_begins_so() {
    let app = TestApp::init();
    let all = nodes(&app, "&sortBy=name").await;
    let key = text(&all[0], "public_key");
    let ask = async |prefix: &str| app.get(&format!("/api/nodes/resolve?prefix={prefix}")).await;
    assert_golden("nodes/resolve", ask(&key[..16].to_uppercase()).await.good(), &[]);
    assert_eq!(ask(key).await.good()["pubkey"], key);
    assert_eq!(ask("00000000").await.good(), json!({"prefix": "00000000", "ambiguous": false}));
    for bad in ["", "abc", "xyz0", &"a".repeat(65), "%ff%ff%ff%ff"] {
        assert!(ask(bad).await.error(400).starts_with("prefix: "), "{bad}");
    }
    assert!(app.get("/api/nodes/resolve").await.error(400).starts_with("prefix: "));
}

#[tokio::test]
async fn two_nodes_that_begin_alike_are_ambiguous() {
    let app = TestApp::init();
    let key = app.twin_of_first_node();
    let answer = app.get(&format!("/api/nodes/resolve?prefix={}", &key[..8])).await.good();
    assert_eq!(answer, json!({"prefix": &key[..8], "ambiguous": true}));
    for below in ["", "/health", "/paths", "/analytics", "/battery", "/neighbors"] {
        let answer = app.get(&format!("/api/nodes/{}{below}", &key[..8])).await;
        assert_eq!(answer.error(409), "several nodes begin with these digits");
    }
    assert_eq!(app.get(&format!("/api/nodes/resolve?prefix={key}")).await.good()["pubkey"], key);
}
