//! What ingest lets through, and its bounds.

use std::collections::{HashMap, HashSet};

use model::SourceId;

use crate::outcome::Outcome;
use crate::text;
use crate::topic::{Topic, TopicKind};

/// Settings of [`crate::Ingest`].
#[derive(Clone, Debug)]
pub struct IngestConfig {
    /// Where messages may come from. Messages of a source that is not listed are taken without region and filter.
    pub sources: Vec<SourcePolicy>,
    /// Observer keys whose messages are dropped; case does not matter.
    pub observer_blacklist: Vec<String>,
    /// When not empty, only observers publishing under one of these regions are heard; case does not matter.
    pub observer_iata_whitelist: Vec<String>,
    /// Whether adverts must carry their key's signature.
    pub validate_signatures: bool,
    /// To which multiple of seconds the times of metric samples are rounded.
    pub metrics_interval_secs: u32,
    /// How many observers there may be; further ones are refused and counted, so that hostile topics cannot fill
    /// memory.
    pub max_observers: usize,
    /// Whether receptions of mobile clients are taken.
    pub client_rx_coverage: bool,
    /// How many mobile clients there may be.
    pub max_clients: usize,
    /// Largest payload that is looked into, in bytes.
    pub max_payload_bytes: usize,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            observer_blacklist: Vec::new(),
            observer_iata_whitelist: Vec::new(),
            validate_signatures: true,
            metrics_interval_secs: 300,
            // The largest public broker has some hundreds; ids are 16 bits wide.
            max_observers: 10_000,
            client_rx_coverage: false,
            // A large mesh may have some hundreds; ids are 16 bits wide.
            max_clients: 10_000,
            // A packet with a nested `decoded` object stays below 8 KiB.
            max_payload_bytes: 64 * 1024,
        }
    }
}

/// How the messages of one source are treated.
#[derive(Clone, Debug)]
pub struct SourcePolicy {
    /// Its number, as in the messages.
    pub source: SourceId,
    /// Its name in reports.
    pub name: String,
    /// The region of observers that give none themselves.
    pub region: Option<String>,
    /// When not empty, only packets from topics of these regions are taken. Status messages are not subject to it.
    pub iata_filter: Vec<String>,
}

/// The filters of a configuration, made ready for use.
pub(crate) struct Filters {
    blacklist: HashSet<String>,
    whitelist: HashSet<Box<str>>,
    sources: HashMap<SourceId, SourceFilter>,
}

#[derive(Default)]
struct SourceFilter {
    region: Option<Box<str>>,
    iata_filter: HashSet<Box<str>>,
}

impl Filters {
    pub(crate) fn new(config: &IngestConfig) -> Self {
        let regions = |codes: &[String]| codes.iter().filter_map(|code| text::region(code)).collect();
        let source = |policy: &SourcePolicy| {
            let filter = SourceFilter {
                region: policy.region.as_deref().and_then(text::region),
                iata_filter: regions(&policy.iata_filter),
            };
            (policy.source, filter)
        };
        Self {
            blacklist: config.observer_blacklist.iter().map(|key| key.trim().to_ascii_uppercase()).collect(),
            whitelist: regions(&config.observer_iata_whitelist),
            sources: config.sources.iter().map(source).collect(),
        }
    }

    /// The region of a message: what its payload says, else its topic, else its source.
    pub(crate) fn region(&self, said: Option<&str>, topic: &Topic<'_>, source: SourceId) -> Option<Box<str>> {
        let by_source = || self.sources.get(&source).and_then(|filter| filter.region.clone());
        said.and_then(text::region).or_else(|| topic.region.and_then(text::region)).or_else(by_source)
    }

    /// The filter that stops a message, if one does. Filters by region look at the topic's; `region` stands in for
    /// topics without one. `key` is in capitals.
    pub(crate) fn stops(
        &self,
        key: &str,
        topic: &Topic<'_>,
        region: Option<&str>,
        source: SourceId,
    ) -> Option<Outcome> {
        if self.blacklist.contains(key) {
            return Some(Outcome::FilteredByBlacklist);
        }
        if topic.kind == TopicKind::Client {
            // A client moves about, and is in no region.
            return None;
        }
        let iata_filter = self.sources.get(&source).map(|filter| &filter.iata_filter);
        let iata_filter = iata_filter.filter(|codes| !codes.is_empty() && topic.kind != TopicKind::Status);
        if self.whitelist.is_empty() && iata_filter.is_none() {
            return None;
        }
        let of_topic = topic.region.and_then(text::region);
        let code = if topic.region.is_some() { of_topic.as_deref() } else { region };
        let among = |codes: &HashSet<Box<str>>| code.is_some_and(|code| codes.contains(code));
        if !self.whitelist.is_empty() && !among(&self.whitelist) {
            return Some(Outcome::FilteredByWhitelist);
        }
        iata_filter.is_some_and(|codes| !among(codes)).then_some(Outcome::FilteredByIata)
    }
}
