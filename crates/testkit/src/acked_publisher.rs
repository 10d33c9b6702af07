//! A publisher with QoS 1 that remembers which of its messages were acknowledged: what the other side promised to keep.

use crate::publisher::publish_packet;
use std::collections::HashSet;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How long a publisher waits for room or for answers before it gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a broker that may end at any moment, because somebody kills the broker.
///
/// Packet ids start from 1 and must not run out: one connection sends at most 65,535 messages.
pub struct AckedPublisher {
    stream: TcpStream,
    window: usize,
    sent: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: HashSet<u16>,
    acknowledged: Vec<u16>,
    over: bool,
}

impl AckedPublisher {
    /// Connects without a login; at most `window` messages are on their way unanswered.
    ///
    /// # Errors
    /// When the broker cannot be reached, refuses, or goes away.
    pub fn connect(address: &str, client_id: &str, window: usize) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let length = u8::try_from(12 + client_id.len()).map_err(io::Error::other)?;
        // CONNECT: protocol MQTT level 4, clean session, no keep-alive.
        let mut connect = vec![0x10, length];
        connect.extend(b"\x00\x04MQTT\x04\x02\x00\x00\x00");
        connect.push(length - 12);
        connect.extend(client_id.as_bytes());
        stream.write_all(&connect)?;
        let mut connack = [0; 4];
        stream.read_exact(&mut connack)?;
        if connack != [0x20, 2, 0, 0] {
            return Err(io::Error::other(format!("the broker answered {connack:02x?}")));
        }
        let shared = Arc::new(Shared::default());
        let (reading, heard) = (stream.try_clone()?, Arc::clone(&shared));
        std::thread::spawn(move || heard.listen(reading));
        Ok(Self { stream, window: window.max(1), sent: 0, shared })
    }

    /// Publishes with QoS 1 as soon as the window has room; returns the packet id.
    ///
    /// # Errors
    /// When the connection is over. The message may have arrived all the same.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) -> io::Result<u16> {
        let id = self.sent.checked_add(1).ok_or_else(|| io::Error::other("out of packet ids"))?;
        self.shared.wait_until("room in the window", |state| state.waiting.len() < self.window)?;
        self.sent = id;
        self.shared.lock().waiting.insert(id);
        let packet = publish_packet(0x32, topic, &id.to_be_bytes(), payload);
        self.stream.write_all(&packet)?;
        Ok(id)
    }

    /// Waits until everything is answered.
    ///
    /// # Errors
    /// When the connection ends before, or no answer comes for a minute.
    pub fn settle(&self) -> io::Result<()> {
        self.shared.wait_until("all answers", |state| state.waiting.is_empty())
    }

    /// The packet ids that were acknowledged so far, in the order of their answers.
    pub fn acknowledged(&self) -> Vec<u16> {
        self.shared.lock().acknowledged.clone()
    }

    /// Waits until the other side has ended the connection, so that no answer can come any more, and returns the packet
    /// ids that were acknowledged.
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub fn acknowledged_until_its_end(&self) -> io::Result<Vec<u16>> {
        let (state, waited) = (self.shared.changed)
            .wait_timeout_while(self.shared.lock(), PATIENCE, |state| !state.over)
            .expect("no holder panics");
        if waited.timed_out() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(state.acknowledged.clone()) }
    }
}

impl Drop for AckedPublisher {
    fn drop(&mut self) {
        // The listening thread has a handle of its own; this ends it, too.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    fn listen(&self, mut stream: TcpStream) {
        let mut puback = [0; 4];
        while stream.read_exact(&mut puback).is_ok() && puback[..2] == [0x40, 2] {
            let id = u16::from_be_bytes([puback[2], puback[3]]);
            let mut state = self.lock();
            if state.waiting.remove(&id) {
                state.acknowledged.push(id);
            }
            self.changed.notify_all();
        }
        self.lock().over = true;
        self.changed.notify_all();
    }

    fn wait_until(&self, what: &str, ready: impl Fn(&State) -> bool) -> io::Result<()> {
        let waits = |state: &mut State| !state.over && !ready(state);
        let (state, _) =
            self.changed.wait_timeout_while(self.lock(), PATIENCE, waits).expect("no holder panics");
        match (state.over, ready(&state)) {
            (_, true) => Ok(()),
            (true, false) => Err(io::ErrorKind::ConnectionReset.into()),
            (false, false) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("waited in vain for {what}")))
            }
        }
    }
}
