//! What can be wrong with a configuration.

use super::tree::{Node, Place};
use std::path::{Path, PathBuf};

/// Each says which file, where in it, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}:{place}: {problem}", path = path.display())]
    Syntax { path: PathBuf, place: Place, problem: String },
    #[error("{path}:{place}: `{key}`: {problem}", path = path.display())]
    Value { path: PathBuf, place: Place, key: String, problem: String },
    #[error("{origin}: `{key}`: {problem}")]
    Elsewhere { origin: String, key: String, problem: String },
}

/// All that is wrong, so that an operator need not start once for each mistake.
#[derive(Debug, thiserror::Error)]
pub(crate) struct ConfigErrors(pub(crate) Vec<ConfigError>);

impl std::fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let [only] = self.0.as_slice() {
            return only.fmt(f);
        }
        write!(f, "the configuration has {} errors", self.0.len())?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl ConfigError {
    /// Where it is, if it is in a file.
    pub(super) fn place(&self) -> Option<Place> {
        match self {
            Self::Syntax { place, .. } | Self::Value { place, .. } => Some(*place),
            Self::Unreadable { .. } | Self::Elsewhere { .. } => None,
        }
    }

    /// The key, if it is about one.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Value { key, .. } | Self::Elsewhere { key, .. } => Some(key),
            Self::Syntax { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// From serde's error, whose own text ends with the position that we put in front.
    pub(super) fn syntax(path: &Path, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem).to_owned();
        let place = Place { line: error.line(), column: error.column() };
        Self::Syntax { path: path.to_path_buf(), place, problem }
    }
}

/// Collects values that have the right type and no meaning, each with its place in the file.
pub(super) struct Complaints<'a> {
    path: &'a Path,
    tree: Option<&'a Node>,
    pub(super) errors: Vec<ConfigError>,
}

impl<'a> Complaints<'a> {
    pub(super) fn new(path: Option<&'a Path>, tree: Option<&'a Node>) -> Self {
        Self { path: path.unwrap_or(Path::new("configuration")), tree, errors: Vec::new() }
    }

    pub(super) fn add(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        let (key, problem) = (key.into(), problem.into());
        self.errors.push(match self.tree.map(|tree| tree.locate(&key)) {
            Some((node, missing)) => {
                // What was wrong before it in a list is gone from the tree, so its own number tells better.
                let key = match (missing, node.path.as_str()) {
                    ("", path) => path.to_owned(),
                    (missing, "") => missing.to_owned(),
                    (missing, path) => format!("{path}.{missing}"),
                };
                ConfigError::Value { path: self.path.to_path_buf(), place: node.place, key, problem }
            }
            None => ConfigError::Elsewhere { origin: self.path.display().to_string(), key, problem },
        });
    }
}
