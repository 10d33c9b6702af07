use crate::app::{TestApp, hear_frame};
use crate::golden::assert_golden;
use meshcore::{FrameBuilder, PathBuf, PayloadBuf, PayloadType, Route};
use model::{ObserverId, UnixMillis};
use serde_json::{Value, json};

fn text(byte: u8) -> Vec<u8> {
    let payload = PayloadBuf::new(PayloadType::Text, vec![0xD1, 0x51, byte, 3, 4, 5]).unwrap();
    let mut path = PathBuf::new(1).unwrap();
    path.push(&[0x51]).unwrap();
    path.push(&[0x77]).unwrap();
    FrameBuilder::new(Route::Flood, &payload).path(path.as_path()).encode()
}

fn id_of(app: &TestApp, observer: u16) -> String {
    app.index.read().observer_record(ObserverId(observer)).unwrap().key.to_string()
}

#[tokio::test]
async fn what_an_observer_heard_has_the_agreed_shape() {
    let app = TestApp::init();
    // At the same moment, so that no hour can begin between them.
    let now = UnixMillis::now().plus_ms(-1000);
    hear_frame(&app.index, &text(1), ObserverId(0), now);
    hear_frame(&app.index, &text(2), ObserverId(0), now);
    let id = id_of(&app, 0).to_lowercase();
    let analytics = app.get(&format!("/api/observers/{id}/analytics?days=0")).await.good();
    assert_golden("observers/analytics", analytics.clone(), &["label", "timestamp"]);
    // Source and first hop are one sign.
    assert_eq!(analytics["nodesTimeline"][0]["count"], 3);
    let label = |days: &str, analytics: &Value| {
        let label = analytics["timeline"][0]["label"].as_str().unwrap();
        assert!(!label.is_empty(), "{days}");
        label.to_owned()
    };
    let hour = label("1", &analytics);
    assert!(hour.len() == 5 && hour.ends_with(":00"), "{hour}");
    let week = label("7", &app.get(&format!("/api/observers/{id}/analytics")).await.good());
    assert!(week.len() == 9 && week.contains(' '), "{week}");
    let year = label("365", &app.get(&format!("/api/observers/{id}/analytics?days=900")).await.good());
    assert!(year.len() == 6 && year.contains(' '), "{year}");
}

#[tokio::test]
async fn sums_of_a_year_add_up() {
    let app = TestApp::init();
    let id = id_of(&app, 0);
    hear_frame(&app.index, &text(1), ObserverId(0), UnixMillis::now());
    let analytics = app.get(&format!("/api/observers/{id}/analytics?days=365")).await.good();
    let points = analytics["timeline"].as_array().unwrap();
    let heard: u64 = points.iter().map(|point| point["count"].as_u64().unwrap()).sum();
    let types = analytics["packetTypes"].as_object().unwrap();
    assert_eq!(types.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), heard);
    assert!(types["2"].as_u64().unwrap() >= 1);
    assert!(analytics["recentPackets"].as_array().unwrap().len() as u64 <= heard.min(20));
}

#[tokio::test]
async fn nothing_is_known_of_an_unknown_observer_and_a_hidden_one_is_not_found() {
    let app = TestApp::init();
    let nothing = json!({
        "timeline": [], "packetTypes": {}, "nodesTimeline": [], "snrDistribution": [], "recentPackets": []
    });
    assert_eq!(app.get("/api/observers/nobody/analytics").await.good(), nothing);
    let id = id_of(&app, 0);
    let answer = app.get(&format!("/api/observers/{id}/analytics?days=week")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &json!("days")));
    let app = TestApp::with(json!({"observerBlacklist": [id.to_lowercase()]}));
    assert_eq!(app.get(&format!("/api/observers/{id}/analytics")).await.error(404), "Observer not found");
}
