//! A published list as we keep it. There is no standard for such lists, so several spellings are understood, and what is wrong
//! with one channel does not spoil the others.

use api::{KnownChannel, KnownChannels};
use model::UnixMillis;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Channels that are kept.
const MOST_ENTRIES: usize = 5_000;

const MOST_NAME_CHARS: usize = 64;
const MOST_REGION_CHARS: usize = 32;
const MOST_TEXT_CHARS: usize = 300;

/// An object with the list in it, or the list alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    List(Vec<Lenient>),
    Object(Object),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    #[serde(alias = "generated_at", alias = "updatedAt", alias = "updated_at", default)]
    generated_at: Option<Text>,
    #[serde(default)]
    license: Option<Text>,
    #[serde(alias = "channels")]
    entries: Vec<Lenient>,
}

/// A text, or something else that is not taken for one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient {
    Entry(Entry),
    /// A name alone.
    Name(String),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(alias = "name")]
    channel: String,
    #[serde(default)]
    description: Option<Text>,
    #[serde(alias = "psk", alias = "secret", default)]
    key: Option<Text>,
    #[serde(alias = "country", default)]
    region: Option<Text>,
    #[serde(alias = "region_name", alias = "countryName", default)]
    region_name: Option<Text>,
}

/// Reads a list that was fetched from `url`.
///
/// # Errors
/// When it is no JSON, or there is no channel in it.
pub(super) fn parse(body: &[u8], url: &str) -> Result<KnownChannels, String> {
    // Untagged enums do not say where text stops being JSON.
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| format!("the list is no JSON: {error}"))?;
    let document = serde_json::from_slice(body)
        .map_err(|_| "the list is neither a list of channels nor an object with `entries` or `channels`")?;
    let (generated_at, license, entries) = match document {
        Document::List(entries) => (None, None, entries),
        Document::Object(Object { generated_at, license, entries }) => (generated_at, license, entries),
    };
    let entries: Vec<_> = entries.into_iter().filter_map(channel).take(MOST_ENTRIES).collect();
    if entries.is_empty() {
        return Err("there is no channel in the list".to_owned());
    }
    Ok(KnownChannels {
        generated_at: generated_at.and_then(|text| text.clean(MOST_NAME_CHARS)),
        license: license.and_then(|text| text.clean(MOST_TEXT_CHARS)),
        fetched_at: now(),
        // What comes after it may be somebody's secret.
        source: url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        entries,
    })
}

fn channel(entry: Lenient) -> Option<KnownChannel> {
    let entry = match entry {
        Lenient::Entry(entry) => entry,
        Lenient::Name(channel) => {
            let (description, key, region, region_name) = (None, None, None, None);
            Entry { channel, description, key, region, region_name }
        }
        Lenient::Other(_) => return None,
    };
    let text = |text: Option<Text>, most| text.and_then(|text| text.clean(most));
    // Keys have 16 or 32 bytes; a wrong one would only mislead.
    let is_key = |key: &String| matches!(key.len(), 32 | 64) && key.bytes().all(|b| b.is_ascii_hexdigit());
    Some(KnownChannel {
        channel: clean(&entry.channel, MOST_NAME_CHARS)?,
        description: text(entry.description, MOST_TEXT_CHARS),
        key: text(entry.key, MOST_NAME_CHARS).filter(is_key).map(|key| key.to_ascii_lowercase()),
        region: text(entry.region, MOST_REGION_CHARS).unwrap_or_default(),
        region_name: text(entry.region_name, MOST_NAME_CHARS),
    })
}

impl Text {
    fn clean(&self, most: usize) -> Option<String> {
        match self {
            Self::Text(text) => clean(text, most),
            Self::Other(_) => None,
        }
    }
}

/// Without control characters and blanks at the ends; `None` when nothing is left.
fn clean(text: &str, most: usize) -> Option<String> {
    let kept: String = text.chars().filter(|c| !c.is_control()).take(most).collect();
    Some(kept.trim().to_owned()).filter(|kept| !kept.is_empty())
}

fn now() -> String {
    let now = UnixMillis::now();
    jiff::Timestamp::from_second(now.secs()).map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let list = parse(text.as_bytes(), "https://u.example/l?x#y").expect("a list");
        assert_eq!(list.source, "https://u.example/l");
        list.entries.into_iter().map(|entry| entry.channel).collect()
    }

    #[test]
    fn lists_of_several_spellings_are_understood() {
        let whole = r##"{"generatedAt": "2026-11-01", "license": "CC0", "entries": [
            {"channel": " #bay ", "description": "a\u0007b", "key": "00112233445566778899AABBCCDDEEFF", "region": "US",
             "regionName": "United States"}]}"##;
        let list = parse(whole.as_bytes(), "u").expect("a list");
        let wanted = KnownChannel {
            channel: "#bay".to_owned(),
            description: Some("ab".to_owned()),
            key: Some("00112233445566778899aabbccddeeff".to_owned()),
            region: "US".to_owned(),
            region_name: Some("United States".to_owned()),
        };
        assert_eq!(
            (list.generated_at.as_deref(), list.license.as_deref()),
            (Some("2026-11-01"), Some("CC0"))
        );
        assert_eq!(list.entries, [wanted]);
        assert_eq!(names(r##"["#a", {"name": "#b", "country": "NL"}]"##), ["#a", "#b"]);
        assert_eq!(names(r##"{"channels": ["#c"], "generatedAt": 7, "more": {}}"##), ["#c"]);
    }

    #[test]
    fn what_is_wrong_with_one_channel_does_not_spoil_the_others() {
        let text = r##"[7, null, {}, {"channel": 7}, {"channel": "\u0000 "}, {"channel": "#a", "key": "secret", "region": 9}]"##;
        let list = parse(text.as_bytes(), "u").expect("a list");
        assert_eq!((list.entries.len(), list.entries[0].key.as_deref()), (1, None));
        assert_eq!(list.entries[0].region, "");
        let many = format!("[{}\"x\"]", "\"#a\",".repeat(6_000));
        assert_eq!(names(&many).len(), MOST_ENTRIES);
        let long = format!("[\"{}\"]", "ü".repeat(1_000));
        assert_eq!(names(&long)[0].chars().count(), MOST_NAME_CHARS);
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for text in ["", "{", "7", "{}", "[]", "[{}]", r#"{"entries": {}}"#, "\u{0}"] {
            parse(text.as_bytes(), "u").expect_err(text);
        }
        parse(&[0xff, 0xfe], "u").expect_err("no text");
        parse("[".repeat(100_000).as_bytes(), "u").expect_err("too deep");
    }
}
