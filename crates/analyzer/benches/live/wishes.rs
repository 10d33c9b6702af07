//! What viewers subscribe to, and what each of them is to get, worked out without the server's filters.

use serde_json::Value;

/// A subscription, how many of ten viewers have it, and which rows it is about.
pub(crate) struct Wish {
    pub(crate) share: u64,
    pub(crate) subscribe: &'static str,
    pub(crate) wants: fn(&Value) -> bool,
}

/// All rows, some fields, some filters, one region. Each row has its number, by which it is counted.
pub(crate) const MIX: &[Wish] = &[
    Wish { share: 4, subscribe: r#"{"type":"subscribe","id":"all"}"#, wants: |_| true },
    Wish {
        share: 2,
        subscribe: r#"{"type":"subscribe","id":"thin","fields":["observation_id","hash","observer_name","snr"]}"#,
        wants: |_| true,
    },
    Wish {
        share: 1,
        subscribe: r#"{"type":"subscribe","id":"adverts","filter":"type == ADVERT"}"#,
        wants: |row| row["payload_type"] == 4,
    },
    Wish {
        share: 1,
        subscribe: r#"{"type":"subscribe","id":"strong","filter":"snr > 5","fields":["observation_id","snr","path"]}"#,
        wants: |row| row["snr"].as_f64().is_some_and(|snr| snr > 5.0),
    },
    Wish {
        share: 1,
        subscribe: r#"{"type":"subscribe","id":"flood","filter":"route == FLOOD && rssi < -90"}"#,
        wants: |row| row["route_type"] == 1 && row["rssi"].as_f64().is_some_and(|rssi| rssi < -90.0),
    },
    Wish {
        share: 1,
        subscribe: r#"{"type":"subscribe","id":"region","regions":["SFO"]}"#,
        wants: |row| row["observer_iata"] == "SFO",
    },
];

/// One client that does nothing else has this much of each row.
pub(crate) const WITNESS: &str = r#"{"type":"subscribe","id":"w","fields":["observation_id","raw_hex","observer_id","observer_iata","payload_type","route_type","snr","rssi"]}"#;

/// And one that does not read wants all that a row can have.
pub(crate) const SLEEPER: &str = r#"{"type":"subscribe","id":"s","fields":["observation_id","id","hash","timestamp","first_seen","latest","observer_id","observer_name","path","path_json","resolved_path","payload","decoded_json","raw_hex"]}"#;

/// The wish of this viewer of many.
pub(crate) fn of_viewer(number: u64) -> &'static Wish {
    let mut place = number % MIX.iter().map(|wish| wish.share).sum::<u64>();
    for wish in MIX {
        match place.checked_sub(wish.share) {
            Some(rest) => place = rest,
            None => return wish,
        }
    }
    &MIX[0]
}
