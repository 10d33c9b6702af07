//! A test client whose protocol state is `mqtt-protocol-core`'s, so that what the broker says is judged by code that is not ours.

use std::collections::VecDeque;
use std::net::SocketAddr;

use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{Event, role};
use mqtt_protocol_core::mqtt::packet::{
    GenericPacketTrait as _, Packet, Qos, SubEntry, SubOpts, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::{Connection, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::PATIENCE;

pub(crate) struct TestClient {
    pub(crate) stream: TcpStream,
    connection: Connection<role::Client>,
    received: VecDeque<Packet>,
    version: Version,
}

/// A PUBLISH as a subscriber gets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) packet_id: Option<u16>,
}

/// What a test wants to differ in the CONNECT.
#[derive(Default)]
pub(crate) struct Options<'a> {
    pub(crate) login: Option<(&'a str, &'a str)>,
    pub(crate) will: Option<(&'a str, &'a [u8], Qos, bool)>,
    pub(crate) keep_alive: u16,
    pub(crate) lasting_session: bool,
}

impl TestClient {
    /// Connects and expects to be let in.
    pub(crate) async fn connect(address: SocketAddr, version: Version, id: &str) -> Self {
        Self::connect_with(address, version, id, Options::default()).await
    }

    pub(crate) async fn connect_with(
        address: SocketAddr,
        version: Version,
        id: &str,
        options: Options<'_>,
    ) -> Self {
        let (client, connack) = Self::try_connect(address, version, id, options).await;
        match connack {
            Some(Packet::V3_1_1Connack(connack)) => {
                assert!(connack.return_code().is_success() && !connack.session_present());
            }
            Some(Packet::V5_0Connack(connack)) => {
                assert_eq!(connack.reason_code() as u8, 0);
                assert!(!connack.session_present());
            }
            other => panic!("no CONNACK but {other:?}"),
        }
        client
    }

    /// Connects and returns what the broker answers.
    pub(crate) async fn try_connect(
        address: SocketAddr,
        version: Version,
        id: &str,
        options: Options<'_>,
    ) -> (Self, Option<Packet>) {
        let stream = TcpStream::connect(address).await.unwrap();
        let connection = Connection::new(version);
        let mut client = Self { stream, connection, received: VecDeque::new(), version };
        client.send(connect_packet(version, id, &options)).await;
        let answer = client.next().await;
        (client, answer)
    }

