//! The recorded and the invented frames, against what the firmware would make of them.

use meshcore::{Advert, Frame, Identity, KeyRing, Payload, decode_hex, verify_batch};
use serde_json::Value;

use crate::render::expectation;

const REAL: &str = include_str!("../../testdata/real.jsonl");
const EDGE: &str = include_str!("../../testdata/edge.jsonl");

pub(crate) struct Vector {
    /// For messages: the file, the line and the name of the frame where it has one.
    pub(crate) label: String,
    pub(crate) bytes: Vec<u8>,
    expect: Value,
}

/// All 429: 347 mostly captured on air, 82 made for a purpose.
pub(crate) fn vectors() -> Vec<Vector> {
    let file = |name: &'static str, text: &'static str| {
        text.lines().enumerate().map(move |(i, line)| {
            let mut row: Value = serde_json::from_str(line).unwrap();
            Vector {
                label: format!("{name} line {}: {}", i + 1, row["name"].as_str().unwrap_or("-")),
                bytes: decode_hex(row["hex"].as_str().unwrap()).unwrap(),
                expect: row["expect"].take(),
            }
        })
    };
    file("real", REAL).chain(file("edge", EDGE)).collect()
}

/// The channels whose keys the vectors know.
pub(crate) fn keys() -> KeyRing {
    let mut keys = KeyRing::with_public();
    ["#test", "#wardriving", "#bot", "#aa"].into_iter().for_each(|name| keys.add_hashtag(name));
    keys
}

#[test]
fn every_vector_is_read_as_the_firmware_reads_it() {
    let (keys, vectors) = (keys(), vectors());
    assert_eq!(vectors.len(), 429);
    let wrong: Vec<String> = vectors
        .iter()
        .map(|vector| (vector, expectation(&vector.bytes, &keys)))
        .filter(|(vector, ours)| *ours != vector.expect)
        .map(|(vector, ours)| format!("{}\n  expected {}\n  got      {ours}", vector.label, vector.expect))
        .collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_good_vector_encodes_to_its_own_bytes_and_so_does_its_payload() {
    let vectors = vectors();
    let mut payloads = 0;
    for vector in &vectors {
        let Ok(frame) = Frame::parse(&vector.bytes) else { continue };
        assert_eq!(frame.encode(), vector.bytes, "{}", vector.label);
        if let Ok(payload) = frame.payload() {
            assert_eq!(payload.to_buf().unwrap(), frame.payload_buf(), "{}", vector.label);
            payloads += 1;
        }
    }
    assert!(payloads > 400);
}

#[test]
fn a_batch_gives_the_verdicts_of_single_checks() {
    let vectors = vectors();
    let frames = vectors.iter().filter_map(|vector| Frame::parse(&vector.bytes).ok());
    let adverts: Vec<Advert<'_>> = frames
        .filter_map(|frame| match frame.payload() {
            Ok(Payload::Advert(advert)) => Some(advert),
            _ => None,
        })
        .collect();
    let single: Vec<bool> = adverts.iter().map(Advert::verify).collect();
    assert_eq!(verify_batch(&adverts), single);
    assert!(single.contains(&true) && single.contains(&false));
    assert_eq!(verify_batch(&[]), [false; 0]);
}

#[test]
fn the_test_key_of_the_firmware_makes_the_firmwares_public_key() {
    let private = "7065e18fd9fabb70c1ed90dca19907de698c88b709ea146eafd93d9b830c7b60\
                   c4681193c79bbc39945ba8064104bb618f8fd7a84a0af6f57033d6e8ddcd6471";
    let private: [u8; 64] = decode_hex(private).unwrap().try_into().unwrap();
    let public = "1ec77175b0918ed206f9ae04ec136d6d5d4315bb26305427f645b492e9350c10";
    assert_eq!(Identity::from_expanded(&private).key().to_string(), public);
}
