use super::*;
use crate::plaintext::{AnonRequestPlaintext, TextContent};
use crate::{FrameBuilder, Route, decode_hex};

fn hex_32(digits: &str) -> [u8; 32] {
    decode_hex(digits).unwrap().try_into().unwrap()
}

#[test]
fn a_seed_makes_the_keys_and_signatures_of_rfc_8032() {
    let seed = hex_32("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let identity = Identity::from_seed(&seed);
    assert_eq!(identity.key().0, hex_32("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                     085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    assert_eq!(identity.sign(&[0x72])[..], decode_hex(signature).unwrap());
}

#[test]
fn both_sides_share_a_secret_and_a_key_off_the_curve_shares_none() {
    let (ann, bob) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[2; 32]));
    assert_eq!(ann.shared_secret(&bob.key()), bob.shared_secret(&ann.key()));
    let off_the_curve = (0..=u8::MAX).map(|y| NodeKey([y; 32])).find(|key| ann.shared_secret(key).is_none());
    let text = Plaintext::Text(TextContent::plain(0, "hi"));
    assert!(ann.encrypt(&off_the_curve.unwrap(), &text).is_err());
}

#[test]
fn the_secret_is_x25519_of_the_keys_as_rfc_7748_has_it() {
    // The same scalar multiplication from the other side: a Montgomery base point instead of an Edwards key.
    let (ann, bob) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[2; 32]));
    let bobs_point = curve25519_dalek::MontgomeryPoint::mul_base_clamped(first_half(&bob.expanded));
    let expected = bobs_point.mul_clamped(first_half(&ann.expanded));
    assert_eq!(ann.shared_secret(&bob.key()).unwrap().as_bytes(), expected.as_bytes());
}

#[test]
fn a_payload_between_others_is_not_opened() {
    let [ann, bob, eve] = [1, 2, 3].map(|seed| Identity::from_seed(&[seed; 32]));
    let login = Plaintext::AnonRequest(AnonRequestPlaintext { timestamp: 5, data: b"password" });
    for plaintext in [Plaintext::Text(TextContent::plain(0, "hi")), login] {
        let payload = ann.encrypt(&bob.key(), &plaintext).unwrap();
        let frame = FrameBuilder::new(Route::Flood, &payload).frame();
        let payload = frame.payload().unwrap();
        assert!(bob.decrypt(&ann.key(), &payload).is_some());
        assert!(ann.decrypt(&bob.key(), &payload).is_some());
        assert_eq!(eve.decrypt(&ann.key(), &payload), None);
        assert_eq!(bob.decrypt(&eve.key(), &payload), None);
    }
}
