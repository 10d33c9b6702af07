//! From the ingest thread to all clients.

use super::desk::Desk;
use super::frame::live_text;
use crate::config::WebSocketLimits;
use crate::state::ApiState;
use crate::visibility::Visibility;
use axum::extract::ws::Utf8Bytes;
use model::ObservationId;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};

/// Announcements that may wait to be rendered. Ingest announces once a batch, so this is many seconds of full load.
const WAITING_ANNOUNCEMENTS: usize = 4_096;

/// Frames that may wait for a client. The contract's 256 would be less than one batch of ingest at full load; 1,024
/// frames of about 2.5 KB are kept once for all clients.
const WAITING_FRAMES: usize = 1_024;

/// Observations rendered under one read guard of the index, after which clients get their turn.
const FRAMES_PER_GUARD: usize = 64;

/// Where ingest announces observations, and from where they go to all clients. Cheap to clone.
///
/// ```
/// let hub = api::LiveHub::new();
/// // Without clients there is nothing to do; with clients it does not block either.
/// hub.publish(vec![model::ObservationId(1)]);
/// assert_eq!(hub.clients(), 0);
/// ```
#[derive(Clone)]
pub struct LiveHub {
    shared: Arc<Shared>,
}

struct Shared {
    announce: mpsc::Sender<Vec<ObservationId>>,
    /// Taken by the one task that renders.
    announced: Mutex<Option<mpsc::Receiver<Vec<ObservationId>>>>,
    frames: broadcast::Sender<Utf8Bytes>,
    closing: watch::Sender<bool>,
    clients: watch::Sender<u64>,
    /// Clients by address; an address without clients is not there.
    addresses: Mutex<HashMap<IpAddr, usize>>,
    refused_clients: AtomicU64,
    desk: Arc<Desk>,
    sent_frames: AtomicU64,
    dropped_frames: AtomicU64,
    skipped_observations: AtomicU64,
}

/// A client's place, given back when it leaves.
pub(crate) struct Seat {
    hub: LiveHub,
    /// `None` for an address that is not counted.
    address: Option<IpAddr>,
    pub(crate) closing: watch::Receiver<bool>,
}

/// Why there is no place for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSeat {
    /// `webSocket.maxClients` are there.
    Full,
    /// `webSocket.maxClientsPerAddress` of its address are there.
    AddressFull,
}

impl Default for LiveHub {
    fn default() -> Self {
        Self::new()
    }
}

