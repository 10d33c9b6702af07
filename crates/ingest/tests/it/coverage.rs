//! Mobile clients: which receptions are taken, and what is made of them (contract §5.4).

use ingest::{IngestConfig, Outcome, Remark};
use meshcore::{FrameBuilder, Identity, PayloadBuf, PayloadType, Route};
use model::{Change, ClientId, ClientObserver, Reception, ReceptionId, SnrQuarterDb, UnixMillis};

use crate::support::{Fixture, NOW, advert, hex};

const CLIENT: &str = "c0ffee00112233445566778899aabbccddeeff00112233445566778899aabbcc";
const PLACE: &str = r#""gps":{"lat":52.370216,"lon":"4.895168","acc_m":7.6}"#;

fn fixture() -> Fixture {
    Fixture::with(IngestConfig { client_rx_coverage: true, ..IngestConfig::default() })
}

fn topic(key: &str) -> String {
    format!("meshcore/client/{key}/packets")
}

fn frame(route: Route, payload: &PayloadBuf, hops: &[&[u8]]) -> String {
    let mut path = meshcore::PathBuf::new(hops.first().map_or(1, |hop| hop.len() as u8)).unwrap();
    hops.iter().for_each(|hop| path.push(hop).unwrap());
    hex(&FrameBuilder::new(route, payload).path(path.as_path()).encode())
}

fn ack() -> PayloadBuf {
    PayloadBuf::new(PayloadType::Ack, vec![1, 2, 3, 4]).unwrap()
}

fn flooded() -> String {
    frame(Route::Flood, &ack(), &[&[0xaa, 0xbb], &[0xcc, 0xdd]])
}

