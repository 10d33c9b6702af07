//! What goes in by MQTT comes out by HTTP, once, and is still there after a restart.

use crate::{binary, capture_lines, outcome_sum};
use serde_json::Value;
use std::collections::HashSet;
use testkit::{LiveFeed, Publisher, Server, eventually};

/// Distinct packets and distinct hearings of the capture, worked out without our own index: by content hash, observer and
/// path.
pub(crate) fn distinct() -> (usize, usize) {
    let mut hashes = HashSet::new();
    let mut heard = HashSet::new();
    for line in capture_lines() {
        let raw = line["payload"]["raw"].as_str().expect("raw is text").to_owned();
        let bytes = meshcore::decode_hex(&raw).expect("raw is hex");
        // One frame of the capture has a payload version that no firmware receives.
        let Ok(frame) = meshcore::Frame::parse(&bytes) else { continue };
        let path =
            (frame.path().count() > 0).then(|| (frame.path().hash_size(), frame.path().bytes().to_vec()));
        hashes.insert(frame.content_hash());
        heard.insert((frame.content_hash(), line["topic"].as_str().expect("a topic").to_owned(), path));
    }
    (hashes.len(), heard.len())
}

pub(crate) fn publish_capture(server: &Server) {
    let mut publisher = Publisher::connect(&server.mqtt);
    for line in capture_lines() {
        let topic = line["topic"].as_str().expect("a topic");
        publisher.publish(topic, line["payload"].to_string().as_bytes());
    }
}

fn received(server: &Server) -> u64 {
    server.get("/api/ingest").json()["received"].as_u64().expect("a count")
}

pub(crate) fn totals(server: &Server) -> (usize, usize) {
    let stats = server.get("/api/stats").json();
    let count = |key: &str| stats[key].as_u64().expect("a count") as usize;
    (count("totalTransmissions"), count("totalObservations"))
}

#[test]
fn the_capture_is_counted_exactly_once_however_often_it_is_published() {
    let server = Server::start(&binary(), &[]);
    let lines = capture_lines().len() as u64;
    publish_capture(&server);
    eventually("all of the capture", || (received(&server) == lines).then_some(()));
    assert_eq!(totals(&server), distinct());
    publish_capture(&server);
    eventually("all of it again", || (received(&server) == 2 * lines).then_some(()));
    assert_eq!(totals(&server), distinct());
    let report = server.get("/api/ingest").json();
    assert_eq!(outcome_sum(&report), 2 * lines);
}

const ALL: &str = "/api/packets?limit=1000&expand=observations";

/// Without who relayed, which the program learns as it goes on.
fn as_received(mut page: Value) -> Value {
    for packet in page["packets"].as_array_mut().expect("a list") {
        packet.as_object_mut().expect("a packet").remove("resolved_path");
        for heard in packet["observations"].as_array_mut().expect("a list") {
            heard.as_object_mut().expect("an observation").remove("resolved_path");
        }
    }
    page
}

#[test]
fn what_was_received_is_there_after_a_restart_and_known_again() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut server = Server::start_in(&binary(), scratch.path(), &[]);
    let lines = capture_lines().len() as u64;
    publish_capture(&server);
    eventually("all of the capture", || (received(&server) == lines).then_some(()));
    let before = as_received(server.get(ALL).json());
    assert!(server.terminate(), "SIGTERM ends the program well: {:?}", server.output());

    let server = Server::start_in(&binary(), scratch.path(), &[]);
    eventually("the history", || (totals(&server) == distinct()).then_some(()));
    assert_eq!(as_received(server.get(ALL).json()), before);
    publish_capture(&server);
    eventually("all of it again", || (received(&server) == lines).then_some(()));
    assert_eq!(totals(&server), distinct());
}

#[test]
fn a_viewer_gets_a_frame_for_each_observation_on_both_paths() {
    let server = Server::start(&binary(), &[]);
    let mut feeds = [LiveFeed::open_at(&server.web, "/"), LiveFeed::open_at(&server.web, "/ws")];
    publish_capture(&server);
    let (_, observations) = distinct();
    for feed in &mut feeds {
        let frame = feed.frame();
        assert_eq!(frame["type"], "packet");
        assert_eq!(frame["data"]["hash"], frame["data"]["packet"]["hash"]);
        assert!(frame["data"]["decoded"]["header"]["payloadTypeName"].is_string());
        for _ in 1..observations.min(200) {
            feed.frame();
        }
    }
}
