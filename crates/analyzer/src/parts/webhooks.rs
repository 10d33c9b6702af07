//! Tells other servers of alerts: the event as JSON, or a message for an ntfy topic.
//!
//! One thread sends, one event after the other for each webhook, so that `cleared` never overtakes `raised`. What is not
//! taken is tried again, less and less often, for about an hour. Nothing here makes the rest of the program wait.

mod message;
mod post;

use crate::config::{WebhooksConfig, address};
use anyhow::{Context as _, Result};
use message::Message;
use model::UnixMillis;
use parking_lot::{Condvar, Mutex};
use post::Postman;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use xray::{AlertChange, AlertEvent, Delivery, Flag, Severity, Subject, SubjectKind, WebhookState};

/// Events that may wait for one webhook. An hour of outage rarely has more; each is about a kilobyte.
const MOST_WAITING: usize = 100;

/// Sends alerts to the webhooks of the configuration until it is dropped. What waits then is lost; what is being sent is
/// finished by the thread, for which nobody waits.
pub(crate) struct Webhooks {
    shared: Arc<Shared>,
}

/// How often it is tried.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Wait after the first failure; it doubles with each further one.
    first: Duration,
    /// The longest wait.
    most: Duration,
    /// When an event is this old it is given up.
    patience: Duration,
}

impl Pace {
    /// A restart of the other server takes seconds, and an outage of more than an hour makes the news old.
    const USUAL: Self = Self {
        first: Duration::from_secs(1),
        most: Duration::from_secs(300),
        patience: Duration::from_secs(3_600),
    };

    /// The wait after so many failures.
    fn after(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        self.first.saturating_mul(1 << doublings).min(self.most)
    }
}

/// Told of each event that was delivered or given up: the event's id, and how it went.
type Told = Box<dyn Fn(u64, Delivery) + Send + Sync>;

struct Shared {
    config: WebhooksConfig,
    pace: Pace,
    postman: Postman,
    state: Mutex<State>,
    changed: Condvar,
    told: Told,
}

struct State {
    /// One for each webhook, in the order of the configuration.
    lines: Vec<Line>,
    /// What gave way to newer events. The thread tells of it, because whoever sends may hold what the told one waits for.
    crowded_out: Vec<(u64, Delivery)>,
    stopping: bool,
}

#[derive(Default)]
struct Line {
    /// The first is the one that is tried.
    waiting: VecDeque<Waiting>,
    delivered: u64,
    given_up: u64,
    last_error: Option<String>,
}

struct Waiting {
    event: Arc<AlertEvent>,
    since: Instant,
    failures: u32,
    due: Instant,
}

/// What the thread has to do next.
enum Work {
    /// Send an event to the webhook at this place.
    Try(usize, Arc<AlertEvent>),
    /// Say what became of events.
    Tell(Vec<(u64, Delivery)>),
}

