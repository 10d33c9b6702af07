//! What becomes of sound packets: stored, duplicate, and what their envelopes get wrong.

use ingest::{IngestConfig, Outcome, Remark};
use meshcore::{FrameBuilder, PayloadBuf, PayloadType, Route, TransportCodes};
use model::{Change, SnrQuarterDb};

use crate::support::{Fixture, KEY, NOW, OTHER_KEY, ack, advert, flood, hex, packets_topic};

#[test]
fn a_new_packet_is_written_as_observer_head_transmission_and_observation_in_this_order() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.packet(&ack(1, &[7]), ""), Outcome::StoredTransmission);
    let changes = fixture.take_changes();
    let [
        Change::Observer(observer),
        Change::Head(head),
        Change::Transmission(sent),
        Change::Observation(heard),
    ] = &changes[..]
    else {
        panic!("{changes:?}")
    };
    assert_eq!((observer.id.0, head.id.0, sent.id.0, heard.id.0), (0, 0, 1, 1));
    assert_eq!(&*head.bytes, [1, 1, 7]);
    assert_eq!((heard.observer, heard.head, heard.transmission), (observer.id, head.id, sent.id));
    assert_eq!(*fixture.live.lock(), [heard.id]);
    assert_eq!(fixture.packet(&ack(2, &[7]), ""), Outcome::StoredTransmission);
    let changes = fixture.take_changes();
    assert!(matches!(&changes[..], [Change::Transmission(_), Change::Observation(_)]), "{changes:?}");
}

