//! A virtual file system for SQLite that counts what passes through the default one, shows what is written to
//! [`crate::pages`], and does nothing else (<https://www.sqlite.org/vfs.html>).
//!
//! It is what knows of every byte: the log's frames and headers, the pages that checkpoints copy, the journal of a
//! database that cannot have a log. Who is at work is known by the thread: the writer and the checkpointer say so
//! ([`count_into`], [`at_work`]) before they call SQLite. The shared index of the log is memory, not a file, to SQLite
//! (its `xShm` methods) and is not counted.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;
use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use crate::WriteStats;
use crate::pages::PageStats;
use crate::stats::{IoCounts, IoFile, IoStats, IoWork};

/// Its name for `sqlite3_open_v2`.
const NAME: &CStr = c"meshcore-analyzer-counting";

/// The file system that does the work.
static BASE: AtomicPtr<sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    static BOOKS: RefCell<Option<Books>> = const { RefCell::new(None) };
    static WORK: Cell<IoWork> = const { Cell::new(IoWork::Opening) };
}

/// An open file: this, and behind it in the same allocation the file of the default file system.
#[repr(C)]
struct CountingFile {
    /// What SQLite takes this for; must be first.
    methods: *const sqlite3_io_methods,
    kind: IoFile,
}

/// Where what a thread does to files is counted.
struct Books {
    io: Arc<IoStats>,
    /// `None` while the files are not those of the database.
    pages: Option<Arc<PageStats>>,
}

/// While it lives, what this thread does to files is counted apart; then it is as before.
pub(crate) struct CountedApart {
    books: Option<Books>,
    work: IoWork,
}

/// One of the files that a connection has open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenFile {
    /// The database.
    Database,
    /// Its write-ahead log.
    Log,
}

/// From now on what this thread does to files is counted there.
pub(crate) fn count_into(stats: &WriteStats) {
    BOOKS.set(Some(Books { io: Arc::clone(&stats.io), pages: Some(Arc::clone(&stats.pages)) }));
}

/// Counts what this thread does there as the making of a backup, or not at all.
pub(crate) fn count_backup_apart(io: Option<&Arc<IoStats>>) -> CountedApart {
    let books = io.map(|io| Books { io: Arc::clone(io), pages: None });
    CountedApart { books: BOOKS.replace(books), work: WORK.replace(IoWork::Backup) }
}

impl Drop for CountedApart {
    fn drop(&mut self) {
        BOOKS.set(self.books.take());
        WORK.set(self.work);
    }
}

/// Says who causes what this thread does from now on.
pub(crate) fn at_work(work: IoWork) {
    WORK.set(work);
}

/// Registers the file system, once for the process and not as the default, and gives its name; `None` when SQLite will
/// not have it, which only means that nothing is counted.
pub(crate) fn register() -> Option<&'static CStr> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    REGISTERED.get_or_init(register_once).then_some(NAME)
}

/// Fills `to` from a file that a connection has open; says whether there were so many bytes.
///
/// What is read may be in the middle of being written unless the connection is in a reading transaction.
pub(crate) fn read_at(conn: &Connection, file: OpenFile, at: u64, to: &mut [u8]) -> bool {
    let operation = match file {
        OpenFile::Database => ffi::SQLITE_FCNTL_FILE_POINTER,
        OpenFile::Log => ffi::SQLITE_FCNTL_JOURNAL_POINTER,
    };
    let (Ok(bytes), Ok(at)) = (c_int::try_from(to.len()), i64::try_from(at)) else { return false };
    let mut found: *mut sqlite3_file = ptr::null_mut();
    // SAFETY: the handle is that of an open connection, which the borrow keeps open and on this thread. Both operations
    // write one pointer to where the last argument says, to a file that the connection keeps until a later call to it; one
    // that is not open has no methods. `xRead` fills at most `bytes` bytes, which `to` has.
    unsafe {
        let code = ffi::sqlite3_file_control(
            conn.handle(),
            c"main".as_ptr(),
            operation,
            (&raw mut found).cast::<c_void>(),
        );
        if code != ffi::SQLITE_OK || found.is_null() || (*found).pMethods.is_null() {
            return false;
        }
        let Some(read) = (*(*found).pMethods).xRead else { return false };
        read(found, to.as_mut_ptr().cast(), bytes, at) == ffi::SQLITE_OK
    }
}

