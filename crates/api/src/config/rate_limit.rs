//! How often a client may ask.

use serde::{Deserialize, Deserializer};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;

/// How often a client may ask. Clients are told apart by their addresses, of IPv6 by the first 64 bits; those on this
/// machine are never refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RateLimit {
    /// Whether there is a limit.
    pub enabled: bool,
    /// Requests a second that a client may send for as long as it likes.
    pub per_second: NonZeroU32,
    /// Requests that it may send at once after a pause.
    pub burst: NonZeroU32,
    /// Proxies whose `X-Forwarded-For` is believed: addresses, or networks such as `10.0.0.0/8`. Without them the address
    /// of the proxy counts, for all who come through it.
    #[serde(deserialize_with = "networks")]
    pub trust_forwarded_for: Vec<Network>,
}

/// The page makes about twenty requests when it is opened, and several people may share an address.
const DEFAULT_PER_SECOND: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// Ten seconds of it, for scripts that walk through pages.
const DEFAULT_BURST: NonZeroU32 = NonZeroU32::new(1_000).expect("not zero");

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            enabled: true,
            per_second: DEFAULT_PER_SECOND,
            burst: DEFAULT_BURST,
            trust_forwarded_for: Vec::new(),
        }
    }
}

impl RateLimit {
    /// Whether the address is a trusted proxy's.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trust_forwarded_for.iter().any(|network| network.contains(address))
    }
}

/// An address, or a network with the number of bits that its addresses share.
///
/// ```
/// let network: api::Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse().unwrap()) && !network.contains("11.0.0.1".parse().unwrap()));
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = u32::from(network) ^ u32::from(address);
                differing.leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = u128::from(network) ^ u128::from(address);
                differing.leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not an address or a network such as 10.0.0.0/8";
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| WRONG)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| WRONG)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(WRONG) } else { Ok(Self { address, bits }) }
    }
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Network>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parsed = texts.iter().map(|text| {
        text.trim().parse().map_err(|error| serde::de::Error::custom(format_args!("`{text}` is {error}")))
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_or_refused() {
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().expect("a network").contains(address.parse().expect("an address"))
        };
        assert!(contains("127.0.0.1", "::ffff:127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("0.0.0.0/0", "203.0.113.1") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1") && !contains("2001:db8::/32", "2001:db9::1"));
        for wrong in ["", "a", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1", "10.0.0"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn zero_requests_are_no_limit_but_a_mistake() {
        assert!(serde_json::from_str::<RateLimit>(r#"{"perSecond": 0}"#).is_err());
        assert!(serde_json::from_str::<RateLimit>(r#"{"trustForwardedFor": ["proxy"]}"#).is_err());
        let set: RateLimit = serde_json::from_str(r#"{"perSecond": 5, "trustForwardedFor": ["10.0.0.0/8"]}"#)
            .expect("it is well-formed");
        assert!(
            set.enabled && set.per_second.get() == 5 && set.trusts("10.9.9.9".parse().expect("an address"))
        );
    }
}
