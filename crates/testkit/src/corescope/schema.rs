//! Tables as CoreScope has and had them (contract §4.2 and §4.3), in our own words.

use super::Age;

const OLDEST: &str = "
CREATE TABLE nodes (public_key TEXT PRIMARY KEY, name TEXT, role TEXT, lat REAL, lon REAL, last_seen TEXT,
    first_seen TEXT, advert_count INTEGER DEFAULT 0);
CREATE TABLE observers (id TEXT PRIMARY KEY, name TEXT, iata TEXT, last_seen TEXT, first_seen TEXT,
    packet_count INTEGER DEFAULT 0);
CREATE TABLE transmissions (id INTEGER PRIMARY KEY AUTOINCREMENT, raw_hex TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
    first_seen TEXT NOT NULL, route_type INTEGER, payload_type INTEGER, payload_version INTEGER, decoded_json TEXT);
CREATE TABLE observations (id INTEGER PRIMARY KEY AUTOINCREMENT, transmission_id INTEGER NOT NULL, observer_id TEXT,
    observer_name TEXT, direction TEXT, snr REAL, rssi REAL, score INTEGER, path_json TEXT, timestamp TEXT NOT NULL);
";

const MIDDLE: &str = "
CREATE TABLE nodes (public_key TEXT PRIMARY KEY, name TEXT, role TEXT, lat REAL, lon REAL, last_seen TEXT,
    first_seen TEXT, advert_count INTEGER DEFAULT 0, battery_mv INTEGER, temperature_c REAL);
CREATE TABLE observers (id TEXT PRIMARY KEY, name TEXT, iata TEXT, last_seen TEXT, first_seen TEXT,
    packet_count INTEGER DEFAULT 0, model TEXT, firmware TEXT, client_version TEXT, radio TEXT, battery_mv INTEGER,
    uptime_secs INTEGER, noise_floor REAL, inactive INTEGER DEFAULT 0);
CREATE TABLE transmissions (id INTEGER PRIMARY KEY AUTOINCREMENT, raw_hex TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
    first_seen TEXT NOT NULL, route_type INTEGER, payload_type INTEGER, payload_version INTEGER, decoded_json TEXT,
    created_at TEXT, channel_hash TEXT);
CREATE TABLE observations (id INTEGER PRIMARY KEY AUTOINCREMENT,
    transmission_id INTEGER NOT NULL REFERENCES transmissions(id), observer_idx INTEGER, direction TEXT, snr REAL,
    rssi REAL, score INTEGER, path_json TEXT, timestamp INTEGER NOT NULL);
CREATE TABLE observer_metrics (observer_id TEXT NOT NULL, timestamp TEXT NOT NULL, noise_floor REAL,
    tx_air_secs INTEGER, rx_air_secs INTEGER, recv_errors INTEGER, battery_mv INTEGER,
    PRIMARY KEY (observer_id, timestamp));
CREATE INDEX idx_observations_transmission_id ON observations(transmission_id);
";

const TODAY: &str = "
CREATE TABLE nodes (public_key TEXT PRIMARY KEY, name TEXT, role TEXT, lat REAL, lon REAL, last_seen TEXT,
    first_seen TEXT, advert_count INTEGER DEFAULT 0, battery_mv INTEGER, temperature_c REAL,
    foreign_advert INTEGER DEFAULT 0, default_scope TEXT, multibyte_sup INTEGER NOT NULL DEFAULT 0,
    multibyte_evidence TEXT);
CREATE TABLE inactive_nodes (public_key TEXT PRIMARY KEY, name TEXT, role TEXT, lat REAL, lon REAL, last_seen TEXT,
    first_seen TEXT, advert_count INTEGER DEFAULT 0, battery_mv INTEGER, temperature_c REAL,
    foreign_advert INTEGER DEFAULT 0, default_scope TEXT, multibyte_sup INTEGER NOT NULL DEFAULT 0,
    multibyte_evidence TEXT);
CREATE TABLE observers (id TEXT PRIMARY KEY, name TEXT, iata TEXT, last_seen TEXT, first_seen TEXT,
    packet_count INTEGER DEFAULT 0, model TEXT, firmware TEXT, client_version TEXT, radio TEXT, battery_mv INTEGER,
    uptime_secs INTEGER, noise_floor REAL, inactive INTEGER DEFAULT 0, last_packet_at TEXT, clock_skew_seconds INTEGER,
    clock_skew_count_24h INTEGER DEFAULT 0, clock_last_naive_at TEXT, can_relay INTEGER DEFAULT 1,
    can_relay_seen INTEGER DEFAULT 0);
CREATE TABLE transmissions (id INTEGER PRIMARY KEY AUTOINCREMENT, raw_hex TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
    first_seen TEXT NOT NULL, route_type INTEGER, payload_type INTEGER, payload_version INTEGER, decoded_json TEXT,
    from_pubkey TEXT, last_seen INTEGER NOT NULL DEFAULT 0, created_at TEXT, channel_hash TEXT, scope_name TEXT);
CREATE TABLE observations (id INTEGER PRIMARY KEY AUTOINCREMENT,
    transmission_id INTEGER NOT NULL REFERENCES transmissions(id), observer_idx INTEGER, direction TEXT, snr REAL,
    rssi REAL, score INTEGER, path_json TEXT, timestamp INTEGER NOT NULL, resolved_path TEXT, raw_hex TEXT);
CREATE TABLE observer_metrics (observer_id TEXT NOT NULL, timestamp TEXT NOT NULL, noise_floor REAL,
    tx_air_secs INTEGER, rx_air_secs INTEGER, recv_errors INTEGER, battery_mv INTEGER, packets_sent INTEGER,
    packets_recv INTEGER, PRIMARY KEY (observer_id, timestamp));
CREATE TABLE dropped_packets (id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT, raw_hex TEXT, reason TEXT,
    observer_id TEXT, observer_name TEXT, node_pubkey TEXT, node_name TEXT, dropped_at TEXT);
CREATE TABLE client_receptions (id INTEGER PRIMARY KEY AUTOINCREMENT, rx_pubkey TEXT, heard_key TEXT, heard_keylen INTEGER,
    rssi INTEGER, snr REAL, lat REAL, lon REAL, pos_acc_m REAL, rx_at TEXT, ingested_at TEXT, src TEXT,
    UNIQUE (rx_pubkey, heard_key, rx_at));
CREATE TABLE client_observers (pubkey TEXT PRIMARY KEY, name TEXT, last_seen TEXT);
CREATE TABLE _migrations (name TEXT PRIMARY KEY);
CREATE INDEX idx_observations_transmission_id ON observations(transmission_id);
CREATE INDEX idx_observations_observer_idx ON observations(observer_idx);
CREATE INDEX idx_observations_timestamp ON observations(timestamp);
CREATE INDEX idx_transmissions_first_seen ON transmissions(first_seen);
CREATE UNIQUE INDEX idx_observations_dedup ON observations(transmission_id, observer_idx, COALESCE(path_json, ''));
";

impl Age {
    pub(super) fn tables(self) -> &'static str {
        match self {
            Age::Oldest => OLDEST,
            Age::Middle => MIDDLE,
            Age::Today => TODAY,
        }
    }
}