fn register_once() -> bool {
    // SAFETY: `sqlite3_vfs_find` may be called at any time and initialises the library; NULL asks for the default, which
    // SQLite never frees. What it returns is either NULL or a valid structure, which is copied while nobody writes it:
    // SQLite writes only the `pNext` of a registered one, under its own lock, and that field is set anew below.
    let (base, mut ours) = unsafe {
        let base = ffi::sqlite3_vfs_find(ptr::null());
        let Some(found) = base.as_ref() else { return false };
        (base, ptr::read(found))
    };
    let Ok(own_bytes) = c_int::try_from(size_of::<CountingFile>()) else { return false };
    BASE.store(base, Ordering::Release);
    // A copy but for these fields: whatever a method of the default reads from the structure that it is given, it finds
    // the same values here. Only `xOpen` must know the difference, and is given the original.
    ours.pNext = ptr::null_mut();
    ours.zName = NAME.as_ptr();
    ours.szOsFile += own_bytes;
    ours.xOpen = Some(open);
    // SAFETY: the structure is complete, lives for ever since it is leaked, and its methods are those of the default or
    // the function below, all of which keep to the contract of `sqlite3_vfs`.
    unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 0) == ffi::SQLITE_OK }
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let base = BASE.load(Ordering::Acquire);
    let ours = file.cast::<CountingFile>();
    // SAFETY: SQLite gives `szOsFile` bytes, zeroed and aligned for any of these structures, of which the first are ours
    // and the rest, as many as the default asked for, are passed to it. `base` is the registered default, which has an
    // `xOpen`; the other arguments are passed on as they came. SQLite calls `xClose` exactly when the methods are set,
    // so they are set exactly when the inner file's are.
    unsafe {
        let Some(open) = (*base).xOpen else { return ffi::SQLITE_CANTOPEN };
        let inside = inner(file);
        (*inside).pMethods = ptr::null();
        let code = open(base, name, inside, flags, out_flags);
        let opened = !(*inside).pMethods.is_null();
        (*ours).methods = if opened { &METHODS } else { ptr::null() };
        (*ours).kind = kind_of(flags);
        code
    }
}

/// What a file is that this thread opens now.
fn kind_of(flags: c_int) -> IoFile {
    match WORK.try_with(Cell::get) {
        // To SQLite the copy is a database like any other.
        Ok(IoWork::Backup) => IoFile::Backup,
        _ => IoFile::of_open_flags(flags),
    }
}

/// The default file system's part of a file.
///
/// # Safety
/// `file` must point to the bytes that SQLite has set aside for a file of this file system.
unsafe fn inner(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: by the contract above these bytes go on behind our part.
    unsafe { file.cast::<CountingFile>().add(1).cast() }
}

/// Notes what was done to a file.
///
/// # Safety
/// `file` must be an open file of this file system.
unsafe fn count(file: *mut sqlite3_file, note: impl FnOnce(&IoCounts, Option<&PageStats>, IoWork, IoFile)) {
    // SAFETY: by the contract above it begins with what `open` has written.
    let kind = unsafe { (*file.cast::<CountingFile>()).kind };
    // A thread that is ending has no such variables any more, and a panic must not run into C.
    let _ = BOOKS.try_with(|books| {
        if let Ok(books) = books.try_borrow()
            && let Some(books) = books.as_ref()
        {
            let work = WORK.try_with(Cell::get).unwrap_or(IoWork::Opening);
            note(books.io.counts(work, kind), books.pages.as_deref(), work, kind);
        }
    });
}

