//! `GET /api/resolve-hops`.

use crate::error::HttpError;
use crate::extract::{Params, csv, parsed};
use crate::json::Json;
use crate::render::hops::{confidence_name, name_of, node_place};
use crate::state::ApiState;
use axum::extract::State;
use index::{ExplainedHop, HopBasis, HopNode, HopResolver, Index, NAMED_FROM, PathContext};
use meshcore::decode_hex;
use model::NodeKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Which hops.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ResolveHopsParams {
    /// Hops as hex digits, separated by commas; at most 64.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    hops: Vec<String>,
    /// Key of the node that sent the packet.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    from_node: Option<NodeKey>,
    /// Key of the observer that heard it.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    observer: Option<NodeKey>,
}

/// What each hop means.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResolveHopsResponse {
    /// By the hop as it was given.
    resolved: BTreeMap<String, HopAnswer>,
}

/// What a hop means, and how sure that is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HopAnswer {
    /// The name of the node; null when it is not sure which it is, or when it has none.
    name: Option<String>,
    /// The key of the node, when it is as good as sure: 95 of 100 hops named so are right.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pubkey: Option<String>,
    /// True when known nodes fit and it is not sure which of them, if any, it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ambiguous: Option<bool>,
    /// The nodes that it can be, the most probable first.
    candidates: Vec<HopCandidate>,
    /// Always empty.
    conflicts: Vec<String>,
    /// The key of the most probable candidate, sure or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    best_candidate: Option<String>,
    /// How it was decided: `no_match`, `unique_prefix`, `ambiguous`, `neighbor_affinity`, `geo_proximity` or
    /// `observation_count_fallback`.
    confidence: &'static str,
    /// The probability that it is the most probable candidate: 0 to 1.
    posterior: f64,
    evidence: HopEvidence,
}

/// A node that a hop can be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HopCandidate {
    name: Option<String>,
    pubkey: String,
    lat: Option<f64>,
    lon: Option<f64>,
    /// The same as `posterior`; null without anything beside the hop that could speak for it.
    affinity_score: Option<f64>,
    /// The probability that it is this one.
    posterior: f64,
}

/// What spoke for the most probable candidate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HopEvidence {
    /// What told it from the next one: `no_candidate`, `only_candidate`, `neighbours`, `distance` or `activity`.
    basis: &'static str,
    /// The probability that it is a node that has never adverted.
    stranger: f64,
    /// Who stands before and after it.
    beside: Vec<BesideHop>,
}

/// A node beside a hop.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BesideHop {
    name: Option<String>,
    pubkey: String,
    /// In how many of the paths that were learned from the two are expected beside each other.
    paths: f64,
    /// How many times more probable it is to find them so than by chance.
    lift: f64,
    /// Null when one of them does not say where it is.
    distance_km: Option<f64>,
}

const MAX_HOPS: usize = 64;

