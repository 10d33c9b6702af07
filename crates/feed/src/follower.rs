//! The serving end.

use std::io::{ErrorKind, Read as _, Write as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::frame::{Hello, Question, decode, encode};
use crate::{FeedError, News, socket_path};

/// Read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// A question is some hundred bytes, and the other end reads at once.
const ASK_PATIENCE: Duration = Duration::from_secs(5);

/// A connection to the ingest process of a database.
#[derive(Debug)]
pub struct Follower {
    #[cfg(unix)]
    stream: UnixStream,
    buffer: Vec<u8>,
    greeted: bool,
}

/// The way to ask ingest something.
#[derive(Debug)]
pub struct Asker {
    #[cfg(unix)]
    stream: UnixStream,
}

impl Asker {
    /// Asks. The number comes back with the answer, so give each question another one.
    ///
    /// # Errors
    /// When the connection has ended.
    #[cfg(unix)]
    pub fn ask(&mut self, number: u64, question: Vec<u8>) -> Result<(), FeedError> {
        let frame = encode(&Question { number, question })?;
        Ok(self.stream.write_all(&frame)?)
    }
}

impl Follower {
    /// Connects to whoever writes the database at this path. What it tells first is everything that is not durable yet, so
    /// connect before loading from the database.
    ///
    /// # Errors
    /// [`FeedError::Connect`] when nobody does.
    #[cfg(unix)]
    pub fn connect(database: &Path) -> Result<Self, FeedError> {
        let path = socket_path(database);
        let stream = UnixStream::connect(&path).map_err(|source| FeedError::Connect { path, source })?;
        Ok(Self { stream, buffer: Vec::new(), greeted: false })
    }

    /// There are no Unix sockets here; the database is followed all the same.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(unix))]
    pub fn connect(database: &Path) -> Result<Self, FeedError> {
        Err(FeedError::Connect { path: socket_path(database), source: ErrorKind::Unsupported.into() })
    }

    /// A way to ask ingest something while another thread waits for its news. Answers come as [`News::Answer`].
    ///
    /// # Errors
    /// When the system has no more handles.
    #[cfg(unix)]
    pub fn asker(&self) -> Result<Asker, FeedError> {
        let stream = self.stream.try_clone()?;
        stream.set_write_timeout(Some(ASK_PATIENCE))?;
        Ok(Asker { stream })
    }

    /// Waits for what comes next, at most for `patience`; `None` when nothing has come by then.
    ///
    /// # Errors
    /// When the connection has ended or the other end is of another release. Connect anew then.
    pub fn next(&mut self, patience: Duration) -> Result<Option<News>, FeedError> {
        let deadline = Instant::now() + patience;
        loop {
            if !self.greeted
                && let Some(hello) = decode::<Hello>(&mut self.buffer)?
            {
                hello.check()?;
                self.greeted = true;
            }
            if self.greeted
                && let Some(news) = decode(&mut self.buffer)?
            {
                return Ok(Some(news));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.read(left)? {
                return Ok(None);
            }
        }
    }

    /// `false` when nothing came in time.
    #[cfg(unix)]
    fn read(&mut self, patience: Duration) -> Result<bool, FeedError> {
        self.stream.set_read_timeout(Some(patience))?;
        let mut chunk = [0; CHUNK_BYTES];
        match self.stream.read(&mut chunk) {
            Ok(0) => Err(FeedError::Closed),
            Ok(count) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(FeedError::Closed),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(unix))]
    fn read(&mut self, _patience: Duration) -> Result<bool, FeedError> {
        Err(FeedError::Closed)
    }
}
