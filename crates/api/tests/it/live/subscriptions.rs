//! `/api/live`: what a client can ask for, and what it is told.

use super::{Client, Served, frame, next, refusal, serve};
use crate::app::{TestApp, hear_again};
use crate::golden::{assert_golden, compare};
use futures_util::SinkExt;
use model::ObservationId;
use serde_json::{Value, json};
use std::path::PathBuf;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Opens `/api/live` and takes the greeting.
pub(super) async fn open(served: &Served) -> (Client, Value) {
    let mut client = served.open("/api/live", None).await.unwrap();
    let welcome = frame(&mut client).await;
    assert_eq!(welcome["type"], "welcome");
    (client, welcome)
}

pub(super) async fn say(client: &mut Client, message: Value) {
    client.send(Message::text(message.to_string())).await.unwrap();
}

/// Subscribes and gives back the answer.
pub(super) async fn subscribe(client: &mut Client, message: Value) -> Value {
    let mut message = message;
    message["type"] = "subscribe".into();
    say(client, message).await;
    let answer = frame(client).await;
    assert_eq!(answer["type"], "subscribed", "{answer}");
    answer
}

async fn problem(client: &mut Client, message: Value) -> Value {
    say(client, message).await;
    let answer = frame(client).await;
    assert_eq!(answer["type"], "error", "{answer}");
    answer
}

impl Served {
    /// One of the transmissions is heard once more and announced.
    fn hear(&self, number: u64) -> ObservationId {
        let heard = hear_again(&self.app.index, 1 + number % 50);
        self.app.state.live_hub().publish(vec![heard]);
        heard
    }
}

