//! What the binary does for the routes that change something, written down for the test to see.

use api::{GeoFilter, GeoFilterError, KnownChannels, PruneStatus, PruneUnavailable, Registry};
use model::{NodeKey, UnixMillis};
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub(crate) struct TestRegistry {
    /// What was written, newest last.
    pub(crate) geo_filters: Mutex<Vec<Option<GeoFilter>>>,
    /// Why nothing can be written.
    pub(crate) geo_filter_error: Mutex<Option<&'static str>>,
    pub(crate) pruned: Mutex<Vec<Vec<NodeKey>>>,
    /// Whether nobody takes nodes off the list.
    pub(crate) prune_unavailable: Mutex<bool>,
    pub(crate) known_channels: Mutex<Option<Arc<KnownChannels>>>,
}

impl Registry for TestRegistry {
    fn write_geo_filter(&self, filter: Option<&GeoFilter>) -> Result<(), GeoFilterError> {
        match *self.geo_filter_error.lock().unwrap() {
            Some("no file") => return Err(GeoFilterError::NoFile),
            Some(error) => return Err(GeoFilterError::File(error.to_owned())),
            None => {}
        }
        self.geo_filters.lock().unwrap().push(filter.cloned());
        Ok(())
    }

    fn prune(&self, nodes: Vec<NodeKey>) -> Result<String, PruneUnavailable> {
        if *self.prune_unavailable.lock().unwrap() {
            return Err(PruneUnavailable);
        }
        self.pruned.lock().unwrap().push(nodes);
        Ok("00c0ffee00c0ffee".to_owned())
    }

    fn prune_status(&self, request: &str) -> Result<Option<PruneStatus>, PruneUnavailable> {
        if *self.prune_unavailable.lock().unwrap() {
            return Err(PruneUnavailable);
        }
        let times = (UnixMillis(1_779_033_699_000), UnixMillis(1_779_033_700_250));
        let ended = |result| Some(PruneStatus::ended(request.to_owned(), times, result));
        Ok(match request {
            "aa" => Some(PruneStatus::pending(request.to_owned())),
            "bb" => ended(Ok(3)),
            "cc" => ended(Err("ingest has stopped".to_owned())),
            _ => None,
        })
    }

    fn known_channels(&self) -> Option<Arc<KnownChannels>> {
        self.known_channels.lock().unwrap().clone()
    }
}
