mod analytics;
mod compare;
mod metrics;

use crate::app::TestApp;
use crate::golden::assert_golden;
use model::{Change, ObserverId};
use serde_json::json;

#[tokio::test]
async fn the_list_has_the_agreed_shape_and_each_of_it_can_be_asked_for() {
    let app = TestApp::init();
    let list = app.get("/api/observers").await.good();
    for observer in list["observers"].as_array().unwrap() {
        let id = observer["id"].as_str().unwrap();
        assert_eq!(app.get(&format!("/api/observers/{id}")).await.good(), *observer);
        assert_eq!(app.get(&format!("/api/observers/{}", id.to_lowercase())).await.good(), *observer);
    }
    assert_golden("observers", list, &["server_time"]);
}

#[tokio::test]
async fn hidden_and_unknown_observers_are_not_found() {
    let all = TestApp::init().get("/api/observers").await.good();
    let hidden = all["observers"][0]["id"].as_str().unwrap();
    let app = TestApp::with(json!({"observerBlacklist": [hidden.to_lowercase()]}));
    let shown = app.get("/api/observers").await.good();
    let count = |list: &serde_json::Value| list["observers"].as_array().unwrap().len();
    assert_eq!(count(&shown), count(&all) - 1);
    for id in [hidden, "nobody", "%ff", "%00"] {
        assert_eq!(app.get(&format!("/api/observers/{id}")).await.status, 404, "{id}");
    }
    assert_eq!(app.get(&format!("/api/observers/{hidden}")).await.error(404), "Observer not found");
}

#[tokio::test]
async fn times_that_could_not_be_believed_are_counted_for_who_sends_such() {
    let app = TestApp::init();
    let naive = |observer: u16| {
        let mut record = app.index.read().observer_record(ObserverId(observer)).unwrap().clone();
        (record.clock_skew_secs, record.clock_last_naive) = (Some(-25_200), Some(record.first_seen));
        app.index.write().apply(&Change::Observer(record.clone())).unwrap();
        record.key.to_string()
    };
    // The books know of seven times of the second observer, and of none of the first.
    let (first, second) = (naive(0), naive(1));
    let counted = |row: &serde_json::Value| row["clock_skew_count_24h"].as_u64().unwrap();
    assert_eq!(counted(&app.get(&format!("/api/observers/{second}")).await.good()), 7);
    assert_eq!(counted(&app.get(&format!("/api/observers/{first}")).await.good()), 0);
    let list = app.get("/api/observers").await.good();
    assert_eq!(list["observers"].as_array().unwrap().iter().map(counted).sum::<u64>(), 7);
}

#[tokio::test]
async fn clocks_are_compared_by_adverts_that_several_heard() {
    let app = TestApp::init();
    let offsets = app.get("/api/observers/clock-skew").await.good();
    assert_golden("observers/clock-skew", offsets.clone(), &[]);
    let hidden = offsets[0]["observerID"].as_str().unwrap();
    let app = TestApp::with(json!({"observerBlacklist": [hidden]}));
    let shown = app.get("/api/observers/clock-skew").await.good();
    assert_eq!(shown.as_array().unwrap()[..], offsets.as_array().unwrap()[1..]);
    assert_eq!(TestApp::empty().get("/api/observers/clock-skew").await.good(), json!([]));
}
