//! The smaller blocks of the configuration, each with the contract's defaults.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Caps of the `limit` parameters.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListLimits {
    /// Rows of `/api/packets`.
    pub packets_max: usize,
    /// Rows of `/api/nodes`.
    pub nodes_max: usize,
    /// Rows of analytics lists.
    pub analytics_max: usize,
    /// Rows of `/api/channels/{hash}/messages`.
    pub channel_messages_max: usize,
    /// Rows of `/api/nodes/bulk-health`.
    pub bulk_health_max: usize,
}

impl Default for ListLimits {
    fn default() -> Self {
        Self {
            packets_max: 10_000,
            nodes_max: 2_000,
            analytics_max: 200,
            channel_messages_max: 500,
            bulk_health_max: 200,
        }
    }
}

/// Ages at which nodes and observers count as degraded, silent or stale.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HealthThresholds {
    /// Hours after which a repeater or room is degraded.
    pub infra_degraded_hours: f64,
    /// Hours after which a repeater or room is silent.
    pub infra_silent_hours: f64,
    /// Hours after which any other node is degraded.
    pub node_degraded_hours: f64,
    /// Hours after which any other node is silent.
    pub node_silent_hours: f64,
    /// Hours within which a relayed packet makes a repeater active.
    pub relay_active_hours: f64,
    /// Minutes within which an observer is online.
    pub observer_online_minutes: f64,
    /// Minutes within which an observer is stale rather than offline.
    pub observer_stale_minutes: f64,
}

impl Default for HealthThresholds {
    fn default() -> Self {
        Self {
            infra_degraded_hours: 24.0,
            infra_silent_hours: 72.0,
            node_degraded_hours: 1.0,
            node_silent_hours: 24.0,
            relay_active_hours: 24.0,
            observer_online_minutes: 60.0,
            observer_stale_minutes: 1440.0,
        }
    }
}

/// Battery voltages at which a node is called low or critical.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct BatteryThresholds {
    /// Millivolts below which it is low.
    pub low: u32,
    /// Millivolts below which it is critical.
    pub critical: u32,
}

impl Default for BatteryThresholds {
    fn default() -> Self {
        Self { low: 3_300, critical: 3_000 }
    }
}

/// Settings of the live map.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LiveMap {
    /// How long the page collects the copies of a packet before it draws its way, in milliseconds.
    pub propagation_buffer_ms: u64,
    /// Most nodes drawn at once; served within 100 to 20,000.
    pub max_nodes: u64,
}

impl Default for LiveMap {
    fn default() -> Self {
        Self { propagation_buffer_ms: 5_000, max_nodes: 2_000 }
    }
}

/// Map tile providers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MapTiles {
    /// Passed to the page as it stands; `{}` when absent.
    pub tiles: Option<Value>,
}

/// How the page shows times until the reader chooses otherwise.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Timestamps {
    /// `ago` or `absolute`.
    pub default_mode: String,
    /// `local` or `utc`.
    pub timezone: String,
    /// `iso`, `iso-seconds` or `locale`.
    pub format_preset: String,
    /// A format of the operator's own; empty when none.
    pub custom_format: String,
    /// Whether the reader may type a format.
    pub allow_custom_format: bool,
}

impl Default for Timestamps {
    fn default() -> Self {
        Self {
            default_mode: "ago".to_owned(),
            timezone: "local".to_owned(),
            format_preset: "iso".to_owned(),
            custom_format: String::new(),
            allow_custom_format: false,
        }
    }
}

/// What happens to nodes outside the area of interest.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ForeignAdverts {
    /// Keep and flag, or drop.
    pub mode: ForeignAdvertsMode,
}

/// See [`ForeignAdverts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForeignAdvertsMode {
    /// Nodes outside are shown with `foreign` set.
    #[default]
    Flag,
    /// Nodes outside are not shown.
    Drop,
}

/// Coverage measured by phones.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClientRxCoverage {
    /// Whether the page offers it.
    pub enabled: bool,
}

/// The page's customizer.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Customizer {
    /// Tabs that are not offered.
    pub disabled_tabs: Vec<String>,
}

/// Bounds of the live feed.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WebSocketLimits {
    /// Most clients at a time; further ones get 503.
    pub max_clients: usize,
    /// Most of them from one address; further ones get 429. 0 for no limit. Addresses of this machine, such as that of a
    /// proxy, are not counted.
    pub max_clients_per_address: usize,
}

impl Default for WebSocketLimits {
    fn default() -> Self {
        Self { max_clients: 2_000, max_clients_per_address: 100 }
    }
}
