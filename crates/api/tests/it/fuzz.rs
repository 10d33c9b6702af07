//! Random requests made from the OpenAPI document: no answer may be a failure of ours, or anything but what the document
//! says of it. `FUZZ_REQUESTS=1000 cargo test -p api --test it fuzz` sends so many to each operation, and `FUZZ_SEED`
//! other ones.

mod document;
mod values;

use crate::app::{API_KEY, Answer, TestApp};
use axum::body::Body;
use axum::http::Method;
pub(crate) use document::{Document, Operation, Parameter, resolve};
use serde_json::{Value, json};
pub(crate) use values::{Values, encode};

/// Requests to each operation, when `FUZZ_REQUESTS` does not say.
const REQUESTS: usize = 40;

/// Findings that are shown; one fault shows in many requests.
const SHOWN: usize = 12;

fn from_environment(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn random_requests_are_answered_as_the_document_says() {
    let app = TestApp::with(json!({
        "apiKey": API_KEY,
        "areas": {"bay": {"label": "Bay", "latMin": 36.0, "latMax": 39.0, "lonMin": -124.0, "lonMax": -120.0}},
    }));
    let document = Document::agreed();
    let mut values = Values::of(&app, from_environment("FUZZ_SEED", 1) as u64).await;
    let mut findings = Vec::new();
    let mut sent = 0;
    for operation in &document.operations {
        for _ in 0..from_environment("FUZZ_REQUESTS", REQUESTS) {
            let request = values.request(operation);
            let answer = send(&app, operation, &request).await;
            sent += 1;
            if let Err(problem) = operation.check(&answer) {
                findings.push(format!("{} {}: {problem}", operation.method, request.shown()));
            }
        }
    }
    assert!(sent > 1_000, "only {sent} requests were made");
    let shown: Vec<_> = findings.iter().take(SHOWN).map(String::as_str).collect();
    assert!(findings.is_empty(), "{} of {sent} answers are wrong:\n{}", findings.len(), shown.join("\n"));
}

/// A request that was made up.
pub(crate) struct Request {
    pub(crate) path: String,
    body: Option<Vec<u8>>,
    with_key: bool,
}

impl Request {
    /// Long values are cut: what matters is which parameter it was.
    fn shown(&self) -> String {
        let body = self.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        [self.path.as_str(), " ", &body].concat().chars().take(400).collect()
    }
}

async fn send(app: &TestApp, operation: &Operation, request: &Request) -> Answer {
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    let mut headers = vec![("content-type", "application/json")];
    if request.with_key {
        headers.push(("x-api-key", API_KEY));
    }
    app.send(method, &request.path, &headers, Body::from(request.body.clone().unwrap_or_default())).await
}

#[test]
fn an_answer_that_the_document_does_not_know_is_noticed() {
    let document = Document::agreed();
    let stats = document.operations.iter().find(|one| one.path == "/api/stats").unwrap();
    let answer = |status: u16, body: Value| Answer {
        status: status.try_into().unwrap(),
        headers: [(axum::http::header::CONTENT_TYPE, "application/json".parse().unwrap())]
            .into_iter()
            .collect(),
        body: body.to_string().into_bytes(),
    };
    assert!(stats.check(&answer(500, json!({"error": "internal error"}))).is_err());
    assert!(stats.check(&answer(418, json!({"error": "a teapot"}))).is_err());
    assert!(stats.check(&answer(200, json!({}))).unwrap_err().contains("required"));
}
