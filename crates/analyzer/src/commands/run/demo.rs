//! `--demo`: the recorded packets, then a simulated mesh that goes on for ever, published to the embedded broker like
//! those of any observer.

use crate::commands::replay::publish_all;
use crate::config::Loaded;
use crate::pace::Pace;
use anyhow::Result;
use model::UnixMillis;
use mqtt::{BrokerUrl, Credentials, Qos};
use simulator::{Mesh, SimConfig};
use std::net::SocketAddr;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// A few packets a second: busy enough to watch, slow enough to read.
const PACKETS_PER_HOUR: f64 = 1_800.0;

/// Channels that anyone can join, as far as the recorded and the simulated packets use them.
pub(super) const CHANNELS: &[&str] = &["#aa", "#bay", "#bot", "#test", "#wardriving"];

/// Starts publishing in the background.
///
/// # Errors
/// When the broker's own address cannot be named as a URL, which would be a fault of this program.
pub(super) fn start(runtime: &Runtime, broker: SocketAddr, loaded: &Loaded) -> Result<JoinHandle<()>> {
    let mut url = BrokerUrl::parse(&format!("mqtt://{broker}"))?;
    if let Some(user) = loaded.file.listen.mqtt_users.first() {
        url = url.with_credentials(Credentials {
            username: user.username.clone(),
            password: user.password.clone(),
        });
    }
    Ok(runtime.spawn(async move {
        if let Err(error) = publish(&url).await {
            tracing::error!(error = format!("{error:#}"), "the demo has stopped");
        }
    }))
}

async fn publish(url: &BrokerUrl) -> Result<()> {
    let mut recorded = simulator::capture();
    simulator::shift_to(&mut recorded, UnixMillis::now());
    publish_all(url, Qos::AtLeastOnce, Pace::Free, recorded.into_iter().map(Ok)).await?;
    let mesh = Mesh::new(SimConfig {
        start: UnixMillis::now(),
        packets_per_hour: PACKETS_PER_HOUR,
        ..SimConfig::default()
    });
    let pace = Pace::new(None, Some(1.0))?;
    publish_all(url, Qos::AtLeastOnce, pace, mesh.map(Ok)).await?;
    Ok(())
}
