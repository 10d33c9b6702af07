//! `GET /api/observers/metrics/summary`.

use crate::config::ApiConfig;
use crate::duration::Span;
use crate::error::HttpError;
use crate::extract::{Params, csv};
use crate::json::Json;
use crate::render::counters::{decibels, hundredths};
use crate::routes::observers::metrics::no_database;
use crate::state::ApiState;
use crate::visibility::{Visibility, regions};
use axum::extract::State;
use index::{Index, ObserverSample, ObserverView};
use model::{ObserverId, UnixMillis};
use serde::{Deserialize, Serialize};
use storage::Reader;
use utoipa::{IntoParams, ToSchema};

/// Values of a sparkline at most: a day at one in five minutes.
const SPARKLINE_POINTS: usize = 288;

/// Samples read from the database for one answer, which happens only for windows longer than the index holds.
const MAX_SAMPLES_READ: usize = 500_000;

/// Which samples of whom.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct SummaryParams {
    /// How far back: a duration such as `90m` or `24h`, or days such as `7d`; 24 hours when absent.
    #[param(value_type = Option<String>, example = "24h")]
    window: Option<String>,
    /// Only observers of these regions: codes, separated by commas; `All` for no filter.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    region: Vec<String>,
}

/// All observers with samples.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObserverSummaryResponse {
    /// In the order of their names.
    observers: Vec<ObserverSummaryRow>,
    /// True when the window holds more samples than are read for one answer, so that for some observers only the newest are
    /// counted; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    truncated: Option<bool>,
}

/// An observer's samples in the window.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObserverSummaryRow {
    observer_id: String,
    observer_name: Option<String>,
    /// Region code; absent when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iata: Option<String>,
    /// The newest, in dBm; null when no sample has one.
    current_noise_floor: Option<f64>,
    /// The mean over the window, whatever its length.
    avg_noise_floor_24h: Option<f64>,
    /// The greatest in the window, whatever its length.
    max_noise_floor_24h: Option<f64>,
    /// The newest, in millivolts.
    battery_mv: Option<u32>,
    sample_count: usize,
    /// The noise floors, oldest first; of more than 288, as many evenly chosen.
    sparkline: Vec<f64>,
}

/// The noise floors of all observers at a glance.
#[utoipa::path(
    get, path = "/api/observers/metrics/summary", tag = "observers", params(SummaryParams),
    responses(
        (status = 200, body = ObserverSummaryResponse), (status = 400, body = crate::error::ErrorBody),
        (status = 503, body = crate::error::ErrorBody)
    )
)]
pub(crate) async fn metrics_summary(
    State(state): State<ApiState>,
    Params(params): Params<SummaryParams>,
) -> Result<Json<ObserverSummaryResponse>, HttpError> {
    let window = window(params.window.as_deref())?;
    let regions = regions(params.region);
    let config = state.config_arc();
    let asked = state.clone();
    let answer = state.read_rows(usize::MAX, move |index| {
        let since = UnixMillis::now().plus_ms(-window.ms);
        let (mut rows, elsewhere) = from_index(&index.read(), since, regions.as_deref(), &config);
        let mut truncated = false;
        if !elsewhere.is_empty() {
            let reader = asked.services().reader().ok_or_else(no_database)?;
            truncated = from_database(&reader, since, elsewhere, &mut rows)?;
        }
        rows.sort_by(|a, b| (&a.observer_name, &a.observer_id).cmp(&(&b.observer_name, &b.observer_id)));
        Ok(ObserverSummaryResponse { observers: rows, truncated: truncated.then_some(true) })
    });
    answer.await?.map(Json)
}

fn window(text: Option<&str>) -> Result<Span, HttpError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty()).unwrap_or("24h");
    let invalid = |_| HttpError::bad_request(format!("invalid window: {text}")).with_parameter("window");
    text.parse().map_err(invalid)
}

/// What of a row is known before its samples are.
struct Who {
    id: ObserverId,
    row: ObserverSummaryRow,
}

