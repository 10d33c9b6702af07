//! The environment variables that operators of CoreScope have in their service files.

use super::keys::VARIABLES_WITHOUT_EFFECT;
use std::collections::BTreeMap;

/// Those that are acted on.
const VARIABLES: [&str; 6] = [
    "CHANNEL_KEYS_PATH",
    "CORESCOPE_INGESTOR_STATS",
    "CORS_ALLOWED_ORIGINS",
    "DB_PATH",
    "MQTT_BROKER",
    "MQTT_TOPIC",
];

/// Those that are set and not empty.
#[derive(Default)]
pub(super) struct Environment(BTreeMap<&'static str, String>);

impl Environment {
    pub(super) fn of_process() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    pub(super) fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let names = VARIABLES.into_iter().chain(VARIABLES_WITHOUT_EFFECT.iter().map(|(name, _)| *name));
        let given = names.filter_map(|name| Some((name, get(name).filter(|value| !value.is_empty())?)));
        Self(given.collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

// A broker's URL may hold a password.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
