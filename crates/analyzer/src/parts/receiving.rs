//! The half that receives: brokers, the ingest thread, the database's writer.

use super::backup::OfWriter;
use super::books::{OwnBooks, OwnParts, Viewers};
use super::figures::Figures;
use super::hops;
use super::jobs::BackgroundJobs;
use super::known_channels::{ChannelFetch, ChannelList};
use super::load::{self, LoadProgress};
use super::plan::Plan;
use super::prunings::Prunings;
use super::reporting;
use super::stats_file::StatsFile;
use super::ticker::Ticker;
use super::upkeep::Upkeep;
use super::window::{self, window};
use super::{runtime, sources};
use crate::config::Loaded;
use anyhow::{Context as _, Result};
use feed::{FeedHandle, FeedServer};
use index::{HopKeeper, Index, IndexOptions, SharedIndex};
use ingest::{DurableSink, Ingest, LiveHook, OnDurable, Retention, RetentionRules, SubmitHandle, Window};
use meshcore::{KeyRing, ScopeSet};
use model::Change;
use mqtt::{Broker, MessageReceiver};
use parking_lot::RwLock;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use storage::{Storage, StorageOptions, WriteBatch, WriterHandle};
use tokio::runtime::Runtime;
use xray::StepReport;

/// Everything opened; messages are taken and wait until [`Opened::start`].
pub(crate) struct Opened {
    storage: Storage,
    index: SharedIndex,
    ingest: Ingest,
    receiver: MessageReceiver,
    figures: Arc<Figures>,
    books: Arc<OwnBooks>,
    jobs: BackgroundJobs,
    stats_file: Option<StatsFile>,
    mqtt_threads: Runtime,
    mqtt_at: Option<SocketAddr>,
    feed: Option<FeedServer>,
    /// Whether this process also shows packets.
    shows: bool,
    prunings: Arc<Prunings>,
    channels: Arc<ChannelList>,
    window: Arc<Window>,
}

/// For whom this half works.
pub(crate) struct Company {
    /// `run` or `ingest`.
    pub(crate) process: &'static str,
    /// Those who ask this process over HTTP, if anybody can.
    pub(crate) viewers: Option<Viewers>,
    /// Where other programs look for figures.
    pub(crate) stats_file: Option<StatsFile>,
}

/// Receiving.
pub(crate) struct Receiving {
    storage: Storage,
    ingest: JoinHandle<()>,
    figures: Arc<Figures>,
    books: Arc<OwnBooks>,
    mqtt_threads: Runtime,
    feed: Option<FeedServer>,
    reporter: Ticker,
    upkeep: Upkeep,
    /// Where packets are shown.
    hops: Option<Ticker>,
    channel_fetch: Option<ChannelFetch>,
    window: Ticker,
}

/// An index without packets, for this configuration.
pub(crate) fn new_index(loaded: &Loaded, keys: &Arc<KeyRing>) -> SharedIndex {
    Arc::new(RwLock::new(Index::new(index_options(loaded, keys))))
}

/// What an index must know of the configuration.
pub(crate) fn index_options(loaded: &Loaded, keys: &Arc<KeyRing>) -> IndexOptions {
    let scopes = Arc::new(ScopeSet::from_names(&loaded.file.hash_regions));
    IndexOptions { keys: Arc::clone(keys), scopes }
}

