//! Cells of coverage as GeoJSON (RFC 7946).

use crate::render::hex;
use crate::visibility::Visibility;
use index::{Coverage, CoverageCell, HeardNode, Index};
use model::NodeKey;
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// Cells of a map.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeatureCollection {
    /// Always `FeatureCollection`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// At most 5,000.
    features: Vec<Feature>,
    /// True when there is more than is shown: more cells, of which those with most receptions are there, or more than the
    /// newest 100,000 receptions; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    truncated: bool,
    /// Receptions in the part of the map that is shown; absent for a single node.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    mobile_receptions: Option<u64>,
    /// Mobile clients that made them; absent for a single node.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    mobile_clients: Option<u64>,
}

/// A cell.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Feature {
    /// Always `Feature`.
    #[serde(rename = "type")]
    kind: &'static str,
    geometry: Polygon,
    properties: CellProperties,
}

/// Its outline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Polygon {
    /// Always `Polygon`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// One ring of seven points, longitude before latitude, the last as the first.
    #[schema(value_type = Vec<Vec<[f64; 2]>>)]
    coordinates: [[[f64; 2]; 7]; 1],
}

/// What was heard in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CellProperties {
    /// `resolution:q:r`.
    cell: String,
    /// Receptions.
    count: u64,
    /// The best signal-to-noise ratio in decibels; 0 unless `has_sig`.
    best_snr: f64,
    /// Whether any of the receptions has one.
    has_sig: bool,
    /// At most 25, those heard most often first.
    nodes: Vec<CellNode>,
    /// True when there were more; absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    nodes_truncated: bool,
}

/// A node heard in a cell.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CellNode {
    /// The beginning of its key in hex: four or six digits of a relayed packet, all of it of its own advert.
    prefix: String,
    /// Its name, where only one node can be meant; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// The best signal-to-noise ratio in decibels; 0 unless `has_sig`.
    snr: f64,
    /// Whether any of the receptions has one.
    has_sig: bool,
    /// Receptions.
    count: u64,
}

/// Who is meant by the beginnings of keys that were heard.
#[derive(Default)]
pub(crate) struct Names {
    names: HashMap<Box<[u8]>, Meant>,
}

enum Meant {
    /// Only one node that is shown, with this name.
    Known(String),
    /// Nobody known, several, or one without a name.
    Open,
    /// Only nodes that are not to be shown.
    Hidden,
}

impl Names {
    /// Looks each different beginning up once.
    pub(crate) fn of(coverage: &Coverage, index: &Index, visibility: &Visibility<'_>) -> Self {
        let mut names = HashMap::new();
        for node in coverage.cells.iter().flat_map(|cell| &cell.nodes) {
            if !names.contains_key(&node.heard) {
                names.insert(node.heard.clone(), Meant::by(&node.heard, index, visibility));
            }
        }
        Self { names }
    }

    fn shows(&self, node: &HeardNode) -> bool {
        !matches!(self.names.get(&node.heard), Some(Meant::Hidden))
    }

    fn name(&self, node: &HeardNode) -> Option<String> {
        match self.names.get(&node.heard) {
            Some(Meant::Known(name)) => Some(name.clone()),
            _ => None,
        }
    }
}

impl Meant {
    fn by(heard: &[u8], index: &Index, visibility: &Visibility<'_>) -> Self {
        let whole_key = <[u8; 32]>::try_from(heard).ok().map(NodeKey);
        if whole_key.is_some_and(|key| !visibility.shows_key(&key)) {
            return Self::Hidden;
        }
        let meant = index.nodes_by_prefix(&hex::lower(heard));
        let shown: Vec<_> = meant.iter().filter(|node| visibility.shows_node(node)).collect();
        match (&shown[..], meant.len()) {
            ([node], _) => {
                node.name.as_ref().map_or(Self::Open, |name| Self::Known(name.display.to_string()))
            }
            ([], 1..) => Self::Hidden,
            _ => Self::Open,
        }
    }
}

impl FeatureCollection {
    pub(crate) fn new(coverage: &Coverage, names: &Names) -> Self {
        Self {
            kind: "FeatureCollection",
            features: coverage.cells.iter().map(|cell| feature(cell, names)).collect(),
            truncated: coverage.truncated,
            mobile_receptions: None,
            mobile_clients: None,
        }
    }

    pub(crate) fn with_totals(self, coverage: &Coverage) -> Self {
        let (receptions, clients) = (Some(coverage.receptions), Some(coverage.clients));
        Self { mobile_receptions: receptions, mobile_clients: clients, ..self }
    }
}

fn feature(cell: &CoverageCell, names: &Names) -> Feature {
    let node = |node: &HeardNode| CellNode {
        prefix: hex::lower(&node.heard),
        name: names.name(node),
        snr: node.best_snr.map_or(0.0, model::SnrQuarterDb::db),
        has_sig: node.best_snr.is_some(),
        count: node.count,
    };
    Feature {
        kind: "Feature",
        geometry: Polygon {
            kind: "Polygon",
            coordinates: [cell.cell.ring().map(|(lon, lat)| [rounded(lon), rounded(lat)])],
        },
        properties: CellProperties {
            cell: cell.cell.to_string(),
            count: cell.count,
            best_snr: cell.best_snr.map_or(0.0, model::SnrQuarterDb::db),
            has_sig: cell.best_snr.is_some(),
            nodes: cell.nodes.iter().filter(|node| names.shows(node)).map(node).collect(),
            nodes_truncated: cell.nodes_truncated,
        },
    }
}

/// To a ten-millionth of a degree, which is a centimetre.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e7).round() / 1e7
}
