//! Subscriptions to outside brokers, here to our own broker and to scripted ones.

use std::net::SocketAddr;
use std::time::Duration;

use mqtt::{
    Broker, BrokerConfig, MessageReceiver, Publisher, Qos, SessionKind, Source, SourceConfig, SourceProtocol,
    User,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::{PATIENCE, TestBroker, next, until};

/// A source that tries again quickly.
fn config(name: &str, address: SocketAddr) -> SourceConfig {
    let mut config = SourceConfig::new(name, &format!("mqtt://{address}")).unwrap();
    config.reconnect_min = Duration::from_millis(10);
    config.reconnect_max = Duration::from_millis(50);
    config.source = 3;
    config
}

async fn subscribed(source: &Source, test: &TestBroker) {
    until("the source is subscribed", || source.status().connected && test.broker.stats().subscriptions > 0)
        .await;
}

/// Keeps an inner broker's queue empty.
fn swallow(mut messages: MessageReceiver) {
    tokio::spawn(async move { while messages.recv().await.is_some() {} });
}

#[tokio::test]
async fn messages_of_two_brokers_come_in_with_their_source_numbers() {
    for protocol in [SourceProtocol::Auto, SourceProtocol::V3_1_1] {
        let (one, two) = (TestBroker::start().await, TestBroker::start().await);
        let (sender, mut messages) = mqtt::queue(100);
        let mut sources = Vec::new();
        for (number, test) in [(1, &one), (2, &two)] {
            let mut config = config("outside", test.broker.local_addr());
            config.source = number;
            config.protocol = protocol;
            config.topics = vec!["meshcore/#".into()];
            sources.push(Source::spawn(config, sender.clone()));
        }
        drop(sender);
        for (source, test) in sources.iter().zip([&one, &two]) {
            subscribed(source, test).await;
            let mut publisher = Publisher::connect(&test.url(), None).await.unwrap();
            publisher.publish("other", b"not this", Qos::AtLeastOnce, false).await.unwrap();
            publisher.publish("meshcore/x", b"this", Qos::AtLeastOnce, false).await.unwrap();
            publisher.publish("meshcore/x", b"that", Qos::AtMostOnce, true).await.unwrap();
            let first = next(&mut messages).await;
            assert_eq!(
                (&first.payload[..], first.qos, first.retained),
                (&b"this"[..], Qos::AtLeastOnce, false)
            );
            let second = next(&mut messages).await;
            assert_eq!((&second.payload[..], second.retained), (&b"that"[..], false));
            assert_eq!(first.source, second.source);
        }
        let status = sources[0].status();
        assert_eq!((status.messages_total, status.messages_last_5m, status.connect_count), (2, 2, 1));
        assert!(status.last_message.is_some() && status.last_error.is_none());
        for source in sources {
            source.shutdown().await;
        }
        assert!(messages.recv().await.is_none());
        swallow(one.messages);
        swallow(two.messages);
    }
}

#[tokio::test]
async fn a_retained_message_is_marked_as_old() {
    let test = TestBroker::start().await;
    let mut publisher = Publisher::connect(&test.url(), None).await.unwrap();
    publisher.publish("a/status", b"old", Qos::AtLeastOnce, true).await.unwrap();
    until("it is retained", || test.broker.stats().retained == 1).await;
    let (sender, mut messages) = mqtt::queue(100);
    let _source = Source::spawn(config("outside", test.broker.local_addr()), sender);
    let message = next(&mut messages).await;
    assert_eq!((&message.payload[..], message.retained), (&b"old"[..], true));
}

#[tokio::test]
async fn a_source_comes_back_when_its_broker_does() {
    let test = TestBroker::start().await;
    let address = test.broker.local_addr();
    let (sender, mut messages) = mqtt::queue(100);
    let source = Source::spawn(config("outside", address), sender);
    subscribed(&source, &test).await;
    test.broker.shutdown().await;
    until("it notices", || !source.status().connected).await;
    let status = source.status();
    assert_eq!(status.disconnect_count, 1);
    assert!(status.last_error.is_some() && status.last_disconnect.is_some());

    let (sender, inner) = mqtt::queue(100);
    let again = BrokerConfig { listen: address, ..BrokerConfig::default() };
    let test = TestBroker { broker: Broker::bind(again, sender).await.unwrap(), messages: inner };
    subscribed(&source, &test).await;
    let mut publisher = Publisher::connect(&test.url(), None).await.unwrap();
    publisher.publish("t", b"back", Qos::AtLeastOnce, false).await.unwrap();
    assert_eq!(&next(&mut messages).await.payload[..], b"back");
    until("the error is over", || source.status().last_error.is_none()).await;
    assert_eq!(source.status().connect_count, 2);
}

#[tokio::test]
async fn a_broker_that_is_down_at_start_stops_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (sender, _messages) = mqtt::queue(100);
    let mut config = config("outside", address);
    config.username = Some("ana".into());
    config.password = Some("topsecret".into());
    let source = Source::spawn(config, sender);
    until("it has tried", || source.status().failed_attempts > 1).await;
    let status = source.status();
    assert_eq!(status.broker, format!("mqtt://ana:****@{address}"));
    let error = status.last_error.unwrap();
    assert!(error.contains("cannot connect to mqtt://ana:****@"), "{error}");
    timeout(PATIENCE, source.shutdown()).await.unwrap();
}

