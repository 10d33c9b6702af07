//! `run`: both halves in one process.

mod demo;

use crate::cli::RunArgs;
use crate::config::{self, Loaded};
use crate::parts::books::Viewers;
use crate::parts::load::LoadProgress;
use crate::parts::plan::Plan;
use crate::parts::receiving::{Company, Opened};
use crate::parts::registry::{ProcessRegistry, Pruner};
use crate::parts::services::OneProcess;
use crate::parts::serving::Port;
use crate::parts::stats_file::StatsFile;
use crate::parts::stop::StopSignal;
use crate::parts::{runtime, summary};
use anyhow::Result;
use api::{ApiState, LiveHub, Services};
use model::UnixMillis;
use std::sync::Arc;
use telemetry::Counter;

/// Starts everything, runs until SIGTERM or SIGINT, then drains and commits.
///
/// # Errors
/// When the configuration is wrong, an address or the data folder cannot be used, or the database cannot be read.
pub(crate) fn run(args: RunArgs) -> Result<()> {
    let loaded = Loaded::read(args.config.as_deref())?;
    let plan = Plan::new(&args, &loaded)?;
    summary::configuration(&loaded);
    let own = runtime("main", 1)?;
    let stop = own.block_on(async { StopSignal::listen() })?;
    let port = Port::open(plan.http)?;
    let mut keys = config::key_ring(&loaded.file, loaded.path.as_deref())?;
    if plan.demo {
        demo::CHANNELS.iter().for_each(|name| keys.add_hashtag(name));
    }
    let keys = Arc::new(keys);

    let hub = LiveHub::new();
    let live = hub.clone();
    let requests = Arc::new(Counter::new());
    let config_written = Arc::default();
    let company = Company {
        process: "run",
        viewers: Some(Viewers {
            requests: Arc::clone(&requests),
            hub: hub.clone(),
            config_written: Arc::clone(&config_written),
        }),
        stats_file: StatsFile::if_asked_for(),
    };
    let opened = Opened::new(&plan, &loaded, &keys, Box::new(move |seen| live.publish(seen)), company)?;
    let progress = Arc::new(LoadProgress::default());
    let services: Arc<dyn Services> = Arc::new(OneProcess {
        figures: opened.figures(),
        books: opened.books(),
        submit: opened.submit(),
        progress: Arc::clone(&progress),
        database: plan.data.database(),
        backup: opened.for_backups(),
        registry: Arc::new(ProcessRegistry::new(
            &loaded,
            config_written,
            Pruner::Own(opened.prunings()),
            opened.channels(),
        )),
        window: opened.window(),
    });
    let mut api_config = loaded.api_config();
    api_config.demo = plan.demo;
    let index = opened.index();
    let state = ApiState::new(Arc::clone(&index), api_config, services, hub)
        .with_keys(keys)
        .with_request_counter(requests);
    let (http, mqtt_at) = (port.address(), opened.mqtt_at());
    let serving = port.serve(state);
    summary::listening(&plan, &loaded, Some(http), mqtt_at);

    let receiving = opened.start(&loaded, &progress)?;
    summary::history(&index.read().totals(UnixMillis::now()));
    let demo = match mqtt_at {
        Some(address) if plan.demo => Some(demo::start(receiving.mqtt_threads(), address, &loaded)?),
        _ => None,
    };

    own.block_on(stop.wait());
    summary::stopping();
    if let Some(demo) = demo {
        demo.abort();
    }
    receiving.stop()?;
    serving.stop()?;
    summary::stopped();
    Ok(())
}
