//! TRACE: measures the signal at each hop of a route that its sender gives.

use super::reader::Reader;
use super::{PayloadError, concat};
use crate::path::{Hop, Path};

/// A trace: its route stands in the payload, and the path of the frame holds what was measured so far.
///
/// Each repeater that finds its key at the front of the route still to go appends the signal-to-noise ratio at which it
/// heard the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trace<'a> {
    /// Chosen by the sender. All states of one trace share it, while the content hash changes at every hop.
    pub tag: u32,
    /// Chosen by the sender.
    pub auth: u32,
    /// Bits 0–1: the binary logarithm of the size of a route entry in bytes.
    pub flags: u8,
    /// The route as bytes; see [`Trace::entries`].
    pub route: &'a [u8],
    /// One byte for each hop done: see [`Trace::snrs_quarter_db`].
    pub snr_bytes: &'a [u8],
}

impl<'a> Trace<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, path: Path<'a>) -> Result<Trace<'a>, PayloadError> {
        Ok(Trace {
            tag: reader.u32("tag")?,
            auth: reader.u32("auth code")?,
            flags: reader.byte("flags")?,
            route: reader.rest(),
            snr_bytes: path.bytes(),
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        concat(out, &[&self.tag.to_le_bytes(), &self.auth.to_le_bytes(), &[self.flags], self.route]);
    }

    /// The bytes of one route entry: 1, 2, 4 or 8. This is not the coding of paths.
    pub const fn entry_size(&self) -> u8 {
        1 << (self.flags & 3)
    }

    /// The whole entries of the route, each the first bytes of a repeater's key.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = Hop<'a>> + ExactSizeIterator + Clone + use<'a> {
        self.route.chunks_exact(self.entry_size() as usize).map(Hop)
    }

    /// How many bytes are left over after the last whole entry; 0 in what the firmware sends.
    pub const fn remainder(&self) -> usize {
        self.route.len() % self.entry_size() as usize
    }

    /// The signal-to-noise ratio at each hop done, in quarters of a decibel. May be more than the route has entries.
    pub fn snrs_quarter_db(
        &self,
    ) -> impl DoubleEndedIterator<Item = i8> + ExactSizeIterator + Clone + use<'a> {
        self.snr_bytes.iter().map(|byte| *byte as i8)
    }

    /// How many hops have been done.
    pub const fn hops_done(&self) -> usize {
        self.snr_bytes.len()
    }
}
