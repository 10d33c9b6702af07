//! What each node relayed in the last 24 hours, kept in spans of five minutes.
//!
//! A span is worked out anew when a packet of it was heard again, and now and then because more is known; so that nothing
//! is resolved over and over, and nothing that was resolved stays wrong for long.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use hashbrown::HashMap;
use meshcore::{NodeKey, PayloadType, Route};
use model::UnixMillis;
use smallvec::SmallVec;

use super::{HopResolver, RelayFigures};
use crate::index::Index;
use crate::view::TransmissionView;

/// The grain of "the last hour".
const SPAN_MS: i64 = 300_000;

const SPANS_PER_DAY: i64 = 24 * 12;
const SPANS_PER_HOUR: i64 = 12;

/// Copies of one packet that are read at most: each further one has to name a hash that was not named before anyway.
const MAX_WAYS: usize = 24;

/// Packets that are worked out under one guard: well below a millisecond.
const PACKETS_PER_GUARD: usize = 64;

/// Spans that are worked out anew with what is known by now, each time.
const SPANS_AGAIN: usize = 8;

/// The spans, and how far they go.
#[derive(Debug, Default)]
pub(super) struct RelayBook {
    spans: BTreeMap<i64, Span>,
    /// Rows of observations that are in the spans, and the id of the last of them: another id means another index.
    rows: u32,
    last_id: u64,
    /// The span that was worked out anew last.
    again: i64,
}

/// Packets first seen in five minutes.
#[derive(Debug, Default)]
struct Span {
    /// Of all, adverts aside.
    packets: u32,
    by_node: HashMap<NodeKey, Relayed>,
}

#[derive(Debug, Default)]
struct Relayed {
    packets: f32,
    unscoped: f32,
    last: Option<UnixMillis>,
    scopes: BTreeSet<Box<str>>,
}

/// What the figures of all nodes are.
#[derive(Debug, Default)]
pub(super) struct Relays {
    pub(super) by_node: HashMap<NodeKey, RelayFigures>,
}

impl RelayBook {
    /// Takes in what is new. `read` gives a guard of the index, for a short time each.
    pub(super) fn update<G: Deref<Target = Index>>(
        &mut self,
        read: &impl Fn() -> G,
        resolver: &HopResolver,
        now: UnixMillis,
    ) {
        let first = span_of(now) - SPANS_PER_DAY;
        let mut due = self.changed_spans(&read(), first);
        self.spans.retain(|span, _| *span >= first);
        due.extend(self.next_again());
        for span in due {
            let rows = {
                let index = read();
                let (start, end) = (UnixMillis(span * SPAN_MS - 1), UnixMillis((span + 1) * SPAN_MS));
                index.transmissions.first_seen_between(start, end).iter().collect::<Vec<u32>>()
            };
            let mut worked_out = Span::default();
            for rows in rows.chunks(PACKETS_PER_GUARD) {
                let index = read();
                for row in rows.iter().filter(|row| index.postings.all.contains(**row)) {
                    worked_out.add(&TransmissionView { index: &index, row: *row }, resolver);
                }
            }
            self.spans.insert(span, worked_out);
        }
    }

    pub(super) fn figures(&self, now: UnixMillis) -> Relays {
        let newest = span_of(now);
        let mut relays = Relays::default();
        let mut scopes: HashMap<NodeKey, BTreeSet<&Box<str>>> = HashMap::new();
        let mut packets = 0;
        for (span, content) in &self.spans {
            packets += content.packets;
            for (key, relayed) in &content.by_node {
                let figures = relays.by_node.entry(*key).or_default();
                figures.last_day += relayed.packets;
                figures.unscoped_last_day += relayed.unscoped;
                if *span > newest - SPANS_PER_HOUR {
                    figures.last_hour += relayed.packets;
                }
                figures.last_relayed = figures.last_relayed.max(relayed.last);
                scopes.entry(*key).or_default().extend(&relayed.scopes);
            }
        }
        for (key, figures) in &mut relays.by_node {
            figures.traffic_share = figures.last_day / packets.max(1) as f32;
            figures.scopes = scopes.remove(key).into_iter().flatten().cloned().collect();
        }
        relays
    }

