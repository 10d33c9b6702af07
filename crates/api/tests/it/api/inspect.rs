use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::{Value, json};

/// Two repeaters that were heard beside each other, by two bytes of their keys each.
async fn neighbours(app: &TestApp) -> Vec<String> {
    let nodes = app.get("/api/nodes?role=repeater&limit=200").await.good();
    for node in nodes["nodes"].as_array().unwrap() {
        let key = node["public_key"].as_str().unwrap();
        let beside = app.get(&format!("/api/nodes/{key}/neighbors?include_ambiguous=false")).await.good();
        let is_repeater = |one: &&Value| one["role"] == "repeater";
        if let Some(other) = beside["neighbors"].as_array().unwrap().iter().find(is_repeater) {
            return [key, other["pubkey"].as_str().unwrap()].map(|key| key[..4].to_owned()).to_vec();
        }
    }
    panic!("no two repeaters of the capture are beside each other");
}

/// A path of some hops, each of which has a node that relays.
async fn known_path(app: &TestApp) -> Vec<String> {
    let nodes = app.get("/api/nodes?role=repeater&sortBy=packetCount&limit=4").await.good();
    let keys = nodes["nodes"].as_array().unwrap().iter();
    keys.map(|node| node["public_key"].as_str().unwrap()[..2].to_owned()).collect()
}

async fn inspect(app: &TestApp, body: Value) -> Value {
    app.post("/api/paths/inspect", body).await.good()
}

#[tokio::test]
async fn ways_of_a_path_have_the_agreed_shape_and_agree_with_themselves() {
    let app = TestApp::init();
    let prefixes = known_path(&app).await;
    let context = json!({"until": "2026-05-18T00:00:00Z"});
    let answer = inspect(&app, json!({"prefixes": prefixes, "context": context, "limit": 3})).await;
    let ways = answer["candidates"].as_array().unwrap();
    assert!(!ways.is_empty() && ways.len() <= 3);
    for way in ways {
        let score = way["score"].as_f64().unwrap();
        assert_eq!(way["speculative"], score < 0.7);
        let hops = way["evidence"]["perHop"].as_array().unwrap();
        assert_eq!((hops.len(), way["names"].as_array().unwrap().len()), (prefixes.len(), prefixes.len()));
        let product: f64 = hops.iter().map(|hop| hop["edgeWeight"].as_f64().unwrap()).product();
        assert!((product.powf(1.0 / hops.len() as f64) - score).abs() < 0.002, "{way}");
        for (place, hop) in hops.iter().enumerate() {
            assert_eq!((&hop["chosen"], &hop["prefix"]), (&way["path"][place], &json!(prefixes[place])));
            assert!(hop["chosen"].as_str().unwrap().starts_with(&prefixes[place]));
        }
        let first = hops[0]["candidatesConsidered"].as_f64().unwrap();
        assert!((hops[0]["edgeWeight"].as_f64().unwrap() - (0.7 + 0.3 / first)).abs() < 0.001);
    }
    assert_eq!(answer["input"], json!({"prefixes": prefixes, "hops": prefixes.len()}));
    assert_eq!(answer["stats"]["beamWidth"], 20);
    assert_golden("paths-inspect", answer, &["elapsedMs"]);
}

