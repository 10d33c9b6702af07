use super::{nodes, text};
use crate::app::TestApp;
use crate::golden::assert_golden;
use model::{Change, ObserverMetrics, ObserverRecord, UnixMillis};
use serde_json::{Value, json};
use std::sync::Arc;
use storage::{Storage, StorageOptions, WriteBatch};

/// An application in which a node is also an observer with these voltages, the last of them just now.
struct Powered {
    app: TestApp,
    key: String,
    _storage: Storage,
    _folder: tempfile::TempDir,
}

async fn powered(config: Value, voltages: &[u32]) -> Powered {
    let app = TestApp::with(config);
    let key = text(&nodes(&app, "&role=repeater").await[0], "public_key").to_owned();
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageOptions::new(folder.path().join("packets.db"))).unwrap();
    let now = UnixMillis::now();
    let id = app.index.read().next_ids().observer;
    let observer = Change::Observer(ObserverRecord { id, key: key.to_uppercase().into(), ..record(now) });
    app.index.write().apply(&observer).unwrap();
    let sample = |(number, battery_mv): (usize, &u32)| {
        let age = (voltages.len() - 1 - number) as i64 * 3_600_000;
        Change::Metrics(ObserverMetrics {
            observer: id,
            time: now.plus_ms(-age),
            noise_floor: None,
            tx_air_secs: None,
            rx_air_secs: None,
            recv_errors: None,
            battery_mv: Some(*battery_mv),
            packets_sent: None,
            packets_recv: None,
        })
    };
    let changes = voltages.iter().enumerate().map(sample).collect();
    storage.writer().submit(WriteBatch { changes, on_durable: None }).unwrap();
    storage.writer().flush().unwrap();
    *app.services.reader.lock().unwrap() = Some(Arc::new(storage.reader().unwrap()));
    Powered { app, key, _storage: storage, _folder: folder }
}

fn record(now: UnixMillis) -> ObserverRecord {
    ObserverRecord {
        id: model::ObserverId(0),
        key: "".into(),
        name: None,
        iata: None,
        model: None,
        firmware: None,
        client_version: None,
        radio: None,
        battery_mv: None,
        uptime_secs: None,
        noise_floor: None,
        can_relay: None,
        first_seen: now,
        last_status: None,
        online: None,
        clock_skew_secs: None,
        clock_last_naive: None,
    }
}

impl Powered {
    async fn ask(&self, query: &str) -> Value {
        self.app.get(&format!("/api/nodes/{}/battery{query}", self.key)).await.good()
    }
}

#[tokio::test]
async fn the_battery_has_the_agreed_shape_and_is_judged_by_its_newest_voltage() {
    for (newest, status) in [(3_300, "ok"), (3_299, "low"), (3_000, "low"), (2_999, "critical")] {
        let powered = powered(json!({}), &[4_100, 3_900, newest]).await;
        let battery = powered.ask("").await;
        assert_eq!((&battery["status"], &battery["latest_mv"]), (&json!(status), &json!(newest)));
        assert_eq!(battery["latest_ts"], battery["samples"][2]["timestamp"]);
        if newest == 3_300 {
            assert_golden("nodes/battery", battery, &["timestamp", "latest_ts"]);
        }
    }
    let strict = powered(json!({"batteryThresholds": {"low": 4000, "critical": 3500}}), &[3_600]).await;
    let battery = strict.ask("").await;
    assert_eq!((&battery["status"], &battery["thresholds"]["low_mv"]), (&json!("low"), &json!(4000)));
}

#[tokio::test]
async fn samples_are_those_of_the_days_asked_for() {
    let powered = powered(json!({}), &[3_700; 60]).await;
    assert_eq!(powered.ask("?days=1").await["samples"].as_array().unwrap().len(), 24);
    assert_eq!(powered.ask("?days=2").await["samples"].as_array().unwrap().len(), 48);
    assert_eq!(powered.ask("?days=400").await["days"], 365);
}

#[tokio::test]
async fn a_node_that_does_not_observe_has_no_samples_and_a_hidden_one_is_not_found() {
    let app = TestApp::init();
    let key = text(&nodes(&app, "&role=repeater").await[0], "public_key").to_owned();
    let battery = app.get(&format!("/api/nodes/{key}/battery")).await.good();
    assert_eq!((&battery["samples"], &battery["status"]), (&json!([]), &json!("unknown")));
    assert_eq!((&battery["latest_mv"], &battery["latest_ts"]), (&Value::Null, &Value::Null));
    let unknown = format!("/api/nodes/{}/battery", "0".repeat(64));
    assert_eq!(app.get(&unknown).await.error(404), "node not found");
    let hidden = powered(json!({"observerBlacklist": [key]}), &[3_700]).await;
    assert_eq!(hidden.key, key);
    assert_eq!(hidden.ask("").await["samples"], json!([]), "an observer that is hidden has no samples");
}
