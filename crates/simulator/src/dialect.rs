//! How observers write down what they heard, each in the manner of one program.

use std::fmt::{self, Write};

use meshcore::{Frame, Hex, PayloadType};
use model::UnixMillis;

use crate::clock::Civil;
use crate::world::Signal;

/// Nodes that publish themselves write local time: here, that of California in winter.
const LOCAL_ZONE_MS: i64 = -8 * 3_600_000;

/// Which program an observer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A PC reads the log of its node: whole decibels, a score, everything a text.
    MeshcoreToMqtt,
    /// A PC talks to its companion: quarters of decibels.
    PacketCapture,
    /// The node itself: local time without a zone, beside a UTC pair.
    Native,
}

/// An observer's name and key, ready to be written.
pub(crate) struct Author {
    pub(crate) dialect: Dialect,
    /// As a JSON text, with quotes.
    pub(crate) name_json: String,
    /// 64 hex digits in capitals.
    pub(crate) key: String,
    pub(crate) model: &'static str,
    pub(crate) firmware: &'static str,
    /// Whether its node also repeats.
    pub(crate) repeats: bool,
}

/// What a node counts of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    pub(crate) battery_mv: u32,
    pub(crate) uptime_secs: i64,
    pub(crate) noise_floor_dbm: i32,
    pub(crate) tx_air_secs: u64,
    pub(crate) rx_air_secs: u64,
    pub(crate) recv_errors: u64,
    pub(crate) packets_sent: u64,
    pub(crate) packets_recv: u64,
}

impl Author {
    /// The payload of a packet message.
    pub(crate) fn packet(&self, heard: UnixMillis, raw: &[u8], frame: &Frame<'_>, signal: Signal) -> String {
        let mut out = String::with_capacity(640 + 2 * raw.len());
        // Writing to a String cannot fail.
        let _ = self.write_packet(&mut out, heard, raw, frame, signal);
        out
    }

    fn write_packet(
        &self,
        out: &mut String,
        heard: UnixMillis,
        raw: &[u8],
        frame: &Frame<'_>,
        signal: Signal,
    ) -> fmt::Result {
        let utc = Civil::of(heard);
        self.write_head(out, heard)?;
        out.push_str(r#","type":"PACKET","direction":"rx""#);
        let Civil { day, month, year, .. } = utc;
        match self.dialect {
            Dialect::MeshcoreToMqtt => {
                write!(out, r#","time":"{}","date":"{day}/{month}/{year}""#, utc.clock())?;
            }
            _ => write!(out, r#","time":"{}","date":"{day:02}/{month:02}/{year}""#, utc.clock())?,
        }
        let payload_type = frame.payload_type();
        let route = if frame.route().is_flood() { "F" } else { "D" };
        let payload_len = frame.payload_bytes().len();
        write!(out, r#","len":"{}","packet_type":"{}""#, raw.len(), payload_type.code())?;
        write!(out, r#","route":"{route}","payload_len":"{payload_len}","raw":"{:X}""#, Hex(raw))?;
        self.write_signal(out, signal, raw.len())?;
        write!(out, r#","hash":"{:X}""#, Hex(&frame.content_hash().0))?;
        if route == "D" {
            self.write_path(out, frame)?;
        }
        out.push('}');
        Ok(())
    }

    /// Name, key and time.
    fn write_head(&self, out: &mut String, time: UnixMillis) -> fmt::Result {
        write!(out, r#"{{"origin":{},"origin_id":"{}","timestamp":""#, self.name_json, self.key)?;
        match self.dialect {
            Dialect::Native => {
                let seconds = time.plus_ms(-time.0.rem_euclid(1000));
                write!(out, r#"{}""#, Civil::of(seconds.plus_ms(LOCAL_ZONE_MS)).iso())
            }
            _ => write!(out, r#"{}+00:00""#, Civil::of(time).iso()),
        }
    }

    fn write_signal(&self, out: &mut String, signal: Signal, raw_len: usize) -> fmt::Result {
        let (snr, rssi) = (f64::from(signal.snr_quarter_db) / 4.0, signal.rssi_dbm);
        match self.dialect {
            Dialect::MeshcoreToMqtt => {
                let duration = crate::air::airtime_ms(raw_len);
                let score = ((snr + 10.0) / 20.0 * 1000.0).clamp(0.0, 1000.0) as u32;
                write!(out, r#","SNR":"{}","RSSI":"{rssi}""#, snr.trunc() as i32)?;
                write!(out, r#","score":"{score}","duration":"{duration}""#)
            }
            Dialect::PacketCapture => write!(out, r#","SNR":"{snr}","RSSI":"{rssi}""#),
            Dialect::Native => write!(out, r#","SNR":"{snr:.1}","RSSI":"{rssi}""#),
        }
    }

    fn write_path(&self, out: &mut String, frame: &Frame<'_>) -> fmt::Result {
        let path = frame.path();
        match (self.dialect, frame.payload_type(), frame.payload_bytes()) {
            (
                Dialect::MeshcoreToMqtt,
                PayloadType::Request | PayloadType::Response | PayloadType::Text | PayloadType::PathReturn,
                [to, from, ..],
            ) => write!(out, r#","path":"{from:02X} -> {to:02X}""#),
            (Dialect::PacketCapture, ..) if !path.is_empty() => {
                out.push_str(r#","path":""#);
                for (i, hop) in path.hops().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(out, "{comma}{hop}")?;
                }
                out.push('"');
                Ok(())
            }
            (Dialect::Native, ..) if !path.is_empty() => {
                let (count, size) = (path.count(), path.hash_size());
                write!(out, r#","path":"path_{count}x{size}_{}b""#, path.bytes().len())
            }
            _ => Ok(()),
        }
    }

    /// The payload of a status message that says "online".
    pub(crate) fn status(&self, time: UnixMillis, counters: &Counters) -> String {
        let mut out = String::with_capacity(640);
        // Writing to a String cannot fail.
        let _ = self.write_status(&mut out, time, counters);
        out
    }

    fn write_status(&self, out: &mut String, time: UnixMillis, counters: &Counters) -> fmt::Result {
        let client = match self.dialect {
            Dialect::MeshcoreToMqtt => "meshcoretomqtt/1.1.0",
            Dialect::PacketCapture => "meshcore-packet-capture/1.4.0",
            Dialect::Native => "meshcore-mqtt-bridge/1.0",
        };
        self.write_head(out, time)?;
        let (model, firmware) = (self.model, self.firmware);
        write!(out, r#","status":"online","radio":"910.525,62.5,7,5","model":"{model}""#)?;
        write!(out, r#","firmware_version":"{firmware}","client_version":"{client}""#)?;
        if self.dialect == Dialect::Native {
            write!(out, r#","repeat":"{}""#, if self.repeats { "on" } else { "off" })?;
        }
        let (sent, received) = match self.dialect {
            Dialect::PacketCapture => ("sent", "recv"),
            _ => ("packets_sent", "packets_received"),
        };
        let c = counters;
        write!(out, r#","stats":{{"battery_mv":{},"uptime_secs":{}"#, c.battery_mv, c.uptime_secs)?;
        write!(out, r#","errors":0,"queue_len":0,"noise_floor":{}"#, c.noise_floor_dbm)?;
        write!(out, r#","tx_air_secs":{},"rx_air_secs":{}"#, c.tx_air_secs, c.rx_air_secs)?;
        write!(out, r#","recv_errors":{},"{sent}":{}"#, c.recv_errors, c.packets_sent)?;
        write!(out, r#","{received}":{}}}}}"#, c.packets_recv)
    }
}
