//! Finding a browser for the tests, or getting one.

use crate::process;
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Names under which distributions install Chromium or its kin.
const NAMES: &[&str] =
    &["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge"];

/// The browser named by `CHROMIUM`, or found on the PATH, or installed now.
///
/// # Errors
/// One line that says what to install, when none of these worked.
pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    install_from_distribution();
    if let Some(found) = find() {
        return Ok(found);
    }
    if let Some(found) = install_with_playwright() {
        return Ok(found);
    }
    bail!(
        "the browser tests need Chromium or Chrome: install one (Debian: apt-get install chromium) or set CHROMIUM to its path"
    );
}

fn find() -> Option<PathBuf> {
    NAMES.iter().find_map(|name| process::on_path(name))
}

/// Debian and its kin, and only as root: a test run never asks for a password.
fn install_from_distribution() {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
    if !is_root || process::on_path("apt-get").is_none() {
        return;
    }
    eprintln!("no browser found for the tests; installing the distribution's chromium");
    for args in [&["update", "-qq"][..], &["install", "-y", "-qq", "--no-install-recommends", "chromium"]] {
        let mut apt = Command::new("apt-get");
        apt.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        // A failure shows as "still no browser", with the advice of the caller.
        let _ = process::check(apt);
    }
}

/// Playwright's own download, for machines that may fetch it.
fn install_with_playwright() -> Option<PathBuf> {
    process::npm(&["exec", "--", "playwright", "install", "chromium"]).ok()?;
    let script = "process.stdout.write(require('@playwright/test').chromium.executablePath())";
    let out = Command::new("node").args(["-e", script]).current_dir("web").output().ok()?;
    let path = PathBuf::from(String::from_utf8(out.stdout).ok()?);
    path.is_file().then_some(path)
}
