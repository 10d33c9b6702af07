//! What an operator changes over the API, and what mobile clients report, in the real program.

use crate::capture::publish_capture;
use crate::{binary, capture_lines};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use testkit::{Publisher, Response, Server, eventually};

const KEY: &str = "correct horse battery staple";

/// Some nodes of the capture are outside of it.
const AREA: &str = r#"{"polygon": [[37, -123], [37.9, -123], [37.9, -121], [37, -121]], "bufferKm": 0}"#;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// With this configuration beside the key, in an order and with blanks of its own.
    fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let text = format!("{{\"zz_ours\": [1,  2],\n \"apiKey\":\"{KEY}\"{more},\n \"alerts\" : {{}}}}\n");
        std::fs::write(folder.path().join("config.json"), text).expect("written");
        Self { folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn start(&self, start: fn(&Path, &Path, &[&str]) -> Server) -> Server {
        start(&binary(), &self.data(), &["--config", &self.config().to_string_lossy()])
    }
}

fn ask(server: &Server, method: &str, path: &str, body: &str) -> Response {
    server.client().request(method, path, &[("X-API-Key", KEY)], body.as_bytes())
}

fn outside(server: &Server) -> Vec<Value> {
    let answer = ask(server, "POST", "/api/admin/prune-geo-filter", "");
    answer.json()["nodes"].as_array().cloned().unwrap_or_default()
}

fn nodes(server: &Server) -> usize {
    server.get("/api/nodes?limit=2000").json()["nodes"].as_array().expect("nodes").len()
}

/// Prunes one node through this process and waits until it is done; gives its key.
fn prune_one(server: &Server) -> String {
    let key = outside(server)[0]["pubkey"].as_str().expect("a key").to_owned();
    let body = json!({"pubkeys": [key]}).to_string();
    let accepted = ask(server, "POST", "/api/admin/prune-geo-filter?confirm=true", &body);
    assert_eq!(accepted.status, 202, "{}", String::from_utf8_lossy(&accepted.body));
    let status = accepted.json()["statusUrl"].as_str().expect("where to ask").to_owned();
    let done = eventually("the end of the pruning", || {
        let status = ask(server, "GET", &status, "").json();
        (status["status"] != "pending").then_some(status)
    });
    assert_eq!((&done["status"], &done["deleted"]), (&json!("done"), &json!(1)), "{done}");
    key
}

#[test]
fn the_area_is_changed_in_the_file_and_nodes_outside_leave_the_list_for_good() {
    let place = Place::with("");
    let mut server = place.start(Server::start_in);
    publish_capture(&server);
    let all = capture_lines().len() as u64;
    let received = || server.get("/api/ingest").json()["received"].as_u64();
    eventually("all of the capture", || (received() == Some(all)).then_some(()));
    assert_eq!(ask(&server, "POST", "/api/admin/prune-geo-filter", "").status, 400, "there is no area yet");
    let before = std::fs::read_to_string(place.config()).expect("read");
    let put = ask(&server, "PUT", "/api/config/geo-filter", AREA);
    assert_eq!(put.status, 200, "{}", String::from_utf8_lossy(&put.body));
    let after = std::fs::read_to_string(place.config()).expect("read");
    let kept = before.strip_suffix("}\n").expect("its end");
    assert!(after.starts_with(kept) && after.contains("\"polygon\": [\n      [37, -123],"), "{after}");

    let all = outside(&server).len();
    assert!(all > 2, "the capture has nodes outside");
    let key = prune_one(&server);
    assert_eq!((outside(&server).len(), server.get(&format!("/api/nodes/{key}")).status), (all - 1, 404));
    assert!(server.terminate());
    // The area is that of the file, and the node is still gone.
    let server = place.start(Server::start_in);
    eventually("the history", || (outside(&server).len() == all - 1).then_some(()));
    assert_eq!(server.get(&format!("/api/nodes/{key}")).status, 404);
    assert_eq!(ask(&server, "PUT", "/api/config/geo-filter", "{}").status, 200);
    assert_eq!(std::fs::read_to_string(place.config()).expect("read"), before);
}

#[test]
fn a_serving_process_asks_ingest_to_prune_and_says_when_it_cannot() {
    let place = Place::with(&format!(", \"geo_filter\": {AREA}"));
    let mut ingest = place.start(Server::ingest_in);
    let serve = place.start(Server::serve_in);
    publish_capture(&ingest);
    let all = eventually("the nodes", || Some(outside(&serve).len()).filter(|_| nodes(&serve) > 10));
    let key = prune_one(&serve);
    eventually("the node to be gone here", || {
        (serve.get(&format!("/api/nodes/{key}")).status == 404).then_some(())
    });
    assert!(outside(&serve).len() < all.max(1) + 100);
    assert_eq!(ask(&serve, "GET", "/api/admin/prune-geo-filter/status?id=ab", "").status, 404);
    assert!(ingest.terminate());
    let left = outside(&serve)[0]["pubkey"].clone();
    let body = json!({"pubkeys": [left]}).to_string();
    eventually("a word that nobody prunes", || {
        let answer = ask(&serve, "POST", "/api/admin/prune-geo-filter?confirm=true", &body);
        (answer.status == 503).then_some(())
    });
}

