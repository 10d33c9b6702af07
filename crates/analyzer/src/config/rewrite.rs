//! Changing one section of the operator's file and leaving everything else as it was written: the order of the keys, the ones
//! that we do not know, blanks and line ends.

use api::GeoFilter;
use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fs;
use std::ops::Range;
use std::path::Path;
use xray::Written;

/// The key of the section.
const KEY: &str = "geo_filter";

/// Puts the area of interest into the file, in place of the one that is there; `None` takes it out.
///
/// # Errors
/// When the file cannot be read, understood or written; it is then as it was.
pub(crate) fn write_geo_filter(
    path: &Path,
    filter: Option<&GeoFilter>,
    written: &Written,
) -> Result<(), String> {
    let said = |error: String| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| said(error.to_string()))?;
    let section = filter.map(|filter| {
        let corners: Vec<String> = filter
            .polygon
            .iter()
            .map(|[lat, lon]| format!("      [{}, {}]", number(*lat), number(*lon)))
            .collect();
        let (corners, buffer) = (corners.join(",\n"), number(filter.buffer_km));
        format!("{{\n    \"polygon\": [\n{corners}\n    ],\n    \"bufferKm\": {buffer}\n  }}")
    });
    let changed = with_member(&text, KEY, section.as_deref()).map_err(said)?;
    xray::replace_file_durably(path, changed.as_bytes(), written).map_err(|error| error.to_string())
}

/// The text of an object with this value under the key, or without the key.
fn with_member(text: &str, key: &str, value: Option<&str>) -> Result<String, String> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let before: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let members = members(body).map_err(|error| error.to_string())?;
    let mut changed = body.to_owned();
    match value {
        // Of two with the same key the last one counts.
        Some(value) => match members.iter().rfind(|member| member.name == key) {
            Some(member) => changed.replace_range(member.value.clone(), value),
            None => {
                let (at, comma) = match members.last() {
                    Some(last) => (last.value.end, ","),
                    None => (body.find('{').ok_or("no object")? + 1, ""),
                };
                let end = if members.is_empty() { "\n" } else { "" };
                changed.insert_str(at, &format!("{comma}\n  \"{key}\": {value}{end}"));
            }
        },
        None => {
            // Each removal moves what comes after it, so the places are looked for anew.
            let mut left = members;
            while let Some(index) = left.iter().position(|member| member.name == key) {
                changed.replace_range(without(&left, index), "");
                left = self::members(&changed).map_err(|error| error.to_string())?;
            }
        }
    }
    check(before, &changed, key, value)?;
    let mark = &text[..text.len() - body.len()];
    Ok(format!("{mark}{changed}"))
}

/// All else must be as it was, whatever the text looked like.
fn check(mut before: Value, changed: &str, key: &str, value: Option<&str>) -> Result<(), String> {
    let mut after: Value = serde_json::from_str(changed).map_err(|error| error.to_string())?;
    let wanted: Option<Value> =
        value.map(serde_json::from_str).transpose().map_err(|error| error.to_string())?;
    let found = after.as_object_mut().and_then(|members| members.remove(key));
    before.as_object_mut().and_then(|members| members.remove(key));
    if found == wanted && before == after {
        Ok(())
    } else {
        Err(format!("`{key}` could not be put in place; change the file by hand"))
    }
}

/// A key with its value, and where they stand.
struct Member {
    name: String,
    key_start: usize,
    value: Range<usize>,
}

/// From the end of the member before to its own end, or for the first one to the begin of the next.
fn without(members: &[Member], index: usize) -> Range<usize> {
    let own = &members[index];
    match (index.checked_sub(1), members.get(index + 1)) {
        (Some(before), _) => members[before].value.end..own.value.end,
        (None, Some(next)) => own.key_start..next.key_start,
        (None, None) => own.key_start..own.value.end,
    }
}

fn members(text: &str) -> serde_json::Result<Vec<Member>> {
    struct Members<'t>(&'t str);

    impl<'de> Visitor<'de> for Members<'de> {
        type Value = Vec<Member>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members: Vec<Member> = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                // The value is a part of the text, so its place is how far they are apart.
                let start = value.get().as_ptr() as usize - self.0.as_ptr() as usize;
                let after = members.last().map_or(0, |before| before.value.end);
                // Between two members there is nothing but blanks and a comma, and before the first one a brace.
                let key_start = self.0[after..].find('"').map_or(start, |quote| after + quote);
                members.push(Member { name, key_start, value: start..start + value.get().len() });
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_str(text).deserialize_map(Members(text))
}

