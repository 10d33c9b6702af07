use super::{nodes, text};
use crate::app::{TestApp, hear_frame};
use crate::golden::assert_golden;
use model::{ObserverId, UnixMillis};
use serde_json::{Value, json};

async fn clocks(app: &TestApp, query: &str) -> Vec<Value> {
    app.get(&format!("/api/nodes/clock-skew{query}")).await.good().as_array().unwrap().clone()
}

async fn clock(app: &TestApp, key: &str) -> Value {
    app.get(&format!("/api/nodes/{key}/clock-skew")).await.good()
}

/// The node of which most adverts were heard.
async fn loudest(app: &TestApp) -> String {
    text(&nodes(app, "&sortBy=packetCount").await[0], "public_key").to_owned()
}

#[tokio::test]
async fn clocks_of_nodes_have_the_agreed_shape_and_agree_with_each_other() {
    let app = TestApp::init();
    let list = clocks(&app, "").await;
    assert_golden("nodes/clock-skew-list", json!(list[..3]), &[]);
    let all = nodes(&app, "").await;
    assert!(list.len() > all.len() / 2);
    for row in &list {
        assert!(row.get("samples").is_none() && row.get("recentHashEvidence").is_none());
        let whole = clock(&app, text(row, "pubkey")).await;
        let count = |row: &Value| row["sampleCount"].as_u64().unwrap();
        assert_eq!(whole["samples"].as_array().unwrap().len() as u64, count(&whole));
        assert_eq!(count(row), count(&whole).min(6));
        for same in ["lastSkewSec", "recentMedianSkewSec", "severity", "goodFraction", "lastAdvertTS"] {
            assert_eq!(row[same], whole[same], "{same}");
        }
        let summary = &whole["calibrationSummary"];
        let parts = ["calibratedSamples", "uncalibratedSamples"].map(|part| summary[part].as_u64().unwrap());
        assert_eq!(summary["totalSamples"], parts[0] + parts[1]);
        assert_eq!(whole["calibrated"], parts[0] > 0);
        let last = whole["samples"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["ts"], &last["skew"]), (&whole["lastObservedTS"], &whole["lastSkewSec"]));
    }
    assert_golden("nodes/clock-skew", clock(&app, &loudest(&app).await).await, &[]);
}

#[tokio::test]
async fn what_observers_said_is_shown_by_advert_with_their_own_offsets_taken_out() {
    let app = TestApp::init();
    let offsets = app.get("/api/observers/clock-skew").await.good();
    let mut seen = 0;
    for row in clocks(&app, "").await {
        let whole = clock(&app, text(&row, "pubkey")).await;
        let evidence = whole["recentHashEvidence"].as_array().unwrap();
        assert_eq!(evidence.len() as u64, whole["sampleCount"].as_u64().unwrap().min(10));
        for one in evidence.iter().flat_map(|advert| advert["observers"].as_array().unwrap()) {
            let [raw, corrected, offset] = ["rawSkewSec", "correctedSkewSec", "observerOffsetSec"]
                .map(|field| one[field].as_f64().unwrap());
            assert!((raw + offset - corrected).abs() < 0.11, "{one}");
            let own = offsets.as_array().unwrap().iter().find(|row| row["observerID"] == one["observerID"]);
            assert_eq!(one["calibrated"], own.is_some());
            assert!((own.map_or(0.0, |own| own["offsetSec"].as_f64().unwrap()) - offset).abs() < 0.06);
            seen += 1;
        }
    }
    assert!(seen > 10);
}

/// An advert of the capture with another time in it. Its signature counts for nothing here.
fn saying(raw: &[u8], key: &str, secs: i64) -> Vec<u8> {
    let key = meshcore::decode_hex(key).unwrap();
    let place = raw.windows(32).position(|bytes| bytes == key).unwrap() + 32;
    let mut forged = raw.to_vec();
    forged[place..place + 4].copy_from_slice(&u32::try_from(secs).unwrap().to_le_bytes());
    forged
}