fn hear(fixture: &mut Fixture, raw: &str, fields: &str) -> Outcome {
    fixture.send(&topic(CLIENT), format!(r#"{{"raw":"{raw}","direction":"rx",{fields}}}"#))
}

fn receptions(changes: &[Change]) -> Vec<Reception> {
    let reception = |it: &Change| if let Change::Reception(it) = it { Some(it.clone()) } else { None };
    changes.iter().filter_map(reception).collect()
}

#[test]
fn a_reception_is_kept_with_client_place_signal_and_last_sender() {
    let mut fixture = fixture();
    let fields = format!(
        r#"{PLACE},"SNR":"-7.25 dB","RSSI":-101,"origin":" Ana ","timestamp":"2026-01-01T11:59:00.7Z""#
    );
    assert_eq!(hear(&mut fixture, &flooded(), &fields), Outcome::StoredReception);
    let client =
        ClientObserver { id: ClientId(0), key: CLIENT.into(), name: Some("Ana".into()), last_seen: NOW };
    let reception = Reception {
        id: ReceptionId(1),
        client: ClientId(0),
        time: UnixMillis(NOW.0 - 65_000),
        heard: [0xcc, 0xdd].into(),
        location: (52_370_216, 4_895_168),
        accuracy_m: Some(8),
        rssi: Some(-101),
        snr: Some(SnrQuarterDb(-29)),
    };
    assert_eq!(fixture.take_changes(), [Change::Client(client), Change::Reception(reception)]);
    assert_eq!(fixture.index.read().totals(NOW).transmissions, 0, "it is no observation");
    assert!(fixture.report().observers.iter().all(|row| row.key.is_empty()), "clients are no observers");
}

#[test]
fn an_advert_that_nobody_has_relayed_names_its_author_if_the_signature_is_right() {
    let mut fixture = fixture();
    let key = Identity::from_seed(&[3; 32]).key();
    for route in [Route::Flood, Route::Direct] {
        fixture.now = fixture.now.plus_ms(1_000);
        assert_eq!(hear(&mut fixture, &frame(route, &advert(3, "N"), &[]), PLACE), Outcome::StoredReception);
        assert_eq!(receptions(&fixture.take_changes())[0].heard, key.0.into());
    }
    let mut forged = advert(3, "N").bytes().to_vec();
    forged[40] ^= 1;
    let forged = PayloadBuf::new(PayloadType::Advert, forged).unwrap();
    let raw = frame(Route::Flood, &forged, &[]);
    assert_eq!(hear(&mut fixture, &raw, PLACE), Outcome::InvalidSignature);
    // Relayed, it is the relay that was heard, whatever the advert says.
    assert_eq!(
        hear(&mut fixture, &frame(Route::Flood, &forged, &[&[1, 2, 3]]), PLACE),
        Outcome::StoredReception
    );
    let mut trusting = Fixture::with(IngestConfig {
        client_rx_coverage: true,
        validate_signatures: false,
        ..IngestConfig::default()
    });
    assert_eq!(hear(&mut trusting, &raw, PLACE), Outcome::StoredReception);
}

#[test]
fn what_does_not_say_who_was_heard_or_where_ends_by_name() {
    let mut fixture = fixture();
    let ack = ack();
    let trace = PayloadBuf::new(PayloadType::Trace, vec![1, 0, 0, 0, 2, 0, 0, 0, 0, 9]).unwrap();
    for (raw, outcome) in [
        (frame(Route::Flood, &ack, &[&[1]]), Outcome::ReceptionUnnamed),
        (frame(Route::Flood, &ack, &[]), Outcome::ReceptionUnnamed),
        (frame(Route::Direct, &ack, &[&[1, 2]]), Outcome::ReceptionDirect),
        (frame(Route::Flood, &trace, &[&[1, 2]]), Outcome::ReceptionDirect),
        ("0D".to_owned(), Outcome::FrameLength),
        ("zz".to_owned(), Outcome::RawNotHex),
        (String::new(), Outcome::MissingRaw),
    ] {
        assert_eq!(hear(&mut fixture, &raw, PLACE), outcome, "{raw}");
    }
    for gps in [
        "null",
        "{}",
        "[52,4]",
        "\"52,4\"",
        r#"{"lat":52}"#,
        r#"{"lat":91,"lon":4}"#,
        r#"{"lat":52,"lon":-180.1}"#,
        r#"{"lat":0,"lon":0}"#,
        r#"{"lat":"NaN","lon":4}"#,
        r#"{"lat":1e999,"lon":4}"#,
    ] {
        let outcome = hear(&mut fixture, &flooded(), &format!("\"gps\":{gps}"));
        assert!(matches!(outcome, Outcome::ReceptionNoPlace | Outcome::NotJson), "{gps}: {outcome:?}");
    }
    let tx = format!(r#"{{"raw":"{}","direction":"tx",{PLACE}}}"#, flooded());
    assert_eq!(fixture.send(&topic(CLIENT), tx), Outcome::IgnoredTxRecord);
    assert_eq!(fixture.send(&topic("xyz"), "{}"), Outcome::BadObserverKey);
    assert_eq!(fixture.send(&topic(CLIENT), "hello"), Outcome::NotJson);
    assert_eq!(fixture.take_changes(), []);
    assert_eq!(fixture.remarked(Remark::ClockMissing), 0, "only of what is kept");
}

#[test]
fn the_same_client_node_and_second_is_a_duplicate() {
    let mut fixture = fixture();
    let at = |second: &str| format!(r#"{PLACE},"timestamp":"2026-01-01T11:59:{second}Z""#);
    assert_eq!(hear(&mut fixture, &flooded(), &at("01.2")), Outcome::StoredReception);
    assert_eq!(hear(&mut fixture, &flooded(), &at("01.9")), Outcome::DuplicateReception);
    assert_eq!(hear(&mut fixture, &flooded(), &at("02.0")), Outcome::StoredReception);
    let other = frame(Route::Flood, &ack(), &[&[9, 9]]);
    assert_eq!(hear(&mut fixture, &other, &at("01.2")), Outcome::StoredReception);
    let message = format!(r#"{{"raw":"{}","direction":"RX",{}}}"#, flooded(), at("01.2"));
    assert_eq!(fixture.send(&topic("ab"), &message), Outcome::StoredReception);
    // Keys are the same in either case.
    assert_eq!(fixture.send(&topic("AB"), &message), Outcome::DuplicateReception);
    assert_eq!(receptions(&fixture.take_changes()).len(), 4);
}

#[test]
fn a_clients_row_is_written_when_it_is_new_renamed_or_an_hour_old() {
    let mut fixture = fixture();
    let mut rows = |secs: i64, name: &str| {
        fixture.now = NOW.plus_ms(secs * 1_000);
        let fields = format!(r#"{PLACE},"origin":"{name}""#);
        assert_eq!(hear(&mut fixture, &flooded(), &fields), Outcome::StoredReception);
        fixture.take_changes().iter().filter(|change| matches!(change, Change::Client(_))).count()
    };
    assert_eq!([rows(0, "A"), rows(1, "A"), rows(2, "B"), rows(11, "B"), rows(12, "A")], [1, 0, 0, 1, 0]);
    assert_eq!([rows(3_600, "B"), rows(3_612, "B"), rows(3_613, "B")], [0, 1, 0]);
}

#[test]
fn without_the_feature_for_the_blacklisted_and_beyond_the_bound_nothing_is_kept() {
    let mut off = Fixture::new();
    assert_eq!(hear(&mut off, &flooded(), PLACE), Outcome::IgnoredTopic);
    let mut config = IngestConfig { client_rx_coverage: true, max_clients: 2, ..IngestConfig::default() };
    config.observer_blacklist = vec![CLIENT.to_uppercase()];
    config.observer_iata_whitelist = vec!["AMS".into()];
    let mut fixture = Fixture::with(config);
    assert_eq!(hear(&mut fixture, &flooded(), PLACE), Outcome::FilteredByBlacklist);
    let message = format!(r#"{{"raw":"{}","direction":"rx",{PLACE}}}"#, flooded());
    let ends: Vec<Outcome> = ["01", "02", "03", "01"]
        .iter()
        .map(|key| {
            fixture.now = fixture.now.plus_ms(1_000);
            fixture.send(&topic(key), &message)
        })
        .collect();
    let (stored, full) = (Outcome::StoredReception, Outcome::TooManyObservers);
    assert_eq!(ends, [stored, stored, full, stored]);
}
