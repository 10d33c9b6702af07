//! The two text formats: Prometheus 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>) and OpenMetrics
//! 1.0 (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
//!
//! One name given twice, or one label set given twice, makes a scraper refuse the whole page. So families are kept by name
//! and samples by labels: whatever is added, each occurs once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Before every name.
const PREFIX: &str = "meshcore_analyzer_";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Prometheus,
    OpenMetrics,
}

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What a family counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

/// The base units that names end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BaseUnit {
    None,
    Bytes,
    Seconds,
    Ratio,
}

/// What is said of a family before its samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Describe<'a> {
    /// Without prefix, unit and `_total`.
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) unit: BaseUnit,
    pub(super) help: &'a str,
}

/// Names and values of labels.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// A page of figures.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    families: BTreeMap<String, Family>,
}

#[derive(Debug)]
struct Family {
    kind: Kind,
    unit: BaseUnit,
    help: String,
    /// By the labels as they are written, without braces.
    samples: BTreeMap<String, Value>,
}

#[derive(Debug)]
enum Value {
    Number(f64),
    Histogram(HistogramSample),
}

/// How many values were at most so great.
#[derive(Clone, Debug)]
pub(super) struct HistogramSample {
    /// Upper bounds with the number of values up to each; they grow.
    pub(super) buckets: Vec<(f64, u64)>,
    pub(super) count: u64,
    pub(super) sum: f64,
}

impl Exposition {
    /// Adds a figure, unless there is one of the same name and labels.
    pub(super) fn number(&mut self, of: Describe<'_>, labels: Labels<'_>, value: f64) {
        self.add(of, labels, Value::Number(value));
    }

    /// The same for a histogram.
    pub(super) fn histogram(&mut self, of: Describe<'_>, labels: Labels<'_>, sample: HistogramSample) {
        self.add(of, labels, Value::Histogram(sample));
    }

    fn add(&mut self, of: Describe<'_>, labels: Labels<'_>, value: Value) {
        let family = match self.families.entry(of.full_name()) {
            Entry::Occupied(family) => family.into_mut(),
            Entry::Vacant(place) => place.insert(Family {
                kind: of.kind,
                unit: of.unit,
                help: of.help.to_owned(),
                samples: BTreeMap::new(),
            }),
        };
        // A series that nobody foresaw may be given the name of a family of another kind.
        if family.kind == of.kind {
            family.samples.entry(written(labels)).or_insert(value);
        }
    }

    pub(super) fn render(&self, format: Format) -> String {
        let mut text = String::with_capacity(64 * 1024);
        for (name, family) in &self.families {
            family.render(name, format, &mut text);
        }
        if format == Format::OpenMetrics {
            text.push_str("# EOF\n");
        }
        text
    }
}

impl Describe<'_> {
    /// With the prefix and the unit, without `_total`; of letters, digits and `_` only.
    fn full_name(&self) -> String {
        let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut name: String = PREFIX.chars().chain(self.name.chars().map(legal)).collect();
        let unit = self.unit.name();
        if !unit.is_empty() && !name.ends_with(&format!("_{unit}")) {
            name.push('_');
            name.push_str(unit);
        }
        name
    }
}

impl BaseUnit {
    fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
            Self::Ratio => "ratio",
        }
    }
}

impl Family {
    fn render(&self, name: &str, format: Format, text: &mut String) {
        let open = format == Format::OpenMetrics;
        // OpenMetrics names the family, Prometheus the samples.
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        let described = if open { name.to_owned() } else { format!("{name}{suffix}") };
        let kind = match (self.kind, open) {
            (Kind::Counter, _) => "counter",
            (Kind::Gauge, _) | (Kind::Info, false) => "gauge",
            (Kind::Histogram, _) => "histogram",
            (Kind::Info, true) => "info",
        };
        text.push_str(&format!("# HELP {described} {}\n", escaped(&self.help, open)));
        text.push_str(&format!("# TYPE {described} {kind}\n"));
        if open && self.unit != BaseUnit::None {
            text.push_str(&format!("# UNIT {described} {}\n", self.unit.name()));
        }
        for (labels, value) in &self.samples {
            match value {
                Value::Number(value) => line(text, &format!("{name}{suffix}"), labels, "", *value),
                Value::Histogram(sample) => sample.render(name, labels, text),
            }
        }
    }
}

