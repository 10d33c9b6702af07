//! `cargo xtask tidy`: the house rules that a machine can check.

mod edges;
mod sources;

use crate::process;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// A newcomer reads every entry at the root; more than this and nobody does.
const MAX_ROOT_ENTRIES: usize = 20;

/// Checks every rule and reports all violations at once.
///
/// # Errors
/// When a rule is broken, or git or cargo cannot be asked.
pub(crate) fn run() -> Result<()> {
    let files = tracked_files()?;
    let mut violations = edges::check()?;
    violations.extend(sources::check(&files)?);
    violations.extend(root_entries(&files));
    violations.extend(issue_numbers(&files));
    if violations.is_empty() {
        eprintln!("tidy: {} files, no violation", files.len());
        return Ok(());
    }
    for violation in &violations {
        eprintln!("tidy: {violation}");
    }
    bail!("{} house rules broken", violations.len());
}

/// Files of the project: tracked, or new and not ignored.
fn tracked_files() -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(process::workspace_root())
        .output()
        .context("cannot start git")?;
    if !listed.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&listed.stderr).trim());
    }
    let names = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
    Ok(names.lines().map(PathBuf::from).filter(|path| path.is_file()).collect())
}

fn root_entries(files: &[PathBuf]) -> Option<String> {
    let mut entries: Vec<_> = files.iter().filter_map(|path| path.components().next()).collect();
    entries.sort();
    entries.dedup();
    (entries.len() > MAX_ROOT_ENTRIES)
        .then(|| format!("{} entries at the root, at most {MAX_ROOT_ENTRIES}", entries.len()))
}

/// A file is named for what is in it, not for the ticket that asked for it.
fn issue_numbers(files: &[PathBuf]) -> Vec<String> {
    files
        .iter()
        .filter(|path| {
            let name = path.to_string_lossy().to_lowercase();
            ["issue-", "issue_", "bug-", "bug_", "ticket-", "ticket_"].iter().any(|prefix| {
                name.split('/').any(|part| {
                    part.find(prefix)
                        .is_some_and(|at| part[at + prefix.len()..].starts_with(|c: char| c.is_ascii_digit()))
                })
            })
        })
        .map(|path| format!("{}: named after an issue number", path.display()))
        .collect()
}
