//! Hops as the nodes that they mean.

use index::{HopBasis, HopNode, Index, ObservationView, ResolvedHop};
use meshcore::NodeKey;

/// The keys of the nodes that a copy has passed, or that are ahead of it: one for each hop, null for those that are not as
/// good as sure. `None` when none of them is.
pub(crate) fn resolved_path(heard: &ObservationView<'_>) -> Option<Vec<Option<String>>> {
    let path = heard.named_path();
    let is_any_named = path.iter().any(Option::is_some);
    is_any_named.then(|| path.iter().map(|hop| hop.map(|key| key.to_string())).collect())
}

/// How a hop was decided, by the names of the contract.
pub(crate) fn confidence_name(hop: &ResolvedHop, candidates: usize) -> &'static str {
    match (hop.named(), hop.basis) {
        _ if candidates == 0 => "no_match",
        (None, _) => "ambiguous",
        _ if candidates == 1 => "unique_prefix",
        (Some(_), HopBasis::Neighbours) => "neighbor_affinity",
        (Some(_), HopBasis::Distance) => "geo_proximity",
        (Some(_), _) => "observation_count_fallback",
    }
}

/// The name of a node, if it has one.
pub(crate) fn name_of(index: &Index, key: &NodeKey) -> Option<String> {
    let name = index.node(key)?.name.as_ref()?;
    Some(name.display.to_string()).filter(|name| !name.is_empty())
}

/// Latitude and longitude in degrees, where the node says them.
pub(crate) fn node_place(node: &HopNode) -> [Option<f64>; 2] {
    [node.location.map(|place| place.lat()), node.location.map(|place| place.lon())]
}