impl LiveHub {
    /// Without clients.
    pub fn new() -> Self {
        let (announce, announced) = mpsc::channel(WAITING_ANNOUNCEMENTS);
        let shared = Shared {
            announce,
            announced: Mutex::new(Some(announced)),
            frames: broadcast::Sender::new(WAITING_FRAMES),
            closing: watch::Sender::new(false),
            clients: watch::Sender::new(0),
            addresses: Mutex::default(),
            refused_clients: AtomicU64::new(0),
            desk: Arc::new(Desk::new()),
            sent_frames: AtomicU64::new(0),
            dropped_frames: AtomicU64::new(0),
            skipped_observations: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Announces observations that have been applied to the index. Never blocks: when rendering is far behind they are
    /// not announced, and counted.
    pub fn publish(&self, observations: Vec<ObservationId>) {
        let Some(newest) = observations.iter().max() else { return };
        self.shared.desk.announce(newest.0);
        if self.shared.frames.receiver_count() == 0 {
            return;
        }
        let count = observations.len() as u64;
        if self.shared.announce.try_send(observations).is_err() {
            self.shared.skipped_observations.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Clients connected now.
    pub fn clients(&self) -> u64 {
        *self.shared.clients.borrow()
    }

    /// Frames put out for clients since the start, each counted once however many clients there are.
    pub fn sent_frames(&self) -> u64 {
        self.shared.sent_frames.load(Ordering::Relaxed)
    }

    /// Frames that slow clients did not get, since the start.
    pub fn dropped_frames(&self) -> u64 {
        self.shared.dropped_frames.load(Ordering::Relaxed)
    }

    /// Observations that were not announced to anyone because rendering was too far behind, since the start.
    pub fn skipped_observations(&self) -> u64 {
        self.shared.skipped_observations.load(Ordering::Relaxed)
    }

    /// Subscriptions of `/api/live` now.
    pub fn subscriptions(&self) -> u64 {
        self.shared.desk.subscriptions()
    }

    /// Rows of subscriptions that slow clients were told that they missed, since the start.
    pub fn missed_rows(&self) -> u64 {
        self.shared.desk.missed_rows()
    }

    /// Clients for whom there was no place, since the start.
    pub fn refused_clients(&self) -> u64 {
        self.shared.refused_clients.load(Ordering::Relaxed)
    }

    /// The half of the feed that speaks `/api/live`.
    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.shared.desk
    }

    /// All frames of CoreScope's dialect from now on.
    pub(crate) fn frames(&self) -> broadcast::Receiver<Utf8Bytes> {
        self.shared.frames.subscribe()
    }

    /// A place for one more client.
    ///
    /// # Errors
    /// When there are as many as there may be, in all or of its address.
    pub(crate) fn seat(&self, limits: &WebSocketLimits, address: Option<IpAddr>) -> Result<Seat, NoSeat> {
        // A proxy on this machine speaks for many, and who is on this machine has other means.
        let address = address.map(|address| address.to_canonical());
        let address = address.filter(|address| limits.max_clients_per_address > 0 && !address.is_loopback());
        self.take_seat(limits, address).inspect_err(|_| {
            self.shared.refused_clients.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn take_seat(&self, limits: &WebSocketLimits, address: Option<IpAddr>) -> Result<Seat, NoSeat> {
        let mut addresses = self.shared.addresses.lock();
        let of_address = address.and_then(|address| addresses.get(&address).copied()).unwrap_or_default();
        if address.is_some() && of_address >= limits.max_clients_per_address {
            return Err(NoSeat::AddressFull);
        }
        let taken = self.shared.clients.send_if_modified(|clients| {
            let free = (*clients as usize) < limits.max_clients;
            *clients += u64::from(free);
            free
        });
        if !taken {
            return Err(NoSeat::Full);
        }
        if let Some(address) = address {
            addresses.insert(address, of_address + 1);
        }
        Ok(Seat { hub: self.clone(), address, closing: self.shared.closing.subscribe() })
    }

    /// Asks all clients to leave.
    pub(crate) fn close(&self) {
        self.shared.closing.send_replace(true);
    }

    /// Waits until all clients have left, at most for `patience`.
    pub(crate) async fn emptied(&self, patience: Duration) {
        let mut clients = self.shared.clients.subscribe();
        // Neither outcome needs an action: the program ends in both.
        let _ = tokio::time::timeout(patience, clients.wait_for(|clients| *clients == 0)).await;
    }
}

impl Seat {
    pub(crate) fn count_dropped(&self, frames: u64) {
        self.hub.shared.dropped_frames.fetch_add(frames, Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(address) = self.address {
            let mut addresses = self.hub.shared.addresses.lock();
            if let Some(clients) = addresses.get_mut(&address) {
                *clients -= 1;
                if *clients == 0 {
                    addresses.remove(&address);
                }
            }
        }
        self.hub.shared.clients.send_modify(|clients| *clients -= 1);
    }
}

/// Renders what is announced, in both dialects, for ever; a second call for the same hub ends at once.
pub(crate) async fn render(state: ApiState) {
    let announced = state.live().shared.announced.lock().take();
    let Some(announced) = announced else { return };
    tokio::join!(render_frames(&state, announced), state.live().desk().run(&state));
}

async fn render_frames(state: &ApiState, mut announced: mpsc::Receiver<Vec<ObservationId>>) {
    while let Some(observations) = announced.recv().await {
        for portion in observations.chunks(FRAMES_PER_GUARD) {
            let config = state.config_arc();
            let visibility = Visibility::new(&config);
            let frames: Vec<String> = state.read(|index, _now| {
                let heard = portion.iter().filter_map(|id| index.observation(*id));
                let shown = heard.filter(|heard| visibility.shows_heard(heard));
                shown.map(|heard| live_text(&heard, state.keys())).collect()
            });
            state.live().shared.sent_frames.fetch_add(frames.len() as u64, Ordering::Relaxed);
            for frame in frames {
                // An error means that the last client has just left.
                let _ = state.live().shared.frames.send(frame.into());
            }
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_of_the_places_and_this_machine_has_no_share() {
        let hub = LiveHub::new();
        let limits = WebSocketLimits { max_clients: 4, max_clients_per_address: 2 };
        let seat = |address: &str| hub.seat(&limits, address.parse().ok());
        let _first = seat("192.0.2.1");
        let second = seat("::ffff:192.0.2.1");
        assert_eq!(seat("192.0.2.1").err(), Some(NoSeat::AddressFull));
        assert!(seat("192.0.2.2").is_ok(), "given back at once");
        drop(second);
        let _again = seat("192.0.2.1").expect("a place became free");
        let _own = [seat("127.0.0.1"), seat("127.0.0.1"), seat("127.0.0.1")];
        assert_eq!(seat("198.51.100.1").err(), Some(NoSeat::Full));
        assert_eq!((hub.clients(), hub.refused_clients()), (4, 3));
        assert_eq!(hub.shared.addresses.lock().len(), 1, "addresses without clients are forgotten");
    }
}
