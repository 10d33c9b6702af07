use crate::app::{API_KEY, TestApp};
use crate::golden::assert_golden;
use axum::http::Method;
use model::{Change, DroppedPacket, NodeKey, PacketHash, UnixMillis};
use serde_json::{Value, json};
use std::sync::Arc;
use storage::{Storage, StorageOptions, WriteBatch};

fn packet(number: i64) -> Change {
    Change::Dropped(DroppedPacket {
        time: UnixMillis(1_779_033_699_000 + number * 1_000),
        reason: "invalid signature".into(),
        hash: Some(PacketHash([number as u8; 8])),
        raw: [0x11, 0xab, number as u8].into(),
        observer: Some(if number % 2 == 0 { "AB" } else { "OBS-1" }.into()),
        observer_name: Some("Dune".into()),
        node: Some(NodeKey([number as u8 % 3; 32])),
        node_name: None,
    })
}

/// Six refused packets, the last without anything that could be left out.
fn with_evidence(app: &TestApp) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(StorageOptions::new(folder.path().join("x.db"))).unwrap();
    let bare = Change::Dropped(DroppedPacket {
        time: UnixMillis(1_779_033_799_999),
        reason: "zero public key".into(),
        hash: None,
        raw: [].into(),
        observer: None,
        observer_name: None,
        node: None,
        node_name: None,
    });
    let changes = (1..=5).map(packet).chain([bare]).collect();
    storage.writer().submit(WriteBatch { changes, on_durable: None }).unwrap();
    storage.close().unwrap();
    let reader = storage::Reader::open(&folder.path().join("x.db")).unwrap();
    *app.services.reader.lock().unwrap() = Some(Arc::new(reader));
    folder
}

fn ids(answer: &Value) -> Vec<i64> {
    answer.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn refused_packets_are_listed_newest_first_and_can_be_chosen() {
    let app = TestApp::with(json!({"apiKey": API_KEY}));
    let _folder = with_evidence(&app);
    let get = async |query: &str| {
        app.with_key(Method::GET, &format!("/api/dropped-packets{query}"), Value::Null).await.good()
    };
    assert_golden("dropped/list", get("?limit=2").await, &[]);
    for (query, wanted) in [
        ("", vec![6, 5, 4, 3, 2, 1]),
        ("?limit=501", vec![6, 5, 4, 3, 2, 1]),
        ("?observer=ab", vec![4, 2]),
        ("?observer=AB&limit=1", vec![4]),
        (&format!("?pubkey={}", "01".repeat(32)), vec![4, 1]),
        (&format!("?pubkey={}&observer=obs-1", "01".repeat(32)), vec![1]),
        ("?observer=nobody", vec![]),
    ] {
        assert_eq!(ids(&get(query).await), wanted, "{query}");
    }
    let bad = app.with_key(Method::GET, "/api/dropped-packets?pubkey=xy", Value::Null).await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn the_evidence_needs_the_key_and_a_database_and_hides_what_is_hidden() {
    let app = TestApp::with(json!({
        "apiKey": API_KEY, "observerBlacklist": ["ab"], "nodeBlacklist": ["02".repeat(32)]
    }));
    let get = || app.with_key(Method::GET, "/api/dropped-packets?limit=2", Value::Null);
    get().await.error(503);
    let _folder = with_evidence(&app);
    assert_eq!(ids(&get().await.good()), [6, 3], "pages are full");
    app.get("/api/dropped-packets").await.error(401);
    TestApp::empty().get("/api/dropped-packets").await.error(403);
}
