//! How far an import is: a bar on a terminal, a line now and then elsewhere.

use corescope::{Phase, Progress};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Distance of two lines where there is no terminal, so that a service's log stays short.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// What the bar looks like.
const TEMPLATE: &str = "{msg:<16} [{bar:30}] {human_pos} of {human_len}, {rate} a second, {eta} left";

/// What is shown on standard error.
pub(super) struct Bar {
    on_terminal: Option<ProgressBar>,
    phase: Option<Phase>,
    since: Instant,
    last_line: Instant,
}

impl Bar {
    pub(super) fn new() -> Self {
        let on_terminal = std::io::stderr().is_terminal().then(|| ProgressBar::new(0).with_style(style()));
        let now = Instant::now();
        Self { on_terminal, phase: None, since: now, last_line: now }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        let is_new = self.phase != Some(progress.phase);
        if is_new {
            self.phase = Some(progress.phase);
            self.since = Instant::now();
        }
        if let Some(bar) = &self.on_terminal {
            if is_new {
                bar.reset();
                bar.set_message(progress.phase.name());
            }
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            eprintln!("{}", line(progress, self.since.elapsed()));
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.on_terminal {
            bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(TEMPLATE)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        // Its own way of showing a rate has four digits behind the point.
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            let _ = write!(out, "{:.0}", state.per_sec());
        })
        .progress_chars("=> ")
}

fn line(progress: Progress, elapsed: Duration) -> String {
    let Progress { phase, done, total } = progress;
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    let left = total.saturating_sub(done) as f64 / rate.max(1.0);
    format!("import: {done} of {total} {}, {rate:.0} a second, {left:.0} s left", phase.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rate_and_time_left() {
        let progress = Progress { phase: Phase::Observations, done: 200_000, total: 1_000_000 };
        let wanted = "import: 200000 of 1000000 observations, 100000 a second, 8 s left";
        assert_eq!(line(progress, Duration::from_secs(2)), wanted);
    }

    #[test]
    fn the_template_of_the_bar_is_one() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
        let _ = style();
    }
}
