use crate::app::{API_KEY, TestApp};
use crate::golden::assert_golden;
use serde_json::{Value, json};

/// A hop that is named in some packet, with the key that it is named as.
async fn named_hop(app: &TestApp) -> (String, String) {
    let page = app.get("/api/packets?limit=1000").await.good();
    for row in page["packets"].as_array().unwrap() {
        let hops: Vec<String> = serde_json::from_str(row["path_json"].as_str().unwrap()).unwrap();
        let Some(resolved) = row["resolved_path"].as_array() else { continue };
        assert_eq!(hops.len(), resolved.len());
        for (hop, key) in hops.iter().zip(resolved) {
            if let Some(key) = key.as_str() {
                assert!(key.starts_with(&hop.to_lowercase()), "{key} has the hash {hop}");
                return (hop.clone(), key.to_owned());
            }
        }
    }
    panic!("no hop of the capture is named");
}

#[tokio::test]
async fn hops_are_resolved_by_the_text_that_was_given() {
    let app = TestApp::init();
    let (hop, key) = named_hop(&app).await;
    let other = "zz";
    let answer = app.get(&format!("/api/resolve-hops?hops={hop},{key},{other}&observer={key}")).await.good();
    let resolved = answer["resolved"].as_object().unwrap();
    assert_eq!(resolved.len(), 3);
    assert!(
        resolved[&hop]["candidates"].as_array().unwrap().iter().any(|node| node["pubkey"] == key.as_str())
    );
    assert_eq!(resolved[&key]["pubkey"], key.as_str());
    assert_eq!(resolved[&key]["confidence"], "unique_prefix");
    assert_eq!(resolved[other]["confidence"], "no_match");
    assert_eq!(app.get("/api/resolve-hops").await.good(), json!({"resolved": {}}));
    assert_golden("resolve_hops", app.get(&format!("/api/resolve-hops?hops={hop},00")).await.good(), &[]);
}

#[tokio::test]
async fn what_is_not_sure_has_candidates_and_no_name() {
    let app = TestApp::init();
    let every: Vec<String> = (0x10..0x50).map(|byte: u8| format!("{byte:02x}")).collect();
    let answer = app.get(&format!("/api/resolve-hops?hops={}", every.join(","))).await.good();
    let mut unsure = 0;
    for hop in answer["resolved"].as_object().unwrap().values() {
        let candidates = hop["candidates"].as_array().unwrap();
        let total: f64 = candidates.iter().map(|node| node["posterior"].as_f64().unwrap()).sum();
        assert!((total + hop["evidence"]["stranger"].as_f64().unwrap() - 1.0).abs() < 0.02, "{hop}");
        if hop["ambiguous"] == true {
            unsure += 1;
            assert!(hop["name"].is_null() && hop.get("pubkey").is_none() && !candidates.is_empty());
            assert_eq!(hop["confidence"], "ambiguous");
        }
    }
    assert!(unsure > 0, "so little was heard that some hops cannot be sure");
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let app = TestApp::init();
    let answer = app.get("/api/resolve-hops?hops=11&from_node=xy").await;
    answer.error(400);
    assert_eq!(answer.json()["parameter"], "from_node");
    let many = vec!["11"; 65].join(",");
    assert_eq!(app.get(&format!("/api/resolve-hops?hops={many}")).await.error(400), "too many hops (max 64)");
}

#[tokio::test]
async fn hidden_nodes_are_never_named() {
    let app = TestApp::init();
    let (hop, key) = named_hop(&app).await;
    let app = TestApp::with(json!({"nodeBlacklist": [key.to_uppercase()], "apiKey": API_KEY}));
    for path in ["/api/packets?limit=1000&expand=observations", &format!("/api/resolve-hops?hops={hop}")] {
        let answer = app.get(path).await.good();
        let mut named = Vec::new();
        collect(&answer, &mut named);
        assert!(!named.contains(&key), "{path}");
    }
    let answer = app.send(
        axum::http::Method::GET,
        "/api/debug/affinity",
        &[("x-api-key", API_KEY)],
        Default::default(),
    );
    assert!(!String::from_utf8(answer.await.body).unwrap().contains(&key));
}

/// The texts of `resolved_path` and `pubkey` wherever they stand.
fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Array(keys) if name == "resolved_path" => {
                        out.extend(keys.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    Value::String(key) if name == "pubkey" => out.push(key.clone()),
                    other => collect(other, out),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
        _ => {}
    }
}

#[tokio::test]
async fn affinity_needs_the_key_and_lists_edges_by_count() {
    let app = TestApp::with(json!({"apiKey": API_KEY}));
    app.get("/api/debug/affinity").await.error(401);
    let ask = |query: &str| {
        let path = format!("/api/debug/affinity{query}");
        let app = &app;
        async move {
            app.send(axum::http::Method::GET, &path, &[("x-api-key", API_KEY)], Default::default())
                .await
                .good()
        }
    };
    let all = ask("?limit=1000").await;
    let edges = all["edges"].as_array().unwrap();
    let counts: Vec<u64> = edges.iter().map(|edge| edge["observationCount"].as_u64().unwrap()).collect();
    assert!(counts.len() > 10 && counts.is_sorted_by(|a, b| a >= b));
    assert_eq!(all["stats"]["totalEdges"], edges.len());
    let few = ask("?limit=5").await;
    assert_eq!(few["edges"].as_array().unwrap(), &edges[..5]);
    assert_eq!(few["stats"]["totalEdges"], edges.len());
    let node = edges[0]["nodeA"].as_str().unwrap();
    let of_node = ask(&format!("?node={node}")).await;
    let of_node = of_node["edges"].as_array().unwrap();
    assert!(!of_node.is_empty() && of_node.len() < edges.len());
    assert!(of_node.iter().all(|edge| edge["nodeA"] == node || edge["nodeB"] == node));
    assert_golden(
        "debug_affinity",
        json!({"edges": edges[..4], "resolution": all["resolutions"][0]}),
        &["score", "weight"],
    );
}