impl HistogramSample {
    fn render(&self, name: &str, labels: &str, text: &mut String) {
        let bucket = format!("{name}_bucket");
        for (bound, count) in &self.buckets {
            line(text, &bucket, labels, &format!("le=\"{bound:?}\""), *count as f64);
        }
        line(text, &bucket, labels, "le=\"+Inf\"", self.count as f64);
        line(text, &format!("{name}_sum"), labels, "", self.sum);
        line(text, &format!("{name}_count"), labels, "", self.count as f64);
    }
}

fn line(text: &mut String, name: &str, labels: &str, one_more: &str, value: f64) {
    text.push_str(name);
    if !labels.is_empty() || !one_more.is_empty() {
        let comma = if labels.is_empty() || one_more.is_empty() { "" } else { "," };
        text.push_str(&format!("{{{labels}{comma}{one_more}}}"));
    }
    // Both formats want these three words, and Rust writes the last two without a plus and in lower case.
    match value {
        value if value.is_nan() => text.push_str(" NaN\n"),
        f64::INFINITY => text.push_str(" +Inf\n"),
        f64::NEG_INFINITY => text.push_str(" -Inf\n"),
        value => text.push_str(&format!(" {value}\n")),
    }
}

fn written(labels: Labels<'_>) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        let comma = if text.is_empty() { "" } else { "," };
        text.push_str(&format!("{comma}{name}=\"{}\"", escaped(value, true)));
    }
    text
}

/// Backslashes and line ends are escaped everywhere, quotes in label values and in OpenMetrics' help.
fn escaped(value: &str, quotes: bool) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: Describe<'_> =
        Describe { name: "rows", kind: Kind::Counter, unit: BaseUnit::None, help: "a \\ and \"b\"\nc" };

    #[test]
    fn hostile_labels_stay_within_their_quotes() {
        let mut page = Exposition::default();
        page.number(ROWS, &[("source", "a\"} 1\nb{c=\"\\")], 3.0);
        assert_eq!(
            page.render(Format::Prometheus),
            "# HELP meshcore_analyzer_rows_total a \\\\ and \"b\"\\nc\n# TYPE meshcore_analyzer_rows_total counter\n\
             meshcore_analyzer_rows_total{source=\"a\\\"} 1\\nb{c=\\\"\\\\\"} 3\n"
        );
    }

    #[test]
    fn what_is_added_twice_is_there_once_and_a_name_has_one_kind() {
        let mut page = Exposition::default();
        page.number(ROWS, &[], 3.0);
        page.number(ROWS, &[], 4.0);
        page.number(Describe { kind: Kind::Gauge, ..ROWS }, &[("a", "b")], 5.0);
        assert_eq!(
            page.render(Format::OpenMetrics),
            "# HELP meshcore_analyzer_rows a \\\\ and \\\"b\\\"\\nc\n# TYPE meshcore_analyzer_rows counter\n\
             meshcore_analyzer_rows_total 3\n# EOF\n"
        );
    }

    #[test]
    fn names_are_legal_and_say_the_unit_once() {
        let of = |name, unit| Describe { name, kind: Kind::Gauge, unit, help: "" }.full_name();
        assert_eq!(of("db.bytes", BaseUnit::Bytes), "meshcore_analyzer_db_bytes");
        assert_eq!(of("a-ü b", BaseUnit::Seconds), "meshcore_analyzer_a___b_seconds");
    }

    #[test]
    fn numbers_that_are_none_are_written_as_the_formats_want_them() {
        let mut text = String::new();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.000_000_5, 1e18] {
            line(&mut text, "a", "", "", value);
        }
        assert_eq!(text, "a NaN\na +Inf\na -Inf\na 0.0000005\na 1000000000000000000\n");
    }
}
