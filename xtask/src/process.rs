//! Starting other programs and saying clearly which one failed.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout, known since compilation.
pub(crate) fn workspace_root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Where cargo puts what it builds; honours `CARGO_TARGET_DIR`.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace_root().join("target"), PathBuf::from)
}

/// The optimised program that `cargo build --release` makes.
pub(crate) fn release_binary() -> PathBuf {
    target_dir().join("release").join(format!("meshcore-analyzer{}", std::env::consts::EXE_SUFFIX))
}

/// A command for a program by path or by name.
pub(crate) fn program(path: &Path) -> Command {
    Command::new(path)
}

/// Runs cargo with these arguments.
///
/// # Errors
/// When cargo cannot be started or exits with a failure.
pub(crate) fn cargo(args: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(args);
    check(command)
}

/// Runs npm with these arguments inside `web/`.
///
/// # Errors
/// When Node is not installed, or npm exits with a failure.
pub(crate) fn npm(args: &[&str]) -> Result<()> {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.args(args).current_dir("web");
    check(command).context("npm is needed to build and test the page; install Node.js 20 or newer")
}

/// Prints the command, runs it, and turns a failure into an error that names it.
///
/// # Errors
/// When the program cannot be started or exits with a failure.
pub(crate) fn check(mut command: Command) -> Result<()> {
    let shown = show(&command);
    eprintln!("\x1b[1m$ {shown}\x1b[0m");
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// Hands this process over to the command, so that signals reach it directly.
///
/// # Errors
/// When the program cannot be started, or (where a process cannot be replaced) exits with a failure.
pub(crate) fn replace_or_wait(mut command: Command) -> Result<()> {
    eprintln!("\x1b[1m$ {}\x1b[0m", show(&command));
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        Err(command.exec()).with_context(|| format!("cannot start `{}`", show(&command)))
    }
    #[cfg(not(unix))]
    check(command)
}

/// Whether a program of this name is on the PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|candidate| candidate.is_file())
}

fn show(command: &Command) -> String {
    let root = workspace_root();
    let program = Path::new(command.get_program());
    let program = program.strip_prefix(&root).unwrap_or(program).display().to_string();
    std::iter::once(program)
        .chain(command.get_args().map(|arg| arg.to_string_lossy().into_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}
