//! The look: the contract's defaults with the operator's blocks over them.

use super::ApiConfig;
use serde_json::{Map, Value, json};

/// The blocks of `/api/config/theme` by name, each merged one level deep: defaults, then `config.json`, then `theme.json`.
pub(crate) fn theme_blocks(config: &ApiConfig) -> Map<String, Value> {
    let mut blocks = Map::new();
    let ours: [(&str, Value, &Value); 7] = [
        (
            "branding",
            json!({"siteName": "MeshCore Analyzer", "tagline": "Real-time MeshCore LoRa mesh"}),
            &config.branding,
        ),
        ("theme", light(), &config.theme),
        ("themeDark", dark(), &config.theme_dark),
        ("nodeColors", node_colors(), &config.node_colors),
        ("typeColors", type_colors(), &config.type_colors),
        ("home", home(), &config.home),
        (
            "markerStroke",
            json!({"color": "rgba(255,255,255,0.85)", "width": 1, "opacity": 1}),
            &config.marker_stroke,
        ),
    ];
    for (name, defaults, configured) in ours {
        let mut block = defaults;
        lay_over(&mut block, configured);
        lay_over(&mut block, &config.theme_file[name]);
        blocks.insert(name.to_owned(), block);
    }
    serve_legacy_type_name(&mut blocks["typeColors"]);
    blocks
}

fn lay_over(below: &mut Value, above: &Value) {
    if let (Value::Object(below), Value::Object(above)) = (below, above) {
        below.extend(above.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
}

/// Older configurations say `REQUEST` where pages look for `REQ`.
fn serve_legacy_type_name(type_colors: &mut Value) {
    if let Some(colour) = type_colors.get("REQUEST").cloned() {
        type_colors["REQ"] = colour;
    }
}

fn light() -> Value {
    json!({
        "accent": "#4a9eff", "accentHover": "#6db3ff",
        "navBg": "#0f0f23", "navBg2": "#1a1a2e", "navText": "#ffffff", "navTextMuted": "#cbd5e1",
        "background": "#f4f5f7", "text": "#1a1a2e", "textMuted": "#5b6370", "border": "#e2e5ea",
        "surface1": "#ffffff", "surface2": "#ffffff", "surface3": "#ffffff",
        "sectionBg": "#eef2ff", "cardBg": "#ffffff", "contentBg": "#f4f5f7",
        "detailBg": "#ffffff", "inputBg": "#ffffff",
        "rowStripe": "#f9fafb", "rowHover": "#eef2ff", "selectedBg": "#dbeafe",
        "statusGreen": "#22c55e", "statusYellow": "#eab308", "statusRed": "#ef4444",
    })
}

fn dark() -> Value {
    let mut theme = light();
    lay_over(
        &mut theme,
        &json!({
            "background": "#0f0f23", "text": "#e2e8f0", "textMuted": "#a8b8cc", "border": "#334155",
            "surface1": "#1a1a2e", "surface2": "#232340", "surface3": "#2d2d50",
            "sectionBg": "#1e1e34", "cardBg": "#1a1a2e", "contentBg": "#0f0f23",
            "detailBg": "#232340", "inputBg": "#1e1e34",
            "rowStripe": "#1e1e34", "rowHover": "#2d2d50", "selectedBg": "#1e3a5f",
        }),
    );
    theme
}

fn node_colors() -> Value {
    json!({
        "repeater": "#dc2626", "companion": "#2563eb", "room": "#16a34a",
        "sensor": "#d97706", "observer": "#8b5cf6",
    })
}

fn type_colors() -> Value {
    json!({
        "ADVERT": "#22c55e", "GRP_TXT": "#3b82f6", "TXT_MSG": "#f59e0b", "ACK": "#6b7280", "REQ": "#a855f7",
        "RESPONSE": "#06b6d4", "TRACE": "#ec4899", "PATH": "#14b8a6", "ANON_REQ": "#f43f5e", "UNKNOWN": "#6b7280",
    })
}

/// The words are ours; the contract fixes only their places.
fn home() -> Value {
    json!({
        "heroTitle": "MeshCore analyzer",
        "heroSubtitle": "See which nodes are on the air, who hears them and what travels through the mesh.",
        "steps": [
            {"emoji": "ph:radio", "title": "Get on the air",
             "description": "Flash MeshCore on a LoRa board and set it to the radio settings of your region."},
            {"emoji": "ph:broadcast", "title": "Send an advert",
             "description": "An advert tells the mesh your name and key; observers report it here."},
            {"emoji": "ph:magnifying-glass", "title": "Find your node",
             "description": "Search for its name and see which observers hear it, and how well."},
            {"emoji": "ph:chats", "title": "Join a channel",
             "description": "Say hello in Public, and watch the message travel."},
        ],
        "footerLinks": [
            {"label": "Packets", "url": "#/packets"},
            {"label": "Nodes", "url": "#/nodes"},
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_file_goes_over_the_configuration_which_goes_over_the_defaults() {
        let config = ApiConfig {
            theme: json!({"accent": "#111111", "text": "#222222"}),
            theme_file: json!({"theme": {"text": "#333333"}}),
            ..ApiConfig::default()
        };
        let theme = &theme_blocks(&config)["theme"];
        assert_eq!(theme["accent"], "#111111");
        assert_eq!(theme["text"], "#333333");
        assert_eq!(theme["navBg"], "#0f0f23");
    }

    #[test]
    fn the_legacy_name_of_requests_is_served_under_both() {
        let config = ApiConfig { type_colors: json!({"REQUEST": "#000001"}), ..ApiConfig::default() };
        let colours = &theme_blocks(&config)["typeColors"];
        assert_eq!((&colours["REQ"], &colours["REQUEST"]), (&json!("#000001"), &json!("#000001")));
    }
}
