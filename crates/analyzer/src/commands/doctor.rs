//! `doctor`: what is wrong with this installation, what it means, and what to do.
//!
//! Each check is a small module that gives findings; none of them changes anything but a nameless file that it writes to
//! time the disk. Everything has a time limit, since a broker that hangs or a server's disk that is gone must not make
//! the doctor hang as well.

mod brokers;
mod clock;
mod configuration;
mod database;
mod disk;
mod finding;
mod folder;
mod memory;
mod mount;
mod ports;
mod stats_file;

use super::out;
use crate::cli::{DoctorArgs, RunArgs};
use crate::config::Loaded;
use crate::parts::plan::{self, Plan};
use finding::{Finding, Level};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// For the checks that time the disk, before the others begin to read from it.
const DISK_LIMIT: Duration = Duration::from_secs(5);

/// For all others, which run side by side.
const LIMIT: Duration = Duration::from_secs(9);

/// What the checks look at.
struct Patient {
    loaded: Loaded,
    plan: Plan,
    folder: PathBuf,
    database: PathBuf,
    /// The process that writes the database now.
    writer: Option<u32>,
}

type Check = fn(&Patient) -> Vec<Finding>;

/// Runs all checks and prints what they found. Fails when something is in error; warnings alone do not.
pub(crate) fn run(args: &DoctorArgs) -> ExitCode {
    let mut findings = vec![version()];
    let loaded = configuration::check(args, &mut findings);
    match patient(args, loaded) {
        Ok(patient) => {
            let patient = Arc::new(patient);
            let disk: [(&'static str, Check); 2] = [("data folder", folder::check), ("disk", disk::check)];
            let rest: [(&'static str, Check); 6] = [
                ("clock", clock::check),
                ("ports", ports::check),
                ("brokers", brokers::check),
                ("database", database::check),
                ("memory", memory::check),
                ("stats file", stats_file::check),
            ];
            findings.extend(within(DISK_LIMIT, &patient, &disk));
            findings.extend(within(LIMIT, &patient, &rest));
        }
        Err(error) => findings.push(
            Finding::error("configuration", format!("{error:#}"))
                .meaning("the program does not start")
                .action("correct the addresses in the configuration or on the command line"),
        ),
    }
    let text = if args.json { finding::as_json(&findings) } else { finding::as_text(&findings) };
    let said = out::say(&text);
    if said.is_err() || finding::worst(&findings) == Level::Error {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn version() -> Finding {
    let mode = if cfg!(debug_assertions) { ", built without optimisation" } else { "" };
    Finding::ok("version", format!("meshcore-analyzer {}{mode}", env!("CARGO_PKG_VERSION")))
}

fn patient(args: &DoctorArgs, loaded: Loaded) -> anyhow::Result<Patient> {
    let folder = plan::kept_folder(args.database.data_dir.as_deref(), &loaded);
    let run =
        RunArgs { http: args.http, mqtt: args.mqtt, data_dir: Some(folder.clone()), ..RunArgs::default() };
    let plan = Plan::new(&run, &loaded)?;
    let database = folder.join(plan::DATABASE);
    let writer = storage::writer_of(&database).flatten();
    Ok(Patient { loaded, plan, folder, database, writer })
}

/// Runs the checks at the same time and gives their findings in the order of the list. One that does not come to an end
/// is left behind; it ends with the process.
fn within(limit: Duration, patient: &Arc<Patient>, checks: &[(&'static str, Check)]) -> Vec<Finding> {
    let deadline = Instant::now() + limit;
    let (sender, receiver) = mpsc::channel();
    for (place, (_, check)) in checks.iter().enumerate() {
        let (patient, check, sender) = (Arc::clone(patient), *check, sender.clone());
        std::thread::spawn(move || {
            // The receiver is gone when the time is over, and then nobody wants to know.
            let _ = sender.send((place, check(&patient)));
        });
    }
    drop(sender);
    let mut found: Vec<Option<Vec<Finding>>> = checks.iter().map(|_| None).collect();
    while let Ok((place, findings)) =
        receiver.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    {
        found[place] = Some(findings);
    }
    let named = checks.iter().zip(found);
    named
        .flat_map(|((name, _), findings)| findings.unwrap_or_else(|| vec![unfinished(name, limit)]))
        .collect()
}

fn unfinished(name: &'static str, limit: Duration) -> Finding {
    Finding::warning(name, format!("did not come to an end within {} s", limit.as_secs()))
        .meaning("a disk or a server takes very long to answer, or there is a lot to read")
        .action(
            "run the doctor again when the machine is idle; look at the system's log for errors of the disk",
        )
}
