//! The grid of coverage: hexagons with a corner up, laid over the Web-Mercator map (contract §7.13).
//!
//! A cell of resolution `res` is `14 · 156543.03392 / 2^res` metres from centre to corner on that map: fourteen pixels at the
//! zoom of the same number. Its id is `res:q:r` in axial coordinates, counted from where the equator meets Greenwich.

use std::f64::consts::PI;

/// Web-Mercator ends here, where its map is square.
const MAX_LAT: f64 = 85.051_128_779_806_6;

/// Steps of a coordinate around the Earth: one is a centimetre.
const STEPS: f64 = 4_294_967_296.0;

/// Widths of a map of zoom 0, in pixels, that are one cell from centre to corner.
const PIXELS: f64 = 256.0;
const CELL_PIXELS: f64 = 14.0;

/// A place on the map: from the west and from the south, in 2³² steps each. Latitude and longitude in millionths of a degree
/// come back exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MercatorPoint {
    pub(crate) x: u32,
    pub(crate) y: u32,
}

/// A cell of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HexCell {
    /// 3 to 18, as zooms of a map.
    pub resolution: u8,
    /// Axial coordinate to the east.
    pub q: i32,
    /// Axial coordinate to the north, and half as far to the east.
    pub r: i32,
}

impl MercatorPoint {
    /// Places beyond the map's edge are on it.
    pub(crate) fn of((lat_e6, lon_e6): (i32, i32)) -> Self {
        let (lat, lon) = (f64::from(lat_e6) / 1e6, f64::from(lon_e6) / 1e6);
        let north = lat.clamp(-MAX_LAT, MAX_LAT).to_radians().tan().asinh() / (2.0 * PI);
        // Conversion to an integer stops at its ends.
        Self { x: ((lon / 360.0 + 0.5) * STEPS).round() as u32, y: ((north + 0.5) * STEPS).round() as u32 }
    }

    /// Latitude and longitude in millionths of a degree.
    pub(crate) fn location(self) -> (i32, i32) {
        let (x, y) = (f64::from(self.x) / STEPS - 0.5, f64::from(self.y) / STEPS - 0.5);
        ((latitude(y) * 1e6).round() as i32, (x * 360.0 * 1e6).round() as i32)
    }
}

impl HexCell {
    /// The cell at a place.
    pub(crate) fn at(point: MercatorPoint, resolution: u8) -> Self {
        // Everything in lengths of a cell from centre to corner.
        let scale = cells_around(resolution);
        let x = (f64::from(point.x) / STEPS - 0.5) * scale;
        let y = (f64::from(point.y) / STEPS - 0.5) * scale;
        let r = y * (2.0 / 3.0);
        let q = x / 3f64.sqrt() - r / 2.0;
        // Rounding each coordinate by itself may miss: the one that was rounded most follows from the others.
        let s = -q - r;
        let (whole_q, whole_r, whole_s) = (q.round(), r.round(), s.round());
        let (off_q, off_r, off_s) = ((whole_q - q).abs(), (whole_r - r).abs(), (whole_s - s).abs());
        let (q, r) = if off_q > off_r && off_q > off_s {
            (-whole_r - whole_s, whole_r)
        } else if off_r > off_s {
            (whole_q, -whole_q - whole_s)
        } else {
            (whole_q, whole_r)
        };
        Self { resolution, q: q as i32, r: r as i32 }
    }

    /// The corners as (longitude, latitude), from the lower right one against the clock, the first once more at the end.
    pub fn ring(self) -> [(f64, f64); 7] {
        let scale = cells_around(self.resolution);
        let (q, r) = (f64::from(self.q), f64::from(self.r));
        let (x, y) = (3f64.sqrt() * (q + r / 2.0), 1.5 * r);
        std::array::from_fn(|corner| {
            let angle = (60.0 * (corner % 6) as f64 - 30.0).to_radians();
            ((x + angle.cos()) / scale * 360.0, latitude((y + angle.sin()) / scale))
        })
    }
}

impl std::fmt::Display for HexCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.resolution, self.q, self.r)
    }
}

/// Lengths of a cell from centre to corner around the Earth.
fn cells_around(resolution: u8) -> f64 {
    PIXELS * f64::from(1u32 << resolution.min(30)) / CELL_PIXELS
}

/// From a fraction of the map's height above the equator.
fn latitude(y: f64) -> f64 {
    (y * 2.0 * PI).sinh().atan().to_degrees()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_cell_at_the_origin_has_the_contracts_size() {
        let cell = HexCell::at(MercatorPoint::of((0, 0)), 13);
        assert_eq!(cell.to_string(), "13:0:0");
        let ring = cell.ring();
        assert_eq!(ring[0], ring[6]);
        // A corner is straight up, 14 · 156543.03392 / 2^13 m from the centre; a degree is 111,319.49 m there.
        let (lon, lat) = ring[2];
        assert!(lon.abs() < 1e-9 && (lat * 111_319.490_793 - 14.0 * 156_543.033_92 / 8_192.0).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn places_come_back_and_lie_in_their_cell(
            lat in -85_000_000i32..=85_000_000,
            lon in -179_999_999i32..=179_999_999,
            resolution in 3u8..=18,
        ) {
            let point = MercatorPoint::of((lat, lon));
            prop_assert_eq!(point.location(), (lat, lon));
            // Inside is left of every edge.
            let ring = HexCell::at(point, resolution).ring();
            let y = |lat: f64| lat.to_radians().tan().asinh();
            let (px, py) = (f64::from(lon) / 1e6, y(f64::from(lat) / 1e6));
            for edge in ring.windows(2) {
                let [(ax, ay), (bx, by)] = [edge[0], edge[1]].map(|(lon, lat)| (lon, y(lat)));
                let (ax, bx) = (ax.to_radians(), bx.to_radians());
                let left = (bx - ax) * (py - ay) - (by - ay) * (px.to_radians() - ax);
                prop_assert!(left >= -1e-9 * (bx - ax).hypot(by - ay), "{left}");
            }
        }
    }
}
