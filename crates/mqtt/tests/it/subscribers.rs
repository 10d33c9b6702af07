//! Watching the broker with MQTT tools.

use mqtt::Publisher;
use mqtt_protocol_core::mqtt::Version;
use mqtt_protocol_core::mqtt::packet::{Packet, Property, Qos, RetainHandling, SubOpts, UserProperty, v5_0};

use crate::client::TestClient;
use crate::support::{TestBroker, until};

const VERSIONS: [Version; 2] = [Version::V3_1_1, Version::V5_0];

fn qos1() -> SubOpts {
    SubOpts::new().set_qos(Qos::AtLeastOnce)
}

#[tokio::test]
async fn a_subscriber_gets_what_matches_at_the_lower_qos() {
    for version in VERSIONS {
        // A broker for each, since the first leaves retained messages behind.
        let mut test = TestBroker::start().await;
        let address = test.broker.local_addr();
        let mut watcher = TestClient::connect(address, version, "watcher").await;
        let filters = [("meshcore/+/A1/#", qos1()), ("other", SubOpts::new()), ("#/bad", SubOpts::new())];
        let refused = if version == Version::V3_1_1 { 0x80 } else { 0x8F };
        assert_eq!(watcher.subscribe(&filters).await, [1, 0, refused]);

        let mut publisher = TestClient::connect(address, version, "publisher").await;
        for (topic, qos) in [
            ("meshcore/AMS/A1/packets", Qos::AtLeastOnce),
            ("meshcore/AMS/B2/packets", Qos::AtLeastOnce),
            ("meshcore/AMS/A1/status", Qos::AtMostOnce),
            ("other", Qos::AtLeastOnce),
        ] {
            publisher.publish(topic, topic.as_bytes(), qos, true).await;
        }
        for (topic, qos) in [("meshcore/AMS/A1/packets", 1), ("meshcore/AMS/A1/status", 0), ("other", 0)] {
            let received = watcher.next_publish(true).await;
            assert_eq!((received.topic.as_str(), received.qos, received.retain), (topic, qos, false));
        }
        // Everything arrives inside as well, watched or not.
        for _ in 0..4 {
            test.next().await;
        }
        watcher.unsubscribe("meshcore/+/A1/#").await;
        publisher.publish("meshcore/AMS/A1/packets", b"unwatched", Qos::AtMostOnce, false).await;
        publisher.publish("other", b"last", Qos::AtMostOnce, false).await;
        assert_eq!(watcher.next_publish(true).await.payload, b"last");
        test.next().await;
        test.next().await;
    }
}

#[tokio::test]
async fn retained_messages_come_on_subscribing_and_are_deleted_by_an_empty_one() {
    let test = TestBroker::start().await;
    let address = test.broker.local_addr();
    let mut publisher = TestClient::connect(address, Version::V3_1_1, "publisher").await;
    publisher.publish("a/status", b"online", Qos::AtLeastOnce, true).await;
    publisher.publish("b/status", b"online", Qos::AtMostOnce, true).await;
    publisher.publish("b/status", b"", Qos::AtMostOnce, true).await;
    publisher.publish("c/status", b"not retained", Qos::AtMostOnce, false).await;
    publisher.ping().await;
    assert_eq!(test.broker.stats().retained, 1);
    for version in VERSIONS {
        let mut watcher = TestClient::connect(address, version, "watcher").await;
        watcher.subscribe(&[("+/status", qos1())]).await;
        let received = watcher.next_publish(true).await;
        assert_eq!((received.topic.as_str(), received.retain, received.qos), ("a/status", true, 1));
        watcher.ping().await;
    }
    let mut watcher = TestClient::connect(address, Version::V5_0, "watcher").await;
    watcher.subscribe(&[("+/status", qos1().set_rh(RetainHandling::DoNotSendRetained))]).await;
    watcher.ping().await;
    watcher.subscribe(&[("+/status", qos1().set_rh(RetainHandling::SendRetainedIfNotExists))]).await;
    watcher.ping().await;
    watcher.subscribe(&[("+/status", qos1())]).await;
    assert!(watcher.next_publish(true).await.retain);
}

#[tokio::test]
async fn retained_messages_are_bounded_and_the_surplus_is_counted() {
    let mut test = TestBroker::start_with(|config| config.max_retained = 2).await;
    let mut publisher = TestClient::connect(test.broker.local_addr(), Version::V3_1_1, "p").await;
    for topic in ["a", "b", "c"] {
        publisher.publish(topic, b"x", Qos::AtMostOnce, true).await;
        test.next().await;
    }
    let stats = test.broker.stats();
    assert_eq!((stats.retained, stats.retained_refused), (2, 1));
}

