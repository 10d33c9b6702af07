//! Cuts the byte stream of a socket into whole packets.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Violation, read_length};

/// First read of a connection: 4 KiB, so that ten thousand idle clients cost 40 MB, not 640.
const FIRST_READ: usize = 4 << 10;
/// Largest read: 64 KiB, a few hundred packets for one system call.
const LARGEST_READ: usize = 64 << 10;

/// Bytes read and not yet cut. Grows with what has really arrived, never with what a header promises.
#[derive(Debug)]
pub(crate) struct FrameBuffer {
    buffer: BytesMut,
    max_packet: usize,
    read_size: usize,
}

/// Whole packets that arrived together.
#[derive(Debug)]
pub(crate) struct Frames {
    bytes: Bytes,
    position: usize,
}

/// One packet: its first byte, and where its body is in the bytes of its [`Frames`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first_byte: u8,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl FrameBuffer {
    /// `max_packet`: the largest packet accepted, in bytes, its header included.
    pub(crate) fn new(max_packet: usize) -> Self {
        Self { buffer: BytesMut::new(), max_packet, read_size: FIRST_READ }
    }

    /// Reads what the socket has, waiting for something; 0 = the peer is gone. Loses nothing when cancelled.
    pub(crate) async fn fill<R: AsyncRead + Unpin>(&mut self, socket: &mut R) -> io::Result<usize> {
        if self.buffer.capacity() - self.buffer.len() < self.read_size / 4 {
            // Doubling what is there keeps the copying of one large packet linear.
            self.buffer.reserve(self.read_size.max(self.buffer.len()));
        }
        let room = self.buffer.capacity() - self.buffer.len();
        let count = socket.read_buf(&mut self.buffer).await?;
        if count == room && self.read_size < LARGEST_READ {
            self.read_size *= 2;
        } else if count < self.read_size / 16 && self.read_size > FIRST_READ {
            self.read_size /= 2;
        }
        Ok(count)
    }

    /// The first byte not yet taken.
    pub(crate) fn first_byte(&self) -> Option<u8> {
        self.buffer.first().copied()
    }

    /// The whole packets read so far; none yet is `Ok` and empty. A violation is reported once the packets before it are taken.
    pub(crate) fn take(&mut self) -> Result<Frames, Violation> {
        let mut end = 0;
        loop {
            match next_packet(&self.buffer[end..], self.max_packet) {
                Ok(Some((_, length))) => end += length,
                Ok(None) => break,
                Err(violation) if end == 0 => return Err(violation),
                Err(_) => break,
            }
        }
        Ok(Frames { bytes: self.buffer.split_to(end).freeze(), position: 0 })
    }
}

impl Frames {
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn body(&self, frame: Frame) -> &[u8] {
        &self.bytes[frame.start..frame.end]
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let rest = &self.bytes[self.position..];
        let (header, length) = next_packet(rest, usize::MAX).ok().flatten()?;
        let frame = Frame { first_byte: rest[0], start: self.position + header, end: self.position + length };
        self.position = frame.end;
        Some(frame)
    }
}

/// Length of the header and of the whole packet at the start of `bytes`, once it is there.
fn next_packet(bytes: &[u8], max_packet: usize) -> Result<Option<(usize, usize)>, Violation> {
    let Some(after_first) = bytes.get(1..) else { return Ok(None) };
    let Some((body, length_bytes)) = read_length(after_first)? else { return Ok(None) };
    let header = 1 + length_bytes;
    let length = header + body;
    if length > max_packet {
        return Err(Violation::TooLarge(length));
    }
    Ok((bytes.len() >= length).then_some((header, length)))
}
