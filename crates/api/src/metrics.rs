//! `GET /metrics`: the books, the requests and the index for Prometheus and whatever else reads its format.

mod exposition;
mod own;
mod series;

use crate::state::ApiState;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderName, VARY};
use exposition::{Exposition, Format};

/// All figures in Prometheus' text format, or in OpenMetrics when `Accept` asks for `application/openmetrics-text`.
///
/// Counters run since the start of the process that writes. Names and units are explained in docs/observability.md.
#[utoipa::path(
    get, path = "/metrics", tag = "perf",
    responses((status = 200, body = String, content_type = "text/plain", description = "One line for each figure"))
)]
pub(crate) async fn metrics(
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> ([(HeaderName, &'static str); 2], String) {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = wanted(&accepted.collect::<Vec<_>>().join(","));
    ([(CONTENT_TYPE, format.content_type()), (VARY, "Accept")], render(&state, format))
}

/// Everything, as one text.
fn render(state: &ApiState, format: Format) -> String {
    let mut page = Exposition::default();
    let books = state.services().books();
    for reading in books.readings() {
        series::add(&mut page, &reading);
    }
    own::alerts(&mut page, &books.alerts(own::EVENTS));
    own::jobs(&mut page, &books.jobs());
    own::requests(&mut page, state.timings().histograms());
    own::limits(&mut page, state.limits());
    own::live(&mut page, state.live());
    own::process(&mut page, state);
    page.render(format)
}

/// The format that an `Accept` header prefers: OpenMetrics when it is named, and plain text is not preferred to it.
fn wanted(accept: &str) -> Format {
    let mut preferred = [0.0_f32; 2];
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let place = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/openmetrics-text" => 0,
            "text/plain" => 1,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
        preferred[place] = preferred[place].max(quality.unwrap_or_default());
    }
    let [open, plain] = preferred;
    if open > 0.0 && open >= plain { Format::OpenMetrics } else { Format::Prometheus }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_given_to_those_who_ask_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(wanted(prometheus), Format::OpenMetrics);
        for plain in ["", "*/*", "text/html, text/plain", "application/openmetrics-text;q=0", "a;b,;,q=,"] {
            assert_eq!(wanted(plain), Format::Prometheus, "{plain}");
        }
        assert_eq!(wanted("application/openmetrics-text;q=0.3, text/plain;q=0.9"), Format::Prometheus);
    }
}
