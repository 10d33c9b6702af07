use crate::app::TestApp;
use crate::golden::assert_golden;

#[tokio::test]
async fn the_account_has_the_agreed_shape_and_names_its_observers() {
    let app = TestApp::init();
    let report = app.get("/api/ingest").await.good();
    assert_eq!(report["observers"][0]["observer_name"], "Observer OAK 1");
    assert_golden("ingest", report, &[]);
}
