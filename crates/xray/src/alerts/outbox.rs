//! Who is to be told, and of what.

use super::{AlertEvent, Delivery};
use crate::{AlertChange, Flag, Severity, SubjectKind, WebhookKind, WebhookState};
use std::collections::VecDeque;

/// What was not sent when the program ended is still sent if it is not older than this.
const STILL_NEWS_MS: i64 = 3_600_000;

/// Events that wait for one webhook; beyond that the oldest are given up.
const MAX_WAITING: usize = 1_000;

/// A webhook as it is configured.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookPlan {
    /// Its name.
    pub name: String,
    /// What it is sent.
    pub kind: WebhookKind,
    /// The whole address; what is shown of it is scheme and host.
    pub address: String,
}

impl WebhookPlan {
    /// After so many attempts an event is given up.
    pub const MAX_ATTEMPTS: u32 = 8;

    /// Scheme and host: the rest, the user's name before the host included, is often a secret.
    pub fn shown_address(&self) -> String {
        let Some((scheme, rest)) = self.address.split_once("://") else { return "(hidden)".to_owned() };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{scheme}://{host}")
    }
}

impl std::fmt::Debug for WebhookPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookPlan({:?}, {:?}, {})", self.name, self.kind, self.shown_address())
    }
}

/// All webhooks with what waits for them.
#[derive(Debug)]
pub(super) struct Outbox {
    webhooks: Vec<Webhook>,
}

#[derive(Debug)]
struct Webhook {
    plan: WebhookPlan,
    /// Ids of events, the oldest first.
    waiting: VecDeque<u64>,
    delivered: u64,
    given_up: u64,
    last_error: Option<String>,
}

impl Outbox {
    /// Nothing waits.
    pub(super) fn new(plans: Vec<WebhookPlan>) -> Self {
        let webhook =
            |plan| Webhook { plan, waiting: VecDeque::new(), delivered: 0, given_up: 0, last_error: None };
        Self { webhooks: plans.into_iter().map(webhook).collect() }
    }

    /// What was not sent before the program ended and is still news.
    pub(super) fn begin(&mut self, events: &VecDeque<AlertEvent>, at_ms: i64) {
        for event in events {
            let is_news = at_ms.saturating_sub(event.at_ms) < STILL_NEWS_MS;
            for webhook in self.webhooks.iter_mut().filter(|_| is_news && event.change != AlertChange::Test) {
                if event.deliveries.iter().all(|delivery| delivery.webhook != webhook.plan.name) {
                    webhook.add(event.id);
                }
            }
        }
    }

    /// An event waits for everybody.
    pub(super) fn add(&mut self, event: u64) {
        for webhook in &mut self.webhooks {
            webhook.add(event);
        }
    }

    /// Ids of events that wait for a webhook.
    pub(super) fn waiting(&self, webhook: &str) -> impl Iterator<Item = u64> {
        let found = self.webhooks.iter().filter(move |known| known.plan.name == webhook);
        found.flat_map(|webhook| webhook.waiting.iter().copied())
    }

    /// Books a delivery, and says whether it was the last word.
    pub(super) fn delivered(&mut self, event: u64, delivery: &Delivery) -> bool {
        let mut known = self.webhooks.iter_mut();
        let Some(webhook) = known.find(|webhook| webhook.plan.name == delivery.webhook) else { return false };
        let is_given_up = !delivery.delivered && delivery.attempts >= WebhookPlan::MAX_ATTEMPTS;
        webhook.last_error = delivery.error.clone().filter(|_| !delivery.delivered);
        webhook.delivered += u64::from(delivery.delivered);
        if delivery.delivered || is_given_up {
            let waited = webhook.waiting.len();
            webhook.waiting.retain(|waiting| *waiting != event);
            webhook.given_up += u64::from(is_given_up && webhook.waiting.len() < waited);
        }
        delivery.delivered || is_given_up
    }

    /// As they were configured.
    pub(super) fn plans(&self) -> Vec<WebhookPlan> {
        self.webhooks.iter().map(|webhook| webhook.plan.clone()).collect()
    }

    /// How they do.
    pub(super) fn states(&self) -> Vec<WebhookState> {
        let state = |webhook: &Webhook| WebhookState {
            name: webhook.plan.name.clone(),
            kind: webhook.plan.kind,
            address: webhook.plan.shown_address(),
            delivered: webhook.delivered,
            given_up: webhook.given_up,
            waiting: webhook.waiting.len() as u64,
            last_error: webhook.last_error.clone(),
        };
        self.webhooks.iter().map(state).collect()
    }
}

impl Webhook {
    fn add(&mut self, event: u64) {
        self.waiting.push_back(event);
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
            self.given_up += 1;
        }
    }
}

/// What a test says.
pub(super) fn test_flag(at_ms: i64) -> Flag {
    Flag {
        id: "webhooks.test".to_owned(),
        subject: crate::Subject { kind: SubjectKind::Process, name: "webhooks".to_owned() },
        rule: "test".to_owned(),
        severity: Severity::Warning,
        title: "this is a test".to_owned(),
        reason: "somebody asked for a test of the webhooks; nothing is wrong".to_owned(),
        remedy: "Nothing is to be done.".to_owned(),
        value: 0.0,
        limit: 0.0,
        unit: String::new(),
        since_ms: at_ms,
        series: Vec::new(),
    }
}
