//! The real capture beside this crate, and moving messages to another time.

use model::UnixMillis;

use crate::clock::{Civil, parse_utc};
use crate::mesh::SimMessage;

const BAY_AREA: &str = include_str!("../data/bay-area.jsonl");

/// 288 packets heard on air in the San Francisco Bay Area on 2026-05-17, observer names replaced, in time order.
pub fn capture() -> Vec<SimMessage> {
    BAY_AREA.lines().filter_map(capture_line).collect()
}

/// Reads one line `{"topic": …, "payload": {…}}`; `None` for anything else.
///
/// The payload stays as it is written; a payload that is a text is taken as that text. Where it has no `timestamp`
/// with a zone, the message's time is 0.
pub fn capture_line(line: &str) -> Option<SimMessage> {
    #[derive(serde::Deserialize)]
    struct Line<'l> {
        topic: String,
        #[serde(borrow)]
        payload: &'l serde_json::value::RawValue,
    }
    let Line { topic, payload } = serde_json::from_str(line).ok()?;
    let payload = match serde_json::from_str::<String>(payload.get()) {
        Ok(text) => text,
        Err(_) => payload.get().to_owned(),
    };
    let time = text_field(&payload, "timestamp").and_then(|(from, to)| parse_utc(&payload[from..to]));
    Some(SimMessage { time: time.unwrap_or_default(), topic, payload })
}

/// Moves all messages by the same time, so that the newest is at `newest`: their own time and the `timestamp` inside.
///
/// The `time` and `date` beside a time without zone move with it; elsewhere they are a node's own clock, and stay.
pub fn shift_to(messages: &mut [SimMessage], newest: UnixMillis) {
    let Some(last) = messages.iter().map(|message| message.time).max() else { return };
    let by_ms = newest.0.saturating_sub(last.0);
    for message in messages {
        message.time = message.time.plus_ms(by_ms);
        shift_payload(&mut message.payload, by_ms);
    }
}

fn shift_payload(payload: &mut String, by_ms: i64) {
    let Some((from, to)) = text_field(payload, "timestamp") else { return };
    let stamp = &payload[from..to];
    if let Some(time) = parse_utc(stamp) {
        let shifted = format!("{}+00:00", Civil::of(time.plus_ms(by_ms)).iso());
        payload.replace_range(from..to, &shifted);
        return;
    }
    let Some(wall) = parse_utc(&format!("{stamp}Z")) else { return };
    let shifted = Civil::of(wall.plus_ms(by_ms)).iso().to_string();
    payload.replace_range(from..to, &shifted);
    shift_pair(payload, by_ms);
}

/// Shifts `"time":"HH:MM:SS"` with `"date":"DD/MM/YYYY"`, if both are there.
fn shift_pair(payload: &mut String, by_ms: i64) {
    let Some((time_from, time_to)) = text_field(payload, "time") else { return };
    let Some((date_from, date_to)) = text_field(payload, "date") else { return };
    let date: Vec<&str> = payload[date_from..date_to].split('/').collect();
    let [day, month, year] = date[..] else { return };
    let iso = format!("{year}-{month}-{day}T{}Z", &payload[time_from..time_to]);
    let Some(pair) = parse_utc(&iso) else { return };
    let shifted = Civil::of(pair.plus_ms(by_ms));
    let date = format!("{:02}/{:02}/{}", shifted.day, shifted.month, shifted.year);
    // The later one first, so that the place of the other stays right.
    let mut edits = [(time_from..time_to, shifted.clock().to_string()), (date_from..date_to, date)];
    edits.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    for (place, text) in edits {
        payload.replace_range(place, &text);
    }
}

/// Where the text stands that follows this key first; `None` when no plain text follows it.
fn text_field(json: &str, key: &str) -> Option<(usize, usize)> {
    let quoted = format!("\"{key}\"");
    let after_key = json.find(&quoted)? + quoted.len();
    let after_colon = json[after_key..].trim_start().strip_prefix(':')?.trim_start();
    let text = after_colon.strip_prefix('"')?;
    let from = json.len() - text.len();
    let to = from + text.find('"')?;
    (!json[from..to].contains('\\')).then_some((from, to))
}
