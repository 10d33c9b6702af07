use super::*;

fn message(text: &[u8]) -> ChannelMessage<'static> {
    let text_bytes = text.to_vec();
    ChannelMessage { channel: "Public", key_index: 0, timestamp: 0, txt_type: 0, attempt: 0, text_bytes }
}

fn split(text: &str) -> (Option<String>, String) {
    let message = message(text.as_bytes());
    (message.sender().map(Cow::into_owned), message.body().into_owned())
}

#[test]
fn the_sender_is_what_stands_before_the_first_colon_and_blank() {
    assert_eq!(split("Ann: hi"), (Some("Ann".into()), "hi".into()));
    assert_eq!(split("Ann: a: b"), (Some("Ann".into()), "a: b".into()));
    assert_eq!(split("🦦Bob: "), (Some("🦦Bob".into()), "".into()));
    for whole in ["no colon here", ": hi", "a:b: hi", "[x]: hi", "Ann:hi", ""] {
        assert_eq!(split(whole), (None, whole.into()));
    }
}

#[test]
fn a_sender_has_at_most_49_bytes() {
    let (longest, too_long) = ("n".repeat(49), "n".repeat(50));
    assert_eq!(split(&format!("{longest}: hi")), (Some(longest), "hi".into()));
    assert_eq!(split(&format!("{too_long}: hi")).0, None);
}

#[test]
fn text_that_is_not_utf8_is_kept_as_bytes_and_shown_with_replacements() {
    let message = message(b"Ann: \xFF!");
    assert_eq!(message.text_bytes, b"Ann: \xFF!");
    assert_eq!(message.body(), "\u{FFFD}!");
}

#[test]
fn a_key_of_32_bytes_with_zeros_in_the_upper_half_is_one_of_16() {
    let short = ChannelKey::from_bytes(&[7; 16]).unwrap();
    let padded = ChannelKey::from_bytes(&[[7; 16], [0; 16]].concat()).unwrap();
    let long = ChannelKey::from_bytes(&[7; 32]).unwrap();
    assert_eq!(short, padded);
    assert_eq!((short.bytes().len(), long.bytes().len()), (16, 32));
    assert_eq!(long.hash(), Sha256::digest([7; 32])[0]);
    assert_eq!(ChannelKey::from_bytes(&[7; 17]), Err(ChannelKeyError::Length { len: 17 }));
    assert_eq!(ChannelKey::from_hex("zz"), Err(ChannelKeyError::NotHex));
}

#[test]
fn hashtags_get_their_sign_when_it_is_missing_and_keep_their_case() {
    assert_eq!(ChannelKey::hashtag("test"), ChannelKey::hashtag("#test"));
    assert_ne!(ChannelKey::hashtag("#Test"), ChannelKey::hashtag("#test"));
}

#[test]
fn texts_and_data_have_the_firmwares_limits() {
    let key = ChannelKey::public();
    assert_eq!(key.encrypt_message(0, "Ann", &"x".repeat(155)).unwrap().bytes().len(), 179);
    let error = key.encrypt_message(0, "Ann", &"x".repeat(156)).unwrap_err();
    assert_eq!(error, BuildError::TooLong { field: "text", len: 161, max: 160 });
    assert_eq!(key.encrypt_message(0, "Ann", "a\0b"), Err(BuildError::Nul { field: "text" }));
    assert!(key.encrypt_data(0xFF00, &[1; 165]).is_ok());
    let error = key.encrypt_data(0xFF00, &[1; 166]).unwrap_err();
    assert_eq!(error, BuildError::TooLong { field: "data", len: 166, max: 165 });
    let attempt_4 = TextContent { attempt: 4, ..TextContent::plain(0, "hi") };
    assert!(key.encrypt_text(&attempt_4).is_err());
}

#[test]
fn of_keys_with_one_hash_byte_the_mac_decides_and_then_the_order() {
    // Two different keys that share the hash byte of the public channel, found by counting up.
    let twins: Vec<ChannelKey> = (0_u32..)
        .map(|i| ChannelKey::hashtag(&i.to_string()))
        .filter(|key| key.hash() == 0x11)
        .take(2)
        .collect();
    let payload = twins[1].encrypt_message(5, "Ann", "hi").unwrap();
    let frame = crate::FrameBuilder::new(crate::Route::Flood, &payload).frame();
    let Ok(Payload::GroupText(sealed)) = frame.payload() else { panic!("not a group text") };

    let mut ring = crate::KeyRing::with_public();
    ring.add("first", twins[0].clone());
    assert!(ring.has_hash(0x11) && !ring.has_hash(0x12));
    assert_eq!(ring.decrypt_text(&sealed), None);
    ring.add("second", twins[1].clone());
    ring.add("third", twins[1].clone());
    assert_eq!(ring.decrypt_text(&sealed).map(|read| (read.channel, read.key_index)), Some(("second", 2)));
    ring.add("first", twins[1].clone());
    assert_eq!(ring.decrypt_text(&sealed).map(|read| (read.channel, read.key_index)), Some(("first", 1)));
    assert_eq!(ring.len(), 4);
}
