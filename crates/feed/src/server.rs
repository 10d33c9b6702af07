//! The ingest end.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use model::Change;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::frame::{ChangesRef, Hello, Question, decode, encode};
use crate::{FeedError, News, socket_path};

/// What may wait for a follower. It is behind by a million packets then, and quicker by loading from the database.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// No question is longer: the longest names 2,000 nodes. A follower that sends more without asking anything is not listened to
/// any more.
const QUESTION_BYTES: usize = 256 * 1024;

/// Read at once.
const CHUNK_BYTES: usize = 4 * 1024;

/// Followers at once; each is a whole serving process.
const MAX_FOLLOWERS: usize = 64;

/// Tells followers what ingest does, for as long as it lives.
#[derive(Debug)]
pub struct FeedServer {
    handle: FeedHandle,
    path: PathBuf,
    accepting: JoinHandle<()>,
}

/// Where ingest puts its news. Cheap to clone; nothing here ever waits for a follower.
#[derive(Clone, Default)]
pub struct FeedHandle {
    shared: Arc<Mutex<State>>,
}

/// Answers questions of followers.
type Answerer = Arc<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>;

#[derive(Default)]
struct State {
    sequence: u64,
    /// Frames of changes that are not durable yet, for those who come later.
    pending: VecDeque<(u64, Bytes)>,
    followers: Vec<Seat>,
    answerer: Option<Answerer>,
    closed: bool,
}

/// The way to one follower for answers; it does not keep the seat taken.
struct Answers {
    frames: WeakUnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
}

/// A follower, as seen from here.
#[derive(Debug)]
struct Seat {
    frames: UnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
}

impl FeedServer {
    /// Opens the socket beside the database. Only the process that holds the writer's lock may do this: a socket that is
    /// there already is what an earlier process left behind. Must be called within a runtime.
    ///
    /// # Errors
    /// [`FeedError::Listen`], for instance when the path is too long for a socket. Everything works without the feed, but
    /// serving processes then see packets only once they are committed.
    pub fn bind(database: &Path) -> Result<Self, FeedError> {
        let path = socket_path(database);
        let listener = listen(&path).map_err(|source| FeedError::Listen { path: path.clone(), source })?;
        let handle = FeedHandle::default();
        let accepting = tokio::spawn(accept(listener, handle.clone()));
        Ok(Self { handle, path, accepting })
    }

    /// Where ingest puts its news.
    pub fn handle(&self) -> FeedHandle {
        self.handle.clone()
    }
}

impl Drop for FeedServer {
    fn drop(&mut self) {
        self.accepting.abort();
        let mut state = self.handle.shared.lock();
        state.closed = true;
        // Each follower still gets what waits for it, and then the end of the connection.
        state.followers.clear();
        state.pending.clear();
        // If this fails the next process replaces the file.
        let _ = fs::remove_file(&self.path);
    }
}

impl std::fmt::Debug for FeedHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeedHandle").field("followers", &self.followers()).finish()
    }
}

impl FeedHandle {
    /// Appoints who answers what followers ask. It runs on a thread that may block.
    pub fn answer_with(&self, answerer: impl Fn(Vec<u8>) -> Vec<u8> + Send + Sync + 'static) {
        self.shared.lock().answerer = Some(Arc::new(answerer));
    }

    /// Tells changes that are about to be written; gives the sequence to say that they are, or `None` when there is nothing
    /// in them that a follower needs.
    pub fn publish(&self, changes: &[Change]) -> Option<u64> {
        let needed = |change: &&Change| !matches!(change, Change::Metrics(_) | Change::Dropped(_));
        let changes: Vec<&Change> = changes.iter().filter(needed).collect();
        if changes.is_empty() {
            return None;
        }
        let mut state = self.shared.lock();
        if state.closed {
            return None;
        }
        let sequence = state.sequence + 1;
        let frame = encoded(&ChangesRef::Changes { sequence, changes })?;
        state.sequence = sequence;
        state.pending.push_back((sequence, frame.clone()));
        state.tell(&frame);
        Some(sequence)
    }

    /// Says that the changes up to this sequence are in the database.
    pub fn durable(&self, sequence: u64) {
        let mut state = self.shared.lock();
        while state.pending.front().is_some_and(|(pending, _)| *pending <= sequence) {
            state.pending.pop_front();
        }
        state.tell_news(&News::Durable { sequence });
    }

    /// Says that old packets were removed from the database.
    pub fn removed(&self) {
        self.shared.lock().tell_news(&News::Removed);
    }

