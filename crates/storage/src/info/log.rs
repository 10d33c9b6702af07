//! What is in a write-ahead log, read from its headers (<https://www.sqlite.org/fileformat2.html#walformat>).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes of the log's own header.
const HEADER: usize = 32;

/// Bytes before the page in each frame.
const FRAME_HEADER: usize = 24;

/// What a log begins with; the last bit only says how its checksums are computed.
const MAGIC: u32 = 0x377f_0682;

/// Frames that belong to the present round of the log. A log that begins anew keeps its size: what stands behind these is
/// left from the round before.
///
/// # Errors
/// When the file cannot be read. One that is missing, empty or no log has no frames.
pub(super) fn frames(path: &Path) -> io::Result<u64> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut header = [0; HEADER];
    if !fill(&mut file, &mut header)? || word(&header, 0) & !1 != MAGIC {
        return Ok(0);
    }
    let page_size = word(&header, 8);
    let salts = &header[16..24];
    let mut frame = [0; FRAME_HEADER];
    let mut count = 0;
    while fill(&mut file, &mut frame)? && &frame[8..16] == salts {
        count += 1;
        file.seek(SeekFrom::Current(page_size.into()))?;
    }
    Ok(count)
}

/// Whether there were so many bytes.
fn fill(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn word(bytes: &[u8; HEADER], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
