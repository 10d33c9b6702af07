//! Asks the program once a second, on a thread of its own so that keys are never waited for.

use crate::commands::client::Client;
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use xray::{AlertsReport, HistoryAnswer, JobAction, JobsReport, Ledger, SeriesReading};

/// As often as the program measures.
const INTERVAL: Duration = Duration::from_secs(1);

/// Over which the table of causes is.
pub(super) const LEDGER_SECS: u32 = 60;

/// As wide as terminals get.
const TREND_SECS: i64 = 240;

/// What one question for history may name.
const MOST_SERIES: usize = 32;

/// Everything that is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    pub(super) version: String,
    pub(super) uptime_secs: u64,
    pub(super) alerts: AlertsReport,
    pub(super) series: Vec<SeriesReading>,
    pub(super) jobs: JobsReport,
    pub(super) ledger: Ledger,
    /// Bytes written in each of the last seconds, the oldest first.
    pub(super) trend: Vec<u64>,
}

/// What the thread has to say.
pub(super) enum News {
    Figures(Box<Snapshot>),
    /// The program does not answer, or not as it should.
    Unreachable(String),
    /// How an order went.
    Done(String),
}

/// What is to be done to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) job: String,
    pub(super) action: JobAction,
}

#[derive(Deserialize)]
struct SeriesList {
    series: Vec<SeriesReading>,
}

/// Of `/api/health`, what is shown.
#[derive(Deserialize)]
struct Health {
    version: String,
    uptime: u64,
}

/// Starts the thread. It ends when both channels have lost their other end.
///
/// # Errors
/// When the system has no more threads.
pub(super) fn start(client: Client) -> Result<(Sender<Order>, Receiver<News>)> {
    let (orders, ordered) = channel();
    let (tell, news) = channel();
    let work = move || while once(&client, &ordered, &tell).is_some() {};
    std::thread::Builder::new().name("fetch".to_owned()).spawn(work).context("cannot start a thread")?;
    Ok((orders, news))
}

/// Asks once, and then waits for an order until it is time to ask again. `None` when nobody is there any more.
fn once(client: &Client, ordered: &Receiver<Order>, tell: &Sender<News>) -> Option<()> {
    let begun = Instant::now();
    let piece = match Snapshot::fetch(client) {
        Ok(snapshot) => News::Figures(Box::new(snapshot)),
        Err(error) => News::Unreachable(format!("{error:#}")),
    };
    tell.send(piece).ok()?;
    match ordered.recv_timeout(INTERVAL.saturating_sub(begun.elapsed())) {
        // What it has done is shown at once.
        Ok(order) => tell.send(News::Done(carry_out(client, &order))).ok(),
        Err(RecvTimeoutError::Timeout) => Some(()),
        Err(RecvTimeoutError::Disconnected) => None,
    }
}

fn carry_out(client: &Client, order: &Order) -> String {
    // A job's name is of letters and `_`, so it can stand in a path.
    let path = format!("/api/jobs/{}", order.job);
    match client.order(&path, &serde_json::json!({ "action": order.action })) {
        Ok(()) => match order.action {
            JobAction::Pause => format!("{} is paused", order.job),
            JobAction::Resume => format!("{} goes on", order.job),
            JobAction::Run => format!("{} runs", order.job),
        },
        Err(error) => format!("{error:#}"),
    }
}

impl Snapshot {
    /// Asks for everything.
    ///
    /// # Errors
    /// When the program cannot be reached or answers something else.
    pub(super) fn fetch(client: &Client) -> Result<Self> {
        let health: Health = client.ask("/api/health")?;
        let SeriesList { series } = client.ask("/api/perf/series")?;
        let ledger: Ledger = client.ask(&format!("/api/perf/ledger?window={LEDGER_SECS}"))?;
        let trend = trend(client, &series, ledger.to_ms / 1_000);
        Ok(Self {
            version: health.version,
            uptime_secs: health.uptime,
            alerts: client.ask("/api/alerts?limit=1")?,
            jobs: client.ask("/api/jobs")?,
            series,
            ledger,
            trend,
        })
    }
}

/// All that was written, second by second; empty while there is no history. `now_secs` is the program's, since its clock may be another.
fn trend(client: &Client, series: &[SeriesReading], now_secs: i64) -> Vec<u64> {
    let mut written: Vec<&SeriesReading> =
        series.iter().filter(|one| one.name.starts_with("written.") && one.value > 0).collect();
    written.sort_by_key(|one| std::cmp::Reverse(one.value));
    if written.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = written.iter().take(MOST_SERIES).map(|one| one.name.as_str()).collect();
    let (names, from) = (names.join(","), now_secs - TREND_SECS);
    let path = format!("/api/perf/history?series={names}&from={from}&step=1");
    // Without a trend all the rest is still worth showing.
    client.ask::<HistoryAnswer>(&path).map(|answer| summed(&answer)).unwrap_or_default()
}

/// The sum of all series at each step; the oldest and the newest steps of which nothing is known are left out.
fn summed(answer: &HistoryAnswer) -> Vec<u64> {
    let steps = answer.series.iter().map(|series| series.values.len()).max().unwrap_or_default();
    let at = |step: usize| {
        let values = answer.series.iter().filter_map(|series| *series.values.get(step)?);
        values.map(|value| value.max(0.0)).reduce(|a, b| a + b)
    };
    let mut sums: Vec<Option<f64>> = (0..steps).map(at).collect();
    while sums.last().is_some_and(Option::is_none) {
        sums.pop();
    }
    // What was before the program had a history is no silence.
    let known = sums.into_iter().skip_while(Option::is_none);
    known.map(|sum| sum.unwrap_or_default() as u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use xray::{SeriesKind, SeriesValues, Unit};

    #[test]
    fn the_trend_is_the_sum_and_ends_with_what_is_known() {
        let of = |values: &[Option<f64>]| SeriesValues {
            name: "written.packets.wal".to_owned(),
            kind: SeriesKind::Counter,
            unit: Unit::Bytes,
            values: values.to_vec(),
        };
        let series =
            vec![of(&[None, Some(1.0), None, Some(3.0), None]), of(&[None, Some(10.0), None, None, None])];
        let answer = HistoryAnswer { from_secs: 0, step_secs: 1, series };
        assert_eq!(summed(&answer), [11, 0, 3]);
        assert_eq!(summed(&HistoryAnswer::default()), Vec::<u64>::new());
    }
}
