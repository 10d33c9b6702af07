//! Can the brokers of the configuration be reached, and do they let us in?

use super::Patient;
use super::finding::Finding;
use crate::config::OutsideBroker;
use mqtt::{BrokerUrl, Credentials, MqttError, Publisher};
use std::time::Duration;

const CHECK: &str = "broker";

/// A broker that takes longer is as good as down, for a person who waits.
const PATIENCE: Duration = Duration::from_secs(6);

/// Asks all at the same time: address, TCP, and the answer to our login. Nothing is published.
pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let brokers = patient.loaded.file.outside_brokers();
    if brokers.is_empty() {
        return Vec::new();
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return vec![Finding::warning(CHECK, format!("cannot be tried: {error}"))],
    };
    let findings = runtime.block_on(async {
        let tries: Vec<_> = brokers.into_iter().map(|broker| tokio::spawn(try_one(broker))).collect();
        let mut findings = Vec::with_capacity(tries.len());
        for one in tries {
            findings.extend(one.await.ok());
        }
        findings
    });
    // A name that no server resolves would otherwise keep us here.
    runtime.shutdown_background();
    findings
}

async fn try_one(broker: OutsideBroker) -> Finding {
    let name = broker.name.clone();
    match login(broker).await {
        Ok(url) => Finding::ok(CHECK, format!("{name}: {url} lets us in")),
        Err(error) => {
            let (meaning, action) = advice(&error);
            Finding::error(CHECK, format!("{name}: {error}")).meaning(meaning).action(action)
        }
    }
}

async fn login(broker: OutsideBroker) -> Result<BrokerUrl, MqttError> {
    let mut url = BrokerUrl::parse(&broker.url)?;
    if let Some(username) = broker.username {
        url = url.with_credentials(Credentials { username, password: broker.password.unwrap_or_default() });
    }
    match tokio::time::timeout(PATIENCE, Publisher::connect(&url, None)).await {
        Ok(connected) => connected.map(|_publisher| url),
        Err(_elapsed) => Err(MqttError::Timeout { broker: url.to_string(), waited: PATIENCE }),
    }
}

/// What it means and what to do. The error itself names the broker, its password masked.
fn advice(error: &MqttError) -> (&'static str, &'static str) {
    match error {
        MqttError::BadUrl { .. } | MqttError::TransportNotSupported { .. } | MqttError::Setting { .. } => {
            ("this source is left out; no packets come from it", "correct its entry in `mqttSources`")
        }
        MqttError::Refused { .. } => (
            "the broker is there and does not want us; no packets come from it",
            "check username and password of its entry in `mqttSources`",
        ),
        MqttError::Protocol { .. } => (
            "something else than an MQTT broker answers there, or it wants TLS",
            "check the port: 1883 is usual for plain MQTT",
        ),
        _ => (
            "no packets come from it until it can be reached; the program tries again by itself",
            "check host and port of its entry in `mqttSources`, and whether a firewall is between",
        ),
    }
}
