//! What is not a series: alerts, jobs, requests, the live feed, the index, the program.

use super::exposition::{BaseUnit, Describe, Exposition, HistogramSample, Kind};
use crate::limits::Limits;
use crate::live::LiveHub;
use crate::middleware::timing::RouteHistogram;
use crate::routes::health::BUILD;
use crate::services::LoadStatus;
use crate::state::ApiState;
use xray::{AlertsReport, JobState, JobsReport, Level, Severity};

/// Flags of so many of the newest events are shown as 0 once they are gone, so that an alert rule sees the end.
pub(super) const EVENTS: usize = 100;

pub(super) fn alerts(page: &mut Exposition, report: &AlertsReport) {
    let of = gauge("alert_active", BaseUnit::None, "1 while a flag is raised, 0 when it is gone again.");
    let gone = report.events.iter().map(|event| (&event.flag, 0.0));
    let mut named: Vec<&str> = Vec::new();
    // What is active comes first, and for each id the newest event, so that an id has one severity.
    for (flag, value) in report.active.iter().map(|flag| (flag, 1.0)).chain(gone) {
        if !named.contains(&flag.id.as_str()) {
            named.push(&flag.id);
            let severity = match flag.severity {
                Severity::Warning => "warning",
                Severity::Critical => "critical",
            };
            page.number(of, &[("id", &flag.id), ("severity", severity)], value);
        }
    }
    let of = gauge("verdict", BaseUnit::None, "1 for the state of the whole, 0 for the others.");
    let levels = [
        (Level::Unknown, "unknown"),
        (Level::Ok, "ok"),
        (Level::Warning, "warning"),
        (Level::Critical, "critical"),
    ];
    for (level, name) in levels {
        page.number(of, &[("level", name)], one_if(report.verdict.level == level));
    }
    for hook in &report.webhooks {
        let labels = &[("webhook", hook.name.as_str())];
        let of = counter("webhook_delivered", BaseUnit::None, "Events that a webhook has taken.");
        page.number(of, labels, hook.delivered as f64);
        let of =
            counter("webhook_given_up", BaseUnit::None, "Events that were given up after several tries.");
        page.number(of, labels, hook.given_up as f64);
    }
}

pub(super) fn jobs(page: &mut Exposition, report: &JobsReport) {
    for job in &report.jobs {
        let name = job.name.as_str();
        let of =
            gauge("job_state", BaseUnit::None, "1 for what a background job is doing, 0 for the others.");
        let states = [
            (JobState::Idle, "idle"),
            (JobState::Running, "running"),
            (JobState::Braked, "braked"),
            (JobState::Paused, "paused"),
        ];
        for (state, text) in states {
            page.number(of, &[("job", name), ("state", text)], one_if(job.state == state));
        }
        let labels = &[("job", name)];
        page.number(counter("job_runs", BaseUnit::None, "Runs that have ended."), labels, job.runs as f64);
        let of =
            gauge("job_duty_cycle", BaseUnit::Ratio, "Share of the last ten minutes in which a job ran.");
        page.number(of, labels, job.duty_cycle);
        if let Some(ratio) = job.no_op_ratio {
            let help = "Share of the rows written in the last ten minutes that were not changed by that.";
            page.number(gauge("job_no_op", BaseUnit::Ratio, help), labels, ratio);
        }
        if let Some(progress) = job.progress.filter(|progress| progress.total > 0) {
            let of = gauge("job_progress", BaseUnit::Ratio, "How far the run at hand is.");
            page.number(of, labels, progress.done as f64 / progress.total as f64);
        }
        if let Some(budget) = job.budget_bytes_per_sec {
            let of =
                gauge("job_budget_bytes_per_second", BaseUnit::None, "Bytes a second that a job may write.");
            page.number(of, labels, budget as f64);
        }
    }
}

pub(super) fn requests(page: &mut Exposition, histograms: Vec<RouteHistogram>) {
    let of = Describe {
        name: "http_request_duration",
        kind: Kind::Histogram,
        unit: BaseUnit::Seconds,
        help: "How long requests took, by route and class of status.",
    };
    for RouteHistogram { route, class, buckets, count, sum_secs } in histograms {
        let status = format!("{class}xx");
        let sample = HistogramSample { buckets, count, sum: sum_secs };
        page.histogram(of, &[("route", &route), ("status", &status)], sample);
    }
}

