//! Requests a second by client: a token bucket for each address that has asked lately.

use crate::config::RateLimit;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Addresses that are told apart; some 50 bytes each.
const MOST_ADDRESSES: usize = 20_000;

/// Looking through all addresses takes about a millisecond, so it is not done for every stranger.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(1);

/// Who has asked how often.
#[derive(Default)]
pub(crate) struct Addresses {
    buckets: Mutex<Buckets>,
    refused: AtomicU64,
}

#[derive(Default)]
struct Buckets {
    by_client: HashMap<ClientKey, Bucket>,
    swept: Option<Instant>,
    /// Shared by all that find no room.
    others: Bucket,
}

/// Those who share an address, or a network of the size that one customer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ClientKey {
    V4([u8; 4]),
    /// The first 64 bits.
    V6([u8; 8]),
}

/// A bucket as the time at which it will be full again: as good as a count of tokens and a time, in one number. One that
/// is full is as good as none.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    full_at: Option<Instant>,
}

impl Addresses {
    /// Takes one token of this client.
    ///
    /// # Errors
    /// The time until there is one again.
    pub(crate) fn take(&self, client: IpAddr, rate: &RateLimit, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock();
        let taken = buckets.of(ClientKey::of(client), now).take(rate, now);
        if taken.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Requests that were refused since the start.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Addresses that are remembered.
    pub(crate) fn known(&self) -> usize {
        self.buckets.lock().by_client.len()
    }
}

impl Buckets {
    fn of(&mut self, key: ClientKey, now: Instant) -> &mut Bucket {
        let is_known = self.by_client.contains_key(&key);
        if !is_known && self.by_client.len() >= MOST_ADDRESSES {
            self.sweep(now);
            if self.by_client.len() >= MOST_ADDRESSES {
                return &mut self.others;
            }
        }
        self.by_client.entry(key).or_default()
    }

    /// Forgets those who have all their tokens.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= BETWEEN_SWEEPS) {
            self.swept = Some(now);
            self.by_client.retain(|_, bucket| bucket.full_at.is_some_and(|full_at| full_at > now));
        }
    }
}

impl ClientKey {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

impl Bucket {
    fn take(&mut self, rate: &RateLimit, now: Instant) -> Result<(), Duration> {
        let token = Duration::from_secs(1) / rate.per_second.get();
        let capacity = token * rate.burst.get();
        let full_at = self.full_at.map_or(now, |full_at| full_at.max(now)) + token;
        match full_at.saturating_duration_since(now).checked_sub(capacity) {
            None | Some(Duration::ZERO) => {
                self.full_at = Some(full_at);
                Ok(())
            }
            Some(missing) => Err(missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn rate(per_second: u32, burst: u32) -> RateLimit {
        let number = |number| NonZeroU32::new(number).expect("not zero");
        RateLimit { per_second: number(per_second), burst: number(burst), ..RateLimit::default() }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_burst_is_let_through_and_then_so_many_a_second() {
        let (addresses, now, rate) = (Addresses::default(), Instant::now(), rate(10, 5));
        let client = address("192.0.2.1");
        let let_through = (0..20).filter(|_| addresses.take(client, &rate, now).is_ok()).count();
        assert_eq!((let_through, addresses.refused()), (5, 15));
        assert_eq!(addresses.take(client, &rate, now), Err(Duration::from_millis(100)));
        assert_eq!(addresses.take(address("192.0.2.2"), &rate, now), Ok(()));
        let later = now + Duration::from_millis(300);
        assert_eq!((0..20).filter(|_| addresses.take(client, &rate, later).is_ok()).count(), 3);
        let much_later = now + Duration::from_secs(3_600);
        assert_eq!((0..20).filter(|_| addresses.take(client, &rate, much_later).is_ok()).count(), 5);
    }

    #[test]
    fn a_network_of_64_bits_is_one_client_and_an_address_has_one_form() {
        let (addresses, now, rate) = (Addresses::default(), Instant::now(), rate(1, 1));
        for (same, as_this) in [("2001:db8::1", "2001:db8::ffff:1"), ("192.0.2.1", "::ffff:192.0.2.1")] {
            assert!(addresses.take(address(same), &rate, now).is_ok());
            assert!(addresses.take(address(as_this), &rate, now).is_err(), "{as_this}");
        }
        assert!(addresses.take(address("2001:db8:0:1::1"), &rate, now).is_ok());
        assert_eq!(addresses.known(), 3);
    }

    #[test]
    fn strangers_beyond_the_bound_share_a_bucket_and_the_idle_are_forgotten() {
        let (addresses, now, rate) = (Addresses::default(), Instant::now(), rate(1, 2));
        let stranger = |number: u32| IpAddr::from(number.to_be_bytes());
        for number in 0..MOST_ADDRESSES as u32 {
            assert!(addresses.take(stranger(number), &rate, now).is_ok());
        }
        let more = MOST_ADDRESSES as u32..MOST_ADDRESSES as u32 + 10;
        assert_eq!(more.filter(|number| addresses.take(stranger(*number), &rate, now).is_ok()).count(), 2);
        assert_eq!(addresses.known(), MOST_ADDRESSES);
        let later = now + Duration::from_secs(2);
        assert!(addresses.take(stranger(u32::MAX), &rate, later).is_ok());
        assert_eq!(addresses.known(), 1);
    }
}
