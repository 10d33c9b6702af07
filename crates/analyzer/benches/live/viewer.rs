//! The least of a WebSocket client, so that a thousand of them leave the cores to the program.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// No frame for this long means that all have arrived.
const QUIET: Duration = Duration::from_secs(3);

/// What begins every row that has its number, which is the first field of a row.
const ROW: &str = "{\"observation_id\":";

/// A client of `/api/live` with one subscription.
pub(crate) struct Viewer {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The number up to which the sequence had come when it subscribed.
    pub(crate) seq: u64,
}

impl Viewer {
    /// Connects and subscribes. What the system keeps for a client that does not read is `receive_bytes` at most.
    pub(crate) async fn subscribe(address: &str, wish: &str, receive_bytes: Option<u32>) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes).expect("a socket option");
        }
        let server = address.parse().expect("an address");
        let stream = socket.connect(server).await.expect("the server accepts connections");
        stream.set_nodelay(true).expect("a socket option");
        let mut viewer = Self { stream, buffer: Vec::new(), seq: 0 };
        let request = format!(
            "GET /api/live HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        viewer.stream.write_all(request.as_bytes()).await.expect("the request can be sent");
        let head = loop {
            if let Some(end) = viewer.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break viewer.buffer.drain(..end + 4).collect::<Vec<u8>>();
            }
            assert!(viewer.fill().await, "the server answers");
        };
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        viewer.say(wish).await;
        loop {
            let answer = viewer.frame().await.expect("an answer");
            assert!(!answer.starts_with(r#"{"type":"error""#), "{answer}");
            if answer.starts_with(r#"{"type":"subscribed""#) {
                viewer.seq = number_after(&answer, "\"seq\":").expect("a number");
                return viewer;
            }
        }
    }

    /// Masked with zeros, which leaves it as it is.
    async fn say(&mut self, text: &str) {
        let length = u16::try_from(text.len()).expect("short");
        let [high, low] = length.to_be_bytes();
        let head = match u8::try_from(length) {
            Ok(length) if length < 126 => vec![0x81, 0x80 | length, 0, 0, 0, 0],
            _ => vec![0x81, 0x80 | 126, high, low, 0, 0, 0, 0],
        };
        let frame = [&head, text.as_bytes()].concat();
        self.stream.write_all(&frame).await.expect("the wish can be sent");
    }

    /// The next text frame; `None` when none has come for a while.
    pub(crate) async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some((is_text, start, end)) = self.whole_frame() {
                let text = String::from_utf8_lossy(&self.buffer[start..end]).into_owned();
                self.buffer.drain(..end);
                if is_text {
                    return Some(text);
                }
            } else if !matches!(tokio::time::timeout(QUIET, self.fill()).await, Ok(true)) {
                return None;
            }
        }
    }

    /// Where the payload of the first frame is, if all of it is there.
    fn whole_frame(&self) -> Option<(bool, usize, usize)> {
        let (&first, &second) = (self.buffer.first()?, self.buffer.get(1)?);
        let (start, length) = match second {
            126 => (4, u64::from(u16::from_be_bytes(self.buffer.get(2..4)?.try_into().ok()?))),
            127 => (10, u64::from_be_bytes(self.buffer.get(2..10)?.try_into().ok()?)),
            length => (2, u64::from(length)),
        };
        let end = start + length as usize;
        (self.buffer.len() >= end).then_some((first & 0x0F == 1, start, end))
    }

    async fn fill(&mut self) -> bool {
        self.stream.read_buf(&mut self.buffer).await.is_ok_and(|read| read > 0)
    }
}

/// The numbers of the rows in a frame, which is not read otherwise.
pub(crate) fn row_numbers(frame: &str) -> impl Iterator<Item = u64> {
    frame.match_indices(ROW).filter_map(|(at, row)| digits(&frame[at + row.len()..]))
}

/// The number behind the first occurrence of these words.
pub(crate) fn number_after(frame: &str, words: &str) -> Option<u64> {
    digits(&frame[frame.find(words)? + words.len()..])
}

fn digits(text: &str) -> Option<u64> {
    text[..text.find(|c: char| !c.is_ascii_digit())?].parse().ok()
}
