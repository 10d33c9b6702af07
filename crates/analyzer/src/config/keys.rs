//! The keys that may stand in `config.json`, and what each of them does here: CoreScope's, and a few of our own.
//!
//! A test holds this table against the structures that take the values, so that no key can be called used that nobody
//! takes.

use Meaning::{Named, NoEffect, Section, Sections, Used};

/// What becomes of a key.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// Acted on, or passed to the page; what stands below it is the operator's own.
    Used,
    /// It has no effect, for this reason.
    NoEffect(&'static str),
    /// An object with these keys.
    Section(Keys),
    /// A list of objects with these keys.
    Sections(Keys),
    /// An object of such objects under names that the operator chooses.
    Named(Keys),
}

pub(super) type Keys = &'static [(&'static str, Meaning)];

/// The keys of the file.
pub(super) const KEYS: Keys = &[
    ("alerts", Section(ALERTS)),
    ("analytics", NoEffect("there are no background recomputers to tune")),
    ("apiKey", Used),
    ("areas", Named(AREA)),
    ("batteryThresholds", Section(&[("critical", Used), ("low", Used)])),
    ("branding", Used),
    ("cacheInvalidateMs", Used),
    ("cacheTTL", NoEffect("nothing is cached; the values are only passed to the page")),
    ("channelKeys", Used),
    ("channelKeysPath", Used),
    ("clientRxCoverage", Section(&[("enabled", Used)])),
    ("compression", NoEffect("answers are always compressed when the client asks for it")),
    ("corsAllowedOrigins", Used),
    ("customizer", Section(&[("disabledTabs", Used)])),
    ("db", Section(DB)),
    ("dbPath", Used),
    ("debugAffinity", NoEffect("hop resolution is not implemented yet")),
    ("defaultRegion", NoEffect("CoreScope itself does not use it")),
    ("distThresholds", Used),
    ("externalUrls", Used),
    ("foreignAdverts", Section(&[("mode", Used)])),
    ("geo_filter", Section(GEO_FILTER)),
    ("hashChannels", Used),
    ("hashRegions", Used),
    ("healthThresholds", Section(HEALTH_THRESHOLDS)),
    ("hiddenNamePrefixes", Used),
    ("home", Used),
    ("https", NoEffect("put a reverse proxy in front for HTTPS")),
    ("ingestBufferSize", Used),
    ("knownChannelsRefreshMs", Used),
    ("knownChannelsUrl", Used),
    ("limits", Used),
    ("listen", Section(LISTEN)),
    ("listLimits", Section(LIST_LIMITS)),
    ("liveMap", Section(&[("maxNodes", Used), ("propagationBufferMs", Used)])),
    ("logLevel", NoEffect("set the environment variable ANALYZER_LOG instead")),
    ("map", Section(&[("tiles", Used)])),
    ("mapDarkTileProvider", Used),
    ("mapDefaults", Section(&[("center", Used), ("zoom", Used)])),
    ("markerStroke", Used),
    ("maxHopDist", Used),
    ("metrics", Section(&[("sampleIntervalSec", Used)])),
    ("mqtt", Section(&[("broker", Used), ("topic", Used)])),
    ("mqttSources", Sections(MQTT_SOURCE)),
    ("neighborEdgesMaxAgeDays", NoEffect("the neighbour graph is not implemented yet")),
    ("neighborGraph", NoEffect("the neighbour graph is not implemented yet")),
    ("nodeBlacklist", Used),
    ("nodeColors", Used),
    ("observerBlacklist", Used),
    ("observerIATAWhitelist", Used),
    ("observersCache", NoEffect("there is no cache to tune")),
    ("packetStore", Section(PACKET_STORE)),
    ("perfSlowMs", Used),
    ("port", Used),
    ("rateLimit", Section(RATE_LIMIT)),
    ("regions", Used),
    ("resolvedPath", NoEffect("resolved paths are never stored")),
    ("retention", Section(RETENTION)),
    ("roles", Used),
    ("runtime", NoEffect("`packetStore.maxMemoryMB` bounds what packets take of memory")),
    ("snrThresholds", Used),
    ("storage", Section(&[("durability", Used), ("maxDelaySec", Used)])),
    ("theme", Used),
    ("themeDark", Used),
    ("tiles", Used),
    ("timestamps", Section(TIMESTAMPS)),
    ("typeColors", Used),
    ("validateSignatures", Used),
    ("webSocket", Section(&[("maxClients", Used), ("maxClientsPerAddress", Used)])),
    ("wsReconnectMs", Used),
];

