//! A file in the making: locked, for its owner's eyes only, and gone unless it is finished.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use crate::{StorageError, store};

/// How often an unfinished file may vanish under our hands before we take it that others are at work.
const MAX_TRIES: usize = 10;

/// Removed when dropped, unless it was given its final name.
///
/// The lock goes with the process, so what a killed one left behind is simply taken over.
#[derive(Debug)]
pub(crate) struct PartFile {
    path: PathBuf,
    file: File,
    finished: bool,
}

impl PartFile {
    /// Makes the file, or empties one that nobody works on any more.
    ///
    /// # Errors
    /// [`StorageError::BackupUnderWay`] when somebody does; [`StorageError::NotWritable`].
    pub(crate) fn create(path: PathBuf) -> Result<Self, StorageError> {
        let failed = |error: io::Error| StorageError::not_writable(&path, &error);
        for _ in 0..MAX_TRIES {
            let file = open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // Between the two calls its owner may have finished with it; then this is a file without a name.
            if is_at(&file, &path).map_err(failed)? {
                prepare(&file).map_err(failed)?;
                return Ok(Self { path, file, finished: false });
            }
        }
        Err(StorageError::BackupUnderWay { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Forces what was written so far to the medium.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        self.file.sync_all().map_err(|error| StorageError::not_writable(&self.path, &error))
    }

    /// Gives it the owner and, if it is a file, the rights of what it stands in for. A superuser who restores a database must
    /// not leave one that the program's own user cannot open.
    #[cfg(unix)]
    pub(crate) fn take_after(&self, model: &fs::Metadata) -> Result<(), StorageError> {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let failed = |error: io::Error| StorageError::not_writable(&self.path, &error);
        let ours = self.file.metadata().map_err(failed)?;
        if (ours.uid(), ours.gid()) != (model.uid(), model.gid()) {
            fchown(&self.file, Some(model.uid()), Some(model.gid())).map_err(failed)?;
        }
        if model.is_file() {
            self.file.set_permissions(model.permissions()).map_err(failed)?;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    pub(crate) fn take_after(&self, _model: &fs::Metadata) -> Result<(), StorageError> {
        Ok(())
    }

    /// Gives it its final name, for good.
    pub(crate) fn finish(mut self, to: &Path) -> Result<(), StorageError> {
        self.sync()?;
        fs::rename(&self.path, to).map_err(|error| StorageError::not_writable(to, &error))?;
        self.finished = true;
        sync_folder(to)
    }

    /// Takes its name away and leaves the content to whoever holds the value: however that ends, nothing remains.
    pub(crate) fn into_nameless(self) -> Result<File, StorageError> {
        let failed = |error: io::Error| StorageError::not_writable(&self.path, &error);
        let mut file = self.file.try_clone().map_err(failed)?;
        file.rewind().map_err(failed)?;
        Ok(file)
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "an unfinished file could not be removed");
        }
    }
}

/// A name is durable when its folder is.
pub(crate) fn sync_folder(file: &Path) -> Result<(), StorageError> {
    let folder = store::folder_of(file);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| StorageError::not_writable(folder, &error))
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // A link that somebody has planted at this name must not lead us to another file.
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    options.open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Empties it. One that was left behind may have other rights than a new one.
fn prepare(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    file.set_len(0)
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    Ok(path.exists())
}
