//! Regular expressions share one budget of memory.

use filter::Filter;

/// The usual ones: names, alternatives, words, numbers, an anchor.
const USUAL: [&str; 8] =
    ["^repeater", r"\bSFO\b", "Bay|Oak|Mry", r"\d{2}:\d{2}", "[a-z]+ [0-9]{1,3}$", r"^\S+$", "é", r"\w+"];

#[test]
fn several_usual_patterns_fit_into_one_filter() {
    let text = USUAL.map(|pattern| format!(r#"observer ~ "{pattern}""#)).join(" || ");
    Filter::parse(&text).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_pattern_that_is_too_large_has_its_place_and_a_hint() {
    let error = Filter::parse(r#"snr > 5 && text ~ "(a{1000}){1000}""#).unwrap_err();
    assert_eq!((error.offset, error.length), (18, 17));
    assert_eq!(error.message, "the regular expressions of the filter are too large");
    assert!(error.hint.unwrap().contains("contains"));
}

#[test]
fn patterns_that_are_too_large_together_are_refused_at_the_one_that_goes_too_far() {
    let each = r#"text ~ "\w{4}""#;
    let alone = Filter::parse(each);
    assert!(alone.is_ok(), "{alone:?}");
    let many = [each; 100].join(" || ");
    let error = Filter::parse(&many).unwrap_err();
    assert_eq!(error.message, "the regular expressions of the filter are too large");
    let place = error.offset;
    assert!(place > each.len() && place < many.len() / 2, "{place}");
    assert_eq!(&many[place..place + error.length], r#""\w{4}""#);
    // What one filter has taken is not missing in the next.
    for _ in 0..100 {
        Filter::parse(each).unwrap();
    }
}