#[tokio::test]
async fn limits_and_letters_are_as_the_contract_says() {
    let app = TestApp::init();
    let prefixes = known_path(&app).await;
    let ask = async |limit: Value| {
        let answer = inspect(&app, json!({"prefixes": prefixes[..1], "limit": limit})).await;
        answer["candidates"].as_array().unwrap().len()
    };
    let all = ask(json!(50)).await;
    assert!(all >= 1);
    assert_eq!((ask(json!(1)).await, ask(json!(500)).await), (1, all));
    assert_eq!((ask(json!(0)).await, ask(json!(-3)).await, ask(Value::Null).await), (all, all, all));
    let upper: Vec<String> = prefixes.iter().map(|prefix| prefix.to_uppercase()).collect();
    let of =
        async |prefixes: &[String]| inspect(&app, json!({"prefixes": prefixes})).await["candidates"].clone();
    assert_eq!(of(&upper).await, of(&prefixes).await);
    let strange = [&prefixes[..1], &["ffff".to_owned()]].concat();
    app.post("/api/paths/inspect", json!({"prefixes": strange})).await.error(400);
    let nobody = inspect(&app, json!({"prefixes": ["ffffff"]})).await;
    assert_eq!((&nobody["candidates"], &nobody["stats"]["expansionsRun"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn wrong_bodies_are_refused_with_a_reason() {
    let app = TestApp::init();
    let many = vec!["ab"; 65];
    let wrong = [
        (json!({"prefixes": []}), "prefixes: none given"),
        (json!({"prefixes": many}), "prefixes: too many (max 64)"),
        (json!({"prefixes": ["a"]}), "prefixes: one is not an even number of hex digits"),
        (json!({"prefixes": ["zz"]}), "prefixes: one is not an even number of hex digits"),
        (json!({"prefixes": [""]}), "prefixes: one is not of 1 to 3 bytes"),
        (json!({"prefixes": ["abcdef01"]}), "prefixes: one is not of 1 to 3 bytes"),
        (json!({"prefixes": ["ab", "abcd"]}), "prefixes: not all of the same size"),
        (json!({}), "invalid JSON body"),
        (json!({"prefixes": "ab"}), "invalid JSON body"),
        (
            json!({"prefixes": ["ab"], "context": {"since": "yesterday"}}),
            "context.since: not a time such as 2026-05-17T16:00:00Z",
        ),
    ];
    for (body, error) in wrong {
        assert_eq!(app.post("/api/paths/inspect", body).await.error(400), error);
    }
    let long = json!({"prefixes": ["ab"], "context": {"observerId": "a".repeat(5_000)}});
    app.post("/api/paths/inspect", long).await.error(413);
    let longest = vec!["ab"; 64];
    assert_eq!(inspect(&app, json!({"prefixes": longest})).await["input"]["hops"], 64);
}

#[tokio::test]
async fn what_is_known_beside_a_path_counts() {
    let app = TestApp::init();
    let observers = app.get("/api/observers").await.good();
    let prefixes = neighbours(&app).await;
    let scores = async |context: Value| {
        let answer = inspect(&app, json!({"prefixes": prefixes, "context": context})).await;
        answer["candidates"].as_array().unwrap().iter().map(|way| way["score"].clone()).collect::<Vec<_>>()
    };
    let may = json!({"until": "2026-05-18T00:00:00Z"});
    let alone = scores(may.clone()).await;
    let later = scores(json!({"until": "2026-11-18T00:00:00Z"})).await;
    assert!(later.iter().map(Value::as_f64).sum::<Option<f64>>() < alone.iter().map(Value::as_f64).sum());
    let forgotten = scores(json!({"until": "2026-05-18T00:00:00Z", "since": "2026-05-18T00:00:00Z"})).await;
    assert_ne!(forgotten, alone);
    let with = |id: &Value| json!({"until": "2026-05-18T00:00:00Z", "observerId": id});
    assert_eq!(scores(with(&json!("nobody"))).await, alone, "one that is not known tells nothing");
    assert_ne!(scores(with(&observers["observers"][0]["id"])).await, alone);
}

#[tokio::test]
async fn hidden_nodes_are_in_no_way() {
    let open = TestApp::init();
    let prefixes = known_path(&open).await;
    let ways = inspect(&open, json!({"prefixes": prefixes[..1]})).await;
    let hidden = ways["candidates"][0]["path"][0].as_str().unwrap();
    let app = TestApp::with(json!({"nodeBlacklist": [hidden]}));
    let body = inspect(&app, json!({"prefixes": prefixes[..1]})).await;
    assert!(!body.to_string().contains(hidden));
    let count = |answer: &Value| answer["candidates"].as_array().unwrap().len();
    assert_eq!(count(&body) + 1, count(&ways));
}
