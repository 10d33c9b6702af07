//! What an operator may change beside packets, and the list of known channels.

use crate::config::GeoFilter;
use model::{NodeKey, UnixMillis};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Nodes that one request may take off the list: as many as a page of them has.
pub const MAX_PRUNED_AT_ONCE: usize = 2_000;

/// What the binary does for the routes that change something beside packets. All methods may wait for files or another
/// process, so they are called on threads that may.
pub trait Registry: Send + Sync + 'static {
    /// Writes the area of interest into the configuration, in place of the one before; `None` takes it out.
    ///
    /// # Errors
    /// When there is no configuration file, or it cannot be read or written.
    fn write_geo_filter(&self, filter: Option<&GeoFilter>) -> Result<(), GeoFilterError>;

    /// Has nodes taken off the list; gives the number of the request, to ask with [`Registry::prune_status`]. At most
    /// [`MAX_PRUNED_AT_ONCE`].
    ///
    /// # Errors
    /// When nobody can do it at the moment.
    fn prune(&self, nodes: Vec<NodeKey>) -> Result<String, PruneUnavailable>;

    /// What has become of such a request; `None` for one that is not known, or no longer.
    ///
    /// # Errors
    /// When nobody can say at the moment.
    fn prune_status(&self, request: &str) -> Result<Option<PruneStatus>, PruneUnavailable>;

    /// The list of known channels, once it was fetched.
    fn known_channels(&self) -> Option<Arc<KnownChannels>>;
}

/// Why the area of interest could not be written.
#[derive(Debug, thiserror::Error)]
pub enum GeoFilterError {
    /// The program runs on defaults.
    #[error("there is no config.json to write it to")]
    NoFile,
    /// The file cannot be read, understood, or written.
    #[error("{0}")]
    File(String),
}

/// Nobody takes nodes off the list at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nodes cannot be pruned at the moment: ingest does not run, or has enough to do")]
pub struct PruneUnavailable;

/// How far a request to prune nodes is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PruneStatus {
    /// The number of the request.
    pub request_id: String,
    /// Whether it is done.
    pub status: PruneState,
    /// Nodes that were taken off the list; absent while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub deleted: Option<u64>,
    /// When it was asked for, RFC 3339; absent while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub requested_at: Option<String>,
    /// When it was done, RFC 3339; absent while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub completed_at: Option<String>,
    /// What went wrong; empty when nothing did, absent while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
}

/// Where a request to prune nodes stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PruneState {
    /// Not done yet.
    Pending,
    /// All nodes are off the list.
    Done,
    /// It failed; nothing was taken off.
    Error,
}

impl PruneStatus {
    /// Of a request that is not done yet.
    pub fn pending(request_id: String) -> Self {
        let (deleted, requested_at, completed_at, error) = (None, None, None, None);
        Self { request_id, status: PruneState::Pending, deleted, requested_at, completed_at, error }
    }

    /// Of a request that has ended, well or with an error.
    pub fn ended(
        request_id: String,
        (requested, completed): (UnixMillis, UnixMillis),
        result: Result<u64, String>,
    ) -> Self {
        let time = |time| Some(crate::render::time::rfc3339(time));
        let status = if result.is_ok() { PruneState::Done } else { PruneState::Error };
        Self {
            request_id,
            status,
            deleted: Some(*result.as_ref().unwrap_or(&0)),
            requested_at: time(requested),
            completed_at: time(completed),
            error: Some(result.err().unwrap_or_default()),
        }
    }
}

/// Channels that a community has published, for people to find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KnownChannels {
    /// When the list was made, as it says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub generated_at: Option<String>,
    /// Under which terms, as it says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub license: Option<String>,
    /// When it was fetched, RFC 3339.
    pub fetched_at: String,
    /// From where.
    pub source: String,
    /// The channels.
    pub entries: Vec<KnownChannel>,
}

/// A channel of such a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KnownChannel {
    /// Its name.
    pub channel: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub description: Option<String>,
    /// Its key in hex, of channels whose key does not follow from the name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub key: Option<String>,
    /// The code of its region.
    pub region: String,
    /// The region in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub region_name: Option<String>,
}
