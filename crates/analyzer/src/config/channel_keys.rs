//! Which channels can be read: the built-in Public key and those of the configuration.

use super::error::{Complaints, ConfigError, ConfigErrors};
use super::file::ConfigFile;
use super::take::take;
use super::tree::Node;
use meshcore::{ChannelKey, KeyRing};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// CoreScope's file of well-known channels; used when it lies beside the configuration.
const RAINBOW_FILE: &str = "channel-rainbow.json";

/// All keys, later ones winning over earlier ones of the same name: Public, the key file, `hashChannels`, `channelKeys`.
///
/// # Errors
/// [`ConfigErrors`] when the key file cannot be read or a key is not 32 or 64 hex digits.
pub(crate) fn key_ring(file: &ConfigFile, config_path: Option<&Path>) -> Result<KeyRing, ConfigErrors> {
    let mut errors = Vec::new();
    let ring = collect(file, config_path, None, &mut errors);
    if errors.is_empty() { Ok(ring) } else { Err(ConfigErrors(errors)) }
}

/// Says what is wrong with them, with the place where it stands.
pub(super) fn check(
    file: &ConfigFile,
    config_path: Option<&Path>,
    tree: Option<&Node>,
    errors: &mut Vec<ConfigError>,
) {
    collect(file, config_path, tree, errors);
}

/// A channel's name as it is hashed: with the sign in front.
pub(crate) fn hashtag(name: &str) -> String {
    let name = name.trim();
    if name.starts_with('#') { name.to_owned() } else { format!("#{name}") }
}

/// The file of keys, if there is one.
pub(super) fn key_file(file: &ConfigFile, config_path: Option<&Path>) -> Option<PathBuf> {
    file.channel_keys_path.clone().or_else(|| {
        let beside = config_path?.with_file_name(RAINBOW_FILE);
        beside.is_file().then_some(beside)
    })
}

fn collect(
    file: &ConfigFile,
    config_path: Option<&Path>,
    tree: Option<&Node>,
    errors: &mut Vec<ConfigError>,
) -> KeyRing {
    let mut keys = BTreeMap::from([("Public".to_owned(), ChannelKey::public())]);
    if let Some(path) = key_file(file, config_path)
        && let Err(error) = read_file(&path, &mut keys, errors)
    {
        errors.push(error);
    }
    for name in &file.hash_channels {
        let name = hashtag(name);
        let key = ChannelKey::hashtag(&name);
        keys.insert(name, key);
    }
    let mut complaints = Complaints::new(config_path, tree);
    for (name, hex) in &file.channel_keys {
        if let Some(key) = parse(&format!("channelKeys.{name}"), hex, &mut complaints) {
            let name = if name == "public" { "Public" } else { name };
            keys.insert(name.to_owned(), key);
        }
    }
    errors.append(&mut complaints.errors);
    let mut ring = KeyRing::new();
    for (name, key) in keys {
        ring.add(&name, key);
    }
    ring
}

fn read_file(
    path: &Path,
    keys: &mut BTreeMap<String, ChannelKey>,
    errors: &mut Vec<ConfigError>,
) -> Result<(), ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })?;
    let mut tree = Node::read(path, &text)?;
    let named: BTreeMap<String, String> = take(&mut tree, path, errors);
    let mut complaints = Complaints::new(Some(path), Some(&tree));
    for (name, hex) in named {
        if let Some(key) = parse(&name, &hex, &mut complaints) {
            keys.insert(name, key);
        }
    }
    errors.append(&mut complaints.errors);
    Ok(())
}

fn parse(key: &str, hex: &str, complaints: &mut Complaints<'_>) -> Option<ChannelKey> {
    let parsed = ChannelKey::from_hex(hex.trim()).ok();
    if parsed.is_none() {
        // The secret itself must not appear in the message.
        complaints.add(key, "a channel key must be 32 or 64 hex digits");
    }
    parsed
}
