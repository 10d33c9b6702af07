use proptest::prelude::*;

use super::*;

/// Matching as the specification words it, level by level and with recursion instead of cleverness.
fn matches_naively(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) => true,
        (["+", filter @ ..], [_, topic @ ..]) => matches_naively(filter, topic),
        ([wanted, filter @ ..], [level, topic @ ..]) => wanted == level && matches_naively(filter, topic),
        ([], []) => true,
        _ => false,
    }
}

pub(crate) fn topics() -> impl Strategy<Value = String> {
    let level = prop_oneof![Just(""), Just("a"), Just("b"), Just("$c"), Just("ä")];
    prop::collection::vec(level, 1..5)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("topics are not empty", |topic| !topic.is_empty())
}

pub(crate) fn filters() -> impl Strategy<Value = String> {
    let level = prop_oneof![Just(""), Just("a"), Just("b"), Just("$c"), Just("ä"), Just("+")];
    (prop::collection::vec(level, 0..5), any::<bool>())
        .prop_map(|(mut levels, all_below)| {
            if all_below {
                levels.push("#");
            }
            levels.join("/")
        })
        .prop_filter("filters are not empty", |filter| !filter.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_filter_matches_what_the_specification_says(filter in filters(), topic in topics()) {
        prop_assert!(filter_is_valid(&filter) && topic_is_valid(&topic));
        let filter_levels: Vec<&str> = filter.split('/').collect();
        let topic_levels: Vec<&str> = topic.split('/').collect();
        let hidden = topic.starts_with('$') && ["+", "#"].contains(&filter_levels[0]);
        let expected = !hidden && matches_naively(&filter_levels, &topic_levels);
        prop_assert_eq!(filter_matches(&filter, &topic), expected);
    }

    #[test]
    fn any_text_is_judged_without_panic(text in ".{0,40}") {
        let _ = (filter_is_valid(&text), topic_is_valid(&text), filter_matches(&text, &text));
    }

    #[test]
    fn the_cache_changes_nothing(topics in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..100)) {
        let mut cache = TopicCache::default();
        for topic in topics.iter().chain(&topics) {
            let expected = std::str::from_utf8(topic).ok().filter(|topic| topic_is_valid(topic));
            let cached = cache.get(topic);
            prop_assert_eq!(cached.as_deref(), expected);
        }
    }
}

#[test]
fn the_examples_of_the_specification_hold() {
    for topic in ["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/x"] {
        assert!(filter_matches("sport/tennis/player1/#", topic));
    }
    assert!(filter_matches("sport/#", "sport"));
    assert!(filter_matches("sport/tennis/+", "sport/tennis/player1"));
    assert!(!filter_matches("sport/tennis/+", "sport/tennis/player1/ranking"));
    assert!(!filter_matches("sport/+", "sport"));
    assert!(filter_matches("sport/+", "sport/"));
    assert!(filter_matches("+/+", "/finance"));
    assert!(!filter_matches("+", "/finance"));
    assert!(!filter_matches("+/monitor/Clients", "$SYS/monitor/Clients"));
    assert!(filter_matches("$SYS/#", "$SYS/monitor"));
    for filter in ["sport/tennis#", "sport/tennis/#/ranking", "sport+", "", "a\0"] {
        assert!(!filter_is_valid(filter), "{filter}");
    }
    for topic in ["", "a/+", "#", "a\0"] {
        assert!(!topic_is_valid(topic), "{topic}");
    }
}
