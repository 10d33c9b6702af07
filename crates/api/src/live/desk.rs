//! Who subscribes to what on `/api/live`, and what they get: rendered once for all who want the same.
//!
//! Subscriptions with the same wish are a group. When ingest has announced observations, one task renders a *tick*: the
//! stretch of the sequence since the last one, for each group. Clients take ticks from the ring at their own pace, so a
//! client costs no memory beyond its socket, and a slow one finds its place gone and is told what it missed.

use super::batch::Batch;
use super::plan::{Plan, Wish};
use super::ring::{Pull, Ring, Tick};
use crate::state::ApiState;
use model::UnixMillis;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Notify, Semaphore, SemaphorePermit, watch};

/// Different wishes at a time. Each may cost some microseconds for each observation.
const MAX_GROUPS: usize = 256;

/// The feed never waits for the sake of a larger batch for longer than this.
pub(crate) const MAX_PAUSE: Duration = Duration::from_millis(250);

/// Pause after a tick without clients: what follows closely goes together.
const MIN_PAUSE: Duration = Duration::from_millis(10);

/// A frame costs some 5 to 10 µs, most of it in the system's half of the socket. Waiting three times that for each
/// subscription keeps the feed below half a core however many there are, and a thousand of them wait for 40 ms.
const PAUSE_PER_SUBSCRIPTION: Duration = Duration::from_micros(30);

/// A pause that ended late says that the cores are busy, with frames or with something else: the next one is longer by so
/// many times that, so that each frame takes more rows.
const PAUSE_FOR_LATENESS: u32 = 2;

/// Further behind than this, the feed goes on with what is new.
const MAX_BEHIND: u64 = 20_000;

/// What of it is kept then.
const KEPT_OF_BEHIND: u64 = 1_000;

/// Clients whose missed rows are rendered at the same time, in turns of a stretch each.
const REPLAYS_AT_ONCE: usize = 2;

/// See the module.
pub(crate) struct Desk {
    /// Held for a whole tick, so that who joins does so between two.
    registry: Mutex<Registry>,
    ring: RwLock<Ring>,
    /// The newest observation that was announced; 0 before the first.
    newest: AtomicU64,
    announced: Notify,
    ticked: watch::Sender<u64>,
    replays: Semaphore,
    subscriptions: AtomicU64,
    missed_rows: AtomicU64,
}

struct Registry {
    groups: Vec<Arc<Group>>,
    next_group: u64,
    /// The number up to which ticks were made.
    seq: u64,
    server: Arc<str>,
}

/// Subscriptions that want the same. It lasts for as long as one of them does.
pub(crate) struct Group {
    pub(crate) number: u64,
    pub(crate) wish: Wish,
    /// Rows put into ticks so far. Changes together with the ring.
    sent: AtomicU64,
}

/// A subscription's part in its group.
pub(crate) struct Membership {
    pub(crate) group: Arc<Group>,
    /// The first tick that is for it.
    pub(crate) first_tick: u64,
    /// The number up to which ticks were made before.
    pub(crate) seq: u64,
    /// Rows of the group that it has been sent, or told that it missed.
    pub(crate) seen: u64,
    desk: Arc<Desk>,
}

/// There are [`MAX_GROUPS`] different wishes already.
pub(crate) struct TooMany;

impl Desk {
    pub(crate) fn new() -> Self {
        let registry = Registry { groups: Vec::new(), next_group: 0, seq: 0, server: new_server_id() };
        Self {
            registry: Mutex::new(registry),
            ring: RwLock::default(),
            newest: AtomicU64::new(0),
            announced: Notify::new(),
            ticked: watch::Sender::new(0),
            replays: Semaphore::new(REPLAYS_AT_ONCE),
            subscriptions: AtomicU64::new(0),
            missed_rows: AtomicU64::new(0),
        }
    }

    /// Announces that the observations up to this one are in the index. Never blocks.
    pub(crate) fn announce(&self, newest: u64) {
        self.newest.store(newest, Ordering::Release);
        self.announced.notify_one();
    }

    /// Subscriptions now.
    pub(crate) fn subscriptions(&self) -> u64 {
        self.subscriptions.load(Ordering::Relaxed)
    }

    /// Rows that slow clients did not get, since the start.
    pub(crate) fn missed_rows(&self) -> u64 {
        self.missed_rows.load(Ordering::Relaxed)
    }

