//! `cargo xtask test`: everything that must hold before a change may land, cheapest first.

use crate::{e2e, fuzz, process, tidy, web};
use anyhow::{Result, bail};

/// Runs all checks and stops at the first that fails.
///
/// # Errors
/// The failure of the first step that failed.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let with_browser = match args {
        [] => true,
        [quick] if quick == "--quick" => false,
        _ => bail!("usage: cargo xtask test [--quick]"),
    };
    tidy::run()?;
    process::cargo(&["fmt", "--all", "--check"])?;
    // The page comes before the Rust code, which embeds it.
    web::build()?;
    process::npm(&["run", "check"])?;
    process::npm(&["test"])?;
    process::cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    process::cargo(&["test", "--workspace", "--locked"])?;
    if process::on_path("cargo-deny").is_some() {
        process::cargo(&["deny", "--offline", "check", "licenses", "bans", "sources"])?;
    } else {
        eprintln!(
            "SKIPPED 1 check: cargo-deny is not installed, so licences and sources of dependencies are unchecked"
        );
    }
    if with_browser {
        fuzz::run()?;
        e2e::run()?;
    } else {
        eprintln!("SKIPPED the browser tests and Schemathesis: --quick was given");
    }
    eprintln!("all checks passed");
    Ok(())
}
