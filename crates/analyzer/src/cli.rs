//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::UnixMillis;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Shows a MeshCore radio mesh: takes packets from MQTT, decodes and stores them, and serves the page.
#[derive(Debug, Parser)]
#[command(name = "meshcore-analyzer", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take packets from MQTT and serve the page; runs until it is stopped
    Run(RunArgs),
    /// Only take packets and write them; `serve` processes on the same data folder show them
    Ingest(IngestArgs),
    /// Only serve the page, from what an `ingest` process on the same data folder writes
    Serve(ServeArgs),
    /// Decode frames given as hex, one JSON object a line
    Decode(DecodeArgs),
    /// Publish a recorded capture to an MQTT broker
    Replay(ReplayArgs),
    /// Make a synthetic mesh as observers publish it, to a file or a broker
    Simulate(SimulateArgs),
    /// Take over the database of CoreScope, of any age; it is only read
    Import(ImportArgs),
    /// Write out what is stored, as JSON Lines or CSV, also while the program runs
    Export(ExportArgs),
    /// Look at a configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look into the database; the program may be running
    Db(DbArgs),
    /// Copy the database to a file while the program runs
    Backup(BackupArgs),
    /// Put a backup in the place of the database
    Restore(RestoreArgs),
    /// Show what the running program writes, who causes it and what is wrong, second by second
    Top(TopArgs),
    /// Fetch all figures of the running program as one file, for somebody who is to help; names are replaced
    Bundle(BundleArgs),
    /// Look for what is wrong with this installation, and say what to do about it
    Doctor(DoctorArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print what a configuration means and everything that is wrong in it; ends with 1 if something is
    Check(ConfigCheckArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ConfigCheckArgs {
    /// The file; without it, the one that `run` would read
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct RunArgs {
    /// Configuration file; without it, ./config.json if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the database
    /// [default: the folder of the configuration's dbPath, else ./data; with --demo a temporary folder]
    #[arg(long, value_name = "DIR", env = "ANALYZER_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where the page and the API listen; 0.0.0.0:3000 opens them to the network [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR:PORT", env = "ANALYZER_HTTP")]
    pub(crate) http: Option<SocketAddr>,
    /// Where the embedded MQTT broker listens, or `off`
    /// [default: 127.0.0.1:1883, or off when the configuration names outside brokers]
    #[arg(long, value_name = "ADDR:PORT|off", env = "ANALYZER_MQTT")]
    pub(crate) mqtt: Option<BrokerListen>,
    /// Show recorded packets, shifted to now, and then a simulated mesh that goes on for ever
    #[arg(long)]
    pub(crate) demo: bool,
}

#[derive(Args, Debug)]
pub(crate) struct IngestArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Where the embedded MQTT broker listens, or `off`
    /// [default: 127.0.0.1:1883, or off when the configuration names outside brokers]
    #[arg(long, value_name = "ADDR:PORT|off", env = "ANALYZER_MQTT")]
    pub(crate) mqtt: Option<BrokerListen>,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Where the page and the API listen; 0.0.0.0:3000 opens them to the network [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR:PORT", env = "ANALYZER_HTTP")]
    pub(crate) http: Option<SocketAddr>,
}

impl From<IngestArgs> for RunArgs {
    fn from(args: IngestArgs) -> Self {
        let DatabaseArgs { config, data_dir } = args.database;
        Self { config, data_dir, mqtt: args.mqtt, ..Self::default() }
    }
}

impl From<ServeArgs> for RunArgs {
    fn from(args: ServeArgs) -> Self {
        let DatabaseArgs { config, data_dir } = args.database;
        Self { config, data_dir, http: args.http, ..Self::default() }
    }
}

#[derive(Args, Debug)]
pub(crate) struct DecodeArgs {
    /// Frames as hex; without any, lines are read from standard input
    #[arg(value_name = "HEX")]
    pub(crate) frames: Vec<String>,
    /// A channel's secret, 32 or 64 hex digits; may be given several times
    #[arg(long = "key", value_name = "HEX")]
    pub(crate) keys: Vec<String>,
    /// A hashtag channel such as `#test`; may be given several times. Public is always known
    #[arg(long = "channel", value_name = "NAME")]
    pub(crate) channels: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// JSON Lines with `topic` and `payload`, as `simulate --out` writes them
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) broker: BrokerArgs,
    /// Messages a second, evenly spaced; without --rate and --speed, as fast as the broker takes them
    #[arg(long, value_name = "N", conflicts_with = "speed")]
    pub(crate) rate: Option<f64>,
    /// Keep the recorded pace, this many times faster
    #[arg(long, value_name = "X")]
    pub(crate) speed: Option<f64>,
    /// Move all timestamps so that the newest is now
    #[arg(long)]
    pub(crate) shift_to_now: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BrokerArgs {
    /// Broker as mqtt://[user:password@]host[:port]
    #[arg(long = "to", value_name = "URL")]
    pub(crate) to: String,
    /// Quality of service: 0 is sent and forgotten, 1 is acknowledged once stored
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=1))]
    pub(crate) qos: u8,
}