/// Which nodes hops mean. With `from_node` or `observer` the hops are read as one path in the given order; without, each
/// alone.
#[utoipa::path(
    get, path = "/api/resolve-hops", tag = "packets", params(ResolveHopsParams),
    responses((status = 200, body = ResolveHopsResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn resolve_hops(
    State(state): State<ApiState>,
    Params(params): Params<ResolveHopsParams>,
) -> Result<Json<ResolveHopsResponse>, HttpError> {
    if params.hops.len() > MAX_HOPS {
        return Err(HttpError::bad_request("too many hops (max 64)"));
    }
    let resolved = state.read(|index, _now| {
        let resolver = index.hops();
        let context =
            PathContext { sender: params.from_node, observer: params.observer, ..PathContext::default() };
        let hops: Vec<(&String, Option<Vec<u8>>)> =
            params.hops.iter().map(|hop| (hop, decode_hex(hop).filter(|hop| !hop.is_empty()))).collect();
        let as_path = params.from_node.is_some() || params.observer.is_some();
        explain(&resolver, &hops, &context, as_path)
            .into_iter()
            .map(|(text, explained)| (text.clone(), HopAnswer::of(index, explained.as_ref(), as_path)))
            .collect()
    });
    Ok(Json(ResolveHopsResponse { resolved }))
}

/// What is no hash of one to three bytes is left out of the path: longer ones only say which node by themselves.
fn explain<'a>(
    resolver: &HopResolver,
    hops: &[(&'a String, Option<Vec<u8>>)],
    context: &PathContext,
    as_path: bool,
) -> Vec<(&'a String, Option<ExplainedHop>)> {
    let is_hash = |hop: &&(&'a String, Option<Vec<u8>>)| hop.1.as_ref().is_some_and(|bytes| bytes.len() <= 3);
    let hashes: Vec<&[u8]> = hops.iter().filter(is_hash).filter_map(|hop| hop.1.as_deref()).collect();
    let mut of_path = if as_path { resolver.explain(&hashes, context) } else { Vec::new() }.into_iter();
    let explained = hops.iter().map(|hop| {
        let explained = match &hop.1 {
            Some(bytes) if bytes.len() <= 3 && as_path => of_path.next(),
            Some(bytes) if bytes.len() <= 3 => resolver.explain(&[bytes], context).pop(),
            Some(bytes) => Some(by_key(resolver, bytes)),
            None => None,
        };
        (hop.0, explained)
    });
    explained.collect()
}

/// Four bytes or more are told apart by themselves.
fn by_key(resolver: &HopResolver, bytes: &[u8]) -> ExplainedHop {
    let candidates: Vec<HopNode> = resolver.candidates(bytes).copied().collect();
    let share = if candidates.len() == 1 { 0.995 } else { 1.0 / candidates.len().max(1) as f32 };
    let resolved = index::ResolvedHop {
        node: candidates.first().filter(|_| candidates.len() == 1).map(|node| node.key),
        posterior: if candidates.len() == 1 { share } else { 0.0 },
        candidates: candidates.len() as u32,
        basis: if candidates.is_empty() { HopBasis::NoCandidate } else { HopBasis::OnlyCandidate },
    };
    let stranger = if candidates.is_empty() { 1.0 } else { 0.0 };
    let candidates = candidates.into_iter().map(|node| (node, share)).collect();
    ExplainedHop { resolved, candidates, stranger, beside: Vec::new() }
}

impl HopAnswer {
    fn of(index: &Index, explained: Option<&ExplainedHop>, has_context: bool) -> Self {
        let Some(hop) = explained else { return Self::nobody() };
        let named = hop.resolved.named();
        let best = hop.candidates.first();
        let candidates = hop.candidates.iter().map(|(node, posterior)| {
            let posterior = rounded(*posterior);
            let [lat, lon] = node_place(node);
            HopCandidate {
                name: name_of(index, &node.key),
                pubkey: node.key.to_string(),
                lat,
                lon,
                affinity_score: has_context.then_some(posterior),
                posterior,
            }
        });
        let beside = hop.beside.iter().map(|beside| BesideHop {
            name: name_of(index, &beside.key),
            pubkey: beside.key.to_string(),
            paths: rounded(beside.paths),
            lift: rounded(beside.lift),
            distance_km: beside.distance_km.map(rounded),
        });
        Self {
            name: named.and_then(|key| name_of(index, &key)),
            pubkey: named.map(|key| key.to_string()),
            ambiguous: (named.is_none() && !hop.candidates.is_empty()).then_some(true),
            candidates: candidates.collect(),
            conflicts: Vec::new(),
            best_candidate: best.map(|(node, _)| node.key.to_string()),
            confidence: confidence_name(&hop.resolved, hop.candidates.len()),
            posterior: best.map_or(0.0, |(_, posterior)| rounded(*posterior)),
            evidence: HopEvidence {
                basis: basis_name(hop.resolved.basis),
                stranger: rounded(hop.stranger),
                beside: beside.collect(),
            },
        }
    }

    /// Of what is no hop.
    fn nobody() -> Self {
        Self {
            name: None,
            pubkey: None,
            ambiguous: None,
            candidates: Vec::new(),
            conflicts: Vec::new(),
            best_candidate: None,
            confidence: "no_match",
            posterior: 0.0,
            evidence: HopEvidence { basis: "no_candidate", stranger: 1.0, beside: Vec::new() },
        }
    }
}

fn basis_name(basis: HopBasis) -> &'static str {
    match basis {
        HopBasis::NoCandidate => "no_candidate",
        HopBasis::OnlyCandidate => "only_candidate",
        HopBasis::Neighbours => "neighbours",
        HopBasis::Distance => "distance",
        HopBasis::Activity => "activity",
    }
}

/// Three digits after the point are more than is known.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1000.0).round() / 1000.0
}

const _: () = assert!(NAMED_FROM > 0.5, "a named hop is the most probable one");
