//! Is the data folder there, is it ours, and may we write in it?

use super::Patient;
use super::finding::Finding;
use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

const CHECK: &str = "data folder";

/// Name endings of the files that belong to a database.
const ENDINGS: [&str; 4] = ["", "-wal", "-shm", "-lock"];

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let folder = &patient.folder;
    let shown = folder.display();
    match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => vec![missing(folder)],
        Err(error) => vec![
            Finding::error(CHECK, format!("{shown}: {error}"))
                .meaning("the program cannot keep anything and does not start")
                .action("give the user that runs it the right to enter every folder of this path"),
        ],
        Ok(found) if !found.is_dir() => vec![
            Finding::error(CHECK, format!("{shown} is not a folder"))
                .meaning("the program does not start")
                .action("name a folder with --data-dir, or with dbPath in the configuration"),
        ],
        Ok(found) => {
            let mut findings = vec![writable(folder, &found)];
            findings.extend(open_to_all(folder, &found));
            findings.extend(foreign_files(patient, &found));
            findings
        }
    }
}

/// It will be made, if the folder that it is to be in can be written.
fn missing(folder: &Path) -> Finding {
    let shown = folder.display();
    match tempfile::tempfile_in(existing(folder)) {
        Ok(_) => Finding::ok(CHECK, format!("{shown} is not there yet; it is made at the first start")),
        Err(error) => Finding::error(CHECK, format!("{shown} is not there and cannot be made: {error}"))
            .meaning("the program does not start")
            .action(format!("make it, and give it to the user that runs the program: `mkdir -p {shown}`")),
    }
}

/// The folder itself, or the nearest above it that is there.
pub(super) fn existing(folder: &Path) -> &Path {
    let above = folder.ancestors().find(|path| path.is_dir());
    above.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Found out by writing: rights, a mount for reading only and a full disk all come to the same.
fn writable(folder: &Path, found: &Metadata) -> Finding {
    let shown = folder.display();
    match tempfile::tempfile_in(folder) {
        Ok(_) => Finding::ok(CHECK, format!("{shown} can be written{}", owner_text(found))),
        Err(error) => {
            Finding::error(CHECK, format!("{shown} cannot be written{}: {error}", owner_text(found)))
                .meaning("nothing can be stored: the program does not start, or waits until it can write")
                .action(format!("give it to the user that runs the program, as with `chown -R USER {shown}`"))
        }
    }
}

#[cfg(unix)]
fn owner_text(found: &Metadata) -> String {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let us = rustix::process::geteuid().as_raw();
    let whose = if found.uid() == us {
        "ours".to_owned()
    } else {
        format!("of user {}, and we are {us}", found.uid())
    };
    format!(" ({whose}, mode {:03o})", found.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn owner_text(_found: &Metadata) -> String {
    String::new()
}

#[cfg(unix)]
fn open_to_all(folder: &Path, found: &Metadata) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    (found.permissions().mode() & 0o002 != 0).then(|| {
        Finding::warning(CHECK, format!("{} can be written by anybody on this machine", folder.display()))
            .meaning("anybody can replace or remove the database")
            .action(format!("`chmod o-w {}`", folder.display()))
    })
}

#[cfg(not(unix))]
fn open_to_all(_folder: &Path, _found: &Metadata) -> Option<Finding> {
    None
}

/// The usual trace of a single run with `sudo`.
#[cfg(unix)]
fn foreign_files(patient: &Patient, folder: &Metadata) -> Vec<Finding> {
    use std::os::unix::fs::MetadataExt as _;
    let files = ENDINGS.iter().map(|ending| {
        let mut name = patient.database.clone().into_os_string();
        name.push(ending);
        std::path::PathBuf::from(name)
    });
    files
        .filter_map(|file| {
            let owner = fs::metadata(&file).ok()?.uid();
            (owner != folder.uid()).then(|| {
                let (shown, expected) = (file.display(), folder.uid());
                Finding::warning(CHECK, format!("{shown} is of user {owner}, its folder of user {expected}"))
                    .meaning(
                        "the program may not be able to write it; it was probably run once as another user",
                    )
                    .action(format!("`chown {expected} {shown}`"))
            })
        })
        .collect()
}

#[cfg(not(unix))]
fn foreign_files(_patient: &Patient, _folder: &Metadata) -> Vec<Finding> {
    let _ = ENDINGS;
    Vec::new()
}
