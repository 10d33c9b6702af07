//! `POST /api/paths/inspect`.

use crate::error::{ErrorBody, HttpError};
use crate::extract::JsonBody;
use crate::json::Json;
use crate::render::node::peer_name;
use crate::render::{rounded, time};
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::State;
use index::{Index, InspectedHop, InspectedPath, Inspection, PathQuestion};
use meshcore::NodeKey;
use model::UnixMillis;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use utoipa::ToSchema;

/// 64 hashes of three bytes take some 600 bytes.
pub(crate) const MAX_BODY_BYTES: usize = 4_096;

const MAX_HOPS: usize = 64;
const DEFAULT_LIMIT: i64 = 10;
const MAX_LIMIT: i64 = 50;

/// Below this a way is a guess.
const SPECULATIVE_BELOW: f64 = 0.7;

/// A path of hashes.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InspectRequest {
    /// The hashes in the order of the path: 1 to 64, as hex digits, all of the same size of one to three bytes.
    prefixes: Vec<String>,
    /// What is known beside it.
    #[serde(default)]
    #[schema(required = false)]
    context: Option<InspectContext>,
    /// Ways: 10 when absent or not above 0. There are never more than 20.
    #[serde(default)]
    #[schema(required = false)]
    limit: Option<i64>,
}

/// What is known of a path beside its hashes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct InspectContext {
    /// The key of the observer that heard the packet from its last hop; one that is not known tells nothing.
    observer_id: Option<String>,
    /// Neighbours that were last heard beside each other before this count for none: RFC 3339.
    since: Option<String>,
    /// As of when, RFC 3339: now when absent.
    until: Option<String>,
}

/// The ways that a path can have gone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InspectResponse {
    /// The best first; none when a hash has no node that relays.
    candidates: Vec<InspectedPathRow>,
    input: InspectedInput,
    stats: InspectionStats,
}

/// One way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InspectedPathRow {
    /// The keys of its nodes. No node comes twice.
    path: Vec<String>,
    /// Their names; of one without a name the first digits of its key.
    names: Vec<String>,
    /// The geometric mean of the scores of its hops, and of the step to the observer where that is known: 0 to 1.
    score: f64,
    /// Whether the score is below 0.7.
    speculative: bool,
    evidence: InspectionEvidence,
}

/// What speaks for a way.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InspectionEvidence {
    per_hop: Vec<InspectedHopRow>,
}

/// One hop of a way.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InspectedHopRow {
    /// The hash in lower case.
    prefix: String,
    /// Nodes with this hash that were tried: at most 64, those that relay most.
    candidates_considered: usize,
    /// The key of the node.
    chosen: String,
    /// The score of the hop, under the name that CoreScope gives it: .35 of `edge`, .20 of how near the two are, .15 of how
    /// lately they were heard beside each other and .30 shared by all candidates; at least 0.05.
    edge_weight: f64,
    /// How much the node and the one before it are heard beside each other: 0 to 1. Null for the first hop.
    edge: Option<f64>,
    /// Others that could stand here, at most 5, the best first. Absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    alternatives: Vec<AlternativeRow>,
}

/// Another node that could stand at a hop.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlternativeRow {
    public_key: String,
    /// The first digits of its key when it has none.
    name: String,
    /// The score that the hop would have with it.
    score: f64,
}

/// What was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InspectedInput {
    /// In lower case.
    prefixes: Vec<String>,
    hops: usize,
}

/// What it took.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InspectionStats {
    /// Ways that are followed at a time.
    beam_width: usize,
    /// How many times a node was tried after the beginning of a way.
    expansions_run: u64,
    /// Milliseconds.
    elapsed_ms: f64,
}

