//! What a check found, and how it is shown.

use crate::commands::units;
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    /// It works, and may not for long or not as well as it could.
    Warning,
    /// It does not work.
    Error,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    check: &'static str,
    level: Level,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, found: found.into(), meaning: None, action: None }
    }

    pub(super) fn warning(check: &'static str, found: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::ok(check, found) }
    }

    pub(super) fn error(check: &'static str, found: impl Into<String>) -> Self {
        Self { level: Level::Error, ..Self::ok(check, found) }
    }

    /// What follows from it.
    pub(super) fn meaning(mut self, text: impl Into<String>) -> Self {
        self.meaning = Some(text.into());
        self
    }

    /// What to do about it.
    pub(super) fn action(mut self, text: impl Into<String>) -> Self {
        self.action = Some(text.into());
        self
    }
}

/// The level of the worst finding.
pub(super) fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}

/// One JSON object, for a program.
pub(super) fn as_json(findings: &[Finding]) -> String {
    #[derive(Serialize)]
    struct Report<'a> {
        level: Level,
        findings: &'a [Finding],
    }
    // Texts and names only, which always serialise.
    serde_json::to_string_pretty(&Report { level: worst(findings), findings }).unwrap_or_default() + "\n"
}

/// Text for a person.
pub(super) fn as_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "ERROR",
        };
        text += &format!("{level:<9}{:<15}{}\n", finding.check, finding.found);
        for (label, more) in [("means", &finding.meaning), ("do", &finding.action)] {
            if let Some(more) = more {
                text += &format!("{:<24}{label}: {more}\n", "");
            }
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    text + &format!("\n{}, {}\n", units::things(errors, "error"), units::things(warnings, "warning"))
}
