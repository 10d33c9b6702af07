//! What all handlers share.

use crate::config::ApiConfig;
use crate::error::HttpError;
use crate::history::{READING_TIME, SegmentCache, StoredRows};
use crate::lag::LagMeter;
use crate::limits::Limits;
use crate::live::LiveHub;
use crate::middleware::timing::Timings;
use crate::services::{Registry, Services};
use arc_swap::{ArcSwap, Guard};
use index::{Index, Reach, SharedIndex};
use meshcore::KeyRing;
use model::UnixMillis;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use telemetry::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What all handlers share; cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    shared: Arc<Shared>,
}

struct Shared {
    index: SharedIndex,
    keys: Arc<KeyRing>,
    config: ArcSwap<ApiConfig>,
    /// Configurations before this one.
    config_version: AtomicU64,
    services: Arc<dyn Services>,
    live: LiveHub,
    timings: Timings,
    lag: LagMeter,
    limits: Limits,
    segments: SegmentCache,
    requests: Arc<Counter>,
    /// One place: a backup is work for the disk, and needs room beside the database.
    backups: Arc<Semaphore>,
    started: Instant,
    started_at: UnixMillis,
}

/// Lists of more rows than this are made on the blocking pool: at some microseconds a row they would hold up the
/// requests of others.
const MANY_ROWS: usize = 100;

impl ApiState {
    /// Puts the parts together; nothing runs until [`crate::serve`].
    pub fn new(index: SharedIndex, config: ApiConfig, services: Arc<dyn Services>, live: LiveHub) -> Self {
        let shared = Shared {
            live,
            timings: Timings::new(),
            lag: LagMeter::new(),
            limits: Limits::new(),
            segments: SegmentCache::default(),
            requests: Arc::default(),
            backups: Arc::new(Semaphore::new(1)),
            started: Instant::now(),
            started_at: UnixMillis::now(),
            index,
            keys: Arc::new(KeyRing::with_public()),
            config: ArcSwap::from_pointee(config),
            config_version: AtomicU64::new(0),
            services,
        };
        Self { shared: Arc::new(shared) }
    }

    /// The channel keys that open group data and what is handed to the decoder: those of the index. Without this, only
    /// the public channel's. Texts to channels are opened by the index itself.
    ///
    /// # Panics
    /// When the state is already shared, since requests must not see two rings.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<KeyRing>) -> Self {
        Arc::get_mut(&mut self.shared).expect("keys are set before the state is shared").keys = keys;
        self
    }

    /// Where requests are counted, for whoever wants to know without asking over HTTP.
    ///
    /// # Panics
    /// When the state is already shared, since requests would be counted in two places.
    #[must_use]
    pub fn with_request_counter(mut self, requests: Arc<Counter>) -> Self {
        Arc::get_mut(&mut self.shared).expect("the counter is set before the state is shared").requests =
            requests;
        self
    }

    /// Replaces the configuration; requests that have begun finish with the one before.
    pub fn set_config(&self, config: ApiConfig) {
        self.shared.config.store(Arc::new(config));
        self.shared.config_version.fetch_add(1, Ordering::Release);
    }

    /// Changes a part of the configuration, with the same effect.
    pub(crate) fn change_config(&self, change: impl Fn(&mut ApiConfig)) {
        self.shared.config.rcu(|config| {
            let mut config = config.as_ref().clone();
            change(&mut config);
            config
        });
        self.shared.config_version.fetch_add(1, Ordering::Release);
    }

    /// Where ingest announces what it has applied to the index.
    pub fn live_hub(&self) -> LiveHub {
        self.shared.live.clone()
    }

    pub(crate) fn config(&self) -> Guard<Arc<ApiConfig>> {
        self.shared.config.load()
    }

    /// Another number for another configuration.
    pub(crate) fn config_version(&self) -> u64 {
        self.shared.config_version.load(Ordering::Acquire)
    }

    pub(crate) fn config_arc(&self) -> Arc<ApiConfig> {
        self.shared.config.load_full()
    }

    pub(crate) fn keys(&self) -> &Arc<KeyRing> {
        &self.shared.keys
    }

    pub(crate) fn services(&self) -> &dyn Services {
        self.shared.services.as_ref()
    }

    pub(crate) fn live(&self) -> &LiveHub {
        &self.shared.live
    }

    pub(crate) fn timings(&self) -> &Timings {
        &self.shared.timings
    }

    pub(crate) fn count_request(&self) {
        self.shared.requests.increment();
    }

    pub(crate) fn lag(&self) -> &LagMeter {
        &self.shared.lag
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The right to make a backup, if nobody else has it.
    pub(crate) fn turn_to_back_up(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.shared.backups).try_acquire_owned().ok()
    }

    pub(crate) fn started_at(&self) -> UnixMillis {
        self.shared.started_at
    }

    pub(crate) fn uptime_secs(&self) -> u64 {
        self.shared.started.elapsed().as_secs()
    }

    /// Answers a question from the index under one read guard.
    pub(crate) fn read<T>(&self, answer: impl FnOnce(&Index, UnixMillis) -> T) -> T {
        answer(&self.shared.index.read(), UnixMillis::now())
    }

    /// The same for answers of up to `rows` rows: long ones are made off the threads that serve everyone.
    ///
    /// # Errors
    /// When making the answer panicked; the client gets a 500.
    pub(crate) async fn read_rows<T: Send + 'static>(
        &self,
        rows: usize,
        answer: impl FnOnce(&SharedIndex) -> T + Send + 'static,
    ) -> Result<T, HttpError> {
        if rows <= MANY_ROWS {
            return Ok(answer(&self.shared.index));
        }
        let index = Arc::clone(&self.shared.index);
        self.blocking(move || answer(&index)).await
    }

    /// Does something that takes the time of a disk or of another process, off the threads that serve everyone.
    ///
    /// # Errors
    /// When it panicked; the client gets a 500.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HttpError> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_panic| HttpError::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "internal error"))
    }

    /// Asks the registry, which may take its time.
    ///
    /// # Errors
    /// As [`ApiState::blocking`].
    pub(crate) async fn registry<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Registry) -> T + Send + 'static,
    ) -> Result<T, HttpError> {
        let registry = self.shared.services.registry();
        self.blocking(move || ask(registry.as_ref())).await
    }

    /// Bytes of storage's segments that are kept at hand.
    pub(crate) fn segment_bytes(&self) -> u64 {
        self.shared.segments.bytes()
    }

    /// Answers from all packets, those in memory and those that only storage has. What may have to read storage is made off
    /// the threads that serve everyone, as are long answers.
    ///
    /// # Errors
    /// As [`Self::read_rows`].
    pub(crate) async fn reach<T: Send + 'static>(
        &self,
        rows: usize,
        answer: impl FnOnce(&Reach<'_>) -> T + Send + 'static,
    ) -> Result<T, crate::error::HttpError> {
        let rows = if self.shared.index.read().cold_segments().is_empty() { rows } else { usize::MAX };
        let shared = Arc::clone(&self.shared);
        self.read_rows(rows, move |hot| {
            let services = &shared.services;
            let cold = StoredRows {
                hot,
                reader: services.reader(),
                cache: &shared.segments,
                cache_bytes: services.window().and_then(|window| window.cache_bytes),
            };
            answer(&Reach { hot, cold: &cold, until: Instant::now() + READING_TIME })
        })
        .await
    }
}
