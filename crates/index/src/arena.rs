//! Short byte strings, kept one after the other for ever.

/// A place takes 32 bits: the block in the upper 14, the offset in the block in the lower 18.
const OFFSET_BITS: u32 = 18;

/// 256 KiB: large enough that the 255 bytes which may be lost at a block's end do not matter, small enough that the
/// unused rest of the newest block does not either.
const BLOCK_BYTES: usize = 1 << OFFSET_BITS;

const MAX_BLOCKS: usize = 1 << (32 - OFFSET_BITS);

/// Up to 4 GiB of byte strings, each addressed by 32 bits instead of the 16 bytes of a box and its allocation.
#[derive(Default)]
pub(crate) struct Arena {
    blocks: Vec<Vec<u8>>,
}

impl Arena {
    /// Whether one more string fits.
    pub(crate) fn has_room(&self, len: usize) -> bool {
        len <= BLOCK_BYTES && (self.blocks.len() < MAX_BLOCKS || self.last_has_room(len))
    }

    /// Appends a string and says where it is. The caller has asked [`Self::has_room`].
    pub(crate) fn push(&mut self, bytes: &[u8]) -> u32 {
        if !self.last_has_room(bytes.len()) {
            // The first block grows as it is filled, so that a small index is small.
            let capacity = if self.blocks.is_empty() { 0 } else { BLOCK_BYTES };
            self.blocks.push(Vec::with_capacity(capacity));
        }
        let block = self.blocks.len() - 1;
        let offset = self.blocks[block].len();
        self.blocks[block].extend_from_slice(bytes);
        (block as u32) << OFFSET_BITS | offset as u32
    }

    pub(crate) fn get(&self, at: u32, len: usize) -> &[u8] {
        let offset = (at as usize) & (BLOCK_BYTES - 1);
        &self.blocks[(at >> OFFSET_BITS) as usize][offset..offset + len]
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(Vec::capacity).sum();
        blocks + self.blocks.capacity() * size_of::<Vec<u8>>()
    }

    fn last_has_room(&self, len: usize) -> bool {
        self.blocks.last().is_some_and(|block| block.len() + len <= BLOCK_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_also_when_they_do_not_fill_a_block() {
        let mut arena = Arena::default();
        let strings: Vec<Vec<u8>> = (0..6000u32).map(|i| vec![i as u8; (i % 256) as usize]).collect();
        let places: Vec<u32> = strings.iter().map(|s| arena.push(s)).collect();
        assert!(arena.blocks.len() > 2, "several blocks are in use");
        for (string, at) in strings.iter().zip(places) {
            assert_eq!(arena.get(at, string.len()), string);
        }
        assert!(!arena.has_room(BLOCK_BYTES + 1));
    }
}