#[tokio::test]
async fn a_wrong_clock_is_told_by_how_much_it_is_wrong() {
    let app = TestApp::init();
    let key = loudest(&app).await;
    let (before, node) = (clock(&app, &key).await, app.get(&format!("/api/nodes/{key}")).await.good());
    assert_eq!(before["severity"], "no_clock", "its adverts in the capture are two years late");
    let raw = meshcore::decode_hex(text(&node["recentAdverts"][0], "raw_hex")).unwrap();
    let begin = before["lastObservedTS"].as_i64().unwrap() + 2 * 86_400;
    let hear = |secs: i64, wrong: i64| {
        let time = UnixMillis(secs * 1000);
        hear_frame(&app.index, &saying(&raw, &key, secs + wrong), ObserverId(0), time);
    };
    (0..3).for_each(|number| hear(begin + 60 * number, 0));
    let right = clock(&app, &key).await;
    assert_eq!((&right["severity"], &right["recentSampleCount"]), (&json!("ok"), &json!(3)));
    assert!(right["medianSkewSec"].as_f64().unwrap().abs() < 5.0, "{right:#}");

    hear(begin + 240, -7_200);
    let mixed = clock(&app, &key).await;
    assert_eq!((&mixed["severity"], &mixed["goodFraction"]), (&json!("bimodal_clock"), &json!(0.75)));
    assert_eq!(mixed["recentBadSampleCount"], 1);
    assert_eq!(mixed["recentBadSamples"][0]["skewSec"], mixed["lastSkewSec"]);
    assert!((mixed["lastSkewSec"].as_f64().unwrap() + 7_200.0).abs() < 5.0);

    // A day later, half an hour wrong.
    (0..3).for_each(|number| hear(begin + 86_400 + 60 * number, 1_800));
    assert_eq!(clock(&app, &key).await["severity"], "warning");
}

#[tokio::test]
async fn only_clocks_of_nodes_in_the_area_are_listed() {
    let area = json!({"label": "South", "latMin": 36.0, "latMax": 37.6, "lonMin": -124.0, "lonMax": -120.0});
    let app = TestApp::with(json!({"areas": {"south": area}}));
    let keys: Vec<Value> =
        nodes(&app, "&area=south").await.iter().map(|node| node["public_key"].clone()).collect();
    let (all, south) = (clocks(&app, "").await, clocks(&app, "?area=south").await);
    assert!(!south.is_empty() && south.len() < all.len());
    assert!(south.iter().all(|row| keys.contains(&row["pubkey"])));
    assert_eq!(app.get("/api/nodes/clock-skew?area=nowhere").await.error(400), "area: no such area");
}

#[tokio::test]
async fn hidden_nodes_and_observers_are_named_by_no_clock() {
    let open = TestApp::init();
    let key = loudest(&open).await;
    let observer = clock(&open, &key).await["recentHashEvidence"][0]["observers"][0]["observerID"]
        .as_str()
        .unwrap()
        .to_owned();
    let app = TestApp::with(json!({"observerBlacklist": [observer.to_lowercase()]}));
    assert!(!clock(&app, &key).await.to_string().contains(&observer));
    let analytics = app.get(&format!("/api/nodes/{key}/analytics")).await.good();
    assert!(!analytics["clockSkew"].to_string().contains(&observer));
    let app = TestApp::with(json!({"nodeBlacklist": [key]}));
    assert_eq!(clocks(&app, "").await.len(), clocks(&open, "").await.len() - 1);
    let error = app.get(&format!("/api/nodes/{key}/clock-skew")).await.error(404);
    assert_eq!(error, "No clock skew data for this node");
}

#[tokio::test]
async fn analytics_have_the_clock_of_the_node() {
    let app = TestApp::init();
    let key = loudest(&app).await;
    let analytics = app.get(&format!("/api/nodes/{key}/analytics")).await.good();
    assert_eq!(analytics["clockSkew"], clock(&app, &key).await);
    assert_eq!(clocks(&TestApp::empty(), "").await, Vec::<Value>::new());
}
