//! Examples in the document: real packets, real answers.
//!
//! They are answers of the tests' application, cut to a row or two: `UPDATE_EXAMPLES=1 cargo test -p api --test it examples`
//! writes `examples.json` anew, which is also what is to be done when a route is added.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::openapi::path::{Operation, ParameterBuilder};
use utoipa::openapi::{Content, OpenApi, RefOr};

/// What was asked, and what was answered.
#[derive(Debug, Deserialize, Serialize)]
struct Example {
    /// By name.
    parameters: BTreeMap<String, Value>,
    body: Option<Value>,
    /// Of a success; none where it is no JSON.
    answer: Option<Value>,
}

/// By method and path, such as `GET /api/stats`.
type Examples = BTreeMap<String, Example>;

const EXAMPLES: &str = include_str!("examples.json");

/// Adds the examples to the operations that they are of.
pub(super) fn add(document: &mut OpenApi) {
    // A test reads the file as well; an example that is not understood is none.
    let mut examples: Examples = serde_json::from_str(EXAMPLES).unwrap_or_default();
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("GET", &mut item.get),
            ("PUT", &mut item.put),
            ("POST", &mut item.post),
            ("PATCH", &mut item.patch),
            ("DELETE", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let (Some(operation), Some(example)) =
                (operation, examples.remove(&format!("{method} {path}")))
            {
                add_to(operation, example);
            }
        }
    }
}

fn add_to(operation: &mut Operation, mut example: Example) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            // With it rows are not what their schemas say: an example would make generated clients fail.
            let value = example.parameters.remove(&parameter.name).filter(|_| parameter.name != "fields");
            *parameter = ParameterBuilder::from(parameter.clone()).example(value).build();
        }
    }
    if let Some(RefOr::T(body)) = operation.request_body.as_mut()
        && let Some(RefOr::T(content)) = body.content.get_mut(JSON)
    {
        content.example = example.body;
    }
    let success = operation.responses.responses.get_mut("200");
    if let Some(RefOr::T(response)) = success
        && let Some(RefOr::T(Content { example: place, .. })) = response.content.get_mut(JSON)
    {
        *place = example.answer;
    }
}

const JSON: &str = "application/json";
