//! A viewer's side of the live feed.

use serde_json::Value;
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::{Message, WebSocket};

/// A WebSocket connection to the live feed.
pub struct LiveFeed {
    socket: WebSocket<TcpStream>,
}

impl LiveFeed {
    /// Opens `/ws` of the server at `host:port`.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn open(address: &str) -> Self {
        Self::open_at(address, "/ws")
    }

    /// Opens another path, such as `/`.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn open_at(address: &str, path: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts connections");
        stream.set_nodelay(true).expect("a socket option");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket option");
        let (socket, _) = tungstenite::client(format!("ws://{address}{path}"), stream)
            .expect("the server upgrades the connection");
        Self { socket }
    }

    /// Waits for the next frame and parses it.
    ///
    /// # Panics
    /// When the connection ends or no frame comes within a minute.
    pub fn frame(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().expect("a frame") {
                return serde_json::from_str(&text).expect("a frame is JSON");
            }
        }
    }

    /// As [`LiveFeed::frame`], but `None` when no frame comes within `quiet`.
    ///
    /// # Panics
    /// When a frame is not JSON.
    pub fn frame_within(&mut self, quiet: Duration) -> Option<Value> {
        self.socket.get_ref().set_read_timeout(Some(quiet)).expect("a socket option");
        loop {
            match self.socket.read().ok()? {
                Message::Text(text) => return Some(serde_json::from_str(&text).expect("a frame is JSON")),
                _ => continue,
            }
        }
    }
}
