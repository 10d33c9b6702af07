//! Which table or index the pages belong to that are written to the log, and copied by checkpoints.
//!
//! Every write of the log and of the database file passes by here with its bytes ([`crate::vfs`]). A frame says which page
//! it holds, and [`map`] to which tree that page belongs; the pages of the map itself pass by in the same way and so keep
//! our copy true. Since the map's page may come later in a commit than the page that it is about, what a transaction has
//! written is owed until its end and told apart then.
//!
//! Nothing here can make a write fail: what is not understood counts as `(unknown)`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use parking_lot::Mutex;
use rusqlite::Connection;
use telemetry::Counter;

use crate::{IoFile, IoWork};

mod map;
mod read;

use map::{Owner, PAGE_BYTES, Page, PageMap};
use read::{FRAME_BYTES, FRAME_HEADER_BYTES, Found, LOG_HEADER_BYTES, NoMap};

/// Frames of one transaction, 256 MiB of them, after which their bytes are told apart before its end, so that what is owed
/// stays small.
const MAX_OWED_FRAMES: usize = 65_536;

/// What the bytes belong to that belong to no table or index, in the order of their places.
const INTERNAL: [(&str, TreeKind); 5] = [
    ("(unknown)", TreeKind::Unknown),
    ("(free)", TreeKind::Internal),
    ("(page_map)", TreeKind::Internal),
    ("(schema)", TreeKind::Internal),
    ("(log_header)", TreeKind::Internal),
];

const UNKNOWN: usize = 0;
const FREE: usize = 1;
const MAP: usize = 2;
const SCHEMA: usize = 3;
const LOG_HEADER: usize = 4;

/// What a [`TreeStats`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// A table.
    Table,
    /// An index.
    Index,
    /// What SQLite keeps for itself.
    Internal,
    /// Pages of which it is not known to what they belong.
    Unknown,
}

/// Bytes of the pages of one table or index.
#[derive(Debug)]
pub struct TreeStats {
    name: String,
    kind: TreeKind,
    logged: [Counter; IoWork::ALL.len()],
    copied: Counter,
}

/// Bytes written to the log and the database file, by table and index.
///
/// All bytes written to the log are in [`TreeStats::logged_by`] of one tree, and all bytes written to the database file in
/// [`TreeStats::copied`] of one.
#[derive(Debug)]
pub struct PageStats {
    internal: [TreeStats; INTERNAL.len()],
    /// In the order of their roots, as the list of tables had them when the database was opened.
    named: OnceLock<Box<[TreeStats]>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    knowledge: Knowledge,
    map: PageMap,
    /// Places in `named`, by root page.
    roots: HashMap<u32, usize>,
    /// Which page each frame holds that the present transaction has written.
    frames: HashMap<u64, u32>,
    /// What the present transaction has written, by page.
    owed: HashMap<(u32, Effect), u64>,
    /// Whether the map may differ from that of the database.
    stale: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Knowledge {
    /// The database is still being opened.
    #[default]
    NotYet,
    /// The map is here.
    Map {
        /// Whether transactions are written to a log, and the database file only by checkpoints.
        has_log: bool,
    },
    /// This database has no map.
    Never,
}

/// Where bytes are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Effect {
    Logged(IoWork),
    Copied,
}

impl TreeStats {
    fn new(name: &str, kind: TreeKind) -> Self {
        let logged = std::array::from_fn(|_| Counter::new());
        Self { name: name.to_owned(), kind, logged, copied: Counter::new() }
    }

    /// Its name in the list of tables, or in brackets what else the bytes were for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    pub fn kind(&self) -> TreeKind {
        self.kind
    }

    /// Bytes of its pages that `work` has written to the log, each with its frame header of 24 bytes.
    pub fn logged_by(&self, work: IoWork) -> u64 {
        self.logged[work.place()].get()
    }

    /// Bytes of its pages that anybody has written to the log.
    pub fn logged(&self) -> u64 {
        self.logged.iter().map(Counter::get).sum()
    }

    /// Bytes of its pages that were written to the database file: by checkpoints, or by transactions where the file system
    /// allows no log.
    pub fn copied(&self) -> u64 {
        self.copied.get()
    }

    fn count(&self, effect: Effect, bytes: u64) {
        match effect {
            Effect::Logged(work) => self.logged[work.place()].add(bytes),
            Effect::Copied => self.copied.add(bytes),
        }
    }
}

