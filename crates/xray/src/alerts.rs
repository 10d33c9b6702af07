//! What has happened, kept for 90 days and the newest for longer, and who is to be told.
//!
//! Events are lines of a file in the folder of the books. Around each that says that something is wrong a *black box* is kept:
//! all series of ten minutes before and after it, second by second. Sending events to webhooks is the work of others; how it
//! went is kept here.

use crate::files::named;
use crate::{AlertChange, AlertEvent, Change, Delivery, Flag, HistoryAnswer, Recent, Written};
use boxes::Boxes;
use log::{EventLog, Line};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::Arc;

mod boxes;
mod log;

#[cfg(test)]
mod tests;

/// For how long events are kept.
const KEPT_MS: i64 = 90 * 86_400_000;

/// Events that are too old may stay for a day, so that the file is rewritten once a day at most.
const SLACK_MS: i64 = 86_400_000;

/// Events that are kept at most.
const MAX_EVENTS: usize = 10_000;

/// The newest events that are kept however old they seem: the clock may be wrong.
const KEPT_ANYWAY: usize = 200;

/// Ids from here on are not ours: at an event a second they are not reached.
const MAX_ID: u64 = 1 << 53;

/// What nobody was told of when the program ended is still told if it is not older than this.
const STILL_NEWS_MS: i64 = 3_600_000;

/// Said of a flag that was up when the program ended.
const ENDED_MEANWHILE: &str = "the program ended meanwhile";

/// The events of this process and those before it.
#[derive(Debug)]
pub struct Alerts {
    /// The oldest first.
    events: VecDeque<AlertEvent>,
    next_id: u64,
    log: Option<EventLog>,
    boxes: Boxes,
}

impl Alerts {
    /// Reads what is in the folder. Flags that were up when the program ended are cleared by an event. Lines that are damaged
    /// are left out and said in the log.
    ///
    /// # Errors
    /// When the file cannot be read or written; [`Alerts::in_memory`] does without.
    pub fn open(folder: &Path, at_ms: i64, written: Arc<Written>) -> io::Result<Self> {
        let (log, lines, damaged) = EventLog::open(folder, Arc::clone(&written))?;
        let mut alerts = Self {
            events: VecDeque::new(),
            next_id: 1,
            log: Some(log),
            boxes: Boxes::open(folder, written).map_err(|error| named(folder, "cannot be read", &error))?,
        };
        for line in lines {
            alerts.take_in(line);
        }
        if damaged > 0 {
            tracing::warn!(damaged, "lines of the file of alerts were damaged and are left out");
            alerts.rewrite(at_ms);
        }
        alerts.clear_what_was_up(at_ms);
        Ok(alerts)
    }

    /// Nothing is kept for the next start.
    pub fn in_memory() -> Self {
        Self { events: VecDeque::new(), next_id: 1, log: None, boxes: Boxes::default() }
    }

    /// Events of before the start that nobody was told of and that are still news.
    pub fn untold(&self, at_ms: i64) -> impl Iterator<Item = &AlertEvent> {
        let is_news = move |event: &&AlertEvent| at_ms.saturating_sub(event.at_ms) < STILL_NEWS_MS;
        self.events.iter().filter(is_news).filter(|event| event.deliveries.is_empty())
    }

    /// Keeps changes of flags as events, and gives these.
    pub fn record(&mut self, at_ms: i64, changes: &[Change]) -> Vec<AlertEvent> {
        for change in changes {
            let black_box = change.change != AlertChange::Cleared;
            let event = self.event(at_ms, change.change, change.flag.clone());
            let event = AlertEvent { before: change.before, after: change.after, ..event };
            if black_box {
                self.boxes.expect(event.id, at_ms);
            }
            self.add(event);
        }
        self.events.range(self.events.len().saturating_sub(changes.len())..).cloned().collect()
    }

    /// Writes the black boxes whose time has come, and what could not be written before. To be called once a second.
    pub fn tick(&mut self, at_ms: i64, recent: &Recent) {
        self.write_waiting();
        self.boxes.write_due(at_ms, recent);
    }

    /// Writes the black boxes that would have come yet: the program ends.
    pub fn close(&mut self, recent: &Recent) {
        self.write_waiting();
        self.boxes.write_due(i64::MAX, recent);
    }

