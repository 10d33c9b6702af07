//! What a topic says: whose message it is, from where, and of which kind.

use crate::outcome::Outcome;

/// Longest observer key taken, in bytes: the 64 hex digits of a public key.
pub(crate) const MAX_KEY_BYTES: usize = 64;

/// A topic, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Topic<'t> {
    pub(crate) kind: TopicKind,
    /// The second level, where that is a region and not a word of the scheme.
    pub(crate) region: Option<&'t str>,
    /// The third level, where it can be a key.
    pub(crate) key: Option<&'t str>,
}

/// Of which kind the messages of a topic are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TopicKind {
    /// `meshcore/{IATA}/{KEY}/packets`, or the older `meshcore/packets`.
    Packets,
    /// `meshcore/{IATA}/{KEY}/status`, or the older `meshcore/status`.
    Status,
    /// `meshcore/message/channel/{n}` and `meshcore/message/direct/{id}`.
    Companion,
    /// `meshcore/client/{KEY}/packets`: what a mobile client hears, with the place.
    Client,
    /// A topic of the scheme that carries nothing for us.
    Ignored,
    /// None of ours; but an object with a `raw` text is a packet whatever its topic.
    Unknown,
}

impl<'t> Topic<'t> {
    /// Reads a topic.
    ///
    /// # Errors
    /// `TopicHasWildcard`, `TopicNotText`, or `BadObserverKey` when a topic of packets or status names an impossible
    /// key.
    pub(crate) fn parse(topic: &'t str) -> Result<Self, Outcome> {
        if topic.bytes().any(|b| matches!(b, b'+' | b'#')) {
            return Err(Outcome::TopicHasWildcard);
        }
        // Control characters beyond ASCII exist, but every topic of a real observer is ASCII.
        let ascii_control = topic.bytes().any(|b| b.is_ascii_control());
        if ascii_control || (!topic.is_ascii() && topic.chars().any(char::is_control)) {
            return Err(Outcome::TopicNotText);
        }
        let mut levels = [""; 5];
        let mut count = 0;
        for level in topic.split('/') {
            if count < levels.len() {
                levels[count] = level;
            }
            count += 1;
        }
        Self::of_levels(&levels, count)
    }

