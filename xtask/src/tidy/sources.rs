//! Sizes of files and functions, and where `unsafe` may stand.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Beyond this a file does more than one thing.
const MAX_FILE_LINES: usize = 600;

/// Beyond this a function no longer fits the reader's eye.
const MAX_FUNCTION_LINES: usize = 80;

/// The only modules that may hold `unsafe`; each block there carries its SAFETY sentence.
const UNSAFE_ALLOWED: &[&str] = &["crates/storage/src/status.rs", "crates/storage/src/vfs.rs"];

/// Endings of the files that these rules are about.
const SOURCE_ENDINGS: &[&str] = &["rs", "ts", "svelte", "css"];

/// Checks every source file.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn check(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for path in files {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        let in_testdata = path.components().any(|part| part.as_os_str() == "testdata");
        if !SOURCE_ENDINGS.contains(&ending) || in_testdata {
            continue;
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = text.lines().count();
        if lines > MAX_FILE_LINES {
            violations.push(format!("{}: {lines} lines, at most {MAX_FILE_LINES}", path.display()));
        }
        if ending == "rs" {
            violations.extend(long_functions(path, &text));
            violations.extend(stray_unsafe(path, &text));
        }
    }
    Ok(violations)
}

/// Relies on rustfmt: a function's closing brace stands in the column of its first word.
fn long_functions(path: &Path, text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let mut open: Option<(usize, usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if let Some((start, column, name)) = &open {
            if line.trim_end() == format!("{}}}", " ".repeat(*column)) {
                let length = number - start + 1;
                if length > MAX_FUNCTION_LINES {
                    violations.push(format!(
                        "{}:{}: fn {name} has {length} lines, at most {MAX_FUNCTION_LINES}",
                        path.display(),
                        start + 1
                    ));
                }
                open = None;
            }
        } else if let Some(name) = function_name(line) {
            // A signature that ends on its own line has no body of more than one line.
            if !line.trim_end().ends_with(['}', ';']) {
                open = Some((number, indent, name));
            }
        }
    }
    violations
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let is_prefix = |word: &str| {
        matches!(word, "pub" | "const" | "async" | "unsafe" | "extern" | "\"C\"") || word.starts_with("pub(")
    };
    let first = words.by_ref().find(|word| !is_prefix(word))?;
    (first == "fn")
        .then(|| words.next().unwrap_or_default().split(['(', '<']).next().unwrap_or_default().to_owned())
}

fn stray_unsafe(path: &Path, text: &str) -> Option<String> {
    let allowed = UNSAFE_ALLOWED.iter().any(|allowed| path == Path::new(allowed));
    let keyword = ["un", "safe"].concat();
    let openings = [format!("{keyword} {{"), format!("{keyword} fn"), format!("{keyword} impl")];
    let found = text.lines().position(|line| openings.iter().any(|opening| line.contains(opening.as_str())));
    match found {
        Some(line) if !allowed => {
            Some(format!("{}:{}: {keyword} outside its modules", path.display(), line + 1))
        }
        _ => None,
    }
}
