//! The client that publishes.

use mqtt::{BrokerUrl, Credentials, MqttError, Publisher, Qos, User};

use crate::support::{TestBroker, until};

#[tokio::test]
async fn everything_published_arrives_and_flush_waits_for_it() {
    let mut test = TestBroker::start().await;
    let mut publisher = Publisher::connect_with_window(&test.url(), None, 50).await.unwrap();
    let consuming = tokio::spawn(async move {
        for number in 0..2000_u32 {
            assert_eq!(test.next().await.payload[..], number.to_be_bytes());
        }
        test
    });
    for number in 0..2000_u32 {
        let qos = if number % 2 == 0 { Qos::AtMostOnce } else { Qos::AtLeastOnce };
        publisher.publish("t", number.to_be_bytes(), qos, false).await.unwrap();
        assert!(publisher.unacknowledged() <= 50);
    }
    publisher.flush().await.unwrap();
    assert_eq!(publisher.unacknowledged(), 0);
    let test = consuming.await.unwrap();
    assert_eq!(test.broker.stats().messages.total(), 2000);
    publisher.disconnect().await.unwrap();
}

#[tokio::test]
async fn what_was_published_before_a_drop_arrives() {
    let mut test = TestBroker::start().await;
    let mut publisher = Publisher::connect(&test.url(), None).await.unwrap();
    for _ in 0..1000 {
        publisher.publish("t", [1; 500], Qos::AtMostOnce, false).await.unwrap();
    }
    drop(publisher);
    for _ in 0..1000 {
        test.next().await;
    }
    until("it said goodbye", || test.closed(mqtt::CloseReason::Disconnected) == 1).await;
}

#[tokio::test]
async fn a_login_is_used_and_a_refusal_is_explained() {
    let users = vec![User { name: "ana".into(), password: "p w".into() }];
    let test = TestBroker::start_with(|config| config.users = users).await;
    let address = test.broker.local_addr();
    let url = BrokerUrl::parse(&format!("mqtt://ana:p%20w@{address}")).unwrap();
    Publisher::connect(&url, None).await.unwrap().disconnect().await.unwrap();
    let wrong = Credentials { username: "ana".into(), password: "topsecret".into() };
    let error = Publisher::connect(&url, Some(wrong)).await.unwrap_err();
    assert!(matches!(error, MqttError::Refused { .. }));
    let text = format!("{error} {error:?}");
    assert!(text.contains("not authorized") && text.contains("ana:****@") && !text.contains("topsecret"));
}

#[tokio::test]
async fn bad_topics_and_qos_2_are_errors_and_the_connection_lives_on() {
    let mut test = TestBroker::start().await;
    let mut publisher = Publisher::connect(&test.url(), None).await.unwrap();
    let long = "x".repeat(70_000);
    for topic in ["", "a/+", "#", "nul\0", long.as_str()] {
        let error = publisher.publish(topic, b"", Qos::AtMostOnce, false).await.unwrap_err();
        assert!(matches!(error, MqttError::BadPublish { .. }), "{error}");
    }
    assert!(publisher.publish("t", b"", Qos::ExactlyOnce, false).await.is_err());
    publisher.publish("t", b"good", Qos::AtMostOnce, false).await.unwrap();
    assert_eq!(&test.next().await.payload[..], b"good");
}

#[tokio::test]
async fn a_broker_that_goes_away_is_an_error_not_a_hang() {
    let test = TestBroker::start_with(|config| config.shutdown_grace = std::time::Duration::ZERO).await;
    let mut publisher = Publisher::connect_with_window(&test.url(), None, 2).await.unwrap();
    publisher.publish("t", b"held", Qos::AtLeastOnce, false).await.unwrap();
    until("it is there", || test.messages.depth() == 1).await;
    test.broker.shutdown().await;
    let error = async {
        loop {
            publisher.publish("t", b"x", Qos::AtLeastOnce, false).await?;
        }
    };
    let error: Result<(), MqttError> = error.await;
    assert!(matches!(error, Err(MqttError::Lost { .. })));
    assert!(matches!(publisher.flush().await, Err(MqttError::Lost { .. })));
}
