//! Can the configuration be read, and what is odd in it?

use super::finding::Finding;
use crate::cli::DoctorArgs;
use crate::config::{self, Loaded};

/// Reads it; when it cannot be read, the other checks go on with the defaults.
pub(super) fn check(args: &DoctorArgs, findings: &mut Vec<Finding>) -> Loaded {
    const CHECK: &str = "configuration";
    let loaded = match Loaded::read(args.database.config.as_deref()) {
        Ok(loaded) => loaded,
        Err(error) => {
            findings.push(
                Finding::error(CHECK, error.to_string())
                    .meaning("the program does not start; what follows is about the defaults instead")
                    .action("correct that place in the file, or name another file with --config"),
            );
            return Loaded::default();
        }
    };
    findings.push(match &loaded.path {
        Some(path) => Finding::ok(CHECK, format!("{} can be read", path.display())),
        None => Finding::ok(CHECK, "none, all defaults"),
    });
    findings.extend(loaded.warnings.iter().map(|warning| {
        Finding::warning(CHECK, warning.clone())
            .meaning("this part of the configuration does nothing")
            .action("correct or remove it")
    }));
    if let Err(error) = config::key_ring(&loaded.file, loaded.path.as_deref()) {
        findings.push(
            Finding::error(CHECK, error.to_string())
                .meaning("the program does not start without its channel keys")
                .action("correct the key, or remove it"),
        );
    }
    if loaded.api.api_key.is_empty() {
        findings.push(Finding::ok(CHECK, "no apiKey: routes that write, and GET /api/backup, are closed"));
    } else if !loaded.api.has_strong_key() {
        findings.push(
            Finding::warning(CHECK, "the apiKey can be guessed")
                .meaning("requests with it are refused: routes that write, and GET /api/backup, are closed")
                .action("choose one of at least 16 characters that is no example"),
        );
    }
    loaded
}
