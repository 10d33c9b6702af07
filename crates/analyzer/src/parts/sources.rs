//! Where packets come from: the embedded broker, and the brokers of the configuration.

use super::identity::InstanceId;
use super::plan::{DataFolder, Plan};
use crate::cli::BrokerListen;
use crate::config::{Loaded, OutsideBroker};
use anyhow::Result;
use ingest::{IngestConfig, SourcePolicy};
use model::SourceId;
use mqtt::{Broker, BrokerConfig, MessageSender, MqttError, Secret, SessionKind, Source, SourceConfig, User};
use std::time::Duration;

/// Name and number of the embedded broker among the sources.
pub(crate) const EMBEDDED: (&str, SourceId) = ("embedded", SourceId(0));

/// The number of the first outside broker; they count up from here.
const FIRST_OUTSIDE: u16 = 1;

/// Starts the embedded broker, if the plan wants one.
///
/// # Errors
/// When its address cannot be used.
pub(crate) async fn embedded_broker(
    plan: &Plan,
    loaded: &Loaded,
    sender: MessageSender,
) -> Result<Option<Broker>> {
    let BrokerListen::At(listen) = plan.mqtt else {
        return Ok(None);
    };
    let users = loaded.file.listen.mqtt_users.iter();
    let users =
        users.map(|user| User { name: user.username.clone(), password: user.password.clone() }).collect();
    let config = BrokerConfig { listen, source: EMBEDDED.1.0, users, ..BrokerConfig::default() };
    Ok(Some(Broker::bind(config, sender).await?))
}

/// A broker of the configuration that cannot be used, and why.
#[derive(Clone, Debug)]
pub(crate) struct Unusable {
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// Starts a client for each outside broker; must be called within the runtime that they shall run on. One that cannot be
/// used, or is down, stops nothing: it is said in a warning and in the page's list of sources.
///
/// The data folder must be there, because our name for the brokers lies in it.
pub(crate) fn outside_brokers(
    plan: &Plan,
    loaded: &Loaded,
    sender: &MessageSender,
) -> (Vec<Source>, Vec<Unusable>) {
    let brokers = lasting(plan, loaded.file.outside_brokers());
    let mut sources = Vec::with_capacity(brokers.len());
    let mut unusable = Vec::new();
    for (number, broker) in (FIRST_OUTSIDE..).zip(&brokers) {
        match source_config(number, broker) {
            Ok(config) => sources.push(Source::spawn(config, sender.clone())),
            // The warnings about the configuration have said so.
            Err(error) => {
                unusable.push(Unusable { name: broker.name.clone(), reason: error.to_string() });
            }
        }
    }
    (sources, unusable)
}

/// What ingest lets through from whom.
pub(crate) fn ingest_config(loaded: &Loaded) -> IngestConfig {
    let file = &loaded.file;
    let embedded = SourcePolicy {
        source: EMBEDDED.1,
        name: EMBEDDED.0.to_owned(),
        region: None,
        iata_filter: Vec::new(),
    };
    let brokers = file.outside_brokers();
    let outside = (FIRST_OUTSIDE..).zip(&brokers).map(|(number, broker)| SourcePolicy {
        source: SourceId(number),
        name: broker.name.clone(),
        region: broker.region.clone(),
        iata_filter: broker.iata_filter.clone(),
    });
    let defaults = IngestConfig::default();
    IngestConfig {
        sources: std::iter::once(embedded).chain(outside).collect(),
        observer_blacklist: file.observer_blacklist.clone(),
        observer_iata_whitelist: file.observer_iata_whitelist.clone(),
        validate_signatures: file.validate_signatures.unwrap_or(defaults.validate_signatures),
        metrics_interval_secs: file.metrics.sample_interval_sec.unwrap_or(defaults.metrics_interval_secs),
        client_rx_coverage: loaded.api.client_rx_coverage.enabled,
        ..defaults
    }
}

/// The brokers with our client ids, which their sessions are kept under; without one, a session cannot last.
fn lasting(plan: &Plan, mut brokers: Vec<OutsideBroker>) -> Vec<OutsideBroker> {
    let ids = match &plan.data {
        DataFolder::Kept(folder) if !brokers.is_empty() => match InstanceId::of(folder) {
            Ok(id) => id.client_ids(&brokers),
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "the id of this installation cannot be kept, \
                    so brokers keep nothing for the time when the program is not running");
                Vec::new()
            }
        },
        // What is gone with the folder will never come back for its messages.
        DataFolder::Kept(_) | DataFolder::Temporary(_) => Vec::new(),
    };
    let mut ids = ids.into_iter();
    for broker in &mut brokers {
        match ids.next() {
            Some(id) => broker.client_id = Some(id),
            None if broker.client_id.is_none() => broker.session = SessionKind::Clean,
            None => {}
        }
    }
    brokers
}

fn source_config(number: u16, broker: &OutsideBroker) -> Result<SourceConfig, MqttError> {
    Ok(SourceConfig {
        source: number,
        username: broker.username.clone(),
        password: broker.password.clone().map(Secret::from),
        topics: broker.topics.clone(),
        connect_timeout: Duration::from_secs(broker.connect_timeout_secs),
        client_id: broker.client_id.clone().unwrap_or_default(),
        qos: broker.qos,
        session: broker.session,
        protocol: broker.protocol,
        ..SourceConfig::new(broker.name.clone(), &broker.url)?
    })
}
