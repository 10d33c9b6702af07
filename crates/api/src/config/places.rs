//! Places: where the map opens, the area of interest, named areas.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// Where the map opens.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct MapDefaults {
    /// Latitude and longitude in degrees.
    pub center: [f64; 2],
    /// Zoom step of web maps.
    pub zoom: f64,
}

impl Default for MapDefaults {
    fn default() -> Self {
        Self { center: [37.45, -122.0], zoom: 9.0 }
    }
}

/// The area of interest: a polygon with a margin, or a box.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GeoFilter {
    /// Corners as latitude and longitude in degrees; fewer than three, or `null`, do not make an area.
    #[serde(deserialize_with = "null_as_default")]
    pub polygon: Vec<[f64; 2]>,
    /// Margin around the polygon in kilometres.
    pub buffer_km: f64,
    /// Southern edge of the box.
    pub lat_min: Option<f64>,
    /// Northern edge of the box.
    pub lat_max: Option<f64>,
    /// Western edge of the box.
    pub lon_min: Option<f64>,
    /// Eastern edge of the box.
    pub lon_max: Option<f64>,
}

/// A named area: a polygon or a box.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Area {
    /// What the page calls it; areas without a label are not offered.
    pub label: String,
    /// Corners as latitude and longitude in degrees.
    #[serde(deserialize_with = "null_as_default")]
    pub polygon: Vec<[f64; 2]>,
    /// Southern edge of the box.
    pub lat_min: Option<f64>,
    /// Northern edge of the box.
    pub lat_max: Option<f64>,
    /// Western edge of the box.
    pub lon_min: Option<f64>,
    /// Eastern edge of the box.
    pub lon_max: Option<f64>,
}

/// Length of one degree of latitude; the contract's flat-earth figure.
const KM_PER_DEGREE: f64 = 111.0;

impl GeoFilter {
    /// Whether a place counts as inside. A filter without an area holds everything; so does one with half a box.
    pub(crate) fn contains(&self, place: [f64; 2]) -> bool {
        if self.polygon.len() >= 3 {
            in_polygon(&self.polygon, place) || near_edge(&self.polygon, place, self.buffer_km)
        } else {
            in_box([self.lat_min, self.lat_max, self.lon_min, self.lon_max], place).unwrap_or(true)
        }
    }
}

impl Area {
    pub(crate) fn contains(&self, place: [f64; 2]) -> bool {
        if self.polygon.len() >= 3 {
            in_polygon(&self.polygon, place)
        } else {
            in_box([self.lat_min, self.lat_max, self.lon_min, self.lon_max], place).unwrap_or(false)
        }
    }
}

fn null_as_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<[f64; 2]>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// South, north, west, east; `None` when an edge is missing.
fn in_box(edges: [Option<f64>; 4], [lat, lon]: [f64; 2]) -> Option<bool> {
    let [Some(south), Some(north), Some(west), Some(east)] = edges else { return None };
    Some((south..=north).contains(&lat) && (west..=east).contains(&lon))
}

/// Ray casting: a place is inside when a ray from it crosses the outline an odd number of times.
fn in_polygon(corners: &[[f64; 2]], [lat, lon]: [f64; 2]) -> bool {
    edges(corners)
        .filter(|([lat_a, lon_a], [lat_b, lon_b])| {
            (lat_a > &lat) != (lat_b > &lat)
                && lon < (lon_b - lon_a) * (lat - lat_a) / (lat_b - lat_a) + lon_a
        })
        .count()
        % 2
        == 1
}

fn near_edge(corners: &[[f64; 2]], place: [f64; 2], within_km: f64) -> bool {
    within_km > 0.0 && edges(corners).any(|(a, b)| distance_to_edge_km(a, b, place) <= within_km)
}

fn edges(corners: &[[f64; 2]]) -> impl Iterator<Item = ([f64; 2], [f64; 2])> + '_ {
    let shifted = corners.iter().cycle().skip(1);
    corners.iter().copied().zip(shifted.copied())
}

/// Distance from a place to the line between two corners, on a flat earth around the place.
fn distance_to_edge_km(a: [f64; 2], b: [f64; 2], place: [f64; 2]) -> f64 {
    let east_scale = KM_PER_DEGREE * place[0].to_radians().cos();
    let flat = |p: [f64; 2]| ((p[1] - place[1]) * east_scale, (p[0] - place[0]) * KM_PER_DEGREE);
    let ((ax, ay), (bx, by)) = (flat(a), flat(b));
    let (dx, dy) = (bx - ax, by - ay);
    let length_squared = dx * dx + dy * dy;
    // The foot of the perpendicular, kept within the edge; both ends may be the same point.
    let along =
        if length_squared == 0.0 { 0.0 } else { (-(ax * dx + ay * dy) / length_squared).clamp(0.0, 1.0) };
    (ax + along * dx).hypot(ay + along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [[f64; 2]; 4] = [[37.0, -123.0], [38.0, -123.0], [38.0, -122.0], [37.0, -122.0]];

    #[test]
    fn a_polygon_holds_its_middle_and_not_its_surroundings() {
        let filter = GeoFilter { polygon: SQUARE.to_vec(), ..GeoFilter::default() };
        assert!(filter.contains([37.5, -122.5]));
        assert!(!filter.contains([37.5, -121.9]));
        assert!(!filter.contains([36.9, -122.5]));
    }

    #[test]
    fn the_margin_reaches_as_far_as_it_says() {
        let filter = GeoFilter { polygon: SQUARE.to_vec(), buffer_km: 12.0, ..GeoFilter::default() };
        assert!(filter.contains([38.1, -122.5]), "11.1 km north of the edge");
        assert!(!filter.contains([38.12, -122.5]), "13.3 km north of the edge");
    }

    #[test]
    fn half_a_box_is_no_filter_but_holds_no_area() {
        let filter = GeoFilter { lat_min: Some(1.0), ..GeoFilter::default() };
        assert!(filter.contains([0.0, 0.0]));
        let area = Area { lat_min: Some(1.0), ..Area::default() };
        assert!(!area.contains([2.0, 0.0]));
    }
}
