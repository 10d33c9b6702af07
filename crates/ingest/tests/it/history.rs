//! Packets of the past come to the ends of live ones.

use index::Index;
use ingest::{History, IngestConfig, Outcome, PastPacket, PastSignal, Scalar, past_frame, past_time};
use model::{Change, ObserverId, UnixMillis};

use crate::support::{Fixture, KEY, NOW, ack, advert, flood};

fn history(config: IngestConfig) -> History {
    let options = index::IndexOptions {
        keys: std::sync::Arc::new(meshcore::KeyRing::with_public()),
        scopes: std::sync::Arc::new(meshcore::ScopeSet::new()),
    };
    History::new(Index::new(options), &config)
}

fn packet(raw_hex: &str, observer: ObserverId) -> PastPacket {
    let signal = PastSignal { snr: Some(7.0), rssi: Some(-88.0), score: None };
    PastPacket::new(past_frame(raw_hex).unwrap(), observer, NOW, signal).unwrap()
}

#[test]
fn the_changes_are_those_of_live_packets() {
    let frames = [ack(1, &[]), ack(1, &[7]), ack(2, &[7]), ack(1, &[7]), flood(&advert(1, "Dune"), &[3])];
    let mut live = Fixture::new();
    let ends: Vec<Outcome> = frames.iter().map(|raw| live.packet(raw, r#""SNR":"7","RSSI":"-88""#)).collect();

    let mut past = history(IngestConfig::default());
    let observer = past.observer(KEY, NOW).unwrap();
    let packets: Vec<PastPacket> = frames.iter().map(|raw| packet(raw, observer)).collect();
    let verdicts = past.decide(&packets);
    assert_eq!(verdicts.iter().map(|verdict| verdict.outcome).collect::<Vec<_>>(), ends);
    assert_eq!(verdicts[3].observation, verdicts[1].observation, "a duplicate names what it repeats");
    let without_observers = |changes: Vec<Change>| -> Vec<Change> {
        changes.into_iter().filter(|change| !matches!(change, Change::Observer(_))).collect()
    };
    assert_eq!(without_observers(past.take_changes()), without_observers(live.take_changes()));
    assert_eq!(past.waiting(), 0);
}

#[test]
fn adverts_are_checked_unless_the_settings_say_otherwise() {
    let mut forged = flood(&advert(1, "Forged"), &[]);
    let last = if forged.ends_with('0') { "1" } else { "0" };
    forged.replace_range(forged.len() - 1.., last);
    for (validate_signatures, end) in
        [(true, Outcome::InvalidSignature), (false, Outcome::StoredTransmission)]
    {
        let mut past = history(IngestConfig { validate_signatures, ..IngestConfig::default() });
        let observer = past.observer(KEY, NOW).unwrap();
        assert_eq!(past.decide(&[packet(&forged, observer)])[0].outcome, end);
    }
}

#[test]
fn observers_have_one_form_a_bound_and_a_record_that_is_written_when_it_changes() {
    let mut past = history(IngestConfig { max_observers: 2, ..IngestConfig::default() });
    let first = past.observer(&format!(" {} ", KEY.to_lowercase()), NOW).unwrap();
    assert_eq!(past.observer(KEY, UnixMillis(0)), Ok(first));
    assert_eq!(past.observer("two words", NOW), Err(Outcome::BadObserverKey));
    past.observer("second", NOW).unwrap();
    assert_eq!(past.observer("third", NOW), Err(Outcome::TooManyObservers));
    past.take_changes();
    let mut record = past.index().observer_record(first).unwrap().clone();
    assert_eq!((&*record.key, record.first_seen), (KEY, NOW));
    assert_eq!(past.set_observer(record.clone()), Ok(false));
    record.name = Some("Dune".into());
    assert_eq!(past.set_observer(record.clone()), Ok(true));
    assert_eq!(past.take_changes(), [Change::Observer(record)]);
}

#[test]
fn times_are_read_in_every_form_and_never_beyond_what_a_row_can_hold() {
    let text = |text: &str| past_time(&Scalar::Text(text.to_owned().into()));
    let noon = Some(UnixMillis(1_748_779_200_000));
    for form in [
        "2025-06-01T12:00:00Z",
        "2025-06-01 12:00:00",
        "2025-06-01T12:00:00",
        "2025-06-01T14:00:00.000+02:00",
        " 1748779200 ",
        "1748779200000",
    ] {
        assert_eq!(text(form), noon, "{form}");
    }
    assert_eq!(past_time(&Scalar::Number(1_748_779_200.0)), noon);
    // What a clock says that was never set is a time like any other here: it is the program's that wrote the row.
    assert_eq!(text("2024-01-01T12:00:00"), Some(UnixMillis(1_704_110_400_000)));
    for wrong in
        ["", "noon", "2025-06-01", "9999-12-31T00:00:00Z", "1969-12-31T00:00:00Z", "1e300", "NaN", "-5"]
    {
        assert_eq!(text(wrong), None, "{wrong}");
    }
    assert_eq!(past_time(&Scalar::Bool(true)), None);
}