/// Whole numbers without a fraction, as people write them.
fn number(value: f64) -> String {
    if value == value.trunc() { format!("{value:.0}") } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filter() -> GeoFilter {
        let polygon = vec![[52.5, 4.0], [53.0, 5.25], [-1.0, 0.0]];
        GeoFilter { polygon, buffer_km: 2.5, ..GeoFilter::default() }
    }

    /// What the file says afterwards.
    fn rewritten(text: &str, filter: Option<&GeoFilter>) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.json");
        fs::write(&path, text).expect("written");
        let written = Written::default();
        let done = write_geo_filter(&path, filter, &written);
        let after = fs::read_to_string(&path).expect("read");
        assert_eq!(done.is_ok(), written.bytes.get() > 0);
        assert!(done.is_ok() || after == text, "a file that cannot be changed is as it was");
        done?;
        Ok(after)
    }

    #[test]
    fn only_the_section_changes_and_all_else_stays_as_it_was_written() {
        let text = "\u{feff}{\r\n\t\"zz\" : 1.50,\n  \"geo_filter\": {\"latMin\": 1, \"_note\": [\"}\"]} , // \n \"a\":{}}\n".replace("// ", "");
        let changed = rewritten(&text, Some(&filter())).expect("changed");
        let section = "{\n    \"polygon\": [\n      [52.5, 4],\n      [53, 5.25],\n      [-1, 0]\n    ],\n    \"bufferKm\": 2.5\n  }";
        assert_eq!(changed, text.replace("{\"latMin\": 1, \"_note\": [\"}\"]}", section));
        assert_eq!(rewritten(&changed, Some(&filter())).expect("the same"), changed);
        assert_eq!(
            rewritten(&text, None).expect("taken out"),
            "\u{feff}{\r\n\t\"zz\" : 1.50 , \n \"a\":{}}\n"
        );
    }

    #[test]
    fn a_section_that_is_not_there_comes_last() {
        let added = rewritten("{\n  \"port\": 3000\n}\n", Some(&filter())).expect("added");
        assert!(
            added.starts_with("{\n  \"port\": 3000,\n  \"geo_filter\": {") && added.ends_with("  }\n}\n"),
            "{added}"
        );
        let alone = rewritten("{}", Some(&filter())).expect("added");
        assert!(alone.starts_with("{\n  \"geo_filter\": {") && alone.ends_with("}\n}"), "{alone}");
        assert_eq!(rewritten("{}", None).expect("nothing to do"), "{}");
    }

    #[test]
    fn it_is_taken_out_wherever_it_stands_and_however_often() {
        for text in [
            r#"{"geo_filter": 1}"#,
            r#"{"geo_filter": 1, "a": 2}"#,
            r#"{"a": 2, "geo_filter": {"x": ","}}"#,
            r#"{"a": 2, "geo_filter": [1], "b": "\"", "geo_filter": null}"#,
            r#"{"geo_filter": 1, "geo_filter": 2}"#,
            r#"{"geo\u005ffilter": 1, "b": 2}"#,
        ] {
            let left: Value = serde_json::from_str(&rewritten(text, None).expect(text)).expect("JSON");
            assert!(left.get(KEY).is_none(), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_understood_or_found_is_left_alone() {
        for text in ["", "[]", "{", "{\"a\": 1} x", "7"] {
            rewritten(text, Some(&filter())).expect_err(text);
        }
        let error = write_geo_filter(Path::new("/nowhere/config.json"), None, &Written::default());
        assert!(error.expect_err("no file").contains("/nowhere/config.json"));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c\"\\\\{},:]{0,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_object_keeps_its_other_members(
            members in proptest::collection::btree_map("geo_filter|[a-z\"\\\\{},: ]{0,6}", json(), 0..6), pretty: bool, put: bool,
        ) {
            let object = Value::Object(members.into_iter().collect());
            let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) };
            let value = put.then_some("[1, 2]");
            let changed = with_member(&text.expect("JSON"), KEY, value).expect("changed");
            let found: Value = serde_json::from_str(&changed).expect("JSON");
            let wanted = value.map(|_| serde_json::json!([1, 2]));
            prop_assert_eq!(found.get(KEY), wanted.as_ref());
        }
    }
}