#[tokio::test]
async fn a_refused_login_is_explained() {
    let users = vec![User { name: "ana".into(), password: "right".into() }];
    let test = TestBroker::start_with(|config| config.users = users).await;
    for protocol in [SourceProtocol::Auto, SourceProtocol::V3_1_1] {
        let (sender, _messages) = mqtt::queue(100);
        let mut config = config("outside", test.broker.local_addr());
        config.protocol = protocol;
        let source = Source::spawn(config, sender);
        until("it is refused", || source.status().last_error.is_some()).await;
        let error = source.status().last_error.unwrap();
        assert!(error.contains("refused the connection"), "{error}");
    }
}

#[tokio::test]
async fn settings_that_cannot_work_show_in_the_status() {
    let (sender, mut messages) = mqtt::queue(100);
    let mut config = config("outside", ([127, 0, 0, 1], 1).into());
    config.topics = vec!["a/#/b".into()];
    let source = Source::spawn(config, sender);
    until("it says so", || source.status().last_error.is_some()).await;
    assert!(source.status().last_error.unwrap().contains("not a valid topic filter"));
    assert!(messages.recv().await.is_none());
}

/// Reads one packet of a client whose packets are shorter than 128 bytes.
async fn packet(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut header = [0; 2];
    timeout(PATIENCE, stream.read_exact(&mut header)).await.unwrap().unwrap();
    let mut body = vec![0; usize::from(header[1])];
    stream.read_exact(&mut body).await.unwrap();
    (header[0], body)
}

#[tokio::test]
async fn a_message_is_acknowledged_to_the_broker_when_it_is_safe_and_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, mut messages) = mqtt::queue(100);
    let mut config = config("outside", listener.local_addr().unwrap());
    config.protocol = SourceProtocol::V3_1_1;
    config.client_id = "keeper".into();
    config.session = SessionKind::Persistent { expiry: Duration::from_secs(3600) };
    let source = Source::spawn(config, sender);

    let (mut stream, _) = listener.accept().await.unwrap();
    let (kind, body) = packet(&mut stream).await;
    // CONNECT of 3.1.1 without the clean flag, and with the identifier.
    assert_eq!((kind, body[6], body[7] & 2), (0x10, 4, 0));
    assert!(body.ends_with(b"keeper"));
    stream.write_all(&[0x20, 2, 1, 0]).await.unwrap();
    assert_eq!(packet(&mut stream).await.0, 0x82);
    stream.write_all(&[0x90, 3, 0, 1, 1]).await.unwrap();
    stream.write_all(&[0x32, 6, 0, 1, b't', 0, 7, b'a', 0x32, 6, 0, 1, b't', 0, 8, b'b']).await.unwrap();
    let first = next(&mut messages).await;
    let second = next(&mut messages).await;
    second.ack.confirm();
    let shutdown = tokio::spawn(source.shutdown());
    let mut nothing = [0; 1];
    assert!(timeout(Duration::from_millis(50), stream.read(&mut nothing)).await.is_err());
    first.ack.confirm();
    assert_eq!(packet(&mut stream).await, (0x40, vec![0, 7]));
    assert_eq!(packet(&mut stream).await, (0x40, vec![0, 8]));
    assert_eq!(packet(&mut stream).await, (0xE0, vec![]));
    timeout(PATIENCE, shutdown).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_broker_that_knows_only_3_1_1_gets_3_1_1() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, _messages) = mqtt::queue(100);
    let mut config = config("outside", listener.local_addr().unwrap());
    config.topics = vec!["allowed".into(), "forbidden".into()];
    let source = Source::spawn(config, sender);
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(packet(&mut stream).await.1[6], 5);
    stream.write_all(&[0x20, 2, 0, 1]).await.unwrap();
    let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    assert_eq!(packet(&mut stream).await.1[6], 4);
    stream.write_all(&[0x20, 2, 0, 0]).await.unwrap();
    assert_eq!(packet(&mut stream).await.0, 0x82);
    stream.write_all(&[0x90, 4, 0, 1, 1, 0x80]).await.unwrap();
    until("the refused filter shows", || {
        source.status().last_error.is_some_and(|error| error.contains("the subscription to \"forbidden\""))
    })
    .await;
    assert!(source.status().connected);
}

