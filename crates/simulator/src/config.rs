//! How large a mesh, where, and how busy.

use model::UnixMillis;

/// Settings of [`crate::Mesh`]. The same settings give the same messages on every machine.
#[derive(Clone, Debug, PartialEq)]
pub struct SimConfig {
    /// Everything random follows from this number.
    pub seed: u64,
    /// How many nodes there are, observers included; at least 10 are made.
    pub nodes: usize,
    /// How many of the nodes are observers; at least 1, at most all.
    pub observers: usize,
    /// When the first packet is sent.
    pub start: UnixMillis,
    /// How many packets are sent in an hour, on average.
    pub packets_per_hour: f64,
    /// How many copies of a packet observers pass on, on average over the packets of which they pass on any: at least 1,
    /// and more than the mesh has to offer cannot be had.
    pub observations_per_packet: f64,
    /// How often each observer publishes a status, in seconds.
    pub status_interval_secs: u32,
    /// Where the nodes are.
    pub areas: Vec<Area>,
    /// For how many of the latest packets [`crate::Mesh::truth`] knows the true ways.
    pub keep_truth: usize,
}

/// A town with nodes around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// Its region code, as in topics.
    pub code: &'static str,
    /// Latitude of its centre in degrees.
    pub lat: f64,
    /// Longitude of its centre in degrees.
    pub lon: f64,
    /// Most nodes are within this distance, in kilometres.
    pub radius_km: f64,
    /// Its share of the nodes, relative to the other areas.
    pub weight: f64,
}

impl Default for SimConfig {
    /// 300 nodes and 40 observers around the San Francisco Bay, from 2026-01-01T00:00:00Z.
    fn default() -> Self {
        let area = |code, lat, lon, radius_km, weight| Area { code, lat, lon, radius_km, weight };
        Self {
            seed: 1,
            nodes: 300,
            observers: 40,
            start: UnixMillis(1_767_225_600_000),
            packets_per_hour: 720.0,
            observations_per_packet: 10.0,
            status_interval_secs: 300,
            areas: vec![
                area("SFO", 37.70, -122.43, 14.0, 3.0),
                area("OAK", 37.80, -122.20, 14.0, 3.0),
                area("SJC", 37.33, -121.89, 18.0, 3.0),
                area("MRY", 36.62, -121.85, 16.0, 1.0),
            ],
            keep_truth: 0,
        }
    }
}
