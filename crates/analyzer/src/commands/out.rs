//! Saying something on standard output in one piece.

use std::io::{self, ErrorKind, Write as _};

/// Prints the text. That the reader has seen enough, as `head` has, is no failure.
///
/// # Errors
/// When it cannot be written for another reason, such as a full disk.
pub(crate) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
