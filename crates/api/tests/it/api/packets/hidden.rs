//! What an operator hides is in no list of packets.

use crate::app::TestApp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn rows(answer: &Value) -> &Vec<Value> {
    answer["packets"].as_array().unwrap()
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("no {name}: {row}"))
}

/// Whose advert it is.
fn advert_of(row: &Value) -> Option<String> {
    let decoded: Value = serde_json::from_str(text(row, "decoded_json")).unwrap();
    (decoded["type"] == "ADVERT").then(|| text(&decoded, "pubKey").to_lowercase())
}

/// The history with and without some observers and nodes, and which packets are to be there still.
struct Halves {
    hidden: TestApp,
    all: Vec<Value>,
    observers: BTreeSet<String>,
    nodes: Vec<String>,
}

impl Halves {
    async fn init() -> Self {
        let whole = TestApp::init();
        let all = whole.get("/api/packets?limit=1000&expand=observations").await.good();
        let ids = whole.get("/api/observers").await.good();
        let ids = ids["observers"].as_array().unwrap().iter().map(|row| text(row, "id").to_owned());
        // All but two of them.
        let observers: BTreeSet<String> = ids.skip(2).collect();
        let nodes = whole.get("/api/nodes?limit=500").await.good();
        let nodes = nodes["nodes"].as_array().unwrap();
        let named = nodes.iter().find(|node| !node["name"].is_null()).unwrap();
        let by_key = nodes.iter().find(|node| node != &named).unwrap();
        let hidden = TestApp::with(json!({
            "observerBlacklist": observers.iter().map(|id| id.to_lowercase()).collect::<Vec<_>>(),
            "nodeBlacklist": [text(by_key, "public_key").to_uppercase()],
            "hiddenNamePrefixes": [named["name"]],
        }));
        let nodes = [by_key, named].map(|node| text(node, "public_key").to_owned()).to_vec();
        Self { hidden, all: rows(&all).clone(), observers, nodes }
    }

    fn is_shown(&self, heard: &Value) -> bool {
        !self.observers.contains(text(heard, "observer_id"))
    }

    fn heard<'a>(&self, row: &'a Value) -> Vec<&'a Value> {
        if advert_of(row).is_some_and(|node| self.nodes.contains(&node)) {
            return Vec::new();
        }
        row["observations"].as_array().unwrap().iter().filter(|heard| self.is_shown(heard)).collect()
    }

    /// The ids of the packets that are left, newest first.
    fn left(&self) -> Vec<u64> {
        let left = self.all.iter().filter(|row| !self.heard(row).is_empty());
        left.map(|row| row["id"].as_u64().unwrap()).collect()
    }
}

#[tokio::test]
async fn lists_are_as_if_what_is_hidden_had_not_been_heard() {
    let halves = Halves::init().await;
    let left = halves.left();
    assert!(left.len() > 5 && left.len() + 5 < halves.all.len(), "{} of {}", left.len(), halves.all.len());
    for list in ["?limit=1000", "?limit=1000&expand=observations", "?limit=1000&filter=size%20%3E%200"] {
        let answer = halves.hidden.get(&format!("/api/packets{list}")).await.good();
        let ids: Vec<u64> = rows(&answer).iter().map(|row| row["id"].as_u64().unwrap()).collect();
        assert_eq!((ids, answer["total"].as_u64()), (left.clone(), Some(left.len() as u64)), "{list}");
        assert!(rows(&answer).iter().all(|row| halves.is_shown(row)), "{list}");
    }
    let grouped = halves.hidden.get("/api/packets?limit=1000&groupByHash=true").await.good();
    assert_eq!(grouped["total"].as_u64(), Some(left.len() as u64));
    assert!(rows(&grouped).iter().all(|row| halves.is_shown(row)));
    // Pages are full, and can be walked.
    let first = halves.hidden.get("/api/packets?limit=3").await.good();
    let path = format!("/api/packets?limit=3&cursor={}", text(&first, "nextCursor"));
    let second = halves.hidden.get(&path).await.good();
    let ids: Vec<u64> =
        rows(&first).iter().chain(rows(&second)).map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, left[..6]);
}

#[tokio::test]
async fn observations_of_hidden_observers_are_left_out_and_what_has_no_others_is_not_found() {
    let halves = Halves::init().await;
    let ids =
        |heard: Vec<&Value>| -> Vec<u64> { heard.iter().map(|row| row["id"].as_u64().unwrap()).collect() };
    for row in &halves.all {
        let expected = ids(halves.heard(row));
        let hash = text(row, "hash");
        let results = halves.hidden.post("/api/packets/observations", json!({"hashes": [hash]})).await.good();
        let trace = halves.hidden.get(&format!("/api/traces/{hash}")).await.good();
        assert_eq!(trace["traces"].as_array().unwrap().len(), expected.len(), "{hash}");
        for id in [hash.to_owned(), row["id"].to_string()] {
            let one = halves.hidden.get(&format!("/api/packets/{id}")).await;
            if expected.is_empty() {
                assert_eq!(one.error(404), "Not found", "{id}");
                continue;
            }
            let one = one.good();
            assert!(halves.is_shown(&one["packet"]));
            assert_eq!(ids(one["observations"].as_array().unwrap().iter().collect()), expected, "{id}");
            assert_eq!(one["packet"]["observation_count"], row["observation_count"], "counts tell of all");
        }
        match results["results"][hash].as_array() {
            Some(heard) => assert_eq!(ids(heard.iter().collect()), expected),
            None => assert!(expected.is_empty()),
        }
    }
}

#[tokio::test]
async fn who_is_hidden_cannot_be_asked_for() {
    let halves = Halves::init().await;
    let observer = halves.observers.first().unwrap();
    let whole = TestApp::init();
    for query in [
        format!("observer={observer}"),
        format!("node={}", halves.nodes[0]),
        format!("nodes={}", halves.nodes.join(",")),
    ] {
        let path = format!("/api/packets?{query}");
        assert_ne!(whole.get(&path).await.good()["total"], 0, "{query}");
        assert_eq!(halves.hidden.get(&path).await.good()["total"], 0, "{query}");
    }
}
