//! From the tree to typed values, with all wrong types at once instead of only the first.

use super::error::ConfigError;
use super::tree::Node;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Deserializer, Track};
use std::path::Path;

/// Reads a `T`. What has the wrong type is complained about and taken out of the tree, so that the rest can be read.
pub(super) fn take<T>(tree: &mut Node, path: &Path, errors: &mut Vec<ConfigError>) -> T
where
    T: DeserializeOwned + Default,
{
    loop {
        let mut track = Track::new();
        let error = match T::deserialize(Deserializer::new(tree.to_value(), &mut track)) {
            Ok(value) => return value,
            Err(error) => error,
        };
        let steps: Vec<_> = track.path().iter().cloned().collect();
        // Each turn takes something out, so this ends.
        let Some(gone) = tree.remove(&steps) else {
            let problem = in_words(&error.to_string(), true);
            errors.push(ConfigError::Syntax { path: path.to_path_buf(), place: tree.place, problem });
            return T::default();
        };
        let problem = in_words(&error.to_string(), is_secret(&gone.path));
        errors.push(ConfigError::Value {
            path: path.to_path_buf(),
            place: gone.place,
            key: gone.path,
            problem,
        });
    }
}

/// Whether a value under this key must not be shown.
pub(super) fn is_secret(key: &str) -> bool {
    let leaf = key.rsplit('.').next().unwrap_or(key).to_ascii_lowercase();
    key.starts_with("channelKeys")
        || key.starts_with("listen.mqttUsers")
        // Who knows the address of a webhook can write to it.
        || (key.starts_with("alerts.webhooks") && leaf == "url")
        || ["password", "secret", "apikey", "token"].iter().any(|word| leaf.contains(word))
}

/// What serde says of a wrong value, in the words of an operator, and without the value where it may be a secret. A value
/// of the wrong type is never shown: it may be a whole section.
fn in_words(error: &str, secret: bool) -> String {
    let Some((what, expected)) = error.rsplit_once(", expected ") else {
        let shown = if secret { error.split([':', '`']).next().unwrap_or_default() } else { error };
        return shown.trim_end().to_owned();
    };
    let expected = match expected {
        "u8" => "a whole number up to 255",
        "u16" => "a whole number up to 65535",
        "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "path string" => "a path",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    match what.split_once(": ") {
        Some(("invalid type", found)) => {
            let kind = match found.split([' ', '`']).next().unwrap_or_default() {
                "string" => "a string",
                "integer" | "floating" => "a number",
                "boolean" => "true or false",
                "sequence" => "a list",
                "map" => "an object",
                "null" => "null",
                _ => "something else",
            };
            format!("must be {expected}, not {kind}")
        }
        _ if secret => format!("must be {expected}"),
        _ => format!("{what}, must be {expected}"),
    }
}
