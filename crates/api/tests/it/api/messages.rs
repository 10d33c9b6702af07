use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::{Value, json};

fn rows(page: &Value) -> Vec<Value> {
    page["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_cursor_scrolls_back_through_all_messages() {
    let app = TestApp::init();
    let all = rows(&app.get("/api/channels/Public/messages?limit=500").await.good());
    let (mut met, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/api/channels/Public/messages?limit=3{cursor}")).await.good();
        met.splice(0..0, rows(&page));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(met, all);
    assert!(all.len() > 6, "there are several pages");
    let middle = all[all.len() / 2]["timestamp"].as_str().unwrap();
    let before =
        rows(&app.get(&format!("/api/channels/Public/messages?limit=500&before={middle}")).await.good());
    let older: Vec<Value> =
        all.iter().filter(|message| message["timestamp"].as_str().unwrap() < middle).cloned().collect();
    assert_eq!(before, older);
    let answer = app.get("/api/channels/Public/messages?cursor=i-5").await;
    assert_eq!(answer.error(400), "cursor: belongs to a list of another order");
}

#[tokio::test]
async fn texts_and_senders_are_searched_in_either_case() {
    let app = TestApp::init();
    let all = rows(&app.get("/api/channels/Public/messages?limit=500").await.good());
    let lower = |message: &Value, field: &str| message[field].as_str().unwrap().to_lowercase();
    let has = |message: &Value, needle: &str| {
        lower(message, "sender").contains(needle) || lower(message, "text").contains(needle)
    };
    let sender = all.iter().map(|message| lower(message, "sender")).find(|sender| sender.len() > 3).unwrap();
    for needle in ["e", sender.as_str(), "no text has this"] {
        let encoded: String = needle.to_uppercase().bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = app.get(&format!("/api/channels/Public/messages?limit=500&q={encoded}")).await.good();
        let expected: Vec<Value> = all.iter().filter(|message| has(message, needle)).cloned().collect();
        assert_eq!(rows(&found), expected, "{needle}");
        assert_eq!(found["search"], json!({"searched": all.len(), "complete": true}));
        assert_eq!((&found["total"], &found["nextCursor"]), (&json!(expected.len()), &Value::Null));
    }
    let too_long = app.get(&format!("/api/channels/Public/messages?q={}", "x".repeat(201))).await;
    assert_eq!(too_long.json()["parameter"], "q");
}

#[tokio::test]
async fn a_search_goes_on_where_its_page_was_full() {
    let app = TestApp::init();
    let whole = rows(&app.get("/api/messages/search?q=e&limit=500").await.good());
    let (mut met, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/api/messages/search?q=e&limit=2{cursor}")).await.good();
        met.splice(0..0, rows(&page));
        assert_eq!(page["search"]["complete"], page["nextCursor"].is_null());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(met, whole);
    assert!(whole.len() > 4, "there are several pages");
}

#[tokio::test]
async fn all_channels_are_searched_at_once() {
    let app = TestApp::init();
    assert_golden("channels/search", app.get("/api/messages/search?q=test&limit=2").await.good(), &[]);
    let found = rows(&app.get("/api/messages/search?q=e&limit=500").await.good());
    let channels: std::collections::BTreeSet<_> =
        found.iter().map(|message| message["channel"].as_str().unwrap()).collect();
    assert!(channels.len() > 1, "{channels:?}");
    assert_eq!(rows(&app.get("/api/messages/search?q=e&region=XXX").await.good()), [] as [Value; 0]);
    assert_eq!(app.get("/api/messages/search").await.error(400), "q required");
}

#[tokio::test]
async fn hidden_observers_are_named_neither_by_messages_nor_by_traces_nor_in_the_audio_lab() {
    let shown = TestApp::init();
    let observers = shown.get("/api/observers").await.good();
    let hidden: Vec<(String, String)> = observers["observers"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|observer| (observer["id"].as_str().unwrap().to_owned(), observer["name"].to_string()))
        .collect();
    let list: Vec<&String> = hidden.iter().map(|(id, _)| id).collect();
    let app = TestApp::with(json!({"observerBlacklist": list}));
    let mut answers = vec![
        app.get("/api/channels/Public/messages?limit=500").await.good(),
        app.get("/api/messages/search?q=e&limit=500").await.good(),
        app.get("/api/audio-lab/buckets").await.good(),
    ];
    for id in 1..20 {
        let hash = shown.get(&format!("/api/packets/{id}")).await.good()["packet"]["hash"].clone();
        answers.push(app.get(&format!("/api/traces/{}", hash.as_str().unwrap())).await.good());
    }
    for answer in &answers[..1] {
        assert!(rows(answer).iter().any(|message| message["observers"] == json!([])));
    }
    for answer in answers {
        let named = |list: &str| -> Vec<String> {
            let rows = answer[list].as_array().into_iter().flatten();
            rows.map(|row| row["observers"].to_string() + &row["observer"].to_string()).collect()
        };
        for text in [named("messages"), named("traces")].concat() {
            assert!(!hidden.iter().any(|(id, name)| text.contains(id) || text.contains(name)), "{text}");
        }
        let buckets = answer["buckets"].to_string();
        assert!(!hidden.iter().any(|(id, _)| buckets.contains(id)));
    }
}