/// An acknowledgement that was relayed by nodes abcd and ef01, heard at a place.
fn reception(second: u32, lon: f64) -> String {
    let raw = format!("0D42ABCDEF01{second:08X}");
    json!({
        "raw": raw, "direction": "rx", "SNR": 7.5, "RSSI": -90, "origin": "Ana",
        "gps": {"lat": 37.77, "lon": lon, "acc_m": 5},
    })
    .to_string()
}

#[test]
fn what_mobile_clients_report_is_on_the_map_at_once_and_after_a_restart() {
    let place = Place::with(r#", "clientRxCoverage": {"enabled": true}"#);
    let mut ingest = place.start(Server::ingest_in);
    let serve = place.start(Server::serve_in);
    eventually("a connection to ingest", || {
        serve.output().iter().any(|line| line.contains("connected to the ingest process")).then_some(())
    });
    let mut client = Publisher::connect(&ingest.mqtt);
    for number in 0..3 {
        let topic = format!("meshcore/client/c0ffee0{number}/packets");
        client.publish(&topic, reception(number, -122.4 - f64::from(number) * 0.1).as_bytes());
    }
    let map = |server: &Server| server.get("/api/rx-coverage?bbox=37,-123,38,-122&z=13").json();
    let whole =
        eventually("all receptions", || Some(map(&serve)).filter(|map| map["mobile_receptions"] == 3));
    assert_eq!(
        (whole["features"].as_array().expect("cells").len(), &whole["mobile_clients"]),
        (3, &json!(3))
    );
    assert_eq!(whole["features"][0]["properties"]["nodes"][0]["prefix"], "ef01");
    assert_eq!(serve.get("/api/rx-leaderboard").json()["observers"].as_array().expect("rows").len(), 3);
    assert!(ingest.terminate());
    let run = place.start(Server::start_in);
    eventually("the same from the database", || (map(&run) == whole).then_some(()));
    let ledger = run.get("/api/ingest").json();
    assert_eq!(ledger["received"], 0);
    let late = place.start(Server::serve_in);
    eventually("the same for one that came later", || (map(&late) == whole).then_some(()));
}

#[test]
fn a_forged_advert_is_found_among_the_evidence() {
    let place = Place::with("");
    let server = place.start(Server::start_in);
    let node = meshcore::Identity::from_seed(&[3; 32]);
    let app = meshcore::AppData::new(meshcore::Role::Repeater).with_name("Forged").expect("a name");
    let mut bytes = node.advert(1_767_225_600, &app).expect("an advert").bytes().to_vec();
    bytes[40] ^= 1;
    let payload = meshcore::PayloadBuf::new(meshcore::PayloadType::Advert, bytes).expect("an advert");
    let raw = meshcore::FrameBuilder::new(meshcore::Route::Flood, &payload).encode();
    let raw = format!("{:X}", meshcore::Hex(&raw));
    let topic = format!("meshcore/SFO/{}/packets", "AB".repeat(32));
    Publisher::connect(&server.mqtt).publish(&topic, format!("{{\"raw\":\"{raw}\"}}").as_bytes());
    let found = eventually("the evidence", || {
        let rows = ask(&server, "GET", "/api/dropped-packets", "").json();
        rows.as_array().and_then(|rows| rows.first().cloned())
    });
    assert_eq!((&found["reason"], &found["raw_hex"]), (&json!("invalid signature"), &json!(raw)));
    assert_eq!(found["node_name"], "Forged");
}

#[test]
fn known_channels_are_fetched_kept_in_a_file_and_booked() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/channels.json", listener.local_addr().expect("its address"));
    let list = r##"{"license": "CC0", "channels": [{"name": "#bay", "region": "US"}, {"name": "#nl", "region": "NL"}]}"##;
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a request");
            let _ = stream.read(&mut [0; 4096]);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", list.len());
            let _ = stream.write_all(&[head.as_bytes(), list.as_bytes()].concat());
        }
    });
    let place = Place::with(&format!(", \"knownChannelsUrl\": \"{url}\""));
    let server = place.start(Server::start_in);
    assert_eq!(server.get("/api/known-channels").header("cache-control"), Some("public, max-age=30"));
    let answer = eventually("the list", || {
        let answer = server.get("/api/known-channels?region=us");
        (answer.header("cache-control") == Some("public, max-age=300")).then_some(answer.json())
    });
    assert_eq!((&answer["source"], &answer["license"]), (&json!(url), &json!("CC0")));
    assert_eq!(answer["entries"], json!([{"channel": "#bay", "region": "US"}]));
    assert!(place.data().join("known-channels.json").is_file());
    let serve = place.start(Server::serve_in);
    assert_eq!(serve.get("/api/known-channels?region=us").json(), answer);
    let cause = eventually("its bytes in the ledger", || {
        let ledger = server.get("/api/perf/ledger?window=300").json();
        let text = ledger.to_string();
        text.contains("\"known_channels\"").then_some(text)
    });
    assert!(!cause.is_empty());
}
