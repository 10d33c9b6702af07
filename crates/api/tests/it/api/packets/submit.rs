use crate::app::{API_KEY, TestApp};
use api::SubmitError;
use serde_json::json;

/// "Ann: hi" to the public channel.
const TEXT: &str = "1500112379AC076505DAA61C2636516BCE59409C74";

fn app() -> TestApp {
    TestApp::with(json!({"apiKey": API_KEY}))
}

#[tokio::test]
async fn a_packet_is_handed_to_ingest_and_answered_with_its_id() {
    let app = app();
    let body = json!({"hex": TEXT, "observer": "AB12", "snr": 5.5, "rssi": -90, "region": "OAK", "hash": ""});
    let answer = app.post_with_key("/api/packets", API_KEY, body).await.good();
    assert_eq!(answer["id"], 4_711);
    assert_eq!(answer["decoded"]["payload"]["text"], "Ann: hi");
    let submitted = app.services.submitted.lock().unwrap();
    assert_eq!(submitted.len(), 1);
    assert_eq!(submitted[0].observer.as_deref(), Some("AB12"));
    assert_eq!((submitted[0].snr, submitted[0].rssi), (Some(5.5), Some(-90.0)));
}

#[tokio::test]
async fn the_key_is_asked_for_before_anything_else() {
    let body = || json!({"hex": "not hex"});
    let closed = TestApp::init().post("/api/packets", body()).await;
    assert_eq!(closed.error(403), "write endpoints disabled — set apiKey in config.json");
    let app = app();
    assert_eq!(app.post("/api/packets", body()).await.error(401), "unauthorized");
    assert_eq!(app.post_with_key("/api/packets", "wrong", body()).await.error(401), "unauthorized");
    for weak in ["password", "short", "your-secret-api-key-here"] {
        let app = TestApp::with(json!({"apiKey": weak}));
        assert_eq!(app.post_with_key("/api/packets", weak, body()).await.error(403), "forbidden");
        assert_eq!(app.post_with_key("/api/packets", "wrong", body()).await.error(401), "unauthorized");
    }
}

#[tokio::test]
async fn what_cannot_be_a_packet_is_refused_with_a_reason() {
    let app = app();
    let post = |body| app.post_with_key("/api/packets", API_KEY, body);
    assert_eq!(post(json!({})).await.error(400), "hex is required");
    assert_eq!(post(json!({"hex": 5})).await.error(400), "invalid JSON body");
    assert_eq!(post(json!({"hex": "FF"})).await.error(400), "length (frame, byte 1)");
    assert_eq!(
        post(json!({"hex": TEXT, "hash": "0123456789abcdef"})).await.error(400),
        "hash does not belong to this packet"
    );
    assert!(app.services.submitted.lock().unwrap().is_empty());
    *app.services.refuse.lock().unwrap() =
        Some(SubmitError::Refused("rejected_invalid_signature".to_owned()));
    assert_eq!(post(json!({"hex": TEXT})).await.error(400), "rejected_invalid_signature");
    *app.services.refuse.lock().unwrap() = Some(SubmitError::Unavailable);
    assert_eq!(post(json!({"hex": TEXT})).await.error(503), "ingest is not taking packets");
}
