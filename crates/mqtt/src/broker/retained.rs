//! The last retained message of each topic, within bounds.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::message::Qos;
use crate::topic::filter_matches;

/// A retained message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retained {
    pub(crate) topic: Arc<str>,
    /// A copy, because it may live for years and must not hold on to a read buffer.
    pub(crate) payload: Bytes,
    pub(crate) properties: Bytes,
    pub(crate) qos: Qos,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct RetainedStore {
    messages: HashMap<Arc<str>, Retained>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

/// There is no room for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreFull;

impl RetainedStore {
    pub(crate) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self { messages: HashMap::new(), bytes: 0, max_messages, max_bytes }
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Replaces the message of a topic; an empty payload deletes it. If the new one does not fit, the old one is gone all the same:
    /// it is no longer the last.
    pub(crate) fn set(
        &mut self,
        topic: &Arc<str>,
        payload: &[u8],
        properties: &[u8],
        qos: Qos,
    ) -> Result<(), StoreFull> {
        if let Some(old) = self.messages.remove(topic) {
            self.bytes -= old.size();
        }
        if payload.is_empty() {
            return Ok(());
        }
        let retained = Retained {
            topic: Arc::clone(topic),
            payload: Bytes::copy_from_slice(payload),
            properties: Bytes::copy_from_slice(properties),
            qos,
        };
        if self.messages.len() >= self.max_messages || self.bytes + retained.size() > self.max_bytes {
            return Err(StoreFull);
        }
        self.bytes += retained.size();
        self.messages.insert(Arc::clone(topic), retained);
        Ok(())
    }

    /// Those a new subscription to `filter` receives.
    pub(crate) fn matching(&self, filter: &str) -> Vec<Retained> {
        if !filter.contains(['+', '#']) {
            return self.messages.get(filter).cloned().into_iter().collect();
        }
        self.messages.values().filter(|retained| filter_matches(filter, &retained.topic)).cloned().collect()
    }
}

impl Retained {
    fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + self.properties.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(store: &mut RetainedStore, topic: &str, payload: &[u8]) -> Result<(), StoreFull> {
        store.set(&topic.into(), payload, b"", Qos::AtMostOnce)
    }

    #[test]
    fn an_empty_payload_deletes_and_bounds_hold() {
        let mut store = RetainedStore::new(2, 20);
        set(&mut store, "a", b"1").unwrap();
        set(&mut store, "b", b"2").unwrap();
        assert_eq!(set(&mut store, "c", b"3"), Err(StoreFull));
        set(&mut store, "a", b"").unwrap();
        assert_eq!((store.len(), store.bytes()), (1, 2));
        assert_eq!(set(&mut store, "c", &[0; 18]), Err(StoreFull));
        set(&mut store, "c", &[0; 17]).unwrap();
        assert_eq!(store.bytes(), 20);
        assert_eq!(set(&mut store, "c", &[0; 18]), Err(StoreFull));
        assert_eq!((store.len(), store.bytes()), (1, 2));
    }

    #[test]
    fn a_filter_finds_its_retained_messages() {
        let mut store = RetainedStore::new(10, 1000);
        for topic in ["a/x", "a/y", "b/x", "$SYS/x"] {
            set(&mut store, topic, b"1").unwrap();
        }
        let found = |filter: &str| {
            let mut topics: Vec<_> =
                store.matching(filter).into_iter().map(|r| r.topic.to_string()).collect();
            topics.sort_unstable();
            topics
        };
        assert_eq!(found("a/+"), ["a/x", "a/y"]);
        assert_eq!(found("+/x"), ["a/x", "b/x"]);
        assert_eq!(found("b/x"), ["b/x"]);
        assert_eq!(found("#"), ["a/x", "a/y", "b/x"]);
    }
}
