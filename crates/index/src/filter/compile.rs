//! From a filter to a plan for one index.

use std::borrow::Cow;
use std::cell::RefCell;

use ::model::{ObserverRecord, UnixMillis};
use filter::{Condition, Expr, Field, Found, Kind, Op, Quantifier, Test, Value};
use meshcore::{Hex, NodeKey, PacketHash, PayloadType, Route};
use roaring::{MultiOps, RoaringBitmap};

use super::digits::Digits;
use super::plan::{COLUMN, DECODE, DECRYPT, Heard, Plan, RESOLVE, WholeTest};
use crate::hops::PathReader;
use crate::hops::token::Token;
use crate::index::Index;

/// Makes plans for the rows that are there now.
pub(super) struct Compiler<'a> {
    pub(super) index: &'a Index,
    /// What ages are counted from.
    pub(super) now: UnixMillis,
}

impl Compiler<'_> {
    /// What must hold of a packet.
    pub(super) fn packet(&self, expr: &Expr) -> Plan {
        match expr {
            Expr::And(parts) => Plan::and(parts.iter().map(|part| self.packet(part)).collect()),
            Expr::Or(parts) => Plan::or(parts.iter().map(|part| self.packet(part)).collect()),
            Expr::Not(part) => self.packet(part).not(self.all()),
            Expr::Heard(Quantifier::Any, part) => Plan::any(self.heard(part)),
            Expr::Heard(Quantifier::All, part) => Plan::any(self.not_heard(self.heard(part))).not(self.all()),
            Expr::Test(test) => match test.field {
                Field::Route | Field::Time | Field::Age => self.whole(test),
                field if field.is_of_observation() => Plan::Best(self.observation_test(test)),
                _ => self.whole(test),
            },
        }
    }

    /// What must hold of an observation.
    fn heard(&self, expr: &Expr) -> Heard {
        match expr {
            Expr::And(parts) => Heard::and(parts.iter().map(|part| self.heard(part)).collect()),
            Expr::Or(parts) => Heard::or(parts.iter().map(|part| self.heard(part)).collect()),
            Expr::Not(part) => self.not_heard(self.heard(part)),
            // An observation is its own only one.
            Expr::Heard(_, part) => self.heard(part),
            Expr::Test(test) if test.field.is_of_observation() => self.observation_test(test),
            Expr::Test(test) => Heard::Packet(Box::new(self.whole(test))),
        }
    }

    fn not_heard(&self, heard: Heard) -> Heard {
        match heard {
            Heard::Not(inner) => *inner,
            Heard::Packet(plan) => Heard::Packet(Box::new(plan.not(self.all()))),
            Heard::Observer { passes, .. } => {
                self.observers_that(|record| !passes.get(usize::from(record.id.0)).is_some_and(|one| *one))
            }
            other => Heard::Not(Box::new(other)),
        }
    }

    /// A test of what does not differ from observation to observation.
    fn whole(&self, test: &Test) -> Plan {
        let index = self.index;
        let types = &index.postings.types;
        let of_type = |payload_type: PayloadType| &types[usize::from(payload_type.code())];
        let holds = |found: Found<'_>| test.condition.holds(&found, self.now.0);
        let (bound, cost) = match test.field {
            Field::Type => {
                let passing = PayloadType::ALL.into_iter().filter(|one| holds(text(one.name())));
                return Plan::Set(passing.map(of_type).union());
            }
            Field::Route => {
                let passing = Route::ALL.into_iter().filter(|route| holds(text(route.name())));
                return Plan::Set(self.of_routes(passing));
            }
            Field::Transport => {
                let passing =
                    Route::ALL.into_iter().filter(|route| holds(Found::Flag(route.has_transport_codes())));
                return Plan::Set(self.of_routes(passing));
            }
            Field::Channel => {
                let passing =
                    index.channels.iter().filter(|one| holds(Found::text(Some(one.identity.to_string()))));
                return Plan::Set(passing.map(|channel| &channel.packets).union());
            }
            Field::Node => return Plan::Set(self.adverts(&test.condition)),
            Field::Hash => match self.rows_of_hashes(&test.condition) {
                Some(rows) => return Plan::Set(rows),
                None => (None, DECODE),
            },
            Field::Time => match self.first_seen(&test.condition) {
                Some(rows) => return Plan::Set(rows),
                None => (None, COLUMN),
            },
            Field::Scope => (Some(self.with_codes()), COLUMN),
            Field::Code1 | Field::Code2 => (Some(self.with_codes()), DECODE),
            Field::Sender | Field::Text => (Some(self.open_texts()), DECRYPT),
            Field::Role => (Some(of_type(PayloadType::Advert).clone()), DECODE),
            Field::Payload(field) if ["payload.sender", "payload.text"].contains(&field.name) => {
                (Some(self.open_texts()), DECRYPT)
            }
            Field::Payload(field) => {
                let cost = if field.name == "payload.sender_timestamp" { DECRYPT } else { DECODE };
                (Some(field.types.iter().map(|one| of_type(*one)).union()), cost)
            }
            Field::Raw | Field::PayloadHex | Field::PayloadBytes => (None, DECODE),
            _ => (None, COLUMN),
        };
        // The payload is a part of the frame.
        let digits = match test.field {
            Field::Raw | Field::PayloadHex => Digits::of(&test.condition),
            _ => Digits::Any,
        };
        Plan::Whole(WholeTest { test: test.clone(), bound, digits, cost })
    }

    /// A test of what observations may differ in.
    fn observation_test(&self, test: &Test) -> Heard {
        let condition = &test.condition;
        match test.field {
            Field::Observer => self.observers(condition, |record| Found::text(record.name.as_deref())),
            Field::ObserverId => self.observers(condition, |record| text(&record.key)),
            Field::Iata => {
                self.observers(condition, |record| Found::text(record.iata.as_deref().map(str::trim)))
            }
            Field::Snr => Heard::Snr(condition.clone()),
            Field::Rssi => Heard::Rssi(condition.clone()),
            Field::Hops => Heard::Hops(test.clone()),
            Field::HashSize => Heard::HashSize(test.clone()),
            Field::Time | Field::Age => Heard::Time(test.clone()),
            Field::Path => Heard::Path { test: test.clone(), bound: self.naming(condition) },
            // Each node in turn passes or does not, unless the condition is on all of a path's nodes at once.
            Field::RoutedThrough if !is_on_all_texts(condition) => self.routed_through(condition),
            Field::RoutedThrough => Heard::Other { test: test.clone(), bound: None, cost: RESOLVE },
            _ => Heard::Other { test: test.clone(), bound: None, cost: DECODE },
        }
    }

    fn observers<'i>(
        &'i self,
        condition: &Condition,
        field: impl Fn(&'i ObserverRecord) -> Found<'i>,
    ) -> Heard {
        self.observers_that(|record| condition.holds(&field(record), self.now.0))
    }

    fn observers_that<'i>(&'i self, pass: impl Fn(&'i ObserverRecord) -> bool) -> Heard {
        let passing: Vec<_> = self.index.observers.iter().filter(|entry| pass(&entry.record)).collect();
        let mut passes = vec![false; usize::from(self.index.observers.next_id().0) + 1];
        for entry in &passing {
            passes[usize::from(entry.record.id.0)] = true;
        }
        Heard::Observer { passes, heard: passing.iter().map(|entry| &entry.heard).union() }
    }

    fn all(&self) -> &RoaringBitmap {
        &self.index.postings.all
    }

    fn of_routes(&self, routes: impl Iterator<Item = Route>) -> RoaringBitmap {
        routes.map(|route| &self.index.postings.routes[usize::from(route.code())]).union()
    }

    fn with_codes(&self) -> RoaringBitmap {
        self.of_routes(Route::ALL.into_iter().filter(|route| route.has_transport_codes()))
    }

    /// Texts that a key opens.
    fn open_texts(&self) -> RoaringBitmap {
        let open = self.index.channels.iter().filter(|channel| channel.key.is_some());
        open.map(|channel| &channel.texts).union()
    }

    fn adverts(&self, condition: &Condition) -> RoaringBitmap {
        let passes = |key: &NodeKey, name: Option<&str>| {
            let texts = [Some(Cow::Owned(key.to_string())), name.map(Cow::Borrowed)];
            condition.holds(&Found::Texts(texts.into_iter().flatten().collect()), self.now.0)
        };
        let name_of = |node: &'_ crate::nodes::Node| node.name.as_ref().map(|name| name.display.clone());
        let nodes = self.index.nodes.iter().filter(|node| passes(&node.key, name_of(node).as_deref()));
        nodes.flat_map(|node| node.history.adverts.iter().copied()).collect()
    }

    /// The rows of whole hashes; `None` when the condition is about anything else.
    fn rows_of_hashes(&self, condition: &Condition) -> Option<RoaringBitmap> {
        let texts: Vec<&str> = match condition {
            Condition::Compare(Op::Equal, Value::Text(text)) => vec![text.as_str()],
            Condition::In(values) => {
                let text = |value: &'_ Value| matches!(value, Value::Text(_));
                if !values.iter().all(text) {
                    return None;
                }
                let texts = values.iter().filter_map(|value| match value {
                    Value::Text(text) => Some(text.as_str()),
                    _ => None,
                });
                texts.collect()
            }
            _ => return None,
        };
        let hashes = texts.into_iter().filter_map(|text| text.parse::<PacketHash>().ok());
        let found: RoaringBitmap = hashes.filter_map(|hash| self.index.transmissions.find(hash)).collect();
        Some(found & self.all())
    }

    /// The rows first seen within; `None` for a condition that is not one span of time.
    fn first_seen(&self, condition: &Condition) -> Option<RoaringBitmap> {
        let time = |value: &Value| match value {
            Value::Time(time) => Some(*time),
            Value::Ago(span) => Some(self.now.0.saturating_sub(*span)),
            _ => None,
        };
        // Both ends exclusive.
        let (since, until) = match condition {
            Condition::Compare(op, value) => {
                let time = time(value)?;
                let (before, after) = (time.saturating_sub(1), time.saturating_add(1));
                match op {
                    Op::Equal => (before, after),
                    Op::Greater => (time, i64::MAX),
                    Op::GreaterOrEqual => (before, i64::MAX),
                    Op::Less => (i64::MIN, time),
                    Op::LessOrEqual => (i64::MIN, after),
                    _ => return None,
                }
            }
            Condition::Between(low, high) => (time(low)?.saturating_sub(1), time(high)?.saturating_add(1)),
            _ => return None,
        };
        Some(self.index.transmissions.first_seen_between(UnixMillis(since), UnixMillis(until)))
    }

    /// Packets of which some copy names a hop that passes, and the traces, whose hops are in their payloads. `None` for
    /// conditions on all hops at once.
    fn naming(&self, condition: &Condition) -> Option<RoaringBitmap> {
        if is_on_all_texts(condition) {
            return None;
        }
        let passes = |token: Token| {
            let hop = format!("{:X}", Hex(&token.to_vec()));
            condition.holds(&text(&hop), self.now.0)
        };
        let named = self.index.hop_book.postings().filter(|(token, _)| passes(*token)).map(|(_, rows)| rows);
        let traces = &self.index.postings.types[usize::from(PayloadType::Trace.code())];
        Some(named.union() | traces)
    }

    /// The nodes that pass, and the packets of which some copy names a hop that may be one of them.
    fn routed_through(&self, condition: &Condition) -> Heard {
        let resolver = self.index.hops();
        let passes = |key: &NodeKey| {
            let name = self.index.nodes.get(key).and_then(|node| node.name.as_ref());
            condition.holds(&text(&key.to_string()), self.now.0)
                || name.is_some_and(|name| condition.holds(&text(&name.display), self.now.0))
        };
        let nodes: Vec<bool> = resolver.nodes().iter().map(|node| passes(&node.key)).collect();
        let passing = resolver.nodes().iter().zip(&nodes).filter(|(_, passes)| **passes);
        let mut tokens: Vec<Token> =
            passing.flat_map(|(node, _)| (1..=3).map(|size| Token::new(&node.key.0[..size]))).collect();
        tokens.sort_unstable();
        tokens.dedup();
        let bound = tokens.into_iter().filter_map(|token| self.index.hop_book.posting(token)).union();
        Heard::Through { nodes, bound, reader: Box::new(RefCell::new(PathReader::new(&resolver))) }
    }
}

/// Whether one text is not enough for it to hold of several.
fn is_on_all_texts(condition: &Condition) -> bool {
    matches!(condition, Condition::Compare(Op::NotEqual, _) | Condition::Matches(_, true))
}

fn text(text: &str) -> Found<'_> {
    Found::text(Some(text))
}

/// The number or time that a test of time or age is about.
pub(super) fn time_found(test: &Test, time: UnixMillis, now: UnixMillis) -> Found<'static> {
    match test.field.kind() {
        Kind::Age => Found::Number((now.0 - time.0) as f64 / 1000.0),
        _ => Found::Time(time.0),
    }
}
