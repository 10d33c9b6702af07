//! PUBACK when, and only when, a message is safe; back-pressure instead of loss.

use std::time::Duration;

use mqtt::{Ack, CloseReason, Message, Publisher, Qos};
use mqtt_protocol_core::mqtt::Version;
use mqtt_protocol_core::mqtt::packet::Qos as CodecQos;
use tokio::time::timeout;

use crate::client::TestClient;
use crate::support::{PATIENCE, TestBroker, next, until};

#[tokio::test]
async fn a_puback_is_held_until_the_ack_is_dropped_and_order_is_kept() {
    for version in [Version::V3_1_1, Version::V5_0] {
        let mut test = TestBroker::start().await;
        let mut client = TestClient::connect(test.broker.local_addr(), version, "c").await;
        let mut ids = Vec::new();
        let mut messages = Vec::new();
        for _ in 0..5 {
            ids.push(client.publish("t", b"x", CodecQos::AtLeastOnce, false).await.unwrap());
            messages.push(test.next().await);
        }
        // The later ones are confirmed first, and wait for the first.
        for message in messages.drain(1..).rev() {
            message.ack.confirm();
        }
        client.ping().await;
        assert_eq!(test.broker.stats().unacknowledged, 5);
        // From another thread, as the one that commits would.
        let first = messages.remove(0);
        std::thread::spawn(move || drop(first)).join().unwrap();
        for id in ids {
            assert_eq!(client.next_puback().await, id);
        }
        assert_eq!(test.broker.stats().unacknowledged, 0);
    }
}

#[tokio::test]
async fn an_abandoned_message_closes_its_publisher_unanswered() {
    let mut test = TestBroker::start().await;
    let mut client = TestClient::connect(test.broker.local_addr(), Version::V3_1_1, "c").await;
    client.publish("t", b"x", CodecQos::AtLeastOnce, false).await;
    test.next().await.ack.abandon();
    client.expect_closed().await;
    until("it is counted", || test.closed(CloseReason::NotKept) == 1).await;
}

#[tokio::test]
async fn a_panic_acknowledges_nothing() {
    let mut test = TestBroker::start().await;
    let mut client = TestClient::connect(test.broker.local_addr(), Version::V3_1_1, "c").await;
    client.publish("t", b"x", CodecQos::AtLeastOnce, false).await;
    let message = test.next().await;
    let panicked = std::thread::spawn(move || {
        let _held = message;
        panic!("a bug in whoever keeps messages");
    });
    assert!(panicked.join().is_err());
    client.expect_closed().await;
}

#[tokio::test]
async fn messages_still_in_a_dropped_queue_are_not_acknowledged() {
    let mut test = TestBroker::start().await;
    let mut client = TestClient::connect(test.broker.local_addr(), Version::V3_1_1, "c").await;
    client.publish("t", b"1", CodecQos::AtLeastOnce, false).await;
    client.publish("t", b"2", CodecQos::AtLeastOnce, false).await;
    let kept = test.next().await;
    until("the second waits", || test.messages.depth() == 1).await;
    drop(test.messages);
    drop(kept);
    client.expect_closed().await;
}

#[tokio::test]
async fn an_ack_of_nothing_does_nothing() {
    Ack::none().confirm();
    Ack::none().abandon();
}

#[tokio::test]
async fn a_full_queue_stalls_the_publisher_and_loses_nothing() {
    const COUNT: u32 = 5_000;
    let mut test = TestBroker::start_with_queue(100, |_| {}).await;
    let url = test.url();
    let publishing = tokio::spawn(async move {
        let mut publisher = Publisher::connect(&url, None).await.unwrap();
        for number in 0..COUNT {
            let mut payload = number.to_be_bytes().to_vec();
            // Enough in all to fill the buffers of the operating system.
            payload.resize(4000, 0);
            publisher.publish("t", payload, Qos::AtMostOnce, false).await.unwrap();
        }
        publisher.flush().await.unwrap();
    });
    // Messages go in by parts of up to a quarter of the queue, so it is full when no such part fits any more.
    until("the queue is full", || test.messages.depth() > 75).await;
    // Another client can still connect, and is heard when there is room.
    TestClient::connect(test.broker.local_addr(), Version::V3_1_1, "other").await.ping().await;
    assert!(!publishing.is_finished());
    for number in 0..COUNT {
        let message = test.next().await;
        assert_eq!(message.payload[..4], number.to_be_bytes());
    }
    timeout(PATIENCE, publishing).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_queue_full_of_bytes_stalls_too() {
    let (sender, mut messages) = mqtt::queue_with_limit(1_000_000, 10_000);
    let message = |payload: Vec<u8>| Message {
        source: 0,
        topic: "t".into(),
        payload: payload.into(),
        qos: Qos::AtMostOnce,
        retained: false,
        received: std::time::SystemTime::now(),
        ack: Ack::none(),
    };
    sender.send(message(vec![0; 10_000])).await.unwrap();
    let mut waiting = Box::pin(sender.send(message(vec![1])));
    assert!(timeout(Duration::from_millis(50), &mut waiting).await.is_err());
    assert_eq!(next(&mut messages).await.payload.len(), 10_000);
    timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert_eq!((sender.depth(), sender.depth_bytes()), (1, 1));
}

#[tokio::test]
async fn unacknowledged_messages_beyond_the_limit_are_not_read_until_others_are_confirmed() {
    let mut test = TestBroker::start_with(|config| config.max_in_flight = 10).await;
    let url = test.url();
    let publishing = tokio::spawn(async move {
        let mut publisher = Publisher::connect(&url, None).await.unwrap();
        for number in 0..100_u8 {
            publisher.publish("t", [number], Qos::AtLeastOnce, false).await.unwrap();
        }
        publisher.flush().await.unwrap();
    });
    let mut held = Vec::new();
    for number in 0..100_u8 {
        if held.len() == 10 {
            let more = timeout(Duration::from_millis(20), test.messages.recv()).await;
            assert!(more.is_err(), "an eleventh message came");
            held.clear();
        }
        let message = test.next().await;
        assert_eq!(message.payload[0], number);
        held.push(message);
    }
    assert!(!publishing.is_finished());
    held.clear();
    timeout(PATIENCE, publishing).await.unwrap().unwrap();
}