/// The rows of the observers whose samples of the window are all in the index, and the observers of which some may not be.
fn from_index(
    index: &Index,
    since: UnixMillis,
    regions: Option<&[String]>,
    config: &ApiConfig,
) -> (Vec<ObserverSummaryRow>, Vec<Who>) {
    let visibility = Visibility::new(config);
    let (mut rows, mut elsewhere) = (Vec::new(), Vec::new());
    let shown = index.observers(UnixMillis::now()).into_iter();
    for observer in shown.filter(|observer| visibility.shows_observer(observer) && is_in(observer, regions)) {
        let id = observer.record.id;
        let mut who = Who { id, row: ObserverSummaryRow::of(&observer) };
        who.row.add(index.observer_samples(id).filter(|sample| sample.time >= since));
        if index.samples_begin_after(id, since) {
            elsewhere.push(who);
        } else if who.row.sample_count > 0 {
            rows.push(who.row);
        }
    }
    (rows, elsewhere)
}

/// Reads the samples of these observers; `true` when there were too many for all of them. The rows of the others stay as
/// they are, with what the index has.
fn from_database(
    reader: &Reader,
    since: UnixMillis,
    observers: Vec<Who>,
    rows: &mut Vec<ObserverSummaryRow>,
) -> Result<bool, HttpError> {
    let (mut read, mut truncated) = (0, false);
    for mut who in observers {
        if read >= MAX_SAMPLES_READ {
            truncated = true;
        } else {
            let samples = reader.metrics(who.id, since, UnixMillis(i64::MAX)).map_err(|error| {
                tracing::warn!(%error, "observers' metrics could not be read");
                no_database()
            })?;
            read += samples.len();
            who.row.add(samples.iter().map(|sample| ObserverSample {
                time: sample.time,
                noise_floor: sample.noise_floor.filter(|dbm| dbm.is_finite()),
                battery_mv: sample.battery_mv,
            }));
        }
        rows.push(who.row);
    }
    Ok(truncated)
}

fn is_in(observer: &ObserverView<'_>, regions: Option<&[String]>) -> bool {
    let iata = observer.record.iata.as_deref().map(str::trim);
    regions.is_none_or(|regions| {
        iata.is_some_and(|iata| regions.iter().any(|region| region.trim().eq_ignore_ascii_case(iata)))
    })
}

impl ObserverSummaryRow {
    /// Without samples.
    fn of(observer: &ObserverView<'_>) -> Self {
        let text =
            |text: &Option<Box<str>>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            observer_id: observer.record.key.to_string(),
            observer_name: text(&observer.record.name),
            iata: text(&observer.record.iata),
            current_noise_floor: None,
            avg_noise_floor_24h: None,
            max_noise_floor_24h: None,
            battery_mv: None,
            sample_count: 0,
            sparkline: Vec::new(),
        }
    }

    /// Fills in what follows from the samples, which rise by time.
    fn add(&mut self, samples: impl Iterator<Item = ObserverSample>) {
        let (mut count, mut battery_mv, mut levels) = (0, None, Vec::new());
        for sample in samples {
            count += 1;
            battery_mv = sample.battery_mv.or(battery_mv);
            levels.extend(sample.noise_floor);
        }
        self.sample_count = count;
        self.battery_mv = battery_mv;
        self.current_noise_floor = levels.last().copied().and_then(decibels);
        self.max_noise_floor_24h = levels.iter().copied().reduce(f32::max).and_then(decibels);
        let sum: f64 = levels.iter().copied().map(f64::from).sum();
        self.avg_noise_floor_24h = hundredths(sum / levels.len() as f64);
        let points = levels.len().min(SPARKLINE_POINTS);
        // The last of each of `points` equal parts, so that the line ends with the newest.
        let chosen = (1..=points).map(|i| levels[i * levels.len() / points - 1]);
        self.sparkline = chosen.filter_map(decibels).collect();
    }
}
