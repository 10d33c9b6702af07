use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// All rows of a query.
async fn rows(app: &TestApp, query: &str) -> Vec<Value> {
    let separator = if query.is_empty() { "" } else { "&" };
    let answer = app.get(&format!("/api/packets?{query}{separator}limit=10000")).await.good();
    let rows = answer["packets"].as_array().unwrap().clone();
    assert_eq!(answer["total"], rows.len(), "{query}");
    assert_eq!(answer["nextCursor"], Value::Null);
    rows
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

fn hashes(page: &Value) -> impl Iterator<Item = String> + '_ {
    page["packets"].as_array().unwrap().iter().map(|row| text(row, "hash").to_owned())
}

#[tokio::test]
async fn a_page_has_the_agreed_shape() {
    let app = TestApp::init();
    assert_golden("packets/list", app.get("/api/packets?limit=3").await.good(), &[]);
    assert_golden("packets/grouped", app.get("/api/packets?limit=2&groupByHash=true").await.good(), &[]);
    let expanded = app.get("/api/packets?limit=2&order=asc&expand=observations").await.good();
    assert_golden("packets/expanded", expanded, &[]);
}

#[tokio::test]
async fn without_packets_the_page_is_empty_and_not_null() {
    let page = TestApp::empty().get("/api/packets").await.good();
    assert_eq!(page, json!({"packets": [], "total": 0, "limit": 50, "offset": 0, "nextCursor": null}));
}

#[tokio::test]
async fn limits_have_a_default_and_a_cap() {
    let app = TestApp::with(json!({"listLimits": {"packetsMax": 60}}));
    for (query, limit) in [("", 50), ("?limit=", 50), ("?limit=0", 50), ("?limit=7", 7), ("?limit=61", 60)] {
        let page = app.get(&format!("/api/packets{query}")).await.good();
        assert_eq!((page["limit"].as_u64(), hashes(&page).count()), (Some(limit), limit as usize));
    }
    let huge =
        app.get("/api/packets?limit=99999999999999999999999&offset=99999999999999999999999").await.good();
    assert_eq!((&huge["limit"], hashes(&huge).count()), (&json!(60), 0));
}

