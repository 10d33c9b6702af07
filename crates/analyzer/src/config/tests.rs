use super::*;

fn parse(text: &str) -> Result<Loaded, ConfigError> {
    Loaded::parse(Path::new("config.json"), text)
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
            "config.json:4: unknown key `listen.htpp` is ignored",
            "config.json:3: unknown key `prot` is ignored"
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
    let loaded = parse(r#"{"https": {"cert": "x"}, "packetStore": {"maxMemoryMB": 100}}"#).expect("valid");
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("`https` has no effect"));
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
    ] {
        let loaded = parse(text).expect("the types are right");
        let message = loaded.file.check(Path::new("config.json")).expect_err("refused").to_string();
        assert!(message.contains(key), "{message}");
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
    let bad = parse(r#"{"channelKeys": {"club": "deadbeef"}}"#).expect("valid");
    let message = key_ring(&bad.file, None).expect_err("too short").to_string();
    assert!(message.contains("channelKeys.club") && !message.contains("deadbeef"), "{message}");
}
