use crate::app::TestApp;
use crate::golden::assert_golden;
use axum::body::Body;
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn observations_come_by_hash_and_unknown_hashes_are_left_out() {
    let app = TestApp::init();
    let first = app.get("/api/packets/1").await.good();
    let hash = first["packet"]["hash"].as_str().unwrap();
    let body = json!({"hashes": [hash, "0123456789abcdef", "nonsense", hash]});
    let answer = app.post("/api/packets/observations", body).await.good();
    assert_eq!(answer["results"].as_object().unwrap().len(), 1);
    assert_eq!(answer["results"][hash], first["observations"]);
    assert_golden("packets/observations", answer, &[]);
}

#[tokio::test]
async fn bad_bodies_are_refused_with_a_reason() {
    let app = TestApp::init();
    let path = "/api/packets/observations";
    assert_eq!(
        app.post(path, json!({"hashes": vec!["a"; 201]})).await.error(400),
        "too many hashes (max 200)"
    );
    assert_eq!(app.post(path, json!({"hashes": vec!["a"; 200]})).await.good(), json!({"results": {}}));
    for body in ["", "{", "[]", "null", "{\"hashes\": 1}", "{\"hashes\": [1]}", "{\"hashes\": []} x", "\u{0}"]
    {
        let answer = app.send(Method::POST, path, &[], Body::from(body)).await;
        assert_eq!(answer.error(400), "invalid JSON body", "{body}");
    }
    let bomb = "[".repeat(200_000);
    assert_eq!(app.send(Method::POST, path, &[], Body::from(bomb)).await.error(400), "invalid JSON body");
    let large = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(app.send(Method::POST, path, &[], Body::from(large)).await.error(413), "body too large");
}
