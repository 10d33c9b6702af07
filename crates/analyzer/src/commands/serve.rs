//! `serve`: the half that shows. It reads what an `ingest` process on the same data folder writes, and never writes itself.

use crate::cli::ServeArgs;
use crate::config::{self, Loaded};
use crate::parts::books::{Asks, FollowedBooks, ServingBooks, Viewers, folder_of};
use crate::parts::follow::{FollowThread, Following};
use crate::parts::known_channels::ChannelList;
use crate::parts::load::LoadProgress;
use crate::parts::plan::Plan;
use crate::parts::receiving::{index_options, new_index};
use crate::parts::registry::{ProcessRegistry, Pruner};
use crate::parts::services::{FollowingProcess, LatestReport};
use crate::parts::serving::Port;
use crate::parts::stop::StopSignal;
use crate::parts::window::{self, window};
use crate::parts::{runtime, summary};
use anyhow::Result;
use api::{ApiState, LiveHub};
use std::sync::Arc;
use std::time::Duration;

/// How soon an error that ends the follower ends the process.
const WATCH: Duration = Duration::from_millis(200);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When the configuration is wrong, the address cannot be used, or the database is one that this release cannot read.
pub(crate) fn run(args: ServeArgs) -> Result<()> {
    let loaded = Loaded::read(args.database.config.as_deref())?;
    let plan = Plan::new(&args.into(), &loaded)?;
    summary::configuration(&loaded);
    let own = runtime("main", 1)?;
    let stop = own.block_on(async { StopSignal::listen() })?;
    let port = Port::open(plan.http)?;
    let keys = Arc::new(config::key_ring(&loaded.file, loaded.path.as_deref())?);
    let index = new_index(&loaded, &keys);
    let hub = LiveHub::new();
    let progress = Arc::new(LoadProgress::default());
    let database = plan.data.database();
    let viewers = Viewers { requests: Arc::default(), hub: hub.clone(), config_written: Arc::default() };
    let requests = Arc::clone(&viewers.requests);
    let asks = Arc::new(Asks::default());
    let serving_books = ServingBooks::start(&viewers)?;
    let books = Arc::new(FollowedBooks::new(folder_of(&database), serving_books, Arc::clone(&asks)));
    let report = Arc::new(LatestReport::new(books));
    let registry = Arc::new(ProcessRegistry::new(
        &loaded,
        viewers.config_written,
        Pruner::Asked(Arc::clone(&asks)),
        Arc::new(ChannelList::new(plan.data.path(), &loaded)),
    ));
    let window = window(loaded.file.max_memory_mb());
    let services = Arc::new(FollowingProcess::new(
        database.clone(),
        Arc::clone(&progress),
        Arc::clone(&report),
        registry,
        Arc::clone(&window),
    ));
    let options = index_options(&loaded, &keys);
    let api_config = Arc::new(loaded.api_config());
    let state = ApiState::new(Arc::clone(&index), loaded.api_config(), services.clone(), hub.clone())
        .with_keys(keys)
        .with_request_counter(requests);
    let http = port.address();
    let serving = port.serve(state);
    summary::serving(&plan, &loaded, http);

    let reader = move || api::Services::reader(services.as_ref());
    let keeping = window::start(Arc::clone(&window), Arc::clone(&index), reader)?;
    let following = FollowThread::start(Following {
        database,
        index,
        options,
        hub,
        progress,
        report,
        asks,
        api_config,
        window,
    })?;
    own.block_on(async {
        let ended = async {
            while !following.has_ended() {
                tokio::time::sleep(WATCH).await;
            }
        };
        tokio::select! {
            () = stop.wait() => {}
            () = ended => {}
        }
    });
    let followed = following.stop();
    keeping.stop();
    serving.stop()?;
    followed
}
