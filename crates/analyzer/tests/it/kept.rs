//! What was promised, and what is there: hearings by content hash and observer, counted through the API.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use testkit::{AckedPublisher, Server, eventually};

/// A packet heard by an observer: its content hash and the observer's key.
pub(crate) type Hearing = (String, String);

/// Rows of a page of the listing; the API's own cap.
const PAGE: usize = 10_000;

/// The key of an observer.
pub(crate) fn observer(number: usize) -> String {
    format!("{number:02X}").repeat(32)
}

/// Where an observer publishes packets.
pub(crate) fn topic(observer: &str) -> String {
    format!("meshcore/AMS/{observer}/packets")
}

/// An acknowledgement packet with this number as its checksum: the smallest that the firmware knows.
pub(crate) fn frame(number: u32) -> String {
    format!("0E00{number:08X}")
}

/// What an observer publishes about it.
pub(crate) fn payload(number: u32) -> Vec<u8> {
    format!("{{\"raw\":\"{}\",\"SNR\":\"7.5\",\"RSSI\":\"-90\",\"origin\":\"test\"}}", frame(number))
        .into_bytes()
}

/// The hash under which it is listed, worked out without the program under test.
pub(crate) fn hash(number: u32) -> String {
    let bytes = meshcore::decode_hex(&frame(number)).expect("hex");
    meshcore::Frame::parse(&bytes).expect("a frame").content_hash().to_string()
}

/// Publishes these numbers and waits until all are acknowledged.
pub(crate) fn publish_all(address: &str, observer: &str, numbers: std::ops::Range<u32>) -> BTreeSet<Hearing> {
    let mut publisher = AckedPublisher::connect(address, observer, 100).expect("the broker lets us in");
    for number in numbers.clone() {
        publisher.publish(&topic(observer), &payload(number)).expect("sent");
    }
    publisher.settle().expect("all are acknowledged");
    numbers.map(|number| (hash(number), observer.to_owned())).collect()
}

/// What a walk through the listing showed.
struct Listing {
    hearings: BTreeMap<Hearing, usize>,
    packets: HashMap<String, usize>,
}

impl Listing {
    /// Right only while nothing arrives: pages are counted from the newest.
    fn read(server: &Server) -> Self {
        let mut client = server.client();
        let mut listing = Self { hearings: BTreeMap::new(), packets: HashMap::new() };
        for page in 0.. {
            let path = format!("/api/packets?limit={PAGE}&offset={}&expand=observations", page * PAGE);
            let body = client.get(&path).json();
            let rows = body["packets"].as_array().expect("rows");
            for row in rows {
                let hash = row["hash"].as_str().expect("a hash");
                *listing.packets.entry(hash.to_owned()).or_default() += 1;
                for observation in row["observations"].as_array().expect("observations") {
                    let observer = observation["observer_id"].as_str().expect("an observer");
                    *listing.hearings.entry((hash.to_owned(), observer.to_owned())).or_default() += 1;
                }
            }
            if rows.len() < PAGE {
                break;
            }
        }
        listing
    }

    fn lacks(&self, promised: &BTreeSet<Hearing>) -> usize {
        promised.iter().filter(|hearing| !self.hearings.contains_key(*hearing)).count()
    }
}

/// Everything that the program lists, and how often, compared with its own counts; nothing may arrive meanwhile.
pub(crate) fn listed(server: &Server) -> BTreeMap<Hearing, usize> {
    let Listing { hearings, packets } = Listing::read(server);
    let doubled: Vec<_> = packets.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "a packet is listed more than once: {doubled:?}");
    let stats = server.get("/api/stats").json();
    assert_eq!(stats["totalTransmissions"], packets.len(), "the number of packets");
    assert_eq!(stats["totalObservations"], hearings.values().sum::<usize>(), "the number of observations");
    hearings
}

/// Waits until the history is loaded.
pub(crate) fn ready(server: &Server) {
    eventually("the history", || (server.get("/api/healthz").status == 200).then_some(()));
}

/// Lost and doubled, of what must be there exactly once.
pub(crate) fn missing(promised: &BTreeSet<Hearing>, listed: &BTreeMap<Hearing, usize>) -> (usize, usize) {
    let lost = promised.iter().filter(|hearing| !listed.contains_key(*hearing)).count();
    let doubled = listed.values().filter(|count| **count > 1).count();
    (lost, doubled)
}

/// Waits until everything promised is there and nothing arrives any more, then demands that it is there once.
pub(crate) fn demand(server: &Server, promised: &BTreeSet<Hearing>) {
    eventually("everything promised", || (Listing::read(server).lacks(promised) == 0).then_some(()));
    let received = || server.get("/api/ingest").json()["received"].as_u64();
    let mut before = received();
    eventually("silence", || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let now = received();
        (std::mem::replace(&mut before, now) == now).then_some(())
    });
    assert_eq!(missing(promised, &listed(server)), (0, 0), "lost and doubled");
}