#[tokio::test]
async fn offsets_and_cursors_walk_through_every_row_once_in_either_order() {
    let app = TestApp::init();
    for order in ["", "&order=asc", "&order=desc", "&groupByHash=true", "&groupByHash=true&order=asc"] {
        let all = rows(&app, order.trim_start_matches('&')).await;
        let all: Vec<String> = all.iter().map(|row| text(row, "hash").to_owned()).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        let mut by_offset = Vec::new();
        let mut by_cursor = Vec::new();
        let mut cursor = String::new();
        loop {
            let page =
                app.get(&format!("/api/packets?limit=100{order}&offset={}", by_offset.len())).await.good();
            by_offset.extend(hashes(&page));
            let page = app.get(&format!("/api/packets?limit=100{order}&cursor={cursor}")).await.good();
            by_cursor.extend(hashes(&page));
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!((&by_offset, &by_cursor), (&all, &all), "{order}");
    }
}

#[tokio::test]
async fn each_filter_gives_exactly_the_rows_that_it_describes() {
    let app = TestApp::init();
    let all = rows(&app, "").await;
    let count = |filter: &dyn Fn(&Value) -> bool| all.iter().filter(|row| filter(row)).count();

    let adverts = rows(&app, "type=4").await;
    assert_eq!(adverts.len(), count(&|row| row["payload_type"] == 4));
    assert!(!adverts.is_empty() && adverts.iter().all(|row| row["payload_type"] == 4));
    assert_eq!(rows(&app, "route=2").await.len(), count(&|row| row["route_type"] == 2));

    let hash = text(&all[5], "hash");
    assert_eq!(rows(&app, &format!("hash={}", hash.to_uppercase())).await, [all[5].clone()]);
    assert!(rows(&app, "hash=0123456789abcdef").await.is_empty());

    let since = text(&all[10], "first_seen");
    let later = rows(&app, &format!("since={since}")).await;
    assert_eq!(later.len(), count(&|row| text(row, "first_seen") > since));
    let earlier = rows(&app, &format!("until={since}")).await;
    assert_eq!(earlier.len(), count(&|row| text(row, "first_seen") < since));
}

#[tokio::test]
async fn what_a_node_sent_or_relayed_is_found_by_its_key_and_by_its_exact_name() {
    let app = TestApp::init();
    let adverts = rows(&app, "type=4").await;
    let advert: Value = serde_json::from_str(text(&adverts[0], "decoded_json")).unwrap();
    let key = text(&advert, "pubKey");
    let of_node = rows(&app, &format!("node={key}")).await;
    let is_advert = |row: &Value| text(row, "decoded_json").contains(key);
    let names = |row: &Value| text(row, "path_json").contains(&key[..2].to_uppercase());
    assert!(of_node.iter().any(is_advert) && of_node.iter().any(|row| !is_advert(row)));
    assert!(of_node.iter().all(|row| is_advert(row) || names(row)));
    assert_eq!(rows(&app, &format!("nodes={key}&type=5")).await, of_node, "only the times apply to `nodes`");
    let name: String = text(&advert, "name").bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert!(rows(&app, &format!("node={name}")).await.contains(&adverts[0]));
    assert!(rows(&app, "node=nobody%20has%20this%20name").await.is_empty());
}

#[tokio::test]
async fn observers_and_regions_match_any_observation() {
    let app = TestApp::init();
    let all = rows(&app, "expand=observations").await;
    let heard_by = |key: &str, value: &str| {
        let any =
            |row: &&Value| row["observations"].as_array().unwrap().iter().any(|heard| heard[key] == value);
        all.iter().filter(any).count()
    };
    let observer = text(&all[0], "observer_id");
    let found = rows(&app, &format!("observer={},none", observer.to_lowercase())).await;
    assert_eq!(found.len(), heard_by("observer_id", observer));
    assert!(rows(&app, "observer=none").await.is_empty(), "an unknown observer has heard nothing");

    let oakland = rows(&app, "region=oak").await;
    assert_eq!(oakland.len(), heard_by("observer_iata", "OAK"));
    assert!(!oakland.is_empty());
    assert!(rows(&app, "region=XXX").await.is_empty());
    assert_eq!(rows(&app, "region=all").await.len(), all.len());
    assert_eq!(rows(&app, "region=").await.len(), all.len());
}

#[tokio::test]
async fn channels_are_found_by_name_and_by_hash_byte() {
    let app = TestApp::init();
    let public = rows(&app, "channel=Public").await;
    assert!(!public.is_empty());
    assert!(public.iter().all(|row| text(row, "decoded_json").contains("\"channel\":\"Public\"")));
    let channels = app.get("/api/channels?includeEncrypted=true").await.good();
    let encrypted =
        channels["channels"].as_array().unwrap().iter().find(|row| row["encrypted"] == true).unwrap();
    let found = rows(&app, &format!("channel={}", text(encrypted, "hash"))).await;
    assert_eq!(found.len() as u64, encrypted["messageCount"].as_u64().unwrap());
}

#[tokio::test]
async fn an_area_holds_the_adverts_of_its_nodes() {
    let app = TestApp::with(json!({"areas": {
        "world": {"label": "World", "latMin": -90, "latMax": 90, "lonMin": -180, "lonMax": 180},
        "pole": {"label": "Pole", "latMin": 89, "latMax": 90, "lonMin": -180, "lonMax": 180}
    }}));
    let located = rows(&app, "area=world").await;
    assert!(!located.is_empty() && located.iter().all(|row| row["payload_type"] == 4));
    assert!(rows(&app, "area=pole").await.is_empty());
}

#[tokio::test]
async fn a_bad_parameter_is_refused_by_its_name() {
    let app = TestApp::init();
    let bad = [
        ("limit", "abc"),
        ("limit", "-1"),
        ("limit", "1.5"),
        ("limit", "%2B5"),
        ("offset", "-1"),
        ("offset", "x"),
        ("cursor", "12"),
        ("cursor", "i-"),
        ("order", "up"),
        ("type", "x"),
        ("type", "16"),
        ("type", "-1"),
        ("route", "4"),
        ("route", "flood"),
        ("hash", "abc"),
        ("hash", "zzzzzzzzzzzzzzzz"),
        ("since", "yesterday"),
        ("until", "2026-13-01"),
        ("nodes", "abc"),
        ("area", "nowhere"),
        ("expand", "everything"),
        ("groupByHash", "yes"),
    ];
    for (parameter, value) in bad {
        let answer = app.get(&format!("/api/packets?{parameter}={value}")).await;
        let error = answer.error(400);
        assert!(error.starts_with(&format!("{parameter}: ")), "{parameter}={value}: {error}");
        assert_eq!(answer.json()["parameter"], parameter);
    }
    let grouped = app.get("/api/packets?groupByHash=true&limit=1").await.good();
    let cursor = text(&grouped, "nextCursor");
    assert!(app.get(&format!("/api/packets?cursor={cursor}")).await.error(400).starts_with("cursor: "));
}

#[tokio::test]
async fn odd_query_strings_do_no_harm() {
    let app = TestApp::init();
    for query in ["?", "?&&&", "?unknown=1", "?%00", "?limit=5&x=%ff%fe", "?channel=%ff", "?node=%00"] {
        app.get(&format!("/api/packets{query}")).await.good();
    }
    assert!(app.get("/api/packets?limit=1&limit=2").await.error(400).contains("limit"));
}