#[test]
fn the_same_content_by_another_path_or_observer_is_an_observation_and_else_a_duplicate() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.packet(&ack(1, &[]), r#""SNR":"-5""#), Outcome::StoredTransmission);
    assert_eq!(fixture.packet(&ack(1, &[7]), ""), Outcome::StoredObservation);
    assert_eq!(fixture.packet(&ack(1, &[7, 8]), ""), Outcome::StoredObservation);
    assert_eq!(fixture.packet(&ack(1, &[7]), r#""SNR":"9""#), Outcome::Duplicate);
    let other = format!("{{\"raw\":\"{}\"}}", ack(1, &[7]));
    assert_eq!(fixture.send(&packets_topic("AMS", OTHER_KEY), &other), Outcome::StoredObservation);
    assert_eq!(fixture.send(&packets_topic("SFO", &OTHER_KEY.to_lowercase()), &other), Outcome::Duplicate);
    assert_eq!(fixture.transmissions().len(), 1);
    assert_eq!(fixture.observations().len(), 4);
    assert_eq!(fixture.index.read().totals(NOW).observations, 4);
}

#[test]
fn copies_within_one_batch_see_each_other() {
    let mut fixture = Fixture::new();
    let payload = format!("{{\"raw\":\"{}\"}}", ack(1, &[7]));
    let copies =
        (0..2000).map(|_| crate::support::message(0, &packets_topic("AMS", KEY), payload.as_bytes(), NOW));
    fixture.ingest.handle_batch(copies.collect());
    let report = fixture.report();
    assert_eq!((report.count(Outcome::StoredTransmission), report.count(Outcome::Duplicate)), (1, 1999));
    assert!(report.balances());
}

#[test]
fn after_a_restart_the_same_message_is_a_duplicate_and_ids_go_on() {
    let mut first = Fixture::new();
    first.packet(&ack(1, &[7]), "");
    let index = crate::support::empty_index();
    first.take_changes().iter().for_each(|change| index.write().apply(change).unwrap());
    let mut second = Fixture::on(IngestConfig::default(), index);
    assert_eq!(second.packet(&ack(1, &[7]), ""), Outcome::Duplicate);
    assert_eq!(second.packet(&ack(2, &[7]), ""), Outcome::StoredTransmission);
    let changes = second.take_changes();
    let [Change::Transmission(sent), Change::Observation(heard)] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!((sent.id.0, heard.id.0, heard.observer.0), (2, 2, 0));
}

#[test]
fn transport_codes_are_kept_only_where_they_differ_from_the_first_copy() {
    let mut fixture = Fixture::new();
    let payload = PayloadBuf::new(PayloadType::Ack, vec![1, 2, 3, 4]).unwrap();
    let scoped = |scope| {
        let codes = TransportCodes { scope, reserved: 0 };
        FrameBuilder::new(Route::Flood, &payload).transport_codes(codes)
    };
    let with_hop = |builder: FrameBuilder<'_>, hop: u8| {
        let mut path = meshcore::PathBuf::new(1).unwrap();
        path.push(&[hop]).unwrap();
        hex(&builder.path(path.as_path()).encode())
    };
    assert_eq!(fixture.packet(&with_hop(scoped(5), 1), ""), Outcome::StoredTransmission);
    assert_eq!(fixture.packet(&with_hop(scoped(5), 2), ""), Outcome::StoredObservation);
    assert_eq!(fixture.packet(&with_hop(scoped(6), 3), ""), Outcome::StoredObservation);
    assert_eq!(fixture.packet(&flood(&payload, &[4]), ""), Outcome::StoredObservation);
    assert_eq!(fixture.packet(&with_hop(scoped(6), 4), ""), Outcome::Duplicate);
    let heads: Vec<_> = fixture
        .take_changes()
        .into_iter()
        .filter_map(|change| match change {
            Change::Head(head) => Some(head.bytes.to_vec()),
            _ => None,
        })
        .collect();
    assert_eq!(heads, [vec![0, 1, 1], vec![0, 1, 2], vec![0x80, 1, 3, 6, 0, 0, 0], vec![1, 1, 4]]);
}

#[test]
fn tx_records_are_never_observations() {
    let mut fixture = Fixture::new();
    for direction in [r#""direction":"tx""#, r#""Direction":"TX""#] {
        assert_eq!(fixture.packet(&ack(1, &[]), direction), Outcome::IgnoredTxRecord);
    }
    assert_eq!(
        fixture.send(&packets_topic("AMS", KEY), r#"{"direction":"tx","raw":null}"#),
        Outcome::IgnoredTxRecord
    );
    assert_eq!(fixture.take_changes(), []);
}

#[test]
fn signals_come_with_units_or_not_at_all() {
    let mut fixture = Fixture::new();
    fixture.packet(&ack(1, &[]), r#""SNR":"7 dB","RSSI":"-88dBm""#);
    let observation = fixture.last_observation();
    assert_eq!((observation.snr, observation.rssi), (Some(SnrQuarterDb(28)), Some(-88)));
    fixture.packet(&ack(2, &[]), r#""SNR":"Unknown","RSSI":null,"score":"""#);
    assert_eq!((fixture.last_observation().snr, fixture.last_observation().rssi), (None, None));
    assert_eq!(fixture.remarked(Remark::UnreadableSignal), 0);
    fixture.packet(&ack(3, &[]), r#""SNR":"loud","RSSI":"-88","score":5000"#);
    let observation = fixture.last_observation();
    assert_eq!((observation.snr, observation.rssi, observation.score), (None, Some(-88), None));
    fixture.packet(&ack(4, &[]), r#""SNR":99,"RSSI":-4000"#);
    assert_eq!((fixture.last_observation().snr, fixture.last_observation().rssi), (None, None));
    assert_eq!(fixture.remarked(Remark::UnreadableSignal), 2);
}

#[test]
fn zero_is_a_measurement() {
    let mut fixture = Fixture::new();
    fixture.packet(&ack(1, &[]), r#""SNR":"0","RSSI":"0","score":"0""#);
    let observation = fixture.last_observation();
    assert_eq!(
        (observation.snr, observation.rssi, observation.score),
        (Some(SnrQuarterDb(0)), Some(0), Some(0))
    );
}

#[test]
fn the_placeholder_signal_is_left_out_only_where_it_is_one() {
    let mut fixture = Fixture::new();
    fixture.packet(&ack(1, &[]), r#""SNR":"12.5","RSSI":"-65","timestamp":"2026-01-01T12:00:01.000000""#);
    assert_eq!((fixture.last_observation().snr, fixture.last_observation().rssi), (None, None));
    fixture
        .packet(&ack(2, &[]), r#""SNR":"12.5","RSSI":"-65","timestamp":"2026-01-01T12:00:01.000000+00:00""#);
    assert_eq!(
        (fixture.last_observation().snr, fixture.last_observation().rssi),
        (Some(SnrQuarterDb(50)), Some(-65))
    );
    fixture.packet(&ack(3, &[]), r#""SNR":"12.5","RSSI":"-66","timestamp":"2026-01-01T12:00:01.000000""#);
    assert_eq!(
        (fixture.last_observation().snr, fixture.last_observation().rssi),
        (Some(SnrQuarterDb(50)), Some(-66))
    );
    assert_eq!(fixture.remarked(Remark::PlaceholderSignal), 1);
}

#[test]
fn envelopes_that_lie_are_remarked_and_not_believed() {
    let mut fixture = Fixture::new();
    let lies = [
        r#""len":"99""#,
        r#""packet_type":"4""#,
        r#""route":"D""#,
        r#""hash":"0102030405060708""#,
        r#""route":"T""#,
    ];
    for (n, lie) in (1..).zip(lies) {
        assert_eq!(fixture.packet(&ack(n, &[]), lie), Outcome::StoredTransmission, "{lie}");
        assert_eq!(fixture.remarked(Remark::EnvelopeDisagrees), u64::from(n), "{lie}");
    }
    let harmless = r#""len":null,"packet_type":"ack","route":"U","hash":"short","payload_len":"77""#;
    assert_eq!(fixture.packet(&ack(99, &[]), harmless), Outcome::StoredTransmission);
    assert_eq!(fixture.remarked(Remark::EnvelopeDisagrees), lies.len() as u64);
    let hash = fixture.transmissions()[0].hash;
    assert_eq!(hash, meshcore::content_hash(PayloadType::Ack, 0, &[1, 0, 0, 0]));
}

#[test]
fn the_key_of_the_topic_counts_when_origin_id_differs() {
    let mut fixture = Fixture::new();
    fixture.packet(&ack(1, &[]), &format!("\"origin_id\":\"{OTHER_KEY}\""));
    assert!(fixture.observer(KEY).is_some() && fixture.observer(OTHER_KEY).is_none());
    fixture.packet(&ack(2, &[]), &format!("\"origin_id\":\"{}\"", KEY.to_lowercase()));
    assert_eq!(fixture.remarked(Remark::OriginIdDiffers), 1);
}

#[test]
fn names_lose_control_characters_and_length_and_nothing_else() {
    let mut fixture = Fixture::new();
    let long = "é".repeat(100);
    fixture.packet(&ack(1, &[]), &format!(r#""origin":"<b>\u202eA\u0007\u001b[0m\n{long}""#));
    let name = fixture.observer(KEY).unwrap().name.unwrap();
    assert!(name.starts_with("<b>\u{202e}A[0mé") && name.ends_with('é'), "{name:?}");
    assert!(name.len() <= 64);
    fixture.now = NOW.plus_ms(60_000);
    fixture.packet(&ack(2, &[]), r#""origin":"\u0000""#);
    assert_eq!(fixture.observer(KEY).unwrap().name.unwrap(), name);
}

#[test]
fn an_observers_row_is_written_when_it_changes_and_not_for_every_packet() {
    let mut fixture = Fixture::new();
    for n in 0..50 {
        fixture.packet(&ack(n, &[]), r#""origin":"Ana""#);
    }
    assert_eq!(fixture.observer_changes(), 1);
    fixture.now = NOW.plus_ms(20_000);
    for n in 50..100 {
        // Two programs quarrel about the name: one row in ten seconds is enough.
        fixture.packet(&ack(n, &[]), if n % 2 == 0 { r#""origin":"Eva""# } else { r#""origin":"Ana""# });
    }
    assert_eq!(fixture.observer_changes(), 2);
    assert_eq!(fixture.observer(KEY).unwrap().name.as_deref(), Some("Eva"));
}

#[test]
fn adverts_with_a_good_signature_are_stored_and_known_ones_not_checked_again() {
    let mut fixture = Fixture::new();
    let payload = advert(1, "Peak");
    assert_eq!(fixture.packet(&flood(&payload, &[]), ""), Outcome::StoredTransmission);
    assert_eq!(fixture.packet(&flood(&payload, &[9]), ""), Outcome::StoredObservation);
    assert_eq!(fixture.index.read().totals(NOW).nodes_all_time, 1);
}

#[test]
fn adverts_with_a_bad_signature_are_rejected_unless_that_is_switched_off() {
    let mut bytes = advert(1, "Peak").bytes().to_vec();
    bytes[40] ^= 1;
    let forged = flood(&PayloadBuf::new(PayloadType::Advert, bytes).unwrap(), &[]);
    let mut fixture = Fixture::new();
    assert_eq!(fixture.packet(&forged, ""), Outcome::InvalidSignature);
    assert!(fixture.take_changes().iter().all(|change| matches!(change, Change::Dropped(_))));
    let mut trusting = Fixture::with(IngestConfig { validate_signatures: false, ..IngestConfig::default() });
    assert_eq!(trusting.packet(&forged, ""), Outcome::StoredTransmission);
}

#[test]
fn a_forged_advert_in_a_batch_does_not_harm_the_good_ones() {
    let mut fixture = Fixture::new();
    let mut messages = Vec::new();
    for seed in 1..40 {
        let mut bytes = advert(seed, "Node").bytes().to_vec();
        if seed % 10 == 0 {
            bytes[50] ^= 1;
        }
        let raw = flood(&PayloadBuf::new(PayloadType::Advert, bytes).unwrap(), &[]);
        for _ in 0..2 {
            let payload = format!("{{\"raw\":\"{raw}\"}}");
            messages.push(crate::support::message(0, &packets_topic("AMS", KEY), payload.as_bytes(), NOW));
        }
    }
    fixture.ingest.handle_batch(messages);
    let report = fixture.report();
    assert_eq!(report.count(Outcome::InvalidSignature), 6);
    assert_eq!(report.count(Outcome::StoredTransmission), 36);
    assert_eq!(report.count(Outcome::Duplicate), 36);
}

#[test]
fn adverts_of_nobody_or_from_nowhere_are_rejected() {
    let mut fixture = Fixture::with(IngestConfig { validate_signatures: false, ..IngestConfig::default() });
    let mut bytes = advert(1, "Peak").bytes().to_vec();
    bytes[..32].fill(0);
    let nobody = flood(&PayloadBuf::new(PayloadType::Advert, bytes.clone()).unwrap(), &[]);
    assert_eq!(fixture.packet(&nobody, ""), Outcome::AdvertZeroKey);
    bytes[0] = 5;
    bytes[100] |= 0x10;
    bytes.splice(101..101, 91_000_000_i32.to_le_bytes().into_iter().chain([0; 4]));
    let nowhere = flood(&PayloadBuf::new(PayloadType::Advert, bytes).unwrap(), &[]);
    assert_eq!(fixture.packet(&nowhere, ""), Outcome::AdvertLocation);
    assert!(fixture.take_changes().iter().all(|change| matches!(change, Change::Dropped(_))));
}

#[test]
fn payloads_too_short_for_their_type_are_stored_and_remarked() {
    let mut fixture = Fixture::new();
    for (n, payload_type) in
        [PayloadType::Text, PayloadType::Advert, PayloadType::Trace].into_iter().enumerate()
    {
        let payload = PayloadBuf::new(payload_type, vec![n as u8 + 1, 2]).unwrap();
        assert_eq!(fixture.packet(&flood(&payload, &[]), ""), Outcome::StoredTransmission, "{payload_type}");
    }
    assert_eq!(fixture.remarked(Remark::PayloadTooShort), 3);
}

#[test]
fn the_region_comes_from_the_payload_then_the_topic_then_the_source() {
    let policy = ingest::SourcePolicy {
        source: model::SourceId(0),
        name: "home".into(),
        region: Some("oak".into()),
        iata_filter: Vec::new(),
    };
    let mut fixture = Fixture::with(IngestConfig { sources: vec![policy], ..IngestConfig::default() });
    let mut region = |topic: &str, key: &str, fields: &str| {
        fixture.send(topic, format!("{{\"origin_id\":\"{key}\",\"raw\":\"{}\"{fields}}}", ack(1, &[])));
        fixture.observer(key).unwrap().iata.unwrap().to_string()
    };
    let keys: Vec<String> = (0..4).map(|n| format!("{n}{}", &KEY[1..])).collect();
    assert_eq!(region(&packets_topic("SFO", &keys[0]), &keys[0], r#","region":" mry ""#), "MRY");
    assert_eq!(region(&packets_topic(" sfo", &keys[1]), &keys[1], r#","region":"<b>""#), "SFO");
    assert_eq!(region("meshcore/packets", &keys[2], ""), "OAK");
    assert_eq!(region(&packets_topic("test", &keys[3]), &keys[3], ""), "TEST");
}
