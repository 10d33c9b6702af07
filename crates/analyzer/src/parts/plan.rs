//! What a run will do, decided from arguments, environment and configuration before anything is opened.

use crate::cli::{BrokerListen, RunArgs};
use crate::config::Loaded;
use anyhow::{Context as _, Result, bail};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// CoreScope's port, so that bookmarks keep working.
const DEFAULT_HTTP_PORT: u16 = 3000;

/// The port that IANA assigns to MQTT.
const DEFAULT_MQTT_PORT: u16 = 1883;

/// Name of the database file in its folder.
pub(crate) const DATABASE: &str = "analyzer.db";

/// Addresses and places of a run. By default everything listens on loopback only.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) http: SocketAddr,
    pub(crate) mqtt: BrokerListen,
    /// Why the embedded broker is off, when nobody said so.
    pub(crate) mqtt_off_because: Option<String>,
    pub(crate) data: DataFolder,
    pub(crate) demo: bool,
}

/// Where the database lies.
#[derive(Debug)]
pub(crate) enum DataFolder {
    Kept(PathBuf),
    /// Removed when the program ends.
    Temporary(TempDir),
}

impl DataFolder {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join(DATABASE)
    }
}

impl Plan {
    /// # Errors
    /// When two wishes contradict each other, or the temporary folder of a demo cannot be made.
    pub(crate) fn new(args: &RunArgs, loaded: &Loaded) -> Result<Self> {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let http = http_address(args.http, loaded);
        let wished = match (args.mqtt, &loaded.file.listen.mqtt) {
            (Some(listen), _) => Some(listen),
            (None, Some(text)) => Some(text.parse().map_err(anyhow::Error::msg).context("`listen.mqtt`")?),
            (None, None) => None,
        };
        let outside = loaded.file.outside_brokers().len();
        let (mqtt, mqtt_off_because) = match wished {
            Some(listen) => (listen, None),
            None if outside > 0 && !args.demo => (
                BrokerListen::Off,
                Some(format!("the configuration names {outside} outside; --mqtt ADDR:PORT turns it on")),
            ),
            None => (BrokerListen::At(SocketAddr::new(loopback, DEFAULT_MQTT_PORT)), None),
        };
        if args.demo && mqtt == BrokerListen::Off {
            bail!(
                "--demo publishes to the embedded broker: leave out `--mqtt off` (and `listen.mqtt` in the configuration)"
            );
        }
        Ok(Self { http, mqtt, mqtt_off_because, data: data_folder(args, loaded)?, demo: args.demo })
    }
}

/// Where the page and the API listen: as was said, else as the configuration says, else on loopback.
pub(crate) fn http_address(said: Option<SocketAddr>, loaded: &Loaded) -> SocketAddr {
    let port = loaded.file.port.unwrap_or(DEFAULT_HTTP_PORT);
    said.or(loaded.file.listen.http).unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
}

fn data_folder(args: &RunArgs, loaded: &Loaded) -> Result<DataFolder> {
    if args.demo && args.data_dir.is_none() {
        // Recorded and simulated packets must never mix with a community's own.
        let folder = tempfile::Builder::new().prefix("meshcore-analyzer-demo-").tempdir();
        return folder.map(DataFolder::Temporary).context("cannot make a temporary folder for the demo");
    }
    Ok(DataFolder::Kept(kept_folder(args.data_dir.as_deref(), loaded)))
}

/// The folder of the database: the one that was named, else that of CoreScope's, else `data`.
pub(crate) fn kept_folder(named: Option<&Path>, loaded: &Loaded) -> PathBuf {
    let beside_corescope = loaded.file.db_path.as_deref().and_then(Path::parent);
    let folder = named.or(beside_corescope.filter(|folder| !folder.as_os_str().is_empty()));
    folder.unwrap_or(Path::new("data")).to_path_buf()
}
