//! Databases as CoreScope leaves them, made from the messages of observers or row by row.

mod schema;

use meshcore::{Advert, Frame, Hex, PacketHash, Payload};
use model::UnixMillis;
use rusqlite::{Connection, params};
use serde_json::Value;
use simulator::SimMessage;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Which release made the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// The first that told packets from their observations: observers by name, all times texts.
    Oldest,
    /// Observers by number, times of observations as seconds; of copies only the path is kept.
    Middle,
    /// The frame of each copy, and many columns more.
    Today,
}

/// A database under construction.
pub struct CoreScopeDb {
    conn: Connection,
    age: Age,
    transmissions: HashMap<PacketHash, i64>,
    observers: HashMap<String, i64>,
    heard: HashSet<(i64, i64, String)>,
}

/// A copy of a packet as CoreScope takes it in.
#[derive(Clone, Debug)]
pub struct Copy<'a> {
    /// When it arrives.
    pub time: UnixMillis,
    /// Key of the observer.
    pub observer: &'a str,
    /// The frame.
    pub raw: &'a [u8],
    /// In dB.
    pub snr: Option<f64>,
    /// In dBm.
    pub rssi: Option<f64>,
    /// Of the firmware.
    pub score: Option<f64>,
}

impl CoreScopeDb {
    /// An empty database of this age, in one transaction until [`CoreScopeDb::finish`].
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn create(path: &Path, age: Age) -> Self {
        let conn = Connection::open(path).expect("a database can be made");
        conn.pragma_update(None, "journal_mode", "WAL").expect("a log");
        conn.pragma_update(None, "synchronous", "OFF").expect("a setting");
        // So that tests can break what no sound database breaks.
        conn.pragma_update(None, "foreign_keys", "OFF").expect("a setting");
        conn.execute_batch(age.tables()).expect("tables can be made");
        conn.execute_batch("BEGIN").expect("a transaction");
        conn.set_prepared_statement_cache_capacity(32);
        let (transmissions, observers, heard) = Default::default();
        Self { conn, age, transmissions, observers, heard }
    }

    /// The open connection, for rows of a test's own.
    pub fn conn(&self) -> &Connection {
        &self.conn
    }

