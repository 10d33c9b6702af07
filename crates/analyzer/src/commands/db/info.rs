//! `db info`: sizes, rows and state, as a table or as JSON.

use super::locate;
use crate::cli::DbInfoArgs;
use crate::commands::{out, units};
use anyhow::{Result, bail};
use serde::Serialize;
use storage::{DatabaseInfo, Depth, ObjectInfo, ObjectKind, StorageError};

/// Looks and prints.
///
/// # Errors
/// When there is no database, or it cannot be read; with `--check` also when it is damaged.
pub(crate) fn run(args: &DbInfoArgs) -> Result<()> {
    let path = locate(&args.database)?;
    let depth = if args.check { Depth::SizesAndCheck } else { Depth::Sizes };
    let info = match storage::database_info(&path, depth) {
        Ok(info) => info,
        Err(error @ StorageError::NotThere { .. }) => {
            bail!("{error}; `meshcore-analyzer run` makes one, and --data-dir DIR says where it is")
        }
        Err(error) => return Err(error.into()),
    };
    let text =
        if args.json { serde_json::to_string_pretty(&Report::from(&info))? + "\n" } else { describe(&info) };
    out::say(&text)?;
    match info.faults.as_deref() {
        Some([first, ..]) => bail!("{} is damaged: {first}; restore a backup", path.display()),
        _ => Ok(()),
    }
}

fn describe(info: &DatabaseInfo) -> String {
    let mut lines = vec![
        ("database", info.path.display().to_string()),
        ("format", format!("{}, and this release knows formats up to {}", info.format.0, info.format.1)),
        ("made", info.created.map_or("unknown".to_owned(), units::time)),
    ];
    let writer = match info.writer {
        None => "nobody".to_owned(),
        Some(None) => "a process that did not say its number".to_owned(),
        Some(Some(pid)) => format!("process {pid}"),
    };
    lines.push(("in use by", writer));
    let file = units::bytes(info.file_bytes);
    let (pages, free) = (units::count(info.pages), units::count(info.free_pages));
    lines.push(("file", format!("{file}; {pages} pages of {} bytes, {free} of them free", info.page_size)));
    let frames = units::count(info.wal_frames);
    lines.push(("log", format!("{}; {frames} of its frames in use", units::bytes(info.wal_bytes))));
    if let (Some(rows), Some((oldest, newest))) = (info.rows_of("observations"), info.observed) {
        let each = info.bytes_per_observation().unwrap_or_default();
        lines.push(("observations", format!("{}, {each:.1} bytes each with everything", units::count(rows))));
        lines.push(("heard", format!("{} to {}", units::time(oldest), units::time(newest))));
    } else {
        lines.push(("observations", "none".to_owned()));
    }
    if let Some(faults) = &info.faults {
        let found = if faults.is_empty() { "no damage".to_owned() } else { faults.join("\n              ") };
        lines.push(("check", found));
    }
    let lines: String = lines.iter().map(|(name, text)| format!("{name:<14}{text}\n")).collect();
    format!("{lines}\n{}", objects(info))
}

fn objects(info: &DatabaseInfo) -> String {
    let whole = (info.pages * info.page_size).max(1);
    let row = |name: &str, rows: &str, bytes: u64, rest: &str| {
        let share = bytes as f64 * 100.0 / whole as f64;
        format!("{name:<40} {rows:>12} {:>10} {share:>5.1} %{rest}\n", units::bytes(bytes))
    };
    let mut text = format!(
        "{:<40} {:>12} {:>10} {:>7} {:>10} {:>6}\n",
        "table or index", "rows", "size", "share", "bytes/row", "full"
    );
    for object in &info.objects {
        let rows = object.rows.map_or(String::new(), units::count);
        let each = per_row(object).map_or(String::new(), |bytes| format!("{bytes:.1}"));
        let full = 100 - object.unused * 100 / object.bytes.max(1);
        text += &row(&name(object), &rows, object.bytes, &format!(" {each:>10} {full:>4} %"));
    }
    let free = info.free_pages * info.page_size;
    let in_trees: u64 = info.objects.iter().map(|object| object.bytes).sum();
    text += &row("(free pages)", "", free, "");
    text += &row("(map of pages)", "", whole.saturating_sub(in_trees + free), "");
    text
}

fn name(object: &ObjectInfo) -> String {
    match object.kind {
        ObjectKind::Table => object.name.clone(),
        ObjectKind::Index => format!("{} (index of {})", object.name, object.table),
        ObjectKind::Internal => format!("({})", object.name),
    }
}

fn per_row(object: &ObjectInfo) -> Option<f64> {
    object.rows.filter(|rows| *rows > 0).map(|rows| object.bytes as f64 / rows as f64)
}

/// The same as JSON: bytes, counts, and times in milliseconds since 1970.
#[derive(Serialize)]
struct Report<'a> {
    path: String,
    format: i32,
    newest_known_format: i32,
    created_ms: Option<i64>,
    in_use: bool,
    writer_pid: Option<u32>,
    file_bytes: u64,
    page_size: u64,
    pages: u64,
    free_pages: u64,
    wal_bytes: u64,
    wal_frames: u64,
    oldest_observation_ms: Option<i64>,
    newest_observation_ms: Option<i64>,
    bytes_per_observation: Option<f64>,
    objects: Vec<ObjectReport<'a>>,
    /// Absent unless a check was asked for; empty when there is no damage.
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<&'a [String]>,
}

#[derive(Serialize)]
struct ObjectReport<'a> {
    name: &'a str,
    table: &'a str,
    kind: &'static str,
    rows: Option<u64>,
    pages: u64,
    bytes: u64,
    payload_bytes: u64,
    unused_bytes: u64,
    bytes_per_row: Option<f64>,
}

impl<'a> From<&'a DatabaseInfo> for Report<'a> {
    fn from(info: &'a DatabaseInfo) -> Self {
        Self {
            path: info.path.display().to_string(),
            format: info.format.0,
            newest_known_format: info.format.1,
            created_ms: info.created.map(|time| time.0),
            in_use: info.writer.is_some(),
            writer_pid: info.writer.flatten(),
            file_bytes: info.file_bytes,
            page_size: info.page_size,
            pages: info.pages,
            free_pages: info.free_pages,
            wal_bytes: info.wal_bytes,
            wal_frames: info.wal_frames,
            oldest_observation_ms: info.observed.map(|(oldest, _)| oldest.0),
            newest_observation_ms: info.observed.map(|(_, newest)| newest.0),
            bytes_per_observation: info.bytes_per_observation(),
            objects: info.objects.iter().map(ObjectReport::from).collect(),
            faults: info.faults.as_deref(),
        }
    }
}

impl<'a> From<&'a ObjectInfo> for ObjectReport<'a> {
    fn from(object: &'a ObjectInfo) -> Self {
        Self {
            name: &object.name,
            table: &object.table,
            kind: match object.kind {
                ObjectKind::Table => "table",
                ObjectKind::Index => "index",
                ObjectKind::Internal => "internal",
            },
            rows: object.rows,
            pages: object.pages,
            bytes: object.bytes,
            payload_bytes: object.payload,
            unused_bytes: object.unused,
            bytes_per_row: per_row(object),
        }
    }
}
