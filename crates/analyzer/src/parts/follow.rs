//! Following an ingest process: its history from the database, its news from the feed, or from the database's tail while
//! there is no feed.
//!
//! The index of a follower is always what a load of the database would give, and the changes that ingest has decided since.
//! Whenever that might not be so (ingest died before it had committed what it told, old packets were removed, a change does
//! not fit), the follower loads anew beside the index in use and then puts the new one in its place. That is the one
//! repair for everything.

use super::books::Asks;
use super::hops;
use super::load::{self, LoadProgress};
use super::services::LatestReport;
use super::summary;
use anyhow::{Context as _, Result};
use api::{ApiConfig, LiveHub};
use feed::{FeedError, Follower, News};
use index::{HopKeeper, Index, IndexOptions, SharedIndex};
use ingest::Window;
use model::{Change, ObservationId, UnixMillis};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use storage::{LastIds, Reader, StorageError, Tail};

/// How often the database is looked at while there is no feed, and the feed is tried again.
const POLL: Duration = Duration::from_millis(250);

/// How long a wait for the feed may last before the wish to stop is looked at.
const PATIENCE: Duration = Duration::from_millis(250);

/// A change that does not fit makes the follower load anew, but not more often than this: a fault of the program must not
/// keep the machine busy.
const MIN_RELOAD_PAUSE: Duration = Duration::from_secs(10);

/// What a follower works on.
pub(crate) struct Following {
    pub(crate) database: PathBuf,
    pub(crate) index: SharedIndex,
    pub(crate) options: IndexOptions,
    pub(crate) hub: LiveHub,
    pub(crate) progress: Arc<LoadProgress>,
    pub(crate) report: Arc<LatestReport>,
    pub(crate) asks: Arc<Asks>,
    /// Says which nodes are never named.
    pub(crate) api_config: Arc<ApiConfig>,
    pub(crate) window: Arc<Window>,
}

/// The thread that follows.
pub(crate) struct FollowThread {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl FollowThread {
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(following: Following) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("follow".to_owned())
            .spawn(move || State::new(following, stopped).run())
            .context("cannot start the follow thread")?;
        Ok(Self { stop, thread })
    }

    /// Whether it has ended by itself, which only an error makes it do.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends it.
    ///
    /// # Errors
    /// What it has ended with by itself.
    pub(crate) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the follow thread panicked; see the log"))?
    }
}

struct State {
    on: Following,
    stop: Arc<AtomicBool>,
    /// Newest sequence applied and newest that is durable, of the feed at hand.
    applied: u64,
    durable: u64,
    removals: u64,
    loaded_at: Option<Instant>,
    /// Something of ingest did not fit, so the index may lack what the database has.
    misfit: bool,
}

impl State {
    fn new(on: Following, stop: Arc<AtomicBool>) -> Self {
        Self { on, stop, applied: 0, durable: 0, removals: 0, loaded_at: None, misfit: false }
    }

    fn run(mut self) -> Result<()> {
        let mut feed = self.connect();
        let mut keeper = HopKeeper::hiding(api::hides_nodes(Arc::clone(&self.on.api_config)));
        let Some(mut tail) = self.first_load(&mut keeper)? else { return Ok(()) };
        let hops = hops::start(keeper, Arc::clone(&self.on.index), None)?;
        summary::history(&self.on.index.read().totals(UnixMillis::now()));
        let followed = self.follow(&mut feed, &mut tail);
        hops.stop();
        followed
    }

