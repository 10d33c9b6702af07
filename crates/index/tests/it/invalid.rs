//! A change that does not fit leaves everything as it was.

use index::ApplyError;
use meshcore::PacketHash;
use model::{
    Change, FrameHead, HeadId, Observation, ObservationId, ObserverId, ObserverMetrics, Transmission,
    TransmissionId, UnixMillis,
};
use proptest::prelude::*;

use crate::history::{History, events, observer_record};
use crate::snapshot::snapshot;

type Expected = fn(&ApplyError) -> bool;

macro_rules! is {
    ($pattern:pat) => {
        |error| matches!(error, $pattern)
    };
}

fn invalid_heads(history: &History) -> Vec<(Change, Expected)> {
    let next = history.index.next_ids().head;
    let head = |id, bytes: &[u8]| Change::Head(FrameHead { id, bytes: bytes.into() });
    let known = history.changes.iter().find_map(|change| match change {
        Change::Head(head) => Some(head.bytes.clone()),
        _ => None,
    });
    let known = known.unwrap();
    vec![
        (head(HeadId(0), &[1, 1, 0xF0]), is!(ApplyError::HeadOrder { .. })),
        (head(HeadId(next.0 + 1), &[1, 1, 0xF0]), is!(ApplyError::HeadOrder { .. })),
        (head(next, &[1, 1]), is!(ApplyError::HeadMalformed { .. })),
        (head(next, &[0x41, 0]), is!(ApplyError::HeadMalformed { .. })),
        (head(next, &known), is!(ApplyError::HeadDuplicate { .. })),
    ]
}

fn invalid_transmissions(history: &History) -> Vec<(Change, Expected)> {
    let next = history.index.next_ids().transmission;
    let known = &history.packets[0];
    let transmission =
        |id, hash, raw: &[u8]| Change::Transmission(Transmission { id, hash, raw: raw.into() });
    let new_hash = PacketHash([0xAB; 8]);
    vec![
        (transmission(known.id, new_hash, &known.raw), is!(ApplyError::TransmissionOrder { .. })),
        (transmission(TransmissionId(0), new_hash, &known.raw), is!(ApplyError::TransmissionOrder { .. })),
        (transmission(next, new_hash, &[0x4D, 0, 1]), is!(ApplyError::TransmissionMalformed { .. })),
        (transmission(next, new_hash, &[0x0D, 0]), is!(ApplyError::TransmissionMalformed { .. })),
        (transmission(next, new_hash, &[]), is!(ApplyError::TransmissionMalformed { .. })),
        (transmission(next, known.hash, &known.raw), is!(ApplyError::TransmissionDuplicate { .. })),
    ]
}

fn invalid_observations(history: &History) -> Vec<(Change, Expected)> {
    let next = history.index.next_ids();
    let last = history.changes.iter().rev().find_map(|change| match change {
        Change::Observation(observation) => Some(*observation),
        _ => None,
    });
    let last = last.unwrap();
    let new = Observation { id: next.observation, ..last };
    let cases: [(Observation, Expected); 9] = [
        (last, is!(ApplyError::ObservationOrder { .. })),
        (Observation { id: ObservationId(0), ..last }, is!(ApplyError::ObservationOrder { .. })),
        (new, is!(ApplyError::ObservationDuplicate { .. })),
        (Observation { time: UnixMillis(5), ..new }, is!(ApplyError::ObservationDuplicate { .. })),
        (Observation { time: UnixMillis(-1), ..new }, is!(ApplyError::ObservationTime { .. })),
        (Observation { time: UnixMillis(i64::MAX), ..new }, is!(ApplyError::ObservationTime { .. })),
        (Observation { transmission: next.transmission, ..new }, is!(ApplyError::UnknownTransmission { .. })),
        (Observation { head: next.head, ..new }, is!(ApplyError::UnknownHead { .. })),
        (Observation { observer: next.observer, ..new }, is!(ApplyError::UnknownObserver { .. })),
    ];
    cases.map(|(observation, expected)| (Change::Observation(observation), expected)).into()
}

fn invalid_observers(history: &History) -> Vec<(Change, Expected)> {
    let mut taken = observer_record(1);
    taken.id = history.index.next_ids().observer;
    taken.key = taken.key.to_lowercase().into();
    let mut renamed = observer_record(1);
    renamed.key = "ANOTHER".into();
    let metrics = ObserverMetrics {
        observer: ObserverId(500),
        time: UnixMillis(0),
        noise_floor: None,
        tx_air_secs: None,
        rx_air_secs: None,
        recv_errors: None,
        battery_mv: None,
        packets_sent: None,
        packets_recv: None,
    };
    vec![
        (Change::Observer(taken), is!(ApplyError::ObserverKeyTaken { .. })),
        (Change::Observer(renamed), is!(ApplyError::ObserverKeyChanged { .. })),
        (Change::Metrics(metrics), is!(ApplyError::UnknownObserver { .. })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_change_that_does_not_fit_leaves_everything_as_it_was(events in events(60)) {
        let mut history = History::of(&events);
        let before = snapshot(&history.index, history.now);
        let invalid = [
            invalid_heads(&history),
            invalid_transmissions(&history),
            invalid_observations(&history),
            invalid_observers(&history),
        ];
        for (change, is_expected) in invalid.into_iter().flatten() {
            let error = history.index.apply(&change).unwrap_err();
            prop_assert!(is_expected(&error), "{:?} gave {:?}", change, error);
            prop_assert_eq!(&snapshot(&history.index, history.now), &before);
        }
    }
}

#[test]
fn transport_codes_must_come_from_somewhere() {
    let mut history = History::new();
    history.hear(&[0x0D, 0, 1, 2, 3, 4], ObserverId(0), crate::history::START, false);
    let head = FrameHead { id: history.index.next_ids().head, bytes: [0x00, 0x01, 0x33].into() };
    let id = head.id;
    history.apply(Change::Head(head));
    let observation = Observation {
        id: history.index.next_ids().observation,
        transmission: TransmissionId(1),
        observer: ObserverId(1),
        time: crate::history::START,
        head: id,
        snr: None,
        rssi: None,
        score: None,
    };
    let error = history.index.apply(&Change::Observation(observation)).unwrap_err();
    assert_eq!(error, ApplyError::ObservationCodes { id: observation.id, head: id });
}
