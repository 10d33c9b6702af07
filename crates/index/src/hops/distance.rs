//! How far apart two nodes are, and how much more often nodes at such a distance hear each other than nodes at any.

use meshcore::Location;

/// Mean radius of the Earth in kilometres, the one of the contract.
const EARTH_KM: f32 = 6371.0;

/// A point on the unit sphere: distances without trigonometry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place([f32; 3]);

/// Steps of the law: a factor of the square root of two in distance each, from 125 m to 4,000 km and beyond.
const BINS: usize = 32;

/// The middle of the first step in kilometres.
const FIRST_KM: f32 = 0.125;

/// Evidence that the law starts with: as much as this many pairs of neighbours.
const PRIOR_PAIRS: f32 = 20.0;

/// By distance: how many times more often two nodes are beside each other in paths than chance would have it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DistanceLaw {
    lift: [f32; BINS],
}

/// Pairs of nodes by distance.
#[derive(Clone, Debug, Default)]
pub(super) struct PairDistances {
    weights: [f32; BINS],
    total: f32,
}

impl Place {
    pub(super) fn new(location: Location) -> Self {
        let (lat, lon) = (location.lat().to_radians(), location.lon().to_radians());
        Self([(lat.cos() * lon.cos()) as f32, (lat.cos() * lon.sin()) as f32, lat.sin() as f32])
    }

    /// The square of the straight distance through the sphere, in radii.
    fn chord_squared(self, other: Self) -> f32 {
        let [dx, dy, dz] = [self.0[0] - other.0[0], self.0[1] - other.0[1], self.0[2] - other.0[2]];
        dx * dx + dy * dy + dz * dz
    }

    /// Along the surface.
    pub(super) fn km_to(self, other: Self) -> f32 {
        2.0 * EARTH_KM * (self.chord_squared(other).sqrt() / 2.0).min(1.0).asin()
    }
}

/// The exponent of the squared distance counts steps of the square root of two.
fn bin(a: Place, b: Place) -> usize {
    let steps = a.chord_squared(b) * (EARTH_KM / FIRST_KM) * (EARTH_KM / FIRST_KM);
    let exponent = (steps.max(1.0).to_bits() >> 23) as usize - 127;
    exponent.min(BINS - 1)
}

impl PairDistances {
    pub(super) fn add(&mut self, a: Place, b: Place, weight: f32) {
        self.weights[bin(a, b)] += weight;
        self.total += weight;
    }

    /// The share of a step, never quite 0.
    fn share(&self, bin: usize) -> f32 {
        (self.weights[bin] + 0.5) / (self.total + 0.5 * BINS as f32)
    }
}

impl DistanceLaw {
    /// What is supposed before anything was heard: links of some kilometres are common, of more than fifty rare.
    pub(super) fn supposed(all: &PairDistances) -> Self {
        let mut lift = [0.0; BINS];
        for (bin, lift) in lift.iter_mut().enumerate() {
            let km = FIRST_KM * 2.0_f32.powf(bin as f32 / 2.0);
            *lift = 1.0 / (1.0 + (km / 12.0).powi(3));
        }
        // On average over all pairs it neither raises nor lowers.
        let mean: f32 = (0..BINS).map(|bin| lift[bin] * all.share(bin)).sum();
        Self { lift: lift.map(|value| (value / mean.max(1e-6)).max(MIN_LIFT)) }
    }

    /// From the distances of neighbours, against those of all pairs.
    pub(super) fn fit(neighbours: &PairDistances, all: &PairDistances) -> Self {
        let supposed = Self::supposed(all);
        let mut lift = [0.0; BINS];
        for (bin, lift) in lift.iter_mut().enumerate() {
            let share = all.share(bin);
            let expected = PRIOR_PAIRS * share * supposed.lift[bin];
            let found = (neighbours.weights[bin] + expected) / (neighbours.total + PRIOR_PAIRS);
            *lift = (found / share).max(MIN_LIFT);
        }
        // Near is never worse than far; a step without pairs takes after the one beyond it.
        for bin in (0..BINS - 1).rev() {
            lift[bin] = lift[bin].max(lift[bin + 1]);
        }
        Self { lift }
    }

    pub(super) fn lift(&self, a: Place, b: Place) -> f32 {
        self.lift[bin(a, b)]
    }
}

/// Nothing is impossible: places can be wrong, and radio waves surprise.
const MIN_LIFT: f32 = 1e-3;

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lat: f64, lon: f64) -> Place {
        Place::new(Location { lat_e6: (lat * 1e6) as i32, lon_e6: (lon * 1e6) as i32 })
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        // San Francisco to Oakland, to New York, and to its antipode.
        let here = place(37.7749, -122.4194);
        for (there, km) in [
            (place(37.8044, -122.2712), 13.4),
            (place(40.7128, -74.006), 4129.0),
            (place(-37.7749, 57.5806), 20_015.0),
        ] {
            assert!((here.km_to(there) / km - 1.0).abs() < 0.01, "{} km", here.km_to(there));
        }
        assert_eq!(here.km_to(here), 0.0);
    }

    #[test]
    fn steps_are_of_the_square_root_of_two() {
        let (origin, km) = (place(0.0, 0.0), |km: f64| place(0.0, km / 111.195));
        assert_eq!(bin(origin, origin), 0);
        assert_eq!(bin(origin, km(1.05)), 6, "1 km is 2^6 squared eighths");
        assert_eq!(bin(origin, km(1.5)), 7);
        assert_eq!(bin(origin, place(0.0, 180.0)), BINS - 1);
    }

    #[test]
    fn the_law_follows_what_is_heard() {
        let (mut all, mut neighbours) = (PairDistances::default(), PairDistances::default());
        let origin = place(0.0, 0.0);
        for step in 1..200 {
            let there = place(0.0, f64::from(step) / 111.195);
            all.add(origin, there, 1.0);
            if step < 40 {
                neighbours.add(origin, there, 10.0);
            }
        }
        let law = DistanceLaw::fit(&neighbours, &all);
        let lift = |km: f64| law.lift(origin, place(0.0, km / 111.195));
        assert!(lift(20.0) > 3.0 && lift(100.0) < 0.3, "{} {}", lift(20.0), lift(100.0));
        assert!(lift(1.0) >= lift(20.0));
    }
}
