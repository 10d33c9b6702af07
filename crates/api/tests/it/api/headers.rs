use crate::app::{Answer, TestApp};
use axum::body::Body;
use axum::http::Method;
use serde_json::json;

async fn from_origin(app: &TestApp, method: Method, origin: &str) -> Answer {
    app.send(method, "/api/stats", &[("origin", origin)], Body::empty()).await
}

#[tokio::test]
async fn answers_of_the_api_are_never_stored_and_never_guessed_at() {
    let app = TestApp::init();
    for path in ["/api/stats", "/api/nope", "/api/nodes", "/api/packets?limit=x"] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
    }
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask() {
    let app = TestApp::init();
    for (accept, encoding) in [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip, br;q=0", "gzip")] {
        let answer =
            app.send(Method::GET, "/api/packets", &[("accept-encoding", accept)], Body::empty()).await;
        assert_eq!(answer.header("content-encoding"), encoding);
        assert!(answer.body.len() < 40_000);
    }
    assert!(app.get("/api/packets").await.headers.get("content-encoding").is_none());
    // A few bytes would only get more.
    let small =
        app.send(Method::GET, "/api/config/areas", &[("accept-encoding", "gzip")], Body::empty()).await;
    assert!(small.headers.get("content-encoding").is_none() && small.body.len() < 32);
}

#[tokio::test]
async fn without_listed_origins_no_site_is_told_that_it_may_read() {
    let app = TestApp::init();
    let answer = from_origin(&app, Method::GET, "https://a.example").await;
    answer.good();
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    assert_eq!(from_origin(&app, Method::OPTIONS, "https://a.example").await.status, 405);
}

#[tokio::test]
async fn listed_origins_may_read_and_others_are_served_without_permission() {
    let app = TestApp::with(json!({"corsAllowedOrigins": ["https://a.example"]}));
    let allowed = from_origin(&app, Method::GET, "https://a.example").await;
    assert_eq!(allowed.header("access-control-allow-origin"), "https://a.example");
    assert_eq!(allowed.header("access-control-allow-methods"), "GET, HEAD, OPTIONS");
    assert_eq!(allowed.header("access-control-allow-headers"), "Content-Type, X-API-Key");
    assert!(allowed.headers.get_all("vary").iter().any(|value| value == "Origin"));
    assert!(allowed.headers.get("access-control-allow-credentials").is_none());
    assert_eq!(from_origin(&app, Method::OPTIONS, "https://a.example").await.status, 204);
    for stranger in ["https://b.example", "https://A.example", "null"] {
        let answer = from_origin(&app, Method::GET, stranger).await;
        answer.good();
        assert!(answer.headers.get("access-control-allow-origin").is_none());
        assert_eq!(from_origin(&app, Method::OPTIONS, stranger).await.status, 403);
    }
    let any = TestApp::with(json!({"corsAllowedOrigins": ["*"]}));
    assert_eq!(
        from_origin(&any, Method::GET, "https://b.example").await.header("access-control-allow-origin"),
        "*"
    );
}
