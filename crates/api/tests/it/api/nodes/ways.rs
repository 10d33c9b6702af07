use super::health::busiest;
use super::{nodes, text};
use crate::app::TestApp;
use crate::golden::assert_golden;
use serde_json::{Value, json};

#[tokio::test]
async fn ways_over_a_node_have_the_agreed_shape_and_lead_over_it() {
    let app = TestApp::init();
    let mut found = None;
    for node in nodes(&app, "&role=repeater&sortBy=name").await {
        let key = text(&node, "public_key").to_owned();
        let paths = app.get(&format!("/api/nodes/{key}/paths")).await.good();
        let rows = paths["paths"].as_array().unwrap();
        let counted: u64 = rows.iter().map(|row| row["count"].as_u64().unwrap()).sum();
        assert!(counted <= paths["totalTransmissions"].as_u64().unwrap());
        assert!(rows.len() <= 50 && rows.len() as u64 <= paths["totalPaths"].as_u64().unwrap());
        for row in rows {
            let hops = row["hops"].as_array().unwrap();
            assert!(hops.iter().any(|hop| hop["pubkey"] == key), "{row}");
            assert!(hops.iter().all(key_fits_prefix), "{row}");
            app.get(&format!("/api/packets/{}", text(row, "sampleHash"))).await.good();
        }
        if counted > 1 && found.is_none() {
            found = Some(paths);
        }
    }
    assert_golden("nodes/paths", found.expect("some node has relayed"), &[]);
}

fn key_fits_prefix(hop: &Value) -> bool {
    let prefix = text(hop, "prefix").to_lowercase();
    hop["pubkey"].as_str().is_none_or(|key| key.starts_with(&prefix))
}

#[tokio::test]
async fn neighbours_have_the_agreed_shape_and_can_be_filtered() {
    let app = TestApp::init();
    let key = busiest(&app).await;
    let ask = async |query: &str| app.get(&format!("/api/nodes/{key}/neighbors{query}")).await.good();
    let all = ask("").await;
    let rows = all["neighbors"].as_array().unwrap();
    let total: u64 = rows.iter().map(|row| row["count"].as_u64().unwrap()).sum();
    assert_eq!(all["total_observations"], total);
    assert!(rows.is_sorted_by(|a, b| a["score"].as_f64() >= b["score"].as_f64()));
    let several = ask("?min_count=2&include_ambiguous=false").await;
    let kept = rows.iter().filter(|row| row["count"].as_u64() >= Some(2) && row["ambiguous"] == false);
    assert_eq!(several["neighbors"].as_array().unwrap().len(), kept.count());
    assert_eq!(ask("?min_score=1.5").await["neighbors"], json!([]));
    assert_golden("nodes/neighbors", all, &["score"]);
    for (parameter, value) in [("min_count", "-1"), ("min_score", "NaN"), ("include_ambiguous", "perhaps")] {
        let path = format!("/api/nodes/{key}/neighbors?{parameter}={value}");
        let error = app.get(&path).await.error(400);
        assert!(error.starts_with(&format!("{parameter}: ")), "{error}");
    }
}

#[tokio::test]
async fn a_node_that_is_not_known_has_no_neighbours() {
    let app = TestApp::init();
    let key = "0".repeat(64);
    let nobody = json!({"node": key, "neighbors": [], "total_observations": 0});
    assert_eq!(app.get(&format!("/api/nodes/{key}/neighbors")).await.good(), nobody);
}
