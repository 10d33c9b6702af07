//! Values of what is shown that have the right type and no meaning. Nothing is at stake there, so as in CoreScope the default
//! takes their place, and a warning says so.

use api::{ApiConfig, HealthThresholds, ListLimits, Timestamps};

/// A key and what is to be said about it.
type Remark = (String, String);

/// Puts defaults in the place of what cannot be meant.
pub(super) fn mend(api: &mut ApiConfig) -> Vec<Remark> {
    let mut remarks = Vec::new();
    timestamps(&mut api.timestamps, &mut remarks);
    limits(&mut api.list_limits, &mut remarks);
    ages(&mut api.health_thresholds, &mut remarks);
    if let Some(filter) = &api.geo_filter {
        corners("geo_filter.polygon", &filter.polygon, &mut remarks);
    }
    for (name, area) in &api.areas {
        corners(&format!("areas.{name}.polygon"), &area.polygon, &mut remarks);
        if area.label.is_empty() {
            let key = format!("areas.{name}");
            let text = format!("`{key}` has no label, so the page does not offer it");
            remarks.push((key, text));
        }
    }
    let [lat, lon] = api.map_defaults.center;
    if !is_place([lat, lon]) {
        let key = "mapDefaults.center".to_owned();
        let text =
            format!("`{key}` is no place: {lat}, {lon} are not latitude and longitude; the default is used");
        remarks.push((key, text));
        api.map_defaults.center = api::MapDefaults::default().center;
    }
    remarks
}

fn timestamps(given: &mut Timestamps, remarks: &mut Vec<Remark>) {
    let defaults = Timestamps::default();
    for (key, value, default, known) in [
        ("defaultMode", &mut given.default_mode, defaults.default_mode, &["ago", "absolute"][..]),
        ("timezone", &mut given.timezone, defaults.timezone, &["local", "utc"]),
        ("formatPreset", &mut given.format_preset, defaults.format_preset, &["iso", "iso-seconds", "locale"]),
    ] {
        if !known.contains(&value.as_str()) {
            let key = format!("timestamps.{key}");
            let text = format!("`{key}` must be one of {}; {default} is used", known.join(", "));
            remarks.push((key, text));
            *value = default;
        }
    }
}

fn limits(given: &mut ListLimits, remarks: &mut Vec<Remark>) {
    let defaults = ListLimits::default();
    for (key, value, default) in [
        ("packetsMax", &mut given.packets_max, defaults.packets_max),
        ("nodesMax", &mut given.nodes_max, defaults.nodes_max),
        ("bulkHealthMax", &mut given.bulk_health_max, defaults.bulk_health_max),
        ("channelMessagesMax", &mut given.channel_messages_max, defaults.channel_messages_max),
    ] {
        if *value == 0 {
            let key = format!("listLimits.{key}");
            let text = format!("`{key}` of 0 would show nothing; {default} is used");
            remarks.push((key, text));
            *value = default;
        }
    }
}

fn ages(given: &mut HealthThresholds, remarks: &mut Vec<Remark>) {
    let defaults = HealthThresholds::default();
    for (key, value, default) in [
        ("infraDegradedHours", &mut given.infra_degraded_hours, defaults.infra_degraded_hours),
        ("infraSilentHours", &mut given.infra_silent_hours, defaults.infra_silent_hours),
        ("nodeDegradedHours", &mut given.node_degraded_hours, defaults.node_degraded_hours),
        ("nodeSilentHours", &mut given.node_silent_hours, defaults.node_silent_hours),
        ("relayActiveHours", &mut given.relay_active_hours, defaults.relay_active_hours),
        ("observerOnlineMinutes", &mut given.observer_online_minutes, defaults.observer_online_minutes),
        ("observerStaleMinutes", &mut given.observer_stale_minutes, defaults.observer_stale_minutes),
    ] {
        if !value.is_finite() || *value <= 0.0 {
            let key = format!("healthThresholds.{key}");
            let text = format!("`{key}` must be above 0; {default} is used");
            remarks.push((key, text));
            *value = default;
        }
    }
}

fn corners(key: &str, polygon: &[[f64; 2]], remarks: &mut Vec<Remark>) {
    if (1..=2).contains(&polygon.len()) {
        let text = format!("`{key}` has {} corners and makes no area; three are the least", polygon.len());
        remarks.push((key.to_owned(), text));
    }
    if let Some(index) = polygon.iter().position(|corner| !is_place(*corner)) {
        let key = format!("{key}[{index}]");
        let text = format!("`{key}` is no place: a corner is latitude, then longitude, in degrees");
        remarks.push((key, text));
    }
}

fn is_place([lat, lon]: [f64; 2]) -> bool {
    (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon)
}
