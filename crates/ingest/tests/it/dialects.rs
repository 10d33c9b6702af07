//! Messages as each of the known programs writes them.

use ingest::{Outcome, Remark};
use model::{SnrQuarterDb, UnixMillis};

use crate::support::{Fixture, KEY, packets_topic, status_topic};

/// A direct text: header, path byte, destination, source, MAC, one block.
const DIRECT_TEXT: &str = "0A00C2E20102000102030405060708090A0B0C0D0E0F";

fn mct(extra: &str) -> String {
    format!(
        r#"{{"origin":"Dune North","origin_id":"{KEY}","timestamp":"2026-01-01T12:00:01.104512+00:00","type":"PACKET",
        "direction":"rx","time":"12:00:00","date":"1/1/2026","len":"22","packet_type":"2","route":"D","payload_len":"20",
        "raw":"{DIRECT_TEXT}","SNR":"7","RSSI":"-88","score":"1000","duration":"118",
        "hash":"0D3B5E77A1C2904F","path":"C2 -> E2"{extra}}}"#
    )
}

#[test]
fn a_packet_of_meshcoretomqtt_is_stored_with_all_it_measured() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.send(&packets_topic("AMS", KEY), mct("")), Outcome::StoredTransmission);
    let observation = fixture.last_observation();
    assert_eq!(observation.time, UnixMillis(1_767_268_801_104));
    assert_eq!((observation.snr, observation.rssi), (Some(SnrQuarterDb(28)), Some(-88)));
    assert_eq!(observation.score, Some(1000));
    let observer = fixture.observer(KEY).unwrap();
    assert_eq!((observer.name.as_deref(), observer.iata.as_deref()), (Some("Dune North"), Some("AMS")));
    assert_eq!(observer.first_seen, fixture.now);
    // Only the hash of the example is not its packet's.
    assert_eq!(fixture.remarked(Remark::EnvelopeDisagrees), 1);
}

#[test]
fn a_packet_of_packet_capture_is_stored_with_quarters_of_decibels() {
    let mut fixture = Fixture::new();
    let payload = format!(
        r#"{{"origin":"Ana","origin_id":"{KEY}","timestamp":"2026-01-01T12:00:01.350001+00:00","type":"PACKET",
        "direction":"rx","time":"12:00:01","date":"01/01/2026","len":"22","packet_type":"2","route":"D",
        "payload_len":"20","raw":"{DIRECT_TEXT}","SNR":"-3.25","RSSI":"-112","hash":"0000000000000000"}}"#
    );
    assert_eq!(fixture.send(&packets_topic("AMS", KEY), payload), Outcome::StoredTransmission);
    let observation = fixture.last_observation();
    assert_eq!((observation.snr, observation.rssi), (Some(SnrQuarterDb(-13)), Some(-112)));
    assert_eq!(observation.score, None);
    assert_eq!(fixture.oddities(), []);
}

#[test]
fn a_packet_of_a_node_that_publishes_itself_has_the_time_of_its_utc_pair() {
    let mut fixture = Fixture::new();
    let payload = format!(
        r#"{{"origin":"Roof","origin_id":"{KEY}","timestamp":"2026-01-01T04:00:01.000000","type":"PACKET",
        "direction":"rx","time":"12:00:01","date":"01/01/2026","len":"22","packet_type":"2","route":"D",
        "payload_len":"20","raw":"{DIRECT_TEXT}","SNR":"4.2","RSSI":"-97","path":"path_3x2_6b"}}"#
    );
    assert_eq!(fixture.send(&packets_topic("AMS", KEY), payload), Outcome::StoredTransmission);
    assert_eq!(fixture.last_observation().time, UnixMillis(1_767_268_801_000));
    assert_eq!(fixture.last_observation().snr, Some(SnrQuarterDb(17)));
    assert_eq!(fixture.observer(KEY).unwrap().clock_skew_secs, None);
    assert_eq!(fixture.oddities(), []);
}

#[test]
fn other_spellings_and_types_are_read() {
    let mut fixture = Fixture::new();
    let raw = DIRECT_TEXT.to_lowercase();
    let fields = r#""snr":7.5,"rssi":-88.4,"Score":12,"Direction":"rx","len":22,"packet_type":2,"timestamp":"2026-01-01T12:00:01Z""#;
    assert_eq!(fixture.packet(&raw, fields), Outcome::StoredTransmission);
    let observation = fixture.last_observation();
    assert_eq!((observation.snr, observation.rssi), (Some(SnrQuarterDb(30)), Some(-88)));
    assert_eq!(observation.score, Some(12));
    assert_eq!(fixture.oddities(), []);
}

