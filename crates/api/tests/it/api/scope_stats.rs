use crate::app::{TestApp, hear_frame};
use crate::golden::assert_golden;
use meshcore::{FrameBuilder, PayloadBuf, PayloadType, Route, ScopeKey};
use model::{ObserverId, UnixMillis};
use serde_json::json;

/// A packet with transport codes of this scope, or with codes that say nothing.
fn scoped(number: u8, scope: Option<&str>) -> Vec<u8> {
    let payload = PayloadBuf::new(PayloadType::Ack, vec![number; 4]).unwrap();
    let codes =
        scope.map(|name| ScopeKey::from_name(name).codes_for(payload.payload_type(), payload.bytes()));
    let codes = codes.unwrap_or_default();
    FrameBuilder::new(Route::TransportFlood, &payload).transport_codes(codes).encode()
}

#[tokio::test]
async fn packets_are_told_apart_by_their_scope() {
    let app = TestApp::init();
    // At the same moment, so that no bucket can begin between them.
    let now = UnixMillis::now().plus_ms(-1000);
    let plain = PayloadBuf::new(PayloadType::Ack, vec![9; 4]).unwrap();
    for frame in [
        scoped(1, Some("#bay")),
        scoped(2, Some("#bay")),
        scoped(3, Some("#elsewhere")),
        scoped(4, None),
        FrameBuilder::new(Route::Flood, &plain).encode(),
    ] {
        hear_frame(&app.index, &frame, ObserverId(0), now);
    }
    let day = app.get("/api/scope-stats").await.good();
    assert_golden("scope-stats", day.clone(), &["t"]);
    for window in ["1h", "7d"] {
        let answer = app.get(&format!("/api/scope-stats?window={window}")).await.good();
        assert_eq!((&answer["window"], &answer["summary"]), (&json!(window), &day["summary"]));
    }
}

#[tokio::test]
async fn other_windows_are_refused_in_the_agreed_words() {
    let app = TestApp::empty();
    for window in ["2h", "1d", "24H"] {
        let answer = app.get(&format!("/api/scope-stats?window={window}")).await;
        assert_eq!(answer.error(400), "window must be 1h, 24h, or 7d");
    }
    let nothing = json!({
        "window": "24h",
        "summary": {"transportTotal": 0, "scoped": 0, "unscoped": 0, "unknownScope": 0},
        "byRegion": [], "timeSeries": []
    });
    assert_eq!(app.get("/api/scope-stats?window=24h").await.good(), nothing);
}
