//! `config check`: what a configuration means, and everything that is wrong or odd in it.

use crate::cli::{BrokerListen, Cli, Command, ConfigCheckArgs};
use crate::config::{Loaded, Setting};
use crate::parts::plan::Plan;
use anyhow::{Result, bail};
use clap::Parser as _;

/// Longer values push their origin to the right instead of all others.
const MOST_COLUMNS: usize = 40;

/// Prints all settings, warnings and errors.
///
/// # Errors
/// When the file cannot be read or something in it is wrong; the program then ends with 1.
pub(crate) fn check(args: &ConfigCheckArgs) -> Result<()> {
    let loaded = Loaded::examine(args.file.as_deref())?;
    match &loaded.path {
        Some(path) => println!("{}", path.display()),
        None => println!("no file: all defaults"),
    }
    let settings: Vec<_> = places(&loaded).into_iter().chain(loaded.settings()).collect();
    print(&settings);
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    for error in loaded.errors() {
        println!("error: {error}");
    }
    match loaded.errors().len() {
        0 => {
            println!("good, {}", counted(loaded.warnings.len(), "warning"));
            Ok(())
        }
        count => bail!("{} in the configuration", counted(count, "error")),
    }
}

/// Where a run with this configuration would listen and keep its data, the environment taken into account.
fn places(loaded: &Loaded) -> Vec<Setting> {
    let setting = |key: &str, value: String| Setting {
        key: format!("({key})"),
        value,
        origin: "as `run` would decide".to_owned(),
    };
    // The arguments of a run, as they are when only the environment gives any.
    let Ok(Cli { command: Command::Run(args) }) = Cli::try_parse_from(["meshcore-analyzer", "run"]) else {
        return Vec::new();
    };
    let Ok(plan) = Plan::new(&args, loaded) else { return Vec::new() };
    let broker = match (plan.mqtt, &plan.mqtt_off_because) {
        (BrokerListen::At(address), _) => format!("mqtt://{address}"),
        (BrokerListen::Off, Some(reason)) => format!("off: {reason}"),
        (BrokerListen::Off, None) => "off".to_owned(),
    };
    vec![
        setting("page", format!("http://{}", plan.http)),
        setting("broker", broker),
        setting("database", plan.data.database().display().to_string()),
    ]
}

fn print(settings: &[Setting]) {
    let width =
        |text: fn(&Setting) -> &str| settings.iter().map(|s| text(s).chars().count()).max().unwrap_or(0);
    let (keys, values) = (width(|s| &s.key), width(|s| &s.value).min(MOST_COLUMNS));
    for Setting { key, value, origin } in settings {
        println!("  {key:keys$}  {value:values$}  {origin}");
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