#[tokio::test]
async fn a_slow_subscriber_loses_messages_and_stalls_nobody() {
    const COUNT: u64 = 20_000;
    let mut test = TestBroker::start_with_queue(100, |config| config.subscriber_buffer = 100_000).await;
    let mut slow = TestClient::connect(test.broker.local_addr(), Version::V3_1_1, "slow").await;
    slow.subscribe(&[("#", SubOpts::new())]).await;
    let url = test.url();
    let publishing = tokio::spawn(async move {
        let mut publisher = Publisher::connect(&url, None).await.unwrap();
        for _ in 0..COUNT {
            publisher.publish("t", [0; 1000], mqtt::Qos::AtMostOnce, false).await.unwrap();
        }
        publisher.flush().await.unwrap();
    });
    // All arrive inside although the subscriber reads nothing.
    for _ in 0..COUNT {
        test.next().await;
    }
    publishing.await.unwrap();
    let stats = test.broker.stats();
    assert!(stats.deliveries_dropped > 0);
    assert_eq!(stats.deliveries + stats.deliveries_dropped, COUNT);
    // It is still served: what was kept for it, then new messages.
    for _ in 0..stats.deliveries {
        assert_eq!(slow.next_publish(false).await.topic, "t");
    }
    slow.ping().await;
}

#[tokio::test]
async fn a_subscriber_that_does_not_acknowledge_gets_the_rest_when_it_does() {
    let test = TestBroker::start_with(|config| config.subscriber_window = 3).await;
    let address = test.broker.local_addr();
    for version in VERSIONS {
        let mut watcher = TestClient::connect(address, version, "watcher").await;
        watcher.subscribe(&[("t", qos1())]).await;
        let mut publisher = TestClient::connect(address, version, "publisher").await;
        for number in 0..10_u8 {
            publisher.publish("t", &[number], Qos::AtLeastOnce, false).await;
        }
        let mut ids = Vec::new();
        for number in 0..3_u8 {
            let received = watcher.next_publish(false).await;
            assert_eq!(received.payload, [number]);
            ids.push(received.packet_id.unwrap());
        }
        until("all are on their way", || test.broker.stats().deliveries % 10 == 0).await;
        // Nothing more comes until the first are acknowledged.
        watcher.ping().await;
        for id in ids {
            watcher.acknowledge(id).await;
        }
        for number in 3..10_u8 {
            assert_eq!(watcher.next_publish(true).await.payload, [number]);
        }
    }
}

impl TestClient {
    async fn acknowledge(&mut self, id: u16) {
        let [high, low] = id.to_be_bytes();
        self.send_raw(&[0x40, 2, high, low]).await;
    }
}

#[tokio::test]
async fn options_and_properties_of_mqtt_5_are_honoured() {
    let test = TestBroker::start().await;
    let address = test.broker.local_addr();
    let mut both = TestClient::connect(address, Version::V5_0, "both").await;
    let filters = [
        ("no-local", SubOpts::new().set_nl(true)),
        ("kept", SubOpts::new().set_rap(true)),
        ("$share/group/t", SubOpts::new()),
    ];
    assert_eq!(both.subscribe(&filters).await, [0, 0, 0x9E]);
    both.publish("no-local", b"own", Qos::AtMostOnce, false).await;
    let property = UserProperty::new("key", "value").unwrap();
    let packet = v5_0::Publish::builder()
        .topic_name("kept")
        .unwrap()
        .qos(Qos::AtMostOnce)
        .retain(true)
        .props(vec![property.into()])
        .payload(b"x");
    both.send(packet.build().unwrap()).await;
    let Some(Packet::V5_0Publish(received)) = both.next().await else { panic!("no PUBLISH") };
    assert!(received.topic_name() == "kept" && received.retain());
    assert!(received.props().iter().any(|p| matches!(p, Property::UserProperty(p) if p.val() == "value")));

    // A 3.1.1 subscriber gets the same message without them.
    let mut old = TestClient::connect(address, Version::V3_1_1, "old").await;
    old.subscribe(&[("kept", SubOpts::new())]).await;
    assert_eq!(old.next_publish(true).await.payload, b"x");
}

#[tokio::test]
async fn subscriptions_are_bounded() {
    let test = TestBroker::start_with(|config| config.max_subscriptions = 2).await;
    let mut client = TestClient::connect(test.broker.local_addr(), Version::V5_0, "c").await;
    let filters = [("a", SubOpts::new()), ("b", SubOpts::new()), ("c", SubOpts::new()), ("a", qos1())];
    assert_eq!(client.subscribe(&filters).await, [0, 0, 0x97, 1]);
    let deep = "a/".repeat(40);
    assert_eq!(client.subscribe(&[(deep.as_str(), SubOpts::new())]).await, [0x8F]);
    assert_eq!(test.broker.stats().subscriptions, 2);
    drop(client);
    until("they are gone with their client", || test.broker.stats().subscriptions == 0).await;
}
