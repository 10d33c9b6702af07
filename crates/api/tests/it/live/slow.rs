//! `/api/live` and clients that do not keep up.

use super::subscriptions::{open, say, subscribe};
use super::{frame, serve};
use crate::app::{TestApp, hear_again};
use serde_json::json;
use std::time::Duration;

/// Far more than the buffers of a socket and the ring of what was sent lately can hold, at about 2 KB a row.
const HEARD: u64 = 30_000;

#[tokio::test]
async fn a_client_that_did_not_read_is_told_exactly_what_it_missed_and_stays_connected() {
    let served = serve(TestApp::init()).await;
    let (mut asleep, welcome) = open(&served).await;
    let fields = ["observation_id", "raw_hex", "decoded_json", "payload", "path", "path_json", "hash"];
    let first = welcome["seq"].as_u64().unwrap() + 1;
    subscribe(&mut asleep, json!({"id": "a", "fields": fields})).await;
    let (mut awake, _) = open(&served).await;
    subscribe(&mut awake, json!({"id": "b", "fields": ["observation_id"]})).await;
    let hub = served.app.state.live_hub();
    let mut next_awake = first;
    for _ in 0..HEARD / 100 {
        let heard: Vec<_> = (1..=100).map(|number| hear_again(&served.app.index, number)).collect();
        let last = *heard.last().unwrap();
        hub.publish(heard);
        while next_awake <= last.0 {
            let batch = frame(&mut awake).await;
            assert_eq!(batch["from"], next_awake, "who reads misses nothing");
            next_awake = batch["to"].as_u64().unwrap() + 1;
        }
    }
    // Now it reads again: each row is either there or counted as missed, without a gap between them.
    let mut next = first;
    let (mut rows, mut missed) = (0, 0);
    while next < first + HEARD {
        let message = frame(&mut asleep).await;
        assert_eq!(message["from"], next, "{}", message["type"]);
        next = message["to"].as_u64().unwrap() + 1;
        match message["type"].as_str().unwrap() {
            "observations" => rows += message["rows"].as_array().unwrap().len() as u64,
            "missed" => {
                assert_eq!(message["why"], "slow");
                missed += message["count"].as_u64().unwrap();
            }
            other => panic!("{other}"),
        }
    }
    assert!(missed > 0, "the test must be hard enough");
    assert_eq!(rows + missed, HEARD);
    assert_eq!(hub.missed_rows(), missed);
    say(&mut asleep, json!({"type": "ping"})).await;
    assert_eq!(frame(&mut asleep).await["type"], "pong");
}

#[tokio::test]
async fn what_comes_closely_goes_together_and_what_comes_alone_goes_at_once() {
    let served = serve(TestApp::init()).await;
    let (mut client, _) = open(&served).await;
    subscribe(&mut client, json!({"id": "a", "fields": ["observation_id"]})).await;
    let hub = served.app.state.live_hub();
    let mut slowest = Duration::ZERO;
    for number in 1..=20 {
        tokio::time::sleep(Duration::from_millis(15)).await;
        let heard = hear_again(&served.app.index, number);
        let at = std::time::Instant::now();
        hub.publish(vec![heard]);
        frame(&mut client).await;
        slowest = slowest.max(at.elapsed());
    }
    assert!(slowest < Duration::from_millis(250), "{slowest:?}");
    let (mut frames, mut rows) = (0, 0);
    for number in 0..500 {
        hub.publish(vec![hear_again(&served.app.index, 1 + number % 50)]);
    }
    while rows < 500 {
        rows += frame(&mut client).await["rows"].as_array().unwrap().len();
        frames += 1;
    }
    assert!(frames < 100, "{frames} frames");
}