#[test]
fn a_subscriber_with_few_rights_gets_packets_without_signal_and_they_are_stored() {
    let mut fixture = Fixture::new();
    assert_eq!(
        fixture.packet(DIRECT_TEXT, r#""timestamp":"2026-01-01T12:00:01Z""#),
        Outcome::StoredTransmission
    );
    let observation = fixture.last_observation();
    assert_eq!((observation.snr, observation.rssi, observation.score), (None, None, None));
    assert_eq!(fixture.oddities(), []);
}

#[test]
fn flat_topics_take_the_key_from_origin_id() {
    let mut fixture = Fixture::new();
    let packet = format!(r#"{{"origin_id":"{}","raw":"{DIRECT_TEXT}"}}"#, KEY.to_lowercase());
    assert_eq!(fixture.send("meshcore/packets", &packet), Outcome::StoredTransmission);
    assert_eq!(&*fixture.observer(KEY).unwrap().key, KEY);
    let status = format!(r#"{{"origin_id":"{KEY}","status":"online","model":"Heltec V3"}}"#);
    assert_eq!(fixture.send("meshcore/status", &status), Outcome::Status);
    assert_eq!(fixture.observer(KEY).unwrap().model.as_deref(), Some("Heltec V3"));
    let nobody = format!(r#"{{"origin_id":"Dune North","raw":"{DIRECT_TEXT}"}}"#);
    assert_eq!(fixture.send("meshcore/packets", &nobody), Outcome::BadObserverKey);
    assert_eq!(fixture.send("meshcore/status", r#"{"status":"connected"}"#), Outcome::IgnoredTopic);
}

#[test]
fn an_object_with_raw_is_a_packet_whatever_its_topic() {
    let mut fixture = Fixture::new();
    let packet = format!(r#"{{"origin_id":"{KEY}","raw":"{DIRECT_TEXT}"}}"#);
    assert_eq!(fixture.send("mesh/upstairs/frames", &packet), Outcome::StoredTransmission);
    assert_eq!(fixture.send(&format!("meshcore/AMS/{KEY}/frames"), &packet), Outcome::Duplicate);
    assert_eq!(fixture.send("mesh/upstairs/frames", r#"{"temperature":21}"#), Outcome::IgnoredTopic);
    assert_eq!(fixture.send("mesh/upstairs/frames", "21 degrees"), Outcome::IgnoredTopic);
}

#[test]
fn a_status_of_each_program_tells_of_observer_and_metrics() {
    let mut fixture = Fixture::new();
    let mct = format!(
        r#"{{"status":"online","timestamp":"2026-01-01T12:00:04.000001+00:00","origin":"Dune North","origin_id":"{KEY}",
        "radio":"869.618,62.5,8,8","model":"Heltec V3","firmware_version":"v1.17.1",
        "client_version":"meshcoretomqtt/1.1.0","stats":{{"battery_mv":4011,"uptime_secs":86400,"noise_floor":-112,
        "queue_len":0,"tx_air_secs":640,"rx_air_secs":2210,"recv_errors":"3","packets_sent":5,"packets_received":6}}}}"#
    );
    assert_eq!(fixture.send(&status_topic("AMS", KEY), mct), Outcome::Status);
    let observer = fixture.observer(KEY).unwrap();
    assert_eq!(observer.name.as_deref(), Some("Dune North"));
    assert_eq!(observer.radio.as_deref(), Some("869.618,62.5,8,8"));
    assert_eq!(observer.model.as_deref(), Some("Heltec V3"));
    assert_eq!(observer.firmware.as_deref(), Some("v1.17.1"));
    assert_eq!(observer.client_version.as_deref(), Some("meshcoretomqtt/1.1.0"));
    assert_eq!((observer.battery_mv, observer.uptime_secs), (Some(4011), Some(86_400)));
    assert_eq!((observer.noise_floor, observer.can_relay), (Some(-112.0), None));
    assert_eq!((observer.online, observer.last_status), (Some(true), Some(fixture.now)));
    let metrics = fixture.metrics();
    assert_eq!(metrics.len(), 1);
    assert_eq!(metrics[0].time, UnixMillis(1_767_268_800_000));
    assert_eq!((metrics[0].tx_air_secs, metrics[0].rx_air_secs), (Some(640), Some(2210)));
    assert_eq!((metrics[0].recv_errors, metrics[0].packets_sent), (Some(3), Some(5)));
    assert_eq!((metrics[0].packets_recv, metrics[0].battery_mv), (Some(6), Some(4011)));

    let top_level = r#""firmware":"v1.18","clientVersion":"x/2","repeat":"on","noise_floor":"-111.5 dBm","battery_mv":"4000 mV","recv":7"#;
    assert_eq!(fixture.status(top_level), Outcome::Status);
    let observer = fixture.observer(KEY).unwrap();
    assert_eq!(
        (observer.firmware.as_deref(), observer.client_version.as_deref()),
        (Some("v1.18"), Some("x/2"))
    );
    assert_eq!((observer.can_relay, observer.noise_floor), (Some(true), Some(-111.5)));
    assert_eq!((observer.battery_mv, observer.model.as_deref()), (Some(4000), Some("Heltec V3")));
    assert_eq!(fixture.metrics()[1].packets_recv, Some(7));
}

#[test]
fn nothing_is_taken_from_the_topics_that_carry_nothing_for_us() {
    let mut fixture = Fixture::new();
    let raw = format!(r#"{{"origin_id":"{KEY}","type":"RAW","data":"{DIRECT_TEXT}","raw":"{DIRECT_TEXT}"}}"#);
    for last in ["raw", "debug", "internal", "neighbors", "serial/commands", "serial/responses"] {
        assert_eq!(
            fixture.send(&format!("meshcore/AMS/{KEY}/{last}"), &raw),
            Outcome::IgnoredTopic,
            "{last}"
        );
    }
    assert_eq!(fixture.send(&format!("meshcore/client/{KEY}/packets"), &raw), Outcome::IgnoredTopic);
    assert_eq!(fixture.send("meshcore/events/connection", &raw), Outcome::IgnoredTopic);
    let companion = r#"{"text":"Ann: hi","channel_idx":0,"sender_timestamp":1767225600,"SNR":7}"#;
    assert_eq!(fixture.send("meshcore/message/channel/0", companion), Outcome::IgnoredCompanion);
    assert_eq!(fixture.send("meshcore/message/direct/4f3c", companion), Outcome::IgnoredCompanion);
    assert_eq!(fixture.take_changes(), []);
}
