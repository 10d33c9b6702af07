use crate::app::TestApp;
use crate::golden::assert_golden;
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
