//! The OpenAPI document as something to hold answers against.

use crate::app::Answer;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The document's operations and the schemas of their answers.
pub(crate) struct Document {
    pub(crate) operations: Vec<Operation>,
}

/// A path with a method.
pub(crate) struct Operation {
    /// In upper case.
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) parameters: Vec<Parameter>,
    /// The schema of a body, with all that it refers to.
    pub(crate) body: Option<Value>,
    answers: BTreeMap<u16, Vec<Content>>,
}

/// A parameter of a path or a query.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) is_in_path: bool,
    pub(crate) is_required: bool,
    pub(crate) schema: Value,
}

/// One form of an answer.
struct Content {
    media_type: String,
    validator: Option<Validator>,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl Document {
    /// The one that the program serves, with objects closed: a field that is not documented is a fault as well.
    pub(crate) fn agreed() -> Self {
        let mut whole: Value = serde_json::from_str(&api::openapi_json()).unwrap();
        close_objects(&mut whole);
        let mut operations = Vec::new();
        for (path, item) in whole["paths"].as_object().unwrap() {
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    operations.push(Operation::new(&whole, path, method, operation));
                }
            }
        }
        Self { operations }
    }
}

impl Operation {
    fn new(whole: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let none = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap_or(&none).iter().map(Parameter::new);
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let responses = operation["responses"].as_object().unwrap();
        let answers = responses.iter().map(|(status, response)| {
            let response = resolve(whole, response);
            (status.parse().unwrap(), contents(whole, response))
        });
        Self {
            method: method.to_uppercase(),
            path: path.to_owned(),
            parameters: parameters.collect(),
            body: (!body.is_null()).then(|| with_components(whole, body)),
            answers: answers.collect(),
        }
    }

    /// Whether the operation may answer so.
    pub(crate) fn check(&self, answer: &Answer) -> Result<(), String> {
        let status = answer.status.as_u16();
        let text = || String::from_utf8_lossy(&answer.body).chars().take(200).collect::<String>();
        if status >= 500 && status != 503 {
            return Err(format!("is a {status}: {}", text()));
        }
        let Some(contents) = self.answers.get(&status) else {
            return Err(format!("is a {status}, which is not documented: {}", text()));
        };
        let media_type =
            answer.headers.get("content-type").map_or("", |value| value.to_str().unwrap_or_default());
        let media_type = media_type.split(';').next().unwrap_or_default();
        let Some(content) = contents.iter().find(|content| content.media_type == media_type) else {
            let known: Vec<_> = contents.iter().map(|content| content.media_type.as_str()).collect();
            return Err(format!("is a {status} of the type {media_type:?}, documented are {known:?}"));
        };
        let Some(validator) = &content.validator else { return Ok(()) };
        let body: Value = serde_json::from_slice(&answer.body)
            .map_err(|error| format!("is not JSON ({error}): {}", text()))?;
        match validator.iter_errors(&body).next() {
            None => Ok(()),
            Some(error) => {
                let shown: String = error.to_string().chars().take(300).collect();
                Err(format!("is a {status} with {} wrong: {shown}", error.instance_path()))
            }
        }
    }
}

impl Parameter {
    fn new(parameter: &Value) -> Self {
        Self {
            name: parameter["name"].as_str().unwrap().to_owned(),
            is_in_path: parameter["in"] == "path",
            is_required: parameter["required"] == true,
            schema: parameter["schema"].clone(),
        }
    }
}

fn contents(whole: &Value, response: &Value) -> Vec<Content> {
    let Some(contents) = response["content"].as_object() else {
        return vec![Content { media_type: String::new(), validator: None }];
    };
    let one = |(media_type, content): (&String, &Value)| Content {
        media_type: media_type.clone(),
        validator: media_type.ends_with("json").then(|| {
            let schema = with_components(whole, &content["schema"]);
            jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{schema}: {error}"))
        }),
    };
    contents.iter().map(one).collect()
}

/// Follows a reference within the document.
pub(crate) fn resolve<'a>(whole: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => whole
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => value,
    }
}

/// A schema with all that it refers to.
fn with_components(whole: &Value, schema: &Value) -> Value {
    let mut schema = schema.clone();
    let schemas: Map<String, Value> = needed(whole, &schema)
        .into_iter()
        .map(|name| (name.clone(), whole["components"]["schemas"][&name].clone()))
        .collect();
    schema["components"] = json!({"schemas": schemas});
    schema
}

fn needed(whole: &Value, schema: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut to_visit = vec![schema];
    while let Some(value) = to_visit.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(name) = referred(value)
                    && names.insert(name.to_owned())
                {
                    to_visit.push(&whole["components"]["schemas"][name]);
                }
                to_visit.extend(fields.values());
            }
            Value::Array(items) => to_visit.extend(items),
            _ => {}
        }
    }
    names
}

fn referred(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// Objects have no other fields than those that are documented; parts of an `allOf` have those of the others.
fn close_objects(whole: &mut Value) {
    let mut parts = BTreeSet::new();
    let schemas = &mut whole["components"]["schemas"];
    visit(schemas, &mut |schema| {
        let all = schema["allOf"].as_array().into_iter().flatten();
        parts.extend(all.filter_map(referred).map(str::to_owned));
        if schema.get("allOf").is_some() {
            schema["unevaluatedProperties"] = Value::Bool(false);
        }
    });
    for (name, schema) in schemas.as_object_mut().unwrap() {
        if parts.contains(name) {
            // A part that is put together of parts itself must let those of the whole pass.
            schema.as_object_mut().unwrap().remove("unevaluatedProperties");
        }
        let is_closed = schema.get("additionalProperties").is_some() || schema.get("properties").is_none();
        if !is_closed && !parts.contains(name) {
            schema["additionalProperties"] = Value::Bool(false);
        }
    }
}

fn visit(value: &mut Value, see: &mut impl FnMut(&mut Value)) {
    if value.is_object() {
        see(value);
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| visit(field, see)),
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, see)),
        _ => {}
    }
}