impl Opened {
    /// Takes the database and the brokers.
    ///
    /// # Errors
    /// When the data folder or an address cannot be used.
    pub(crate) fn new(
        plan: &Plan,
        loaded: &Loaded,
        keys: &Arc<KeyRing>,
        live: LiveHook,
        company: Company,
    ) -> Result<Self> {
        let settings = loaded.file.storage();
        let storage = Storage::open(StorageOptions {
            max_batch_delay: settings.max_delay,
            durability: settings.durability,
            ..StorageOptions::new(plan.data.database())
        })?;
        let index = new_index(loaded, keys);
        let (sender, receiver) = mqtt::queue(loaded.file.queue_size());
        let mqtt_threads = runtime("mqtt", 1)?;
        let broker = mqtt_threads.block_on(sources::embedded_broker(plan, loaded, sender.clone()))?;
        let outside = mqtt_threads.block_on(async { sources::outside_brokers(plan, loaded, &sender) });
        drop(sender);
        let mqtt_at = broker.as_ref().map(Broker::local_addr);
        let feed = mqtt_threads.block_on(async { FeedServer::bind(&plan.data.database()) });
        let feed = feed
            .inspect_err(|error| {
                tracing::warn!(%error, "serving processes will see packets only once they are committed");
            })
            .ok();
        let sink = durable_sink(storage.writer(), feed.as_ref().map(FeedServer::handle));
        let ingest = Ingest::with_sink(sources::ingest_config(loaded), Arc::clone(&index), sink, live);
        let channels = Arc::new(ChannelList::new(plan.data.path(), loaded));
        let jobs = BackgroundJobs::new(&storage.stats(), channels.every());
        let prunings = Arc::new(Prunings::new(ingest.prune_handle()));
        let Company { process, viewers, stats_file } = company;
        let shows = viewers.is_some();
        let books = Arc::new(OwnBooks::start(OwnParts {
            process,
            database: storage.path(),
            stats: storage.stats(),
            ledger: ingest.ledger(),
            index: Arc::clone(&index),
            jobs: jobs.clone(),
            viewers,
            stats_file: stats_file.as_ref().map(StatsFile::written),
            known_channels: channels.every().map(|_| channels.written()),
            thresholds: loaded.file.alerts.thresholds(),
            webhooks: loaded.file.alerts.webhooks(),
        })?);
        if let Some(feed) = &feed {
            let (books, prunings) = (Arc::clone(&books), Arc::clone(&prunings));
            feed.handle().answer_with(move |question| books.answer(&question, &prunings));
        }
        let figures = Arc::new(Figures::new(&storage, &ingest, Arc::clone(&books), broker, outside)?);
        Ok(Self {
            storage,
            index,
            ingest,
            receiver,
            figures,
            books,
            jobs,
            stats_file,
            mqtt_threads,
            mqtt_at,
            feed,
            shows,
            prunings,
            channels,
            window: window(loaded.file.max_memory_mb()),
        })
    }

    /// Where packets are found.
    pub(crate) fn index(&self) -> SharedIndex {
        Arc::clone(&self.index)
    }

    /// What keeps packets within their budget.
    pub(crate) fn window(&self) -> Arc<Window> {
        Arc::clone(&self.window)
    }

    /// What is known of this half.
    pub(crate) fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.figures)
    }

    /// The way in for packets that come by HTTP.
    pub(crate) fn submit(&self) -> SubmitHandle {
        self.ingest.submit_handle()
    }

    /// The books on what is written.
    pub(crate) fn books(&self) -> Arc<OwnBooks> {
        Arc::clone(&self.books)
    }

    /// What a backup needs.
    pub(crate) fn for_backups(&self) -> OfWriter {
        let counted = Arc::clone(&self.storage.stats().io);
        OfWriter { writer: self.storage.writer(), counted, job: self.jobs.backup.clone() }
    }

    /// Who takes nodes off the list.
    pub(crate) fn prunings(&self) -> Arc<Prunings> {
        Arc::clone(&self.prunings)
    }

    /// The list of known channels.
    pub(crate) fn channels(&self) -> Arc<ChannelList> {
        Arc::clone(&self.channels)
    }

    /// Where the embedded broker listens.
    pub(crate) fn mqtt_at(&self) -> Option<SocketAddr> {
        self.mqtt_at
    }

    /// Loads the history, then begins with the messages that wait.
    ///
    /// # Errors
    /// When the database cannot be read or a thread cannot be started.
    pub(crate) fn start(self, loaded: &Loaded, progress: &LoadProgress) -> Result<Receiving> {
        let Self {
            storage,
            index,
            ingest,
            receiver,
            figures,
            books,
            jobs,
            mqtt_threads,
            feed,
            shows,
            window,
            ..
        } = self;
        let loading = jobs.load.begin();
        let mut keeper = shows.then(|| HopKeeper::hiding(api::hides_nodes(Arc::new(loaded.api_config()))));
        let report = load::replay(&storage.reader()?, &index, &window, progress, keeper.as_mut())?;
        let rows = report.transmissions + report.observations + report.heads;
        loading.step(StepReport { examined: rows, ..StepReport::default() });
        drop(loading);
        let hops = keeper.map(|keeper| hops::start(keeper, Arc::clone(&index), Some(jobs.hops.clone())));
        let hops = hops.transpose()?;
        let ingest = std::thread::Builder::new()
            .name("ingest".to_owned())
            .spawn(move || ingest.run(receiver))
            .context("cannot start the ingest thread")?;
        let told = feed.as_ref().map(FeedServer::handle).unwrap_or_default();
        let stats_file = (self.stats_file, jobs.stats_file.clone());
        let reporter = reporting::start(Arc::clone(&figures), Arc::clone(&books), told.clone(), stats_file)?;
        let (rules, settings) = (retention_rules(loaded), loaded.file.storage());
        let reader = figures.reader();
        let keeping =
            window::start(Arc::clone(&window), Arc::clone(&index), move || Some(Arc::clone(&reader)))?;
        let retention = Retention::new(rules, index, storage.writer()).within(window, figures.reader());
        let writer = (storage.writer(), settings.incremental_vacuum_pages);
        let upkeep = Upkeep::start(&jobs, retention, writer, told, settings.vacuum_on_startup)?;
        let channel_fetch = match jobs.known_channels {
            Some(job) => Some(ChannelFetch::start(job, self.channels)?),
            None => None,
        };
        Ok(Receiving {
            storage,
            ingest,
            figures,
            books,
            mqtt_threads,
            feed,
            reporter,
            upkeep,
            hops,
            channel_fetch,
            window: keeping,
        })
    }
}