    /// Bytes of heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let of_span = |span: &Span| span.by_node.allocation_size() + 64;
        self.spans.values().map(of_span).sum()
    }

    /// The spans of packets heard since the last time; all of them when this is another index.
    fn changed_spans(&mut self, index: &Index, first: i64) -> BTreeSet<i64> {
        let rows = index.observations.len();
        let is_same =
            self.rows <= rows && (self.rows == 0 || index.observation_ids.id(self.rows - 1) == self.last_id);
        if !is_same {
            *self = Self::default();
        }
        let mut changed = BTreeSet::new();
        for row in self.rows..rows {
            let seen = index.transmissions.first_seen(index.observations.transmission(row));
            if span_of(seen) >= first {
                changed.insert(span_of(seen));
            }
        }
        self.rows = rows;
        self.last_id = rows.checked_sub(1).map_or(0, |row| index.observation_ids.id(row));
        changed
    }

    /// The next few spans in turn.
    fn next_again(&mut self) -> Vec<i64> {
        let behind = self.spans.range(self.again + 1..).map(|(span, _)| *span);
        let next: Vec<i64> = behind.take(SPANS_AGAIN).collect();
        self.again = if next.len() < SPANS_AGAIN { i64::MIN } else { next[SPANS_AGAIN - 1] };
        next
    }
}

impl Span {
    fn add(&mut self, packet: &TransmissionView<'_>, resolver: &HopResolver) {
        let payload_type = packet.payload_type();
        if payload_type == PayloadType::Trace {
            return;
        }
        let is_advert = payload_type == PayloadType::Advert;
        self.packets += u32::from(!is_advert);
        let is_unscoped = packet.frame().route() == Route::Flood;
        let (first_seen, scope) = (packet.first_seen(), packet.scope().filter(|scope| !scope.is_empty()));
        for (key, probability) in relays_of(packet, resolver) {
            let relayed = self.by_node.entry(key).or_default();
            if probability >= 0.5 {
                relayed.last = relayed.last.max(Some(first_seen));
            }
            if is_advert {
                continue;
            }
            relayed.packets += probability;
            relayed.unscoped += if is_unscoped { probability } else { 0.0 };
            if let Some(scope) = scope.filter(|_| probability >= 0.5)
                && !relayed.scopes.contains(scope)
            {
                relayed.scopes.insert(scope.into());
            }
        }
    }
}

/// Who has relayed a packet, each with the greatest probability that any of its copies gives.
pub(super) fn relays_of(
    packet: &TransmissionView<'_>,
    resolver: &HopResolver,
) -> SmallVec<[(NodeKey, f32); 16]> {
    let mut found: SmallVec<[(NodeKey, f32); 16]> = SmallVec::new();
    let mut read: SmallVec<[&[u8]; 32]> = SmallVec::new();
    let mut ways = 0;
    for seen in packet.observations() {
        let path = seen.path();
        if ways == MAX_WAYS || seen.route().is_direct() || path.hops().all(|hop| read.contains(&hop.bytes()))
        {
            continue;
        }
        ways += 1;
        for (hop, resolved) in path.hops().zip(seen.resolve_path(resolver)) {
            if !read.contains(&hop.bytes()) {
                read.push(hop.bytes());
            }
            let Some(key) = resolved.node else { continue };
            match found.iter_mut().find(|(known, _)| *known == key) {
                Some((_, probability)) => *probability = probability.max(resolved.posterior),
                None => found.push((key, resolved.posterior)),
            }
        }
    }
    found
}

fn span_of(time: UnixMillis) -> i64 {
    time.0.div_euclid(SPAN_MS)
}
