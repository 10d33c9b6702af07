//! One writer per database, enforced by an advisory lock on a file beside it.
//!
//! SQLite's own locks are held only during a transaction, so they would let two writers take turns, each handing out
//! the same ids. The lock goes with the process, however it ends; the file stays and means nothing by itself.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::StorageError;

/// The right to write a database, until dropped.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl WriterLock {
    pub(crate) fn acquire(database: &Path) -> Result<Self, StorageError> {
        let path = lock_path(database);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| StorageError::not_writable(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StorageError::Locked { path: database.to_owned(), holder: read_pid(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(StorageError::not_writable(&path, &error)),
        }
        write_pid(&mut file).map_err(|error| StorageError::not_writable(&path, &error))?;
        Ok(Self { file })
    }
}

impl Drop for WriterLock {
    /// Closing the file does not release the lock while a process that is just being started by another thread has a copy of
    /// it, which it has until it becomes its program.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Who has the right to write a database now: `None` when nobody has, `Some(None)` when the holder did not say who it is.
///
/// Asks for a shared lock and gives it back at once. A program that starts in that instant would be told that the
/// database is in use; on Linux the list of locks is read instead, which disturbs nobody.
pub(crate) fn holder(database: &Path) -> Option<Option<u32>> {
    let mut file = File::open(lock_path(database)).ok()?;
    match is_listed(&file).unwrap_or_else(|| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    {
        true => Some(read_pid(&mut file)),
        false => None,
    }
}

/// Whether the system's list of locks has one on this file; `None` where there is no such list.
#[cfg(target_os = "linux")]
fn is_listed(file: &File) -> Option<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata().ok()?;
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // A line such as `3: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF`; the last number of the sixth word is the inode.
    let wanted = format!(":{}", metadata.ino());
    Some(locks.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next() == Some("FLOCK") && words.nth(3).is_some_and(|place| place.ends_with(&wanted))
    }))
}

#[cfg(not(target_os = "linux"))]
fn is_listed(_file: &File) -> Option<bool> {
    None
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-lock");
    name.into()
}

/// The number that the holder wrote; a file longer than any number is not read to its end.
fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_dropped_is_free_though_a_child_still_has_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("test.db");
        let lock = WriterLock::acquire(&database).unwrap();
        // As fork does.
        let _inherited = lock.file.try_clone().unwrap();
        assert!(matches!(WriterLock::acquire(&database), Err(StorageError::Locked { .. })));
        drop(lock);
        WriterLock::acquire(&database).unwrap();
    }
}