#[derive(Args, Debug)]
pub(crate) struct SimulateArgs {
    /// The same seed makes the same mesh
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Nodes of the mesh
    #[arg(long, default_value_t = 300)]
    pub(crate) nodes: usize,
    /// Observers among them
    #[arg(long, default_value_t = 40)]
    pub(crate) observers: usize,
    /// Packets an hour, in the mesh's own time
    #[arg(long, value_name = "N", default_value_t = 3600.0)]
    pub(crate) packets_per_hour: f64,
    /// Stop after this many messages
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) messages: u64,
    /// Time of the first message, RFC 3339 [default: so that the last is about now]
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<jiff::Timestamp>,
    /// Write JSON Lines here; `-` is standard output
    #[arg(long, value_name = "FILE", conflicts_with = "to", required_unless_present = "to")]
    pub(crate) out: Option<PathBuf>,
    /// Publish to a broker, mqtt://[user:password@]host[:port]
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    /// Messages a second towards the broker; without it, as fast as the broker takes them
    #[arg(long, value_name = "N", requires = "to")]
    pub(crate) rate: Option<f64>,
}

/// Where the database is.
#[derive(Args, Debug, Default)]
pub(crate) struct DatabaseArgs {
    /// Configuration file, for its dbPath; without it, ./config.json if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the database [default: the folder of the configuration's dbPath, else ./data]
    #[arg(long, value_name = "DIR", env = "ANALYZER_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    pub(crate) command: DbCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Sizes by table and index, rows, bytes per observation, free pages, log
    Info(DbInfoArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DbInfoArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Also look for damage
    #[arg(long)]
    pub(crate) check: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// Where to; readable by its owner only
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Millions of bytes a second at most, 0 for no limit. The default is half of what an SD card can write, so that the
    /// program gets its commits through
    #[arg(long, value_name = "MB/S", default_value_t = storage::DEFAULT_BACKUP_RATE as f64 / 1e6, value_parser = rate)]
    pub(crate) rate: f64,
    /// Replace FILE if it exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// A backup
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Replace a database that is there; it is kept beside the new one under another name
    #[arg(long)]
    pub(crate) force: bool,
}

/// Which running program is asked.
#[derive(Args, Debug, Default)]
pub(crate) struct ProgramArgs {
    /// Address of the page [default: where `run` would listen on this machine]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Configuration file, for its listen.http; without it, ./config.json if there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where the page and the API listen, as for `run`
    #[arg(long, value_name = "ADDR:PORT", env = "ANALYZER_HTTP")]
    pub(crate) http: Option<SocketAddr>,
}

#[derive(Args, Debug)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
    /// Print everything once and end; so it is when the output is no terminal
    #[arg(long)]
    pub(crate) once: bool,
    /// The API key, to pause and resume jobs
    #[arg(long, value_name = "KEY", env = "ANALYZER_API_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct BundleArgs {
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
    /// Write to this file, which must not be there yet; `-` is standard output
    /// [default: meshcore-analyzer-bundle.json on a terminal, else standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Where the page and the API are to listen, as for `run`
    #[arg(long, value_name = "ADDR:PORT", env = "ANALYZER_HTTP")]
    pub(crate) http: Option<SocketAddr>,
    /// Where the embedded MQTT broker is to listen, as for `run`
    #[arg(long, value_name = "ADDR:PORT|off", env = "ANALYZER_MQTT")]
    pub(crate) mqtt: Option<BrokerListen>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate == 0.0 || (rate.is_finite() && rate >= 0.001) => Ok(rate),
        _ => Err("want millions of bytes a second, such as 5 or 0.5, or 0 for no limit".to_owned()),
    }
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// CoreScope's database, usually meshcore.db
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: DatabaseArgs,
    /// Read and judge everything, write nothing, and print the same report
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// `jsonl`: one JSON object a line; `csv`: for spreadsheets
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: ExportFormat,
    /// What to write out
    #[arg(long, value_name = "ROWS", default_value = "observations")]
    pub(crate) what: ExportRows,
    /// Only from this time on, RFC 3339 or a date such as 2026-01-31 (UTC): observations by when they were heard,
    /// transmissions by when they were heard first, nodes and observers by when they were last heard
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<UnixMillis>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<UnixMillis>,
    /// Write to this file, which appears when it is complete; without it, to standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DatabaseArgs,
}

/// How rows are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    Jsonl,
    Csv,
}

/// Which rows are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportRows {
    Observations,
    Transmissions,
    Nodes,
    Observers,
}

/// A time as people give it: with a zone, or a day, which begins at midnight UTC.
fn time(text: &str) -> Result<UnixMillis, String> {
    let midnight = format!("{text}T00:00:00Z");
    let instant = text.parse::<jiff::Timestamp>().or_else(|_| midnight.parse::<jiff::Timestamp>()).ok();
    instant
        .map(|instant| UnixMillis(instant.as_millisecond()))
        .ok_or_else(|| "want a time such as 2026-01-31T12:00:00Z, or a day such as 2026-01-31".to_owned())
}

/// Where the embedded broker listens, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrokerListen {
    Off,
    At(SocketAddr),
}

impl FromStr for BrokerListen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::Off);
        }
        text.parse()
            .map(Self::At)
            .map_err(|_| "want an address and port such as 127.0.0.1:1883, or `off`".to_owned())
    }
}
