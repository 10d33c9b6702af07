use super::*;
use serde_json::Value;

/// A row of the project's vectors: a frame, and what the firmware would make of it.
#[derive(serde::Deserialize)]
struct Vector {
    hex: String,
    expect: Value,
}

fn vectors() -> Vec<Vector> {
    let files = [
        include_str!("../../../../meshcore/testdata/real.jsonl"),
        include_str!("../../../../meshcore/testdata/edge.jsonl"),
    ];
    let rows = files.iter().flat_map(|file| file.lines());
    rows.map(|row| serde_json::from_str(row).expect("a vector is JSON")).collect()
}

fn decode(text: &str, keys: &KeyRing) -> Value {
    let mut out = Vec::new();
    print(&mut out, text, keys).expect("memory can be written");
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
    serde_json::from_slice(&out).expect("a line is JSON")
}

fn keys_of_the_vectors() -> KeyRing {
    let channels = ["#test", "#wardriving", "#bot", "#aa"].map(String::from).to_vec();
    key_ring(&DecodeArgs { frames: Vec::new(), keys: Vec::new(), channels }).expect("names are keys")
}

/// Every field of `expect` is printed with the same value; lines may say more.
fn assert_contains(line: &Value, expect: &Value, at: &str) {
    match (line, expect) {
        (Value::Object(line), Value::Object(expect)) => {
            for (key, value) in expect {
                let found = line.get(key).unwrap_or_else(|| panic!("{at}.{key} is missing"));
                assert_contains(found, value, &format!("{at}.{key}"));
            }
        }
        (line, expect) if line.is_number() && expect.is_number() => {
            assert_eq!(line.as_f64(), expect.as_f64(), "{at}");
        }
        (line, expect) => assert_eq!(line, expect, "{at}"),
    }
}

#[test]
fn all_vectors_are_printed_as_the_firmware_reads_them() {
    let keys = keys_of_the_vectors();
    let vectors = vectors();
    assert_eq!(vectors.len(), 429);
    for vector in vectors {
        assert_contains(&decode(&vector.hex, &keys), &vector.expect, &vector.hex);
    }
}

#[test]
fn nothing_is_printed_that_the_vectors_do_not_know_but_the_documented_additions() {
    let additions = ["channel", "sender", "err_field", "err_offset", "field", "offset"];
    let keys = keys_of_the_vectors();
    for vector in vectors() {
        let line = decode(&vector.hex, &keys);
        let extra = |line: &Value, expect: &Value| {
            let (Some(line), Some(expect)) = (line.as_object(), expect.as_object()) else {
                return Vec::new();
            };
            line.keys().filter(|key| !expect.contains_key(*key)).cloned().collect::<Vec<_>>()
        };
        let found = [extra(&line, &vector.expect), extra(&line["p"], &vector.expect["p"])].concat();
        assert!(found.iter().all(|key| additions.contains(&key.as_str())), "{}: {found:?}", vector.hex);
    }
}

#[test]
fn a_decrypted_text_names_channel_sender_and_text() {
    let line = decode("1500112379AC076505DAA61C2636516BCE59409C74", &KeyRing::with_public());
    assert_eq!(line["p"]["channel"], "Public");
    assert_eq!(line["p"]["sender"], "Ann");
    assert_eq!(line["p"]["text"], "Ann: hi");
}

#[test]
fn a_line_that_is_not_hex_is_said_to_be_so() {
    for text in ["xyz", "123", "12 34", "\u{202e}41"] {
        assert_eq!(decode(text, &KeyRing::new())["err"], "not hex", "{text:?}");
    }
}

#[test]
fn a_key_that_is_none_is_refused_by_number_and_not_repeated() {
    let args =
        DecodeArgs { frames: Vec::new(), keys: vec!["00".repeat(16), "c0ffee".into()], channels: Vec::new() };
    let error = format!("{:#}", key_ring(&args).expect_err("too short"));
    assert!(error.contains("--key number 2") && !error.contains("c0ffee"), "{error}");
}
