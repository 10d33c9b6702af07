use crate::app::{API_KEY, Answer, TestApp, hear_again};
use axum::body::Body;
use axum::http::Method;
use serde_json::json;

async fn ask(app: &TestApp, method: Method, path: &str, tag: &str) -> Answer {
    app.send(method, path, &[("if-none-match", tag)], Body::empty()).await
}

#[tokio::test]
async fn who_has_the_page_of_packets_is_told_so_until_something_is_heard() {
    let app = TestApp::init();
    for path in ["/api/packets?limit=5", "/api/packets?limit=5&groupByHash=true", "/api/packets/1"] {
        let tag = app.get(path).await.header("etag").to_owned();
        for known in [tag.as_str(), "*", &format!("\"a\", {tag}"), tag.trim_start_matches("W/")] {
            let answer = ask(&app, Method::GET, path, known).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{path} {known}");
            assert_eq!((answer.header("etag"), answer.header("cache-control")), (tag.as_str(), "no-cache"));
            assert_eq!(answer.header("x-corescope-load-status"), "ready");
        }
        assert_eq!(ask(&app, Method::HEAD, path, &tag).await.status, 304);
        assert_eq!(ask(&app, Method::GET, path, "W/\"0\"").await.status, 200);
        hear_again(&app.index, 1);
        let answer = ask(&app, Method::GET, path, &tag).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_ne!(answer.header("etag"), tag);
    }
}

#[tokio::test]
async fn who_has_a_path_is_told_when_its_hops_mean_other_nodes() {
    let app = TestApp::init();
    let path = "/api/packets?limit=50&expand=observations";
    let resolved = app.get(path).await;
    let known = app.index.read().hops();
    app.index.read().set_hops(Default::default());
    let answer = ask(&app, Method::GET, path, resolved.header("etag")).await;
    assert_eq!(answer.status, 200);
    assert_ne!(answer.body, resolved.body, "the history has paths that are resolved");
    app.index.read().set_hops(known);
    assert_eq!(ask(&app, Method::GET, path, resolved.header("etag")).await.status, 304, "as it was");
    app.index.read().refresh_hops();
    assert_eq!(ask(&app, Method::GET, path, resolved.header("etag")).await.status, 200);
}

#[tokio::test]
async fn what_ages_is_asked_for_again() {
    let app = TestApp::init();
    let path = "/api/packets?limit=1&filter=age%20%3C%201h";
    assert!(app.get(path).await.headers.get("etag").is_none());
    assert_eq!(ask(&app, Method::GET, path, "*").await.status, 200);
}

#[tokio::test]
async fn another_configuration_makes_other_answers() {
    let app = TestApp::init();
    let tag = app.get("/api/packets").await.header("etag").to_owned();
    app.state.set_config(serde_json::from_str(r#"{"listLimits": {"packetsMax": 1}}"#).unwrap());
    assert_eq!(ask(&app, Method::GET, "/api/packets", &tag).await.status, 200);
    // Which nodes are foreign, and so perhaps hidden, depends on it.
    let app = TestApp::with(json!({"apiKey": API_KEY}));
    let tag = app.get("/api/packets").await.header("etag").to_owned();
    let area = json!({"polygon": [[37, -123], [38.5, -123], [38.5, -121]], "bufferKm": 2.5});
    app.with_key(Method::PUT, "/api/config/geo-filter", area).await.good();
    assert_eq!(ask(&app, Method::GET, "/api/packets", &tag).await.status, 200);
}

#[tokio::test]
async fn settings_and_the_document_are_validated_by_what_they_say() {
    let app = TestApp::init();
    for path in ["/api/config/client", "/api/config/theme", "/api/spec", "/api/iata-coords"] {
        let whole = app.get(path).await;
        let tag = whole.header("etag").to_owned();
        assert!(!whole.good().is_null());
        let answer = ask(&app, Method::GET, path, &tag).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{path}");
        assert_eq!(app.get(path).await.header("etag"), tag);
        let compressed = app.send(Method::GET, path, &[("accept-encoding", "gzip")], Body::empty()).await;
        assert_eq!(compressed.header("etag"), tag);
        assert_eq!(compressed.header("vary"), "accept-encoding");
    }
    hear_again(&app.index, 1);
    let tag = app.get("/api/config/client").await.header("etag").to_owned();
    assert_eq!(ask(&app, Method::GET, "/api/config/client", &tag).await.status, 304);
}

#[tokio::test]
async fn what_depends_on_the_time_and_what_failed_have_no_tag() {
    let app = TestApp::init();
    for path in ["/api/nodes", "/api/observers", "/api/stats", "/api/packets?limit=x", "/api/packets/0"] {
        let answer = ask(&app, Method::GET, path, "\"a\"").await;
        assert!(answer.headers.get("etag").is_none(), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}
