//! SQLite's own record of which page hangs from which
//! (<https://www.sqlite.org/fileformat2.html#pointer_map_or_ptrmap_pages>).
//!
//! A database with auto-vacuum has it, so that a page can be moved without a search for what points to it: every 820th
//! page holds, for each of the 819 pages behind it, a letter for its kind and the page from which it hangs. Going from
//! parent to parent ends at the root of a table or an index.

use std::collections::HashMap;

/// Bytes of a page; databases with other pages are not told apart.
pub(super) const PAGE_BYTES: usize = crate::schema::PAGE_BYTES as usize;

/// Bytes of an entry: kind and parent.
const ENTRY_BYTES: usize = 5;

/// Entries of a page of the map.
const ENTRIES: u32 = (PAGE_BYTES / ENTRY_BYTES) as u32;

/// A tree is at most some twenty pages high; a chain of overflow pages may be longer, of one row. What is longer than this,
/// or runs in a circle, is damaged.
const MAX_STEPS: usize = 4_096;

/// A page's content.
pub(super) type Page = [u8; PAGE_BYTES];

/// What a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The map does not say.
    Unknown,
    /// Nothing: it is free.
    Free,
    /// The map itself.
    Map,
    /// The list of tables, whose root is page 1.
    Schema,
    /// The table or index with this root page.
    Tree(u32),
}

/// The pages of the map, as they are in the database.
#[derive(Debug, Default)]
pub(super) struct PageMap {
    committed: HashMap<u32, Box<Page>>,
    /// Those that the present transaction has written.
    ahead: HashMap<u32, Box<Page>>,
}

impl PageMap {
    /// Takes the content of a page of the map that the present transaction has written.
    pub(super) fn put(&mut self, page: u32, content: &Page) {
        match self.ahead.get_mut(&page) {
            Some(known) => **known = *content,
            None => {
                self.ahead.insert(page, Box::new(*content));
            }
        }
    }

    /// The present transaction was committed.
    pub(super) fn commit(&mut self) {
        self.committed.extend(self.ahead.drain());
    }

    /// The present transaction was undone.
    pub(super) fn undo(&mut self) {
        self.ahead.clear();
    }

    /// What a page belongs to when the present transaction is committed.
    pub(super) fn owner_ahead(&self, page: u32) -> Owner {
        owner(page, |map_page| self.ahead.get(&map_page).or_else(|| self.committed.get(&map_page)))
    }

    /// What a page belongs to by the newest commit. A transaction writes the pages of the map one by one, so while it is at
    /// work only this makes sense as a whole.
    pub(super) fn owner(&self, page: u32) -> Owner {
        owner(page, |map_page| self.committed.get(&map_page))
    }
}

/// Goes from parent to parent.
fn owner<'a>(page: u32, map: impl Fn(u32) -> Option<&'a Box<Page>>) -> Owner {
    if is_map_page(page) {
        return Owner::Map;
    }
    let mut at = page;
    for _ in 0..MAX_STEPS {
        if at == 1 {
            return Owner::Schema;
        }
        let entry = place_of(at).and_then(|(map_page, place)| entry(map(map_page)?, place));
        match entry {
            Some((1, _)) => return Owner::Tree(at),
            Some((2, _)) if at == page => return Owner::Free,
            Some((3..=5, parent)) => at = parent,
            _ => return Owner::Unknown,
        }
    }
    Owner::Unknown
}

fn entry(content: &Page, place: usize) -> Option<(u8, u32)> {
    match content.get(place..place + ENTRY_BYTES)? {
        &[kind, a, b, c, d] => Some((kind, u32::from_be_bytes([a, b, c, d]))),
        _ => None,
    }
}

/// The pages of the map in a database of so many pages.
pub(super) fn map_pages(pages: u32) -> impl Iterator<Item = u32> {
    (2..=pages).step_by(ENTRIES as usize + 1)
}

/// Whether this is a page of the map. The page at 1 GiB, which SQLite keeps for locks and never writes, is none with pages
/// of 4 KiB, so the rule has no exception.
pub(super) fn is_map_page(page: u32) -> bool {
    page >= 2 && (page - 2).is_multiple_of(ENTRIES + 1)
}

/// In which page of the map the entry of a page is, and at which byte; the pages of the map and page 1 have none.
fn place_of(page: u32) -> Option<(u32, usize)> {
    let behind = page.checked_sub(2)? % (ENTRIES + 1);
    let place = usize::try_from(behind.checked_sub(1)?).ok()?;
    Some((page - behind, place * ENTRY_BYTES))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map_of(entries: &[(u32, u8, u32)]) -> PageMap {
        let mut pages: HashMap<u32, Page> = HashMap::new();
        for (page, kind, parent) in entries {
            let (map_page, place) = place_of(*page).unwrap();
            let content = pages.entry(map_page).or_insert([0; PAGE_BYTES]);
            content[place] = *kind;
            content[place + 1..place + 5].copy_from_slice(&parent.to_be_bytes());
        }
        let mut map = PageMap::default();
        pages.iter().for_each(|(page, content)| map.put(*page, content));
        map.commit();
        map
    }

    #[test]
    fn a_page_belongs_to_the_root_to_which_its_parents_lead() {
        let map = map_of(&[
            (3, 1, 0),
            (4, 5, 3),
            (5, 5, 4),
            (6, 3, 5),
            (7, 4, 6),
            (8, 2, 0),
            (9, 5, 1),
            (900, 5, 4),
            (10, 5, 8),
            (11, 9, 3),
        ]);
        let owners: Vec<_> = [3, 4, 5, 6, 7, 900].iter().map(|page| map.owner(*page)).collect();
        assert_eq!(owners, [Owner::Tree(3); 6]);
        assert_eq!([map.owner(8), map.owner(1), map.owner(9)], [Owner::Free, Owner::Schema, Owner::Schema]);
        assert_eq!([map.owner(2), map.owner(822)], [Owner::Map; 2]);
        // Below a free page, of a kind that is none, without an entry, beyond all.
        assert_eq!([10, 11, 12, 0, u32::MAX].map(|page| map.owner(page)), [Owner::Unknown; 5]);
    }

    #[test]
    fn pages_that_hang_from_one_another_in_a_circle_are_nobodys() {
        let map = map_of(&[(3, 5, 4), (4, 5, 3), (5, 5, 5)]);
        assert_eq!([3, 4, 5].map(|page| map.owner(page)), [Owner::Unknown; 3]);
    }

    #[test]
    fn the_page_that_sqlite_keeps_for_locks_is_no_page_of_the_map() {
        assert!(!is_map_page((1 << 30) / PAGE_BYTES as u32 + 1));
        assert_eq!(map_pages(1).count(), 0);
        assert_eq!(map_pages(1_700).collect::<Vec<_>>(), [2, 822, 1_642]);
        assert!(map_pages(1_700).all(is_map_page));
    }

    proptest! {
        #[test]
        fn whatever_is_in_the_map_a_question_has_an_answer(
            content in proptest::collection::vec(0_u8..6, PAGE_BYTES),
            page in any::<u32>(),
        ) {
            let mut map = PageMap::default();
            map.put(2, content.as_slice().try_into().unwrap());
            map.owner_ahead(page);
            map.commit();
            map.owner(page % 1_000);
        }
    }
}
