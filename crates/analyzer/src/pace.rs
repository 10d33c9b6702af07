//! How fast messages are published.

use anyhow::{Result, bail};
use model::UnixMillis;
use std::time::Duration;
use tokio::time::Instant;

/// When the next message is due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As fast as the broker takes them.
    Free,
    /// Evenly spaced.
    Even { every: Duration, next: Option<Instant> },
    /// As recorded, this many times faster.
    Recorded { speed: f64, origin: Option<(Instant, UnixMillis)> },
}

impl Pace {
    /// From messages a second, or from a multiple of the recorded pace.
    ///
    /// # Errors
    /// When either is not a positive number.
    pub(crate) fn new(rate: Option<f64>, speed: Option<f64>) -> Result<Self> {
        let positive = |number: f64| number.is_finite() && number > 0.0;
        match (rate, speed) {
            (Some(rate), _) if !positive(rate) => bail!("--rate {rate}: want a number above 0"),
            (_, Some(speed)) if !positive(speed) => bail!("--speed {speed}: want a number above 0"),
            (Some(rate), _) => Ok(Self::Even { every: Duration::from_secs_f64(1.0 / rate), next: None }),
            (_, Some(speed)) => Ok(Self::Recorded { speed, origin: None }),
            (None, None) => Ok(Self::Free),
        }
    }

    /// Waits until the message of this recorded time is due. Being late is made up for, not added to.
    pub(crate) async fn wait(&mut self, recorded: UnixMillis) {
        match self {
            Self::Free => {}
            Self::Even { every, next } => {
                let due = next.unwrap_or_else(Instant::now);
                *next = Some(due + *every);
                tokio::time::sleep_until(due).await;
            }
            Self::Recorded { speed, origin } => {
                let (start, first) = *origin.get_or_insert((Instant::now(), recorded));
                let recorded_ms = recorded.0.saturating_sub(first.0).max(0);
                tokio::time::sleep_until(start + Duration::from_secs_f64(recorded_ms as f64 / 1e3 / *speed))
                    .await;
            }
        }
    }
}