    fn of_levels(levels: &[&'t str; 5], count: usize) -> Result<Self, Outcome> {
        let plain = |kind| Ok(Topic { kind, region: None, key: None });
        let flat = |kind, region| Ok(Topic { kind, region: Some(region), key: None });
        match (levels, count) {
            (["meshcore", "packets", ..], 2) => plain(TopicKind::Packets),
            (["meshcore", "status", ..], 2) => plain(TopicKind::Status),
            (["meshcore", "client", key, "packets", ..], 4) => {
                Ok(Topic { kind: TopicKind::Client, region: None, key: is_client_key(key).then_some(*key) })
            }
            (["meshcore", "client" | "events", ..], 3..) => plain(TopicKind::Ignored),
            (["meshcore", "message", "channel" | "direct", ..], 4..) => plain(TopicKind::Companion),
            (["meshcore", region, "packets", ..], 3) => flat(TopicKind::Packets, region),
            (["meshcore", region, "status", ..], 3) => flat(TopicKind::Status, region),
            (["meshcore", region, key, last, fifth], 4..) => {
                let kind = match (*last, count) {
                    ("packets", 4) => TopicKind::Packets,
                    ("status", 4) => TopicKind::Status,
                    ("raw" | "debug" | "internal" | "neighbors", 4) | ("serial", _) => TopicKind::Ignored,
                    // A slash in the key shows as one level too many.
                    _ if count > 4 && matches!(*fifth, "packets" | "status") => {
                        return Err(Outcome::BadObserverKey);
                    }
                    _ => TopicKind::Unknown,
                };
                let needed = matches!(kind, TopicKind::Packets | TopicKind::Status);
                let key = is_key(key).then_some(*key);
                if needed && key.is_none() {
                    return Err(Outcome::BadObserverKey);
                }
                Ok(Topic { kind, region: Some(region), key })
            }
            _ => Ok(Topic {
                kind: TopicKind::Unknown,
                region: None,
                key: is_public_key(levels[2]).then_some(levels[2]),
            }),
        }
    }
}

/// Whether a topic level can be an observer's key: normally 64 hex digits, but templates are user settings, and some
/// publish under a short plain id.
pub(crate) fn is_key(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    !text.is_empty() && text.len() <= MAX_KEY_BYTES && text.bytes().all(plain)
}

/// Whether a text can be a mobile client's key: 2 to 64 hex digits.
pub(crate) fn is_client_key(text: &str) -> bool {
    (2..=MAX_KEY_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text is the 64 hex digits of a public key.
pub(crate) fn is_public_key(text: &str) -> bool {
    text.len() == MAX_KEY_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "4f3cA1b2C3d4E5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6dA1";

    fn kind(topic: &str) -> TopicKind {
        Topic::parse(topic).unwrap().kind
    }

    #[test]
    fn packets_and_status_have_a_region_and_a_key() {
        let topic = format!("meshcore/AMS/{KEY}/packets");
        let wanted = Topic { kind: TopicKind::Packets, region: Some("AMS"), key: Some(KEY) };
        assert_eq!(Topic::parse(&topic), Ok(wanted));
        assert_eq!(kind(&format!("meshcore/AMS/{KEY}/status")), TopicKind::Status);
        assert_eq!(Topic::parse("meshcore/test/OBS-1/packets").unwrap().key, Some("OBS-1"));
    }

    #[test]
    fn flat_topics_have_no_key() {
        let wanted = Topic { kind: TopicKind::Packets, region: None, key: None };
        assert_eq!(Topic::parse("meshcore/packets"), Ok(wanted));
        assert_eq!(Topic::parse("meshcore/AMS/packets"), Ok(Topic { region: Some("AMS"), ..wanted }));
        assert_eq!(kind("meshcore/status"), TopicKind::Status);
    }

    #[test]
    fn topics_without_anything_for_us_are_ignored() {
        for last in ["raw", "debug", "internal", "neighbors", "serial/commands", "serial/responses"] {
            assert_eq!(kind(&format!("meshcore/AMS/{KEY}/{last}")), TopicKind::Ignored, "{last}");
        }
        assert_eq!(kind(&format!("meshcore/client/{KEY}/status")), TopicKind::Ignored);
        for (key, read) in [("aB", Some("aB")), ("a", None), ("xyz", None), (KEY, Some(KEY))] {
            let topic = format!("meshcore/client/{key}/packets");
            let wanted = Topic { kind: TopicKind::Client, region: None, key: read };
            assert_eq!(Topic::parse(&topic), Ok(wanted), "{topic}");
        }
        assert_eq!(kind("meshcore/events/connection"), TopicKind::Ignored);
        assert_eq!(kind("meshcore/message/channel/0"), TopicKind::Companion);
        assert_eq!(kind("meshcore/message/direct/abc"), TopicKind::Companion);
        for other in ["", "/", "meshcore", "meshcore/", "weather/oslo", "meshcore/AMS", "a/b/c/d/e/f/g"] {
            assert_eq!(kind(other), TopicKind::Unknown, "{other:?}");
        }
    }

    #[test]
    fn impossible_keys_and_wildcards_are_refused() {
        for key in ["", "a b", "<script>", "a/b", "ü", &"A".repeat(65)] {
            let topic = format!("meshcore/AMS/{key}/packets");
            assert_eq!(Topic::parse(&topic), Err(Outcome::BadObserverKey), "{topic}");
        }
        assert_eq!(Topic::parse("meshcore/#/x/packets"), Err(Outcome::TopicHasWildcard));
        assert_eq!(Topic::parse("meshcore/AMS/+/packets"), Err(Outcome::TopicHasWildcard));
        assert_eq!(Topic::parse("meshcore/AMS/a\u{0}b/packets"), Err(Outcome::TopicNotText));
    }
}