impl Default for PageStats {
    fn default() -> Self {
        let internal = INTERNAL.map(|(name, kind)| TreeStats::new(name, kind));
        Self { internal, named: OnceLock::new(), state: Mutex::default() }
    }
}

impl PageStats {
    /// All trees; the same ones in the same order from [`crate::Storage::open`] on.
    pub fn trees(&self) -> impl Iterator<Item = &TreeStats> {
        self.internal.iter().chain(self.named())
    }

    /// The tree to which a page belongs by the newest commit.
    pub fn tree_of(&self, page: u32) -> &TreeStats {
        let state = self.state.lock();
        self.tree(state.place_of(state.map.owner(page)))
    }

    /// Learns the trees and the map of a database that was just opened. What was written until then is told apart.
    pub(crate) fn open(&self, conn: &Connection, path: &Path) {
        match read::read(conn) {
            Ok(found) => self.take(found),
            Err(reason) => {
                match reason {
                    NoMap::None(reason) => {
                        tracing::info!(path = %path.display(), reason, "what is written cannot be told apart by table");
                    }
                    NoMap::Sqlite(error) => {
                        tracing::warn!(path = %path.display(), %error, "what is written cannot be told apart by table until the next start");
                    }
                }
                self.named.get_or_init(Box::default);
                self.state.lock().knowledge = Knowledge::Never;
            }
        }
        self.settle(true);
    }

    /// Reads the map anew if it may differ from that of the database.
    pub(crate) fn refresh(&self, conn: &Connection) {
        if self.state.lock().is_stale() {
            // If this fails it is tried again; until then most of what is known is still true.
            if let Ok(found) = read::read(conn) {
                self.take(found);
            }
        }
    }

    /// Somebody else may have changed the database.
    pub(crate) fn distrust(&self) {
        self.state.lock().stale = true;
    }

    /// A transaction has ended: what it has written is told apart. What a failed one had told of the map is forgotten, and
    /// in case that it was committed in spite of what SQLite said, the map is read anew.
    pub(crate) fn settle(&self, committed: bool) {
        let mut state = self.state.lock();
        state.stale |= !committed && !state.owed.is_empty();
        self.pay(&mut state);
        if committed {
            state.map.commit();
        } else {
            state.map.undo();
        }
    }

    /// These bytes were written.
    pub(crate) fn wrote(&self, file: IoFile, work: IoWork, at: u64, bytes: &[u8]) {
        match file {
            IoFile::Wal => self.wrote_log(work, at, bytes),
            IoFile::Database => self.wrote_database(at, bytes),
            IoFile::Journal | IoFile::Temporary | IoFile::Aside | IoFile::Backup => {}
        }
    }

    fn wrote_log(&self, work: IoWork, mut at: u64, mut bytes: &[u8]) {
        let mut state = self.state.lock();
        // SQLite writes the log's header, each frame's header and each page by itself; this does not depend on it.
        while !bytes.is_empty() {
            let Some(behind) = at.checked_sub(LOG_HEADER_BYTES) else {
                let part = cut(&mut bytes, LOG_HEADER_BYTES - at);
                self.internal[LOG_HEADER].count(Effect::Logged(work), part.len() as u64);
                at += part.len() as u64;
                continue;
            };
            let (frame, inside) = (behind / FRAME_BYTES, behind % FRAME_BYTES);
            let part;
            if inside < FRAME_HEADER_BYTES {
                part = cut(&mut bytes, FRAME_HEADER_BYTES - inside);
                if let (0, Some(number)) = (inside, part.first_chunk()) {
                    if state.frames.len() >= MAX_OWED_FRAMES {
                        self.pay(&mut state);
                    }
                    state.frames.insert(frame, u32::from_be_bytes(*number));
                }
            } else {
                part = cut(&mut bytes, FRAME_BYTES - inside);
                let page = state.page_in(frame);
                state.learn(page, part);
            }
            let page = state.page_in(frame);
            *state.owed.entry((page, Effect::Logged(work))).or_default() += part.len() as u64;
            at += part.len() as u64;
        }
    }

