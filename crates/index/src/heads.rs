//! The dictionary of frame heads, and which of them have the same hops.

use std::num::NonZeroU8;

use meshcore::{Path, Route};

use crate::arena::Arena;
use crate::hash_sizes::hash_size;
use crate::row_set::RowSet;

/// Bit 7 of the first byte: four bytes of transport codes stand at the end.
const CODES_FOLLOW: u8 = 0x80;

/// The parts of a head; the format is that of [`model::FrameHead`].
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) route: Route,
    pub(crate) path: Path<'a>,
    /// Only when they differ from those of the transmission.
    pub(crate) codes: Option<[u8; 4]>,
}

impl<'a> Head<'a> {
    /// `None` when the bytes are not a head.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Head<'a>> {
        let (&[flags, path_byte], rest) = bytes.split_first_chunk()?;
        let route = Route::from_bits(flags);
        let (path_bytes, codes) = match flags & !0b11 {
            0 => (rest, None),
            CODES_FOLLOW if route.has_transport_codes() => {
                let (path_bytes, codes) = rest.split_last_chunk()?;
                (path_bytes, Some(*codes))
            }
            _ => return None,
        };
        let path = Path::new(path_byte, path_bytes).ok()?;
        Some(Head { route, path, codes })
    }

    /// What two copies must share to have gone the same way: the hop size and the hops; without hops, nothing.
    fn way(&self) -> (u8, &'a [u8]) {
        let hash_size = if self.path.is_empty() { 0 } else { self.path.hash_size() };
        (hash_size, self.path.bytes())
    }
}

/// All heads, by their ids, which have no gaps.
#[derive(Default)]
pub(crate) struct HeadTable {
    arena: Arena,
    entries: Vec<Entry>,
    by_bytes: RowSet,
    by_way: RowSet,
}

#[derive(Clone, Copy)]
struct Entry {
    at: u32,
    /// The first head with the same way, which may be this one: equal numbers mean equal ways.
    way: u32,
    len: u8,
    hops: u8,
    hash_size: Option<NonZeroU8>,
    /// Whether the copy has transport codes that stand not here but in the transmission.
    borrows_codes: bool,
}

impl HeadTable {
    pub(crate) fn len(&self) -> u32 {
        self.entries.len() as u32
    }

    pub(crate) fn has_room(&self, bytes: &[u8]) -> bool {
        self.entries.len() < u32::MAX as usize && self.arena.has_room(bytes.len())
    }

    /// The bytes of a head that exists.
    pub(crate) fn bytes(&self, head: u32) -> &[u8] {
        let entry = self.entries[head as usize];
        self.arena.get(entry.at, usize::from(entry.len))
    }

    pub(crate) fn get(&self, head: u32) -> Head<'_> {
        Head::parse(self.bytes(head)).expect("only heads that parse are kept")
    }

    pub(crate) fn find(&self, bytes: &[u8]) -> Option<u32> {
        self.by_bytes.find(&bytes, |head| self.bytes(head))
    }

    /// A number that heads of the same way share.
    pub(crate) fn way(&self, head: u32) -> u32 {
        self.entries[head as usize].way
    }

    /// [`Self::way`] of a head that need not be in the dictionary; `None` when no head went this way.
    pub(crate) fn find_way(&self, head: &Head<'_>) -> Option<u32> {
        self.by_way.find(&head.way(), |row| self.get(row).way())
    }

    /// How many hops a head that exists has.
    pub(crate) fn hop_count(&self, head: u32) -> u8 {
        self.entries[head as usize].hops
    }

    /// [`hash_size`] of a head that exists.
    pub(crate) fn hash_size(&self, head: u32) -> Option<NonZeroU8> {
        self.entries[head as usize].hash_size
    }

    /// Whether frames with this head take their transport codes from the transmission.
    pub(crate) fn borrows_codes(&self, head: u32) -> bool {
        self.entries[head as usize].borrows_codes
    }

    /// Appends a head that is not in the dictionary; `head` is the parse of `bytes`.
    pub(crate) fn push(&mut self, bytes: &[u8], head: &Head<'_>) {
        let id = self.len();
        let known_way = self.find_way(head);
        let at = self.arena.push(bytes);
        self.entries.push(Entry {
            at,
            way: known_way.unwrap_or(id),
            len: bytes.len() as u8,
            hops: head.path.count() as u8,
            hash_size: hash_size(head.route, head.path).and_then(NonZeroU8::new),
            borrows_codes: head.route.has_transport_codes() && head.codes.is_none(),
        });
        let (entries, arena) = (&self.entries, &self.arena);
        let bytes_of = |row: u32| {
            let entry = entries[row as usize];
            arena.get(entry.at, usize::from(entry.len))
        };
        self.by_bytes.insert(&bytes, id, bytes_of);
        if known_way.is_none() {
            self.by_way.insert(&head.way(), id, |row| {
                Head::parse(bytes_of(row)).expect("only heads that parse are kept").way()
            });
        }
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.arena.heap_bytes()
            + self.entries.capacity() * size_of::<Entry>()
            + self.by_bytes.heap_bytes()
            + self.by_way.heap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_with_the_same_hops_share_a_way_whatever_the_route() {
        let heads: [&[u8]; 6] = [
            &[1, 0],
            &[2, 0x40],
            &[1, 2, 7, 8],
            &[0x80, 2, 7, 8, 9, 9, 9, 9],
            &[1, 0x41, 7, 8],
            &[2, 2, 8, 7],
        ];
        let mut table = HeadTable::default();
        for bytes in heads {
            table.push(bytes, &Head::parse(bytes).unwrap());
        }
        let ways: Vec<u32> = (0..6).map(|head| table.way(head)).collect();
        assert_eq!(ways, [0, 0, 2, 2, 4, 5]);
        assert_eq!(table.find(&[1, 0x41, 7, 8]), Some(4));
        assert_eq!(table.find(&[2, 0x41, 7, 8]), None);
        assert_eq!(table.find_way(&Head::parse(&[2, 0x41, 7, 8]).unwrap()), Some(4));
        assert_eq!(table.hop_count(4), 1);
    }

    #[test]
    fn what_is_not_a_head_is_refused() {
        let bad: [&[u8]; 9] = [
            &[],
            &[1],
            &[1, 1],
            &[1, 0, 7],
            &[1, 0xC0],
            &[5, 0],
            &[0x81, 0, 1, 2, 3, 4],
            &[0x80, 0, 1, 2, 3],
            &[0xC0, 0, 1, 2, 3, 4],
        ];
        for bytes in bad {
            assert!(Head::parse(bytes).is_none(), "{bytes:?}");
        }
        let mut too_long = vec![7; 2 + 66];
        too_long[..2].copy_from_slice(&[1, 0x40 | 33]);
        assert!(Head::parse(&too_long).is_none(), "33 hops of 2 bytes are too many");
    }
}
