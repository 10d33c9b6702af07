//! The small books of a process that only serves: it writes nothing but its log, and says so.

use super::own::Viewers;
use super::sources;
use super::system::System;
use super::views::Samples;
use anyhow::{Context as _, Result};
use std::sync::Arc;
use xray::{History, Meter, ProcessLedger, Sources};

/// They are read once a second for as long as this lives.
pub(crate) struct ServingBooks {
    pub(crate) samples: Samples,
    system: System,
    /// Dropping it ends it.
    _meter: Meter,
}

impl ServingBooks {
    /// Starts the meter.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(viewers: &Viewers) -> Result<Self> {
        let mut sources = Sources::default();
        sources::log(&mut sources);
        sources::viewers(&mut sources, viewers);
        let system = System::register(&mut sources, None);
        let catalogue = Arc::new(sources.catalogue().clone());
        let samples = Samples::new(Arc::clone(&catalogue), History::in_memory(catalogue));
        let fed = samples.clone();
        let meter = Meter::start(sources, move |at_ms, sample| fed.push(at_ms, sample));
        Ok(Self { samples, system, _meter: meter.context("cannot start the meter thread")? })
    }

    /// The ledger of this process.
    pub(crate) fn process_ledger(&self, window_secs: u32) -> ProcessLedger {
        self.samples.process_ledger("serve", window_secs, &self.system.facts())
    }
}
