//! Which channels can be read: the built-in Public key and those of the configuration.

use super::error::ConfigError;
use super::file::ConfigFile;
use meshcore::{ChannelKey, KeyRing};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// CoreScope's file of well-known channels; used when it lies beside the configuration.
const RAINBOW_FILE: &str = "channel-rainbow.json";

/// All keys, later ones winning over earlier ones of the same name: Public, the key file, `hashChannels`, `channelKeys`.
///
/// # Errors
/// [`ConfigError`] when the key file cannot be read or a key is not 32 or 64 hex digits.
pub(crate) fn key_ring(file: &ConfigFile, config_path: Option<&Path>) -> Result<KeyRing, ConfigError> {
    let mut keys = BTreeMap::from([("Public".to_owned(), ChannelKey::public())]);
    let shown = config_path.unwrap_or(Path::new("environment"));
    if let Some(path) = key_file(file, config_path) {
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
        let named: BTreeMap<String, String> =
            serde_json::from_str(&text).map_err(|error| ConfigError::invalid(&path, ".", &error))?;
        for (name, hex) in named {
            keys.insert(name.clone(), parse(&path, &name, &hex)?);
        }
    }
    for name in &file.hash_channels {
        let name = hashtag(name);
        let key = ChannelKey::hashtag(&name);
        keys.insert(name, key);
    }
    for (name, hex) in &file.channel_keys {
        let key = parse(shown, &format!("channelKeys.{name}"), hex)?;
        let name = if name == "public" { "Public" } else { name };
        keys.insert(name.to_owned(), key);
    }
    let mut ring = KeyRing::new();
    for (name, key) in keys {
        ring.add(&name, key);
    }
    Ok(ring)
}

/// A channel's name as it is hashed: with the sign in front.
pub(crate) fn hashtag(name: &str) -> String {
    let name = name.trim();
    if name.starts_with('#') { name.to_owned() } else { format!("#{name}") }
}

fn key_file(file: &ConfigFile, config_path: Option<&Path>) -> Option<PathBuf> {
    file.channel_keys_path.clone().or_else(|| {
        let beside = config_path?.with_file_name(RAINBOW_FILE);
        beside.is_file().then_some(beside)
    })
}

fn parse(path: &Path, key: &str, hex: &str) -> Result<ChannelKey, ConfigError> {
    // The secret itself must not appear in the message.
    ChannelKey::from_hex(hex.trim())
        .map_err(|_| ConfigError::value(path, key, "a channel key must be 32 or 64 hex digits"))
}
