//! `cargo xtask bench`: the figures that the README and the documents quote.

use crate::process;
use anyhow::{Result, bail};

/// Name, package and bench target of each benchmark.
const BENCHES: &[(&str, &str, &str)] = &[
    ("decode", "meshcore", "decode"),
    ("index", "index", "index"),
    ("ingest", "ingest", "ingest"),
    ("storage", "storage", "write"),
    ("import", "corescope", "import"),
    ("requests", "api", "requests"),
    ("api", "analyzer", "api"),
    ("mqtt", "mqtt", "throughput"),
    ("system", "analyzer", "system"),
    ("live", "analyzer", "live"),
    ("write", "analyzer", "write"),
    ("ledger", "analyzer", "ledger"),
];

/// Runs one benchmark, or all.
///
/// # Errors
/// When the name is unknown or a benchmark fails.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let chosen: Vec<_> = match args {
        [] => BENCHES.to_vec(),
        [name] => BENCHES.iter().copied().filter(|(known, ..)| known == name).collect(),
        _ => Vec::new(),
    };
    if chosen.is_empty() {
        let names: Vec<_> = BENCHES.iter().map(|(name, ..)| *name).collect();
        bail!("usage: cargo xtask bench [{}]", names.join(" | "));
    }
    for (_, package, target) in chosen {
        process::cargo(&["bench", "--package", package, "--bench", target])?;
    }
    Ok(())
}