const ALERTS: Keys = &[
    ("instance", Used),
    ("link", Used),
    ("thresholds", Section(THRESHOLDS)),
    ("webhooks", Sections(&[("kind", Used), ("name", Used), ("token", Used), ("url", Used)])),
];

const AREA: Keys = &[
    ("label", Used),
    ("latMax", Used),
    ("latMin", Used),
    ("lonMax", Used),
    ("lonMin", Used),
    ("polygon", Used),
];

const DB: Keys = &[
    ("incrementalVacuumPages", Used),
    ("load", NoEffect("the history is read as a stream and needs no chunks")),
    ("vacuumOnStartup", Used),
];

const GEO_FILTER: Keys = &[
    ("bufferKm", Used),
    ("latMax", Used),
    ("latMin", Used),
    ("lonMax", Used),
    ("lonMin", Used),
    ("polygon", Used),
];

const HEALTH_THRESHOLDS: Keys = &[
    ("infraDegradedHours", Used),
    ("infraSilentHours", Used),
    ("nodeDegradedHours", Used),
    ("nodeSilentHours", Used),
    ("observerOnlineMinutes", Used),
    ("observerStaleMinutes", Used),
    ("relayActiveHours", Used),
];

const RATE_LIMIT: Keys =
    &[("burst", Used), ("enabled", Used), ("perSecond", Used), ("trustForwardedFor", Used)];

const LIST_LIMITS: Keys = &[
    ("analyticsMax", NoEffect("the analytics are not implemented yet")),
    ("bulkHealthMax", Used),
    ("channelMessagesMax", Used),
    ("nodesMax", Used),
    ("packetsMax", Used),
];

const LISTEN: Keys =
    &[("http", Used), ("mqtt", Used), ("mqttUsers", Sections(&[("password", Used), ("username", Used)]))];

const MQTT_SOURCE: Keys = &[
    ("broker", Used),
    ("clientId", Used),
    ("connectTimeoutSec", Used),
    ("iataFilter", Used),
    ("name", Used),
    ("password", Used),
    ("protocol", Used),
    ("qos", Used),
    ("region", Used),
    ("rejectUnauthorized", Used),
    ("session", Used),
    ("sessionExpirySec", Used),
    ("topics", Used),
    ("username", Used),
];

const PACKET_STORE: Keys = &[
    ("estimatedPacketBytes", NoEffect("the memory of packets is measured")),
    ("hotStartupHours", NoEffect("at the start as much is loaded as `maxMemoryMB` holds")),
    ("maxMemoryMB", Used),
    ("maxResolvedPubkeyIndexEntries", NoEffect("there is no such index")),
    (
        "retentionHours",
        NoEffect("what is in memory is bounded by `maxMemoryMB`; older packets stay readable"),
    ),
];

const RETENTION: Keys = &[
    ("clientRxDays", Used),
    ("metricsDays", Used),
    ("nodeDays", Used),
    ("observerDays", Used),
    ("packetDays", Used),
];

const THRESHOLDS: Keys =
    &[("cacheHitPercent", Used), ("cancelledMBPerSec", Used), ("walMB", Used), ("writeMBPerSec", Used)];

const TIMESTAMPS: Keys = &[
    ("allowCustomFormat", Used),
    ("customFormat", Used),
    ("defaultMode", Used),
    ("formatPreset", Used),
    ("timezone", Used),
];

/// Environment variables of CoreScope that have no effect here, each with the reason that the warning gives.
pub(super) const VARIABLES_WITHOUT_EFFECT: &[(&str, &str)] = &[
    (
        "CORESCOPE_DB_SLOW_WRITER_MS",
        "the times of the writer are always measured; see /api/perf/write-sources",
    ),
    ("DISABLE_CADDY", "this program is no container with a web server in it"),
    ("DISABLE_MOSQUITTO", "the broker is a part of this program; `--mqtt off` switches it off"),
    ("ENABLE_PPROF", "it is a facility of Go programs"),
    ("GOMEMLIMIT", "it is a facility of Go programs"),
    ("PPROF_PORT", "it is a facility of Go programs"),
];
