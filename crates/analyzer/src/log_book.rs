//! What is written to the log is written to a disk, too, more often than not: it is counted like everything else.

use std::io::{self, Write};
use telemetry::Counter;

/// Bytes written to standard error.
pub(crate) static BYTES: Counter = Counter::new();
/// Writes.
pub(crate) static WRITES: Counter = Counter::new();
/// Of the bytes, those of threads that serve sockets, whose writes the kernel counts together with theirs to sockets.
pub(crate) static NETWORK_BYTES: Counter = Counter::new();

/// A stream whose writes are counted.
pub(crate) struct Counted<W>(pub(crate) W);

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let written = self.0.write(text)?;
        WRITES.increment();
        BYTES.add(written as u64);
        if std::thread::current().name().is_some_and(telemetry::serves_sockets) {
            NETWORK_BYTES.add(written as u64);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