impl Webhooks {
    /// Starts the thread, if there is anybody to tell. `told` is called on it for each event that was delivered or given up.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub(crate) fn start(
        config: WebhooksConfig,
        told: impl Fn(u64, Delivery) + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::start_at(config, Pace::USUAL, Box::new(told))
    }

    fn start_at(config: WebhooksConfig, pace: Pace, told: Told) -> Result<Self> {
        let lines = config.hooks.iter().map(|_| Line::default()).collect();
        let shared = Arc::new(Shared {
            postman: Postman::new(),
            state: Mutex::new(State { lines, crowded_out: Vec::new(), stopping: false }),
            changed: Condvar::new(),
            config,
            pace,
            told,
        });
        if !shared.config.hooks.is_empty() {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name("webhooks".to_owned());
            thread.spawn(move || shared.work()).context("cannot start the thread of the webhooks")?;
        }
        Ok(Self { shared })
    }

    /// Has the event sent to all webhooks; returns at once.
    pub(crate) fn send(&self, event: AlertEvent) {
        let event = Arc::new(event);
        let now = Instant::now();
        let mut state = self.shared.state.lock();
        let State { lines, crowded_out, .. } = &mut *state;
        for (line, hook) in lines.iter_mut().zip(&self.shared.config.hooks) {
            // The first may be on its way, so the one behind it gives way.
            if line.waiting.len() >= MOST_WAITING
                && let Some(gone) = line.waiting.remove(1)
            {
                line.given_up += 1;
                let (webhook, attempts) = (hook.name.clone(), gone.failures);
                let error = Some("too many events wait for this webhook".to_owned());
                crowded_out.push((gone.event.id, Delivery { webhook, delivered: false, attempts, error }));
            }
            line.waiting.push_back(Waiting { event: Arc::clone(&event), since: now, failures: 0, due: now });
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// How the webhooks do, in the order of the configuration.
    pub(crate) fn states(&self) -> Vec<WebhookState> {
        let state = self.shared.state.lock();
        let each = self.shared.config.hooks.iter().zip(&state.lines).map(|(hook, line)| WebhookState {
            name: hook.name.clone(),
            kind: hook.kind,
            address: address(&hook.url).unwrap_or_default(),
            delivered: line.delivered,
            given_up: line.given_up,
            waiting: line.waiting.len() as u64,
            last_error: line.last_error.clone(),
        });
        each.collect()
    }

    /// Sends a test to all webhooks at once, each a single time, and waits for the answers: ten seconds at most.
    pub(crate) fn test(&self) -> Vec<Delivery> {
        let event = test_event();
        let shared = &self.shared;
        let deliveries: Vec<Delivery> = std::thread::scope(|scope| {
            let senders: Vec<_> = shared
                .config
                .hooks
                .iter()
                .map(|hook| scope.spawn(|| shared.postman.post(hook, &shared.message(&event))))
                .collect();
            let results = senders.into_iter().map(|sender| {
                sender.join().unwrap_or_else(|_panic| Err("sending failed inside this program".to_owned()))
            });
            let results = results.zip(&shared.config.hooks).map(|(result, hook)| Delivery {
                webhook: hook.name.clone(),
                delivered: result.is_ok(),
                attempts: 1,
                error: result.err(),
            });
            results.collect()
        });
        for (line, delivery) in shared.state.lock().lines.iter_mut().zip(&deliveries) {
            line.last_error.clone_from(&delivery.error);
        }
        deliveries
    }
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.shared.state.lock().stopping = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn work(&self) {
        while let Some(work) = self.next() {
            match work {
                Work::Try(place, event) => {
                    let result = self.postman.post(&self.config.hooks[place], &self.message(&event));
                    if let Some(delivery) = self.note(place, result) {
                        (self.told)(event.id, delivery);
                    }
                }
                Work::Tell(outcomes) => {
                    outcomes.into_iter().for_each(|(event, delivery)| (self.told)(event, delivery));
                }
            }
        }
    }

    /// Waits for something to do; `None` when it is time to stop.
    fn next(&self) -> Option<Work> {
        let mut state = self.state.lock();
        loop {
            if state.stopping {
                return None;
            }
            if !state.crowded_out.is_empty() {
                return Some(Work::Tell(std::mem::take(&mut state.crowded_out)));
            }
            let firsts = state.lines.iter().enumerate();
            let first = firsts.filter_map(|(place, line)| Some((place, line.waiting.front()?)));
            match first.min_by_key(|(_, waiting)| waiting.due) {
                Some((place, waiting)) if waiting.due <= Instant::now() => {
                    return Some(Work::Try(place, Arc::clone(&waiting.event)));
                }
                Some((_, waiting)) => {
                    let due = waiting.due;
                    self.changed.wait_until(&mut state, due);
                }
                None => self.changed.wait(&mut state),
            }
        }
    }

    /// Writes down how a try went. Returns the delivery when the event is done with.
    fn note(&self, place: usize, result: Result<(), String>) -> Option<Delivery> {
        let name = &self.config.hooks[place].name;
        let mut state = self.state.lock();
        let line = &mut state.lines[place];
        let mut tried = line.waiting.pop_front()?;
        line.last_error = result.as_ref().err().cloned();
        let failures_before = tried.failures;
        let delivered = result.is_ok();
        if delivered {
            line.delivered += 1;
        } else if tried.since.elapsed() < self.pace.patience {
            tried.failures += 1;
            tried.due = Instant::now() + self.pace.after(tried.failures);
            line.waiting.push_front(tried);
            drop(state);
            if failures_before == 0 {
                // Once for each event: the page shows what became of it afterwards.
                tracing::warn!(webhook = %name, error = %result.err().unwrap_or_default(), "a webhook did not take an alert, it will be tried again");
            }
            return None;
        } else {
            line.given_up += 1;
            tracing::error!(webhook = %name, attempts = failures_before + 1, "an alert could not be delivered and was given up");
        }
        let error = result.err();
        Some(Delivery { webhook: name.clone(), delivered, attempts: failures_before + 1, error })
    }

    fn message<'a>(&'a self, event: &'a AlertEvent) -> Message<'a> {
        Message { instance: &self.config.instance, link: self.config.link.as_deref(), event }
    }
}

/// Something that looks like an alert and says that it is none.
fn test_event() -> AlertEvent {
    let at_ms = UnixMillis::now().0;
    AlertEvent {
        id: 0,
        at_ms,
        change: AlertChange::Test,
        flag: Flag {
            id: "test".to_owned(),
            subject: Subject { kind: SubjectKind::Process, name: "meshcore-analyzer".to_owned() },
            rule: "test".to_owned(),
            severity: Severity::Warning,
            title: "this is a test".to_owned(),
            reason: "somebody asked for a test of the webhooks; nothing is wrong".to_owned(),
            remedy: "nothing has to be done".to_owned(),
            value: 0.0,
            limit: 0.0,
            unit: "ratio".to_owned(),
            since_ms: at_ms,
            series: Vec::new(),
        },
        before: None,
        after: 0.0,
        black_box: false,
        deliveries: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
