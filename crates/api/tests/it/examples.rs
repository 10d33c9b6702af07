//! The examples of the OpenAPI document. `UPDATE_EXAMPLES=1 cargo test -p api --test it examples` makes them anew from
//! the recorded packets; `UPDATE_GOLDEN=1` then takes them into the document.

use crate::api::coverage::with_receptions;
use crate::app::{API_KEY, Answer, TestApp, counters_of, with_samples};
use crate::fuzz::{Document, Operation, Parameter, encode};
use axum::body::Body;
use axum::http::Method;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Rows of a list that are shown.
const ROWS: usize = 1;

/// Maps of more entries are cut to the first two.
const MOST_ENTRIES: usize = 8;

/// Routes whose answers are files or texts, or the document itself.
const NO_JSON: [&str; 5] = ["/api/backup", "/api/live", "/api/perf/bundle", "/api/spec", "/metrics"];

/// Values for parameters, by name, that find something in the recorded packets.
const PARAMETERS: &[(&str, &str)] = &[
    ("a", "1f445b75f5eb65eec244a17a1e8660812a2529727a2329dda37c44684d8841ea"),
    ("area", "bay"),
    ("before", "2026-05-18T00:00:00Z"),
    ("bbox", "37,-123,38,-122"),
    ("channel", "#test"),
    ("days", "7"),
    ("fields", "id,hash"),
    ("filter", "type == ADVERT"),
    ("from", "2026-05-17T00:00:00Z"),
    ("hops", "a1,b2"),
    ("lastHeard", "30d"),
    ("limit", "1"),
    ("node", "Quail Peak"),
    ("offset", "0"),
    ("q", "peak"),
    ("region", "SJC,OAK"),
    ("route", "1"),
    ("search", "peak"),
    ("since", "2026-05-17T00:00:00Z"),
    ("to", "2026-05-18T00:00:00Z"),
    ("type", "4"),
    ("until", "2026-05-18T00:00:00Z"),
    ("window", "24h"),
    ("z", "10"),
];

/// Parameters with which the example is asked for, beside those that must be there.
const ASKED_WITH: [&str; 2] = ["limit", "lastHeard"];

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/openapi/examples.json")
}

#[tokio::test]
async fn examples_are_made_when_they_are_asked_for() {
    if std::env::var_os("UPDATE_EXAMPLES").is_none() {
        return;
    }
    let app = TestApp::with(json!({
        "apiKey": API_KEY,
        "clientRxCoverage": {"enabled": true},
        "areas": {"bay": {"label": "Bay", "latMin": 36.0, "latMax": 39.0, "lonMin": -124.0, "lonMax": -120.0}},
    }));
    with_receptions(&app);
    let known = Known::of(&app).await;
    let observer = app.index.read().observer_by_key(&known.observer).unwrap();
    let an_hour_ago = model::UnixMillis::now().plus_ms(-3_600_000).0 / 300_000 * 300_000;
    let _database = with_samples(&app, &counters_of(observer.0, an_hour_ago));
    let mut examples = Map::new();
    for operation in &Document::agreed().operations {
        let parameters: Map<String, Value> = operation
            .parameters
            .iter()
            .map(|parameter| (parameter.name.clone(), known.value(operation, parameter)))
            .collect();
        let body = operation.body.as_ref().map(|_| known.body(operation));
        let answer = ask(&app, operation, &parameters, body.as_ref()).await;
        let shown =
            (answer.status == 200 && !NO_JSON.contains(&operation.path.as_str())).then(|| cut(answer.json()));
        if shown.is_none() {
            println!("{} {} has no example: {}", operation.method, operation.path, answer.status);
        }
        let example = json!({"parameters": parameters, "body": body, "answer": shown});
        examples.insert(format!("{} {}", operation.method, operation.path), example);
    }
    let mut text = serde_json::to_string_pretty(&Value::from(examples)).unwrap();
    text.push('\n');
    std::fs::write(file(), text).unwrap();
}

/// What is in the recorded packets.
struct Known {
    hash: String,
    node: String,
    observer: String,
    relays: Vec<String>,
}

impl Known {
    async fn of(app: &TestApp) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let adverts = app.get("/api/packets?type=4&limit=1").await.good();
        let nodes = app.get("/api/nodes?limit=1").await.good();
        let observers = app.get("/api/observers").await.good();
        let relays = app.get("/api/nodes?role=repeater&sortBy=packetCount&limit=2").await.good();
        let relays = relays["nodes"].as_array().unwrap().iter();
        Self {
            relays: relays.map(|node| text(&node["public_key"])).collect(),
            hash: text(&adverts["packets"][0]["hash"]),
            node: text(&nodes["nodes"][0]["public_key"]),
            observer: text(&observers["observers"][0]["id"]),
        }
    }

    fn value(&self, operation: &Operation, parameter: &Parameter) -> Value {
        let path = operation.path.as_str();
        let schema = &parameter.schema;
        let text = match parameter.name.as_str() {
            "pubkey" | "nodes" | "keys" => self.node.clone(),
            "prefix" => self.node[..8].to_owned(),
            "id" if path.starts_with("/api/admin") => "bb".to_owned(),
            "observer" | "b" => self.observer.clone(),
            "id" if path.starts_with("/api/observers") => self.observer.clone(),
            "id" if path.starts_with("/api/alerts") => "7".to_owned(),
            "hash" if path.starts_with("/api/channels") => "#test".to_owned(),
            "id" | "hash" => self.hash.clone(),
            "name" if path.starts_with("/api/jobs") => "retention".to_owned(),
            name => match PARAMETERS.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => (*value).to_owned(),
                None => String::new(),
            },
        };
        let types = schema["type"].to_string();
        if let Some(allowed) = schema["enum"].as_array() {
            return if allowed.contains(&json!(text)) { json!(text) } else { allowed[0].clone() };
        }
        if types.contains("integer") || types.contains("number") {
            return text.parse::<i64>().map_or(json!(1), Value::from);
        }
        if types.contains("boolean") { json!(true) } else { json!(text) }
    }

    fn body(&self, operation: &Operation) -> Value {
        match (operation.method.as_str(), operation.path.as_str()) {
            ("POST", "/api/decode") => json!({"hex": "1501AB112379AC076505DAA61C2636516BCE59409C74"}),
            ("POST", "/api/packets") => {
                json!({"hex": "1501AB112379AC076505DAA61C2636516BCE59409C74", "observer": self.observer, "snr": -7.25, "rssi": -101})
            }
            ("POST", "/api/packets/observations") => json!({"hashes": [self.hash]}),
            ("POST", "/api/paths/inspect") => json!({
                "prefixes": self.relays.iter().map(|key| &key[..2]).collect::<Vec<_>>(),
                "context": {"observerId": self.observer, "since": "2026-05-17T00:00:00Z", "until": "2026-05-18T00:00:00Z"},
                "limit": 10,
            }),
            ("POST", "/api/jobs/{name}") => json!({"action": "pause"}),
            _ => simplest(operation.body.as_ref().unwrap(), operation.body.as_ref().unwrap(), 0),
        }
    }
}

