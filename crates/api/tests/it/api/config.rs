use crate::app::{API_KEY, TestApp};
use crate::golden::assert_golden;
use serde_json::json;

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
