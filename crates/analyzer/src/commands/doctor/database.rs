//! Is the database sound, and is its log of a healthy length?

use super::Patient;
use super::finding::Finding;
use crate::commands::units;
use storage::{DatabaseInfo, Depth, StorageError};

const CHECK: &str = "database";

/// Twice the length at which the program itself empties its log.
const LONG_LOG: u64 = 128 << 20;

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    match storage::database_info(&patient.database, Depth::QuickCheck) {
        Ok(info) => vec![state(&info), log(&info)],
        Err(StorageError::NotThere { path }) => {
            vec![Finding::ok(
                CHECK,
                format!("{} is not there yet; it is made at the first start", path.display()),
            )]
        }
        Err(error) => vec![refused(&error)],
    }
}

fn state(info: &DatabaseInfo) -> Finding {
    let shown = info.path.display();
    match info.faults.as_deref() {
        Some([first, rest @ ..]) => {
            let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            Finding::error(CHECK, format!("{shown} is damaged: {first}{more}"))
                .meaning("some of what it holds cannot be read any more, and a start may stop at it")
                .action(format!(
                    "stop the program, copy the file away with its -wal file, and restore a backup; without one, \
                     `sqlite3 {shown} .recover` rescues what is left"
                ))
        }
        _ => Finding::ok(
            CHECK,
            format!("{shown}, {}, format {}, no damage", units::bytes(info.file_bytes), info.format.0),
        ),
    }
}

fn log(info: &DatabaseInfo) -> Finding {
    let text = format!(
        "the log has {}, {} frames in use",
        units::bytes(info.wal_bytes),
        units::count(info.wal_frames)
    );
    if info.wal_bytes < LONG_LOG {
        return Finding::ok(CHECK, text);
    }
    let finding = Finding::warning(CHECK, text);
    match info.writer {
        Some(_) => finding
            .meaning("something has kept the database open for reading for a long time, so the log cannot begin anew")
            .action("end other programs that read the database (`fuser` on the file shows them), or restart this one"),
        None => finding
            .meaning("it was left by a program that was ended hard; the next start reads it all")
            .action("start and stop the program once; that empties it"),
    }
}

fn refused(error: &StorageError) -> Finding {
    let finding = Finding::error(CHECK, error.to_string());
    match error {
        StorageError::NewerVersion { .. } => finding
            .meaning("a newer release made it; this one does not start")
            .action("install that release again, or restore a backup from before"),
        StorageError::NotADatabase { .. } | StorageError::NotOurs { .. } => finding
            .meaning("the program does not touch it and does not start")
            .action("name another folder with --data-dir, or move the file away"),
        StorageError::Damaged { .. } => finding
            .meaning("what it holds cannot be read")
            .action("stop the program and restore a backup: `meshcore-analyzer restore FILE --force`"),
        _ => finding.meaning("it cannot be read").action("see what is said of the data folder and the disk"),
    }
}