impl Receiving {
    /// The threads of brokers and clients.
    pub(crate) fn mqtt_threads(&self) -> &Runtime {
        &self.mqtt_threads
    }

    /// Takes no more messages, writes what is there and ends. Once nobody can send any more, ingest ends by itself; once
    /// ingest has ended, storage has everything.
    ///
    /// # Errors
    /// When the last batch could not be committed.
    pub(crate) fn stop(self) -> Result<()> {
        // This tells all jobs to end.
        self.upkeep.stop();
        if let Some(hops) = self.hops {
            hops.stop();
        }
        if let Some(fetch) = self.channel_fetch {
            fetch.stop();
        }
        self.window.stop();
        self.mqtt_threads.block_on(self.figures.disconnect());
        self.ingest.join().map_err(|_| anyhow::anyhow!("the ingest thread panicked; see the log"))?;
        let written = self.storage.close().context("the last batch could not be committed");
        // After the last commit, so that followers hear of it and need not load anew.
        drop(self.feed);
        self.reporter.stop();
        self.books.stop();
        self.mqtt_threads.shutdown_background();
        written
    }
}

fn retention_rules(loaded: &Loaded) -> RetentionRules {
    let kept = loaded.file.retention();
    RetentionRules { packets: kept.packets, metrics: kept.metrics, receptions: kept.client_receptions }
}

/// Tells serving processes at once, and the writer.
fn durable_sink(writer: WriterHandle, feed: Option<FeedHandle>) -> DurableSink {
    let complained = std::sync::Once::new();
    Box::new(move |changes: Vec<Change>, on_durable: Option<OnDurable>| {
        let told = feed.as_ref().and_then(|feed| Some((feed.clone(), feed.publish(&changes)?)));
        let submitted = match (told, on_durable) {
            (None, on_durable) => writer.submit(WriteBatch { changes, on_durable }),
            (Some((feed, sequence)), None) => {
                let on_durable: OnDurable = Box::new(move || feed.durable(sequence));
                writer.submit_unhurried(WriteBatch { changes, on_durable: Some(on_durable) })
            }
            (Some((feed, sequence)), Some(answer)) => {
                let on_durable: OnDurable = Box::new(move || {
                    feed.durable(sequence);
                    answer();
                });
                writer.submit(WriteBatch { changes, on_durable: Some(on_durable) })
            }
        };
        if let Err(error) = submitted {
            // Nothing more will ever be durable, so nobody is answered any more; to say so once is enough.
            complained.call_once(|| tracing::error!(%error, "packets are no longer written"));
        }
    })
}
