use crate::app::TestApp;
use crate::fuzz::encode;
use crate::golden::assert_golden;
use filter::{Field, Filter, Found, PAYLOAD_FIELDS, Packet};
use meshcore::PacketHash;
use model::UnixMillis;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn path(filter: &str, more: &str) -> String {
    format!("/api/packets?filter={}{more}", encode(filter))
}

fn hashes(page: &Value) -> Vec<String> {
    let rows = page["packets"].as_array().unwrap();
    rows.iter().map(|row| row["hash"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_language_has_the_agreed_fields_and_operators() {
    assert_golden("packets/filter-fields", TestApp::empty().get("/api/filter/fields").await.good(), &[]);
}

#[tokio::test]
async fn a_filter_finds_in_every_order_and_on_every_page_what_it_matches_packet_by_packet() {
    let app = TestApp::init();
    let all = app.get("/api/packets?limit=10000").await.good();
    for text in [
        "type == ADVERT",
        "any(snr > 5) && hops > 1",
        "payload.name contains \"a\" || channel == #test",
        "!transport && all(rssi < -60)",
        "routed_through ~ \".\"",
        "observer_iata in (SJC, oak)",
        "hash == 0000000000000000",
    ] {
        let filter = Filter::parse(text).unwrap();
        let matching: BTreeSet<String> = {
            let index = app.index.read();
            let passes = |hash: &String| {
                let view = index.by_hash(hash.parse::<PacketHash>().unwrap()).unwrap();
                filter.matches(&view, UnixMillis::now().0)
            };
            hashes(&all).into_iter().filter(passes).collect()
        };
        for more in ["", "&order=asc", "&groupByHash=true", "&groupByHash=true&order=asc"] {
            let mut found = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = app.get(&path(text, &format!("{more}&limit=7{cursor}"))).await.good();
                assert_eq!(page["total"], matching.len(), "{text} {more}");
                found.extend(hashes(&page));
                let Some(next) = page["nextCursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(found.len(), matching.len(), "{text} {more}");
            assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), matching, "{text} {more}");
        }
    }
}

#[tokio::test]
async fn a_filter_and_the_other_parameters_must_both_hold() {
    let app = TestApp::init();
    let adverts = app.get("/api/packets?type=4&region=SJC&limit=10000").await.good();
    let filtered = app.get(&path("type == advert && any(iata == sjc)", "&limit=10000")).await.good();
    assert!(!hashes(&adverts).is_empty());
    assert_eq!(hashes(&filtered), hashes(&adverts));
    let mixed = app.get(&path("type == advert", "&region=SJC&limit=10000")).await.good();
    assert_eq!(hashes(&mixed), hashes(&adverts));
    let offset = app.get(&path("type == advert", "&region=SJC&limit=2&offset=1")).await.good();
    assert_eq!(hashes(&offset), hashes(&adverts)[1..3]);
    let blank = app.get("/api/packets?filter=%20&limit=1").await.good();
    assert_eq!(blank["total"], app.get("/api/packets?limit=1").await.good()["total"]);
}

#[tokio::test]
async fn a_filter_that_is_none_is_answered_with_its_place_and_a_hint() {
    let app = TestApp::init();
    let answer = app.get(&path("snr > 5 && observr == x", "")).await;
    assert_eq!(answer.status, 400);
    let expected = json!({
        "error": "filter: there is no field `observr`", "parameter": "filter", "offset": 11, "length": 7,
        "hint": "did you mean `observer`?",
    });
    assert_eq!(answer.json(), expected);
}

/// What `decoded_json` has at `a.b.c`.
fn leaf<'a>(decoded: &'a Value, name: &str) -> &'a Value {
    name.strip_prefix("payload.").unwrap().split('.').fold(decoded, |value, key| &value[key])
}

/// A field that is empty is none to a filter.
fn as_json(found: &Found<'_>) -> Value {
    match found {
        Found::Text(text) => json!(text),
        Found::Number(number) => json!(number),
        Found::Flag(flag) => json!(flag),
        Found::Nothing => Value::Null,
        other => panic!("no payload has {other:?}"),
    }
}

#[tokio::test]
async fn each_field_of_a_payload_is_the_one_of_this_name_in_decoded_json() {
    let app = TestApp::init();
    let page = app.get("/api/packets?limit=10000").await.good();
    let mut seen = BTreeSet::new();
    for row in page["packets"].as_array().unwrap() {
        let decoded: Value = serde_json::from_str(row["decoded_json"].as_str().unwrap()).unwrap();
        let index = app.index.read();
        let packet = index.by_hash(row["hash"].as_str().unwrap().parse::<PacketHash>().unwrap()).unwrap();
        for field in PAYLOAD_FIELDS {
            let found = as_json(&packet.find(Field::Payload(field)));
            let expected = match leaf(&decoded, field.name) {
                Value::String(text) if text.is_empty() => Value::Null,
                Value::Number(number) => json!(number.as_f64()),
                value => value.clone(),
            };
            assert_eq!(found, expected, "{} of {decoded}", field.name);
            if !found.is_null() {
                seen.insert(field.name);
            }
        }
    }
    println!("{} of {} fields are in the packets: {seen:?}", seen.len(), PAYLOAD_FIELDS.len());
    assert!(seen.len() >= 20, "only {seen:?}");
}
