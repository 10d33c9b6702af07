use crate::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn every_path_that_is_not_a_file_is_the_page_under_a_strict_policy() {
    let app = TestApp::init();
    for path in ["/", "/nodes", "/packets/abc", "/live?x=1"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status.as_u16(), if assets::is_built() { 200 } else { 503 }, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"));
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'; script-src 'self'; style-src 'self'; "), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'self'"), "{policy}");
    }
    assert_eq!(app.get("/missing.js").await.status, 404);
}

#[tokio::test]
async fn sites_that_may_read_may_also_show_the_page_in_a_frame() {
    let origins = json!({"corsAllowedOrigins": ["https://a.example", "x; script-src *", "bad\norigin"]});
    let answer = TestApp::with(origins).get("/").await;
    assert!(answer.header("content-security-policy").ends_with("frame-ancestors 'self' https://a.example"));
}
