use crate::app::{TestApp, counters_of, with_samples};
use crate::golden::assert_golden;
use model::{ObserverId, ObserverMetrics, UnixMillis};
use serde_json::{Value, json};

const FIVE_MINUTES: i64 = 300_000;

/// 2026-05-17T12:00:00Z.
const NOON: i64 = 1_779_019_200_000;

fn id_of(app: &TestApp, observer: u16) -> String {
    app.index.read().observer_record(ObserverId(observer)).unwrap().key.to_string()
}

#[tokio::test]
async fn samples_come_with_rates_and_reboots() {
    let app = TestApp::init();
    let _database = with_samples(&app, &counters_of(0, NOON));
    let path = format!("/api/observers/{}/metrics?since=2026-05-17T12:00:00Z", id_of(&app, 0).to_lowercase());
    let metrics = app.get(&path).await.good();
    assert_golden("observers/metrics", metrics.clone(), &[]);
    let until = app.get(&format!("{path}&until=2026-05-17T12:10:00Z")).await.good();
    assert_eq!(until["metrics"].as_array().unwrap()[..], metrics["metrics"].as_array().unwrap()[..3]);
    let hours = app.get(&format!("{path}&resolution=1h")).await.good();
    let times: Vec<&str> =
        hours["metrics"].as_array().unwrap().iter().map(|row| row["timestamp"].as_str().unwrap()).collect();
    assert_eq!(times, ["2026-05-17T12:15:00Z", "2026-05-17T13:00:00Z"]);
    let days = app.get(&format!("{path}&resolution=1d")).await.good();
    assert_eq!(days["metrics"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn without_a_time_the_last_day_is_meant() {
    let app = TestApp::init();
    let now = UnixMillis::now().0 / FIVE_MINUTES * FIVE_MINUTES;
    let old = counters_of(0, now - 30 * 3_600_000);
    let _database = with_samples(&app, &[old, counters_of(0, now - 2 * 3_600_000)].concat());
    let metrics = app.get(&format!("/api/observers/{}/metrics", id_of(&app, 0))).await.good();
    assert_eq!(metrics["metrics"].as_array().unwrap().len(), 5);
    let nothing = app.get(&format!("/api/observers/{}/metrics", id_of(&app, 1))).await.good();
    assert_eq!((&nothing["metrics"], &nothing["reboots"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn the_summary_has_the_agreed_shape_and_those_without_samples_are_not_in_it() {
    let app = TestApp::init();
    let now = UnixMillis::now().0 / FIVE_MINUTES * FIVE_MINUTES;
    let samples = [counters_of(0, now - 2 * 3_600_000), counters_of(2, now - 30 * 3_600_000)].concat();
    let _database = with_samples(&app, &samples);
    let day = app.get("/api/observers/metrics/summary").await.good();
    assert_golden("observers/summary", day.clone(), &[]);
    assert_eq!(app.get("/api/observers/metrics/summary?window=24h&region=All").await.good(), day);
    let count = |answer: &Value| answer["observers"].as_array().unwrap().len();
    assert_eq!(count(&app.get("/api/observers/metrics/summary?window=2d").await.good()), 2);
    assert_eq!(count(&app.get("/api/observers/metrics/summary?window=1s").await.good()), 0);
    assert_eq!(count(&app.get("/api/observers/metrics/summary?window=2d&region=XXX").await.good()), 0);
    let record = app.index.read().observer_record(ObserverId(0)).unwrap().clone();
    let region = record.iata.unwrap().to_lowercase();
    let there = app.get(&format!("/api/observers/metrics/summary?region={region}")).await.good();
    assert_eq!(there["observers"], day["observers"]);
}

#[tokio::test]
async fn a_summary_counts_samples_that_the_index_has_let_go_too() {
    let app = TestApp::init();
    let now = UnixMillis::now().0 / FIVE_MINUTES * FIVE_MINUTES;
    let samples: Vec<ObserverMetrics> = (0..1000)
        .map(|i| ObserverMetrics {
            time: UnixMillis(now - (1000 - i) * FIVE_MINUTES),
            noise_floor: Some(-100.0 - (i % 7) as f32),
            ..counters_of(0, 0)[0]
        })
        .collect();
    let _database = with_samples(&app, &samples);
    let day = &app.get("/api/observers/metrics/summary?window=24h").await.good()["observers"][0];
    // One falls out of the day unless the test runs at the very second of a sample.
    let count = day["sample_count"].as_u64().unwrap();
    assert!((286..=288).contains(&count), "{count}");
    assert_eq!(day["sparkline"].as_array().unwrap().len() as u64, count);
    let week = &app.get("/api/observers/metrics/summary?window=7d").await.good()["observers"][0];
    assert_eq!(week["sample_count"], 1000);
    let sparkline = week["sparkline"].as_array().unwrap();
    assert_eq!((sparkline.len(), sparkline.last()), (288, Some(&week["current_noise_floor"])));
    assert_eq!((&week["max_noise_floor_24h"], &week["current_noise_floor"]), (&json!(-100), &json!(-105)));
    *app.services.reader.lock().unwrap() = None;
    app.get("/api/observers/metrics/summary?window=24h").await.good();
    app.get("/api/observers/metrics/summary?window=7d").await.error(503);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_in_the_agreed_words() {
    let app = TestApp::init();
    let id = id_of(&app, 0);
    let path = format!("/api/observers/{id}/metrics");
    let answer = app.get(&format!("{path}?resolution=2h")).await;
    assert_eq!(answer.error(400), "invalid resolution: 2h. Must be 5m, 1h, or 1d");
    assert_eq!(answer.json()["parameter"], "resolution");
    assert_eq!(app.get(&format!("{path}?since=yesterday")).await.json()["parameter"], "since");
    for window in ["x", "-1h", "24", "0d"] {
        let answer = app.get(&format!("/api/observers/metrics/summary?window={window}")).await;
        assert_eq!(answer.error(400), format!("invalid window: {window}"));
        assert_eq!(answer.json()["parameter"], "window");
    }
    assert_eq!(app.get(&path).await.error(503), "the database cannot be read at the moment");
    assert_eq!(app.get("/api/observers/nobody/metrics").await.error(404), "Observer not found");
}

#[tokio::test]
async fn hidden_observers_have_no_metrics_and_are_in_no_summary() {
    let id = id_of(&TestApp::init(), 0);
    let app = TestApp::with(json!({"observerBlacklist": [id.to_lowercase()]}));
    let now = UnixMillis::now().0 / FIVE_MINUTES * FIVE_MINUTES;
    let samples = [counters_of(0, now - 2 * 3_600_000), counters_of(1, now - 2 * 3_600_000)].concat();
    let _database = with_samples(&app, &samples);
    assert_eq!(app.get(&format!("/api/observers/{id}/metrics")).await.error(404), "Observer not found");
    let summary = app.get("/api/observers/metrics/summary").await.good();
    assert_eq!(summary["observers"].as_array().unwrap().len(), 1);
    assert!(!summary.to_string().contains(&id));
}
