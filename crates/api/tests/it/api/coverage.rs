use crate::app::TestApp;
use crate::golden::assert_golden;
use model::{Change, ClientId, ClientObserver, NodeKey, Reception, ReceptionId, SnrQuarterDb, UnixMillis};
use serde_json::{Value, json};

const BBOX: &str = "bbox=37,-123,38,-122";
const ON: &str = "clientRxCoverage";

/// Two clients that walk along a street; the first node is heard by its advert, the others by their hops.
pub(crate) fn with_receptions(app: &TestApp) -> Vec<NodeKey> {
    let mut index = app.index.write();
    let query = index::NodeQuery { limit: usize::MAX, ..index::NodeQuery::default() };
    let mut keys: Vec<NodeKey> =
        index.nodes(&query).nodes.iter().filter(|n| n.name.is_some()).map(|n| n.key).collect();
    keys.sort();
    let clients = [("c0ffee", Some("Ana \u{1f6b2}")), ("beef", None)];
    for (id, (key, name)) in clients.into_iter().enumerate() {
        let (id, key, name) = (ClientId(id as u16), key.into(), name.map(Into::into));
        index.apply(&Change::Client(ClientObserver { id, key, name, last_seen: UnixMillis(0) })).unwrap();
    }
    let now = UnixMillis::now().0 / 1_000;
    for (id, (client, age_days, heard, lon, snr)) in [
        (0, 1, &keys[0].0[..], -122_400_000, Some(30)),
        (0, 1, &keys[1].0[..3], -122_400_000, Some(-8)),
        (0, 1, &keys[1].0[..3], -122_399_990, None),
        (1, 1, &keys[0].0[..], -122_400_010, Some(12)),
        (1, 1, &[0xfe, 0xed][..], -122_300_000, None),
        (1, 20, &keys[0].0[..2], -122_200_000, Some(4)),
    ]
    .into_iter()
    .enumerate()
    {
        let reception = Reception {
            id: ReceptionId(id as u64 + 1),
            client: ClientId(client),
            time: UnixMillis((now - age_days * 86_400 + id as i64) * 1_000),
            heard: heard.into(),
            location: (37_770_000, lon),
            accuracy_m: None,
            rssi: None,
            snr: snr.map(SnrQuarterDb),
        };
        index.apply(&Change::Reception(reception)).unwrap();
    }
    keys
}

