//! What the program says at start and end, on standard output: a few lines for a person, stable enough for a script.

use super::plan::{DataFolder, Plan};
use crate::cli::BrokerListen;
use crate::config::Loaded;
use mqtt::BrokerUrl;
use std::net::SocketAddr;

/// The configuration and everything that is odd about it.
pub(super) fn configuration(loaded: &Loaded) {
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
}

/// Where everything is.
pub(super) fn listening(plan: &Plan, loaded: &Loaded, http: SocketAddr, mqtt: Option<SocketAddr>) {
    println!("meshcore-analyzer {}{}", env!("CARGO_PKG_VERSION"), if plan.demo { " (demo)" } else { "" });
    println!("  page      http://{}", reachable(http));
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
    if http.ip().is_loopback() {
        println!("  only this machine can open the page; --http 0.0.0.0:{} lets the network in", http.port());
    }
    if open_to_anyone(plan, loaded) {
        println!(
            "  anyone on the network can publish to the broker; `listen.mqttUsers` in the configuration asks for a login"
        );
    }
}

/// What was there already.
pub(super) fn history(totals: &index::Totals) {
    println!("  history   {} packets, {} observations", totals.transmissions, totals.observations);
}

pub(super) fn stopping() {
    println!("stopping: taking no more messages, writing what is there");
}

pub(super) fn stopped() {
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