    fn write_waiting(&mut self) {
        if let Some(log) = &mut self.log {
            log.write_waiting();
        }
    }

    /// The newest events, newest first.
    pub fn events(&self, at_most: usize) -> Vec<AlertEvent> {
        let newest = self.events.iter().rev().take(at_most);
        newest.map(|event| AlertEvent { black_box: self.boxes.has(event.id), ..event.clone() }).collect()
    }

    /// The seconds around an event; those that have not passed yet are left out.
    pub fn black_box(&self, event: u64, recent: &Recent) -> Option<HistoryAnswer> {
        self.boxes.get(event, recent)
    }

    /// How a webhook took an event in the end.
    pub fn delivered(&mut self, event: u64, delivery: Delivery) {
        if let Some(place) = self.place(event) {
            note(&mut self.events[place], delivery.clone());
            self.append(&Line::Delivery { event, delivery });
        }
    }

    fn event(&mut self, at_ms: i64, change: AlertChange, flag: Flag) -> AlertEvent {
        let id = self.next_id;
        self.next_id += 1;
        let after = flag.value;
        AlertEvent { id, at_ms, change, flag, before: None, after, black_box: false, deliveries: Vec::new() }
    }

    fn add(&mut self, event: AlertEvent) {
        let at_ms = event.at_ms;
        self.append(&Line::Event(Box::new(event.clone())));
        self.events.push_back(event);
        let is_old = |event: &AlertEvent| at_ms.saturating_sub(event.at_ms) > KEPT_MS + SLACK_MS;
        let is_full = self.log.as_ref().is_some_and(EventLog::is_full) || self.events.len() > MAX_EVENTS;
        let may_go = self.events.len() > KEPT_ANYWAY;
        if is_full || (may_go && self.events.front().is_some_and(is_old)) {
            self.rewrite(at_ms);
        }
    }

    /// Forgets what is too old or too much, and writes the file anew.
    fn rewrite(&mut self, at_ms: i64) {
        let may_go = self.events.len().saturating_sub(KEPT_ANYWAY);
        let old = self.events.iter().take(may_go);
        let old = old.take_while(|event| at_ms.saturating_sub(event.at_ms) > KEPT_MS).count();
        self.events.drain(..old);
        // A tenth more than must be, so that it is not done for each event.
        let most = MAX_EVENTS - MAX_EVENTS / 10;
        self.events.drain(..self.events.len().saturating_sub(most));
        let Some(log) = &mut self.log else { return };
        if let Some(kept) = log.rewrite(&self.events) {
            self.events.drain(..self.events.len() - kept);
        }
    }

    fn append(&mut self, line: &Line) {
        if let Some(log) = &mut self.log {
            log.append(line);
        }
    }

    fn take_in(&mut self, line: Line) {
        match line {
            // Ids grow; a line that says otherwise was put there by somebody else.
            Line::Event(event) if (self.next_id..MAX_ID).contains(&event.id) => {
                self.next_id = event.id + 1;
                self.events.push_back(*event);
            }
            Line::Event(_) => {}
            Line::Delivery { event, delivery } => {
                if let Some(place) = self.place(event) {
                    note(&mut self.events[place], delivery);
                }
            }
        }
    }

    fn clear_what_was_up(&mut self, at_ms: i64) {
        let mut up = BTreeMap::new();
        for event in self.events.iter().filter(|event| event.change != AlertChange::Test) {
            match event.change {
                AlertChange::Cleared => drop(up.remove(&event.flag.id)),
                _ => drop(up.insert(event.flag.id.clone(), event.flag.clone())),
            }
        }
        for flag in up.into_values() {
            let flag = Flag { reason: ENDED_MEANWHILE.to_owned(), ..flag };
            let event = self.event(at_ms, AlertChange::Cleared, flag);
            self.add(event);
        }
    }

    /// Where an event is; events are in the order of their ids.
    fn place(&self, id: u64) -> Option<usize> {
        self.events.binary_search_by_key(&id, |event| event.id).ok()
    }
}

/// Replaces what is known of this webhook.
fn note(event: &mut AlertEvent, delivery: Delivery) {
    event.deliveries.retain(|known| known.webhook != delivery.webhook);
    event.deliveries.push(delivery);
}