    pub(crate) fn count_missed(&self, rows: u64) {
        self.missed_rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// The sequence's name and its newest number.
    pub(crate) async fn greeting(&self, state: &ApiState) -> (Arc<str>, u64) {
        let mut registry = self.registry.lock().await;
        registry.forget_empty_groups();
        if registry.groups.is_empty() {
            registry.seq = newest_in(state);
        }
        (Arc::clone(&registry.server), registry.seq)
    }

    /// Told when there is a new tick.
    pub(crate) fn ticks(&self) -> watch::Receiver<u64> {
        self.ticked.subscribe()
    }

    /// The right to render a stretch for a client that resumes.
    pub(crate) async fn turn_to_replay(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.replays.acquire().await.ok()
    }

    /// Looks for the tick with this number. The closure runs while the ring does not change, so that counts of groups belong to
    /// what it is given.
    pub(crate) fn pull<T>(&self, place: u64, take: impl FnOnce(Pull) -> T) -> T {
        let ring = self.ring.read();
        take(ring.pull(place))
    }

    /// Becomes a member of the group with this wish, from the next tick on.
    ///
    /// # Errors
    /// When there are too many different wishes.
    pub(crate) async fn join(self: &Arc<Self>, state: &ApiState, wish: Wish) -> Result<Membership, TooMany> {
        let mut registry = self.registry.lock().await;
        registry.forget_empty_groups();
        if registry.groups.is_empty() {
            registry.seq = newest_in(state);
            self.ring.write().clear();
        }
        let group = registry.group(wish)?;
        self.subscriptions.fetch_add(1, Ordering::Relaxed);
        Ok(Membership {
            first_tick: self.ring.read().next(),
            seq: registry.seq,
            seen: group.sent(),
            group,
            desk: Arc::clone(self),
        })
    }

    /// Makes ticks, for ever.
    pub(crate) async fn run(&self, state: &ApiState) {
        loop {
            self.announced.notified().await;
            let mut late = Duration::ZERO;
            // What was announced during the pause has left its mark, so nothing is waited for in vain.
            while self.tick(state).await {
                let (pause, began) = (self.pause(late), Instant::now());
                tokio::time::sleep(pause).await;
                late = began.elapsed().saturating_sub(pause);
            }
        }
    }

    /// The more subscriptions and the busier the cores, the more goes together.
    fn pause(&self, late: Duration) -> Duration {
        let subscriptions = u32::try_from(self.subscriptions()).unwrap_or(u32::MAX);
        let for_all = MIN_PAUSE + PAUSE_PER_SUBSCRIPTION.saturating_mul(subscriptions);
        for_all.saturating_add(late.saturating_mul(PAUSE_FOR_LATENESS)).min(MAX_PAUSE)
    }

    /// Makes one tick; `false` when there was nothing to do.
    async fn tick(&self, state: &ApiState) -> bool {
        let mut registry = self.registry.lock().await;
        registry.forget_empty_groups();
        if registry.groups.is_empty() {
            self.ring.write().clear();
            return false;
        }
        let held = newest_in(state);
        let began_anew = held < registry.seq;
        if began_anew {
            registry.begin_anew(held);
        }
        let newest = self.newest.load(Ordering::Acquire).min(held);
        if newest <= registry.seq && !began_anew {
            return false;
        }
        let behind = newest.saturating_sub(registry.seq);
        let skipped = (behind > MAX_BEHIND).then(|| (registry.seq + 1, newest - KEPT_OF_BEHIND));
        let from = skipped.map_or(registry.seq, |(_, last)| last) + 1;
        let stretch =
            Plan::new(registry.groups.iter().map(|group| &group.wish)).render(state, from, newest).await;
        registry.seq = stretch.to.max(registry.seq);
        let groups = registry.groups.iter();
        let batches = groups.zip(stretch.batches).filter(|(_, batch)| batch.rows > 0);
        let number = {
            let mut ring = self.ring.write();
            let sent = |(group, batch): (&Arc<Group>, Batch)| {
                group.sent.fetch_add(batch.rows, Ordering::Relaxed);
                (group.number, batch)
            };
            let batches = batches.map(sent).collect();
            let number = ring.next();
            let server = Arc::clone(&registry.server);
            ring.push(Tick { number, to: registry.seq, skipped, server, batches }, Instant::now());
            number
        };
        drop(registry);
        self.ticked.send_replace(number);
        true
    }
}

impl Registry {
    fn forget_empty_groups(&mut self) {
        self.groups.retain(|group| Arc::strong_count(group) > 1);
    }

    fn group(&mut self, mut wish: Wish) -> Result<Arc<Group>, TooMany> {
        if let Some(group) = self.groups.iter().find(|group| group.wish == wish) {
            return Ok(Arc::clone(group));
        }
        if self.groups.len() >= MAX_GROUPS {
            return Err(TooMany);
        }
        for group in &self.groups {
            wish.selection.share_filter(&group.wish.selection);
        }
        let group = Arc::new(Group { number: self.next_group, wish, sent: AtomicU64::new(0) });
        self.next_group += 1;
        self.groups.push(Arc::clone(&group));
        Ok(group)
    }

    /// The index ends before what was told already: numbers are given out a second time.
    fn begin_anew(&mut self, seq: u64) {
        self.seq = seq;
        self.server = new_server_id();
    }
}

impl Group {
    /// Rows put into ticks so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.desk.subscriptions.fetch_sub(1, Ordering::Relaxed);
    }
}

fn newest_in(state: &ApiState) -> u64 {
    state.read(|index, _now| index.next_ids().observation.0.saturating_sub(1))
}

fn new_server_id() -> Arc<str> {
    format!("{:x}", UnixMillis::now().0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_short_for_few_longer_for_many_and_when_late_and_never_too_long() {
        let desk = Desk::new();
        let ms = Duration::from_millis;
        assert_eq!(desk.pause(Duration::ZERO), ms(10));
        assert_eq!(desk.pause(ms(15)), ms(40));
        desk.subscriptions.store(1_000, Ordering::Relaxed);
        assert_eq!(desk.pause(Duration::ZERO), ms(40));
        assert_eq!(desk.pause(Duration::MAX), MAX_PAUSE);
        desk.subscriptions.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(desk.pause(Duration::ZERO), MAX_PAUSE);
    }
}
