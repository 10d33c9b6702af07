//! Which failures pass.

use rusqlite::{Error, ErrorCode};

/// Commits of one group that are tried in vain before it is put aside, if the reason is one that does not pass by itself.
/// With the pauses between they take a second and a half: some reasons only look as if they would not pass, such as a
/// page that another program is just writing over.
pub(super) const TRIES_BEFORE_ASIDE: u32 = 6;

/// Whether the reason can go away while the program runs, by itself or because somebody makes room, gives permission
/// back, or ends the process that holds the lock. Then the commit is tried for ever, since the database is as sound as
/// before. Everything else says that the database or the program is at fault, and trying again does not change that.
pub(super) fn can_pass(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::AuthorizationForStatementDenied
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted
                | ErrorCode::OperationAborted
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::SchemaChanged
        )
    )
}

#[cfg(test)]
mod tests {
    use rusqlite::{Error, ffi};

    use super::can_pass;

    #[test]
    fn a_full_disk_passes_and_a_broken_database_does_not() {
        let error = |code| Error::SqliteFailure(ffi::Error::new(code), None);
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_BUSY_SNAPSHOT,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_READONLY_DBMOVED,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_PERM,
            ffi::SQLITE_NOMEM,
        ] {
            assert!(can_pass(&error(code)), "{code}");
        }
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_CORRUPT_INDEX, ffi::SQLITE_NOTADB, ffi::SQLITE_ERROR] {
            assert!(!can_pass(&error(code)), "{code}");
        }
    }
}
