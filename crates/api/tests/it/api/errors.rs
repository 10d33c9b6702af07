use crate::app::TestApp;
use axum::body::Body;
use axum::http::Method;

#[tokio::test]
async fn unknown_paths_are_json_404_with_any_method() {
    let app = TestApp::init();
    for path in [
        "/api",
        "/api/",
        "/api/nope",
        "/api/packets/1/2",
        "/api/analytics/rf",
        "/api/..%2f",
        "/api/%ff",
        "/api//",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let answer = app.send(method.clone(), path, &[], Body::empty()).await;
            assert_eq!(answer.status, 404, "{method} {path}");
            assert!(answer.json()["error"].is_string());
        }
    }
}

#[tokio::test]
async fn wrong_methods_are_json_405_and_say_which_are_right() {
    let app = TestApp::init();
    for (method, path, allowed) in [
        (Method::DELETE, "/api/packets", "GET,HEAD,POST"),
        (Method::POST, "/api/stats", "GET,HEAD"),
        (Method::GET, "/api/decode", "POST"),
        (Method::PUT, "/api/packets/1", "GET,HEAD"),
        (Method::POST, "/api/nodes/abc", "GET,HEAD"),
        (Method::POST, "/nodes", "GET,HEAD"),
        (Method::DELETE, "/", "GET,HEAD"),
    ] {
        let answer = app.send(method, path, &[], Body::empty()).await;
        assert_eq!(answer.error(405), "method not allowed", "{path}");
        assert_eq!(answer.header("allow"), allowed, "{path}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::init();
    for path in ["/api/stats", "/api/packets", "/api/packets/1"] {
        let answer = app.send(Method::HEAD, path, &[], Body::empty()).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0), "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    assert_eq!(app.send(Method::HEAD, "/api/packets/0", &[], Body::empty()).await.status, 404);
}
