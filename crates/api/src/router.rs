//! The table of contents: every path, its handler and what lies around all of them.

use crate::routes::{
    alerts, backup, channels, config, debug, decode, docs, health, hops, iata, ingest, jobs, mqtt, nodes,
    observers, packets, perf, stats, traces,
};
use crate::state::ApiState;
use crate::{live, metrics, middleware, openapi, page};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::any;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

/// More than any request of the API has reason to send.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Every documented path. A route that is not in this list does not exist; one that is cannot be undocumented.
pub(crate) fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(health::healthz))
        .routes(routes!(health::health))
        .routes(routes!(stats::stats))
        .routes(routes!(config::cache))
        .routes(routes!(config::client))
        .routes(routes!(config::regions))
        .routes(routes!(config::theme))
        .routes(routes!(config::map))
        .routes(routes!(config::geo_filter))
        .routes(routes!(config::areas))
        .routes(routes!(config::area_polygons))
        .routes(routes!(packets::list::list_packets, packets::submit::submit_packet))
        .routes(routes!(packets::one::get_packet))
        .routes(routes!(packets::observations::packet_observations))
        .routes(routes!(packets::timestamps::packet_timestamps))
        .routes(routes!(decode::decode).layer(DefaultBodyLimit::max(decode::MAX_BODY_BYTES)))
        .routes(routes!(nodes::list_nodes))
        .routes(routes!(nodes::search_nodes))
        .routes(routes!(nodes::get_node))
        .routes(routes!(observers::list_observers))
        .routes(routes!(observers::get_observer))
        .routes(routes!(channels::list_channels))
        .routes(routes!(channels::channel_messages))
        .routes(routes!(traces::trace))
        .routes(routes!(live::live))
        .routes(routes!(docs::live_spec))
        .routes(routes!(hops::resolve_hops))
        .routes(routes!(debug::affinity))
        .routes(routes!(iata::iata_coords))
        .routes(routes!(mqtt::mqtt_status))
        .routes(routes!(perf::perf))
        .routes(routes!(perf::perf_io))
        .routes(routes!(perf::perf_sqlite))
        .routes(routes!(perf::perf_write_sources))
        .routes(routes!(perf::perf_reset))
        .routes(routes!(perf::ledger::perf_ledger))
        .routes(routes!(perf::bundle::perf_bundle))
        .routes(routes!(perf::history::perf_history))
        .routes(routes!(perf::history::perf_series))
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(jobs::control_job))
        .routes(routes!(alerts::alerts))
        .routes(routes!(alerts::black_box))
        .routes(routes!(alerts::test_webhooks))
        .routes(routes!(ingest::ingest))
        .routes(routes!(backup::backup))
        .routes(routes!(metrics::metrics))
        .routes(routes!(docs::spec))
}

/// The whole application: API, live feed and page.
pub fn router(state: ApiState) -> Router {
    let (api, _document) = documented().split_for_parts();
    let api = api
        .merge(docs::swagger_ui())
        .route("/api", any(middleware::unknown_path))
        .route("/api/", any(middleware::unknown_path))
        .route("/api/{*path}", any(middleware::unknown_path))
        .method_not_allowed_fallback(middleware::wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    let api = middleware::around_api(api, &state);
    let whole = Router::new().route("/ws", axum::routing::get(live::feed)).fallback(page::page).merge(api);
    middleware::around_all(whole, &state).with_state(state)
}
