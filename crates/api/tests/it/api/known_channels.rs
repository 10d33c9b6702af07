use crate::app::TestApp;
use crate::golden::assert_golden;
use api::{KnownChannel, KnownChannels};
use std::sync::Arc;

fn list() -> KnownChannels {
    let channel = |name: &str, region: &str, key: Option<&str>| KnownChannel {
        channel: name.to_owned(),
        description: key.map(|_| "for <all>".to_owned()),
        key: key.map(str::to_owned),
        region: region.to_owned(),
        region_name: (region == "NL").then(|| "Nederland".to_owned()),
    };
    KnownChannels {
        generated_at: Some("2026-11-01T00:00:00Z".to_owned()),
        license: None,
        fetched_at: "2026-11-24T10:00:00Z".to_owned(),
        source: "https://lists.example/channels.json".to_owned(),
        entries: vec![
            channel("#dutch", "NL", Some("00112233445566778899aabbccddeeff")),
            channel("#bay", "US", None),
        ],
    }
}

#[tokio::test]
async fn known_channels_are_the_fetched_list_and_may_be_kept_for_a_while() {
    let app = TestApp::empty();
    let empty = app.get("/api/known-channels").await;
    assert_eq!(empty.header("cache-control"), "public, max-age=30");
    assert_golden("known-channels/empty", empty.good(), &[]);
    *app.services.registry.known_channels.lock().unwrap() = Some(Arc::new(list()));
    let all = app.get("/api/known-channels").await;
    assert_eq!(all.header("cache-control"), "public, max-age=300");
    assert_golden("known-channels/list", all.good(), &[]);
    for (region, names) in [
        ("nl", vec!["#dutch"]),
        ("US,NL", vec!["#dutch", "#bay"]),
        ("DE", vec![]),
        ("all", vec!["#dutch", "#bay"]),
    ] {
        let found = app.get(&format!("/api/known-channels?region={region}")).await.good();
        let found: Vec<_> =
            found["entries"].as_array().unwrap().iter().map(|it| it["channel"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{region}");
    }
    assert_eq!(app.get("/api/channels").await.header("cache-control"), "no-store");
}
