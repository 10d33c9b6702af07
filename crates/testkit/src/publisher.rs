//! The few bytes of MQTT 3.1.1 that it takes to publish with QoS 0, independent of our own client.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A connection to a broker.
pub struct Publisher {
    stream: TcpStream,
}

impl Publisher {
    /// Connects without a login.
    ///
    /// # Panics
    /// When the broker cannot be reached or refuses.
    pub fn connect(address: &str) -> Self {
        let mut stream = TcpStream::connect(address).expect("the broker accepts connections");
        stream.set_nodelay(true).expect("a socket option");
        // CONNECT: protocol MQTT level 4, clean session, no keep-alive, client id `testkit`.
        let connect = b"\x10\x13\x00\x04MQTT\x04\x02\x00\x00\x00\x07testkit";
        stream.write_all(connect).expect("the request can be sent");
        let mut connack = [0; 4];
        stream.read_exact(&mut connack).expect("the broker answers");
        assert_eq!(connack, [0x20, 2, 0, 0], "the broker lets us in");
        Self { stream }
    }

    /// Publishes and does not wait.
    ///
    /// # Panics
    /// When the connection is gone.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) {
        let packet = publish_packet(0x30, topic, &[], payload);
        self.stream.write_all(&packet).expect("the message can be sent");
    }
}

/// A PUBLISH packet of MQTT 3.1.1; `packet_id` is empty at QoS 0.
pub(crate) fn publish_packet(first_byte: u8, topic: &str, packet_id: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![first_byte];
    let mut length = 2 + topic.len() + packet_id.len() + payload.len();
    loop {
        let digit = (length % 128) as u8;
        length /= 128;
        packet.push(if length > 0 { digit | 0x80 } else { digit });
        if length == 0 {
            break;
        }
    }
    packet.extend((topic.len() as u16).to_be_bytes());
    packet.extend(topic.as_bytes());
    packet.extend(packet_id);
    packet.extend(payload);
    packet
}
