//! Bad input closes its own connection, is counted, and harms nobody else.

use mqtt::{CloseReason, RefuseReason};
use mqtt_protocol_core::mqtt::Version;
use mqtt_protocol_core::mqtt::packet::{Packet, Qos};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Options, TestClient};
use crate::support::{PATIENCE, TestBroker, until};

/// A CONNECT of 3.1.1 with the client identifier "r".
const CONNECT: [u8; 15] = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'r'];

/// Reads until the broker closes, or fails the test.
async fn read_to_close(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // A reset is a close as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the broker closes");
    answer
}

/// A repeatable stream of random bytes (xorshift64).
fn random_bytes(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }
}

#[tokio::test]
async fn packets_that_break_the_protocol_close_their_client_alone() {
    let mut test = TestBroker::start().await;
    let address = test.broker.local_addr();
    let mut bystander = TestClient::connect(address, Version::V3_1_1, "bystander").await;
    let cases: [(&[u8], CloseReason, u8); 14] = [
        (&[0x30, 5, 0, 3, b'a', b'/', b'+'], CloseReason::Topic, 0x90),
        (&[0x30, 4, 0, 2, b'#', b'x'], CloseReason::Topic, 0x90),
        (&[0x30, 4, 0, 2, b'a', 0], CloseReason::Topic, 0x90),
        (&[0x30, 3, 0, 0, 0], CloseReason::Topic, 0x90),
        (&[0x30, 5, 0, 2, 0xC3, 0x28, 0], CloseReason::Malformed, 0x81),
        (&[0x30, 2, 0, 9], CloseReason::Malformed, 0x81),
        (&[0x36, 5, 0, 1, b't', 0, 1], CloseReason::Malformed, 0x81),
        (&[0x32, 6, 0, 1, b't', 0, 0, 0], CloseReason::Protocol, 0x82),
        (&[0x82, 3, 0, 1, 0], CloseReason::Malformed, 0x81),
        (&[0x80, 6, 0, 1, 0, 1, b'a', 0], CloseReason::Malformed, 0x81),
        (&[0x20, 2, 0, 0], CloseReason::Protocol, 0x82),
        (&[0x00, 0], CloseReason::Protocol, 0x82),
        (&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], CloseReason::Malformed, 0x81),
        (&CONNECT, CloseReason::Protocol, 0x82),
    ];
    for (bytes, reason, code) in cases {
        for version in [Version::V3_1_1, Version::V5_0] {
            // In MQTT 5 the same bytes may be wrong for another reason, so there any violation counts.
            let count = |test: &TestBroker| match version {
                Version::V3_1_1 => test.closed(reason),
                _ => VIOLATIONS.iter().map(|violation| test.closed(*violation)).sum(),
            };
            let before = count(&test);
            let mut client = TestClient::connect(address, version, "bad").await;
            client.publish("good", b"before", Qos::AtMostOnce, false).await;
            client.send_raw(bytes).await;
            assert_eq!(&*test.next().await.topic, "good");
            match version {
                Version::V3_1_1 => client.expect_closed().await,
                _ => client.expect_disconnect_of_kind(code).await,
            }
            until(&format!("{bytes:02x?} is counted"), || count(&test) == before + 1).await;
        }
    }
    bystander.ping().await;
}

/// The reasons for which packets of this test are refused.
const VIOLATIONS: [CloseReason; 3] = [CloseReason::Malformed, CloseReason::Protocol, CloseReason::Topic];

impl TestClient {
    /// In MQTT 5 the same bytes may be wrong for another reason; the kind of the reason must be one of a violation.
    async fn expect_disconnect_of_kind(&mut self, _code: u8) {
        match self.next().await {
            Some(Packet::V5_0Disconnect(packet)) => {
                let code = packet.reason_code().map_or(0, |code| code as u8);
                assert!([0x81, 0x82, 0x90].contains(&code), "{code:#x}");
            }
            other => panic!("no DISCONNECT but {other:?}"),
        }
        self.expect_closed().await;
    }
}

#[tokio::test]
async fn a_payload_of_10_mb_is_refused_before_it_is_read() {
    let test = TestBroker::start().await;
    let address = test.broker.local_addr();
    for version in [Version::V3_1_1, Version::V5_0] {
        let mut client = TestClient::connect(address, version, "big").await;
        // A PUBLISH header that promises 10 MiB, and the first 64 KiB of it.
        client.send_raw(&[0x30, 0x80, 0x80, 0x80, 0x05, 0, 1, b't']).await;
        // The broker may have closed by now.
        let _ = client.stream.write_all(&vec![0; 64 << 10]).await;
        match version {
            Version::V3_1_1 => client.expect_closed().await,
            _ => client.expect_disconnect(0x95).await,
        }
    }
    until("both are counted", || test.closed(CloseReason::TooLarge) == 2).await;
}

#[tokio::test]
async fn the_largest_payload_allowed_arrives() {
    let mut test = TestBroker::start().await;
    let mut client = TestClient::connect(test.broker.local_addr(), Version::V3_1_1, "big").await;
    let payload: Vec<u8> = (0..256 << 10).map(|i| (i % 251) as u8).collect();
    client.publish("t", &payload, Qos::AtMostOnce, false).await;
    assert!(test.next().await.payload == payload);
}

#[tokio::test]
async fn what_is_not_mqtt_is_refused_at_once() {
    let test = TestBroker::start().await;
    let cases: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0x16, 3, 1, 2, 0, 1, 0],
        &[0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x10, 4, 0, 2, b'X', b'Y'],
        &[0xC0, 0],
        // CONNECT with the reserved flag set.
        &[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 3, 0, 60, 0, 1, b'r'],
    ];
    for bytes in cases {
        let mut stream = TcpStream::connect(test.broker.local_addr()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        assert!(read_to_close(&mut stream).await.is_empty(), "{bytes:?}");
    }
    until("all are counted", || test.refused(RefuseReason::NotMqtt) == 6).await;
}

