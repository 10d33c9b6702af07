//! Names and texts, so that a page full of them reads like a mesh and not like a test.

use crate::rng::Rng;

const PLACES: &[&str] = &[
    "Alder",
    "Bayview",
    "Bernal",
    "Buena Vista",
    "Canyon",
    "Cedar",
    "Coyote",
    "Dolores",
    "Dune",
    "Eagle",
    "Fern",
    "Fog",
    "Glen",
    "Granite",
    "Harbor",
    "Heron",
    "Hilltop",
    "Ida",
    "Juniper",
    "Kestrel",
    "Laurel",
    "Lupine",
    "Manzanita",
    "Marina",
    "Mission",
    "Moss",
    "Oak Knoll",
    "Orchard",
    "Otter",
    "Pelican",
    "Pine",
    "Poppy",
    "Quail",
    "Redwood",
    "Ridge",
    "Sandpiper",
    "Sequoia",
    "Skyline",
    "Sunset",
    "Tamarack",
    "Tule",
    "Valley",
    "Willow",
    "Yarrow",
];
const REPEATERS: &[&str] =
    &["Repeater", "Relay", "RPT", "Tower", "Peak", "Solar", "Roof", "North", "South", "🏔", "📡"];
const ROOMS: &[&str] = &["Room", "BBS", "Board", "Lounge"];
const SENSORS: &[&str] = &["Weather", "Tide", "Creek", "Air"];
const PEOPLE: &[&str] = &[
    "Ada", "Ana", "Ben", "Carla", "Chidi", "Dana", "Emre", "Fay", "Goran", "Hana", "Ivo", "Jun", "Kai",
    "Lena", "Mina", "Nils", "Omar", "Pia", "Quinn", "Rosa", "Sam", "Tove", "Uma", "Vito", "Wren", "Xena",
    "Yara", "Zeno",
];
const DEVICES: &[&str] = &["", " 📱", " mobile", " T1000", " HT", " car", " 🚲", " base"];

const GREETINGS: &[&str] =
    &["Good morning mesh", "Hello from", "Anyone around in", "Radio check from", "73 from"];
const TESTS: &[&str] = &["test", "testing", "ping", "test from", "range test at", "antenna test at"];
const NEWS: &[&str] = &[
    "New repeater is up at",
    "Fog rolling in over",
    "Clear view all the way to",
    "Battery swap done at",
    "Hearing",
    "Anyone hearing",
    "Moved the antenna to",
    "Three hops to",
    "Strong signal today from",
    "Lost the link to",
];
const ANSWERS: &[&str] = &[
    "copy",
    "loud and clear",
    "got you, 2 hops",
    "same here",
    "thanks!",
    "👍",
    "nice",
    "heard you on the roof",
    "weak but ok",
    "which firmware?",
    "see you at the meetup",
    "try 2-byte hashes",
    "who runs that one?",
    "works now",
];

pub(crate) fn place(rng: &mut Rng) -> &'static str {
    rng.pick(PLACES)
}

pub(crate) fn repeater_name(rng: &mut Rng) -> String {
    format!("{} {}", place(rng), rng.pick(REPEATERS))
}

pub(crate) fn room_name(rng: &mut Rng) -> String {
    format!("{} {}", place(rng), rng.pick(ROOMS))
}

pub(crate) fn sensor_name(rng: &mut Rng) -> String {
    format!("{} {}", place(rng), rng.pick(SENSORS))
}

pub(crate) fn person_name(rng: &mut Rng) -> String {
    format!("{}{}", rng.pick(PEOPLE), rng.pick(DEVICES))
}

/// A line for a channel.
pub(crate) fn channel_text(rng: &mut Rng, channel: &str) -> String {
    let opening = match channel {
        "#test" => rng.pick(TESTS),
        "#bot" => return format!("@[{}] heard you via {} hops", rng.pick(PEOPLE), rng.below(9)),
        _ if rng.chance(0.35) => return rng.pick(ANSWERS).to_owned(),
        _ if rng.chance(0.3) => rng.pick(GREETINGS),
        _ => rng.pick(NEWS),
    };
    format!("{opening} {}", place(rng))
}
