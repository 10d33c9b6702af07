//! One client of `/api/live`.

use super::batch::FrameHead;
use super::desk::{Desk, Membership};
use super::hub::Seat;
use super::orders::{self, LIMITS, Order, Wanted};
use super::plan::Plan;
use super::protocol::{
    Missed, MissedWhy, PROTOCOL, Pong, Problem, Resumed, ServerMessage, Subscribed, Unsubscribed, Welcome,
};
use super::ring::{Pull, Tick};
use crate::json::to_text;
use crate::services::LoadStatus;
use crate::state::ApiState;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Keeps proxies from closing a quiet connection, and finds clients that are gone.
const PING_EVERY: Duration = Duration::from_secs(30);

/// A client that takes nothing at all for so long is gone. A slow one takes something now and then.
const STALLED_LIMIT: Duration = Duration::from_secs(120);

/// How long the last words may take.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// Messages of the client that wait while it is being written to.
const WAITING_ORDERS: usize = 4;

/// How long a client that resumes waits for the history to be loaded, and how often that is looked at.
const LOADING_LIMIT: Duration = Duration::from_secs(30);
const LOADING_POLL: Duration = Duration::from_millis(100);

type Outbound = SplitSink<WebSocket, Message>;

/// The client cannot be reached.
struct Gone;

/// Serves a client until either side ends it.
pub(crate) async fn run(stream: WebSocket, seat: Seat, state: ApiState) {
    let (mut outbound, inbound) = stream.split();
    let mut closing = seat.closing.clone();
    let (orders, to_do) = mpsc::channel(WAITING_ORDERS);
    let stopping = tokio::select! {
        () = orders::read(inbound, orders) => false,
        Gone = Session::new(&mut outbound, &state).run(to_do) => false,
        // An error means that the hub is gone, which also means to leave.
        _ = closing.wait_for(|closing| *closing) => true,
    };
    if stopping {
        let goodbye = CloseFrame { code: close_code::AWAY, reason: Utf8Bytes::from_static("server stops") };
        // The client may be gone already, and then nobody needs to be told.
        let _ = tokio::time::timeout(GOODBYE_LIMIT, outbound.send(Message::Close(Some(goodbye)))).await;
    }
}

struct Session<'a> {
    outbound: &'a mut Outbound,
    state: &'a ApiState,
    desk: Arc<Desk>,
    subscriptions: Vec<Subscription>,
    /// The tick that comes next for it.
    place: u64,
    server: Arc<str>,
}

struct Subscription {
    id: String,
    head: FrameHead,
    membership: Membership,
    /// The number up to which it has been sent everything, or told that it missed it.
    seq: u64,
}

/// What there is to do at the client's place.
enum Step {
    Done,
    Send(Arc<Tick>),
    /// Goes on after this tick; each group had put out so many rows by then.
    SkipTo(Arc<Tick>, Vec<u64>),
}

impl<'a> Session<'a> {
    fn new(outbound: &'a mut Outbound, state: &'a ApiState) -> Self {
        let desk = Arc::clone(state.live().desk());
        Self { outbound, state, desk, subscriptions: Vec::new(), place: 0, server: Arc::from("") }
    }

    async fn run(mut self, mut orders: mpsc::Receiver<Order>) -> Gone {
        match self.serve(&mut orders).await {
            Ok(()) | Err(Gone) => Gone,
        }
    }

