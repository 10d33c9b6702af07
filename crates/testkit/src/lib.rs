//! Fixtures for tests and benchmarks: the real program as a child process, a small HTTP client, WebSocket frames.
//!
//! Nothing here may be linked into the program, and nothing here pretends to be a part of it: tests talk to the real
//! thing through its ports.
//!
//! ```no_run
//! let server = testkit::Server::start("target/debug/meshcore-analyzer".as_ref(), &[]);
//! assert_eq!(server.get("/api/healthz").status, 200);
//! ```

#![forbid(unsafe_code)]

mod acked_publisher;
mod corescope;
mod http;
mod publisher;
mod server;
mod timing;
mod websocket;

pub use acked_publisher::AckedPublisher;
pub use corescope::{Age, Copy as CoreScopeCopy, CoreScopeDb};
pub use http::{HttpClient, Response};
pub use publisher::Publisher;
pub use server::Server;
pub use timing::RequestTimes;
pub use websocket::LiveFeed;

use std::time::{Duration, Instant};

/// How long a test waits for something that must happen; generous, because it is only reached on failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until the answer is there.
///
/// # Panics
/// When it is not there within a minute; the message names `what`.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
