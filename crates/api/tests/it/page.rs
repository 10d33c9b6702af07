use crate::app::TestApp;

#[tokio::test]
async fn every_path_that_is_not_a_file_is_the_page_under_a_strict_policy() {
    let app = TestApp::init();
    for path in ["/", "/nodes", "/packets/abc", "/live?x=1"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status.as_u16(), if assets::is_built() { 200 } else { 503 }, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"));
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'self'; script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors"));
    }
    assert_eq!(app.get("/missing.js").await.status, 404);
}
