use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::{Value, json};

#[tokio::test]
async fn lists_and_messages_have_the_agreed_shape() {
    let app = TestApp::init();
    assert_golden("channels/list", app.get("/api/channels").await.good(), &[]);
    let encrypted = app.get("/api/channels?includeEncrypted=true&region=SFO").await.good();
    assert_golden("channels/encrypted", encrypted, &[]);
    assert_golden("channels/messages", app.get("/api/channels/Public/messages?limit=2").await.good(), &[]);
}

#[tokio::test]
async fn pages_of_messages_go_back_in_time_and_each_is_read_forward() {
    let app = TestApp::init();
    let all = app.get("/api/channels/Public/messages?limit=500").await.good();
    let all_messages = all["messages"].as_array().unwrap();
    assert_eq!(all["total"], all_messages.len());
    assert!(all_messages.is_sorted_by(|a, b| a["timestamp"].as_str() <= b["timestamp"].as_str()));
    let page = app.get("/api/channels/Public/messages?limit=2&offset=1").await.good();
    assert_eq!(
        page["messages"].as_array().unwrap()[..],
        all_messages[all_messages.len() - 3..all_messages.len() - 1]
    );
}

#[tokio::test]
async fn channels_are_asked_for_by_name_with_or_without_the_sign_and_by_hash_byte() {
    let app = TestApp::init();
    for row in app.get("/api/channels?includeEncrypted=true").await.good()["channels"].as_array().unwrap() {
        let hash = row["hash"].as_str().unwrap();
        let path = format!("/api/channels/{}/messages", hash.replace('#', "%23"));
        let messages = app.get(&path).await.good();
        assert_eq!(messages["total"], row["messageCount"], "{hash}");
        if let Some(bare) = hash.strip_prefix('#') {
            assert_eq!(app.get(&format!("/api/channels/{bare}/messages")).await.good(), messages);
        }
    }
    let nothing = json!({"messages": [], "total": 0, "nextCursor": null});
    for unknown in ["none", "enc_zz", "enc_", "%23", "%00", "%f0%9f%93%bb"] {
        assert_eq!(app.get(&format!("/api/channels/{unknown}/messages")).await.good(), nothing, "{unknown}");
    }
}

#[tokio::test]
async fn a_region_counts_only_what_was_heard_there() {
    let app = TestApp::init();
    assert_eq!(app.get("/api/channels?region=XXX").await.good(), json!({"channels": []}));
    let total = |page: Value| page["total"].as_u64().unwrap();
    let all = total(app.get("/api/channels/Public/messages").await.good());
    let there = total(app.get("/api/channels/Public/messages?region=SFO").await.good());
    assert!(there <= all);
    assert_eq!(total(app.get("/api/channels/Public/messages?region=XXX").await.good()), 0);
}

#[tokio::test]
async fn a_bad_parameter_is_refused_by_its_name() {
    let app = TestApp::init();
    for (path, parameter) in [
        ("/api/channels?includeEncrypted=maybe", "includeEncrypted"),
        ("/api/channels/Public/messages?limit=x", "limit"),
        ("/api/channels/Public/messages?offset=-5", "offset"),
    ] {
        assert_eq!(app.get(path).await.json()["parameter"], parameter);
    }
}
