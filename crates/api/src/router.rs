//! The table of contents: every path, its handler and what lies around all of them.

use crate::routes::{
    alerts, audio_lab, backup, channels, config, coverage, debug, decode, docs, dropped, filter, health,
    hops, iata, ingest, inspect, jobs, known_channels, mqtt, nodes, observers, packets, perf, prune,
    scope_stats, stats, traces,
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
        .routes(routes!(scope_stats::scope_stats))
        .routes(routes!(config::cache))
        .routes(routes!(config::client))
        .routes(routes!(config::regions))
        .routes(routes!(config::theme))
        .routes(routes!(config::map))
        .routes(routes!(config::geo_filter::geo_filter, config::geo_filter::put_geo_filter))
        .routes(routes!(config::areas))
        .routes(routes!(config::area_polygons))
        .routes(routes!(packets::list::list_packets, packets::submit::submit_packet))
        .routes(routes!(packets::one::get_packet))
        .routes(routes!(packets::observations::packet_observations))
        .routes(routes!(packets::timestamps::packet_timestamps))
        .routes(routes!(filter::filter_fields))
        .routes(routes!(decode::decode).layer(DefaultBodyLimit::max(decode::MAX_BODY_BYTES)))
        .routes(routes!(nodes::list::list_nodes))
        .routes(routes!(nodes::search::search_nodes))
        .routes(routes!(nodes::bulk_health::bulk_health))
        .routes(routes!(nodes::network_status::network_status))
        .routes(routes!(nodes::clock_skew::nodes_clock_skew))
        .routes(routes!(nodes::resolve::resolve_node))
        .routes(routes!(nodes::one::get_node))
        .routes(routes!(nodes::health::node_health))
        .routes(routes!(nodes::paths::node_paths))
        .routes(routes!(nodes::analytics::node_analytics))
        .routes(routes!(nodes::battery::node_battery))
        .routes(routes!(nodes::neighbors::node_neighbors))
        .routes(routes!(nodes::reach::node_reach))
        .routes(routes!(nodes::clock_skew::node_clock_skew))
        .routes(routes!(coverage::node_coverage))
        .routes(routes!(coverage::rx_coverage))
        .routes(routes!(coverage::rx_leaderboard))
        .routes(routes!(observers::list_observers))
        .routes(routes!(observers::get_observer))
        .routes(routes!(observers::clock_skew::observer_clock_skew))
        .routes(routes!(observers::compare::compare_observers))
        .routes(routes!(observers::summary::metrics_summary))
        .routes(routes!(observers::metrics::observer_metrics))
        .routes(routes!(observers::analytics::observer_analytics))
        .routes(routes!(channels::list_channels))
        .routes(routes!(channels::channel_messages))
        .routes(routes!(channels::search::search_messages))
        .routes(routes!(known_channels::known_channels))
        .routes(routes!(traces::trace))
        .routes(routes!(live::live))
        .routes(routes!(docs::live_spec))
        .routes(routes!(audio_lab::audio_lab_buckets))
        .routes(routes!(hops::resolve_hops))
        .routes(routes!(inspect::inspect_path).layer(DefaultBodyLimit::max(inspect::MAX_BODY_BYTES)))
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
        .routes(routes!(dropped::dropped_packets))
        .routes(routes!(prune::prune_geo_filter))
        .routes(routes!(prune::prune_status))
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