    fn follow(&mut self, feed: &mut Option<Follower>, tail: &mut Tail) -> Result<()> {
        while !self.stopped() {
            self.repair(tail)?;
            match feed {
                Some(follower) => match follower.next(PATIENCE) {
                    Ok(Some(news)) => self.hear(news, tail)?,
                    Ok(None) => {}
                    Err(error) => {
                        *feed = None;
                        self.lost(&error, tail)?;
                    }
                },
                None => {
                    self.look(tail)?;
                    std::thread::sleep(POLL);
                    *feed = self.connect();
                    if feed.is_some() {
                        self.rejoin(tail)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn connect(&mut self) -> Option<Follower> {
        let follower = Follower::connect(&self.on.database).ok()?;
        self.on.asks.connect(follower.asker().ok());
        (self.applied, self.durable) = (0, 0);
        tracing::info!("connected to the ingest process");
        Some(follower)
    }

    /// Waits until there is a database of this release, and loads it. `None` when the wish to stop comes before.
    fn first_load(&mut self, keeper: &mut HopKeeper) -> Result<Option<Tail>> {
        let mut said = None;
        loop {
            if self.stopped() {
                return Ok(None);
            }
            match self.load_in_place(keeper) {
                Ok(tail) => return Ok(Some(tail)),
                Err(error @ (StorageError::NotThere { .. } | StorageError::OlderVersion { .. })) => {
                    let text = error.to_string();
                    if said.as_ref() != Some(&text) {
                        summary::waiting_for_ingest(&text);
                        said = Some(text);
                    }
                    std::thread::sleep(POLL);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn load_in_place(&mut self, keeper: &mut HopKeeper) -> Result<Tail, StorageError> {
        let reader = Reader::open(&self.on.database)?;
        let report = load::replay(&reader, &self.on.index, &self.on.window, &self.on.progress, Some(keeper))?;
        self.removals = report.removals;
        self.loaded_at = Some(Instant::now());
        Tail::open(&self.on.database, report.last_ids)
    }

    /// Loads beside the index in use and replaces it.
    fn reload(&mut self, keep_newer: bool) -> Result<Tail> {
        let started = Instant::now();
        let reader = Reader::open(&self.on.database)?;
        // The old and the new one are within the budget together.
        let window = self.on.window.halved();
        let (mut new, report) = load::replay_into(&reader, Index::new(self.on.options.clone()), &window)?;
        self.removals = report.removals;
        let turn = self.on.window.turn();
        if keep_newer {
            let newer = self.on.index.read().changes_from(new.next_ids());
            for change in newer {
                // An observer of old may be refused; what it says is in the database already.
                let _ = new.apply(&change);
            }
        }
        // Until the hops thread comes round, what was known of the mesh stays.
        new.set_hops(self.on.index.read().hops());
        let old = std::mem::replace(&mut *self.on.index.write(), new);
        drop(turn);
        drop(old);
        self.loaded_at = Some(Instant::now());
        tracing::info!(took_ms = started.elapsed().as_millis() as u64, "loaded anew");
        Ok(Tail::open(&self.on.database, report.last_ids)?)
    }

    fn hear(&mut self, news: News, tail: &mut Tail) -> Result<()> {
        match news {
            News::Changes { sequence, changes } => {
                self.applied = sequence;
                self.misfit |= !self.apply(&changes);
            }
            News::Durable { sequence } => self.durable = sequence,
            News::Removed => *tail = self.reload(true)?,
            News::Report(json) => self.on.report.take(&json),
            News::Answer { question, answer } => self.on.asks.answer(question, &answer),
        }
        Ok(())
    }

    /// The feed has ended. What it told and had not committed may never be: only the database says.
    fn lost(&mut self, error: &FeedError, tail: &mut Tail) -> Result<()> {
        tracing::warn!(%error, "following the database until the ingest process is back");
        self.on.asks.connect(None);
        if self.applied > self.durable {
            *tail = self.reload(false)?;
        } else {
            let next = self.on.index.read().next_ids();
            *tail = Tail::open(&self.on.database, last_before(next))?;
        }
        Ok(())
    }

    /// An ingest process is there again, and its feed begins with what is not durable now. What has become so since the
    /// last look is in the database, provided that it is the one that we know: a backup may have been put in its place.
    fn rejoin(&mut self, tail: &mut Tail) -> Result<()> {
        let next = last_before(self.on.index.read().next_ids());
        *tail = Tail::open(&self.on.database, next)?;
        let there = tail.highest_ids()?;
        if there.transmission < next.transmission
            || there.observation < next.observation
            || there.reception < next.reception
        {
            *tail = self.reload(false)?;
        }
        self.look(tail)
    }

    /// Takes from the database what was committed since the last look.
    fn look(&mut self, tail: &mut Tail) -> Result<()> {
        loop {
            let news = match tail.look() {
                Ok(news) => news,
                Err(error) => {
                    // A database that is being restored or moved comes back; the page goes on with what it has.
                    tracing::debug!(%error, "the database cannot be followed at the moment");
                    return Ok(());
                }
            };
            if news.changes.is_empty() {
                return Ok(());
            }
            // Removals come in many small steps; the pause between repairs keeps the loads few.
            self.misfit |= tail.removals().is_ok_and(|removals| removals != self.removals);
            self.misfit |= !self.apply(&news.changes);
            if !news.more {
                return Ok(());
            }
        }
    }

    /// Applies what is new of it and shows it to the viewers; `false` when something does not fit.
    fn apply(&self, changes: &[Change]) -> bool {
        let mut observations: Vec<ObservationId> = Vec::new();
        let mut fits = true;
        {
            let mut index = self.on.index.write();
            for change in changes {
                if is_known(&index, change) {
                    continue;
                }
                if let Err(error) = index.apply(change) {
                    tracing::warn!(%error, "a change of the ingest process does not fit");
                    fits = false;
                    break;
                }
                if let Change::Observation(seen) = change {
                    observations.push(seen.id);
                }
            }
        }
        self.on.hub.publish(observations);
        fits
    }

    fn repair(&mut self, tail: &mut Tail) -> Result<()> {
        if self.misfit && self.loaded_at.is_none_or(|at| at.elapsed() >= MIN_RELOAD_PAUSE) {
            self.misfit = false;
            *tail = self.reload(false)?;
        }
        Ok(())
    }
}

/// Whether the index has this already: loads, tails and the feed overlap. Observers have no order, and the newest counts.
fn is_known(index: &Index, change: &Change) -> bool {
    let next = index.next_ids();
    match change {
        Change::Head(head) => head.id < next.head,
        Change::Transmission(transmission) => transmission.id < next.transmission,
        Change::Observation(seen) => seen.id < next.observation,
        Change::Observer(record) => index.observer_record(record.id) == Some(record),
        Change::Reception(reception) => reception.id < next.reception,
        Change::Client(client) => index.client(client.id) == Some(client),
        // Said twice it is the same.
        Change::Pruned(_) => false,
        Change::Metrics(_) | Change::Dropped(_) => true,
        // It comes with a removal, after which everything is loaded anew.
        Change::Node(_) => true,
    }
}

fn last_before(next: index::NextIds) -> LastIds {
    LastIds {
        head: next.head.0.checked_sub(1).map(model::HeadId),
        observer: None,
        transmission: next.transmission.0.checked_sub(1).map(model::TransmissionId),
        observation: next.observation.0.checked_sub(1).map(ObservationId),
        reception: next.reception.0.checked_sub(1).map(model::ReceptionId),
    }
}