fn counts(map: &Value) -> Vec<u64> {
    let mut counts: Vec<u64> = map["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feature| feature["properties"]["count"].as_u64().unwrap())
        .collect();
    counts.sort_unstable();
    counts
}

#[tokio::test]
async fn maps_and_leaderboard_have_the_agreed_shape() {
    let app = TestApp::with(json!({ON: {"enabled": true}}));
    let keys = with_receptions(&app);
    assert_golden("coverage/map", app.get(&format!("/api/rx-coverage?{BBOX}&z=13")).await.good(), &[]);
    let node = app.get(&format!("/api/nodes/{}/rx-coverage?{BBOX}&z=13", keys[0])).await.good();
    assert_golden("coverage/node", node, &[]);
    assert_golden("coverage/leaderboard", app.get("/api/rx-leaderboard").await.good(), &[]);
}

#[tokio::test]
async fn each_parameter_chooses_what_it_says() {
    let app = TestApp::with(json!({ON: {"enabled": true}}));
    let keys = with_receptions(&app);
    let map = async |query: &str| app.get(&format!("/api/rx-coverage?{query}")).await.good();
    for (query, wanted) in [
        (BBOX.to_owned(), vec![1, 4]),
        (format!("{BBOX}&days=30"), vec![1, 1, 4]),
        (format!("{BBOX}&days=99&z=3.7"), vec![6]),
        (format!("{BBOX}&rx=C0FFEE"), vec![3]),
        (format!("{BBOX}&rx=00"), vec![]),
        (format!("{BBOX}&node={}&days=30", keys[0]), vec![1, 2]),
        (format!("{BBOX}&node={}", keys[1].to_string().to_uppercase()), vec![2]),
        ("bbox=37.77,-122.35,37.77,-122.25".to_owned(), vec![1]),
        ("bbox=-95,-500,95,500&z=99".to_owned(), vec![1, 1, 3]),
        ("bbox=0,0,1,1".to_owned(), vec![]),
    ] {
        let found = map(&query).await;
        assert_eq!(counts(&found), wanted, "{query}");
        assert_eq!(found["mobile_receptions"], wanted.iter().sum::<u64>(), "{query}");
    }
    let board = app.get("/api/rx-leaderboard?days=30&limit=1").await.good();
    assert_eq!((board["days"].clone(), board["observers"].as_array().unwrap().len()), (json!(30), 1));
}

#[tokio::test]
async fn a_node_of_which_only_receptions_are_known_has_a_map_as_well() {
    let app = TestApp::with(json!({ON: {"enabled": true}}));
    with_receptions(&app);
    let path = format!("/api/nodes/feed{}/rx-coverage?{BBOX}", "0".repeat(60));
    assert_eq!(counts(&app.get(&path).await.good()), [1]);
}

#[tokio::test]
async fn bad_parameters_are_named_and_without_the_feature_there_is_nothing() {
    let app = TestApp::with(json!({ON: {"enabled": true}}));
    for (path, parameter) in [
        ("/api/rx-coverage", "bbox"),
        ("/api/rx-coverage?bbox=", "bbox"),
        ("/api/rx-coverage?bbox=1,2,3", "bbox"),
        ("/api/rx-coverage?bbox=1,2,3,4,5", "bbox"),
        ("/api/rx-coverage?bbox=1,2,x,4", "bbox"),
        ("/api/rx-coverage?bbox=1,2,NaN,4", "bbox"),
        ("/api/rx-coverage?bbox=3,2,1,4", "bbox"),
        ("/api/rx-coverage?bbox=1,2,3,4&z=x", "z"),
        ("/api/rx-coverage?bbox=1,2,3,4&node=ab", "node"),
        ("/api/rx-coverage?bbox=1,2,3,4&rx=x", "rx"),
        ("/api/rx-coverage?bbox=1,2,3,4&days=-1", "days"),
        ("/api/rx-leaderboard?limit=x", "limit"),
        ("/api/nodes/ab/rx-coverage?bbox=1,2,3,4", "pubkey"),
    ] {
        let answer = app.get(path).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &json!(parameter)), "{path}");
    }
    let off = TestApp::empty();
    for path in ["/api/rx-coverage?bbox=1,2,3,4", "/api/rx-leaderboard"] {
        off.get(path).await.error(404);
    }
    off.get(&format!("/api/nodes/{}/rx-coverage?bbox=1,2,3,4", "0".repeat(64))).await.error(404);
}

#[tokio::test]
async fn hidden_nodes_and_clients_are_in_no_answer() {
    let all = TestApp::with(json!({ON: {"enabled": true}}));
    let keys = with_receptions(&all);
    let app = TestApp::with(json!({
        ON: {"enabled": true}, "nodeBlacklist": [keys[0].to_string()], "observerBlacklist": ["BEEF"]
    }));
    with_receptions(&app);
    let map = app.get(&format!("/api/rx-coverage?{BBOX}&days=30")).await.good();
    assert_eq!(counts(&map), [3]);
    assert!(!map.to_string().contains(&keys[0].to_string()));
    app.get(&format!("/api/nodes/{}/rx-coverage?{BBOX}", keys[0])).await.error(404);
    let hidden = app.get(&format!("/api/rx-coverage?{BBOX}&node={}", keys[0])).await.good();
    assert_eq!(counts(&hidden), [0u64; 0]);
    let board = app.get("/api/rx-leaderboard").await.good();
    assert_eq!(board["observers"].as_array().unwrap().len(), 1);
}
