//! The path byte and the path: hashes of one, two or three bytes (firmware `Packet.cpp`).

use std::fmt;

use crate::hex::Hex;
use crate::key::NodeKey;

/// The most bytes a path can have (`MAX_PATH_SIZE`).
pub const MAX_PATH_BYTES: usize = 64;

/// A path as it stands in a frame: the path byte and the hashes, which always agree.
///
/// Repeaters passed so far in a flood, repeaters still ahead in a direct packet. In a TRACE the bytes are not hashes
/// but signal-to-noise ratios, see [`crate::Trace`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path<'a> {
    byte: u8,
    bytes: &'a [u8],
}

/// Why a path byte and path bytes do not make a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A hash size other than 1, 2 or 3 bytes; on air it is code 3 in the two highest bits.
    #[error("path hashes have 1, 2 or 3 bytes")]
    HashSize,
    /// More than 63 hashes or more than 64 bytes.
    #[error("path of more than 63 hashes or 64 bytes")]
    TooLong,
    /// The bytes are not as many as the path byte says, or the hash has another size than the path's.
    #[error("path bytes do not match the path's hash size and count")]
    Mismatch,
}

impl<'a> Path<'a> {
    /// No hops, of one-byte hashes: what the firmware sends to neighbours only.
    pub const EMPTY: Path<'static> = Path { byte: 0, bytes: &[] };

    /// A path from its two parts.
    ///
    /// # Errors
    /// When the size code is 3, the path is too long, or `bytes` has another length than `byte` says.
    pub fn new(byte: u8, bytes: &'a [u8]) -> Result<Path<'a>, PathError> {
        let len = path_len(byte)?;
        if len == bytes.len() { Ok(Path { byte, bytes }) } else { Err(PathError::Mismatch) }
    }

    /// A path whose parts were checked before; wrong parts give a wrong path, nothing worse.
    pub(crate) const fn from_checked(byte: u8, bytes: &'a [u8]) -> Path<'a> {
        Path { byte, bytes }
    }

    /// The path byte: bits 0–5 the number of hashes, bits 6–7 their size minus one.
    pub const fn byte(&self) -> u8 {
        self.byte
    }

    /// The bytes of one hash: 1, 2 or 3. The origin of the packet chose it.
    pub const fn hash_size(&self) -> u8 {
        (self.byte >> 6) + 1
    }

    /// How many hashes there are: 0 to 63.
    pub const fn count(&self) -> usize {
        (self.byte & 63) as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All hashes, one after the other.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The hashes in the order on air.
    pub fn hops(&self) -> impl DoubleEndedIterator<Item = Hop<'a>> + ExactSizeIterator + Clone + use<'a> {
        self.bytes.chunks_exact(self.hash_size() as usize).map(Hop)
    }

    /// An owned copy.
    pub fn to_buf(&self) -> PathBuf {
        let mut buf = PathBuf { byte: self.byte, bytes: [0; MAX_PATH_BYTES] };
        buf.bytes[..self.bytes.len()].copy_from_slice(self.bytes);
        buf
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({:02X} {:X})", self.byte, Hex(self.bytes))
    }
}

/// The number of path bytes that a path byte announces.
pub(crate) const fn path_len(byte: u8) -> Result<usize, PathError> {
    if byte >> 6 == 3 {
        return Err(PathError::HashSize);
    }
    let len = (byte & 63) as usize * ((byte >> 6) as usize + 1);
    if len > MAX_PATH_BYTES { Err(PathError::TooLong) } else { Ok(len) }
}

/// The hash of a node: the first 1 to 3 bytes of its key in a path; 1, 2, 4 or 8 in the route of a TRACE.
/// Shown as upper-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop<'a>(pub &'a [u8]);

impl<'a> Hop<'a> {
    /// The bytes.
    pub const fn bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Whether a node with this key can be meant.
    pub fn matches(&self, key: &NodeKey) -> bool {
        key.0.starts_with(self.0)
    }
}

impl fmt::Display for Hop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::UpperHex::fmt(&Hex(self.0), f)
    }
}

impl fmt::Debug for Hop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hop({self})")
    }
}