/// The ids of a batch's rows, which have that field.
fn ids(batch: &Value) -> Vec<u64> {
    let rows = batch["rows"].as_array().unwrap_or_else(|| panic!("no batch: {batch}"));
    rows.iter().map(|row| row["observation_id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_subscriber_is_greeted_and_gets_compact_rows_in_the_agreed_shape() {
    let served = serve(TestApp::init()).await;
    let (mut client, welcome) = open(&served).await;
    let newest = welcome["seq"].as_u64().unwrap();
    let subscribed = subscribe(&mut client, json!({"id": "all"})).await;
    assert_eq!(subscribed["seq"], newest);
    let heard = served.hear(1);
    assert_eq!(heard.0, newest + 1);
    let batch = frame(&mut client).await;
    assert_eq!((batch["from"].as_u64(), batch["to"].as_u64()), (Some(heard.0), Some(heard.0)));
    assert_eq!(batch["rows"][0].as_object().unwrap().len(), subscribed["fields"].as_array().unwrap().len());
    say(&mut client, json!({"type": "ping"})).await;
    let pong = frame(&mut client).await;
    assert_eq!(pong, json!({"type": "pong", "seq": heard.0}));
    say(&mut client, json!({"type": "unsubscribe", "id": "all"})).await;
    let unsubscribed = frame(&mut client).await;
    assert_golden("live_api", json!([welcome, subscribed, batch, pong, unsubscribed]), &["server"]);
    served.hear(2);
    say(&mut client, json!({"type": "ping"})).await;
    assert_eq!(frame(&mut client).await["type"], "pong", "nothing comes any more");
    assert_eq!(served.app.state.live_hub().subscriptions(), 0);
}

#[tokio::test]
async fn every_field_can_be_asked_for_and_comes_under_its_name_alone() {
    let served = serve(TestApp::init()).await;
    let (mut client, _) = open(&served).await;
    let problem = problem(&mut client, json!({"type": "subscribe", "id": "x", "fields": ["colour"]})).await;
    assert_eq!(problem["parameter"], "fields");
    let hint = problem["hint"].as_str().unwrap().strip_prefix("the fields are ").unwrap();
    let names: Vec<&str> = hint.split(", ").collect();
    let (mut all, _) = open(&served).await;
    subscribe(&mut all, json!({"id": "x", "fields": names})).await;
    served.hear(1);
    let row = frame(&mut all).await["rows"][0].clone();
    assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>().len(), names.len());
    assert!(names.iter().all(|name| row.get(name).is_some()), "{row}");
    for name in names {
        subscribe(&mut client, json!({"id": "x", "fields": [name]})).await;
        served.hear(2);
        let alone = frame(&mut client).await["rows"][0].clone();
        assert_eq!(alone.as_object().unwrap().keys().collect::<Vec<_>>(), [name]);
        frame(&mut all).await;
    }
    assert_golden("live_row", row, &[]);
}

#[tokio::test]
async fn observers_and_regions_narrow_each_of_several_subscriptions_on_its_own() {
    let served = serve(TestApp::init()).await;
    let (mut client, _) = open(&served).await;
    subscribe(&mut client, json!({"id": "key", "fields": ["observer_id", "observer_iata"]})).await;
    served.hear(1);
    let row = frame(&mut client).await["rows"][0].clone();
    let (key, iata) = (row["observer_id"].as_str().unwrap(), row["observer_iata"].as_str().unwrap());
    say(&mut client, json!({"type": "unsubscribe", "id": "key"})).await;
    frame(&mut client).await;
    let both = json!({"id": "a", "observers": [key.to_lowercase()], "regions": [iata.to_lowercase()]});
    subscribe(&mut client, both).await;
    subscribe(&mut client, json!({"id": "b", "observers": [key.to_uppercase(), "F00D"]})).await;
    subscribe(&mut client, json!({"id": "c", "regions": ["XXX"]})).await;
    subscribe(&mut client, json!({"id": "d", "observers": [key], "regions": ["XXX"]})).await;
    let heard = served.hear(2);
    for id in ["a", "b"] {
        let batch = frame(&mut client).await;
        assert_eq!((batch["id"].as_str(), ids(&batch)), (Some(id), vec![heard.0]));
    }
    say(&mut client, json!({"type": "ping"})).await;
    assert_eq!(frame(&mut client).await["type"], "pong");
}

#[tokio::test]
async fn a_filter_chooses_rows_live_and_replayed_and_its_mistakes_have_a_place() {
    let served = serve(TestApp::init()).await;
    let (mut client, welcome) = open(&served).await;
    let wish = json!({"type": "subscribe", "id": "x", "filter": "snr > 5 && tipe == ADVERT"});
    let answer = problem(&mut client, wish).await;
    assert_eq!((answer["id"].as_str(), answer["parameter"].as_str()), (Some("x"), Some("filter")));
    assert_eq!((answer["offset"].as_u64(), answer["length"].as_u64()), (Some(11), Some(4)));
    assert!(answer["hint"].as_str().unwrap().contains("type"));
    let too_long = format!("snr > {}", "0".repeat(5000));
    let answer = problem(&mut client, json!({"type": "subscribe", "id": "x", "filter": too_long})).await;
    assert_eq!(answer["parameter"], "filter");

    let fields = json!(["observation_id", "payload_type"]);
    subscribe(&mut client, json!({"id": "all", "fields": fields})).await;
    let seen = welcome["seq"].as_u64().unwrap();
    let heard: Vec<_> = (1..=50).map(|number| hear_again(&served.app.index, number)).collect();
    served.app.state.live_hub().publish(heard);
    let mut adverts = Vec::new();
    let mut to = seen;
    while to < seen + 50 {
        let batch = frame(&mut client).await;
        to = batch["to"].as_u64().unwrap();
        let rows = batch["rows"].as_array().unwrap();
        let of_adverts = rows.iter().filter(|row| row["payload_type"] == 4);
        adverts.extend(of_adverts.map(|row| row["observation_id"].as_u64().unwrap()));
    }
    assert!(!adverts.is_empty() && adverts.len() < 50);
    say(&mut client, json!({"type": "unsubscribe", "id": "all"})).await;
    frame(&mut client).await;
    let wish =
        json!({"id": "some", "fields": fields, "filter": "type == ADVERT && snr == 3.5", "resume": seen});
    subscribe(&mut client, wish).await;
    let batch = frame(&mut client).await;
    assert_eq!(ids(&batch), adverts);
    assert_eq!(frame(&mut client).await["rows"], adverts.len());
    let heard: Vec<_> = (1..=50).map(|number| hear_again(&served.app.index, number)).collect();
    served.app.state.live_hub().publish(heard);
    let again: Vec<u64> = adverts.iter().map(|id| id + 50).collect();
    let mut got = Vec::new();
    while got.len() < again.len() {
        got.extend(ids(&frame(&mut client).await));
    }
    assert_eq!(got, again);
}

#[tokio::test]
async fn a_client_that_was_away_gets_what_it_missed_and_then_what_is_new() {
    let served = serve(TestApp::init()).await;
    let (mut client, welcome) = open(&served).await;
    let seen = welcome["seq"].as_u64().unwrap();
    drop(client);
    let missed: Vec<u64> = (1..=300).map(|number| served.hear(number).0).collect();
    (client, _) = open(&served).await;
    let asked = json!({"id": "a", "fields": ["observation_id"], "resume": seen});
    let subscribed = subscribe(&mut client, asked).await;
    assert_eq!(subscribed["seq"], seen + 300);
    let mut got = Vec::new();
    let mut from = seen + 1;
    let resumed = loop {
        let message = frame(&mut client).await;
        if message["type"] == "resumed" {
            break message;
        }
        assert_eq!(message["from"], from);
        from = message["to"].as_u64().unwrap() + 1;
        got.extend(ids(&message));
    };
    assert_eq!(got, missed);
    assert_eq!(
        resumed,
        json!({"type": "resumed", "id": "a", "from": seen + 1, "to": seen + 300, "rows": 300})
    );
    let heard = served.hear(301);
    assert_eq!(ids(&frame(&mut client).await), [heard.0]);
}

#[tokio::test]
async fn what_cannot_be_replayed_is_named() {
    let served = serve(TestApp::init()).await;
    let (mut client, welcome) = open(&served).await;
    let newest = welcome["seq"].as_u64().unwrap();
    subscribe(&mut client, json!({"id": "ahead", "resume": newest + 1000})).await;
    let resumed = frame(&mut client).await;
    assert_eq!((resumed["from"].as_u64(), resumed["rows"].as_u64()), (Some(newest + 1001), Some(0)));
    drop(client);
    served.wait_for_clients(0).await;
    let limit = welcome["limits"]["replay"].as_u64().unwrap();
    let last =
        (0..limit).map(|number| hear_again(&served.app.index, 1 + number % 50)).reduce(|_, id| id).unwrap();
    let (mut client, _) = open(&served).await;
    subscribe(&mut client, json!({"id": "old", "fields": ["observation_id"], "resume": newest - 5})).await;
    let told = json!({
        "type": "missed", "id": "old", "from": newest - 4, "to": newest, "count": 5, "why": "replay_limit"
    });
    assert_eq!(frame(&mut client).await, told);
    let mut rows = Vec::new();
    loop {
        let message = frame(&mut client).await;
        if message["type"] == "resumed" {
            assert_eq!(message["rows"], limit);
            break;
        }
        rows.extend(ids(&message));
    }
    assert!(rows.iter().copied().eq(newest + 1..=last.0));
}

#[tokio::test]
async fn mistakes_are_answered_and_cost_nothing() {
    let served = serve(TestApp::init()).await;
    let (mut client, welcome) = open(&served).await;
    for (message, part) in [
        (json!("hello"), "not a message"),
        (json!({"type": "dance"}), "unknown variant `dance`"),
        (json!({"type": "subscribe"}), "missing field `id`"),
        (json!({"type": "subscribe", "id": "a", "filters": "x"}), "unknown field `filters`"),
        (json!({"type": "subscribe", "id": ""}), "id: must have"),
        (json!({"type": "subscribe", "id": "a", "resume": -1}), "not a message"),
        (json!({"type": "subscribe", "id": "a", "fields": []}), "fields: must name"),
        (json!({"type": "subscribe", "id": "a", "observers": [""]}), "observers: each must have"),
        (json!({"type": "subscribe", "id": "a", "regions": vec!["SFO"; 201]}), "regions: at most 200"),
        (json!({"type": "unsubscribe", "id": "a"}), "no such subscription"),
        (json!({"type": "subscribe", "id": "x".repeat(20_000)}), "message too large"),
    ] {
        let answer = problem(&mut client, message).await;
        assert!(answer["error"].as_str().unwrap().contains(part), "{answer}");
    }
    client.send(Message::text("{\"type\": \"subscribe\"")).await.unwrap();
    assert!(frame(&mut client).await["error"].as_str().unwrap().contains("EOF"));
    client.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert!(frame(&mut client).await["error"].as_str().unwrap().contains("binary"));
    let most = welcome["limits"]["subscriptions"].as_u64().unwrap();
    for number in 0..most {
        subscribe(&mut client, json!({"id": format!("{number}")})).await;
    }
    let answer = problem(&mut client, json!({"type": "subscribe", "id": "more"})).await;
    assert_eq!(answer["error"], format!("at most {most} subscriptions at a time"));
    subscribe(&mut client, json!({"id": "0", "regions": ["SFO"]})).await;
    assert_eq!(served.app.state.live_hub().subscriptions(), most);
    client.send(Message::text("x".repeat(70_000))).await.unwrap();
    served.wait_for_clients(0).await;
}

#[tokio::test]
async fn strangers_and_clients_too_many_are_refused() {
    let served = serve(TestApp::with(json!({"webSocket": {"maxClients": 1}}))).await;
    assert_eq!(refusal(served.open("/api/live", Some("https://evil.example")).await), 403);
    let (_client, _) = open(&served).await;
    assert_eq!(refusal(served.open("/api/live", None).await), 503);
    assert_eq!(served.app.state.live_hub().refused_clients(), 1);
    assert_eq!(served.app.get("/api/live").await.error(426), "this path speaks WebSocket only");
}

#[tokio::test]
async fn hidden_observers_and_nodes_are_not_in_either_feed() {
    let served = serve(TestApp::init()).await;
    let (mut client, _) = open(&served).await;
    subscribe(&mut client, json!({"id": "a", "fields": ["observer_id"]})).await;
    served.hear(1);
    let key = frame(&mut client).await["rows"][0]["observer_id"].clone();
    let advert = served.app.get("/api/packets?type=4&limit=1").await.good()["packets"][0].clone();
    let decoded: Value = serde_json::from_str(advert["decoded_json"].as_str().unwrap()).unwrap();
    let mut other_feed = served.open("/ws", None).await.unwrap();
    served.wait_for_clients(2).await;
    let hub = served.app.state.live_hub();
    let hides = [json!({"observerBlacklist": [key]}), json!({"nodeBlacklist": [decoded["pubKey"]]})];
    for hide in hides.into_iter().chain([json!({"hiddenNamePrefixes": [decoded["name"]]})]) {
        served.app.state.set_config(serde_json::from_value(hide).unwrap());
        hub.publish(vec![hear_again(&served.app.index, advert["id"].as_u64().unwrap())]);
        say(&mut client, json!({"type": "ping"})).await;
        assert_eq!(frame(&mut client).await["type"], "pong");
    }
    // What is shown again is the next that comes.
    served.app.state.set_config(api::ApiConfig::default());
    let shown = hear_again(&served.app.index, advert["id"].as_u64().unwrap());
    hub.publish(vec![shown]);
    assert_eq!(frame(&mut other_feed).await["data"]["observation_id"], shown.0);
}

#[tokio::test]
async fn when_the_program_stops_subscribers_are_told() {
    let served = serve(TestApp::init()).await;
    let (mut client, _) = open(&served).await;
    served.stop.send(()).unwrap();
    match next(&mut client).await {
        Message::Close(Some(close)) => assert_eq!(close.code, CloseCode::Away),
        other => panic!("{other:?}"),
    }
    drop(client);
    served.serving.await.unwrap().unwrap();
}

/// `UPDATE_GOLDEN=1` rewrites it; look at the difference before it is committed.
#[tokio::test]
async fn the_asyncapi_document_is_the_one_that_was_agreed_on() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("asyncapi.json");
    compare(&file, &api::asyncapi_json());
    let document = TestApp::empty().get("/api/live/asyncapi.json").await.good();
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 40);
    for reference in references {
        let found = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(found.is_some(), "{reference} leads nowhere");
    }
}

fn collect_references<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| collect_references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        _ => {}
    }
}