/// Methods that only pass on: name, arguments, and what to answer where the default has no such method.
macro_rules! pass_on {
    ($($method:ident, $name:ident($($arg:ident: $type:ty),*), $missing:expr;)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $arg: $type)*) -> c_int {
            // SAFETY: SQLite calls this with an open file of this file system, whose inner file was opened by the
            // default, and with arguments that fit the method; they are passed on as they came.
            unsafe {
                let inside = inner(file);
                match (*(*inside).pMethods).$method {
                    Some(method) => method(inside $(, $arg)*),
                    None => $missing,
                }
            }
        }
    )*};
}

pass_on! {
    xClose, close(), ffi::SQLITE_OK;
    xRead, inner_read(to: *mut c_void, bytes: c_int, at: i64), ffi::SQLITE_IOERR_READ;
    xWrite, inner_write(from: *const c_void, bytes: c_int, at: i64), ffi::SQLITE_IOERR_WRITE;
    xTruncate, truncate(size: i64), ffi::SQLITE_IOERR_TRUNCATE;
    xSync, inner_sync(flags: c_int), ffi::SQLITE_IOERR_FSYNC;
    xFileSize, file_size(size: *mut i64), ffi::SQLITE_IOERR_FSTAT;
    xLock, lock(level: c_int), ffi::SQLITE_IOERR_LOCK;
    xUnlock, unlock(level: c_int), ffi::SQLITE_IOERR_UNLOCK;
    xCheckReservedLock, check_reserved_lock(reserved: *mut c_int), ffi::SQLITE_IOERR_CHECKRESERVEDLOCK;
    xFileControl, file_control(operation: c_int, argument: *mut c_void), ffi::SQLITE_NOTFOUND;
    xSectorSize, sector_size(), 4096;
    xDeviceCharacteristics, device_characteristics(), 0;
    xShmMap, shm_map(page: c_int, size: c_int, extend: c_int, to: *mut *mut c_void), ffi::SQLITE_IOERR_SHMMAP;
    xShmLock, shm_lock(offset: c_int, n: c_int, flags: c_int), ffi::SQLITE_IOERR_SHMLOCK;
    xShmUnmap, shm_unmap(delete: c_int), ffi::SQLITE_OK;
    xFetch, fetch(at: i64, bytes: c_int, to: *mut *mut c_void), no_mapping(to);
    xUnfetch, unfetch(at: i64, page: *mut c_void), ffi::SQLITE_OK;
}

/// "Not mapped, read it."
///
/// # Safety
/// `to` must be valid for a write.
unsafe fn no_mapping(to: *mut *mut c_void) -> c_int {
    // SAFETY: by the contract above.
    unsafe { *to = ptr::null_mut() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: as for the methods above.
    unsafe {
        let inside = inner(file);
        if let Some(method) = (*(*inside).pMethods).xShmBarrier {
            method(inside);
        }
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, bytes: c_int, at: i64) -> c_int {
    // SAFETY: the file is an open one of this file system, and the arguments are SQLite's.
    unsafe {
        count(file, |counts, _, _, _| {
            counts.reads.increment();
            counts.read_bytes.add(u64::try_from(bytes).unwrap_or(0));
        });
        inner_read(file, to, bytes, at)
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, bytes: c_int, at: i64) -> c_int {
    // SAFETY: the file is an open one of this file system, and the arguments are SQLite's: at `from` are as many bytes as it
    // says, which nobody changes before this returns.
    unsafe {
        let code = inner_write(file, from, bytes, at);
        if code == ffi::SQLITE_OK {
            let length = usize::try_from(bytes).unwrap_or(0);
            let content =
                if from.is_null() { &[][..] } else { slice::from_raw_parts(from.cast::<u8>(), length) };
            count(file, |counts, pages, work, kind| {
                counts.writes.increment();
                counts.written_bytes.add(length as u64);
                if let (Some(pages), Ok(at)) = (pages, u64::try_from(at)) {
                    pages.wrote(kind, work, at, content);
                }
            });
        }
        code
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the file is an open one of this file system.
    unsafe {
        count(file, |counts, _, _, _| counts.syncs.increment());
        inner_sync(file, flags)
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};
