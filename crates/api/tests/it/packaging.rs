//! The dashboard and the alert rules in `packaging/` name metrics that exist.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every metric that is named in a text.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_name(c));
    words.filter(|word| word.starts_with("meshcore_analyzer_")).map(str::to_owned).collect()
}

/// The labels of a metric, as the golden file has them.
fn labels_of(golden: &str, metric: &str) -> String {
    let lines = golden.lines().filter(|line| line.split(['{', ' ']).next() == Some(metric));
    lines.collect()
}

#[test]
fn every_metric_of_dashboard_and_rules_exists() {
    let golden = read("tests/it/testdata/metrics.txt");
    let known: BTreeSet<&str> = golden
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().unwrap())
        .collect();
    for file in ["../../packaging/grafana/meshcore-analyzer.json", "../../packaging/prometheus/alerts.yml"] {
        let named = metrics(&read(file));
        assert!(named.len() >= 8, "{file} names metrics");
        let unknown: Vec<_> = named.iter().filter(|name| !known.contains(name.as_str())).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{file}");
    }
}

#[test]
fn every_panel_asks_something_that_can_be_asked() {
    let golden = read("tests/it/testdata/metrics.txt");
    let dashboard: Value =
        serde_json::from_str(&read("../../packaging/grafana/meshcore-analyzer.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap();
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{title} is too wide");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title} asks nothing");
        for target in targets {
            let asked = target["expr"].as_str().unwrap();
            for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
                assert_eq!(asked.matches(open).count(), asked.matches(close).count(), "{title}: {asked}");
            }
            // A figure by a label that it does not have would be one sum.
            let by = asked.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
            for label in by.flat_map(|labels| labels.split(", ")) {
                let has = metrics(asked)
                    .iter()
                    .any(|metric| labels_of(&golden, metric).contains(&format!("{label}=\"")));
                assert!(has, "{title}: no metric of {asked} has the label {label}");
            }
        }
    }
}

#[test]
fn every_rule_waits_and_says_what_is_wrong() {
    let text = read("../../packaging/prometheus/alerts.yml");
    let rules: Vec<&str> = text.split("- alert: ").skip(1).collect();
    assert!(rules.len() >= 8);
    for rule in rules {
        for part in ["expr: ", "for: ", "severity: ", "summary: ", "description: "] {
            assert_eq!(rule.matches(part).count(), 1, "{part} in {rule}");
        }
        assert!(!rule.contains('\t'), "tabs are no YAML: {rule}");
    }
}
