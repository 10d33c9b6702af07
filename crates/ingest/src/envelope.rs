//! The JSON object around a packet or a status, read tolerantly: any field may be a text, a number, null or nonsense.
//!
//! Keys may come twice (the last wins); unknown ones are skipped. Nothing is copied that needs no unescaping.

mod scalar;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::outcome::Outcome;

pub use scalar::Scalar;
pub(crate) use scalar::Skipped;

/// The fields of an observer's message that we read, of packets and of status alike.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    pub(crate) origin: Scalar<'a>,
    pub(crate) origin_id: Scalar<'a>,
    pub(crate) region: Scalar<'a>,
    pub(crate) timestamp: Scalar<'a>,
    pub(crate) time: Scalar<'a>,
    pub(crate) date: Scalar<'a>,
    pub(crate) direction: Scalar<'a>,
    pub(crate) raw: Scalar<'a>,
    pub(crate) len: Scalar<'a>,
    pub(crate) packet_type: Scalar<'a>,
    pub(crate) route: Scalar<'a>,
    pub(crate) hash: Scalar<'a>,
    pub(crate) snr: Scalar<'a>,
    pub(crate) rssi: Scalar<'a>,
    pub(crate) score: Scalar<'a>,
    pub(crate) status: Scalar<'a>,
    pub(crate) model: Scalar<'a>,
    pub(crate) firmware: Scalar<'a>,
    pub(crate) client_version: Scalar<'a>,
    pub(crate) radio: Scalar<'a>,
    pub(crate) repeat: Scalar<'a>,
    pub(crate) stats: Stats<'a>,
    pub(crate) gps: Gps<'a>,
}

/// What a node counts of itself: inside `stats`, or beside the other fields.
#[derive(Debug, Default)]
pub(crate) struct Stats<'a> {
    pub(crate) battery_mv: Scalar<'a>,
    pub(crate) uptime_secs: Scalar<'a>,
    pub(crate) noise_floor: Scalar<'a>,
    pub(crate) tx_air_secs: Scalar<'a>,
    pub(crate) rx_air_secs: Scalar<'a>,
    pub(crate) recv_errors: Scalar<'a>,
    pub(crate) packets_sent: Scalar<'a>,
    pub(crate) packets_recv: Scalar<'a>,
}

/// Where a mobile client is.
#[derive(Debug, Default)]
pub(crate) struct Gps<'a> {
    pub(crate) lat: Scalar<'a>,
    pub(crate) lon: Scalar<'a>,
    pub(crate) accuracy_m: Scalar<'a>,
}

/// An object of which some fields are read.
trait Fields<'a> {
    /// The field with this key, if it is one of them.
    fn field(&mut self, key: &str) -> Option<&mut Scalar<'a>>;
}

impl<'a> Envelope<'a> {
    /// Reads the payload of a message.
    ///
    /// # Errors
    /// `TooLarge`, `NotUtf8`, `NotJson`, `NotAnObject` or `JsonTooDeep`, with a detail for the log.
    pub(crate) fn parse(payload: &'a [u8], max_bytes: usize) -> Result<Self, (Outcome, String)> {
        if payload.len() > max_bytes {
            return Err((
                Outcome::TooLarge,
                format!("{} bytes, at most {max_bytes} are read", payload.len()),
            ));
        }
        let text = std::str::from_utf8(payload)
            .map_err(|e| (Outcome::NotUtf8, format!("no UTF-8 after byte {}", e.valid_up_to())))?;
        // The parser would report any other JSON value as a type error, which is no syntax error to the reader.
        let first = text.trim_ascii_start().as_bytes().first();
        serde_json::from_str(text).map_err(|e| {
            let detail = e.to_string();
            let outcome = match first {
                _ if detail.starts_with("recursion limit exceeded") => Outcome::JsonTooDeep,
                Some(b'{') => Outcome::NotJson,
                _ if e.is_data() => Outcome::NotAnObject,
                _ => Outcome::NotJson,
            };
            (outcome, detail)
        })
    }

    fn field(&mut self, key: &str) -> Option<&mut Scalar<'a>> {
        Some(match key {
            "origin" => &mut self.origin,
            "origin_id" => &mut self.origin_id,
            "region" => &mut self.region,
            "timestamp" => &mut self.timestamp,
            "time" => &mut self.time,
            "date" => &mut self.date,
            "direction" | "Direction" => &mut self.direction,
            "raw" => &mut self.raw,
            "len" => &mut self.len,
            "packet_type" => &mut self.packet_type,
            "route" => &mut self.route,
            "hash" => &mut self.hash,
            "SNR" | "snr" => &mut self.snr,
            "RSSI" | "rssi" => &mut self.rssi,
            "score" | "Score" => &mut self.score,
            "status" => &mut self.status,
            "model" => &mut self.model,
            "firmware_version" | "firmware" => &mut self.firmware,
            "client_version" | "clientVersion" => &mut self.client_version,
            "radio" => &mut self.radio,
            "repeat" => &mut self.repeat,
            _ => return self.stats.field(key),
        })
    }
}

impl<'a> Fields<'a> for Stats<'a> {
    fn field(&mut self, key: &str) -> Option<&mut Scalar<'a>> {
        Some(match key {
            "battery_mv" => &mut self.battery_mv,
            "uptime_secs" => &mut self.uptime_secs,
            "noise_floor" => &mut self.noise_floor,
            "tx_air_secs" => &mut self.tx_air_secs,
            "rx_air_secs" => &mut self.rx_air_secs,
            "recv_errors" => &mut self.recv_errors,
            "packets_sent" | "sent" => &mut self.packets_sent,
            "packets_received" | "packets_recv" | "recv" => &mut self.packets_recv,
            _ => return None,
        })
    }
}

impl<'a> Fields<'a> for Gps<'a> {
    fn field(&mut self, key: &str) -> Option<&mut Scalar<'a>> {
        Some(match key {
            "lat" => &mut self.lat,
            "lon" => &mut self.lon,
            "acc_m" => &mut self.accuracy_m,
            _ => return None,
        })
    }
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(Key(key)) = map.next_key()? {
            if key == "stats" {
                map.next_value_seed(ObjectSeed(&mut envelope.stats))?;
            } else if key == "gps" {
                map.next_value_seed(ObjectSeed(&mut envelope.gps))?;
            } else if let Some(field) = envelope.field(&key) {
                field.keep_last(map.next_value()?);
            } else {
                map.next_value::<Skipped>()?;
            }
        }
        Ok(envelope)
    }
}

/// Reads an object into place; anything but an object there is passed over.
struct ObjectSeed<'s, T>(&'s mut T);

impl<'de, T: Fields<'de>> serde::de::DeserializeSeed<'de> for ObjectSeed<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Fields<'de>> Visitor<'de> for ObjectSeed<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match self.0.field(&key) {
                Some(field) => field.keep_last(map.next_value()?),
                None => {
                    map.next_value::<Skipped>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<Skipped>()?.is_some() {}
        Ok(())
    }

    scalar::ignore_plain_values!();
}

/// An object key, borrowed unless it has escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests;
