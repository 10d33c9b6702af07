//! Can the file be written in which CoreScope's server looks for the counters of its ingestor?

use super::Patient;
use super::finding::Finding;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const CHECK: &str = "stats file";

/// Contract §2.5.
const VARIABLE: &str = "CORESCOPE_INGESTOR_STATS";
const USUAL: &str = "/tmp/corescope-ingestor-stats.json";

pub(super) fn check(_patient: &Patient) -> Vec<Finding> {
    let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
    vec![judge(&named.map_or_else(|| PathBuf::from(USUAL), PathBuf::from))]
}

fn judge(path: &Path) -> Finding {
    let shown = path.display();
    let cannot = |why: String, action: String| {
        Finding::warning(CHECK, format!("{shown} {why}"))
            .meaning(
                "programs that read the counters from this file see old ones or none; nothing else suffers",
            )
            .action(action)
    };
    let elsewhere = format!("name another path in the environment variable {VARIABLE}");
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            return cannot(
                "is a link, and links are not followed there".to_owned(),
                format!("see who made it, then remove it; or {elsewhere}"),
            );
        }
        Ok(found) if !found.is_file() => return cannot("is not a file".to_owned(), elsewhere),
        Ok(found) if is_foreign(&found) => {
            return cannot("belongs to another user".to_owned(), format!("remove it, or {elsewhere}"));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return cannot(format!("cannot be looked at: {error}"), elsewhere);
        }
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // It is written beside and renamed, so it is the folder that must let us.
    match tempfile::tempfile_in(folder) {
        Ok(_) => Finding::ok(CHECK, format!("{shown} can be written")),
        Err(error) => cannot(format!("cannot be written: {error}"), elsewhere),
    }
}

/// The superuser may replace anybody's file.
#[cfg(unix)]
fn is_foreign(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let us = rustix::process::geteuid();
    !us.is_root() && found.uid() != us.as_raw()
}

#[cfg(not(unix))]
fn is_foreign(_found: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::{Level, worst};

    #[test]
    fn a_planted_link_a_folder_and_a_missing_folder_are_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        let level = |path: PathBuf| worst(&[judge(&path)]);
        assert_eq!(level(folder.path().join("new.json")), Level::Ok);
        fs::write(folder.path().join("old.json"), "{}").unwrap();
        assert_eq!(level(folder.path().join("old.json")), Level::Ok);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("old.json", folder.path().join("link.json")).unwrap();
            assert_eq!(level(folder.path().join("link.json")), Level::Warning);
        }
        assert_eq!(level(folder.path().to_path_buf()), Level::Warning);
        assert_eq!(level(folder.path().join("none/new.json")), Level::Warning);
    }
}
