//! `decode`: frames as hex in, one JSON object a line out.

pub(crate) mod line;

use crate::cli::DecodeArgs;
use crate::config::hashtag;
use anyhow::{Context as _, Result};
use line::DecodedLine;
use meshcore::{ChannelKey, KeyRing};
use std::io::{BufRead as _, BufWriter, Write};

/// Decodes the arguments, or standard input when there are none. A bad frame is a line with `ok: false`, not a failure.
///
/// # Errors
/// When a key is not one, or input or output fail.
pub(crate) fn run(args: &DecodeArgs) -> Result<()> {
    let keys = key_ring(args)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if !args.frames.is_empty() {
        for frame in &args.frames {
            print(&mut out, frame, &keys)?;
        }
    } else {
        for line in std::io::stdin().lock().split(b'\n') {
            let line = line.context("cannot read standard input")?;
            // A line that is not text is not hex either, and is said to be so like any other.
            print(&mut out, &String::from_utf8_lossy(&line), &keys)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn print(out: &mut impl Write, text: &str, keys: &KeyRing) -> Result<()> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(());
    }
    let bytes = meshcore::decode_hex(text);
    let line = match &bytes {
        Some(bytes) => DecodedLine::of(bytes, keys),
        None => DecodedLine::not_hex(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)?;
    Ok(())
}

fn key_ring(args: &DecodeArgs) -> Result<KeyRing> {
    let mut keys = KeyRing::with_public();
    for name in &args.channels {
        keys.add_hashtag(&hashtag(name));
    }
    for (number, hex) in (1..).zip(&args.keys) {
        let key = ChannelKey::from_hex(hex.trim()).with_context(|| format!("--key number {number}"))?;
        keys.add(&format!("key-{number}"), key);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests;
