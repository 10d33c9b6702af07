//! What clients of `/api/live` say, read and checked.

use super::filter::RowFilter;
use super::plan::Wish;
use super::protocol::{ClientMessage, Limits, Problem, Subscribe};
use super::row::{FieldSet, RowField};
use super::selection::Selection;
use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A subscription with a long filter and a list of observers fits.
const MESSAGE_BYTES: usize = 16 * 1024;

/// A client that sends a larger frame is let go before it is read: nothing of it is kept.
pub(crate) const MAX_FRAME_BYTES: usize = 64 * 1024;

/// A client that says so much is read later, not cut off.
const MESSAGES_PER_SECOND: u32 = 10;

/// Messages that may come at once.
const BURST: u32 = 20;

/// A client that has not said or answered anything for so long is gone. Pings go out every half minute.
const IDLE_LIMIT: Duration = Duration::from_secs(120);

/// Observers or regions of one subscription.
const MAX_NAMES: usize = 200;

/// Bytes of the name of a subscription, of an observer or of a region.
const NAME_BYTES: usize = 64;

/// What a client may ask for, as it is told.
pub(crate) const LIMITS: Limits = Limits {
    subscriptions: 8,
    message_bytes: MESSAGE_BYTES,
    messages_per_second: MESSAGES_PER_SECOND,
    filter_bytes: filter::MAX_BYTES,
    replay: 20_000,
    batch_ms: super::desk::MAX_PAUSE.as_millis() as u64,
};

/// What the session does next.
#[derive(Debug)]
pub(crate) enum Order {
    Subscribe(Box<Wanted>),
    Unsubscribe(String),
    Ping,
    /// The client is told what is wrong with what it said.
    Complain(Problem),
}

/// A subscription whose parts are all right.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) id: String,
    pub(crate) wish: Wish,
    pub(crate) resume: Option<u64>,
}

/// Reads until the client is gone. When the session is busy, the client waits.
pub(crate) async fn read(mut inbound: SplitStream<WebSocket>, orders: mpsc::Sender<Order>) {
    let mut allowance = Allowance::new();
    while let Ok(Some(Ok(message))) = tokio::time::timeout(IDLE_LIMIT, inbound.next()).await {
        allowance.take().await;
        let order = match message {
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Text(text) => order(&text),
            Message::Binary(_) => complaint("messages are JSON in text frames, this frame is binary"),
        };
        if orders.send(order).await.is_err() {
            return;
        }
    }
}

fn order(text: &str) -> Order {
    if text.len() > MESSAGE_BYTES {
        return complaint(format!("message too large: at most {MESSAGE_BYTES} bytes"));
    }
    match serde_json::from_str(text) {
        Ok(ClientMessage::Subscribe(asked)) => match wanted(asked) {
            Ok(wanted) => Order::Subscribe(Box::new(wanted)),
            Err(problem) => Order::Complain(problem),
        },
        Ok(ClientMessage::Unsubscribe(asked)) => Order::Unsubscribe(asked.id),
        Ok(ClientMessage::Ping(_)) => Order::Ping,
        Err(error) => complaint(format!("not a message: {error}")),
    }
}

fn complaint(error: impl Into<String>) -> Order {
    Order::Complain(Problem { error: error.into(), ..Problem::default() })
}

fn wanted(asked: Subscribe) -> Result<Wanted, Problem> {
    let Subscribe { id, filter, fields, observers, regions, resume } = asked;
    if id.is_empty() || id.len() > NAME_BYTES {
        let error = format!("id: must have 1 to {NAME_BYTES} bytes");
        return Err(Problem { error, parameter: Some("id"), ..Problem::default() });
    }
    let fields = fields.map_or(Ok(FieldSet::COMPACT), |names| field_set(&id, &names))?;
    check_names(&id, "observers", &observers)?;
    check_names(&id, "regions", &regions)?;
    let filter = filter.filter(|text| !text.trim().is_empty());
    let filter = filter.map(|text| RowFilter::parse(&id, &text)).transpose()?;
    Ok(Wanted { wish: Wish { selection: Selection::new(filter, observers, regions), fields }, id, resume })
}

fn field_set(id: &str, names: &[String]) -> Result<FieldSet, Problem> {
    let mut fields = Vec::new();
    for name in names.iter().take(RowField::ALL.len()) {
        let Some(field) = RowField::named(name) else {
            let shown: String = name.chars().take(NAME_BYTES).collect();
            let known: Vec<String> = RowField::ALL.iter().map(|field| field.name()).collect();
            let mut problem = Problem::with(id, "fields", format!("there is no field `{shown}`"));
            problem.hint = Some(format!("the fields are {}", known.join(", ")));
            return Err(problem);
        };
        fields.push(field);
    }
    if fields.is_empty() || names.len() > RowField::ALL.len() {
        return Err(Problem::with(id, "fields", format!("must name 1 to {} fields", RowField::ALL.len())));
    }
    Ok(FieldSet::of(&fields))
}

fn check_names(id: &str, parameter: &'static str, names: &[String]) -> Result<(), Problem> {
    if names.len() > MAX_NAMES {
        return Err(Problem::with(id, parameter, format!("at most {MAX_NAMES}")));
    }
    if names.iter().any(|name| name.is_empty() || name.len() > NAME_BYTES * 2) {
        return Err(Problem::with(id, parameter, format!("each must have 1 to {} bytes", NAME_BYTES * 2)));
    }
    Ok(())
}

/// Messages that may be read now.
struct Allowance {
    messages: f64,
    at: Instant,
}

impl Allowance {
    fn new() -> Self {
        Self { messages: f64::from(BURST), at: Instant::now() }
    }

    /// Waits until one more may be read.
    async fn take(&mut self) {
        let now = Instant::now();
        let earned = now.duration_since(self.at).as_secs_f64() * f64::from(MESSAGES_PER_SECOND);
        self.messages = (self.messages + earned).min(f64::from(BURST)) - 1.0;
        self.at = now;
        if self.messages < 0.0 {
            tokio::time::sleep(Duration::from_secs_f64(-self.messages / f64::from(MESSAGES_PER_SECOND)))
                .await;
        }
    }
}
