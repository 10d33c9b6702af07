use crate::app::TestApp;
use serde_json::Value;

#[tokio::test]
async fn the_document_is_served_to_any_site() {
    let answer = TestApp::init().get("/api/spec").await;
    let agreed: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    assert_eq!(answer.good(), agreed);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn the_documentation_page_needs_nothing_from_elsewhere() {
    let app = TestApp::init();
    let redirect = app.get("/api/docs").await;
    assert_eq!((redirect.status.as_u16(), redirect.header("location")), (303, "/api/docs/"));
    let page = app.get("/api/docs/").await;
    assert_eq!(page.status, 200);
    let html = String::from_utf8(page.body.clone()).unwrap();
    assert!(!html.contains("//unpkg") && !html.contains("https://"), "{html}");
    // Inline scripts would be blocked by the page's policy, so there must be none.
    assert!(!page.header("content-security-policy").contains("script-src 'unsafe-inline'"));
    assert!(html.split("<script").skip(1).all(|script| script.trim_start().starts_with("src=")), "{html}");
    for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        assert_eq!(app.get(&format!("/api/docs/{file}")).await.status, 200, "{file}");
    }
    let start = app.get("/api/docs/swagger-initializer.js").await;
    assert!(String::from_utf8_lossy(&start.body).contains("/api/spec"));
}

#[tokio::test]
async fn every_documented_get_without_a_path_parameter_answers() {
    let app = TestApp::init();
    let document: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        // Those that want a parameter, or the key, or are no JSON, have tests of their own.
        let wants_more = [
            "/api/packets/timestamps",
            "/api/messages/search",
            "/api/nodes/resolve",
            "/api/observers/compare",
            "/api/dropped-packets",
            "/api/debug/affinity",
            "/api/admin/prune-geo-filter/status",
            "/api/rx-coverage",
            "/api/rx-leaderboard",
            "/api/live",
            "/api/backup",
            "/metrics",
        ];
        let wants_more = wants_more.contains(&path.as_str());
        if methods.get("get").is_some() && !path.contains('{') && !wants_more {
            app.get(path).await.good();
        }
    }
}
