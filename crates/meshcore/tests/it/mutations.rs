//! Every vector changed in every small way. Deterministic, so that a failure can be repeated.

use crate::packets::violated;
use crate::vectors::{keys, vectors};

#[test]
fn nothing_breaks_when_any_bit_of_any_vector_flips() {
    let keys = keys();
    let mut cases = 0;
    for vector in vectors() {
        let mut bytes = vector.bytes;
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            violated(&bytes, &keys).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            cases += 1;
        }
    }
    assert!(cases > 200_000, "{cases}");
}

#[test]
fn nothing_breaks_when_any_vector_is_cut_or_made_longer() {
    let keys = keys();
    for vector in vectors() {
        for len in 0..vector.bytes.len() {
            violated(&vector.bytes[..len], &keys).unwrap();
            violated(&vector.bytes[len..], &keys).unwrap();
        }
        let mut longer = vector.bytes;
        for byte in (0..40).map(|i: u8| i.wrapping_mul(0x9D)) {
            longer.push(byte);
            violated(&longer, &keys).unwrap();
        }
    }
}

#[test]
fn nothing_breaks_for_any_header_and_path_byte_before_any_vector() {
    let keys = keys();
    for vector in vectors().iter().step_by(7) {
        let mut bytes = vector.bytes.clone();
        for header in 0..=u8::MAX {
            bytes[0] = header;
            for path_byte in (0..=u8::MAX).step_by(5) {
                bytes[1] = path_byte;
                violated(&bytes, &keys).unwrap();
            }
        }
    }
}
