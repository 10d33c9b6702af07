//! `ingest`: the half that receives and writes. Any number of `serve` processes may follow it.

use crate::cli::IngestArgs;
use crate::config::{self, Loaded};
use crate::parts::load::LoadProgress;
use crate::parts::plan::Plan;
use crate::parts::receiving::{Company, Opened};
use crate::parts::stats_file::StatsFile;
use crate::parts::stop::StopSignal;
use crate::parts::{runtime, summary};
use anyhow::Result;
use model::UnixMillis;
use std::sync::Arc;

/// Takes packets from MQTT and writes them until SIGTERM or SIGINT, then drains and commits.
///
/// # Errors
/// When the configuration is wrong, an address or the data folder cannot be used, or another process writes there.
pub(crate) fn run(args: IngestArgs) -> Result<()> {
    let loaded = Loaded::read(args.database.config.as_deref())?;
    let plan = Plan::new(&args.into(), &loaded)?;
    summary::configuration(&loaded);
    let own = runtime("main", 1)?;
    let stop = own.block_on(async { StopSignal::listen() })?;
    let keys = Arc::new(config::key_ring(&loaded.file, loaded.path.as_deref())?);
    // Viewers are in other processes, which hear of packets by the feed.
    let stats_file = StatsFile::of_ingest();
    let stats_at = stats_file.path().to_owned();
    let company = Company { process: "ingest", viewers: None, stats_file: Some(stats_file) };
    let opened = Opened::new(&plan, &loaded, &keys, Box::new(|_| {}), company)?;
    let index = opened.index();
    summary::listening(&plan, &loaded, None, opened.mqtt_at());
    summary::stats_file(&stats_at);
    let receiving = opened.start(&loaded, &LoadProgress::default())?;
    summary::history(&index.read().totals(UnixMillis::now()));

    own.block_on(stop.wait());
    summary::stopping();
    receiving.stop()?;
    summary::stopped();
    Ok(())
}
