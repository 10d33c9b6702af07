//! Bad input by MQTT: each message has one outcome, the books add up, and the good ones are all there.

use crate::{binary, capture_lines, outcome_sum};
use testkit::{Publisher, Server, eventually};

const KEY: &str = "4F3C000000000000000000000000000000000000000000000000000000000000";

/// Topics and payloads that no observer should send, and some do.
fn hostile_messages() -> Vec<(String, Vec<u8>)> {
    let packets = format!("meshcore/AMS/{KEY}/packets");
    let bomb = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let object = |body: &str| format!("{{{body}}}").into_bytes();
    let on = |payload: Vec<u8>| (packets.clone(), payload);
    vec![
        on(Vec::new()),
        on(b"not json".to_vec()),
        on(b"[1,2,3]".to_vec()),
        on(vec![0xff, 0xfe, 0x00]),
        on(bomb),
        on(object(&format!("\"a\":{}1{}", "{\"a\":".repeat(500), "}".repeat(500)))),
        on(object("\"origin\":\"x\"")),
        on(object("\"raw\":null")),
        on(object("\"raw\":\"zz\"")),
        on(object("\"raw\":\"0E0\"")),
        on(object("\"raw\":\"0E00\"")),
        on(object("\"raw\":\"5500112379AC\"")),
        on(object(&format!("\"raw\":\"{}\"", "00".repeat(300)))),
        on(object(&format!("\"raw\":\"11{}\"", "00".repeat(120)))),
        on(object("\"raw\":\"0E00DEADBEEF\",\"direction\":\"tx\"")),
        on(object("\"raw\":\"0E00DEADBEEF\",\"SNR\":\"Unknown\",\"RSSI\":{\"x\":1},\"timestamp\":7")),
        on(object("\"raw\":\"0E00DEADBEEF\",\"origin\":\"<script>alert(1)</script>\\u202e\\u0000\"")),
        ("meshcore".into(), b"{}".to_vec()),
        ("meshcore/AMS//packets".into(), object("\"raw\":\"0E00DEADBEEF\"")),
        ("a/b/c/d/e/f/g".into(), object("\"raw\":\"0E00DEADBEE0\"")),
        (format!("meshcore/AMS/{KEY}/raw"), object("\"data\":\"00\"")),
        (format!("meshcore/AMS/{KEY}/status"), object("\"status\":\"online\",\"stats\":\"none\"")),
        (format!("meshcore/AMS/{}/packets", "<b>".repeat(50)), object("\"raw\":\"0E00DEADBEEF\"")),
    ]
}

/// A fixed shuffle, so that a failure can be repeated.
fn shuffle<T>(items: &mut [T]) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for i in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(i, (state >> 33) as usize % (i + 1));
    }
}

#[test]
fn every_message_of_a_shuffled_mix_has_exactly_one_outcome() {
    let server = Server::start(&binary(), &[]);
    let mut messages = hostile_messages();
    for line in capture_lines() {
        let topic = line["topic"].as_str().expect("a topic").to_owned();
        messages.push((topic, line["payload"].to_string().into_bytes()));
    }
    shuffle(&mut messages);
    let mut publisher = Publisher::connect(&server.mqtt);
    for (topic, payload) in &messages {
        publisher.publish(topic, payload);
    }
    let sent = messages.len() as u64;
    let report = eventually("all outcomes", || {
        let report = server.get("/api/ingest").json();
        (report["received"].as_u64() == Some(sent)).then_some(report)
    });
    assert_eq!(outcome_sum(&report), sent);
    for group in ["sources", "observers"] {
        let rows = report[group].as_array().expect("rows");
        assert_eq!(
            rows.iter().map(|row| row["received"].as_u64().expect("a count")).sum::<u64>(),
            sent,
            "{group}"
        );
        for row in rows {
            assert_eq!(outcome_sum(row), row["received"].as_u64().expect("a count"), "{row}");
        }
    }
    assert!(!report["recent_rejections"].as_array().expect("rows").is_empty());
    let hashes: std::collections::HashSet<_> = server.get("/api/packets?limit=1000").json()["packets"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["hash"].as_str().expect("a hash").to_owned())
        .collect();
    assert!(hashes.contains("2a4f80a18e795b28"), "the one good frame among the odd ones is stored");
}

#[test]
fn garbage_on_the_broker_port_closes_that_connection_and_no_other() {
    use std::io::{Read as _, Write as _};
    let server = Server::start(&binary(), &[]);
    let mut publisher = Publisher::connect(&server.mqtt);
    for garbage in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0x10, 0xff, 0xff, 0xff, 0x7f], &[0x30, 0x02, 0x00]]
    {
        let mut stream = std::net::TcpStream::connect(&server.mqtt).expect("the broker accepts");
        stream.write_all(garbage).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("half closed");
        // It ends, whether with an answer or without.
        let _ = stream.read_to_end(&mut Vec::new());
    }
    publisher.publish(&format!("meshcore/AMS/{KEY}/packets"), b"{\"raw\":\"0E00DEADBEEF\"}");
    eventually("the good packet", || {
        (server.get("/api/stats").json()["totalTransmissions"].as_u64() == Some(1)).then_some(())
    });
}
