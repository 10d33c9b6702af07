//! The project's own build tasks, so that a fresh machine needs nothing but Rust and Node.
//!
//! `cargo xtask run --demo` builds the page and the program and starts it; `cargo xtask test` is all that CI runs.

#![forbid(unsafe_code)]

mod bench;
mod browser;
mod e2e;
mod fuzz;
mod process;
mod test;
mod tidy;
mod web;

use anyhow::{Result, bail};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <task>

  run [ARGS…]     build the page and the program, then start `meshcore-analyzer run ARGS…`; try `run --demo`
  test [--quick]  everything CI runs: tidy, format, lints, Rust tests, page tests, browser tests
                  (--quick leaves out the browser and Schemathesis)
  web             build the page into web/dist, if its sources changed
  tidy            check the house rules: crate edges, file and function sizes, unsafe, entries at the root
  bench [NAME]    print the figures (all when no name is given): decode, index, ingest, storage, import, requests, api, mqtt,
                  system, live, write, ledger
";

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let task = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    // Every path below is relative to the root of the checkout, wherever the task was called from.
    std::env::set_current_dir(process::workspace_root())?;
    match task.as_str() {
        "run" => run(&rest),
        "test" => test::run(&rest),
        "web" => web::build(),
        "tidy" => tidy::run(),
        "bench" => bench::run(&rest),
        "" | "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        unknown => bail!("unknown task `{unknown}`\n\n{USAGE}"),
    }
}

fn run(args: &[String]) -> Result<()> {
    web::build()?;
    process::cargo(&["build", "--release", "--package", "analyzer"])?;
    let mut command = process::program(&process::release_binary());
    command.arg("run").args(args);
    process::replace_or_wait(command)
}
