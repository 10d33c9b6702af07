//! `/metrics`, read by a parser that is as strict as a scraper.

use crate::app::TestApp;
use crate::golden::compare;
use axum::body::Body;
use axum::http::Method;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const OPEN: &[(&str, &str)] = &[("accept", "application/openmetrics-text; version=1.0.0")];

#[tokio::test]
async fn the_figures_are_those_that_were_agreed_on() {
    let app = TestApp::init();
    // Both formats then have a histogram of the same route.
    app.get("/metrics").await;
    let plain = app.get("/metrics").await;
    assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    golden("metrics.txt", &plain.body);
    let open = app.send(Method::GET, "/metrics", OPEN, Body::empty()).await;
    assert_eq!(open.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    golden("metrics.openmetrics", &open.body);
}

#[tokio::test]
async fn every_line_is_one_that_a_scraper_takes() {
    let app = TestApp::init();
    for path in ["/api/stats", "/api/packets/1", "/api/unknown", "/api/perf/series"] {
        app.get(path).await;
    }
    let plain = String::from_utf8(app.get("/metrics").await.body).unwrap();
    let families = strict(&plain, false);
    let open = String::from_utf8(app.send(Method::GET, "/metrics", OPEN, Body::empty()).await.body).unwrap();
    assert_eq!(strict(&open, true), families, "both formats have the same families");
    for wanted in [
        "http_request_duration_seconds_bucket{route=\"/api/packets/{id}\",status=\"2xx\",le=\"0.0005\"} ",
        "http_request_duration_seconds_count{route=\"/api/{*path}\",status=\"4xx\"} 1\n",
        "alert_active{id=\"retention.no_op\",severity=\"warning\"} 1\n",
        "verdict{level=\"warning\"} 1\n",
        "live_viewers 0\n",
        "job_state{job=\"retention\",state=\"idle\"} 1\n",
        "index_memory_bytes{structure=\"frames\"} ",
        "resident_memory_bytes 67108864\n",
    ] {
        assert!(plain.contains(&format!("meshcore_analyzer_{wanted}")), "{wanted}\n{plain}");
    }
}

#[tokio::test]
async fn every_series_is_exported_or_given_by_the_answering_process() {
    let app = TestApp::init();
    let plain = String::from_utf8(app.get("/metrics").await.body).unwrap();
    let series = app.get("/api/perf/series").await.good();
    for reading in series["series"].as_array().unwrap() {
        let name = reading["name"].as_str().unwrap();
        let value = match reading["unit"].as_str().unwrap() {
            "micros" => reading["value"].as_f64().unwrap() / 1e6,
            _ => reading["value"].as_f64().unwrap(),
        };
        let own = ["live.viewers", "memory.index"].contains(&name);
        assert!(own || plain.contains(&format!(" {value}\n")), "{name}");
    }
}

#[tokio::test]
async fn a_scrape_is_no_request_without_a_route() {
    let app = TestApp::init();
    app.get("/metrics").await;
    let endpoints = app.get("/api/perf").await.good()["endpoints"].clone();
    assert_eq!(endpoints["/metrics"]["count"], 1, "{endpoints}");
}

/// Compares with the agreed file, with the figures of requests and memory left out: they depend on clock and machine.
#[track_caller]
fn golden(name: &str, body: &[u8]) {
    let mut text = String::new();
    for line in std::str::from_utf8(body).unwrap().lines() {
        let varying = ["_http_request_duration_", "_index_memory_", "_uptime_", "_build_info"];
        match line.rsplit_once(' ') {
            Some((figure, _)) if !line.starts_with('#') && varying.iter().any(|part| line.contains(part)) => {
                let figure =
                    if figure.contains("_build_info") { "meshcore_analyzer_build_info{…}" } else { figure };
                text.push_str(&format!("{figure} <number>\n"));
            }
            _ => text.push_str(&format!("{line}\n")),
        }
    }
    compare(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/testdata").join(name), &text);
}

/// Reads all lines and panics at the first that a scraper would refuse. Returns the families with their types.
#[track_caller]
fn strict(text: &str, open: bool) -> BTreeMap<String, String> {
    assert!(text.ends_with('\n'));
    assert_eq!(text.ends_with("# EOF\n"), open);
    let (mut families, mut helped, mut seen) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let mut current = String::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(helped.insert(name.to_owned()), "{name} is described twice");
            assert!(help.len() > 3, "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(helped.contains(name), "{name} has no help");
            current = name.to_owned();
            let bare = name.strip_suffix("_total").unwrap_or(name);
            let bare = bare.strip_suffix("_info").unwrap_or(bare);
            let kind = if bare.ends_with("_build") { "info" } else { kind };
            assert!(families.insert(bare.to_owned(), kind.to_owned()).is_none(), "{name} has two types");
        } else if let Some(rest) = line.strip_prefix("# UNIT ") {
            let (name, unit) = rest.split_once(' ').unwrap();
            assert!(open && name == current && name.ends_with(&format!("_{unit}")), "{line}");
        } else {
            let (name, labels) = sample(line);
            assert!(
                name.strip_prefix(&current).is_some_and(|end| suffix_fits(end, open)),
                "{line} after {current}"
            );
            assert!(seen.insert(format!("{name}{labels:?}")), "twice: {line}");
        }
    }
    families
}

fn suffix_fits(end: &str, open: bool) -> bool {
    match end {
        "" | "_bucket" | "_sum" | "_count" => true,
        "_total" | "_info" => open,
        _ => false,
    }
}

/// Name and labels of a sample; its value must be a number.
#[track_caller]
fn sample(line: &str) -> (String, Vec<(String, String)>) {
    let is_name = |text: &str| {
        let mut bytes = text.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(is_name(label), "{line}");
            let (value, after) = quoted(after, line);
            labels.push((label.to_owned(), value));
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    rest = after.strip_prefix('}').unwrap_or_else(|| panic!("{line}"));
                    break;
                }
            }
        }
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    assert!(
        ["+Inf", "-Inf", "NaN"].contains(&value) || value.parse::<f64>().is_ok_and(f64::is_finite),
        "{line}"
    );
    (name.to_owned(), labels)
}

/// A label's value up to its closing quote, and what follows.
fn quoted<'a>(text: &'a str, line: &str) -> (String, &'a str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, c @ ('\\' | '"'))) => value.push(c),
                _ => panic!("a bad escape in {line}"),
            },
            c => value.push(c),
        }
    }
    panic!("a quote is not closed in {line}")
}
