//! All that an index answers, as text: two indexes with the same text are the same to every reader.

use std::fmt::Write;

use index::{ChannelFilter, CompareRange, Index, NodeQuery, PacketQuery, Sort};
use model::UnixMillis;

use crate::messages::{MessageQuery, messages};

pub(crate) fn snapshot(index: &Index, now: UnixMillis) -> String {
    let mut text = String::new();
    let everything = PacketQuery { limit: usize::MAX, ..PacketQuery::default() };
    let by_latest = PacketQuery { sort: Sort::Latest, ..everything.clone() };
    for query in [everything, by_latest] {
        for row in index.packets(&query).rows {
            let packet = index.view(row);
            let times = (packet.first_seen(), packet.latest());
            let counts = (packet.observation_count(), packet.observer_count());
            let of = (packet.node().map(|node| node.key), packet.channel(), packet.scope());
            writeln!(text, "{packet:?} {:?} {times:?} {counts:?} {of:?}", packet.raw()).unwrap();
            writeln!(text, "  {:?} {:?} {:?}", packet.first(), packet.best(), packet.channel_message())
                .unwrap();
            for heard in packet.observations() {
                let signal = (heard.snr(), heard.rssi(), heard.score());
                let (observer, time) = (heard.observer().id, heard.time());
                writeln!(text, "  {heard:?} {observer:?} {time:?} {signal:?} {:?}", heard.frame_bytes())
                    .unwrap();
            }
        }
    }
    for node in index.nodes(&NodeQuery { limit: usize::MAX, ..NodeQuery::default() }).nodes {
        writeln!(text, "{node:?} {:?}", index.packets_by(&node.key)).unwrap();
    }
    for observer in index.observers(now) {
        writeln!(text, "{observer:?}").unwrap();
        let id = observer.record.id;
        for bucket_hours in [1, 4, 24] {
            writeln!(text, "  {:?}", index.observer_activity(id, UnixMillis(0), bucket_hours)).unwrap();
        }
        writeln!(text, "  {:?}", index.observer_samples(id).collect::<Vec<_>>()).unwrap();
        let range = CompareRange { from: UnixMillis(0), to: now.plus_ms(1), bucket_ms: 3_600_000, newest: 3 };
        writeln!(text, "  {:?}", index.compare(id, model::ObserverId(1), &range)).unwrap();
    }
    for channel in index.channels(&ChannelFilter { regions: None, include_encrypted: true }) {
        writeln!(text, "{channel:?}").unwrap();
        writeln!(
            text,
            "  {:?}",
            messages(
                index,
                &MessageQuery { channel: Some(channel.channel), limit: usize::MAX, ..Default::default() }
            )
        )
        .unwrap();
    }
    writeln!(text, "{:?}", index.scope_stats(UnixMillis(0), 300_000)).unwrap();
    writeln!(text, "{:?}", index.sample_by_length(3)).unwrap();
    let north = ["OAK".to_owned()];
    writeln!(text, "{:?}", index.channels(&ChannelFilter { regions: Some(&north), include_encrypted: true }))
        .unwrap();
    let next = index.next_ids();
    let mut times: Vec<_> = index.first_seen_since(UnixMillis(i64::MIN)).collect();
    times.sort();
    writeln!(text, "{:?} {next:?} {times:?}", index.totals(now)).unwrap();
    text
}
