//! The accounting identity: every message ends in exactly one named outcome, whatever comes in whatever order.

use std::collections::HashMap;

use ingest::{IngestConfig, Outcome, SourcePolicy};
use model::SourceId;
use mqtt::Message;
use proptest::prelude::*;

use crate::support::{
    Fixture, KEY, NOW, OTHER_KEY, ack, advert, flood, message, packets_topic, status_topic,
};

const BLACK_KEY: &str = "BBBBA1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E";

/// Kinds of messages whose outcome does not depend on what came before.
fn fixed(kind: usize, n: u32) -> (String, Vec<u8>, Outcome) {
    let packets = packets_topic("AMS", KEY);
    let raw = |raw: &str| format!("{{\"raw\":\"{raw}\"}}").into_bytes();
    match kind {
        0 => (packets, raw(&ack(n, &[1])), Outcome::StoredTransmission),
        1 => (
            status_topic("AMS", KEY),
            br#"{"status":"online","stats":{"battery_mv":"4011 mV"}}"#.to_vec(),
            Outcome::Status,
        ),
        2 => (packets, b"\xff\xfe{}".to_vec(), Outcome::NotUtf8),
        3 => (packets, b"{\"raw\":\"0D".to_vec(), Outcome::NotJson),
        4 => (packets, b"[[[[]]]]".to_vec(), Outcome::NotAnObject),
        5 => (packets, format!("{{\"x\":{}", "{\"a\":".repeat(5000)).into_bytes(), Outcome::JsonTooDeep),
        6 => (packets, vec![b'{'; 100_000], Outcome::TooLarge),
        7 => (packets, br#"{"type":"PACKET","raw":null}"#.to_vec(), Outcome::MissingRaw),
        8 => (packets, raw("xyz"), Outcome::RawNotHex),
        9 => (packets, raw(&"00".repeat(300)), Outcome::RawTooLong),
        10 => (packets, raw("8D0001020304"), Outcome::FrameVersion),
        11 => (packets, raw("0DC001020304"), Outcome::FramePathMode3),
        12 => (packets, raw("0D3F01"), Outcome::FramePathBeyondFrame),
        13 => (packets_topic("AMS", "a/b"), raw(&ack(n, &[])), Outcome::BadObserverKey),
        14 => (packets_topic("+", KEY), raw(&ack(n, &[])), Outcome::TopicHasWildcard),
        15 => (packets_topic("AMS", BLACK_KEY), raw(&ack(n, &[])), Outcome::FilteredByBlacklist),
        16 => (packets_topic("LAX", KEY), raw(&ack(n, &[])), Outcome::FilteredByWhitelist),
        17 => (packets_topic("SFO", OTHER_KEY), raw(&ack(n, &[])), Outcome::FilteredByIata),
        18 => (
            packets,
            format!("{{\"direction\":\"tx\",\"raw\":\"{}\"}}", ack(n, &[])).into_bytes(),
            Outcome::IgnoredTxRecord,
        ),
        19 => (format!("meshcore/AMS/{KEY}/debug"), b"anything".to_vec(), Outcome::IgnoredTopic),
        20 => ("meshcore/message/channel/0".into(), b"{}".to_vec(), Outcome::IgnoredCompanion),
        21 => {
            let mut bytes = advert(9, "Forged").bytes().to_vec();
            bytes[32..36].copy_from_slice(&n.to_le_bytes());
            let payload = meshcore::PayloadBuf::new(meshcore::PayloadType::Advert, bytes).unwrap();
            (packets, raw(&flood(&payload, &[])), Outcome::InvalidSignature)
        }
        _ => (format!("somewhere/else/{n}"), b"21.5".to_vec(), Outcome::IgnoredTopic),
    }
}
const KINDS: usize = 23;

fn config() -> IngestConfig {
    let policy = |source, filter: &[&str]| SourcePolicy {
        source: SourceId(source),
        name: format!("broker {source}"),
        region: None,
        iata_filter: filter.iter().map(|code| (*code).to_owned()).collect(),
    };
    IngestConfig {
        sources: vec![policy(0, &["AMS", "LAX"]), policy(1, &["AMS", "LAX"])],
        observer_blacklist: vec![BLACK_KEY.to_owned()],
        observer_iata_whitelist: vec!["AMS".to_owned(), "SFO".to_owned()],
        ..IngestConfig::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_shuffled_mix_of_good_odd_and_hostile_messages_is_counted_exactly(
        kinds in proptest::collection::vec((0..KINDS, 0_u16..2), 0..600),
        batch in 1_usize..200,
    ) {
        let mut fixture = Fixture::with(config());
        let mut wanted: HashMap<Outcome, u64> = HashMap::new();
        let mut by_source = [0_u64; 2];
        let mut messages: Vec<Message> = Vec::new();
        for (n, (kind, source)) in (0..).zip(&kinds) {
            let (topic, payload, outcome) = fixed(*kind, n);
            *wanted.entry(outcome).or_default() += 1;
            by_source[usize::from(*source)] += 1;
            messages.push(message(*source, &topic, &payload, NOW));
        }
        let mut messages = messages.into_iter().peekable();
        while messages.peek().is_some() {
            fixture.ingest.handle_batch(messages.by_ref().take(batch).collect());
        }
        let report = fixture.report();
        prop_assert!(report.balances());
        prop_assert_eq!(report.received, kinds.len() as u64);
        for outcome in Outcome::ALL {
            prop_assert_eq!(report.count(*outcome), wanted.get(outcome).copied().unwrap_or(0), "{:?}", outcome);
        }
        prop_assert_eq!(report.sources.iter().map(|s| s.received).collect::<Vec<_>>(), by_source);
    }

    #[test]
    fn any_bytes_under_any_topic_end_somehow(
        wild in proptest::collection::vec((".{0,40}", proptest::collection::vec(any::<u8>(), 0..200)), 0..40),
        cut in 0_usize..700,
    ) {
        let mut fixture = Fixture::new();
        let whole = format!(
            r#"{{"origin":"Ana","timestamp":"2026-01-01T12:00:01Z","SNR":"7 dB","RSSI":-88,"raw":"{}","x":[{{}}]}}"#,
            ack(1, &[1, 2, 3])
        );
        let mut messages: Vec<_> = wild.iter().map(|(topic, payload)| message(0, topic, payload, NOW)).collect();
        messages.extend(wild.iter().map(|(_, payload)| message(0, &packets_topic("AMS", KEY), payload, NOW)));
        let cut = &whole.as_bytes()[..cut.min(whole.len())];
        messages.push(message(0, &packets_topic("AMS", KEY), cut, NOW));
        let received = messages.len() as u64;
        fixture.ingest.handle_batch(messages);
        let report = fixture.report();
        prop_assert!(report.balances());
        prop_assert_eq!(report.received, received);
        prop_assert_eq!(report.count(Outcome::Internal), 0);
    }

    #[test]
    fn any_frame_by_any_observer_is_applied_without_a_fault(
        frames in proptest::collection::vec(
            (0_u8..64, proptest::collection::vec(0_u8..4, 1..24), 0_usize..3), 0..200),
    ) {
        // Few byte values make copies and near-copies of one another.
        let mut fixture = Fixture::with(IngestConfig { validate_signatures: false, ..IngestConfig::default() });
        let messages = frames.iter().map(|(header, bytes, observer)| {
            let raw = crate::support::hex(&[&[*header], &bytes[..]].concat());
            let topic = packets_topic("AMS", ["A", "B", "C"][*observer]);
            message(0, &topic, format!("{{\"raw\":\"{raw}\"}}").as_bytes(), NOW)
        });
        fixture.ingest.handle_batch(messages.collect());
        let report = fixture.report();
        prop_assert!(report.balances());
        prop_assert_eq!(report.count(Outcome::Internal), 0);
        let stored = report.count(Outcome::StoredTransmission) + report.count(Outcome::StoredObservation);
        prop_assert_eq!(fixture.observations().len() as u64, stored);
        prop_assert_eq!(fixture.index.read().totals(NOW).observations, stored);
    }
}
