//! The part of the configuration that the API acts on or passes to the page, under CoreScope's keys.
//!
//! The binary reads `config.json` and deserialises it into [`ApiConfig`]; keys that are not here are none of the API's
//! business and are ignored. The defaults are those of the contract.

mod places;
mod rate_limit;
mod sections;
mod theme;

pub use places::{Area, GeoFilter, MapDefaults};
pub use rate_limit::{Network, RateLimit};
pub use sections::{
    BatteryThresholds, ClientRxCoverage, Customizer, ForeignAdverts, ForeignAdvertsMode, HealthThresholds,
    ListLimits, LiveMap, MapTiles, Timestamps, WebSocketLimits,
};
pub(crate) use theme::theme_blocks;

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything of the configuration that the API needs.
///
/// ```
/// let config: api::ApiConfig = serde_json::from_str(r#"{"apiKey": "0123456789abcdef", "listLimits": {"nodesMax": 500}}"#)?;
/// assert_eq!(config.list_limits.nodes_max, 500);
/// assert_eq!(config.list_limits.packets_max, 10_000);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ApiConfig {
    /// Enables the writing routes; empty means that they are off.
    pub api_key: String,
    /// Caps of the `limit` parameters.
    pub list_limits: ListLimits,
    /// Public keys of nodes that are never shown, of either case.
    pub node_blacklist: Vec<String>,
    /// Ids of observers that are never shown, of either case.
    pub observer_blacklist: Vec<String>,
    /// Nodes whose name begins with one of these are never shown.
    pub hidden_name_prefixes: Vec<String>,
    /// Lists leave out nodes that were not seen for so long; filled by the binary from `retention.nodeDays`.
    #[serde(skip)]
    pub nodes_listed_for: Option<Duration>,
    /// The same for observers, from `retention.observerDays`.
    #[serde(skip)]
    pub observers_listed_for: Option<Duration>,
    /// Site name, tagline and logo: passed to the page over the defaults.
    pub branding: Value,
    /// Colours of the light theme: passed to the page over the defaults.
    pub theme: Value,
    /// Colours of the dark theme: passed to the page over the defaults.
    pub theme_dark: Value,
    /// Colours of the node roles: passed to the page over the defaults.
    pub node_colors: Value,
    /// Colours of the packet types: passed to the page over the defaults.
    pub type_colors: Value,
    /// The words of the home page: passed to the page over the defaults.
    pub home: Value,
    /// The outline of map markers: passed to the page over the defaults.
    pub marker_stroke: Value,
    /// The content of `theme.json`, whose blocks go over those of `config.json`; filled by the binary.
    #[serde(skip)]
    pub theme_file: Value,
    /// Where the map opens.
    pub map_defaults: MapDefaults,
    /// Map tile providers, for the page.
    pub map: MapTiles,
    /// Older place of the tile providers, for the page.
    pub tiles: Option<Value>,
    /// Older place of the dark tile provider, for the page.
    pub map_dark_tile_provider: Option<String>,
    /// Labels of the region codes.
    pub regions: BTreeMap<String, String>,
    /// Display settings of the roles, for the page.
    pub roles: Option<Value>,
    /// Signal quality steps, for the page.
    pub snr_thresholds: Option<Value>,
    /// Distance steps, for the page.
    pub dist_thresholds: Option<Value>,
    /// Longest believable hop, for the page.
    pub max_hop_dist: Option<Value>,
    /// List lengths, for the page.
    pub limits: Option<Value>,
    /// From when on a request counts as slow, for the page.
    pub perf_slow_ms: Option<Value>,
    /// Wait before the page opens the WebSocket again.
    pub ws_reconnect_ms: Option<Value>,
    /// How often the page drops what it has cached.
    pub cache_invalidate_ms: Option<Value>,
    /// Links to other sites, for the page.
    pub external_urls: Option<Value>,
    /// Ages at which nodes and observers count as degraded or silent.
    pub health_thresholds: HealthThresholds,
    /// Battery voltages at which a node is called low or critical.
    pub battery_thresholds: BatteryThresholds,
    /// Settings of the live map, for the page.
    pub live_map: LiveMap,
    /// Client cache times: echoed, nothing is cached here.
    #[serde(rename = "cacheTTL")]
    pub cache_ttl: Option<Value>,
    /// The area of interest; nodes outside are foreign.
    #[serde(rename = "geo_filter")]
    pub geo_filter: Option<GeoFilter>,
    /// What happens to nodes outside the area of interest.
    pub foreign_adverts: ForeignAdverts,
    /// Named areas for the `area` parameter.
    pub areas: BTreeMap<String, Area>,
    /// How the page shows times.
    pub timestamps: Timestamps,
    /// Origins that may read the API from other sites; `*` for any.
    pub cors_allowed_origins: Vec<String>,
    /// Whether the page shows its hop resolution aids.
    pub debug_affinity: bool,
    /// Coverage measured by phones.
    pub client_rx_coverage: ClientRxCoverage,
    /// The page's customizer.
    pub customizer: Customizer,
    /// How often a client may ask.
    pub rate_limit: RateLimit,
    /// Bounds of the live feed.
    pub web_socket: WebSocketLimits,
    /// Whether this is a demonstration, so that the page can say so; set by the binary.
    #[serde(skip)]
    pub demo: bool,
}

/// Whether the writing routes can be used, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiKeyStrength {
    Missing,
    Weak,
    Strong,
}

/// Keys that stand in examples and tutorials.
const WELL_KNOWN_KEYS: [&str; 10] = [
    "your-secret-api-key-here",
    "change-me",
    "example",
    "test",
    "password",
    "admin",
    "apikey",
    "api-key",
    "secret",
    "default",
];

/// A key shorter than this can be guessed through a public HTTP interface.
const LEAST_KEY_BYTES: usize = 16;

impl ApiConfig {
    /// Whether there is a key that the routes that write accept.
    pub fn has_strong_key(&self) -> bool {
        self.api_key_strength() == ApiKeyStrength::Strong
    }

    pub(crate) fn api_key_strength(&self) -> ApiKeyStrength {
        if self.api_key.is_empty() {
            ApiKeyStrength::Missing
        } else if self.api_key.len() < LEAST_KEY_BYTES || WELL_KNOWN_KEYS.contains(&self.api_key.as_str()) {
            ApiKeyStrength::Weak
        } else {
            ApiKeyStrength::Strong
        }
    }
}
