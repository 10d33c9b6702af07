//! A job that does what no job should: it writes rows as they already are, without end. It exists in debug builds only, where
//! tests start it to see that the analyzer names it.

use anyhow::{Context as _, Result};
use std::thread::JoinHandle;
use std::time::Duration;
use storage::WriterHandle;
use xray::{Job, StepReport, Wake};

/// Switches it on; the value is rows for each step.
const VARIABLE: &str = "ANALYZER_DEBUG_REWRITE";

/// Between two steps: with 1,000 rows each it wants to write six million rows a minute.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) fn start_if_asked_for(job: Job, writer: WriterHandle) -> Result<Option<JoinHandle<()>>> {
    let asked = std::env::var(VARIABLE).ok().and_then(|rows| rows.parse::<u32>().ok());
    let Some(rows) = asked else { return Ok(None) };
    let thread = std::thread::Builder::new().name("rewrite".to_owned()).spawn(move || {
        while job.wait(Duration::ZERO) != Wake::Stop {
            let run = job.begin();
            while run.go_on() {
                match writer.rewrite_rows(rows) {
                    Ok(done) => run.step(StepReport {
                        examined: done.value.examined,
                        changed: done.value.changed,
                        unchanged: done.value.unchanged,
                        written_bytes: done.figures.written_bytes,
                        suffered: done.figures.waited,
                        inflicted: done.figures.delayed_ingest,
                    }),
                    Err(error) => {
                        run.failed(error.to_string());
                        break;
                    }
                }
                std::thread::sleep(PAUSE);
            }
        }
    });
    thread.map(Some).context("cannot start the rewrite thread")
}
