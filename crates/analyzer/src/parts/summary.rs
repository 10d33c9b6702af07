//! What the program says at start and end, on standard output: a few lines for a person, stable enough for a script.

use super::plan::{DataFolder, Plan};
use crate::cli::BrokerListen;
use crate::config::Loaded;
use mqtt::BrokerUrl;
use std::net::SocketAddr;
use std::path::Path;

/// The configuration and everything that is odd about it.
pub(crate) fn configuration(loaded: &Loaded) {
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
}

/// Where everything is. `http` is `None` for a process that serves no page.
pub(crate) fn listening(plan: &Plan, loaded: &Loaded, http: Option<SocketAddr>, mqtt: Option<SocketAddr>) {
    title(if plan.demo {
        " (demo)"
    } else if http.is_none() {
        " (ingest)"
    } else {
        ""
    });
    if let Some(http) = http {
        println!("  page      http://{}", reachable(http));
    }
    match (mqtt, &plan.mqtt_off_because) {
        (Some(address), _) => println!("  broker    mqtt://{}  (observers publish here)", reachable(address)),
        (None, Some(reason)) => println!("  broker    off: {reason}"),
        (None, None) => println!("  broker    off"),
    }
    for broker in loaded.file.outside_brokers() {
        match BrokerUrl::parse(&broker.url) {
            Ok(url) => println!("  source    {}: {url}", broker.name),
            Err(error) => println!("  source    {}: left out, {error}", broker.name),
        }
    }
    data_and_config(plan, loaded);
    if let Some(http) = http {
        hint_to_open(http);
    }
    if open_to_anyone(plan, loaded) {
        println!(
            "  anyone on the network can publish to the broker; `listen.mqttUsers` in the configuration asks for a login"
        );
    }
}

/// Where a serving process is, and what it reads.
pub(crate) fn serving(plan: &Plan, loaded: &Loaded, http: SocketAddr) {
    title(" (serve)");
    println!("  page      http://{}", reachable(http));
    data_and_config(plan, loaded);
    hint_to_open(http);
}

/// Why a serving process shows nothing yet.
pub(crate) fn waiting_for_ingest(reason: &str) {
    println!("waiting for the ingest process: {reason}");
}

/// Where the figures of ingest are written once a second.
pub(crate) fn stats_file(path: &Path) {
    println!("  stats     {}", path.display());
}

fn title(role: &str) {
    println!("meshcore-analyzer {}{role}", env!("CARGO_PKG_VERSION"));
}

fn data_and_config(plan: &Plan, loaded: &Loaded) {
    match &plan.data {
        DataFolder::Kept(_) => println!("  data      {}", plan.data.database().display()),
        DataFolder::Temporary(_) => {
            println!("  data      {} (removed at the end)", plan.data.database().display());
        }
    }
    match &loaded.path {
        Some(path) => println!("  config    {}", path.display()),
        None => println!("  config    none, all defaults"),
    }
}

fn hint_to_open(http: SocketAddr) {
    if http.ip().is_loopback() {
        println!("  only this machine can open the page; --http 0.0.0.0:{} lets the network in", http.port());
    }
}

/// What was there already.
pub(crate) fn history(totals: &index::Totals) {
    println!("  history   {} packets, {} observations", totals.transmissions, totals.observations);
}

pub(crate) fn stopping() {
    println!("stopping: taking no more messages, writing what is there");
}

pub(crate) fn stopped() {
    println!("stopped: everything received is stored");
}

fn open_to_anyone(plan: &Plan, loaded: &Loaded) -> bool {
    matches!(plan.mqtt, BrokerListen::At(address) if !address.ip().is_loopback())
        && loaded.file.listen.mqtt_users.is_empty()
}

/// An address that a browser can open: the unspecified address means every interface, this one among them.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let loopback: std::net::IpAddr = if address.is_ipv4() {
        std::net::Ipv4Addr::LOCALHOST.into()
    } else {
        std::net::Ipv6Addr::LOCALHOST.into()
    };
    SocketAddr::new(loopback, address.port())
}