    /// Runs statements of a test's own.
    ///
    /// # Panics
    /// When one fails.
    pub fn execute(&self, sql: &str) {
        self.conn.execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// Commits and closes, so that only the one file is left.
    ///
    /// # Panics
    /// When that fails.
    pub fn finish(self) {
        self.conn.execute_batch("COMMIT").expect("the rows can be committed");
        self.conn.close().expect("the database can be closed");
    }

    /// Takes in messages of observers as CoreScope does; returns how many observations that made.
    pub fn fill(&mut self, messages: impl IntoIterator<Item = SimMessage>) -> u64 {
        let before = self.heard.len();
        for message in messages {
            let levels: Vec<&str> = message.topic.split('/').collect();
            let ([_, iata, key, kind], Ok(payload)) =
                (levels.as_slice(), serde_json::from_str::<Value>(&message.payload))
            else {
                continue;
            };
            self.observer(key, iata, payload["origin"].as_str().unwrap_or_default(), message.time);
            match *kind {
                "status" => self.status(key, &payload, message.time),
                _ => self.packet(key, &payload, message.time),
            }
        }
        (self.heard.len() - before) as u64
    }

    /// Takes in one copy; `false` when its observer has heard it by the same path before.
    ///
    /// # Panics
    /// When the frame is none or a row is refused.
    pub fn copy(&mut self, copy: &Copy<'_>) -> bool {
        let frame = Frame::parse(copy.raw).expect("a frame");
        let observer = match self.observers.get(copy.observer) {
            Some(row) => *row,
            None => self.observer(copy.observer, "AMS", "", copy.time),
        };
        let transmission = self.transmission(&frame, copy);
        let path = path_json(&frame);
        if !self.heard.insert((transmission, observer, path.clone())) {
            return false;
        }
        self.observation(copy, transmission, observer, &path).expect("an observation is taken");
        true
    }

    fn observation(
        &self,
        copy: &Copy<'_>,
        transmission: i64,
        observer: i64,
        path: &str,
    ) -> rusqlite::Result<usize> {
        let Copy { time, snr, rssi, score, raw, observer: key } = *copy;
        let into = |columns: &str, values: &str| {
            let sql = format!(
                "INSERT INTO observations (transmission_id, snr, rssi, score, path_json, direction, {columns}) \
                 VALUES (?1, ?2, ?3, ?4, ?5, 'rx', {values})"
            );
            self.conn.prepare_cached(&sql)
        };
        match self.age {
            Age::Oldest => into("observer_id, timestamp", "?6, ?7")?.execute(params![
                transmission,
                snr,
                rssi,
                score,
                path,
                key,
                text_time(time)
            ]),
            Age::Middle => into("observer_idx, timestamp", "?6, ?7")?.execute(params![
                transmission,
                snr,
                rssi,
                score,
                path,
                observer,
                time.secs()
            ]),
            Age::Today => {
                let (raw, when) = (format!("{:X}", Hex(raw)), time.secs());
                into("observer_idx, timestamp, raw_hex, resolved_path", "?6, ?7, ?8, '[null]'")?
                    .execute(params![transmission, snr, rssi, score, path, observer, when, raw])
            }
        }
    }

    fn observer(&mut self, key: &str, iata: &str, name: &str, time: UnixMillis) -> i64 {
        let now = rfc_time(time);
        let sql = "INSERT INTO observers (id, name, iata, first_seen, last_seen, packet_count) \
            VALUES (?1, ?2, ?3, ?4, ?4, 1) ON CONFLICT (id) DO UPDATE SET last_seen = ?4, packet_count = packet_count + 1";
        let mut statement = self.conn.prepare_cached(sql).expect("a statement");
        statement.execute(params![key, name, iata, now]).expect("an observer is taken");
        let conn = &self.conn;
        *self.observers.entry(key.to_owned()).or_insert_with(|| conn.last_insert_rowid())
    }

    fn packet(&mut self, key: &str, payload: &Value, time: UnixMillis) {
        let raw = payload["raw"].as_str().and_then(meshcore::decode_hex).unwrap_or_default();
        if Frame::parse(&raw).is_ok() {
            let (snr, rssi) = (number(&payload["SNR"]), number(&payload["RSSI"]));
            self.copy(&Copy { time, observer: key, raw: &raw, snr, rssi, score: number(&payload["score"]) });
        }
    }

    fn transmission(&mut self, frame: &Frame<'_>, copy: &Copy<'_>) -> i64 {
        let hash = frame.content_hash();
        if let Some(row) = self.transmissions.get(&hash) {
            return *row;
        }
        let decoded =
            format!("{{\"type\":\"{}\",\"raw\":\"{:x}\"}}", frame.payload_type(), Hex(frame.payload_bytes()));
        let sql = "INSERT INTO transmissions (raw_hex, hash, first_seen, route_type, payload_type, payload_version, \
            decoded_json) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)";
        let raw = format!("{:X}", Hex(copy.raw));
        let (route, kind) = (frame.route().code(), frame.payload_type().code());
        let mut statement = self.conn.prepare_cached(sql).expect("a statement");
        statement
            .execute(params![raw, hash.to_string(), rfc_time(copy.time), route, kind, decoded])
            .expect("a transmission is taken");
        let row = self.conn.last_insert_rowid();
        self.transmissions.insert(hash, row);
        if let Ok(Payload::Advert(advert)) = frame.payload() {
            self.node(&advert, copy.time);
        }
        row
    }

    fn node(&self, advert: &Advert<'_>, time: UnixMillis) {
        let app = advert.app().and_then(Result::ok);
        let name = app.as_ref().and_then(|app| app.name).map(|name| name.lossy().into_owned());
        let place = app.as_ref().and_then(|app| app.location);
        let sql = "INSERT INTO nodes (public_key, name, role, lat, lon, last_seen, first_seen, advert_count) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1) ON CONFLICT (public_key) DO UPDATE SET name = coalesce(?2, name), \
            role = ?3, lat = coalesce(?4, lat), lon = coalesce(?5, lon), last_seen = ?6, advert_count = advert_count + 1";
        let (key, role) = (advert.key.to_string(), app.map_or("none", |app| app.role.name()));
        let (lat, lon) = (place.map(|at| at.lat()), place.map(|at| at.lon()));
        let mut statement = self.conn.prepare_cached(sql).expect("a statement");
        statement.execute(params![key, name, role, lat, lon, rfc_time(time)]).expect("a node is taken");
    }

    fn status(&self, key: &str, payload: &Value, time: UnixMillis) {
        if self.age == Age::Oldest {
            return;
        }
        let stats = &payload["stats"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let sql = "UPDATE observers SET model = ?2, firmware = ?3, client_version = ?4, radio = ?5, battery_mv = ?6, \
            uptime_secs = ?7, noise_floor = ?8 WHERE id = ?1";
        let floor = number(&stats["noise_floor"]);
        let battery = stats["battery_mv"].as_i64();
        let (model, firmware) = (text(&payload["model"]), text(&payload["firmware_version"]));
        let (client, radio) = (text(&payload["client_version"]), text(&payload["radio"]));
        let mut statement = self.conn.prepare_cached(sql).expect("a statement");
        statement
            .execute(params![
                key,
                model,
                firmware,
                client,
                radio,
                battery,
                stats["uptime_secs"].as_i64(),
                floor
            ])
            .expect("a status is taken");
        let slot = UnixMillis((time.0 + 150_000) / 300_000 * 300_000);
        let sql = "INSERT OR REPLACE INTO observer_metrics (observer_id, timestamp, noise_floor, tx_air_secs, \
            rx_air_secs, recv_errors, battery_mv) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let count = |name: &str| stats[name].as_i64();
        let (tx, rx, errors) = (count("tx_air_secs"), count("rx_air_secs"), count("recv_errors"));
        let mut statement = self.conn.prepare_cached(sql).expect("a statement");
        statement
            .execute(params![key, rfc_time(slot), floor, tx, rx, errors, battery])
            .expect("a sample is taken");
    }
}

/// The hops as CoreScope writes them; of a trace those of its payload.
fn path_json(frame: &Frame<'_>) -> String {
    let hops: Vec<String> = match frame.payload() {
        Ok(Payload::Trace(trace)) => trace.entries().map(|hop| hop.to_string()).collect(),
        _ => frame.path().hops().map(|hop| hop.to_string()).collect(),
    };
    serde_json::to_string(&hops).expect("texts are JSON")
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `2025-06-01T12:00:00Z`
fn rfc_time(time: UnixMillis) -> String {
    format!("{}Z", text_time(time).replacen(' ', "T", 1))
}

/// `2025-06-01 12:00:00`
fn text_time(time: UnixMillis) -> String {
    let (days, second) = (time.secs().div_euclid(86_400), time.secs().rem_euclid(86_400));
    // Days since 1970 as a date, by Howard Hinnant's "civil_from_days".
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
