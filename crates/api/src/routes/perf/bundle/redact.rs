//! Names that mean the same thing within one bundle and nothing outside of it.
//!
//! A plain hash of a node's key could be looked up, since the keys of a mesh are known to everybody on it. So the hash has
//! a key of its own for each bundle, which nobody keeps.

use crate::routes::health::SlowQuery;
use crate::services::{IngestReport, MqttSourceRow};
use std::hash::{BuildHasher as _, RandomState};
use xray::AlertsReport;

/// Segments of a path that are words of the API, as in `/api/nodes/…`; what is behind them may be a key or a name.
const PLAIN_SEGMENTS: usize = 2;

/// What replaces names in one bundle.
pub(super) struct Redaction {
    key: RandomState,
}

impl Redaction {
    pub(super) fn new() -> Self {
        Self { key: RandomState::new() }
    }

    /// Observers, topics and sources get other names, and what was said of single messages is left out.
    pub(super) fn ingest(&self, report: &mut IngestReport) {
        for source in &mut report.sources {
            source.name = self.name("source", &source.name);
        }
        for observer in &mut report.observers {
            // These two stand for no observer.
            if !["", "others"].contains(&observer.observer_id.as_str()) {
                observer.observer_id = self.name("observer", &observer.observer_id);
            }
            observer.observer_name = None;
        }
        for rejection in &mut report.recent_rejections {
            rejection.source = self.name("source", &rejection.source);
            rejection.topic = self.name("topic", &rejection.topic);
            "left out".clone_into(&mut rejection.detail);
        }
    }

    /// Sources get the same other names, and their addresses end with the host.
    pub(super) fn brokers(&self, rows: &mut [MqttSourceRow]) {
        for row in rows {
            row.name = self.name("source", &row.name);
            row.broker = cut_address(&row.broker);
            row.last_error = row.last_error.as_deref().map(cut_addresses);
        }
    }

    /// Errors of webhooks, which may repeat an address.
    pub(super) fn alerts(&self, report: &mut AlertsReport) {
        for hook in &mut report.webhooks {
            hook.address = cut_address(&hook.address);
            hook.last_error = hook.last_error.as_deref().map(cut_addresses);
        }
        let deliveries = report.events.iter_mut().flat_map(|event| &mut event.deliveries);
        for delivery in deliveries {
            delivery.error = delivery.error.as_deref().map(cut_addresses);
        }
    }

    /// Paths keep what is a word of the API.
    pub(super) fn slow_queries(&self, queries: &mut [SlowQuery]) {
        for query in queries {
            let segments = query.path.split('/').skip(1).enumerate();
            let cut = segments.map(|(place, segment)| match place {
                place if place < PLAIN_SEGMENTS => format!("/{segment}"),
                _ => format!("/{}", self.name("part", segment)),
            });
            query.path = cut.collect();
        }
    }

    /// The same for the same text of a kind.
    fn name(&self, kind: &str, text: &str) -> String {
        // 32 bits: a bundle has at most some thousand names.
        format!("{kind}-{:08x}", self.key.hash_one((kind, text)) as u32)
    }
}

/// An address without login, port and path: `mqtt://ana:****@broker.example:1883` is `mqtt://broker.example`.
fn cut_address(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let host = match place.strip_prefix('[') {
        Some(v6) => v6.split_once(']').map_or(place, |(host, _)| host),
        None => place.split(':').next().unwrap_or_default(),
    };
    format!("{scheme}{host}")
}

/// The same for each address in a text.
fn cut_addresses(text: &str) -> String {
    let words = text.split(' ');
    let cut = words.map(|word| if word.contains("://") { cut_address(word) } else { word.to_owned() });
    cut.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_within_a_bundle_and_another_in_the_next() {
        let (one, other) = (Redaction::new(), Redaction::new());
        assert_eq!(one.name("observer", "1F44"), one.name("observer", "1F44"));
        assert_ne!(one.name("observer", "1F44"), one.name("observer", "1F45"));
        assert_ne!(one.name("observer", "1F44"), other.name("observer", "1F44"));
    }

    #[test]
    fn addresses_end_with_the_host() {
        for (address, cut) in [
            ("mqtt://ana:****@broker.example:1883", "mqtt://broker.example"),
            ("mqtt://[fe80::1]:1883", "mqtt://fe80::1"),
            ("broker.example:1883", "broker.example"),
            ("https://ana@ntfy.example/topic?auth=x@y", "https://ntfy.example"),
            ("", ""),
        ] {
            assert_eq!(cut_address(address), cut);
        }
        let text = "cannot reach mqtt://ana:****@broker.example:1883: refused";
        assert_eq!(cut_addresses(text), "cannot reach mqtt://broker.example refused");
    }

    #[test]
    fn paths_keep_their_route_only() {
        let slow =
            |path: &str| SlowQuery { path: path.to_owned(), ms: 101.0, time: String::new(), status: 200 };
        let mut queries = [slow("/api/packets"), slow("/api/nodes/1F44/Ana's roof"), slow("")];
        let redaction = Redaction::new();
        redaction.slow_queries(&mut queries);
        assert_eq!(queries[0].path, "/api/packets");
        assert!(queries[1].path.starts_with("/api/nodes/part-"), "{}", queries[1].path);
        assert!(!queries[1].path.contains("1F44") && !queries[1].path.contains("Ana"));
    }
}
