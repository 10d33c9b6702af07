//! Reading CoreScope's `config.json`, and what it means here.
//!
//! Each key is acted on, or passed through to the page, or named in a warning. A key of the wrong type is an error that
//! says file, line and key: an operator's typing mistake must not silently become a default.

mod channel_keys;
mod error;
mod file;
mod sources;

pub(crate) use channel_keys::{hashtag, key_ring};
pub(crate) use error::ConfigError;
pub(crate) use file::ConfigFile;
pub(crate) use sources::OutsideBroker;

use api::ApiConfig;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A configuration and what there is to say about it.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Where it was read from; `None` when there is no file and all is default.
    pub(crate) path: Option<PathBuf>,
    /// The part that this program acts on.
    pub(crate) file: ConfigFile,
    /// The part that the API acts on or passes through.
    pub(crate) api: ApiConfig,
    /// One sentence each, for the operator.
    pub(crate) warnings: Vec<String>,
}

/// Keys of CoreScope that have no effect here, each with the reason that the warning gives.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("analytics", "there are no background recomputers to tune"),
    ("cacheTTL", "nothing is cached; the values are only passed to the page"),
    ("clientRxCoverage", "mobile coverage is not implemented yet"),
    ("compression", "answers are always compressed when the client asks for it"),
    ("db", "the database keeps itself small without settings"),
    ("debugAffinity", "hop resolution is not implemented yet"),
    ("defaultRegion", "CoreScope itself does not use it"),
    ("foreignAdverts", "foreign adverts are always kept and flagged"),
    ("https", "put a reverse proxy in front for HTTPS"),
    ("knownChannelsRefreshMs", "the community channel list is not implemented yet"),
    ("knownChannelsUrl", "the community channel list is not implemented yet"),
    ("logLevel", "set the environment variable ANALYZER_LOG instead"),
    ("neighborEdgesMaxAgeDays", "the neighbour graph is not implemented yet"),
    ("neighborGraph", "the neighbour graph is not implemented yet"),
    ("observersCache", "there is no cache to tune"),
    ("packetStore", "the memory window is not implemented yet"),
    ("resolvedPath", "resolved paths are never stored"),
    ("retention", "retention is not implemented yet; everything is kept"),
    ("runtime", "the memory limit is not implemented yet"),
];

impl Loaded {
    /// Reads the file, or takes defaults when none was named and `./config.json` does not exist.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is missing or unreadable, is not JSON, or a key has the wrong type.
    pub(crate) fn read(named: Option<&Path>) -> Result<Self, ConfigError> {
        let usual = Path::new("config.json");
        let path = match named {
            Some(path) => path,
            None if usual.is_file() => usual,
            None => return Self::default().with_environment(),
        };
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })?;
        Self::parse(path, &text)?.with_environment()
    }

    /// Understands the text of a configuration file.
    ///
    /// # Errors
    /// As [`Loaded::read`].
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut not_ours = BTreeSet::new();
        let mut not_the_apis = BTreeSet::new();
        let file: ConfigFile = deserialize(path, text, &mut not_ours)?;
        let api: ApiConfig = deserialize(path, text, &mut not_the_apis)?;
        let mut warnings = Vec::new();
        for key in not_ours.union(&not_the_apis) {
            // Each part ignores what is the other's; a key is unknown when neither takes it.
            if is_within(key, &not_ours) && is_within(key, &not_the_apis) {
                warnings.extend(unknown_key(path, text, key));
            }
        }
        for (key, reason) in WITHOUT_EFFECT {
            if has_top_level(text, key) {
                warnings.push(format!("{}: `{key}` has no effect: {reason}", path.display()));
            }
        }
        warnings.extend(file.warnings(path));
        Ok(Self { path: Some(path.to_path_buf()), file, api, warnings })
    }

    /// The environment variables that operators of CoreScope have in their service files.
    fn with_environment(mut self) -> Result<Self, ConfigError> {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(path) = var("DB_PATH") {
            self.file.db_path.get_or_insert_with(|| path.into());
        }
        if let Some(origins) = var("CORS_ALLOWED_ORIGINS") {
            self.api.cors_allowed_origins =
                origins.split(',').map(|o| o.trim().to_owned()).filter(|o| !o.is_empty()).collect();
        }
        if let Some(path) = var("CHANNEL_KEYS_PATH") {
            self.file.channel_keys_path = Some(path.into());
        }
        if let Some(broker) = var("MQTT_BROKER") {
            self.file.mqtt.broker = Some(broker);
            self.file.mqtt.topic = var("MQTT_TOPIC").or(self.file.mqtt.topic);
        }
        self.file.check(self.path.as_deref().unwrap_or(Path::new("environment")))?;
        Ok(self)
    }
}

fn deserialize<'de, T: serde::Deserialize<'de>>(
    path: &Path,
    text: &'de str,
    ignored: &mut BTreeSet<String>,
) -> Result<T, ConfigError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let result = serde_ignored::deserialize(tracked, |key| {
        ignored.insert(key.to_string());
    });
    let value = result.map_err(|error| ConfigError::invalid(path, &track.path().to_string(), &error))?;
    json.end().map_err(|error| ConfigError::invalid(path, ".", &error))?;
    Ok(value)
}

/// Whether this key, or one that it stands below, is among the ignored.
fn is_within(key: &str, ignored: &BTreeSet<String>) -> bool {
    let above = key.match_indices('.').map(|(at, _)| &key[..at]);
    above.chain([key]).any(|prefix| ignored.contains(prefix))
}

/// Operators write comments as keys with an underscore or two slashes; those are not mistakes.
fn unknown_key(path: &Path, text: &str, key: &str) -> Option<String> {
    let leaf = key.rsplit('.').next().unwrap_or(key);
    if leaf.starts_with(['_', '/', '$'])
        || WITHOUT_EFFECT.iter().any(|(known, _)| key.split('.').next() == Some(*known))
    {
        return None;
    }
    let quoted = format!("\"{leaf}\"");
    let line = text.lines().position(|line| line.contains(&quoted)).map_or(0, |index| index + 1);
    Some(format!("{}:{line}: unknown key `{key}` is ignored", path.display()))
}

fn has_top_level(text: &str, key: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text)
        .is_ok_and(|object| object.contains_key(key))
}

#[cfg(test)]
mod tests;
