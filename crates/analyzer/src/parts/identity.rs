//! Under which names this installation is known to outside brokers. A broker keeps messages for a client that is away by
//! the client's id, so ours must be the same after each start, and no other installation's.

use crate::config::OutsideBroker;
use mqtt::Qos;
use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::Path;

/// Beside the database, so that it goes where the data goes.
const FILE: &str = "instance-id";

/// Brokers of MQTT 3.1.1 need not take ids of more than 23 letters and digits; this is three of them.
const PREFIX: &str = "mca";

/// What tells this installation from all others.
#[derive(Debug)]
pub(crate) struct InstanceId(String);

impl InstanceId {
    /// How many hex digits it has: with prefix and the eight of a source, 23 characters.
    const DIGITS: usize = 12;

    /// Reads the id of the data folder, or makes one for ever.
    ///
    /// # Errors
    /// When it is there and cannot be read, or cannot be kept.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) if is_id(text.trim()) => return Ok(Self(text.trim().to_owned())),
            Ok(_) => tracing::warn!(file = %path.display(), "no valid id in here; a new one is made"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let id = Self::new();
        // Written aside and renamed: half an id would be another one after the next start.
        let aside = path.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&aside)?;
        writeln!(file, "{}", id.0)?;
        file.sync_all()?;
        fs::rename(&aside, &path)?;
        Ok(id)
    }

    /// The operating system's chance, without a dependency: it makes the keys of the standard library's hash maps.
    fn new() -> Self {
        let number = RandomState::new().hash_one(0_u8);
        Self(format!("{number:016x}")[..Self::DIGITS].to_owned())
    }

    /// Client ids for all sources, in their order. An id stands for what its session is made of: broker, login, topics and
    /// quality of service. A source that asks for something else gets a new session, because the old one would go on
    /// delivering what it was once asked for.
    pub(crate) fn client_ids(&self, brokers: &[OutsideBroker]) -> Vec<String> {
        let mut used = HashSet::new();
        let id_of = |broker: &OutsideBroker| {
            if let Some(id) = &broker.client_id {
                return id.clone();
            }
            let candidates =
                (0_u32..).map(|turn| format!("{PREFIX}{}{:08x}", self.0, fingerprint(broker, turn)));
            let mut unused = candidates.filter(|id| !used.contains(id));
            let id = unused.next().unwrap_or_default();
            used.insert(id.clone());
            id
        };
        brokers.iter().map(id_of).collect()
    }
}

fn is_id(text: &str) -> bool {
    text.len() == InstanceId::DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// FNV-1a: it must be the same in every version of this program, which no hash of the standard library promises.
fn fingerprint(broker: &OutsideBroker, turn: u32) -> u32 {
    let address =
        broker.url().map_or_else(|_| broker.url.clone(), |url| format!("{}:{}", url.host(), url.port()));
    let qos = if broker.qos == Qos::AtMostOnce { "0" } else { "1" };
    let parts = [address.as_str(), broker.username.as_deref().unwrap_or_default(), qos].into_iter();
    let parts = parts.chain(broker.topics.iter().map(String::as_str));
    let bytes = parts.flat_map(|part| part.bytes().chain([0])).chain(turn.to_be_bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brokers(entries: &str) -> Vec<OutsideBroker> {
        let file: crate::config::ConfigFile =
            serde_json::from_str(&format!("{{\"mqttSources\": [{entries}]}}")).expect("a configuration");
        file.outside_brokers()
    }

    #[test]
    fn an_installation_keeps_its_ids_and_no_other_has_them() {
        let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let sources = brokers(r#"{"broker": "mqtt://a"}, {"broker": "mqtt://b"}, {"broker": "mqtt://a"}"#);
        let ids = |folder: &Path| InstanceId::of(folder).expect("an id").client_ids(&sources);
        let first = ids(here.path());
        assert_eq!(first, ids(here.path()), "the same after each start");
        assert!(first.iter().all(|id| id.len() == 23 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())));
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), 3, "one for each source");
        assert!(first.iter().all(|id| !ids(there.path()).contains(id)));
    }

    #[cfg(unix)]
    #[test]
    fn the_id_is_for_its_owner_only_and_a_broken_one_is_replaced() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        fs::write(&path, "not an id\n").expect("written");
        let made = InstanceId::of(folder.path()).expect("an id");
        assert_eq!(made.0, InstanceId::of(folder.path()).expect("an id").0);
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_a_session_is_made_of_decides_its_id_and_a_name_does_not() {
        let id = InstanceId("0123456789ab".to_owned());
        let of = |entry: &str| id.client_ids(&brokers(entry)).remove(0);
        let usual = of(r#"{"broker": "mqtt://a"}"#);
        assert_eq!(usual, "mca0123456789abe34f3a05");
        assert_eq!(usual, of(r#"{"broker": "tcp://a:1883", "name": "other"}"#));
        for other in [
            r#"{"broker": "mqtt://a", "topics": ["meshcore/AMS/#"]}"#,
            r#"{"broker": "mqtt://a", "qos": 0}"#,
            r#"{"broker": "mqtt://a", "username": "me"}"#,
            r#"{"broker": "mqtt://a:1884"}"#,
        ] {
            assert_ne!(usual, of(other), "{other}");
        }
        assert_eq!(of(r#"{"broker": "mqtt://a", "clientId": "mine"}"#), "mine");
    }
}
