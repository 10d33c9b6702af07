use proptest::prelude::*;

use super::*;
use crate::packet::ProtocolVersion;

fn outbox(window: usize, max_bytes: usize) -> Outbox {
    Outbox::new(DeliveryLimits { version: ProtocolVersion::V3_1_1, max_packet: 1000, window, max_bytes })
}

fn taken(outbox: &Outbox) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    match outbox.take(&mut bytes) {
        Taken::Bytes => bytes.to_vec(),
        _ => Vec::new(),
    }
}

fn delivery(topic: &str, acknowledged: bool) -> Delivery<'_> {
    Delivery { topic, payload: b"", properties: b"", retain: false, acknowledged }
}

proptest! {
    #[test]
    fn answers_leave_once_and_in_order_however_they_are_confirmed(
        order in Just((1_u16..50).collect::<Vec<u16>>()).prop_shuffle(),
        again in prop::collection::vec(0_u64..60, 0..20),
    ) {
        let outbox = outbox(0, 0);
        for id in 1..50 {
            let (sequence, outstanding) = outbox.owe(id, Qos::AtLeastOnce);
            prop_assert_eq!((sequence, outstanding), (u64::from(id) - 1, usize::from(id)));
        }
        let mut sent = Vec::new();
        for id in order {
            outbox.confirm(u64::from(id) - 1);
            sent.extend(taken(&outbox));
        }
        for sequence in again {
            outbox.confirm(sequence);
        }
        sent.extend(taken(&outbox));
        let expected: Vec<u8> = (1_u16..50).flat_map(|id| answer(kind::PUBACK, id)).collect();
        prop_assert_eq!(sent, expected);
        prop_assert_eq!(outbox.owed(), 0);
    }
}

#[test]
fn deliveries_wait_for_the_window_and_are_bounded_by_bytes() {
    let outbox = outbox(2, 10_000);
    for _ in 0..3 {
        assert_eq!(outbox.deliver(&delivery("t", true)), Delivered::Queued);
    }
    assert_eq!(outbox.unacknowledged_deliveries(), 3);
    assert_eq!(taken(&outbox), [0x32, 5, 0, 1, b't', 0, 1, 0x32, 5, 0, 1, b't', 0, 2]);
    assert!(!outbox.delivery_acknowledged(3));
    assert!(outbox.delivery_acknowledged(1));
    assert_eq!(taken(&outbox), [0x32, 5, 0, 1, b't', 0, 3]);

    let long = "x".repeat(990);
    let kept = (0..100).filter(|_| outbox.deliver(&delivery(&long, true)) == Delivered::Queued).count();
    assert!((5..11).contains(&kept), "{kept}");
    let too_large = "x".repeat(1000);
    assert_eq!(outbox.deliver(&delivery(&too_large, false)), Delivered::Dropped);
    outbox.close();
    assert_eq!(outbox.deliver(&delivery("t", false)), Delivered::Dropped);
}

#[test]
fn packet_identifiers_wrap_without_zero_and_without_those_in_use() {
    let outbox = outbox(2, 10_000);
    assert_eq!(outbox.deliver(&delivery("t", true)), Delivered::Queued);
    for _ in 0..65_540_u32 {
        assert_eq!(outbox.deliver(&delivery("t", true)), Delivered::Queued);
        let bytes = taken(&outbox);
        let id = u16::from_be_bytes([bytes[bytes.len() - 2], bytes[bytes.len() - 1]]);
        // 1 is never acknowledged.
        assert!(id > 1);
        assert!(outbox.delivery_acknowledged(id));
    }
}
