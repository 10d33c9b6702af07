//! What an operator may change over the API beside packets, for the process that is asked.

use super::books::{Ask, Asks, Reply};
use super::known_channels::ChannelList;
use super::prunings::Prunings;
use crate::config::{Loaded, write_geo_filter};
use api::{GeoFilter, GeoFilterError, KnownChannels, PruneStatus, PruneUnavailable, Registry};
use model::NodeKey;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use xray::Written;

/// The registry of this process.
pub(crate) struct ProcessRegistry {
    config: Option<PathBuf>,
    /// What is written to it, one change at a time.
    config_written: Mutex<Arc<Written>>,
    pruner: Pruner,
    channels: Arc<ChannelList>,
}

/// Who takes nodes off the list.
pub(crate) enum Pruner {
    /// Ingest is in this process.
    Own(Arc<Prunings>),
    /// It is asked through the feed.
    Asked(Arc<Asks>),
}

impl ProcessRegistry {
    /// `config_written` counts what is written to the configuration.
    pub(crate) fn new(
        loaded: &Loaded,
        config_written: Arc<Written>,
        pruner: Pruner,
        channels: Arc<ChannelList>,
    ) -> Self {
        let config_written = Mutex::new(config_written);
        Self { config: loaded.path.clone(), config_written, pruner, channels }
    }
}

impl Registry for ProcessRegistry {
    fn write_geo_filter(&self, filter: Option<&GeoFilter>) -> Result<(), GeoFilterError> {
        let path = self.config.as_deref().ok_or(GeoFilterError::NoFile)?;
        write_geo_filter(path, filter, &self.config_written.lock()).map_err(GeoFilterError::File)
    }

    fn prune(&self, nodes: Vec<NodeKey>) -> Result<String, PruneUnavailable> {
        let request = match &self.pruner {
            Pruner::Own(prunings) => prunings.begin(nodes),
            Pruner::Asked(asks) => {
                let keys = nodes.iter().map(ToString::to_string).collect();
                match asks.ask(&Ask::Prune { keys }) {
                    Some(Reply::Pruning(request)) => request,
                    _ => None,
                }
            }
        };
        request.ok_or(PruneUnavailable)
    }

    fn prune_status(&self, request: &str) -> Result<Option<PruneStatus>, PruneUnavailable> {
        match &self.pruner {
            Pruner::Own(prunings) => Ok(prunings.status(request)),
            Pruner::Asked(asks) => match asks.ask(&Ask::PruneStatus { id: request.to_owned() }) {
                Some(Reply::PruneStatus(status)) => Ok(status),
                _ => Err(PruneUnavailable),
            },
        }
    }

    fn known_channels(&self) -> Option<Arc<KnownChannels>> {
        self.channels.current()
    }
}
