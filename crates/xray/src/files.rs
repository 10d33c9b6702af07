//! Small files that are replaced whole, and what writing them costs.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use telemetry::Counter;

/// What was written to files of one kind, for the ledger.
#[derive(Debug, Default)]
pub struct Written {
    /// Bytes.
    pub bytes: Counter,
    /// Calls of `write`.
    pub operations: Counter,
}

impl Written {
    /// Writes all of it, and counts.
    pub(crate) fn write(&self, file: &mut impl Write, content: &[u8]) -> io::Result<()> {
        file.write_all(content)?;
        self.bytes.add(content.len() as u64);
        self.operations.increment();
        Ok(())
    }
}

/// Replaces a file by a new one, so that it is whole at any time. What lies in the way of the new one is removed and never
/// followed. Nothing is forced to the medium: all of this may be lost with the power, and is then noticed.
///
/// # Errors
/// Says which file could not be removed, made or written.
pub fn replace_file(path: &Path, content: &[u8], written: &Written) -> io::Result<()> {
    replace(path, content, written, |_| Ok(()))
}

/// The same for a file of the operator: it keeps its permissions, a link to it stays one, and it is on the medium before it
/// takes the place of the old one, so that no loss of power can leave neither.
///
/// # Errors
/// As [`replace_file`], and when there is no such file.
pub fn replace_file_durably(path: &Path, content: &[u8], written: &Written) -> io::Result<()> {
    let path = fs::canonicalize(path).map_err(|error| named(path, "cannot be found", &error))?;
    let permissions =
        fs::metadata(&path).map_err(|error| named(&path, "cannot be read", &error))?.permissions();
    replace(&path, content, written, |file| {
        file.set_permissions(permissions)?;
        file.sync_all()
    })?;
    // The name is in the folder.
    match path.parent().map(fs::File::open) {
        Some(Ok(folder)) => folder.sync_all(),
        _ => Ok(()),
    }
}

fn replace(
    path: &Path,
    content: &[u8],
    written: &Written,
    finish: impl FnOnce(&fs::File) -> io::Result<()>,
) -> io::Result<()> {
    let aside = beside(path, ".tmp");
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(named(&aside, "is in the way and cannot be removed", &error));
        }
        _ => {}
    }
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside);
    let mut file = opened.map_err(|error| named(&aside, "cannot be made", &error))?;
    let done = written
        .write(&mut file, content)
        .and_then(|()| finish(&file))
        .and_then(|()| fs::rename(&aside, path));
    done.map_err(|error| {
        // Half a file must not stay where a full disk needs the room.
        let _ = fs::remove_file(&aside);
        named(path, "cannot be written", &error)
    })
}

/// The path with something added to its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// An error that says which file it is about.
pub(crate) fn named(path: &Path, what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{} {what}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_that_lies_in_the_way_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("file"), folder.path().join("victim"));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, beside(&path, ".tmp")).unwrap();
        symlink(&victim, &path).unwrap();
        let written = Written::default();
        replace_file(&path, b"new", &written).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!((written.bytes.get(), written.operations.get()), (3, 1));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left aside");
    }

    #[test]
    fn an_operators_file_keeps_its_permissions_and_stays_where_its_link_leads() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&file, &link).unwrap();
        let written = Written::default();
        replace_file_durably(&link, b"newer", &written).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"newer");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(written.bytes.get(), 5);
        replace_file_durably(&folder.path().join("other"), b"x", &written).unwrap_err();
    }
}