/// A small value that fits a schema.
fn simplest(root: &Value, schema: &Value, depth: usize) -> Value {
    let schema = crate::fuzz::resolve(root, schema);
    if let Some(allowed) = schema["enum"].as_array() {
        return allowed[0].clone();
    }
    if let Some(choices) = ["oneOf", "anyOf", "allOf"].iter().find_map(|choice| schema[*choice].as_array()) {
        return simplest(root, choices.last().unwrap(), depth + 1);
    }
    let types = schema["type"].to_string();
    if types.contains("object") && depth < 6 {
        let properties = schema["properties"].as_object().into_iter().flatten();
        return properties.map(|(name, schema)| (name.clone(), simplest(root, schema, depth + 1))).collect();
    }
    if types.contains("array") {
        return json!([simplest(root, &schema["items"], depth + 1)]);
    }
    if types.contains("integer") || types.contains("number") {
        return schema.get("minimum").cloned().unwrap_or(json!(1));
    }
    if types.contains("boolean") { json!(true) } else { json!("") }
}

async fn ask(
    app: &TestApp,
    operation: &Operation,
    parameters: &Map<String, Value>,
    body: Option<&Value>,
) -> Answer {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut path = operation.path.clone();
    let mut query = Vec::new();
    for parameter in &operation.parameters {
        let value = encode(&text(&parameters[&parameter.name]));
        if parameter.is_in_path {
            path = path.replace(&format!("{{{}}}", parameter.name), &value);
        } else if parameter.is_required || ASKED_WITH.contains(&parameter.name.as_str()) {
            query.push(format!("{}={value}", parameter.name));
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    let body = body.map(Value::to_string).unwrap_or_default();
    app.send(method, &path, &[("x-api-key", API_KEY)], Body::from(body)).await
}

/// Lists with their first row, large maps with their first entries.
fn cut(value: Value) -> Value {
    match value {
        Value::Array(items) if items.iter().all(|item| item.is_object() || item.is_array()) => {
            items.into_iter().take(ROWS).map(cut).collect()
        }
        Value::Array(items) => items.into_iter().take(4).collect(),
        Value::Object(fields) => {
            let is_map = fields.len() > MOST_ENTRIES && fields.values().all(Value::is_object);
            let most = if is_map { 2 } else { usize::MAX };
            fields.into_iter().take(most).map(|(name, value)| (name, cut(value))).collect()
        }
        other => other,
    }
}

#[test]
fn every_operation_is_described_and_has_examples_that_fit_it() {
    let document: Value = serde_json::from_str(&api::openapi_json()).unwrap();
    let mut missing = Vec::new();
    for operation in &Document::agreed().operations {
        let name = format!("{} {}", operation.method, operation.path);
        let described = &document["paths"][&operation.path][operation.method.to_lowercase()];
        if described["summary"].as_str().is_none_or(str::is_empty) {
            missing.push(format!("{name}: a summary"));
        }
        for parameter in described["parameters"].as_array().into_iter().flatten() {
            for part in ["description", "example"] {
                // Rows with some fields are not what their schemas say, so that one has its examples in words.
                let may_lack_it = part == "example" && parameter["name"] == "fields";
                if parameter[part].is_null() && !may_lack_it {
                    missing.push(format!("{name}: {part} of {}", parameter["name"]));
                }
            }
        }
        if operation.body.is_some()
            && described["requestBody"]["content"]["application/json"]["example"].is_null()
        {
            missing.push(format!("{name}: an example of the body"));
        }
        let example = &described["responses"]["200"]["content"]["application/json"]["example"];
        if example.is_null() {
            let may_lack_it = NO_JSON.contains(&operation.path.as_str()) || operation.method != "GET";
            if !may_lack_it {
                missing.push(format!("{name}: an example of the answer"));
            }
            continue;
        }
        let answer = Answer {
            status: axum::http::StatusCode::OK,
            headers: [(axum::http::header::CONTENT_TYPE, "application/json".parse().unwrap())]
                .into_iter()
                .collect(),
            body: example.to_string().into_bytes(),
        };
        if let Err(problem) = operation.check(&answer) {
            missing.push(format!("{name}: the example {problem}"));
        }
    }
    assert!(
        missing.is_empty(),
        "these are missing:\n{}\nUPDATE_EXAMPLES=1 cargo test -p api --test it examples makes examples, \
         UPDATE_GOLDEN=1 then takes them into the document",
        missing.join("\n")
    );
}
