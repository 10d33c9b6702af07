//! What a repeater or room relays and how much it matters, as part of a node's row.

use crate::config::HealthThresholds;
use crate::render::rounded;
use crate::render::time::rfc3339;
use index::{HopResolver, Node, RelayFigures};
use meshcore::Role;
use model::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

/// What a repeater or room relays, by the word of hop resolution, and how much it matters to the mesh. Other nodes have
/// none of these fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct RelayRow {
    /// When it relayed last, RFC 3339; absent while it is not known to have relayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) last_relayed: Option<String>,
    /// Whether that was within the configured hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) relay_active: Option<bool>,
    /// Packets but adverts within an hour. A packet that it relayed with a probability of 0.4 counts 0.4, rounded in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) relay_count_1h: Option<u64>,
    /// Packets but adverts within 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) relay_count_24h: Option<u64>,
    /// Those of them that were sent as plain floods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) unscoped_relay_count_24h: Option<u64>,
    /// Names of the region scopes that it relayed, at most 32; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) transported_scopes: Vec<String>,
    /// Its share of all packets but adverts, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) traffic_share_score: Option<f64>,
    /// How many of the best connections between others lead over it, relative to the greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) bridge_score: Option<f64>,
    /// How near it is to all others, relative to the greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) coverage_score: Option<f64>,
    /// How many others would be cut off from each other without it, relative to the greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) redundancy_score: Option<f64>,
    /// All of these together, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) usefulness_score: Option<f64>,
    /// `A` to `D` or `F`, by that; absent while it is not known to matter at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) usefulness_grade: Option<String>,
}

/// As many as the contract has.
const MAX_SCOPES: usize = 32;

impl RelayRow {
    /// Empty for a node that does not relay by its role.
    pub(crate) fn of(
        node: &Node,
        resolver: &HopResolver,
        thresholds: &HealthThresholds,
        now: UnixMillis,
    ) -> Self {
        if !relays(node) {
            return Self::default();
        }
        let nothing = RelayFigures::default();
        let figures = resolver.relay(&node.key).unwrap_or(&nothing);
        let scores = resolver.scores(&node.key).copied().unwrap_or_default();
        let is_scored = [scores.bridge, scores.coverage, scores.redundancy, scores.traffic];
        let active_ms = thresholds.relay_active_hours * 3_600_000.0;
        let age_ms = |last: UnixMillis| now.0.saturating_sub(last.0) as f64;
        let score = |score: f32| Some(rounded(f64::from(score), 4));
        let count = |packets: f32| Some(packets.round() as u64);
        Self {
            last_relayed: figures.last_relayed.map(rfc3339),
            relay_active: Some(figures.last_relayed.is_some_and(|last| age_ms(last) < active_ms)),
            relay_count_1h: count(figures.last_hour),
            relay_count_24h: count(figures.last_day),
            unscoped_relay_count_24h: count(figures.unscoped_last_day),
            transported_scopes: figures.scopes.iter().take(MAX_SCOPES).map(ToString::to_string).collect(),
            traffic_share_score: score(figures.traffic_share),
            bridge_score: score(scores.bridge),
            coverage_score: score(scores.coverage),
            redundancy_score: score(scores.redundancy),
            usefulness_score: score(scores.usefulness),
            usefulness_grade: is_scored.iter().any(|score| *score > 0.0).then(|| scores.grade.to_string()),
        }
    }
}

/// Whether a node relays by its role.
pub(crate) fn relays(node: &Node) -> bool {
    matches!(node.role, Role::Repeater | Role::Room)
}
