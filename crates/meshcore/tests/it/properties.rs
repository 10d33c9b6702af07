//! What must hold of all packets, good or bad.

use meshcore::{
    AnonRequestPlaintext, AppData, ChannelKey, Frame, FrameBuilder, Identity, KeyRing, Location, NodeName,
    PathPlaintext, Payload, PayloadType, Plaintext, RequestPlaintext, ResponsePlaintext, Role, Route,
    ScopeKey, ScopeSet, TextContent, verify_batch,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::packets::{any_packet, any_path, violated};
use crate::vectors::keys;

proptest! {
    #[test]
    fn a_packet_of_any_type_is_read_as_it_was_built(packet in any_packet()) {
        let builder = FrameBuilder::new(packet.route, &packet.payload).path(packet.path.as_path());
        let builder = if packet.route.has_transport_codes() { builder.transport_codes(packet.codes) } else { builder };
        let bytes = builder.encode();
        let frame = Frame::parse(&bytes).unwrap();
        prop_assert_eq!(frame, builder.frame());
        prop_assert_eq!((frame.route(), frame.payload_type()), (packet.route, packet.payload.payload_type()));
        prop_assert_eq!(frame.transport_codes(), packet.route.has_transport_codes().then_some(packet.codes));
        prop_assert_eq!(frame.path().to_buf(), packet.path);
        prop_assert_eq!(format!("{:?}", frame.payload().unwrap()), packet.fields);
        prop_assert_eq!(violated(&bytes, &keys()), Ok(()));
    }

    #[test]
    fn all_copies_of_a_packet_have_one_hash_unless_it_is_a_trace(packet in any_packet(), other in any_path()) {
        let here = FrameBuilder::new(packet.route, &packet.payload).path(packet.path.as_path()).frame();
        let there = here.to_builder().route(Route::TransportFlood).path(other.as_path()).frame();
        let same_path_byte = here.path().byte() == there.path().byte();
        let same_expected = packet.payload.payload_type() != PayloadType::Trace || same_path_byte;
        prop_assert_eq!(here.content_hash() == there.content_hash(), same_expected);
    }

    #[test]
    fn nothing_breaks_for_any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(violated(&bytes, &keys()), Ok(()));
    }

    #[test]
    fn nothing_breaks_for_any_payload_of_any_type(payload_type in 0_u8..16, payload in vec(any::<u8>(), 0..200)) {
        let bytes = [&[1 | payload_type << 2, 0], &payload[..]].concat();
        prop_assert_eq!(violated(&bytes, &keys()), Ok(()));
    }

    #[test]
    fn a_text_to_a_channel_is_read_by_those_who_have_its_key(
        secret in prop_oneof![vec(any::<u8>(), 16), vec(any::<u8>(), 32)], timestamp: u32, attempt in 0_u8..4,
        text in vec(1_u8.., 0..=160),
    ) {
        let key = ChannelKey::from_bytes(&secret).unwrap();
        let content = TextContent { timestamp, txt_type: 0, attempt, author: None, text: &text };
        let payload = key.encrypt_text(&content).unwrap();
        let frame = FrameBuilder::new(Route::Flood, &payload).frame();
        let Ok(Payload::GroupText(sealed)) = frame.payload() else { panic!("not a group text") };
        let mut ring = KeyRing::with_public();
        prop_assert_eq!(ring.decrypt_text(&sealed), None);
        ring.add("ours", key);
        let read = ring.decrypt_text(&sealed).unwrap();
        prop_assert_eq!((read.channel, read.key_index, read.timestamp, read.attempt), ("ours", 1, timestamp, attempt));
        prop_assert_eq!(read.text_bytes, text);
    }

    #[test]
    fn data_to_a_channel_is_read_by_those_who_have_its_key(data_type: u16, data in vec(any::<u8>(), 0..=165)) {
        let payload = ChannelKey::hashtag("#test").encrypt_data(data_type, &data).unwrap();
        let frame = FrameBuilder::new(Route::Flood, &payload).frame();
        let Ok(Payload::GroupData(sealed)) = frame.payload() else { panic!("not group data") };
        let keys = keys();
        let read = keys.decrypt_data(&sealed).unwrap();
        prop_assert_eq!((read.channel, read.data_type, usize::from(read.len)), ("#test", data_type, data.len()));
        prop_assert_eq!(read.data, data);
    }

    #[test]
    fn a_signed_advert_verifies_and_a_changed_one_does_not(
        seed: [u8; 32], timestamp: u32, place: (i32, i32), name in "[^\0]{1,40}", flip in 0_usize..36 * 8,
    ) {
        let app = AppData::new(Role::Repeater).with_location(Location { lat_e6: place.0, lon_e6: place.1 });
        let app = app.with_name(NodeName::cut(&name, app.max_name_bytes())).unwrap();
        let payload = Identity::from_seed(&seed).advert(timestamp, &app).unwrap();
        let frame = FrameBuilder::new(Route::Flood, &payload).encode();
        let Ok(Payload::Advert(advert)) = Frame::parse(&frame).unwrap().payload() else { panic!("not an advert") };
        prop_assert!(advert.verify());
        prop_assert_eq!(advert.app(), Some(Ok(app)));
        let mut changed = frame.clone();
        changed[2 + flip / 8] ^= 1 << (flip % 8);
        let Ok(Payload::Advert(forged)) = Frame::parse(&changed).unwrap().payload() else { panic!("not an advert") };
        prop_assert!(!forged.verify());
        let batch = [advert, advert, forged, advert, advert];
        prop_assert_eq!(verify_batch(&batch), [true, true, false, true, true]);
    }

    #[test]
    fn what_one_node_encrypts_the_other_reads(
        seeds: [[u8; 32]; 2], time: u32, data in vec(1_u8.., 0..=90), path in any_path(), kind in 0..5,
    ) {
        prop_assume!(seeds[0] != seeds[1]);
        let [ann, bob] = seeds.map(|seed| Identity::from_seed(&seed));
        let sent = match kind {
            0 => Plaintext::Request(RequestPlaintext { tag: time, request_type: 3, arguments: &data }),
            1 => Plaintext::Response(ResponsePlaintext { tag: time, data: &data }),
            2 => Plaintext::Text(TextContent { timestamp: time, txt_type: 1, attempt: 7, author: None, text: &data }),
            3 => Plaintext::PathReturn(PathPlaintext { path: path.as_path(), extra_type: 3, extra: &data }),
            _ => Plaintext::AnonRequest(AnonRequestPlaintext { timestamp: time, data: &data }),
        };
        let payload = ann.encrypt(&bob.key(), &sent).unwrap();
        let frame = FrameBuilder::new(Route::Direct, &payload).frame();
        let received = frame.payload().unwrap();
        let opened = bob.decrypt(&ann.key(), &received).unwrap();
        prop_assert_eq!(ann.decrypt(&bob.key(), &received), Some(opened.clone()));
        // The length is not sent, so all but texts end in the zeros of the last block.
        let mut bytes = sent.encode().unwrap();
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        prop_assert_eq!(opened.bytes(), bytes);
        if kind == 2 {
            prop_assert_eq!(opened.plaintext(), Some(sent));
        } else {
            prop_assert_eq!(opened.plaintext().unwrap().payload_type(), sent.payload_type());
        }
    }

    #[test]
    fn a_scope_is_recognised_by_those_who_know_its_name(packet in any_packet(), name in "[a-z]{1,12}") {
        let codes = ScopeKey::from_name(&name).codes_for(packet.payload.payload_type(), packet.payload.bytes());
        let frame = FrameBuilder::new(packet.route, &packet.payload).transport_codes(codes).frame();
        prop_assert!(!matches!(codes.scope, 0 | 0xFFFF));
        let full_name = format!("#{name}");
        let scopes = ScopeSet::from_names([name]);
        prop_assert_eq!(scopes.recognise(&frame), Some(full_name.as_str()));
    }
}
