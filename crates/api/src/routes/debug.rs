//! `GET /api/debug/affinity`.

use crate::error::HttpError;
use crate::extract::{Authorized, Params, Whole, limit, parsed};
use crate::json::Json;
use crate::render::hex;
use crate::render::hops::name_of;
use crate::render::time::rfc3339;
use crate::state::ApiState;
use axum::extract::State;
use hashbrown::{HashMap, HashSet};
use index::{FoundEdge, HopResolver, Index, Neighbour};
use meshcore::NodeKey;
use model::UnixMillis;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::rc::Rc;
use utoipa::{IntoParams, ToSchema};

/// Which edges.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct AffinityParams {
    /// Only edges whose hash, or a key of whose ends, begins with these hex digits.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    prefix: Option<String>,
    /// Only edges of this node.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    node: Option<NodeKey>,
    /// At most so many edges: up to 1,000, and 100 when it is absent or 0.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    limit: Option<Whole>,
}

/// Who was heard beside whom, and what was made of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AffinityResponse {
    /// The most often heard first.
    edges: Vec<AffinityEdge>,
    /// For those of their hashes that fit several nodes, at most 200.
    resolutions: Vec<AffinityResolution>,
    stats: AffinityStats,
}

/// Two nodes, or a node and a hash, beside each other at an end of paths.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AffinityEdge {
    node_a: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    node_a_name: Option<String>,
    /// `prefix:` and the hash while it is not sure which node it is.
    node_b: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    node_b_name: Option<String>,
    /// The hash by which `nodeB` was heard, or the first byte of its key.
    prefix: String,
    /// The same as `score`.
    weight: f64,
    /// Observations.
    observation_count: u64,
    /// RFC 3339.
    last_seen: String,
    /// RFC 3339.
    first_seen: String,
    /// min(1, count / 100), halved for each week since it was last heard.
    score: f64,
    /// Mean signal-to-noise ratio in decibels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    avg_snr: Option<f64>,
    /// Keys of the observers that heard it.
    observers: Vec<String>,
    /// Whether it is not sure which node the hash is.
    ambiguous: bool,
    /// True when no known node fits the hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unresolved: Option<bool>,
    /// True when the hash fits several nodes and it is sure which of them it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    resolved: Option<bool>,
}

/// What was made of a hash beside a node.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AffinityResolution {
    prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    chosen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    chosen_name: Option<String>,
    /// Its probability.
    chosen_score: f64,
    chosen_jaccard: f64,
    /// `HIGH` or `AMBIGUOUS`.
    confidence: &'static str,
    candidates: Vec<AffinityCandidate>,
    /// How many times more probable it is than the next one; 999 for more.
    ratio: f64,
    /// The ratio that CoreScope asks for. Here a probability decides.
    threshold_applied: f64,
    /// `auto-resolved` or `ambiguous`.
    method: &'static str,
    /// `posterior`: there are no tiers.
    tier: &'static str,
    known_node: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    known_node_name: Option<String>,
}

/// A node that a hash can be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AffinityCandidate {
    pubkey: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Its probability.
    score: f64,
    /// Nodes beside both it and the known node, as a share of those beside either.
    jaccard: f64,
}

/// All edges, filtered or not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AffinityStats {
    total_edges: usize,
    total_nodes: usize,
    resolved_count: usize,
    ambiguous_count: usize,
    unresolved_count: usize,
    /// Mean probability of the resolutions shown.
    avg_confidence: f64,
    /// Share of the nodes with an edge of three observations or more, in percent.
    cold_start_coverage: f64,
    /// How old the edges are, such as `12.3s`.
    cache_age: String,
    /// When they were made, RFC 3339.
    last_rebuild: String,
}

const DEFAULT_EDGES: usize = 100;
const MAX_EDGES: usize = 1_000;
const MAX_RESOLUTIONS: usize = 200;