    /// Tells how ingest is doing; `report` is asked only when somebody listens.
    pub fn report(&self, report: impl FnOnce() -> Vec<u8>) {
        if self.followers() > 0 {
            // Made outside the lock: it may take a while.
            let report = report();
            self.shared.lock().tell_news(&News::Report(report));
        }
    }

    /// Serving processes that are connected now.
    pub fn followers(&self) -> usize {
        self.shared.lock().followers.len()
    }

    /// A place for one more follower, beginning with what is not durable yet.
    fn seat(&self) -> Option<(UnboundedReceiver<Bytes>, Answers)> {
        let mut state = self.shared.lock();
        if state.closed || state.followers.len() >= MAX_FOLLOWERS {
            return None;
        }
        let (frames, receiver) = unbounded_channel();
        let seat = Seat { frames, waiting: Arc::default() };
        let answers = Answers { frames: seat.frames.downgrade(), waiting: Arc::clone(&seat.waiting) };
        seat.send(&encoded(&Hello::OURS)?);
        state.pending.iter().for_each(|(_, frame)| seat.send(frame));
        state.followers.push(seat);
        Some((receiver, answers))
    }
}

impl State {
    fn tell_news(&mut self, news: &News) {
        if !self.followers.is_empty()
            && let Some(frame) = encoded(news)
        {
            self.tell(&frame);
        }
    }

    fn tell(&mut self, frame: &Bytes) {
        self.followers.retain(|seat| {
            let waiting = seat.waiting.load(Ordering::Relaxed);
            if waiting > MAX_WAITING_BYTES {
                tracing::warn!(
                    waiting_bytes = waiting,
                    "a serving process cannot keep up and is disconnected; it will load anew"
                );
                return false;
            }
            seat.send(frame);
            !seat.frames.is_closed()
        });
    }
}

impl Seat {
    fn send(&self, frame: &Bytes) {
        self.waiting.fetch_add(frame.len(), Ordering::Relaxed);
        // When the follower has gone it is taken off the list.
        let _ = self.frames.send(frame.clone());
    }
}

/// A message that cannot be written down is a fault of this program; it is said, and costs the followers this one message.
fn encoded(message: &impl Serialize) -> Option<Bytes> {
    encode(message).inspect_err(|error| tracing::error!(%error, "the feed leaves out a message")).ok()
}

fn listen(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    match fs::symlink_metadata(path) {
        // Whoever left it is gone: this process holds the lock of the database.
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path)?,
        Ok(_) => {
            return Err(std::io::Error::new(
                std::io::ErrorKind::AlreadyExists,
                "a file that is no socket is in its place",
            ));
        }
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    // The changes hold texts of private channels' packets, as the database does.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn accept(listener: UnixListener, handle: FeedHandle) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Some((frames, answers)) = handle.seat() {
                    let (questions, news) = stream.into_split();
                    let waiting = Arc::clone(&answers.waiting);
                    let asked = tokio::spawn(hear(questions, answers, handle.clone()));
                    tokio::spawn(async move {
                        tell(news, frames, waiting).await;
                        asked.abort();
                    });
                }
            }
            Err(error) => {
                // Too many open files, most likely: wait until some are closed.
                tracing::warn!(%error, "a serving process could not connect");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

/// Reads what a follower asks, one question after the other, until it goes away or says something that is no question.
async fn hear(mut stream: OwnedReadHalf, answers: Answers, handle: FeedHandle) {
    let mut buffer = Vec::new();
    let mut chunk = [0; CHUNK_BYTES];
    loop {
        match stream.read(&mut chunk).await {
            Ok(count @ 1..) => buffer.extend_from_slice(&chunk[..count]),
            _ => return,
        }
        loop {
            let Question { number, question } = match decode(&mut buffer) {
                Ok(Some(question)) => question,
                Ok(None) if buffer.len() < QUESTION_BYTES => break,
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "a serving process asks what nobody understands");
                    return;
                }
            };
            let answerer = handle.shared.lock().answerer.clone();
            let Some(answerer) = answerer else { continue };
            let Ok(answer) = tokio::task::spawn_blocking(move || answerer(question)).await else { continue };
            let Some(frames) = answers.frames.upgrade() else { return };
            if let Some(frame) = encoded(&News::Answer { question: number, answer }) {
                Seat { frames, waiting: Arc::clone(&answers.waiting) }.send(&frame);
            }
        }
    }
}

async fn tell(mut stream: OwnedWriteHalf, mut frames: UnboundedReceiver<Bytes>, waiting: Arc<AtomicUsize>) {
    while let Some(frame) = frames.recv().await {
        if stream.write_all(&frame).await.is_err() {
            return;
        }
        waiting.fetch_sub(frame.len(), Ordering::Relaxed);
    }
}
