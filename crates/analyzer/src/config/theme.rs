//! `theme.json`: the look, kept apart from the configuration so that it can be shared.

use super::error::ConfigError;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// CoreScope looks in its working directory, where its configuration lies, too; and then in `data` there.
const PLACES: [&str; 2] = ["theme.json", "data/theme.json"];

/// The first one that is there, beside the configuration or else in the working directory; null when there is none.
///
/// # Errors
/// When it cannot be read or is not an object.
pub(super) fn read(config: Option<&Path>) -> Result<Value, ConfigError> {
    let Some(path) = find(config) else { return Ok(Value::Null) };
    let text = std::fs::read_to_string(&path)
        .map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
    let theme: Value = serde_json::from_str(&text).map_err(|error| ConfigError::syntax(&path, &error))?;
    if theme.is_object() {
        return Ok(theme);
    }
    let place = super::tree::Place { line: 1, column: 1 };
    Err(ConfigError::Syntax { path, place, problem: "a theme must be an object".to_owned() })
}

/// Where it is.
pub(super) fn find(config: Option<&Path>) -> Option<PathBuf> {
    let beside = config.and_then(Path::parent).unwrap_or(Path::new(""));
    let folders = [beside, Path::new("")].into_iter();
    let paths = folders.flat_map(|folder| PLACES.map(|place| folder.join(place)));
    paths.into_iter().find(|path| path.is_file())
}