#[tokio::test]
async fn a_broker_that_stops_answering_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, _messages) = mqtt::queue(100);
    let mut config = config("outside", listener.local_addr().unwrap());
    config.protocol = SourceProtocol::V3_1_1;
    config.keep_alive = Duration::from_secs(1);
    let source = Source::spawn(config, sender);
    let (mut stream, _) = listener.accept().await.unwrap();
    packet(&mut stream).await;
    stream.write_all(&[0x20, 2, 0, 0]).await.unwrap();
    assert_eq!(packet(&mut stream).await.0, 0x82);
    assert_eq!(packet(&mut stream).await, (0xC0, vec![]));
    until("it gives up", || {
        source.status().last_error.is_some_and(|error| error.contains("did not answer a ping"))
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_talks_nonsense_is_left_and_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, _messages) = mqtt::queue(100);
    let source = Source::spawn(config("outside", listener.local_addr().unwrap()), sender);
    for nonsense in
        [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0x20, 3, 0, 0, 9], &[0x20, 0xFF, 0xFF, 0xFF, 0xFF]]
    {
        let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        stream.write_all(nonsense).await.unwrap();
        let before = source.status().failed_attempts;
        until("it fails", || source.status().failed_attempts > before).await;
        assert!(!source.status().connected);
    }
}

#[tokio::test]
async fn a_broker_that_refuses_the_session_is_used_without_and_one_that_grants_only_qos_0_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (sender, mut messages) = mqtt::queue(100);
    let mut config = config("outside", listener.local_addr().unwrap());
    config.protocol = SourceProtocol::V3_1_1;
    config.client_id = "keeper".into();
    config.session = SessionKind::Persistent { expiry: Duration::from_secs(3600) };
    let source = Source::spawn(config, sender);

    let accept = async || {
        let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        let body = packet(&mut stream).await.1;
        (stream, body[7] & 2 == 2, body.ends_with(b"keeper"))
    };
    let (mut stream, clean, known) = accept().await;
    assert_eq!((clean, known), (false, true));
    // 2: the identifier is not accepted.
    stream.write_all(&[0x20, 2, 0, 2]).await.unwrap();
    let (mut stream, clean, known) = accept().await;
    assert_eq!((clean, known), (true, false));
    stream.write_all(&[0x20, 2, 0, 0]).await.unwrap();
    assert_eq!(packet(&mut stream).await.0, 0x82);
    // Quality of service 0 is granted where 1 was asked for, and a message comes with it.
    stream.write_all(&[0x90, 3, 0, 1, 0, 0x30, 4, 0, 1, b't', b'a']).await.unwrap();
    assert_eq!(&next(&mut messages).await.payload[..], b"a");
    assert!(source.status().connected && source.status().last_error.is_none());

    // Another refusal, and the session is asked for again: it may be granted by now.
    drop(stream);
    let (mut stream, clean, _) = accept().await;
    assert!(clean, "what worked is tried first");
    stream.write_all(&[0x20, 2, 0, 5]).await.unwrap();
    let (_stream, clean, known) = accept().await;
    assert_eq!((clean, known), (false, true));
}
