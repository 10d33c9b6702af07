use super::keeping::RetentionRules;
use super::*;
use mqtt::{Qos, SessionKind, SourceProtocol};
use std::time::Duration;
use storage::Durability;

/// As it would be without any environment.
fn examine(text: &str) -> Loaded {
    examine_in(text, &[])
}

fn examine_in(text: &str, environment: &[(&str, &str)]) -> Loaded {
    let mut loaded = Loaded::parse(Path::new("config.json"), text).expect("JSON");
    let find = |name: &str| environment.iter().find(|(known, _)| *known == name);
    loaded.apply(Environment::of(|name| find(name).map(|(_, value)| (*value).to_owned())));
    loaded
}

fn parse(text: &str) -> Result<Loaded, ConfigErrors> {
    let mut loaded = Loaded::parse(Path::new("config.json"), text)?;
    loaded.apply(Environment::default());
    let errors = std::mem::take(&mut loaded.errors);
    if errors.is_empty() { Ok(loaded) } else { Err(ConfigErrors(errors)) }
}

fn error(text: &str) -> String {
    parse(text).expect_err("the text is wrong").to_string()
}

#[test]
fn an_empty_object_is_all_defaults() {
    let loaded = parse("{}").expect("valid");
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(loaded.file.outside_brokers(), Vec::new());
}

#[test]
fn a_wrong_type_is_an_error_with_file_line_and_key() {
    let text =
        error("{\n  \"port\": 3000,\n  \"mqttSources\": [\n    {\"name\": \"a\", \"broker\": 7}\n  ]\n}");
    assert!(text.starts_with("config.json:4:"), "{text}");
    assert!(text.contains("mqttSources[0].broker"), "{text}");
}

