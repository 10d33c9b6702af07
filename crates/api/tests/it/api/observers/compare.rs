use crate::app::TestApp;
use crate::golden::assert_golden;
use model::ObserverId;
use serde_json::{Value, json};

fn ids(app: &TestApp) -> (String, String) {
    let index = app.index.read();
    let key = |id| index.observer_record(ObserverId(id)).unwrap().key.to_string();
    (key(0), key(1))
}

/// All that the history holds.
const MAY: &str = "from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z";

#[tokio::test]
async fn a_comparison_has_the_agreed_shape_and_its_parts_add_up() {
    let app = TestApp::init();
    let (a, b) = ids(&app);
    let found = app.get(&format!("/api/observers/compare?a={}&b={b}&{MAY}", a.to_lowercase())).await.good();
    assert_golden("observers/compare", found.clone(), &[]);
    for set in ["onlyA", "both", "onlyB"] {
        let sum = |list: &Value| -> u64 {
            list.as_array().unwrap().iter().map(|part| part[set].as_u64().unwrap()).sum()
        };
        assert_eq!(sum(&found["byType"]), found["packets"][set], "{set}");
        assert_eq!(sum(&found["series"]), found["packets"][set], "{set}");
    }
    let back = app.get(&format!("/api/observers/compare?a={b}&b={a}&{MAY}")).await.good();
    assert_eq!(back["packets"]["onlyA"], found["packets"]["onlyB"]);
    assert_eq!(
        back["newest"]["onlyB"].as_array().unwrap().len(),
        found["newest"]["onlyA"].as_array().unwrap().len()
    );
    let same = app.get(&format!("/api/observers/compare?a={a}&b={a}&{MAY}")).await.good();
    assert_eq!((&same["packets"]["onlyA"], &same["signal"]["firstA"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_long_span_is_told_by_days_and_without_one_the_last_day_is_meant() {
    let app = TestApp::init();
    let (a, b) = ids(&app);
    let path =
        format!("/api/observers/compare?a={a}&b={b}&from=2026-05-10T00:00:00Z&to=2026-05-20T00:00:00Z");
    assert_eq!(app.get(&path).await.good()["bucketMs"], 3_600_000);
    let days = app.get(&format!("/api/observers/compare?a={a}&b={b}&{MAY}")).await.good();
    assert_eq!(days["bucketMs"], 86_400_000);
    let day = app.get(&format!("/api/observers/compare?a={a}&b={b}&to=2001-01-02T00:00:00Z")).await.good();
    assert_eq!(day["from"], "2001-01-01T00:00:00Z");
    assert_eq!(day["packets"], json!({"onlyA": 0, "both": 0, "onlyB": 0}));
    assert_eq!((&day["signal"]["meanSnrA"], &day["signal"]["complete"]), (&json!(null), &json!(true)));
}

#[tokio::test]
async fn who_is_not_there_or_hidden_cannot_be_compared() {
    let app = TestApp::init();
    let (a, b) = ids(&app);
    for (query, parameter) in [
        (format!("b={b}"), "a"),
        (format!("a={a}&b="), "b"),
        (format!("a={a}&b={b}&from=noon"), "from"),
        (format!("a={a}&b={b}&from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z"), "from"),
    ] {
        let answer = app.get(&format!("/api/observers/compare?{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["parameter"]),
            (400, &json!(parameter)),
            "{query}"
        );
    }
    let unknown = app.get(&format!("/api/observers/compare?a={a}&b=nobody")).await;
    assert_eq!(unknown.error(404), "Observer not found");
    let app = TestApp::with(json!({"observerBlacklist": [b.to_lowercase()]}));
    assert_eq!(
        app.get(&format!("/api/observers/compare?a={a}&b={b}")).await.error(404),
        "Observer not found"
    );
}
