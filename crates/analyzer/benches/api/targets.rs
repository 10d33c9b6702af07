//! What to ask: every GET of the document, with what its path needs from the data.

use serde_json::Value;
use testkit::HttpClient;

/// These are files or no answers, or tell nothing of the history; `/metrics` and the others are measured. The history of
/// series is among the forms, since it wants to be told of which.
const LEFT_OUT: [&str; 5] = [
    "/api/backup",
    "/api/alerts/{id}/black-box",
    "/api/live",
    "/api/admin/prune-geo-filter/status",
    "/api/perf/history",
];

/// Further forms of routes that cost something else than the plain one.
const FORMS: &[&str] = &[
    "/api/packets?groupByHash=true",
    "/api/packets?expand=observations",
    "/api/packets?type=4",
    "/api/packets?region=SJC&type=5",
    "/api/packets?observer={observer}",
    "/api/packets?node={node}",
    "/api/packets?offset=50000",
    "/api/packets?type=4&observer={observer}&order=asc",
    "/api/packets?since={middle}&limit=50",
    "/api/nodes?sortBy=packetCount&role=repeater",
    "/api/nodes?search=a",
    "/api/nodes?region=SJC",
    "/api/channels?includeEncrypted=true",
    "/api/channels?region=SJC",
    "/api/perf?mem=1",
    "/api/perf/history?series={series}",
];

/// What is in the data.
struct Known {
    packet: String,
    node: String,
    observer: String,
    other_observer: String,
    channel: String,
    middle: String,
    series: String,
}

impl Known {
    fn ask(client: &mut HttpClient) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let stats = client.get("/api/stats").json();
        let half = stats["totalTransmissions"].as_u64().unwrap_or(2) / 2;
        let packets = client.get(&format!("/api/packets?limit=1&offset={half}")).json();
        // The busiest node is the most work.
        let nodes = client.get("/api/nodes?limit=1&sortBy=packetCount&role=repeater").json();
        let observers = client.get("/api/observers").json();
        let channels = client.get("/api/channels").json();
        let busiest = |list: &Value, by: &str| {
            let rows = list.as_array().into_iter().flatten();
            rows.max_by_key(|row| row[by].as_u64()).cloned().unwrap_or_default()
        };
        let series = client.get("/api/perf/series").json();
        Self {
            series: text(&series["series"][0]["name"]),
            packet: text(&packets["packets"][0]["hash"]),
            middle: text(&packets["packets"][0]["first_seen"]),
            node: text(&nodes["nodes"][0]["public_key"]),
            observer: text(&busiest(&observers["observers"], "packet_count")["id"]),
            other_observer: text(&observers["observers"][0]["id"]),
            channel: text(&busiest(&channels["channels"], "messageCount")["hash"]),
        }
    }

    fn value(&self, route: &str, name: &str) -> String {
        let value = match name {
            "pubkey" | "node" | "keys" | "nodes" => &self.node,
            "hash" if route.starts_with("/api/channels") => &self.channel,
            "id" if route.starts_with("/api/observers") => &self.observer,
            "observer" | "a" => &self.observer,
            "b" => &self.other_observer,
            "prefix" => &self.node[..self.node.len().min(10)],
            "hash" | "id" => &self.packet,
            "since" | "middle" | "from" => &self.middle,
            "hops" => "a1,b2,c3",
            "bbox" => "-123,37,-121,38.5",
            "z" => "10",
            "days" => "7",
            "q" => "a",
            "series" => &self.series,
            "name" => "retention",
            _ => "1",
        };
        value.to_owned()
    }
}

/// The paths, the plain form of each route and then the others.
pub(crate) fn of(client: &mut HttpClient) -> Vec<String> {
    let document = client.get("/api/spec").json();
    let known = Known::ask(client);
    let paths = document["paths"].as_object().into_iter().flatten();
    let reads = paths.filter(|(route, item)| !item["get"].is_null() && !LEFT_OUT.contains(&route.as_str()));
    let plain = reads.map(|(route, item)| plain_form(&known, route, &item["get"]["parameters"]));
    let forms = FORMS.iter().map(|form| fill(&known, form));
    plain.chain(forms).collect()
}

/// With the parameters that must be there.
fn plain_form(known: &Known, route: &str, parameters: &Value) -> String {
    let path = fill(known, route);
    let required = parameters.as_array().into_iter().flatten();
    let required = required.filter(|one| one["in"] == "query" && one["required"] == true);
    let query: Vec<String> = required
        .filter_map(|one| one["name"].as_str())
        .map(|name| format!("{name}={}", encode(&known.value(route, name))))
        .collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// Puts values in the place of `{name}`.
fn fill(known: &Known, form: &str) -> String {
    let mut path = String::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        path = path + before + &encode(&known.value(form, name));
        rest = after;
    }
    path + rest
}

/// As it stands in an address.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b',' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