#[test]
fn text_that_is_not_json_is_an_error_with_its_position() {
    let text = error("{\n  \"port\": 3000\n  \"dbPath\": 1\n}");
    assert!(text.starts_with("config.json:3:"), "{text}");
    let text = error("{} trailing");
    assert!(text.contains("trailing characters"), "{text}");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_rest_goes_on() {
    let loaded =
        parse("{\n  \"port\": 3001,\n  \"prot\": 1,\n  \"listen\": {\"htpp\": \"x\"}\n}").expect("valid");
    assert_eq!(
        loaded.warnings,
        [
            "config.json:3:3: unknown key `prot` is ignored; did you mean `port`?",
            "config.json:4:14: unknown key `listen.htpp` is ignored; did you mean `http`?"
        ]
    );
    assert_eq!(loaded.file.port, Some(3001));
}

#[test]
fn comments_in_the_form_of_keys_are_not_reported() {
    let loaded =
        parse(r#"{"_comment": "x", "//": "y", "$schema": "z", "listen": {"_why": 1}}"#).expect("valid");
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn a_known_key_without_effect_says_why() {
    let loaded = parse(r#"{"https": {"cert": "x"}, "packetStore": {"retentionHours": 100}}"#).expect("valid");
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("`https` has no effect"));
}

#[test]
fn the_budget_of_packets_in_memory_is_what_the_operator_says() {
    let budget = |text: &str| parse(text).expect("valid").file.max_memory_mb();
    assert_eq!(budget(r#"{"packetStore": {"maxMemoryMB": 100}}"#), Some(100));
    assert_eq!(budget(r#"{"packetStore": {"maxMemoryMB": 0}}"#), None);
    assert_eq!(budget("{}"), None);
    assert!(error(r#"{"packetStore": {"maxMemoryMB": 3}}"#).contains("packetStore.maxMemoryMB"));
}

#[test]
fn the_older_single_broker_works_and_gives_way_to_sources() {
    let loaded = parse(r#"{"mqtt": {"broker": "mqtt://a:1883", "topic": "t/#"}}"#).expect("valid");
    let brokers = loaded.file.outside_brokers();
    assert_eq!((brokers[0].url.as_str(), brokers[0].topics[0].as_str()), ("mqtt://a:1883", "t/#"));
    let both =
        parse(r#"{"mqtt": {"broker": "mqtt://a"}, "mqttSources": [{"broker": "mqtt://b"}]}"#).expect("valid");
    assert_eq!(both.file.outside_brokers().len(), 1);
    assert_eq!(both.file.outside_brokers()[0].name, "source-1");
    assert!(both.warnings[0].contains("`mqtt` is ignored"));
}

#[test]
fn values_without_meaning_are_refused_by_key() {
    for (text, key) in [
        (r#"{"mqttSources": [{"name": "x"}]}"#, "mqttSources[0].broker"),
        (r#"{"ingestBufferSize": 1}"#, "ingestBufferSize"),
        (r#"{"metrics": {"sampleIntervalSec": 0}}"#, "metrics.sampleIntervalSec"),
        (r#"{"listen": {"mqtt": "1883"}}"#, "listen.mqtt"),
        (r#"{"mqttSources": [{"broker": "a", "qos": 2}]}"#, "mqttSources[0].qos"),
        (r#"{"mqttSources": [{"broker": "a", "session": "lasting"}]}"#, "mqttSources[0].session"),
        (r#"{"mqttSources": [{"broker": "a", "sessionExpirySec": 0}]}"#, "mqttSources[0].sessionExpirySec"),
        (r#"{"mqttSources": [{"broker": "a", "protocol": "3"}]}"#, "mqttSources[0].protocol"),
        (r#"{"mqttSources": [{"broker": "a", "topics": ["a", "b#"]}]}"#, "mqttSources[0].topics[1]"),
        (r#"{"retention": {"packetDays": -2}}"#, "retention.packetDays"),
        (r#"{"retention": {"nodeDays": 40000}}"#, "retention.nodeDays"),
        (r#"{"db": {"incrementalVacuumPages": -1}}"#, "db.incrementalVacuumPages"),
        (r#"{"storage": {"maxDelaySec": 0}}"#, "storage.maxDelaySec"),
        (r#"{"storage": {"durability": "none"}}"#, "storage.durability"),
        (r#"{"alerts": {"webhooks": [{"name": "a"}]}}"#, "alerts.webhooks[0].url"),
        (r#"{"alerts": {"webhooks": [{"url": "ntfy.sh/a"}]}}"#, "alerts.webhooks[0].url"),
        (r#"{"alerts": {"webhooks": [{"url": "http://a", "kind": "xml"}]}}"#, "alerts.webhooks[0].kind"),
        (
            r#"{"alerts": {"webhooks": [{"url": "http://a", "name": "a"}, {"url": "http://b", "name": "a"}]}}"#,
            "alerts.webhooks[1].name",
        ),
        (r#"{"alerts": {"link": "mesh.example"}}"#, "alerts.link"),
        (r#"{"alerts": {"thresholds": {"walMB": 0}}}"#, "alerts.thresholds.walMB"),
        (r#"{"alerts": {"thresholds": {"cacheHitPercent": 101}}}"#, "alerts.thresholds.cacheHitPercent"),
    ] {
        let message = error(text);
        assert!(message.contains(&format!("`{key}`")), "{message}");
    }
}

#[test]
fn passwords_appear_in_no_debug_output() {
    let loaded = parse(
        r#"{"listen": {"mqttUsers": [{"username": "u", "password": "hunter2"}]},
            "mqttSources": [{"broker": "mqtt://u:hunter2@h", "password": "hunter2"}]}"#,
    )
    .expect("valid");
    let shown = format!("{:?} {:?}", loaded.file, loaded.file.outside_brokers());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn channel_keys_come_from_names_and_secrets_and_bad_ones_are_named_without_the_secret() {
    let loaded = parse(
        r#"{"hashChannels": ["test", "\#bot"], "channelKeys": {"public": "8b3387e9c5cdea6ac9e5edbaa115cd72"}}"#
            .replace("\\#", "#")
            .as_str(),
    )
    .expect("valid");
    let ring = key_ring(&loaded.file, None).expect("all keys are good");
    let names: Vec<&str> = ring.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["#bot", "#test", "Public"]);
    let message = error(r#"{"channelKeys": {"club": "deadbeef"}}"#);
    assert!(message.contains("channelKeys.club") && !message.contains("deadbeef"), "{message}");
}

#[test]
fn all_errors_of_a_file_are_named_at_once_in_the_order_of_its_lines() {
    let loaded = examine(
        r#"{
  "port": "3000",
  "hashChannels": ["a", 1, "b", {"c": 2}, "d"],
  "metrics": {"sampleIntervalSec": 0},
  "listLimits": {"nodesMax": -1, "packetsMax": 7},
  "mqttSources": [{"broker": "mqtt://a"}, {"broker": "mqtt://b", "qos": 9}],
  "dbPath": ["x"]
}"#,
    );
    let errors: Vec<String> = loaded.errors().iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "config.json:2:11: `port`: must be a whole number up to 65535, not a string",
            "config.json:3:25: `hashChannels[1]`: must be a string, not a number",
            "config.json:3:33: `hashChannels[3]`: must be a string, not an object",
            "config.json:4:36: `metrics.sampleIntervalSec`: must be at least 1 second",
            "config.json:5:30: `listLimits.nodesMax`: invalid value: integer `-1`, must be a whole number that is not negative",
            "config.json:6:73: `mqttSources[1].qos`: must be 0 or 1; QoS 2 brings nothing here",
            "config.json:7:13: `dbPath`: must be a path, not a list",
        ]
    );
    // What is right counts all the same.
    assert_eq!((loaded.file.hash_channels.len(), loaded.api.list_limits.packets_max), (3, 7));
}

#[test]
fn a_word_that_stands_elsewhere_too_is_found_where_it_is_wrong() {
    let loaded = examine("{\n \"hashChannels\": [\"prot\"],\n \"home\": {\"prot\": 1},\n \"prot\": 2}");
    assert_eq!(loaded.warnings, ["config.json:4:2: unknown key `prot` is ignored; did you mean `port`?"]);
}

#[test]
fn a_key_in_the_wrong_section_is_told_where_it_belongs() {
    let warning = |text| examine(text).warnings.join("|");
    let misplaced = warning(r#"{"nodeDays": 3}"#);
    assert!(misplaced.ends_with("did you mean `retention.nodeDays`?"), "{misplaced}");
    let misspelt = warning(r#"{"MqttSources": [], "regoins": {}}"#);
    assert!(misspelt.contains("did you mean `mqttSources`?"), "{misspelt}");
    assert!(misspelt.contains("did you mean `regions`?"), "{misspelt}");
    let strange = warning(r#"{"flux": 1}"#);
    assert!(strange.ends_with("unknown key `flux` is ignored"), "{strange}");
}

#[test]
fn a_key_given_twice_is_named_and_the_last_one_counts() {
    let loaded = examine("{\n\"port\": 1,\n\"port\": 2\n}");
    assert_eq!(loaded.warnings, ["config.json:2:1: `port` is given again in line 3, and that one counts"]);
    assert_eq!(loaded.file.port, Some(2));
}

#[test]
fn null_is_the_same_as_not_given() {
    let loaded =
        parse(r#"{"port": null, "hashChannels": null, "retention": {"nodeDays": null}}"#).expect("valid");
    assert_eq!((loaded.file.port, loaded.file.hash_channels.len()), (None, 0));
}

#[test]
fn what_is_kept_and_how_it_is_written_has_the_defaults_of_the_contract() {
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    let rules = |text| parse(text).expect("valid").file.retention();
    let defaults = RetentionRules {
        nodes: days(7),
        observers: days(14),
        packets: None,
        metrics: days(30),
        client_receptions: None,
    };
    assert_eq!(rules("{}"), defaults);
    // 0 is the default where there is one, and off where that is the default.
    assert_eq!(rules(r#"{"retention": {"nodeDays": 0, "packetDays": 0}}"#), defaults);
    let others = rules(r#"{"retention": {"nodeDays": 1, "observerDays": -1, "packetDays": 90}}"#);
    assert_eq!((others.nodes, others.observers, others.packets), (days(1), None, days(90)));

    let storage = parse("{}").expect("valid").file.storage();
    assert_eq!((storage.max_delay, storage.durability), (Duration::from_secs(5), Durability::PowerLoss));
    assert_eq!((storage.vacuum_on_startup, storage.incremental_vacuum_pages), (false, 1024));
    let storage = parse(
        r#"{"storage": {"maxDelaySec": 0.5, "durability": "process-end"},
            "db": {"vacuumOnStartup": true, "incrementalVacuumPages": 0}}"#,
    );
    let storage = storage.expect("valid").file.storage();
    assert_eq!((storage.max_delay, storage.durability), (Duration::from_millis(500), Durability::ProcessEnd));
    assert_eq!((storage.vacuum_on_startup, storage.incremental_vacuum_pages), (true, 0));
}

#[test]
fn a_source_keeps_its_session_unless_told_otherwise() {
    let brokers = |entry: &str| {
        let text = format!("{{\"mqttSources\": [{{\"broker\": \"mqtt://a\"{entry}}}]}}");
        parse(&text).expect("valid").file.outside_brokers().remove(0)
    };
    let usual = brokers("");
    let hour = SessionKind::Persistent { expiry: Duration::from_secs(3600) };
    assert_eq!((usual.qos, usual.session, usual.client_id), (Qos::AtLeastOnce, hour, None));
    let other = brokers(r#", "qos": 0, "session": "clean", "protocol": "3.1.1", "clientId": "me""#);
    assert_eq!((other.qos, other.session), (Qos::AtMostOnce, SessionKind::Clean));
    assert_eq!((other.protocol, other.client_id.as_deref()), (SourceProtocol::V3_1_1, Some("me")));
}

#[test]
fn the_environment_stands_in_and_what_it_cannot_do_is_said() {
    let loaded = examine_in(
        r#"{"dbPath": "a/b.db"}"#,
        &[
            ("DB_PATH", "c/d.db"),
            ("CORS_ALLOWED_ORIGINS", "https://a, https://b"),
            ("MQTT_BROKER", "mqtt://m"),
            ("MQTT_TOPIC", "t/#"),
            ("CORESCOPE_INGESTOR_STATS", "/run/stats.json"),
            ("GOMEMLIMIT", "1GiB"),
        ],
    );
    assert_eq!(loaded.file.db_path.as_deref(), Some(Path::new("a/b.db")));
    assert_eq!(loaded.api.cors_allowed_origins, ["https://a", "https://b"]);
    assert_eq!(loaded.file.outside_brokers()[0].topics, ["t/#"]);
    assert_eq!(loaded.stats_file, Path::new("/run/stats.json"));
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("DB_PATH is ignored"));
    assert!(loaded.warnings[1].contains("GOMEMLIMIT has no effect"));
    let both = examine_in(r#"{"mqttSources": [{"broker": "mqtt://b"}]}"#, &[("MQTT_BROKER", "mqtt://m")]);
    assert!(both.warnings[0].contains("MQTT_BROKER is ignored"), "{:?}", both.warnings);
}

#[test]
fn a_time_format_that_the_page_does_not_know_becomes_the_default_and_a_warning() {
    let loaded = examine("{\"timestamps\": {\n\"timezone\": \"mars\", \"defaultMode\": \"absolute\"}}");
    assert_eq!(loaded.api.timestamps.timezone, "local");
    assert_eq!(loaded.api.timestamps.default_mode, "absolute");
    assert_eq!(
        loaded.warnings,
        ["config.json:2:13: `timestamps.timezone` must be one of local, utc; local is used"]
    );
}

/// One value of each kind, to find the one that a key takes.
fn candidates() -> [serde_json::Value; 8] {
    use serde_json::json;
    [
        json!(7),
        json!("a"),
        json!(true),
        json!([]),
        json!({}),
        json!([1.0, 2.0]),
        json!("1.2.3.4:5"),
        json!("flag"),
    ]
}

/// Whether one of the two structures takes the key.
fn is_taken(key: &str) -> bool {
    candidates().into_iter().any(|value| {
        let mut document = value;
        for step in key.rsplit('.') {
            document = match step.strip_suffix("[]") {
                Some(step) => serde_json::json!({step: [document]}),
                None => serde_json::json!({step: document}),
            };
        }
        let text = document.to_string();
        let mut by_file = false;
        let mut by_api = false;
        let file: Result<ConfigFile, _> =
            serde_ignored::deserialize(&mut serde_json::Deserializer::from_str(&text), |_| by_file = true);
        let api: Result<ApiConfig, _> =
            serde_ignored::deserialize(&mut serde_json::Deserializer::from_str(&text), |_| by_api = true);
        (file.is_ok() && !by_file) || (api.is_ok() && !by_api)
    })
}

#[test]
fn every_key_that_is_called_used_is_taken_by_somebody() {
    fn look(above: &str, keys: keys::Keys, not_taken: &mut Vec<String>) {
        for (name, meaning) in keys {
            let key = format!("{above}{name}");
            match meaning {
                // A login is only taken with both its keys.
                keys::Meaning::Sections(_) if key == "listen.mqttUsers" => {}
                keys::Meaning::Used if is_taken(&key) => {}
                keys::Meaning::Used => not_taken.push(key),
                keys::Meaning::NoEffect(_) => {}
                keys::Meaning::Section(below) => look(&format!("{key}."), below, not_taken),
                keys::Meaning::Named(below) => look(&format!("{key}.name."), below, not_taken),
                keys::Meaning::Sections(below) => look(&format!("{key}[]."), below, not_taken),
            }
        }
    }
    let mut not_taken = Vec::new();
    look("", keys::KEYS, &mut not_taken);
    assert_eq!(not_taken, Vec::<String>::new());
    assert!(!is_taken("prot") && !is_taken("mqttSources[].brokr"), "the test can tell");
}

#[test]
fn every_key_of_the_contract_is_known() {
    let contract = "port apiKey dbPath listLimits nodeBlacklist observerBlacklist observerIATAWhitelist \
        hiddenNamePrefixes branding theme themeDark nodeColors typeColors home markerStroke mapDefaults map tiles \
        mapDarkTileProvider regions defaultRegion https logLevel roles snrThresholds distThresholds maxHopDist limits \
        perfSlowMs wsReconnectMs cacheInvalidateMs externalUrls healthThresholds liveMap cacheTTL retention db \
        packetStore runtime geo_filter foreignAdverts areas timestamps corsAllowedOrigins debugAffinity compression \
        clientRxCoverage neighborGraph neighborEdgesMaxAgeDays resolvedPath observersCache analytics batteryThresholds \
        customizer knownChannelsUrl knownChannelsRefreshMs mqtt mqttSources channelKeysPath channelKeys hashChannels \
        hashRegions metrics validateSignatures ingestBufferSize";
    let known = |key: &&str| !keys::KEYS.iter().any(|(name, _)| name == key);
    assert_eq!(contract.split_whitespace().filter(known).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(keys::KEYS.is_sorted_by_key(|(name, _)| name.to_lowercase()), "a table that can be read");
}

#[test]
fn settings_name_their_value_and_who_says_so() {
    let loaded = examine_in(
        "{\n\"retention\": {\"nodeDays\": 3},\n\"mqttSources\": [\n{\"broker\": \"mqtt://u:hunter2@h\"}]\n}",
        &[("CORS_ALLOWED_ORIGINS", "https://a")],
    );
    let settings = loaded.settings();
    let find = |key: &str| {
        let setting = settings.iter().find(|setting| setting.key == key).expect("the setting is there");
        (setting.value.as_str(), setting.origin.as_str())
    };
    assert_eq!(find("retention.nodeDays"), ("3", "config.json:2"));
    assert_eq!(find("retention.observerDays"), ("14", "default"));
    assert_eq!(find("corsAllowedOrigins"), ("https://a", "environment CORS_ALLOWED_ORIGINS"));
    assert_eq!(find("mqttSources[0].broker"), ("mqtt://u:****@h:1883", "config.json:4"));
    assert_eq!(find("mqttSources[0].qos"), ("1", "default"));
    assert_eq!(find("apiKey"), ("not set", "default"));
}

#[test]
fn a_webhook_is_shown_without_what_would_let_others_write_to_it() {
    let loaded = examine(
        r#"{"alerts": {"webhooks": [{"url": "https://u:hunter2@ntfy.example/hunter2", "kind": "ntfy", "token": "hunter2"}],
            "thresholds": {"walMB": 0.5, "cacheHitPercent": 92.4}}}"#,
    );
    let settings = loaded.settings();
    let value = |key: &str| {
        let found = settings.iter().find(|setting| setting.key == format!("alerts.{key}"));
        found.expect("the setting is there").value.as_str()
    };
    assert_eq!(value("webhooks[0].url"), "https://ntfy.example/****");
    assert_eq!(value("webhooks[0].token"), "****");
    assert_eq!((value("webhooks[0].name"), value("webhooks[0].kind")), ("webhook-1", "ntfy"));
    assert_eq!((value("thresholds.walMB"), value("thresholds.writeMBPerSec")), ("0.5", "10"));
    assert_eq!((value("thresholds.cacheHitPercent"), value("instance")), ("92.4", "meshcore-analyzer"));
    assert_eq!(loaded.file.alerts.thresholds().wal_bytes, 524_288);
    let shown = format!("{settings:?} {:?} {:?}", loaded.file, loaded.file.alerts.webhooks());
    assert!(!shown.contains("hunter2"), "{shown}");
    let wrong = error(r#"{"alerts": {"webhooks": [{"url": "hunter2"}, {"url": 7, "token": ["hunter2"]}]}}"#);
    assert!(!wrong.contains("hunter2"), "{wrong}");
}

#[test]
fn what_would_show_nothing_becomes_the_default_and_a_warning() {
    let loaded = examine(
        r#"{
  "listLimits": {"packetsMax": 0}, "healthThresholds": {"nodeSilentHours": -1},
  "mapDefaults": {"center": [200, 5]},
  "areas": {"N": {"label": "North", "polygon": [[1, 2], [3, 400]], "lable": "x"}, "S": {}}
}"#,
    );
    assert_eq!(loaded.errors().len(), 0);
    assert_eq!(
        (loaded.api.list_limits.packets_max, loaded.api.health_thresholds.node_silent_hours),
        (10_000, 24.0)
    );
    assert_eq!(
        loaded.warnings,
        [
            "config.json:4:68: unknown key `areas.N.lable` is ignored; did you mean `label`?",
            "config.json:2:32: `listLimits.packetsMax` of 0 would show nothing; 10000 is used",
            "config.json:2:76: `healthThresholds.nodeSilentHours` must be above 0; 24 is used",
            "config.json:4:48: `areas.N.polygon` has 2 corners and makes no area; three are the least",
            "config.json:4:57: `areas.N.polygon[1]` is no place: a corner is latitude, then longitude, in degrees",
            "config.json:4:88: `areas.S` has no label, so the page does not offer it",
            "config.json:3:29: `mapDefaults.center` is no place: 200, 5 are not latitude and longitude; the default is used",
        ]
    );
}

#[test]
fn the_reader_of_places_agrees_with_the_reader_of_values() {
    for text in [
        r#"{"a \\ \"b\" {[,:]}": ["\\", "\\\"", "", "ü\u00fc\ud83d\ude00"], "c":{"d" : -1.5e+3 ,"e":[[],{},[{}]]}}"#,
        "\r\n\t{ \"a\"\r\n:\r\n[ 1 ,2\t,\n3 ] , \"b\" : true }\r\n ",
        "[]",
        "\"text\"",
        "7",
    ] {
        let tree = Node::read(Path::new("x"), text).expect("JSON");
        assert_eq!(tree.to_value(), serde_json::from_str::<serde_json::Value>(text).expect("JSON"), "{text}");
    }
    let tree = Node::read(Path::new("x"), "\u{feff}{\r\n  \"ü\": {\"a.b\": [0, 17]}\r\n}").expect("JSON");
    let found = tree.find("ü.a.b[1]").expect("it is there");
    assert_eq!((found.place.line, found.place.column, found.path.as_str()), (2, 20, "ü.a.b[1]"));
    assert!(tree.find("ü.a").is_none());
    assert!(Node::read(Path::new("x"), &"[".repeat(100_000)).is_err(), "depth is bounded");
}
