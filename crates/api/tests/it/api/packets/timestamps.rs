use crate::app::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn times_rise_and_none_is_an_empty_list() {
    let app = TestApp::init();
    let times = app.get("/api/packets/timestamps?since=2000-01-01").await.good();
    let times: Vec<&str> = times.as_array().unwrap().iter().map(|time| time.as_str().unwrap()).collect();
    let total = app.get("/api/packets?limit=1").await.good()["total"].clone();
    assert_eq!(Value::from(times.len()), total);
    assert!(times.is_sorted());
    let middle = times[times.len() / 2];
    let later = app.get(&format!("/api/packets/timestamps?since={middle}")).await.good();
    assert_eq!(later.as_array().unwrap().len(), times.iter().filter(|time| **time > middle).count());
    assert_eq!(app.get("/api/packets/timestamps?since=2100-01-01T00:00:00Z").await.good(), json!([]));
}

#[tokio::test]
async fn since_is_required_and_must_be_a_time() {
    let app = TestApp::init();
    for query in ["", "?since="] {
        let answer = app.get(&format!("/api/packets/timestamps{query}")).await;
        assert_eq!(answer.error(400), "since required");
        assert_eq!(answer.json()["parameter"], "since");
    }
    assert!(app.get("/api/packets/timestamps?since=soon").await.error(400).starts_with("since: "));
}
