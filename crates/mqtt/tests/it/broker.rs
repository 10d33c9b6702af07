//! Connecting, logging in, publishing, leaving.

use std::time::Duration;

use mqtt::{Broker, BrokerConfig, CloseReason, MqttError, ProtocolVersion, RefuseReason, User};
use mqtt_protocol_core::mqtt::Version;
use mqtt_protocol_core::mqtt::packet::{Packet, Property, Qos, SubOpts, v5_0};
use mqtt_protocol_core::mqtt::result_code::DisconnectReasonCode;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Options, TestClient};
use crate::support::{PATIENCE, TestBroker, until};

const VERSIONS: [Version; 2] = [Version::V3_1_1, Version::V5_0];

#[tokio::test]
async fn both_versions_publish_on_one_port() {
    let mut test = TestBroker::start().await;
    for version in VERSIONS {
        let mut client = TestClient::connect(test.broker.local_addr(), version, "c").await;
        client.publish("a/b", b"zero", Qos::AtMostOnce, false).await;
        let id = client.publish("a/c", b"one", Qos::AtLeastOnce, true).await;

        let zero = test.next().await;
        assert_eq!((&*zero.topic, &zero.payload[..], zero.qos), ("a/b", &b"zero"[..], mqtt::Qos::AtMostOnce));
        assert_eq!((zero.source, zero.retained), (7, false));
        let one = test.next().await;
        assert_eq!((&*one.topic, &one.payload[..], one.qos), ("a/c", &b"one"[..], mqtt::Qos::AtLeastOnce));
        // The publisher asked to retain it, but it is happening now.
        assert!(!one.retained);
        one.ack.confirm();
        assert_eq!(Some(client.next_puback().await), id);
        client.disconnect().await;
    }
    until("both said goodbye", || test.closed(CloseReason::Disconnected) == 2).await;
    let stats = test.broker.stats();
    assert_eq!((stats.connects_total, stats.clients_connected), (2, 0));
    assert_eq!((stats.messages.at_most_once, stats.messages.at_least_once), (2, 2));
    assert!(stats.bytes_in > 0 && stats.bytes_out > 0);
}

#[tokio::test]
async fn a_client_of_mqtt_5_is_told_the_limits() {
    let test = TestBroker::start_with(|config| {
        config.max_in_flight = 77;
        config.max_keep_alive = Duration::from_secs(100);
    })
    .await;
    let options = Options { keep_alive: 1000, ..Options::default() };
    let (_client, answer) =
        TestClient::try_connect(test.broker.local_addr(), Version::V5_0, "", options).await;
    let Some(Packet::V5_0Connack(connack)) = answer else { panic!("{answer:?}") };
    let has = |wanted: &dyn Fn(&Property) -> bool| connack.props().iter().any(wanted);
    assert!(has(&|p| matches!(p, Property::ReceiveMaximum(p) if p.val() == 77)));
    assert!(has(&|p| matches!(p, Property::MaximumQos(p) if p.val() == 1)));
    assert!(has(&|p| matches!(p, Property::MaximumPacketSize(p) if p.val() == (256 + 4) << 10)));
    assert!(has(&|p| matches!(p, Property::ServerKeepAlive(p) if p.val() == 100)));
    assert!(has(&|p| matches!(p, Property::AssignedClientIdentifier(p) if p.val().starts_with("auto-"))));
    assert!(has(&|p| matches!(p, Property::SharedSubscriptionAvailable(p) if p.val() == 0)));
}

#[tokio::test]
async fn a_lasting_session_is_accepted_and_not_present() {
    let test = TestBroker::start().await;
    for version in VERSIONS {
        let options = || Options { lasting_session: true, ..Options::default() };
        let address = test.broker.local_addr();
        let mut client = TestClient::connect_with(address, version, "lasting", options()).await;
        client.subscribe(&[("#", SubOpts::new())]).await;
        client.disconnect().await;
        until("it is gone", || test.broker.stats().clients_connected == 0).await;
        TestClient::connect_with(address, version, "lasting", options()).await.disconnect().await;
        assert_eq!(test.broker.stats().subscriptions, 0);
    }
}

