//! How a source is doing, for the operator.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;

/// Messages are counted in steps of this, so "the last five minutes" is right to a few seconds.
const STEP: Duration = Duration::from_secs(5);
/// Five minutes of steps.
const STEPS: u64 = 60;

/// How a source is doing.
#[derive(Debug, Clone)]
pub struct SourceStatus {
    /// What the operator calls it.
    pub name: String,
    /// The broker's URL, with the user name and a masked password.
    pub broker: String,
    /// The broker has let us in, and the connection is up.
    pub connected: bool,
    /// When it last let us in.
    pub last_connect: Option<SystemTime>,
    /// When a connection last ended.
    pub last_disconnect: Option<SystemTime>,
    /// When the last message came.
    pub last_message: Option<SystemTime>,
    /// How often it let us in.
    pub connect_count: u64,
    /// How often a connection ended.
    pub disconnect_count: u64,
    /// Attempts that failed before the broker let us in.
    pub failed_attempts: u64,
    /// Messages since the start.
    pub messages_total: u64,
    /// Messages of the last five minutes, to five seconds.
    pub messages_last_5m: u64,
    /// Bytes read from the broker.
    pub bytes_in: u64,
    /// What last went wrong, in words; none once connected and subscribed.
    pub last_error: Option<String>,
}

/// The status as the source keeps it.
#[derive(Debug)]
pub(super) struct StatusBoard {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    status: SourceStatus,
    start: Instant,
    /// Step number and messages in it, the newest last.
    recent: VecDeque<(u64, u64)>,
    /// What was last said to be wrong, so that it is not said again and again.
    said: Option<String>,
}

impl StatusBoard {
    pub(super) fn new(name: String, broker: String) -> Self {
        let status = SourceStatus {
            name,
            broker,
            connected: false,
            last_connect: None,
            last_disconnect: None,
            last_message: None,
            connect_count: 0,
            disconnect_count: 0,
            failed_attempts: 0,
            messages_total: 0,
            messages_last_5m: 0,
            bytes_in: 0,
            last_error: None,
        };
        Self {
            inner: Mutex::new(Inner { status, start: Instant::now(), recent: VecDeque::new(), said: None }),
        }
    }

    pub(super) fn snapshot(&self) -> SourceStatus {
        self.snapshot_at(Instant::now())
    }

    /// Whether this is something else than what was last said to be wrong; from now on it is what was said.
    pub(super) fn is_news(&self, error: &str) -> bool {
        let said = &mut self.inner.lock().said;
        let news = said.as_deref() != Some(error);
        *said = Some(error.to_owned());
        news
    }

    /// All was well for a while, so the same error is news again.
    pub(super) fn was_well(&self) {
        self.inner.lock().said = None;
    }

    pub(super) fn connected(&self) {
        let status = &mut self.inner.lock().status;
        status.connected = true;
        status.last_connect = Some(SystemTime::now());
        status.connect_count += 1;
    }

    pub(super) fn subscribed(&self) {
        self.inner.lock().status.last_error = None;
    }

    /// Something is wrong, and the connection stays.
    pub(super) fn problem(&self, error: String) {
        self.inner.lock().status.last_error = Some(error);
    }

    /// The connection ended; `error` is none if we ended it.
    pub(super) fn disconnected(&self, error: Option<String>) {
        let status = &mut self.inner.lock().status;
        status.connected = false;
        status.last_disconnect = Some(SystemTime::now());
        status.disconnect_count += 1;
        if error.is_some() {
            status.last_error = error;
        }
    }

    /// An attempt failed before the broker let us in.
    pub(super) fn failed(&self, error: String) {
        let status = &mut self.inner.lock().status;
        status.failed_attempts += 1;
        status.last_error = Some(error);
    }

    pub(super) fn received(&self, messages: u64, bytes: u64, at: SystemTime) {
        self.received_at(messages, bytes, at, Instant::now());
    }

    fn received_at(&self, messages: u64, bytes: u64, at: SystemTime, now: Instant) {
        let inner = &mut *self.inner.lock();
        inner.status.bytes_in += bytes;
        if messages == 0 {
            return;
        }
        inner.status.messages_total += messages;
        inner.status.last_message = Some(at);
        let step = inner.step(now);
        match inner.recent.back_mut() {
            Some((last, count)) if *last == step => *count += messages,
            _ => inner.recent.push_back((step, messages)),
        }
        inner.forget_before(step);
    }

    fn snapshot_at(&self, now: Instant) -> SourceStatus {
        let inner = &mut *self.inner.lock();
        let step = inner.step(now);
        inner.forget_before(step);
        let messages_last_5m = inner.recent.iter().map(|(_, count)| count).sum();
        SourceStatus { messages_last_5m, ..inner.status.clone() }
    }
}

impl Inner {
    fn step(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs() / STEP.as_secs()
    }

    fn forget_before(&mut self, step: u64) {
        while self.recent.pop_front_if(|(old, _)| *old + STEPS <= step).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_error_is_news_only_once_until_all_was_well() {
        let board = StatusBoard::new("city".into(), "mqtt://broker.example:1883".into());
        assert!(board.is_news("refused"));
        assert!(!board.is_news("refused"));
        assert!(board.is_news("closed"));
        board.was_well();
        assert!(board.is_news("closed"));
    }

    #[test]
    fn messages_leave_the_last_five_minutes_when_those_are_over() {
        let board = StatusBoard::new("city".into(), "mqtt://broker.example:1883".into());
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for second in [1, 2, 100, 301] {
            board.received_at(10, 100, SystemTime::now(), after(second));
        }
        assert_eq!(board.snapshot_at(after(301)).messages_last_5m, 20);
        assert_eq!(board.snapshot_at(after(395)).messages_last_5m, 20);
        assert_eq!(board.snapshot_at(after(410)).messages_last_5m, 10);
        let later = board.snapshot_at(after(10_000));
        assert_eq!((later.messages_last_5m, later.messages_total, later.bytes_in), (0, 40, 400));
    }
}