    /// Sends a packet that the protocol allows.
    pub(crate) async fn send(&mut self, packet: impl Into<Packet>) {
        let events = self.connection.send(packet.into());
        self.act(events).await;
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next packet; `None` = the broker closed.
    pub(crate) async fn next(&mut self) -> Option<Packet> {
        timeout(PATIENCE, self.receive()).await.expect("a packet in time")
    }

    /// Expects the broker to close without another packet.
    pub(crate) async fn expect_closed(&mut self) {
        let next = self.next().await;
        assert!(next.is_none(), "{next:?}");
    }

    /// Expects a DISCONNECT of MQTT 5, then the close.
    pub(crate) async fn expect_disconnect(&mut self, code: u8) {
        match self.next().await {
            Some(Packet::V5_0Disconnect(packet)) => {
                assert_eq!(packet.reason_code().map(|code| code as u8), Some(code));
            }
            other => panic!("no DISCONNECT but {other:?}"),
        }
        self.expect_closed().await;
    }

    pub(crate) async fn publish(
        &mut self,
        topic: &str,
        payload: &[u8],
        qos: Qos,
        retain: bool,
    ) -> Option<u16> {
        let id = (qos != Qos::AtMostOnce).then(|| self.connection.acquire_packet_id().unwrap());
        let packet: Packet = match self.version {
            Version::V3_1_1 => {
                let mut packet =
                    v3_1_1::Publish::builder().topic_name(topic).unwrap().qos(qos).retain(retain);
                if let Some(id) = id {
                    packet = packet.packet_id(id);
                }
                packet.payload(payload).build().unwrap().into()
            }
            _ => {
                let mut packet = v5_0::Publish::builder().topic_name(topic).unwrap().qos(qos).retain(retain);
                if let Some(id) = id {
                    packet = packet.packet_id(id);
                }
                packet.payload(payload).build().unwrap().into()
            }
        };
        self.send(packet).await;
        id
    }

    /// Subscribes and returns the answers.
    pub(crate) async fn subscribe(&mut self, filters: &[(&str, SubOpts)]) -> Vec<u8> {
        let id = self.connection.acquire_packet_id().unwrap();
        let entries: Vec<SubEntry> =
            filters.iter().map(|(filter, options)| SubEntry::new(*filter, *options).unwrap()).collect();
        let packet: Packet = match self.version {
            Version::V3_1_1 => {
                v3_1_1::Subscribe::builder().packet_id(id).entries(entries).build().unwrap().into()
            }
            _ => v5_0::Subscribe::builder().packet_id(id).entries(entries).build().unwrap().into(),
        };
        self.send(packet).await;
        match self.next().await {
            Some(Packet::V3_1_1Suback(packet)) => {
                packet.return_codes().iter().map(|code| *code as u8).collect()
            }
            Some(Packet::V5_0Suback(packet)) => {
                packet.reason_codes().iter().map(|code| *code as u8).collect()
            }
            other => panic!("no SUBACK but {other:?}"),
        }
    }

    pub(crate) async fn unsubscribe(&mut self, filter: &str) {
        let id = self.connection.acquire_packet_id().unwrap();
        let packet: Packet = match self.version {
            Version::V3_1_1 => {
                let builder = v3_1_1::Unsubscribe::builder().packet_id(id);
                builder.entries(vec![filter]).unwrap().build().unwrap().into()
            }
            _ => {
                let builder = v5_0::Unsubscribe::builder().packet_id(id);
                builder.entries(vec![filter]).unwrap().build().unwrap().into()
            }
        };
        self.send(packet).await;
        let answer = self.next().await;
        assert!(matches!(answer, Some(Packet::V3_1_1Unsuback(_) | Packet::V5_0Unsuback(_))), "{answer:?}");
    }

    /// Sends a ping and waits for its answer: everything before it has been handled then.
    pub(crate) async fn ping(&mut self) {
        match self.version {
            Version::V3_1_1 => self.send(v3_1_1::Pingreq::new()).await,
            _ => self.send(v5_0::Pingreq::new()).await,
        }
        let answer = self.next().await;
        assert!(matches!(answer, Some(Packet::V3_1_1Pingresp(_) | Packet::V5_0Pingresp(_))), "{answer:?}");
    }

    /// Says goodbye and closes.
    pub(crate) async fn disconnect(mut self) {
        match self.version {
            Version::V3_1_1 => self.send(v3_1_1::Disconnect::new()).await,
            _ => self.send(v5_0::Disconnect::builder().build().unwrap()).await,
        }
    }

    /// The next packet, which must be a PUBLISH; acknowledges it if asked to.
    pub(crate) async fn next_publish(&mut self, acknowledge: bool) -> Received {
        let received = match self.next().await {
            Some(Packet::V3_1_1Publish(packet)) => Received {
                topic: packet.topic_name().to_owned(),
                payload: packet.payload().as_slice().to_vec(),
                qos: packet.qos() as u8,
                retain: packet.retain(),
                packet_id: packet.packet_id(),
            },
            Some(Packet::V5_0Publish(packet)) => Received {
                topic: packet.topic_name().to_owned(),
                payload: packet.payload().as_slice().to_vec(),
                qos: packet.qos() as u8,
                retain: packet.retain(),
                packet_id: packet.packet_id(),
            },
            other => panic!("no PUBLISH but {other:?}"),
        };
        if let Some(id) = received.packet_id.filter(|_| acknowledge) {
            match self.version {
                Version::V3_1_1 => {
                    self.send(v3_1_1::Puback::builder().packet_id(id).build().unwrap()).await;
                }
                _ => self.send(v5_0::Puback::builder().packet_id(id).build().unwrap()).await,
            }
        }
        received
    }

    /// The next packet, which must be a PUBACK.
    pub(crate) async fn next_puback(&mut self) -> u16 {
        match self.next().await {
            Some(Packet::V3_1_1Puback(packet)) => packet.packet_id(),
            Some(Packet::V5_0Puback(packet)) => packet.packet_id(),
            other => panic!("no PUBACK but {other:?}"),
        }
    }

    async fn receive(&mut self) -> Option<Packet> {
        let mut bytes = [0; 4096];
        while self.received.is_empty() {
            let count = self.stream.read(&mut bytes).await.unwrap_or(0);
            if count == 0 {
                return None;
            }
            let mut cursor = Cursor::new(&bytes[..count]);
            while cursor.position() < count as u64 {
                let events = self.connection.recv(&mut cursor);
                self.act(events).await;
            }
        }
        self.received.pop_front()
    }

    async fn act(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::RequestSendPacket { packet, .. } => {
                    self.stream.write_all(&packet.to_continuous_buffer()).await.unwrap();
                }
                Event::NotifyPacketReceived(packet) => self.received.push_back(packet),
                Event::NotifyError(error) => panic!("the broker broke the protocol: {error}"),
                _ => {}
            }
        }
    }
}

fn connect_packet(version: Version, id: &str, options: &Options<'_>) -> Packet {
    match version {
        Version::V3_1_1 => {
            let mut packet = v3_1_1::Connect::builder()
                .client_id(id)
                .unwrap()
                .clean_session(!options.lasting_session)
                .keep_alive(options.keep_alive);
            if let Some((topic, payload, qos, retain)) = options.will {
                packet = packet.will_message(topic, payload.to_vec(), qos, retain).unwrap();
            }
            if let Some((name, password)) = options.login {
                packet = packet.user_name(name).unwrap().password(password).unwrap();
            }
            packet.build().unwrap().into()
        }
        _ => {
            let mut packet = v5_0::Connect::builder()
                .client_id(id)
                .unwrap()
                .clean_start(!options.lasting_session)
                .keep_alive(options.keep_alive);
            if let Some((topic, payload, qos, retain)) = options.will {
                packet = packet.will_message(topic, payload.to_vec(), qos, retain).unwrap();
            }
            if let Some((name, password)) = options.login {
                packet = packet.user_name(name).unwrap().password(password).unwrap();
            }
            packet.build().unwrap().into()
        }
    }
}
