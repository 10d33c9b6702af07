//! Who asks: the address of the other end, or the one that a trusted proxy names.

use crate::config::RateLimit;
use axum::http::{Extensions, HeaderMap};
use std::net::IpAddr;

/// The other end of the connection; an extension of each request that came through a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// More addresses than a chain of proxies can have; those in front are the client's own invention anyway.
const MOST_HOPS: usize = 16;

/// The address that counts. Each trusted proxy appends the address that it saw, so from the end of `X-Forwarded-For` the
/// first that is no trusted proxy's is the client. `None` without a socket.
pub(crate) fn client_address(
    extensions: &Extensions,
    headers: &HeaderMap,
    rate: &RateLimit,
) -> Option<IpAddr> {
    let Peer(peer) = *extensions.get::<Peer>()?;
    let mut client = peer.to_canonical();
    if rate.trust_forwarded_for.is_empty() {
        return Some(client);
    }
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let hops = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.rsplit(','));
    for hop in hops.take(MOST_HOPS) {
        if !rate.trusts(client) {
            break;
        }
        // What is no address is no proxy's doing.
        let Some(address) = address(hop.trim()) else { break };
        client = address;
    }
    Some(client)
}

/// Some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    bare.or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let trust = trusted.iter().map(|network| network.parse().expect("a network")).collect();
        let rate = RateLimit { trust_forwarded_for: trust, ..RateLimit::default() };
        let mut extensions = Extensions::new();
        extensions.insert(Peer(peer.parse().expect("an address")));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().expect("a header"));
        }
        client_address(&extensions, &headers, &rate).expect("there is a peer").to_string()
    }

    #[test]
    fn only_what_trusted_proxies_say_is_believed() {
        let proxies = &["127.0.0.1", "10.0.0.0/8"];
        assert_eq!(client(&[], "127.0.0.1", &["192.0.2.9"]), "127.0.0.1");
        assert_eq!(client(proxies, "198.51.100.7", &["192.0.2.9"]), "198.51.100.7");
        assert_eq!(client(proxies, "127.0.0.1", &["192.0.2.9"]), "192.0.2.9");
        assert_eq!(client(proxies, "::ffff:127.0.0.1", &["192.0.2.9:4711"]), "192.0.2.9");
        assert_eq!(client(proxies, "127.0.0.1", &["1.1.1.1, 192.0.2.9, 10.1.2.3"]), "192.0.2.9");
        assert_eq!(client(proxies, "127.0.0.1", &["1.1.1.1", "192.0.2.9, 10.1.2.3"]), "192.0.2.9");
        assert_eq!(client(proxies, "127.0.0.1", &["192.0.2.9, unknown, 10.1.2.3"]), "10.1.2.3");
        assert_eq!(client(proxies, "127.0.0.1", &[]), "127.0.0.1");
    }
}