/// Who was heard beside whom, and what was made of hashes that fit several nodes. Needs the API key in `X-API-Key`.
#[utoipa::path(
    get, path = "/api/debug/affinity", tag = "core", params(AffinityParams),
    responses(
        (status = 200, body = AffinityResponse),
        (status = 400, body = crate::error::ErrorBody),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn affinity(
    _authorized: Authorized,
    State(state): State<ApiState>,
    Params(params): Params<AffinityParams>,
) -> Result<Json<AffinityResponse>, HttpError> {
    let answer = state.read_rows(MAX_EDGES, move |index| answer(&index.read(), &params, UnixMillis::now()));
    Ok(Json(answer.await?))
}

fn answer(index: &Index, params: &AffinityParams, now: UnixMillis) -> AffinityResponse {
    let resolver = index.hops();
    let prefix = params.prefix.as_deref().map(str::to_ascii_uppercase);
    let mut stats = Tally::default();
    let mut edges: Vec<FoundEdge<'_>> = Vec::new();
    for edge in resolver.edges() {
        stats.count(&edge);
        let (node, other) = (edge.node(), edge.other());
        let is_of_node = params.node.is_none_or(|wanted| node == wanted || other == Some(wanted));
        let begins = |prefix: &String| {
            hex::upper(&edge.prefix()).starts_with(prefix) || hex::upper(&node.0).starts_with(prefix)
        };
        if is_of_node && prefix.as_ref().is_none_or(begins) {
            edges.push(edge);
        }
    }
    // Of equals in the order of their ends, as they came.
    edges.sort_by_key(|edge| Reverse(edge.count()));
    edges.truncate(limit(params.limit, DEFAULT_EDGES, MAX_EDGES));
    let edges: Vec<(NodeKey, Neighbour)> = edges.iter().map(|edge| (edge.node(), edge.neighbour())).collect();
    let mut beside = BesideThem { resolver: &resolver, known: HashMap::new() };
    let several = edges
        .iter()
        .filter_map(|(node, neighbour)| AffinityResolution::of(index, node, neighbour, &mut beside));
    let resolutions: Vec<AffinityResolution> = several.take(MAX_RESOLUTIONS).collect();
    let sum: f64 = resolutions.iter().map(|resolution| resolution.chosen_score).sum();
    let avg_confidence = rounded(sum / resolutions.len().max(1) as f64);
    AffinityResponse {
        edges: edges
            .iter()
            .map(|(node, neighbour)| AffinityEdge::of(index, &resolver, node, neighbour, now))
            .collect(),
        resolutions,
        stats: stats.done(avg_confidence, resolver.learned_at().unwrap_or(now), now),
    }
}

/// Counts all edges.
#[derive(Default)]
struct Tally {
    edges: usize,
    nodes: HashSet<NodeKey>,
    often: HashSet<NodeKey>,
    resolved: usize,
    ambiguous: usize,
    unresolved: usize,
}

impl Tally {
    fn count(&mut self, edge: &FoundEdge<'_>) {
        self.edges += 1;
        for key in [Some(edge.node()), edge.other()].into_iter().flatten() {
            self.nodes.insert(key);
            if edge.count() >= 3 {
                self.often.insert(key);
            }
        }
        match (edge.other(), edge.is_unresolved()) {
            (Some(_), _) => self.resolved += 1,
            (None, false) => self.ambiguous += 1,
            (None, true) => self.unresolved += 1,
        }
    }

    fn done(self, avg_confidence: f64, learned: UnixMillis, now: UnixMillis) -> AffinityStats {
        let age_ms = now.0.saturating_sub(learned.0).max(0);
        AffinityStats {
            total_edges: self.edges,
            total_nodes: self.nodes.len(),
            resolved_count: self.resolved,
            ambiguous_count: self.ambiguous,
            unresolved_count: self.unresolved,
            avg_confidence,
            cold_start_coverage: rounded(100.0 * self.often.len() as f64 / self.nodes.len().max(1) as f64),
            cache_age: format!("{:.1}s", age_ms as f64 / 1000.0),
            last_rebuild: rfc3339(learned),
        }
    }
}

impl AffinityEdge {
    fn of(
        index: &Index,
        resolver: &HopResolver,
        node: &NodeKey,
        neighbour: &Neighbour,
        now: UnixMillis,
    ) -> Self {
        let score = rounded(neighbour.score(now));
        let hash = neighbour.hash();
        let observers = neighbour.observers.iter().filter_map(|id| index.observer_record(*id));
        let several = resolver.candidates(hash).count() > 1;
        Self {
            node_a: node.to_string(),
            node_a_name: name_of(index, node),
            node_b: neighbour
                .key
                .map_or_else(|| format!("prefix:{}", hex::upper(hash)), |key| key.to_string()),
            node_b_name: neighbour.key.and_then(|key| name_of(index, &key)),
            prefix: hex::upper(hash),
            weight: score,
            observation_count: u64::from(neighbour.count),
            last_seen: rfc3339(neighbour.last_seen),
            first_seen: rfc3339(neighbour.first_seen),
            score,
            avg_snr: neighbour.snr_mean.map(|snr| rounded(f64::from(snr))),
            observers: observers.map(|record| record.key.to_string()).collect(),
            ambiguous: neighbour.key.is_none(),
            unresolved: (neighbour.key.is_none() && neighbour.candidates.is_empty()).then_some(true),
            resolved: (neighbour.key.is_some() && several).then_some(true),
        }
    }
}

impl AffinityResolution {
    /// `None` when only one node fits the hash.
    fn of(index: &Index, node: &NodeKey, neighbour: &Neighbour, beside: &mut BesideThem<'_>) -> Option<Self> {
        let hash = neighbour.hash();
        let context = index::PathContext { sender: Some(*node), ..index::PathContext::default() };
        let explained = beside.resolver.explain(&[hash], &context).pop()?;
        if explained.candidates.len() < 2 {
            return None;
        }
        let candidates = explained.candidates.iter().map(|(candidate, probability)| AffinityCandidate {
            pubkey: candidate.key.to_string(),
            name: name_of(index, &candidate.key),
            score: rounded(f64::from(*probability)),
            jaccard: beside.jaccard(node, &candidate.key),
        });
        let candidates: Vec<AffinityCandidate> = candidates.collect();
        let (first, second) = (explained.candidates[0].1, explained.candidates[1].1);
        let named = explained.resolved.named();
        Some(Self {
            prefix: hex::upper(hash),
            chosen: named.map(|key| key.to_string()),
            chosen_name: named.and_then(|key| name_of(index, &key)),
            chosen_score: candidates[0].score,
            chosen_jaccard: candidates[0].jaccard,
            confidence: if named.is_some() { "HIGH" } else { "AMBIGUOUS" },
            ratio: rounded((f64::from(first) / f64::from(second).max(1e-9)).min(999.0)),
            threshold_applied: 3.0,
            method: if named.is_some() { "auto-resolved" } else { "ambiguous" },
            tier: "posterior",
            known_node: node.to_string(),
            known_node_name: name_of(index, node),
            candidates,
        })
    }
}

/// Who stands beside a node in a path or more, for those who were asked about.
struct BesideThem<'a> {
    resolver: &'a HopResolver,
    /// In the order of keys.
    known: HashMap<NodeKey, Rc<[NodeKey]>>,
}

impl BesideThem<'_> {
    fn of(&mut self, key: &NodeKey) -> Rc<[NodeKey]> {
        let look = || {
            let links = self.resolver.links(key).into_iter();
            links.filter(|(_, paths)| *paths >= 1.0).map(|(key, _)| key).collect()
        };
        Rc::clone(self.known.entry(*key).or_insert_with(look))
    }

    /// Those beside both, as a share of those beside either.
    fn jaccard(&mut self, a: &NodeKey, b: &NodeKey) -> f64 {
        let (a, b) = (self.of(a), self.of(b));
        let both = a.iter().filter(|key| b.binary_search(key).is_ok()).count();
        let either = a.len() + b.len() - both;
        rounded(both as f64 / either.max(1) as f64)
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