#[tokio::test]
async fn a_wrong_login_gets_a_refusing_connack() {
    let users = || vec![User { name: "ana".into(), password: "right".into() }];
    let test = TestBroker::start_with(|config| config.users = users()).await;
    let address = test.broker.local_addr();
    for login in [None, Some(("ana", "wrong")), Some(("eve", "right"))] {
        let options = || Options { login, ..Options::default() };
        let (mut client, answer) = TestClient::try_connect(address, Version::V3_1_1, "c", options()).await;
        let Some(Packet::V3_1_1Connack(connack)) = answer else { panic!("{answer:?}") };
        assert_eq!(connack.return_code() as u8, 5);
        client.expect_closed().await;
        let (mut client, answer) = TestClient::try_connect(address, Version::V5_0, "c", options()).await;
        let Some(Packet::V5_0Connack(connack)) = answer else { panic!("{answer:?}") };
        assert_eq!(connack.reason_code() as u8, 0x86);
        client.expect_closed().await;
    }
    assert_eq!(test.refused(RefuseReason::BadLogin), 6);
    let options = Options { login: Some(("ana", "right")), ..Options::default() };
    let _client = TestClient::connect_with(address, Version::V3_1_1, "c", options).await;
    assert_eq!(test.broker.stats().clients[0].username.as_deref(), Some("ana"));
}

#[tokio::test]
async fn a_full_broker_refuses_and_then_has_room_again() {
    let test = TestBroker::start_with(|config| config.max_clients = 1).await;
    let address = test.broker.local_addr();
    let first = TestClient::connect(address, Version::V3_1_1, "first").await;
    let (_, answer) = TestClient::try_connect(address, Version::V3_1_1, "second", Options::default()).await;
    let Some(Packet::V3_1_1Connack(connack)) = answer else { panic!("{answer:?}") };
    assert_eq!(connack.return_code() as u8, 3);
    assert_eq!(test.refused(RefuseReason::Full), 1);
    first.disconnect().await;
    until("the first is gone", || test.broker.stats().clients_connected == 0).await;
    TestClient::connect(address, Version::V3_1_1, "second").await;
}

#[tokio::test]
async fn a_new_connection_takes_over_the_client_id() {
    let mut test = TestBroker::start().await;
    let address = test.broker.local_addr();
    let options = Options { will: Some(("w", b"gone", Qos::AtMostOnce, false)), ..Options::default() };
    let mut old = TestClient::connect_with(address, Version::V5_0, "same", options).await;
    let mut new = TestClient::connect(address, Version::V3_1_1, "same").await;
    old.expect_disconnect(0x8E).await;
    new.publish("t", b"new", Qos::AtMostOnce, false).await;
    // The will comes before anything the newcomer says.
    assert_eq!(&*test.next().await.topic, "w");
    assert_eq!(&*test.next().await.topic, "t");
    new.ping().await;
    let stats = test.broker.stats();
    assert_eq!((stats.clients_connected, test.closed(CloseReason::TakenOver)), (1, 1));
    assert_eq!(stats.clients[0].version, ProtocolVersion::V3_1_1);
}

#[tokio::test]
async fn a_will_is_published_when_a_client_vanishes_and_only_then() {
    let mut test = TestBroker::start().await;
    let address = test.broker.local_addr();
    for version in VERSIONS {
        let will = |payload: &'static [u8]| Options {
            will: Some(("status", payload, Qos::AtLeastOnce, true)),
            ..Options::default()
        };
        let vanishing = TestClient::connect_with(address, version, "vanishing", will(b"lost")).await;
        drop(vanishing);
        assert_eq!(&test.next().await.payload[..], b"lost");

        let polite = TestClient::connect_with(address, version, "polite", will(b"never")).await;
        polite.disconnect().await;
        until("it is gone", || test.broker.stats().clients_connected == 0).await;
    }
    let mut asking = TestClient::connect_with(
        address,
        Version::V5_0,
        "asking",
        Options { will: Some(("status", b"asked", Qos::AtMostOnce, false)), ..Options::default() },
    )
    .await;
    let goodbye = v5_0::Disconnect::builder().reason_code(DisconnectReasonCode::DisconnectWithWillMessage);
    asking.send(goodbye.build().unwrap()).await;
    assert_eq!(&test.next().await.payload[..], b"asked");
    // The will that was to be retained was.
    let mut watcher = TestClient::connect(address, Version::V3_1_1, "watcher").await;
    watcher.subscribe(&[("status", SubOpts::new())]).await;
    let retained = watcher.next_publish(true).await;
    assert_eq!((&retained.payload[..], retained.retain), (&b"lost"[..], true));
}

