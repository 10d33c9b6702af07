//! What must hold for any text.

use filter::{Filter, MAX_BYTES};
use proptest::prelude::*;

/// Pieces that make up filters, so that random texts are near to them.
fn near_filters() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("type"),
        Just("snr"),
        Just("hops"),
        Just("path"),
        Just("time"),
        Just("observer"),
        Just("payload.name"),
        Just("transport"),
        Just("age"),
        Just("any("),
        Just("all("),
        Just("("),
        Just(")"),
        Just("&&"),
        Just("||"),
        Just("!"),
        Just("=="),
        Just("!="),
        Just(">"),
        Just("<="),
        Just(":"),
        Just("~"),
        Just("!~"),
        Just("in"),
        Just("between"),
        Just("contains"),
        Just("after"),
        Just("and"),
        Just("or"),
        Just("not"),
        Just("5"),
        Just("-2.5"),
        Just("ADVERT"),
        Just("\"a b\""),
        Just("'"),
        Just("\\"),
        Just("1h"),
        Just("2026-05-16"),
        Just("1..5"),
        Just(","),
        Just("é"),
        Just("#x"),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_parses_prints_to_something_that_parses_to_the_same(text in near_filters()) {
        if let Ok(filter) = Filter::parse(&text) {
            let printed = filter.to_string();
            prop_assert_eq!(Filter::parse(&printed), Ok(filter), "{} printed as {}", text, printed);
        }
    }

    #[test]
    fn errors_lie_within_the_text(text in prop_oneof![near_filters(), ".{0,60}"]) {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.offset + error.length <= text.chars().count(), "{:?} of {:?}", error, text);
            prop_assert!(!error.message.is_empty());
        }
    }
}

#[test]
fn depth_length_and_number_of_comparisons_are_bounded() {
    let deep = "(".repeat(MAX_BYTES / 2);
    assert!(Filter::parse(&deep).unwrap_err().message.contains("deep"));
    assert!(Filter::parse(&"!".repeat(2000)).unwrap_err().message.contains("deep"));
    assert!(Filter::parse(&"snr ".repeat(300)).unwrap_err().message.contains("comparisons"));
    assert!(Filter::parse(&"x".repeat(MAX_BYTES + 1)).unwrap_err().message.contains("longer"));
    assert!(Filter::parse("text ~ \"(a{900}){900}\"").unwrap_err().message.contains("large"));
}
