//! Answers compared with files. `UPDATE_GOLDEN=1 cargo test -p api` rewrites them all.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// Compares with `testdata/{name}.json`. Values at these keys depend on the clock or the machine, and only have to be
/// there; what kind of value they have stays visible.
#[track_caller]
pub(crate) fn assert_golden(name: &str, mut answer: Value, varying: &[&str]) {
    mask(&mut answer, varying);
    let mut text = serde_json::to_string_pretty(&answer).unwrap();
    text.push('\n');
    compare(&testdata(&format!("{name}.json")), &text);
}

#[track_caller]
pub(crate) fn compare(file: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let agreed = std::fs::read_to_string(file).unwrap_or_default();
    if agreed != text {
        let line = agreed.lines().zip(text.lines()).position(|(a, b)| a != b);
        let line = line.unwrap_or_else(|| agreed.lines().count().min(text.lines().count()));
        panic!(
            "{} differs at line {}:\n  agreed: {:?}\n  is now: {:?}\nUPDATE_GOLDEN=1 rewrites it",
            file.display(),
            line + 1,
            agreed.lines().nth(line),
            text.lines().nth(line),
        );
    }
}

fn testdata(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/testdata").join(name)
}

fn mask(value: &mut Value, varying: &[&str]) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if varying.contains(&key.as_str()) {
                    *value = Value::from(match value {
                        Value::Number(_) => "<number>",
                        Value::String(_) => "<text>",
                        _ => "<other>",
                    });
                } else {
                    mask(value, varying);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, varying)),
        _ => {}
    }
}

/// `UPDATE_GOLDEN=1` rewrites this one too; look at the difference before it is committed.
#[test]
fn the_openapi_document_is_the_one_that_was_agreed_on() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    compare(&file, &api::openapi_json());
}
