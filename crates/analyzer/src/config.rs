//! Reading CoreScope's `config.json`, and what it means here.
//!
//! Each key is acted on, or passed through to the page, or named in a warning. A key of the wrong type is an error that
//! says file, line, column and key: an operator's typing mistake must not silently become a default. All errors of a file
//! are reported at once.

mod alerts;
mod channel_keys;
mod display;
mod environment;
mod error;
mod file;
mod keeping;
mod keys;
mod rewrite;
mod settings;
mod sources;
mod take;
mod theme;
mod tree;
mod walk;

pub(crate) use alerts::{Hook, WebhooksConfig, address};
pub(crate) use channel_keys::{hashtag, key_ring};
pub(crate) use error::{ConfigError, ConfigErrors};
pub(crate) use file::ConfigFile;
pub(crate) use rewrite::write_geo_filter;
pub(crate) use settings::Setting;
pub(crate) use sources::OutsideBroker;

use api::ApiConfig;
use environment::Environment;
use error::Complaints;
use std::path::{Path, PathBuf};
use tree::{Kind, Node};

/// A configuration and what there is to say about it.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Where it was read from; `None` when there is no file and all is default.
    pub(crate) path: Option<PathBuf>,
    /// The part that this program acts on.
    pub(crate) file: ConfigFile,
    /// The part that the API acts on or passes through.
    pub(crate) api: ApiConfig,
    /// Where the figures for other programs are written each second; CoreScope's file.
    pub(crate) stats_file: PathBuf,
    /// One sentence each, for the operator.
    pub(crate) warnings: Vec<String>,
    /// What makes it unusable.
    errors: Vec<ConfigError>,
    /// The file as it was read, without what was wrong in it.
    tree: Option<Node>,
    environment: Environment,
}

/// Where the figures are written when the environment names no file.
const STATS_FILE: &str = "/tmp/corescope-ingestor-stats.json";

/// Where a configuration is looked for when none is named, in CoreScope's order.
const USUAL_PLACES: [&str; 2] = ["config.json", "data/config.json"];

impl Loaded {
    /// What the API acts on, with what it needs of the other part.
    pub(crate) fn api_config(&self) -> ApiConfig {
        let kept = self.file.retention();
        ApiConfig { nodes_listed_for: kept.nodes, observers_listed_for: kept.observers, ..self.api.clone() }
    }

    /// Reads the file, or takes defaults when none was named and there is none in the usual places.
    ///
    /// # Errors
    /// [`ConfigErrors`] when the file is missing or unreadable, is not JSON, or keys have wrong types or values.
    pub(crate) fn read(named: Option<&Path>) -> Result<Self, ConfigErrors> {
        let mut loaded = Self::examine(named)?;
        let errors = std::mem::take(&mut loaded.errors);
        if errors.is_empty() { Ok(loaded) } else { Err(ConfigErrors(errors)) }
    }

    /// As [`Loaded::read`], but what is wrong with keys is among the [`Loaded::errors`], and the rest is as it would be.
    ///
    /// # Errors
    /// When there is nothing to examine: the file is missing, unreadable, or not JSON.
    pub(crate) fn examine(named: Option<&Path>) -> Result<Self, ConfigErrors> {
        let usual = || USUAL_PLACES.iter().map(Path::new).find(|path| path.is_file());
        let mut loaded = match named.or_else(usual) {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })?;
                Self::parse(path, &text)?
            }
            None => Self::default(),
        };
        loaded.apply(Environment::of_process());
        Ok(loaded)
    }

    /// What is wrong with it.
    pub(crate) fn errors(&self) -> &[ConfigError] {
        &self.errors
    }

    /// Understands the text of a configuration file, the environment left aside.
    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut tree = Node::read(path, text)?;
        if !matches!(tree.kind, Kind::Object(_)) {
            let problem = "a configuration must be an object".to_owned();
            return Err(ConfigError::Syntax { path: path.to_path_buf(), place: tree.place, problem });
        }
        let said = walk::remarks(&tree).into_iter();
        let warnings =
            said.map(|remark| format!("{}:{}: {}", path.display(), remark.place, remark.text)).collect();
        let mut errors = Vec::new();
        let file = take::take(&mut tree, path, &mut errors);
        let api = take::take(&mut tree, path, &mut errors);
        let path = Some(path.to_path_buf());
        Ok(Self { path, file, api, warnings, errors, tree: Some(tree), ..Self::default() })
    }

    /// Lays the environment over the file, reads what lies beside it, and checks what came of it.
    fn apply(&mut self, environment: Environment) {
        self.environment = environment;
        self.take_environment();
        let remarks = self.file.remarks();
        for (key, text) in remarks.into_iter().chain(display::mend(&mut self.api)) {
            self.warn_at(&key, &text);
        }
        let mut complaints = Complaints::new(self.path.as_deref(), self.tree.as_ref());
        self.file.check(&mut complaints);
        let mut errors = complaints.errors;
        match theme::read(self.path.as_deref()) {
            Ok(theme) => self.api.theme_file = theme,
            Err(error) => errors.push(error),
        }
        channel_keys::check(&self.file, self.path.as_deref(), self.tree.as_ref(), &mut errors);
        // A value of the wrong type is not also missing.
        errors.retain(|error| {
            !self.errors.iter().any(|known| known.key().is_some() && known.key() == error.key())
        });
        self.errors.append(&mut errors);
        let line = |error: &ConfigError| error.place().map_or(usize::MAX, |place| place.line);
        self.errors.sort_by_key(line);
    }

    fn take_environment(&mut self) {
        let get = |name| self.environment.get(name);
        if let Some(path) = get("DB_PATH") {
            match &self.file.db_path {
                Some(given) if given != Path::new(path) => {
                    self.warnings.push("DB_PATH is ignored because `dbPath` is given".to_owned());
                }
                _ => self.file.db_path = Some(path.into()),
            }
        }
        if let Some(origins) = get("CORS_ALLOWED_ORIGINS") {
            self.api.cors_allowed_origins =
                origins.split(',').map(|o| o.trim().to_owned()).filter(|o| !o.is_empty()).collect();
        }
        if let Some(path) = get("CHANNEL_KEYS_PATH") {
            self.file.channel_keys_path = Some(path.into());
        }
        match get("MQTT_BROKER") {
            Some(_) if !self.file.mqtt_sources.is_empty() => {
                self.warnings.push("MQTT_BROKER is ignored because `mqttSources` is given".to_owned());
            }
            Some(broker) => {
                self.file.mqtt.broker = Some(broker.to_owned());
                if let Some(topic) = get("MQTT_TOPIC") {
                    self.file.mqtt.topic = Some(topic.to_owned());
                }
            }
            None if get("MQTT_TOPIC").is_some() => {
                self.warnings.push("MQTT_TOPIC is ignored because MQTT_BROKER is not set".to_owned());
            }
            None => {}
        }
        self.stats_file = get("CORESCOPE_INGESTOR_STATS").unwrap_or(STATS_FILE).into();
        for (name, reason) in keys::VARIABLES_WITHOUT_EFFECT {
            if get(name).is_some() {
                self.warnings.push(format!("the environment variable {name} has no effect: {reason}"));
            }
        }
    }

    fn warn_at(&mut self, key: &str, text: &str) {
        let place = self.tree.as_ref().map(|tree| tree.place_of(key));
        self.warnings.push(match (&self.path, place) {
            (Some(path), Some(place)) => format!("{}:{place}: {text}", path.display()),
            _ => text.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests;
