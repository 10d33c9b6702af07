//! `meshcore-analyzer`: the command line, the configuration, and the wiring of the parts. No domain logic lives here.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod envelope_file;
mod log_book;
mod memory;
mod pace;
mod parts;

use clap::Parser as _;
use std::process::ExitCode;

/// The index keeps many small allocations alive for weeks; this allocator fragments less than the system's. It does not ask for
/// huge pages, which would make 32 MiB resident before a packet is there and keep whole ones for the sake of a part.
/// Tests count allocations with one of their own.
#[cfg(not(test))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    init_logging();
    let result = match cli.command {
        cli::Command::Run(args) => commands::run::run(args),
        cli::Command::Ingest(args) => commands::ingest::run(args),
        cli::Command::Serve(args) => commands::serve::run(args),
        cli::Command::Decode(args) => commands::decode::run(&args),
        cli::Command::Replay(args) => commands::replay::run(&args),
        cli::Command::Simulate(args) => commands::simulate::run(&args),
        cli::Command::Config(cli::ConfigCommand::Check(args)) => commands::config::check(&args),
        cli::Command::Db(args) => commands::db::run(&args),
        cli::Command::Backup(args) => commands::backup::run(args),
        cli::Command::Restore(args) => commands::restore::run(&args),
        cli::Command::Top(args) => commands::top::run(args),
        cli::Command::Bundle(args) => commands::bundle::run(&args),
        cli::Command::Doctor(args) => return commands::doctor::run(&args),
        cli::Command::Import(args) => commands::import::run(&args),
        cli::Command::Export(args) => commands::export::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("meshcore-analyzer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Messages go to standard error, so that what a command prints stays clean; `ANALYZER_LOG` sets the level.
/// Colours are for a terminal only: in a service's log they are rubbish.
fn init_logging() {
    use std::io::IsTerminal as _;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("ANALYZER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(|| log_book::Counted(std::io::stderr()))
        .init();
}