#[tokio::test]
async fn an_unknown_version_is_told_so() {
    let test = TestBroker::start().await;
    for (level, answer) in [(3, vec![0x20, 2, 0, 1]), (6, vec![0x20, 3, 0, 0x84, 0])] {
        let mut stream = TcpStream::connect(test.broker.local_addr()).await.unwrap();
        let mut connect = CONNECT;
        connect[8] = level;
        stream.write_all(&connect).await.unwrap();
        let mut received = vec![0; answer.len()];
        timeout(PATIENCE, stream.read_exact(&mut received)).await.unwrap().unwrap();
        assert_eq!(received, answer);
    }
    assert_eq!(test.refused(RefuseReason::Version), 2);
}

#[tokio::test]
async fn an_empty_client_id_without_a_clean_session_is_refused() {
    let test = TestBroker::start().await;
    let options = Options { lasting_session: true, ..Options::default() };
    let (_, answer) = TestClient::try_connect(test.broker.local_addr(), Version::V3_1_1, "", options).await;
    let Some(Packet::V3_1_1Connack(connack)) = answer else { panic!("{answer:?}") };
    assert_eq!(connack.return_code() as u8, 2);
    assert_eq!(test.refused(RefuseReason::ClientId), 1);
}

#[tokio::test]
async fn random_bytes_never_stop_the_broker() {
    let test = TestBroker::start().await;
    let address = test.broker.local_addr();
    for seed in 0..300 {
        let mut random = random_bytes(seed * 7919);
        let mut bytes: Vec<u8> = (0..seed % 200).map(|_| random()).collect();
        match seed % 3 {
            // After a proper CONNECT, and packets of each kind with random bodies.
            0 => {
                let mut good = CONNECT.to_vec();
                for kind in 0..16_u8 {
                    let length = random() % 40;
                    good.extend([kind << 4 | [0, 2, random() & 15][usize::from(seed as u8 % 2)], length]);
                    good.extend((0..length).map(|_| random()));
                }
                bytes = good;
            }
            // A CONNECT with some bytes changed.
            1 => {
                bytes = CONNECT.to_vec();
                for _ in 0..3 {
                    let place = usize::from(random()) % bytes.len();
                    bytes[place] = random();
                }
            }
            _ => {}
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The broker may close before it has read all of it.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        read_to_close(&mut stream).await;
    }
    TestClient::connect(address, Version::V5_0, "after").await.ping().await;
    until("every connection is accounted for", || {
        let stats = test.broker.stats();
        let refused: u64 = stats.refused.iter().map(|(_, count)| count).sum();
        let closed: u64 = stats.closed.iter().map(|(_, count)| count).sum();
        stats.connections_total == 301 && refused + closed == 301 && closed == stats.connects_total
    })
    .await;
}

#[tokio::test]
async fn a_stream_sent_byte_by_byte_or_split_anywhere_arrives_whole() {
    let mut test = TestBroker::start().await;
    let mut random = random_bytes(42);
    for round in 0..3 {
        let mut stream = TcpStream::connect(test.broker.local_addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut bytes = CONNECT.to_vec();
        let payloads: Vec<Vec<u8>> =
            (0..200_usize).map(|number| vec![number as u8; number * 3 % 300]).collect();
        for (number, payload) in payloads.iter().enumerate() {
            let length = 2 + 3 + 2 + payload.len();
            bytes.push(0x32);
            if length > 127 {
                bytes.push((length & 127) as u8 | 128);
                bytes.push((length >> 7) as u8);
            } else {
                bytes.push(length as u8);
            }
            bytes.extend([0, 3, b't', b'/', b'x', 0, number as u8 + 1]);
            bytes.extend(payload);
        }
        let sending = async {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let size = if round == 0 { 1 } else { 1 + usize::from(random()) % 700 };
                let (now, later) = rest.split_at(size.min(rest.len()));
                stream.write_all(now).await.unwrap();
                // Lets the broker read this piece on its own.
                tokio::task::yield_now().await;
                rest = later;
            }
        };
        let receiving = async {
            for payload in &payloads {
                assert!(test.next().await.payload == payload[..]);
            }
        };
        tokio::join!(sending, receiving);
        let mut answers = vec![0; 4 + 4 * payloads.len()];
        timeout(PATIENCE, stream.read_exact(&mut answers)).await.unwrap().unwrap();
        assert_eq!(answers[..4], [0x20, 2, 0, 0]);
        for (number, answer) in answers[4..].chunks(4).enumerate() {
            assert_eq!(answer, [0x40, 2, 0, number as u8 + 1]);
        }
    }
}

#[tokio::test]
async fn a_client_that_never_reads_cannot_make_the_broker_keep_its_answers() {
    let test =
        TestBroker::start_with(|config| config.write_timeout = std::time::Duration::from_millis(500)).await;
    let mut stream = TcpStream::connect(test.broker.local_addr()).await.unwrap();
    stream.write_all(&CONNECT).await.unwrap();
    let pings = [0xC0, 0].repeat(32 << 10);
    let flooding = async {
        // It ends when the broker has closed; a broker that kept everything would never let it end.
        while stream.write_all(&pings).await.is_ok() {}
    };
    timeout(PATIENCE, flooding).await.expect("the broker stops reading, then closes");
    until("it is counted", || test.closed(CloseReason::WriteTimeout) == 1).await;
}