/// The ways that a path of hashes can have gone, with what speaks for each.
#[utoipa::path(
    post, path = "/api/paths/inspect", tag = "packets", request_body = InspectRequest,
    responses(
        (status = 200, body = InspectResponse),
        (status = 400, body = ErrorBody),
        (status = 413, body = ErrorBody),
    )
)]
pub(crate) async fn inspect_path(
    State(state): State<ApiState>,
    JsonBody(request): JsonBody<InspectRequest>,
) -> Result<Json<InspectResponse>, HttpError> {
    let begun = Instant::now();
    let (prefixes, hashes) = hashes(&request.prefixes)?;
    let question = question(&request.context.unwrap_or_default())?;
    let limit = match request.limit {
        Some(limit) if limit > 0 => limit.min(MAX_LIMIT),
        _ => DEFAULT_LIMIT,
    };
    let config = state.config_arc();
    // The worst of paths take some milliseconds.
    let answer = state.read_rows(usize::MAX, move |index| {
        let index = index.read();
        let visibility = Visibility::new(&config);
        let found = index.hops().inspect(&hashes, &question, |key| visibility.shows_peer(&index, key));
        let paths = found.paths.iter().take(limit as usize);
        InspectResponse {
            candidates: paths.map(|path| InspectedPathRow::of(path, &prefixes, &index)).collect(),
            input: InspectedInput { hops: prefixes.len(), prefixes: prefixes.clone() },
            stats: InspectionStats {
                beam_width: Inspection::BEAM_WIDTH,
                expansions_run: found.expansions,
                elapsed_ms: rounded(begun.elapsed().as_secs_f64() * 1000.0, 3),
            },
        }
    });
    Ok(Json(answer.await?))
}

/// In lower case, and as bytes.
fn hashes(prefixes: &[String]) -> Result<(Vec<String>, Vec<Vec<u8>>), HttpError> {
    let wrong = |problem: &str| HttpError::bad_parameter("prefixes", problem);
    if prefixes.is_empty() {
        return Err(wrong("none given"));
    }
    if prefixes.len() > MAX_HOPS {
        return Err(wrong("too many (max 64)"));
    }
    let lower: Vec<String> = prefixes.iter().map(|prefix| prefix.trim().to_ascii_lowercase()).collect();
    let bytes: Option<Vec<Vec<u8>>> = lower.iter().map(|prefix| meshcore::decode_hex(prefix)).collect();
    let bytes = bytes.ok_or_else(|| wrong("one is not an even number of hex digits"))?;
    if bytes.iter().any(|hash| !(1..=3).contains(&hash.len())) {
        return Err(wrong("one is not of 1 to 3 bytes"));
    }
    if bytes.iter().any(|hash| hash.len() != bytes[0].len()) {
        return Err(wrong("not all of the same size"));
    }
    Ok((lower, bytes))
}

fn question(context: &InspectContext) -> Result<PathQuestion, HttpError> {
    let moment = |name: &str, text: &Option<String>| match text.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => time::parse(text)
            .map(Some)
            .ok_or_else(|| HttpError::bad_parameter(name, "not a time such as 2026-05-17T16:00:00Z")),
    };
    let observer = context.observer_id.as_deref();
    Ok(PathQuestion {
        observer: observer.and_then(|id| id.trim().parse().ok()),
        since: moment("context.since", &context.since)?,
        at: moment("context.until", &context.until)?.unwrap_or_else(UnixMillis::now),
    })
}

impl InspectedPathRow {
    fn of(path: &InspectedPath, prefixes: &[String], index: &Index) -> Self {
        let score = rounded(path.score, 3);
        let hops = path.hops.iter();
        Self {
            path: hops.clone().map(|hop| hop.node.to_string()).collect(),
            names: hops.clone().map(|hop| name_or_digits(index, &hop.node)).collect(),
            score,
            speculative: score < SPECULATIVE_BELOW,
            evidence: InspectionEvidence {
                per_hop: hops
                    .zip(prefixes)
                    .map(|(hop, prefix)| InspectedHopRow::of(hop, prefix, index))
                    .collect(),
            },
        }
    }
}

impl InspectedHopRow {
    fn of(hop: &InspectedHop, prefix: &str, index: &Index) -> Self {
        let alternative = |(key, score): &(NodeKey, f64)| AlternativeRow {
            public_key: key.to_string(),
            name: name_or_digits(index, key),
            score: rounded(*score, 3),
        };
        Self {
            prefix: prefix.to_owned(),
            candidates_considered: hop.candidates,
            chosen: hop.node.to_string(),
            edge_weight: rounded(hop.score, 3),
            edge: hop.edge.map(|edge| rounded(edge, 3)),
            alternatives: hop.alternatives.iter().map(alternative).collect(),
        }
    }
}

fn name_or_digits(index: &Index, key: &NodeKey) -> String {
    peer_name(index, key).unwrap_or_else(|| key.to_string().chars().take(8).collect())
}
