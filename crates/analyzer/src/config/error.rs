//! What can be wrong with a configuration.

use std::path::{Path, PathBuf};

/// Each says which file, where in it, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}:{line}:{column}: {problem}{at}", path = path.display())]
    Invalid { path: PathBuf, line: usize, column: usize, at: String, problem: String },
    #[error("{path}: `{key}`: {problem}", path = path.display())]
    Value { path: PathBuf, key: String, problem: String },
}

impl ConfigError {
    /// From serde's error, whose own text ends with the position that we put in front.
    pub(super) fn invalid(path: &Path, key: &str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem).to_owned();
        let at = if key == "." { String::new() } else { format!(" (key `{key}`)") };
        Self::Invalid { path: path.to_path_buf(), line: error.line(), column: error.column(), at, problem }
    }

    /// A value of the right type that cannot be used.
    pub(super) fn value(path: &Path, key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Value { path: path.to_path_buf(), key: key.into(), problem: problem.into() }
    }
}
