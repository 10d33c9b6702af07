use crate::app::TestApp;
use serde_json::{Value, json};

/// The first row of the page.
async fn first(app: &TestApp, path: &str, list: &str) -> Value {
    app.get(path).await.good()[list][0].clone()
}

fn names(row: &Value) -> Vec<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn rows_have_the_fields_that_were_asked_for_with_the_values_of_whole_rows() {
    let app = TestApp::init();
    for query in ["limit=3", "limit=3&groupByHash=true", "limit=3&expand=observations"] {
        let path = format!("/api/packets?{query}");
        let whole = first(&app, &path, "packets").await;
        for name in names(&whole) {
            let thin = first(&app, &format!("{path}&fields={name}"), "packets").await;
            assert_eq!(thin, json!({name: whole[name]}), "{path}");
        }
        let thin = first(&app, &format!("{path}&fields=snr,%20hash,,snr"), "packets").await;
        assert_eq!(thin, json!({"hash": whole["hash"], "snr": whole["snr"]}));
        assert_eq!(first(&app, &format!("{path}&fields="), "packets").await, whole);
    }
}

#[tokio::test]
async fn nodes_and_observers_can_be_thinned_as_well() {
    let app = TestApp::init();
    for (path, list) in [("/api/nodes", "nodes"), ("/api/observers", "observers")] {
        let whole = first(&app, &format!("{path}?limit=1"), list).await;
        for name in names(&whole) {
            let thin = first(&app, &format!("{path}?fields={name}"), list).await;
            assert_eq!(thin, json!({name: whole[name]}), "{path}");
        }
        assert!(app.get(&format!("{path}?fields=colour")).await.error(400).contains("colour"));
    }
}

#[tokio::test]
async fn a_field_that_rows_of_this_shape_do_not_have_is_named_in_the_error() {
    let app = TestApp::init();
    for path in ["/api/packets?fields=hash,colour", "/api/packets?groupByHash=true&fields=colour"] {
        let answer = app.get(path).await;
        let error = answer.error(400);
        assert!(
            error.starts_with("fields: no field is called `colour`; there are ") && error.contains("hash"),
            "{error}"
        );
        assert_eq!(answer.json()["parameter"], "fields");
    }
    app.get("/api/packets?fields=distinct_iatas").await.error(400);
    app.get("/api/packets?groupByHash=true&fields=distinct_iatas").await.good();
}

#[tokio::test]
async fn observations_can_be_thinned_as_well() {
    let app = TestApp::init();
    let hash = first(&app, "/api/packets?limit=1", "packets").await["hash"].as_str().unwrap().to_owned();
    let ask = async |fields: Value| {
        app.post("/api/packets/observations", json!({"hashes": [hash], "fields": fields})).await
    };
    let whole = ask(json!([])).await.good()["results"][&hash][0].clone();
    let thin = ask(json!(["snr", "raw_hex"])).await.good()["results"][&hash][0].clone();
    assert_eq!(thin, json!({"snr": whole["snr"], "raw_hex": whole["raw_hex"]}));
    assert!(ask(json!(["colour"])).await.error(400).contains("colour"));
}
