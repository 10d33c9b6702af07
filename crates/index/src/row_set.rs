//! A set of row numbers that finds a row by a key which stands in the columns, not in the set.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// A table doubles when it is full, and whoever applies the change that fills it waits for the move of all rows.
/// In 64 parts the longest wait is a 64th of that.
const SHARDS: usize = 64;

/// Four bytes and one of control per slot. The hash is seeded per process, so that nobody can aim at one slot.
pub(crate) struct RowSet {
    shards: Box<[HashTable<u32>]>,
    hasher: DefaultHashBuilder,
}

impl Default for RowSet {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| HashTable::new()).collect(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl RowSet {
    /// The row with this key; `key_of` reads the key of a row.
    pub(crate) fn find<K: Hash + Eq>(&self, key: &K, key_of: impl Fn(u32) -> K) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.shards[shard_of(hash)].find(hash, |row| key_of(*row) == *key).copied()
    }

    /// Adds a row whose key is not in the set yet.
    pub(crate) fn insert<K: Hash>(&mut self, key: &K, row: u32, key_of: impl Fn(u32) -> K) {
        let hasher = &self.hasher;
        let hash = hasher.hash_one(key);
        self.shards[shard_of(hash)].insert_unique(hash, row, |row| hasher.hash_one(key_of(*row)));
    }

    /// Bytes of heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let tables: usize = self.shards.iter().map(HashTable::allocation_size).sum();
        tables + self.shards.len() * size_of::<HashTable<u32>>()
    }
}

/// The table itself uses the lowest bits for the slot and the seven highest for its control byte.
fn shard_of(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_keys_and_others_are_not() {
        let keys: Vec<u64> = (0..10_000).map(|i| i * 7919).collect();
        let key_of = |row: u32| keys[row as usize];
        let mut set = RowSet::default();
        for (row, key) in keys.iter().enumerate() {
            assert_eq!(set.find(key, key_of), None);
            set.insert(key, row as u32, key_of);
        }
        for (row, key) in keys.iter().enumerate() {
            assert_eq!(set.find(key, key_of), Some(row as u32));
            assert_eq!(set.find(&(key + 1), key_of), None);
        }
    }
}