    fn wrote_database(&self, mut at: u64, mut bytes: &[u8]) {
        let page_bytes = PAGE_BYTES as u64;
        let mut state = self.state.lock();
        // What checkpoints copy may be older than what the log has taught us. Where there is no map there is nothing to
        // wait for.
        let known = matches!(state.knowledge, Knowledge::Map { has_log: true } | Knowledge::Never);
        while !bytes.is_empty() {
            let part = cut(&mut bytes, page_bytes - at % page_bytes);
            let page = u32::try_from(at / page_bytes + 1).unwrap_or(0);
            if known {
                // A commit is there to be copied a moment before we hear of it.
                let owner = match state.map.owner(page) {
                    Owner::Unknown => state.map.owner_ahead(page),
                    owner => owner,
                };
                self.tree(state.place_of(owner)).count(Effect::Copied, part.len() as u64);
            } else {
                state.learn(page, part);
                *state.owed.entry((page, Effect::Copied)).or_default() += part.len() as u64;
            }
            at += part.len() as u64;
        }
    }

    fn pay(&self, state: &mut State) {
        let mut owed = std::mem::take(&mut state.owed);
        for ((page, effect), bytes) in owed.drain() {
            let place = state.place_of(state.map.owner_ahead(page));
            self.tree(place).count(effect, bytes);
        }
        // Keeps its room for the next transaction.
        state.owed = owed;
        state.frames.clear();
    }

    fn take(&self, found: Found) {
        let new = |tree: &read::FoundTree| TreeStats::new(&tree.name, tree.kind);
        let named = self.named.get_or_init(|| found.trees.iter().map(new).collect());
        let place = |name: &str| named.iter().position(|tree| tree.name == name);
        let roots = found.trees.iter().filter_map(|tree| Some((tree.root, place(&tree.name)?))).collect();
        let mut state = self.state.lock();
        state.map = found.map;
        state.roots = roots;
        state.knowledge = Knowledge::Map { has_log: found.has_log };
        state.stale = false;
    }

    fn named(&self) -> &[TreeStats] {
        self.named.get().map_or(&[], |named| named)
    }

    /// The tree at a place in the order of [`PageStats::trees`].
    fn tree(&self, place: usize) -> &TreeStats {
        let named = place.checked_sub(INTERNAL.len()).and_then(|place| self.named().get(place));
        named.or(self.internal.get(place)).unwrap_or(&self.internal[UNKNOWN])
    }
}

impl State {
    /// The place of an owner of pages in the order of [`PageStats::trees`].
    fn place_of(&self, owner: Owner) -> usize {
        if !matches!(self.knowledge, Knowledge::Map { .. }) {
            return UNKNOWN;
        }
        match owner {
            Owner::Unknown => UNKNOWN,
            Owner::Free => FREE,
            Owner::Map => MAP,
            Owner::Schema => SCHEMA,
            Owner::Tree(root) => self.roots.get(&root).map_or(UNKNOWN, |place| INTERNAL.len() + place),
        }
    }

    fn is_stale(&self) -> bool {
        self.stale && self.knowledge != Knowledge::Never
    }

    /// The page that a frame of the present transaction holds; 0, which is none, if that is not known.
    fn page_in(&self, frame: u64) -> u32 {
        self.frames.get(&frame).copied().unwrap_or(0)
    }

    /// Takes the new content of a page if it is one of the map.
    fn learn(&mut self, page: u32, content: &[u8]) {
        if map::is_map_page(page) && self.knowledge != Knowledge::Never {
            match <&Page>::try_from(content) {
                Ok(content) => self.map.put(page, content),
                Err(_) => self.stale = true,
            }
        }
    }
}

/// Takes up to `most` bytes away from the front.
fn cut<'a>(bytes: &mut &'a [u8], most: u64) -> &'a [u8] {
    let length = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
    let (part, rest) = bytes.split_at(length);
    *bytes = rest;
    part
}

#[cfg(test)]
mod tests;
