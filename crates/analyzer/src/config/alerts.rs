//! Who is told when something is wrong, and from where on it is: `alerts`, a section of our own.

use super::error::Complaints;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use ureq::http::Uri;
use xray::{Thresholds, WebhookKind};

/// The section.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Alerts {
    instance: Option<String>,
    link: Option<String>,
    webhooks: Vec<Webhook>,
    thresholds: ThresholdSection,
}

/// An entry of `alerts.webhooks`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Webhook {
    name: Option<String>,
    url: String,
    kind: Option<String>,
    token: Option<String>,
}

/// The address is often the secret itself, as an ntfy topic is.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// In the units of CoreScope's page, where a MB has 1,048,576 bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ThresholdSection {
    #[serde(rename = "writeMBPerSec")]
    write_mb_per_sec: Option<f64>,
    #[serde(rename = "cancelledMBPerSec")]
    cancelled_mb_per_sec: Option<f64>,
    #[serde(rename = "walMB")]
    wal_mb: Option<f64>,
    cache_hit_percent: Option<f64>,
}

/// What the section comes to.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebhooksConfig {
    /// What this installation calls itself in messages.
    pub(crate) instance: String,
    /// Where its page is, for people who read a message.
    pub(crate) link: Option<String>,
    /// Whom to tell.
    pub(crate) hooks: Vec<Hook>,
}

/// One of them. Its `Debug` form says neither the path of the address nor the token.
#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) name: String,
    pub(crate) kind: WebhookKind,
    pub(crate) url: String,
    pub(crate) token: Option<String>,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = address(&self.url);
        f.debug_struct("Hook").field("name", &self.name).field("address", &address).finish_non_exhaustive()
    }
}

/// Said in messages when the configuration gives no name.
const DEFAULT_INSTANCE: &str = "meshcore-analyzer";

/// A threshold of nothing would always be passed, and one of a terabyte never.
const MB_RANGE: RangeInclusive<f64> = 0.001..=1_000_000.0;

/// More are a mistake, and each keeps messages in memory while it cannot be reached.
const MOST_WEBHOOKS: usize = 16;

impl Alerts {
    /// Whom to tell, with defaults filled in.
    pub(crate) fn webhooks(&self) -> WebhooksConfig {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        WebhooksConfig {
            instance: given(&self.instance).unwrap_or_else(|| DEFAULT_INSTANCE.to_owned()),
            link: given(&self.link),
            hooks: self.webhooks.iter().enumerate().map(|(index, hook)| hook.hook(index)).collect(),
        }
    }

    /// The static thresholds.
    pub(crate) fn thresholds(&self) -> Thresholds {
        let default = Thresholds::default();
        let bytes = |mb: Option<f64>, default| mb.map_or(default, |mb| (mb * 1_048_576.0) as u64);
        let given = &self.thresholds;
        Thresholds {
            write_bytes_per_sec: bytes(given.write_mb_per_sec, default.write_bytes_per_sec),
            cancelled_bytes_per_sec: bytes(given.cancelled_mb_per_sec, default.cancelled_bytes_per_sec),
            wal_bytes: bytes(given.wal_mb, default.wal_bytes),
            cache_hit_rate: given.cache_hit_percent.map_or(default.cache_hit_rate, |percent| percent / 100.0),
        }
    }

    /// Refuses values that have the right type and no meaning.
    pub(super) fn check(&self, complaints: &mut Complaints<'_>) {
        let mut names = BTreeSet::new();
        for (index, hook) in self.webhooks.iter().enumerate() {
            let at = format!("alerts.webhooks[{index}]");
            if address(&hook.url).is_none() {
                // The address may be a secret, so it is not repeated.
                complaints.add(format!("{at}.url"), "must be an address such as https://ntfy.sh/a-topic");
            }
            if hook.kind.as_deref().is_some_and(|text| kind(text).is_none()) {
                complaints.add(format!("{at}.kind"), "must be \"json\" or \"ntfy\"");
            }
            if !names.insert(hook.hook(index).name) {
                complaints.add(format!("{at}.name"), "is the name of another webhook, too");
            }
        }
        if self.webhooks.len() > MOST_WEBHOOKS {
            complaints.add("alerts.webhooks", format!("has more than {MOST_WEBHOOKS} entries"));
        }
        if self.link.as_deref().is_some_and(|link| !link.is_empty() && address(link).is_none()) {
            complaints.add("alerts.link", "must be an address such as https://mesh.example");
        }
        let given = &self.thresholds;
        let sizes = [
            ("writeMBPerSec", given.write_mb_per_sec),
            ("cancelledMBPerSec", given.cancelled_mb_per_sec),
            ("walMB", given.wal_mb),
        ];
        for (key, value) in sizes {
            if value.is_some_and(|value| !MB_RANGE.contains(&value)) {
                let problem = format!("must be {} to {} MB", MB_RANGE.start(), MB_RANGE.end());
                complaints.add(format!("alerts.thresholds.{key}"), problem);
            }
        }
        if given.cache_hit_percent.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
            complaints.add("alerts.thresholds.cacheHitPercent", "must be 0 to 100 per cent");
        }
    }
}

impl Webhook {
    fn hook(&self, index: usize) -> Hook {
        let name = self.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        Hook {
            name: name.map_or_else(|| format!("webhook-{}", index + 1), str::to_owned),
            kind: self.kind.as_deref().and_then(kind).unwrap_or_default(),
            url: self.url.trim().to_owned(),
            token: self.token.clone().filter(|token| !token.is_empty()),
        }
    }
}

/// As it is written in the configuration.
pub(super) fn kind_name(kind: WebhookKind) -> &'static str {
    match kind {
        WebhookKind::Json => "json",
        WebhookKind::Ntfy => "ntfy",
    }
}

fn kind(text: &str) -> Option<WebhookKind> {
    [WebhookKind::Json, WebhookKind::Ntfy].into_iter().find(|kind| kind_name(*kind) == text)
}

/// Scheme, host and port, without what may be a secret; `None` when it is no address of HTTP.
pub(crate) fn address(url: &str) -> Option<String> {
    let uri: Uri = url.trim().parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme))?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    Some(match uri.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_after_the_host_and_says_no_login() {
        let cut = address("https://ana:hunter2@ntfy.example:8443/secret-topic?auth=x");
        assert_eq!(cut.as_deref(), Some("https://ntfy.example:8443"));
        assert_eq!(address("http://[::1]:80/x").as_deref(), Some("http://[::1]:80"));
        for wrong in ["", "ntfy.sh/x", "ftp://a/b", "https://", "/x", "https://a b/"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }
}
