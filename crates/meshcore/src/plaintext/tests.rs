use super::*;

#[test]
fn a_text_of_a_late_attempt_carries_it_behind_the_text() {
    for attempt in [0, 3, 4, 7, 255] {
        let content = TextContent { attempt, ..TextContent::plain(9, "hi") };
        assert_eq!(TextContent::parse(&content.encode().unwrap()), Some(content));
    }
    // The byte behind the NUL must agree with the two bits in the flags, else it is filler.
    let garbage = [&9_u32.to_le_bytes()[..], &[0], b"hi\0\x05"].concat();
    assert_eq!(TextContent::parse(&garbage).map(|content| content.attempt), Some(0));
}

#[test]
fn a_signed_text_has_an_author_whose_prefix_may_contain_nul() {
    let content = TextContent { txt_type: 2, author: Some([0, 1, 0, 2]), ..TextContent::plain(9, "hi") };
    assert_eq!(TextContent::parse(&content.encode().unwrap()), Some(content));
    assert!(TextContent { author: None, ..content }.encode().is_err());
    assert!(TextContent { txt_type: 0, ..content }.encode().is_err());
    assert_eq!(TextContent::parse(&[0, 0, 0, 0, 2 << 2, 1, 2, 3]), None);
}

#[test]
fn an_acknowledgement_is_the_start_of_a_hash_over_time_flags_text_and_key() {
    let key = NodeKey([7; 32]);
    let content = TextContent { attempt: 5, ..TextContent::plain(0x0102_0304, "hi") };
    let expected = Sha256::digest([&[4, 3, 2, 1, 1][..], b"hi", &[7; 32]].concat());
    assert_eq!(content.ack_checksum(&key), expected[..4]);
}

#[test]
fn plaintexts_have_the_firmwares_limits() {
    let too_long = |plaintext: Plaintext<'_>| matches!(plaintext.encode(), Err(BuildError::TooLong { .. }));
    let bytes = [1; 170];
    let request = |len: usize| {
        Plaintext::Request(RequestPlaintext { tag: 0, request_type: 1, arguments: &bytes[..len] })
    };
    assert!(!too_long(request(162)) && too_long(request(163)));
    let anon =
        |len: usize| Plaintext::AnonRequest(AnonRequestPlaintext { timestamp: 0, data: &bytes[..len] });
    assert!(!too_long(anon(132)) && too_long(anon(133)));
    let path = |len: usize| {
        Plaintext::PathReturn(PathPlaintext { path: Path::EMPTY, extra_type: 1, extra: &bytes[..len] })
    };
    assert!(!too_long(path(161)) && too_long(path(162)));
    let text = "x".repeat(161);
    assert!(too_long(Plaintext::Text(TextContent::plain(0, &text))));
    assert!(!too_long(Plaintext::Text(TextContent { attempt: 9, ..TextContent::plain(0, &text[1..]) })));
}

#[test]
fn a_returned_path_is_read_with_its_own_hash_size() {
    let bytes = [0x42, 1, 2, 3, 4, 0x03, 9, 9, 9, 9, 0, 0];
    let Some(Plaintext::PathReturn(read)) = Plaintext::parse(PayloadType::PathReturn, &bytes) else {
        panic!("not a path")
    };
    assert_eq!(read.path.hops().map(|hop| hop.to_string()).collect::<Vec<_>>(), ["0102", "0304"]);
    assert_eq!((read.extra_payload_type(), read.extra.len()), (Some(PayloadType::Ack), 6));
    let filler = Plaintext::parse(PayloadType::PathReturn, &[0, 0xFF, 1, 2, 3, 4]);
    assert!(matches!(filler, Some(Plaintext::PathReturn(read)) if read.extra_payload_type().is_none()));
}

#[test]
fn what_is_too_short_or_of_another_type_is_no_plaintext() {
    for payload_type in PayloadType::ALL {
        assert_eq!(Plaintext::parse(payload_type, &[]), None);
    }
    assert_eq!(Plaintext::parse(PayloadType::PathReturn, &[0xC0, 1, 2, 3]), None);
    assert_eq!(Plaintext::parse(PayloadType::PathReturn, &[0x02, 1, 2]), None);
    assert_eq!(Plaintext::parse(PayloadType::GroupText, &[0; 32]), None);
}
