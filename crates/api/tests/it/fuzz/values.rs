//! Requests made up from the document: values that fit, values at the edge, and garbage.

use super::Request;
use super::document::{Operation, Parameter};
use crate::app::TestApp;
use serde_json::{Value, json};

/// Makes values up, the same ones each time.
pub(crate) struct Values {
    numbers: u64,
    /// What is in the history: ids, hashes, keys, names, times.
    known: Vec<String>,
}

/// What a client may send by mistake or on purpose.
const GARBAGE: [&str; 40] = [
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "1e9",
    "+1",
    "00",
    "18446744073709551616",
    "9223372036854775807",
    "NaN",
    "null",
    "true",
    "false",
    "TRUE",
    "undefined",
    "[object Object]",
    "[]",
    "{}",
    "\0",
    "\u{7f}",
    "\u{202e}txet",
    "💥",
    "ä",
    "\u{fffd}",
    "%",
    "%00",
    "..",
    "../../etc/passwd",
    "a,b,,c",
    ",",
    ";",
    "'",
    "\"",
    "' OR 1=1 --",
    "<script>",
    "2026-13-45",
    "1970-01-01",
    "9999-12-31T23:59:59Z",
    "-9223372036854775808",
];

/// What parameters of many kinds take.
const SENSIBLE: [&str; 24] = [
    "1",
    "2",
    "10",
    "50",
    "100000",
    "1h",
    "24h",
    "7d",
    "30d",
    "SFO",
    "All",
    "oak,sfo",
    "bay",
    "Public",
    "#test",
    "enc_11",
    "repeater",
    "2026-05-17T16:00:00Z",
    "2026-05-17",
    "1779033600",
    "1779033600000",
    "ff",
    "00",
    "a1b2c3d4",
];

impl Values {
    /// Knows what the history has.
    pub(crate) async fn of(app: &TestApp, seed: u64) -> Self {
        let mut known = Vec::new();
        let fields = [
            ("/api/packets?limit=40", vec!["id", "hash", "first_seen", "raw_hex", "scope_name"]),
            ("/api/nodes?limit=40", vec!["public_key", "name"]),
            ("/api/observers", vec!["id", "name", "iata"]),
            ("/api/channels?includeEncrypted=true", vec!["hash", "name"]),
        ];
        for (path, names) in fields {
            collect(&app.get(path).await.good(), &names, &mut known);
        }
        Self { numbers: seed, known }
    }

    /// A request to this operation: three of four values are sensible, so that handlers are reached.
    pub(crate) fn request(&mut self, operation: &Operation) -> Request {
        let mut path = operation.path.clone();
        let mut query = Vec::new();
        for parameter in &operation.parameters {
            if parameter.is_in_path {
                let value = encode(&self.parameter(parameter));
                path = path
                    .replace(&format!("{{{}}}", parameter.name), if value.is_empty() { "-" } else { &value });
            } else if self.one_in(3) {
                query.push(format!("{}={}", encode(&parameter.name), encode(&self.parameter(parameter))));
            }
        }
        if self.one_in(10) {
            query.push("unheard_of=1".to_owned());
        }
        if self.one_in(40) {
            query.push(self.pick(&["%", "=", "&&", "%ff=%fe", "limit", "limit=1&limit=2"]));
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let body = operation.body.clone().map(|schema| self.body(&schema));
        Request { path, body, with_key: !self.one_in(4) }
    }

    fn parameter(&mut self, parameter: &Parameter) -> String {
        if self.one_in(4) {
            return self.garbage();
        }
        let schema = &parameter.schema;
        if let Some(allowed) = schema["enum"].as_array() {
            return text_of(&allowed[self.below(allowed.len())]);
        }
        match type_of(schema) {
            "integer" | "number" => self.number(schema),
            "boolean" => self.pick(&["true", "false"]),
            _ if self.one_in(3) => self.pick(&SENSIBLE),
            _ => self.known(),
        }
    }

    fn number(&mut self, schema: &Value) -> String {
        let least = schema["minimum"].as_i64().unwrap_or(-2);
        let most = schema["maximum"].as_i64().unwrap_or(least + 300);
        match self.below(8) {
            0 => least.to_string(),
            1 => most.to_string(),
            2 => most.saturating_add(1).to_string(),
            _ => (least + self.below(usize::try_from(most - least + 1).unwrap()) as i64).to_string(),
        }
    }

    fn garbage(&mut self) -> String {
        if self.one_in(12) {
            let length = self.below(3_000);
            return self.pick(&["a", "7", ",", "é"]).repeat(length);
        }
        self.pick(&GARBAGE)
    }

    fn known(&mut self) -> String {
        let at = self.below(self.known.len());
        let mut text = self.known[at].clone();
        match self.below(8) {
            0 => text = text.to_uppercase(),
            1 => text = text.chars().take(8).collect(),
            2 => {
                let other = self.below(self.known.len());
                text = format!("{text},{}", self.known[other]);
            }
            _ => {}
        }
        text
    }

    fn body(&mut self, schema: &Value) -> Vec<u8> {
        if self.one_in(8) {
            return self
                .pick(&["", "{", "null", "[]", "{}", "\"\"", "1", "\u{0}", "{\"a\":1}", "[[[[[[[["])
                .into_bytes();
        }
        let root = schema.clone();
        self.json(&root, &root, 0).to_string().into_bytes()
    }

    fn json(&mut self, root: &Value, schema: &Value, depth: usize) -> Value {
        let schema = super::document::resolve(root, schema);
        if self.one_in(12) || depth > 6 {
            return json!(self.garbage());
        }
        if let Some(allowed) = schema["enum"].as_array() {
            return allowed[self.below(allowed.len())].clone();
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(choices) = schema[choice].as_array() {
                let chosen = choices[self.below(choices.len())].clone();
                return self.json(root, &chosen, depth + 1);
            }
        }
        match type_of(schema) {
            "object" => {
                let properties = schema["properties"].as_object().into_iter().flatten();
                let present: Vec<_> = properties.filter(|_| !self.one_in(5)).collect();
                let fields = present.into_iter();
                fields.map(|(name, schema)| (name.clone(), self.json(root, schema, depth + 1))).collect()
            }
            "array" => (0..self.below(4)).map(|_| self.json(root, &schema["items"], depth + 1)).collect(),
            "integer" => self.number(schema).parse::<i64>().map_or(Value::Null, Value::from),
            "number" => json!(self.below(4_000) as f64 / 16.0 - 125.0),
            "boolean" => json!(self.one_in(2)),
            _ => json!(self.known()),
        }
    }

    fn pick(&mut self, choices: &[&str]) -> String {
        choices[self.below(choices.len())].to_owned()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// SplitMix64.
    fn below(&mut self, end: usize) -> usize {
        self.numbers = self.numbers.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.numbers;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }
}

/// The type, or the one beside null.
fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("null")
        }
        one => one.as_str().unwrap_or("string"),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// As it stands in an address.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn collect(value: &Value, names: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if names.contains(&name.as_str()) && (value.is_string() || value.is_number()) {
                    found.push(text_of(value));
                }
                collect(value, names, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, found)),
        _ => {}
    }
}
