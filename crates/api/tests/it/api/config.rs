use crate::app::{API_KEY, TestApp};
use crate::golden::assert_golden;
use axum::http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn without_a_configuration_everything_is_as_the_contract_says() {
    let app = TestApp::init();
    for name in ["cache", "client", "regions", "theme", "map", "geo-filter", "areas", "areas/polygons"] {
        let answer = app.get(&format!("/api/config/{name}")).await.good();
        assert_golden(&format!("config/{}", name.replace('/', "-")), answer, &[]);
    }
}

#[tokio::test]
async fn what_is_configured_is_passed_on() {
    let app = TestApp::with(json!({
        "apiKey": API_KEY,
        "cacheTTL": {"stats": 10},
        "regions": {"OAK": "Oakland", "XYZ": "Nowhere"},
        "mapDefaults": {"center": [52.0, 5.0], "zoom": 8},
        "geo_filter": {"polygon": [[36.0, -123.0], [39.0, -123.0], [39.0, -120.0]], "bufferKm": 5},
        "areas": {
            "bay": {"label": "The Bay", "polygon": [[37.0, -123.0], [38.0, -123.0], [38.0, -121.0]]},
            "box": {"label": "A box", "latMin": 1, "latMax": 2, "lonMin": 3, "lonMax": 4},
            "hidden": {"latMin": 1, "latMax": 2, "lonMin": 3, "lonMax": 4}
        },
        "healthThresholds": {"nodeDegradedHours": 2},
        "liveMap": {"maxNodes": 5},
        "debugAffinity": true,
        "perfSlowMs": 250,
        "unknownKey": {"is": "ignored"}
    }));
    assert_eq!(app.get("/api/config/cache").await.good(), json!({"stats": 10}));
    let client = app.get("/api/config/client").await.good();
    assert_eq!(client["healthThresholds"]["nodeDegradedMs"], 7_200_000);
    assert_eq!((&client["liveMapMaxNodes"], &client["perfSlowMs"]), (&json!(100), &json!(250)));
    assert_eq!(client["debugAffinity"], true);
    let regions = app.get("/api/config/regions").await.good();
    assert_eq!(
        (&regions["OAK"], &regions["XYZ"], &regions["SFO"]),
        (&json!("Oakland"), &json!("Nowhere"), &json!("SFO"))
    );
    assert_eq!(app.get("/api/config/map").await.good(), json!({"center": [52, 5], "zoom": 8}));
    let filter = app.get("/api/config/geo-filter").await.good();
    assert_eq!((&filter["bufferKm"], &filter["writeEnabled"]), (&json!(5), &json!(true)));
    let areas = json!([{"key": "bay", "label": "The Bay"}, {"key": "box", "label": "A box"}]);
    assert_eq!(app.get("/api/config/areas").await.good(), areas);
    let polygons = app.get("/api/config/areas/polygons").await.good();
    assert_eq!(
        polygons[1],
        json!({
            "key": "box", "label": "A box", "latMin": 1, "latMax": 2, "lonMin": 3, "lonMax": 4
        })
    );
}

#[tokio::test]
async fn the_area_of_interest_can_be_changed_and_holds_at_once() {
    let app = TestApp::with(
        json!({"apiKey": API_KEY, "geo_filter": {"latMin": 1, "latMax": 2, "lonMin": 1, "lonMax": 2}}),
    );
    let put = |body| app.with_key(Method::PUT, "/api/config/geo-filter", body);
    let area = json!({"polygon": [[37, -123], [38.5, -123], [38.5, -121]], "bufferKm": 2.5});
    assert_eq!(put(area.clone()).await.good(), area);
    let now = app.get("/api/config/geo-filter").await.good();
    assert_eq!((&now["polygon"], &now["bufferKm"]), (&area["polygon"], &area["bufferKm"]));
    let written = app.services.registry.geo_filters.lock().unwrap().clone();
    let newest = written.last().unwrap().as_ref().unwrap();
    assert_eq!((newest.polygon.len(), newest.buffer_km, newest.lat_min), (3, 2.5, None));
    let nodes = app.get("/api/nodes?limit=2000").await.good();
    assert!(nodes["nodes"].as_array().unwrap().iter().any(|node| node["foreign"] == false));

    for none in [json!({"polygon": [], "bufferKm": 1}), json!({"polygon": null}), json!({})] {
        let answer = put(none).await.good();
        assert_eq!(answer["polygon"], Value::Null);
    }
    assert_eq!(app.get("/api/config/geo-filter").await.good()["polygon"], Value::Null);
    assert!(app.services.registry.geo_filters.lock().unwrap().last().unwrap().is_none());
}

#[tokio::test]
async fn an_impossible_area_of_interest_is_refused_and_one_that_cannot_be_written_does_not_hold() {
    let app = TestApp::with(json!({"apiKey": API_KEY}));
    let put = |body| app.with_key(Method::PUT, "/api/config/geo-filter", body);
    let corner = json!([1.0, 2.0]);
    for (body, _why) in [
        (json!({"polygon": [corner]}), "one point"),
        (json!({"polygon": [corner, corner]}), "two points"),
        (json!({"polygon": vec![corner.clone(); 1_001]}), "too many"),
        (json!({"polygon": [[91, 0], [1, 2], [3, 4]]}), "beyond the pole"),
        (json!({"polygon": [[1, 181], [1, 2], [3, 4]]}), "beyond the date line"),
        (json!({"polygon": [[1], [1, 2], [3, 4]]}), "half a point"),
        (json!({"polygon": [corner, corner, corner], "bufferKm": -1}), "negative"),
        (json!({"polygon": [corner, corner, corner], "bufferKm": 20_001}), "too wide"),
        (json!([]), "no object"),
    ] {
        put(body).await.error(400);
    }
    let area = json!({"polygon": [corner, corner, corner], "bufferKm": 0});
    for why in ["no file", "read-only"] {
        *app.services.registry.geo_filter_error.lock().unwrap() = Some(why);
        put(area.clone()).await.error(500);
    }
    assert_eq!(app.get("/api/config/geo-filter").await.good()["polygon"], Value::Null);
    app.send(Method::PUT, "/api/config/geo-filter", &[], area.to_string().into()).await.error(401);
    assert!(app.services.registry.geo_filters.lock().unwrap().is_empty());
}