    async fn serve(&mut self, orders: &mut mpsc::Receiver<Order>) -> Result<(), Gone> {
        let mut ticks = self.desk.ticks();
        let mut ping = tokio::time::interval_at((Instant::now() + PING_EVERY).into(), PING_EVERY);
        let (server, seq) = self.desk.greeting(self.state).await;
        self.welcome(server, seq).await?;
        loop {
            self.flush().await?;
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.follow(order).await?,
                    None => return Ok(()),
                },
                tick = ticks.changed() => match tick {
                    Ok(()) => self.catch_up().await?,
                    Err(_) => return Ok(()),
                },
                _ = ping.tick() => self.write(Message::Ping(Default::default())).await?,
            }
        }
    }

    async fn follow(&mut self, order: Order) -> Result<(), Gone> {
        // What was there before the order goes out before its answer.
        self.catch_up().await?;
        match order {
            Order::Subscribe(wanted) => self.subscribe(*wanted).await,
            Order::Unsubscribe(id) => {
                let before = self.subscriptions.len();
                self.subscriptions.retain(|subscription| subscription.id != id);
                if self.subscriptions.len() == before {
                    return self
                        .say(&ServerMessage::Error(Problem::with(&id, "id", "no such subscription")))
                        .await;
                }
                self.say(&ServerMessage::Unsubscribed(Unsubscribed { id })).await
            }
            Order::Ping => {
                let seq = match self.subscriptions.iter().map(|subscription| subscription.seq).min() {
                    Some(seq) => seq,
                    None => self.desk.greeting(self.state).await.1,
                };
                self.say(&ServerMessage::Pong(Pong { seq })).await
            }
            Order::Complain(problem) => self.say(&ServerMessage::Error(problem)).await,
        }
    }

    async fn subscribe(&mut self, wanted: Wanted) -> Result<(), Gone> {
        let Wanted { id, wish, resume } = wanted;
        let is_known = |subscription: &Subscription| subscription.id == id;
        if self.subscriptions.len() >= LIMITS.subscriptions && !self.subscriptions.iter().any(is_known) {
            let error = format!("at most {} subscriptions at a time", LIMITS.subscriptions);
            return self
                .say(&ServerMessage::Error(Problem { error, id: Some(id), ..Problem::default() }))
                .await;
        }
        if resume.is_some() {
            self.history_loaded().await;
        }
        let fields = wish.fields.list();
        let Ok(membership) = self.desk.join(self.state, wish).await else {
            let error = "too many different subscriptions on this server, try again later".to_owned();
            return self
                .say(&ServerMessage::Error(Problem { error, id: Some(id), ..Problem::default() }))
                .await;
        };
        self.subscriptions.retain(|subscription| subscription.id != id);
        if self.subscriptions.is_empty() {
            self.place = membership.first_tick;
        }
        let seq = membership.seq;
        self.say(&ServerMessage::Subscribed(Subscribed { id: id.clone(), seq, fields })).await?;
        let subscription = Subscription { head: FrameHead::new(&id), id, membership, seq };
        if let Some(resume) = resume {
            self.replay(&subscription, resume).await?;
        }
        self.subscriptions.push(subscription);
        Ok(())
    }

    /// Sends what came after `resume` and before the subscription's first tick, and says what of it is missing.
    async fn replay(&mut self, subscription: &Subscription, resume: u64) -> Result<(), Gone> {
        let first = resume.saturating_add(1);
        let last = subscription.seq;
        let mut next = first;
        let held = self.state.read(|index, _now| index.oldest_observation()).map_or(last + 1, |id| id.0);
        let least = (last + 1).saturating_sub(LIMITS.replay);
        for (from, why) in [(held, MissedWhy::NotInMemory), (least, MissedWhy::ReplayLimit)] {
            if next < from && next <= last {
                let (id, to) = (subscription.id.clone(), last.min(from - 1));
                let missed = Missed { id, from: next, to, count: to - next + 1, why };
                self.say(&ServerMessage::Missed(missed)).await?;
                next = to + 1;
            }
        }
        let plan = Plan::new([&subscription.membership.group.wish]);
        let mut rows = 0;
        while next <= last {
            let turn = self.desk.turn_to_replay().await;
            let stretch = plan.render(self.state, next, last).await;
            // Writing takes the client's time, which must not be that of others who replay.
            drop(turn);
            next = stretch.to + 1;
            for batch in &stretch.batches {
                rows += batch.rows;
                for rest in &batch.frames {
                    self.write(Message::Text(subscription.head.frame(rest))).await?;
                }
            }
        }
        let id = subscription.id.clone();
        self.say(&ServerMessage::Resumed(Resumed { id, from: first, to: last, rows })).await
    }

    /// Sends all ticks that there are for it by now.
    async fn catch_up(&mut self) -> Result<(), Gone> {
        if self.subscriptions.is_empty() {
            return Ok(());
        }
        loop {
            let subscriptions = &self.subscriptions;
            let step = self.desk.pull(self.place, |pull| match pull {
                Pull::Nothing => Step::Done,
                Pull::Next(tick) => Step::Send(tick),
                Pull::Lost(tick) => {
                    let sent = subscriptions.iter().map(|subscription| subscription.membership.group.sent());
                    Step::SkipTo(tick, sent.collect())
                }
            });
            let tick = match step {
                Step::Done => return Ok(()),
                Step::Send(tick) => {
                    self.send(&tick).await?;
                    tick
                }
                Step::SkipTo(tick, sent) => {
                    self.skip(&tick, &sent).await?;
                    tick
                }
            };
            self.place = tick.number + 1;
            for subscription in &mut self.subscriptions {
                if tick.number >= subscription.membership.first_tick {
                    subscription.seq = tick.to;
                }
            }
        }
    }

    async fn send(&mut self, tick: &Tick) -> Result<(), Gone> {
        if tick.server != self.server {
            self.welcome(Arc::clone(&tick.server), tick.to).await?;
        }
        for at in 0..self.subscriptions.len() {
            let subscription = &self.subscriptions[at];
            if tick.number < subscription.membership.first_tick {
                continue;
            }
            if let Some((from, to)) = tick.skipped {
                let missed = Missed {
                    id: subscription.id.clone(),
                    from,
                    to,
                    count: to - from + 1,
                    why: MissedWhy::Overload,
                };
                self.say(&ServerMessage::Missed(missed)).await?;
            }
            let Some(batch) = tick.batch(self.subscriptions[at].membership.group.number) else { continue };
            for rest in &batch.frames {
                let frame = self.subscriptions[at].head.frame(rest);
                self.write(Message::Text(frame)).await?;
            }
            self.subscriptions[at].membership.seen += batch.rows;
        }
        Ok(())
    }

    /// The client was too slow: what came in the meantime is gone.
    async fn skip(&mut self, tick: &Tick, sent: &[u64]) -> Result<(), Gone> {
        if tick.server != self.server {
            self.welcome(Arc::clone(&tick.server), tick.to).await?;
        }
        for (at, sent) in sent.iter().enumerate() {
            let subscription = &mut self.subscriptions[at];
            let count = sent.saturating_sub(subscription.membership.seen);
            subscription.membership.seen = *sent;
            if count > 0 {
                self.desk.count_missed(count);
                let (id, from) = (subscription.id.clone(), subscription.seq + 1);
                let missed = Missed { id, from, to: tick.to, count, why: MissedWhy::Slow };
                self.say(&ServerMessage::Missed(missed)).await?;
            }
        }
        Ok(())
    }

    async fn welcome(&mut self, server: Arc<str>, seq: u64) -> Result<(), Gone> {
        self.server = server;
        let welcome = Welcome { protocol: PROTOCOL, server: self.server.to_string(), seq, limits: LIMITS };
        self.say(&ServerMessage::Welcome(welcome)).await
    }

    async fn history_loaded(&self) {
        let loaded = async {
            while self.state.services().load_status() != LoadStatus::Ready {
                tokio::time::sleep(LOADING_POLL).await;
            }
        };
        // When it takes longer, what is not loaded yet is told as missed.
        let _ = tokio::time::timeout(LOADING_LIMIT, loaded).await;
    }

    async fn say(&mut self, message: &ServerMessage) -> Result<(), Gone> {
        self.write(Message::Text(to_text(message).into())).await
    }

    /// Puts a message behind those that wait; only [`Self::flush`] sends small ones.
    async fn write(&mut self, message: Message) -> Result<(), Gone> {
        within_patience(self.outbound.feed(message)).await
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        within_patience(self.outbound.flush()).await
    }
}

async fn within_patience(work: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Gone> {
    match tokio::time::timeout(STALLED_LIMIT, work).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}
