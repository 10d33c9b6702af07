//! Topic names and filters: which are valid, and which matches which (MQTT 3.1.1 and 5.0, section 4.7).

use std::sync::Arc;

/// Whether `topic` can be published to: not empty, at most 65,535 bytes, no `+`, `#` or NUL.
pub fn topic_is_valid(topic: &str) -> bool {
    let length = topic.len();
    length > 0 && length <= usize::from(u16::MAX) && !topic.bytes().any(|b| matches!(b, b'+' | b'#' | 0))
}

/// Whether `filter` can be subscribed to: not empty, at most 65,535 bytes, no NUL, `+` and `#` only as whole levels, `#` only as
/// the last one.
pub fn filter_is_valid(filter: &str) -> bool {
    if filter.is_empty() || filter.len() > usize::from(u16::MAX) || filter.contains('\0') {
        return false;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let last = levels.peek().is_none();
        let valid = match level {
            "+" => true,
            "#" => last,
            _ => !level.contains(['+', '#']),
        };
        if !valid {
            return false;
        }
    }
    true
}

/// Whether a subscription to `filter` receives what is published to `topic`. Both must be valid.
///
/// A wildcard at the first level does not match a topic that begins with `$`.
///
/// ```
/// assert!(mqtt::filter_matches("meshcore/+/#", "meshcore/AMS/A1/packets"));
/// assert!(mqtt::filter_matches("meshcore/#", "meshcore"));
/// assert!(!mqtt::filter_matches("#", "$SYS/uptime"));
/// ```
pub fn filter_matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut names = topic.split('/');
    for level in filter.split('/') {
        match (level, names.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (level, Some(name)) if level == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

/// The topics one connection has used lately, so that the same text is checked and allocated once, not once a message.
#[derive(Debug, Default)]
pub(crate) struct TopicCache {
    slots: [Option<Arc<str>>; TOPIC_CACHE_SLOTS],
}

/// An observer publishes to two or three topics; a bridge for a whole region to some dozens.
const TOPIC_CACHE_SLOTS: usize = 32;
/// Longer topics are not kept: 32 slots of 256 bytes are 8 KiB a connection at most.
const LONGEST_CACHED_TOPIC: usize = 256;

impl TopicCache {
    /// The topic as text, or `None` if it is not UTF-8 or not valid.
    pub(crate) fn get(&mut self, bytes: &[u8]) -> Option<Arc<str>> {
        let slot = &mut self.slots[slot_of(bytes)];
        if let Some(cached) = slot.as_ref().filter(|cached| cached.as_bytes() == bytes) {
            return Some(Arc::clone(cached));
        }
        let topic = std::str::from_utf8(bytes).ok().filter(|topic| topic_is_valid(topic))?;
        let topic: Arc<str> = topic.into();
        if topic.len() <= LONGEST_CACHED_TOPIC {
            *slot = Some(Arc::clone(&topic));
        }
        Some(topic)
    }
}

/// A cheap hash; a collision only costs a miss.
fn slot_of(bytes: &[u8]) -> usize {
    let mut hash = bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^= hash >> 29;
    }
    (hash >> 32) as usize % TOPIC_CACHE_SLOTS
}

#[cfg(test)]
pub(crate) mod tests;