#[tokio::test]
async fn a_silent_client_is_closed_after_its_keep_alive_and_its_will_is_published() {
    let mut test = TestBroker::start().await;
    let options =
        Options { keep_alive: 1, will: Some(("w", b"silent", Qos::AtMostOnce, false)), ..Options::default() };
    let mut client = TestClient::connect_with(test.broker.local_addr(), Version::V5_0, "c", options).await;
    client.expect_disconnect(0x8D).await;
    assert_eq!(&test.next().await.payload[..], b"silent");
    assert_eq!(test.closed(CloseReason::KeepAlive), 1);
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_and_blocks_nobody() {
    let test = TestBroker::start_with(|config| config.handshake_timeout = Duration::from_millis(300)).await;
    let address = test.broker.local_addr();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    TestClient::connect(address, Version::V3_1_1, "c").await.ping().await;
    for mut stream in silent {
        let closed = timeout(PATIENCE, stream.read(&mut [0; 10])).await.unwrap();
        assert_eq!(closed.unwrap(), 0);
    }
    until("all are counted", || test.refused(RefuseReason::Timeout) == 20).await;
}

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    let test = TestBroker::start().await;
    let (sender, _messages) = mqtt::queue(1);
    let config = BrokerConfig { listen: test.broker.local_addr(), ..BrokerConfig::default() };
    let error = Broker::bind(config, sender).await.unwrap_err();
    assert!(matches!(error, MqttError::AddressInUse { .. }));
    let text = error.to_string();
    assert!(
        text.contains(&test.broker.local_addr().to_string()) && text.contains("choose another port"),
        "{text}"
    );
}

#[tokio::test]
async fn qos_2_is_a_full_exchange_in_3_1_1_and_refused_in_5() {
    let mut test = TestBroker::start().await;
    let address = test.broker.local_addr();
    let mut client = TestClient::connect(address, Version::V3_1_1, "three").await;
    client.send_raw(&[0x34, 6, 0, 1, b't', 0, 9, b'x']).await;
    // Sent again before it is released: still one message.
    client.send_raw(&[0x3C, 6, 0, 1, b't', 0, 9, b'x']).await;
    client.send_raw(&[0x62, 2, 0, 9]).await;
    let message = test.next().await;
    assert_eq!(message.qos, mqtt::Qos::ExactlyOnce);
    message.ack.confirm();
    let mut answers = [0; 12];
    client.stream.read_exact(&mut answers).await.unwrap();
    // PUBREC for each copy, when the message is safe, and then PUBCOMP for the release.
    assert_eq!(answers, [0x50, 2, 0, 9, 0x50, 2, 0, 9, 0x70, 2, 0, 9]);
    assert_eq!(test.broker.stats().messages.exactly_once, 1);

    let mut client = TestClient::connect(address, Version::V5_0, "five").await;
    client.send_raw(&[0x34, 7, 0, 1, b't', 0, 9, 0, b'x']).await;
    client.expect_disconnect(0x9B).await;
    assert_eq!(test.closed(CloseReason::Qos), 1);
}

#[tokio::test]
async fn shutdown_answers_what_is_confirmed_and_says_goodbye() {
    let mut test = TestBroker::start().await;
    let address = test.broker.local_addr();
    let mut five = TestClient::connect(address, Version::V5_0, "five").await;
    let mut three = TestClient::connect(address, Version::V3_1_1, "three").await;
    five.publish("t", b"1", Qos::AtLeastOnce, false).await;
    let first = test.next().await;
    three.publish("t", b"2", Qos::AtLeastOnce, false).await;
    let second = test.next().await;

    let shutdown = tokio::spawn(test.broker.shutdown());
    // The broker gives up its end of the queue before it waits.
    assert!(timeout(PATIENCE, test.messages.recv()).await.unwrap().is_none());
    assert!(!shutdown.is_finished());
    first.ack.confirm();
    second.ack.confirm();
    five.next_puback().await;
    five.expect_disconnect(0x8B).await;
    three.next_puback().await;
    three.expect_closed().await;
    timeout(PATIENCE, shutdown).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_last_message_is_remembered_when_its_client_has_gone() {
    let mut test = TestBroker::start().await;
    let stats = test.broker.stats();
    assert_eq!((stats.last_message, stats.last_connect, stats.last_disconnect), (None, None, None));
    let mut client = TestClient::connect(test.broker.local_addr(), Version::V5_0, "c").await;
    client.publish("a/b", b"x", Qos::AtMostOnce, false).await;
    test.next().await;
    drop(client);
    until("the client has gone", || test.closed(CloseReason::Lost) == 1).await;
    let stats = test.broker.stats();
    assert!(stats.last_connect.is_some() && stats.last_connect <= stats.last_message);
    assert!(stats.last_message <= stats.last_disconnect);
}