/// A path that owns its bytes and can grow, without allocating.
///
/// ```
/// use meshcore::{NodeKey, PathBuf};
///
/// let mut path = PathBuf::new(2)?;
/// path.push(&[0xAB, 0xCD])?;
/// path.push_key(&NodeKey([7; 32]))?;
/// assert_eq!(path.as_path().byte(), 0x42);
/// assert_eq!(path.as_path().hops().map(|hop| hop.to_string()).collect::<Vec<_>>(), ["ABCD", "0707"]);
/// # Ok::<(), meshcore::PathError>(())
/// ```
#[derive(Clone, Copy)]
pub struct PathBuf {
    byte: u8,
    bytes: [u8; MAX_PATH_BYTES],
}

impl PathBuf {
    /// No hops yet, of hashes with `hash_size` bytes.
    ///
    /// # Errors
    /// When `hash_size` is not 1, 2 or 3.
    pub const fn new(hash_size: u8) -> Result<PathBuf, PathError> {
        match hash_size {
            1..=3 => Ok(PathBuf { byte: (hash_size - 1) << 6, bytes: [0; MAX_PATH_BYTES] }),
            _ => Err(PathError::HashSize),
        }
    }

    /// The path of a TRACE after these hops: one byte each, the signal-to-noise ratio in quarters of a decibel.
    ///
    /// # Errors
    /// When there are more than 63.
    pub fn from_snrs(quarter_db: &[i8]) -> Result<PathBuf, PathError> {
        let mut path = PathBuf::new(1)?;
        quarter_db.iter().try_for_each(|snr| path.push(&[*snr as u8]))?;
        Ok(path)
    }

    /// Appends a hash, as a repeater that forwards a flood does with its own.
    ///
    /// # Errors
    /// When it has another size than the path's hashes, or would be one too many.
    pub fn push(&mut self, hash: &[u8]) -> Result<(), PathError> {
        let path = self.as_path();
        if hash.len() != path.hash_size() as usize {
            return Err(PathError::Mismatch);
        }
        let (start, count) = (path.bytes.len(), path.count());
        let end = start + hash.len();
        if count == 63 || end > MAX_PATH_BYTES {
            return Err(PathError::TooLong);
        }
        self.bytes[start..end].copy_from_slice(hash);
        self.byte += 1;
        Ok(())
    }

    /// Appends the hash of the node with this key.
    ///
    /// # Errors
    /// When it would be one too many.
    pub fn push_key(&mut self, key: &NodeKey) -> Result<(), PathError> {
        let size = self.as_path().hash_size() as usize;
        self.push(&key.0[..size])
    }

    /// Removes the first hash, as a repeater that forwards a direct packet does with its own; `false` when there was
    /// none. The size of the hashes stays.
    pub fn pop_front(&mut self) -> bool {
        let path = self.as_path();
        let (len, size) = (path.bytes.len(), path.hash_size() as usize);
        if len == 0 {
            return false;
        }
        self.bytes.copy_within(size..len, 0);
        self.byte -= 1;
        true
    }

    /// As it stands in a frame.
    pub fn as_path(&self) -> Path<'_> {
        let len = (self.byte & 63) as usize * ((self.byte >> 6) as usize + 1);
        Path { byte: self.byte, bytes: &self.bytes[..len.min(MAX_PATH_BYTES)] }
    }
}

impl PartialEq for PathBuf {
    fn eq(&self, other: &PathBuf) -> bool {
        self.as_path() == other.as_path()
    }
}

impl Eq for PathBuf {}

impl fmt::Debug for PathBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_path(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_takes_63_hops_of_one_byte_32_of_two_and_21_of_three() {
        for (size, most) in [(1, 63), (2, 32), (3, 21)] {
            let mut path = PathBuf::new(size).unwrap();
            for _ in 0..most {
                path.push(&[9; 3][..size as usize]).unwrap();
            }
            assert_eq!(path.push(&[9; 3][..size as usize]), Err(PathError::TooLong));
            let whole = path.as_path();
            assert_eq!(whole.count(), most);
            assert_eq!(Path::new(whole.byte(), whole.bytes()), Ok(whole));
        }
        assert_eq!(PathBuf::new(4), Err(PathError::HashSize));
    }

    #[test]
    fn the_hash_size_survives_when_a_direct_path_runs_empty() {
        let mut path = PathBuf::new(3).unwrap();
        path.push(&[1, 2, 3]).unwrap();
        path.push(&[4, 5, 6]).unwrap();
        assert!(path.pop_front());
        assert_eq!(path.as_path().bytes(), [4, 5, 6]);
        assert!(path.pop_front());
        assert!(!path.pop_front());
        assert_eq!(path.as_path().byte(), 0x80);
    }
}
