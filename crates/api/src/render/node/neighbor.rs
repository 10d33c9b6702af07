//! Who is heard beside a node, as rows.

use super::peer_name;
use crate::render::packet::ObserverTexts;
use crate::render::time::rfc3339;
use crate::render::{hex, rounded};
use crate::visibility::Visibility;
use index::{Index, Neighbour};
use meshcore::NodeKey;
use model::UnixMillis;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A node, or a hop that stays a hash, heard beside a node.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct NeighborRow {
    /// Null when it is not sure who it is.
    pub(crate) pubkey: Option<String>,
    /// The hash by which it was heard; the whole key where it was heard as sender or observer.
    pub(crate) prefix: String,
    pub(crate) name: Option<String>,
    pub(crate) role: Option<String>,
    /// How often, counted per observation.
    pub(crate) count: u64,
    /// `count` by bytes of the hash; `0` for what was heard without a hop between.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub(crate) counts_by_mode: BTreeMap<&'static str, u64>,
    /// 0 to 1: grows up to a hundred times, halves within a week of silence.
    pub(crate) score: f64,
    /// RFC 3339.
    pub(crate) first_seen: String,
    /// RFC 3339.
    pub(crate) last_seen: String,
    /// Decibels; null where nobody measured it.
    pub(crate) avg_snr: Option<f64>,
    /// Absent when one of the two does not say where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) distance_km: Option<f64>,
    /// The ids of those who observed it.
    pub(crate) observers: Vec<String>,
    /// Whether several nodes can be meant.
    pub(crate) ambiguous: bool,
    /// Present and true when no known node can be meant.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub(crate) unresolved: bool,
    /// Who can be meant, when it is not sure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) candidates: Vec<CandidateRow>,
}

/// A node that can be meant.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct CandidateRow {
    pub(crate) pubkey: String,
    pub(crate) name: Option<String>,
    pub(crate) role: Option<String>,
}

impl NeighborRow {
    /// `None` for one that is not to be shown.
    pub(crate) fn of(
        found: &Neighbour,
        index: &Index,
        visibility: &Visibility<'_>,
        now: UnixMillis,
    ) -> Option<Self> {
        if found.key.is_some_and(|key| !visibility.shows_peer(index, &key)) {
            return None;
        }
        let shown = found.candidates.iter().filter(|key| visibility.shows_peer(index, key));
        let candidates: Vec<CandidateRow> = match found.key {
            Some(_) => Vec::new(),
            None => shown.map(|key| CandidateRow::of(key, index)).collect(),
        };
        let known = found.key.map(|key| CandidateRow::of(&key, index));
        let observers = found.observers.iter().filter_map(|id| index.observer_record(*id));
        let observers = observers.filter(|record| visibility.shows_observer_key(&record.key));
        let modes = ["0", "1", "2", "3"].into_iter().zip(found.counts_by_size.map(u64::from));
        Some(Self {
            prefix: hex::lower(&found.prefix),
            count: u64::from(found.count),
            counts_by_mode: modes.filter(|(_, count)| *count > 0).collect(),
            score: rounded(found.score(now), 4),
            first_seen: rfc3339(found.first_seen),
            last_seen: rfc3339(found.last_seen),
            avg_snr: found.snr_mean.map(|snr| rounded(f64::from(snr), 2)),
            distance_km: found.distance_km.map(|km| rounded(f64::from(km), 2)),
            observers: observers.filter_map(|record| ObserverTexts::of(record).id).collect(),
            ambiguous: known.is_none() && candidates.len() > 1,
            unresolved: known.is_none() && candidates.is_empty(),
            candidates,
            pubkey: known.as_ref().map(|node| node.pubkey.clone()),
            name: known.as_ref().and_then(|node| node.name.clone()),
            role: known.and_then(|node| node.role),
        })
    }
}

impl CandidateRow {
    fn of(key: &NodeKey, index: &Index) -> Self {
        let node = index.node(key);
        Self {
            pubkey: key.to_string(),
            name: peer_name(index, key),
            role: node.map(|node| node.role.name().to_owned()),
        }
    }
}
