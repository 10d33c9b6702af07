//! `simulate`: a synthetic mesh as its observers would publish it.

use crate::cli::SimulateArgs;
use crate::commands::replay::publish_all;
use crate::pace::Pace;
use anyhow::{Context as _, Result};
use model::UnixMillis;
use mqtt::{BrokerUrl, Qos};
use simulator::{Mesh, SimConfig, SimMessage};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes or publishes as many messages as were asked for.
///
/// # Errors
/// When the file cannot be written, or the broker refuses or goes away.
pub(crate) fn run(args: &SimulateArgs) -> Result<()> {
    let messages = mesh(args).take(usize::try_from(args.messages).unwrap_or(usize::MAX));
    if let Some(to) = &args.to {
        let url = BrokerUrl::parse(to)?;
        let pace = Pace::new(args.rate, None)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sent = runtime.block_on(publish_all(&url, Qos::AtLeastOnce, pace, messages.map(Ok)))?;
        eprintln!("published {sent} messages to {url}");
        return Ok(());
    }
    match args.out.as_deref() {
        Some(path) if path == Path::new("-") => write(std::io::stdout().lock(), messages),
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            write(file, messages).with_context(|| format!("cannot write {}", path.display()))
        }
        None => Ok(()),
    }
}

fn mesh(args: &SimulateArgs) -> Mesh {
    let mut config = SimConfig {
        seed: args.seed,
        nodes: args.nodes,
        observers: args.observers,
        packets_per_hour: args.packets_per_hour,
        ..SimConfig::default()
    };
    config.start = match args.start {
        Some(start) => UnixMillis(start.as_millisecond()),
        None => {
            // Several copies of each packet are published, so the messages span this long in the mesh's own time.
            let packets = args.messages as f64 / config.observations_per_packet.max(1.0);
            let span_ms = packets / args.packets_per_hour.max(1.0) * 3_600_000.0;
            UnixMillis::now().plus_ms(-(span_ms as i64))
        }
    };
    Mesh::new(config)
}

fn write(out: impl Write, messages: impl Iterator<Item = SimMessage>) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, out);
    for message in messages {
        // The payload is a JSON object already and stands in the line as it is.
        let topic = serde_json::to_string(&message.topic)?;
        writeln!(out, "{{\"topic\":{topic},\"payload\":{}}}", message.payload)?;
    }
    out.flush()?;
    Ok(())
}
