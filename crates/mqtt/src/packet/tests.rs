use bytes::BytesMut;
use proptest::prelude::*;

use super::frames::{FrameBuffer, Frames};
use super::publish::{self, PublishOut};
use super::*;

/// Feeds `bytes` in pieces and returns each packet's first byte and body.
fn cut(bytes: &[u8], pieces: &[usize]) -> Vec<(u8, Vec<u8>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut buffer = FrameBuffer::new(1 << 20);
        let mut packets = Vec::new();
        let mut collect = |frames: Frames| {
            let whole = frames.bytes().clone();
            packets.extend(frames.map(|frame| (frame.first_byte, whole[frame.start..frame.end].to_vec())));
        };
        let mut rest = bytes;
        let mut pieces = pieces.iter().cycle();
        while !rest.is_empty() {
            let size = (*pieces.next().unwrap()).min(rest.len());
            let (mut now, later) = rest.split_at(size);
            while !now.is_empty() {
                buffer.fill(&mut now).await.unwrap();
                collect(buffer.take().unwrap());
            }
            rest = later;
        }
        packets
    })
}

proptest! {
    #[test]
    fn a_stream_cut_anywhere_gives_the_same_packets(
        packets in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..300)), 1..20),
        pieces in prop::collection::vec(1_usize..500, 1..10),
    ) {
        let mut stream = BytesMut::new();
        for (first_byte, body) in &packets {
            stream.extend_from_slice(&[*first_byte]);
            put_length(&mut stream, body.len());
            stream.extend_from_slice(body);
        }
        prop_assert_eq!(cut(&stream, &pieces), packets);
    }

    #[test]
    fn a_length_survives_its_encoding(length in 0_usize..268_435_456) {
        let mut out = BytesMut::new();
        put_length(&mut out, length);
        prop_assert_eq!(read_length(&out), Ok(Some((length, out.len()))));
        prop_assert_eq!(read_length(&out[..out.len() - 1]), Ok(None));
    }

    #[test]
    fn a_publish_survives_its_encoding(
        topic in "[a-z/]{1,300}",
        payload in prop::collection::vec(any::<u8>(), 0..500),
        retain in any::<bool>(),
        packet_id in prop::option::of(1_u16..),
        v5 in any::<bool>(),
        key in "[a-z]{0,200}",
    ) {
        let version = if v5 { ProtocolVersion::V5 } else { ProtocolVersion::V3_1_1 };
        // A user property without a value.
        let mut properties = vec![0x26, 0, key.len() as u8];
        properties.extend(key.as_bytes());
        properties.extend([0, 0]);
        let written = PublishOut { topic: &topic, payload: &payload, properties: &properties, retain, packet_id };
        let mut out = BytesMut::new();
        publish::write(&mut out, &written, version);
        prop_assert!(out.len() <= publish::packet_size(&written, version));
        let packets = cut(&out, &[10_000]);
        prop_assert_eq!(packets.len(), 1);
        let (first_byte, body) = &packets[0];
        let read = publish::read(*first_byte, body, version).unwrap();
        prop_assert_eq!(&body[read.topic], topic.as_bytes());
        prop_assert_eq!(&body[read.payload], &payload[..]);
        prop_assert_eq!(&body[read.properties], if v5 { &properties[..] } else { &[] });
        prop_assert_eq!((read.retain, read.packet_id), (retain, packet_id));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(first_byte in any::<u8>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5] {
            let _ = publish::read(first_byte, &body, version);
            let _ = answered_packet_id(&body, version);
        }
        let _ = connect::read(0x10, &body);
        for level in [4, 5] {
            let mut named = vec![0, 4, b'M', b'Q', b'T', b'T', level];
            named.extend(&body);
            let _ = connect::read(0x10, &named);
        }
        let _ = read_length(&body);
    }

    #[test]
    fn a_changed_connect_never_makes_the_decoder_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut body = connect_v5_with_everything();
        for (place, byte) in changes {
            let place = place.index(body.len());
            body[place] = byte;
        }
        body.truncate(cut.index(body.len() + 1));
        let _ = connect::read(0x10, &body);
    }
}

/// The body of a CONNECT of MQTT 5 with properties, a will with properties, and a login.
fn connect_v5_with_everything() -> Vec<u8> {
    let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 5, 0b1110_1110, 0, 60];
    // Receive maximum 20, maximum packet size 1000, session expiry 10.
    body.extend([13, 0x21, 0, 20, 0x27, 0, 0, 3, 0xE8, 0x11, 0, 0, 0, 10]);
    body.extend([0, 2, b'i', b'd']);
    // Will delay 5 and payload format 1.
    body.extend([7, 0x18, 0, 0, 0, 5, 0x01, 1]);
    body.extend([0, 1, b't', 0, 3, b'b', b'y', b'e', 0, 1, b'u', 0, 1, b'p']);
    body
}

#[test]
fn a_connect_of_mqtt_5_is_read_in_full() {
    let connect = connect::read(0x10, &connect_v5_with_everything()).unwrap();
    assert_eq!(connect.version, ProtocolVersion::V5);
    assert_eq!((connect.client_id.as_str(), connect.clean, connect.keep_alive), ("id", true, 60));
    assert_eq!((connect.receive_maximum, connect.max_packet, connect.wants_session), (20, 1000, true));
    assert_eq!((connect.username.as_deref(), connect.password.as_deref()), (Some("u"), Some(&b"p"[..])));
    let will = connect.will.unwrap();
    assert_eq!((will.topic.as_str(), &will.payload[..], will.retain), ("t", &b"bye"[..], true));
    assert_eq!(will.qos, crate::message::Qos::AtLeastOnce);
    // The delay stays behind, the payload format travels.
    assert_eq!(will.properties[..], [0x01, 1]);
}

#[test]
fn a_packet_above_the_limit_is_reported_after_those_before_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut buffer = FrameBuffer::new(100);
        let mut stream = &[0xC0, 0, 0x30, 0xFF, 0xFF, 0x03][..];
        buffer.fill(&mut stream).await.unwrap();
        assert_eq!(buffer.take().unwrap().count(), 1);
        assert!(matches!(buffer.take(), Err(Violation::TooLarge(65539))));
    });
}