pub(super) fn limits(page: &mut Exposition, limits: &Limits) {
    for figures in limits.figures() {
        let class = ("class", figures.class.name());
        let of =
            gauge("http_requests_running", BaseUnit::None, "Requests that are worked on, by what they cost.");
        page.number(of, &[class], figures.running as f64);
        let of = gauge("http_requests_waiting", BaseUnit::None, "Requests that wait for a place.");
        page.number(of, &[class], figures.waiting as f64);
        let of = counter(
            "http_requests_over_limit",
            BaseUnit::None,
            "Requests that were refused or given up, by the limit that they were over.",
        );
        let over =
            [("places", figures.refused_busy), ("time", figures.over_time), ("rows", figures.over_rows)];
        for (limit, count) in over {
            page.number(of, &[class, ("limit", limit)], count as f64);
        }
    }
    let of = counter(
        "http_requests_too_often",
        BaseUnit::None,
        "Requests refused since their address asks too often.",
    );
    page.number(of, &[], limits.addresses.refused() as f64);
    let of = gauge(
        "http_addresses",
        BaseUnit::None,
        "Addresses that have asked lately, as the rate limit remembers them.",
    );
    page.number(of, &[], limits.addresses.known() as f64);
}

pub(super) fn live(page: &mut Exposition, hub: &LiveHub) {
    let of = gauge("live_viewers", BaseUnit::None, "Clients of the live feed.");
    page.number(of, &[], hub.clients() as f64);
    let of = counter("live_dropped_frames", BaseUnit::None, "Frames that slow clients did not get.");
    page.number(of, &[], hub.dropped_frames() as f64);
    let help = "Observations that were not announced because rendering was too far behind.";
    page.number(
        counter("live_skipped_observations", BaseUnit::None, help),
        &[],
        hub.skipped_observations() as f64,
    );
    let of = gauge("live_subscriptions", BaseUnit::None, "Subscriptions of /api/live.");
    page.number(of, &[], hub.subscriptions() as f64);
    let of =
        counter("live_missed_rows", BaseUnit::None, "Rows that slow subscribers were told that they missed.");
    page.number(of, &[], hub.missed_rows() as f64);
    let of = counter("live_refused_clients", BaseUnit::None, "Live clients for whom there was no place.");
    page.number(of, &[], hub.refused_clients() as f64);
}

pub(super) fn process(page: &mut Exposition, state: &ApiState) {
    let build =
        Describe { name: "build", kind: Kind::Info, unit: BaseUnit::None, help: "The program that answers." };
    page.number(build, &[("version", BUILD.version), ("commit", BUILD.commit)], 1.0);
    let of = gauge("uptime", BaseUnit::Seconds, "Time since the start of the process that answers.");
    page.number(of, &[], state.uptime_secs() as f64);
    if let Some(bytes) = state.services().rss_bytes() {
        let of = gauge("resident_memory", BaseUnit::Bytes, "Resident memory of the process that answers.");
        page.number(of, &[], bytes as f64);
    }
    let of = gauge("history_loaded", BaseUnit::None, "1 when the history is loaded into memory.");
    page.number(of, &[], one_if(state.services().load_status() == LoadStatus::Ready));
    let of = gauge("index_memory", BaseUnit::Bytes, "Memory that the index holds, by structure.");
    for (structure, bytes) in state.read(|index, _now| index.memory()).parts {
        page.number(of, &[("structure", structure)], bytes as f64);
    }
    for source in state.services().mqtt_sources() {
        let labels = &[("source", source.name.as_str())];
        let of = gauge("mqtt_connected", BaseUnit::None, "1 while a broker is connected.");
        page.number(of, labels, one_if(source.connected));
        let of = counter("mqtt_messages", BaseUnit::None, "Messages received from a broker.");
        page.number(of, labels, source.packets_total as f64);
    }
}

fn gauge<'a>(name: &'a str, unit: BaseUnit, help: &'a str) -> Describe<'a> {
    Describe { name, kind: Kind::Gauge, unit, help }
}

fn counter<'a>(name: &'a str, unit: BaseUnit, help: &'a str) -> Describe<'a> {
    Describe { name, kind: Kind::Counter, unit, help }
}

fn one_if(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
