//! Units that would be mistaken for one another as bare integers.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// The wall clock, which may jump; a clock before 1970 reads as 0.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    /// Whole seconds since 1970, rounded towards the past.
    #[inline]
    pub fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time moved by `ms` milliseconds; stops at the ends of the range.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Signal-to-noise ratio in quarters of a decibel, as the radio reports it: −32 dB to +31.75 dB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SnrQuarterDb(pub i8);

impl SnrQuarterDb {
    /// Rounds to the nearest quarter; values outside the range, and NaN, are refused.
    pub fn from_db(db: f64) -> Option<Self> {
        let quarters = (db * 4.0).round();
        (quarters >= f64::from(i8::MIN) && quarters <= f64::from(i8::MAX)).then_some(Self(quarters as i8))
    }

    /// The ratio in decibels.
    pub fn db(self) -> f64 {
        f64::from(self.0) / 4.0
    }
}
