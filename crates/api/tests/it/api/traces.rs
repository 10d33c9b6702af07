use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::json;

#[tokio::test]
async fn a_trace_lists_who_heard_the_packet_in_order_of_time() {
    let app = TestApp::init();
    let packet = app.get("/api/packets/1").await.good();
    let hash = packet["packet"]["hash"].as_str().unwrap();
    let trace = app.get(&format!("/api/traces/{}", hash.to_uppercase())).await.good();
    assert_eq!(
        trace["traces"].as_array().unwrap().len() as u64,
        packet["observation_count"].as_u64().unwrap()
    );
    assert_golden("traces", trace, &[]);
}

#[tokio::test]
async fn nobody_heard_what_is_not_known() {
    let app = TestApp::init();
    for hash in ["0123456789abcdef", "abc", "%00", "x%2Fy"] {
        assert_eq!(app.get(&format!("/api/traces/{hash}")).await.good(), json!({"traces": []}));
    }
}
