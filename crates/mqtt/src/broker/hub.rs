//! What all connections of the broker share: who is connected, who wants what, what is retained.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::config::BrokerConfig;
use super::retained::{Retained, RetainedStore};
use super::stats::{BrokerStats, ClientStats, CloseReason, Counters, add, read};
use super::subscriptions::{MAX_SUBSCRIPTIONS, Match, Options, Subscriptions};
use crate::message::Qos;
use crate::outbox::{Delivered, Delivery, Outbox};
use crate::packet::ProtocolVersion;

/// The state all connections share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) config: BrokerConfig,
    pub(crate) counters: Counters,
    clients: Mutex<HashMap<Arc<str>, Arc<Client>>>,
    subscriptions: RwLock<Subscriptions>,
    /// Number of subscriptions, so that a publisher need not take the lock when there are none: the usual case.
    subscribed: AtomicUsize,
    retained: Mutex<RetainedStore>,
    last_number: AtomicU64,
}

/// One connected client, as others see it.
#[derive(Debug)]
pub(crate) struct Client {
    /// Unique among all connections of this broker.
    pub(crate) number: u64,
    pub(crate) id: Arc<str>,
    pub(crate) peer: SocketAddr,
    pub(crate) username: Option<Arc<str>>,
    pub(crate) version: ProtocolVersion,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) bytes_out: Arc<AtomicU64>,
    connected_at: SystemTime,
    messages: AtomicU64,
    /// Milliseconds since 1970; 0 = never.
    last_message: AtomicU64,
    bytes_in: AtomicU64,
    deliveries: AtomicU64,
    deliveries_dropped: AtomicU64,
    filters: Mutex<Vec<Box<str>>>,
    stop: watch::Sender<Option<CloseReason>>,
    gone: watch::Sender<bool>,
}

/// A message to retain and to hand to subscribers.
#[derive(Debug)]
pub(crate) struct Publication<'a> {
    /// The connection it came from.
    pub(crate) from: u64,
    pub(crate) topic: &'a Arc<str>,
    pub(crate) payload: &'a [u8],
    pub(crate) properties: &'a [u8],
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
}

/// As many clients as allowed are connected.
#[derive(Debug)]
pub(crate) struct Full;

/// What became of a SUBSCRIBE's filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscribed {
    New,
    Replaced,
    TooMany,
}

impl Hub {
    pub(crate) fn new(config: BrokerConfig) -> Self {
        let retained = RetainedStore::new(config.max_retained, config.max_retained_bytes);
        Self {
            config,
            counters: Counters::default(),
            clients: Mutex::default(),
            subscriptions: RwLock::default(),
            subscribed: AtomicUsize::new(0),
            retained: Mutex::new(retained),
            last_number: AtomicU64::new(0),
        }
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.last_number.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Enters a client; returns the one that had the same identifier, which has been told to go.
    pub(crate) fn enter(&self, client: &Arc<Client>) -> Result<Option<Arc<Client>>, Full> {
        let mut clients = self.clients.lock();
        if !clients.contains_key(&client.id) && clients.len() >= self.config.max_clients {
            return Err(Full);
        }
        let old = clients.insert(Arc::clone(&client.id), Arc::clone(client));
        drop(clients);
        self.counters.count_connect();
        if let Some(old) = &old {
            old.stop(CloseReason::TakenOver);
        }
        Ok(old)
    }

    /// Removes a client with all that belongs to it.
    pub(crate) fn leave(&self, client: &Arc<Client>, reason: CloseReason) {
        let filters = std::mem::take(&mut *client.filters.lock());
        if !filters.is_empty() {
            let mut subscriptions = self.subscriptions.write();
            for filter in &filters {
                subscriptions.remove(filter, client);
            }
            self.subscribed.store(subscriptions.len(), Ordering::Relaxed);
        }
        let mut clients = self.clients.lock();
        if clients.get(&client.id).is_some_and(|known| Arc::ptr_eq(known, client)) {
            clients.remove(&client.id);
        }
        // Under the lock, so that the sum of these and of those connected never misses any.
        add(&self.counters.bytes_in, read(&client.bytes_in));
        add(&self.counters.bytes_out, read(&client.bytes_out));
        self.counters.count_closed(reason);
        drop(clients);
        client.gone.send_replace(true);
    }

    /// Retains a message if asked to, and hands it to its subscribers. `matches` is scratch space.
    pub(crate) fn publish(&self, publication: &Publication<'_>, matches: &mut Vec<Match>) {
        let Publication { from, topic, payload, properties, qos, retain } = *publication;
        if retain && self.retained.lock().set(topic, payload, properties, qos).is_err() {
            add(&self.counters.retained_refused, 1);
        }
        if self.subscribed.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.subscriptions.read().matching(topic, matches);
        for Match { client, options } in matches.drain(..) {
            if options.no_local && client.number == from {
                continue;
            }
            let delivery = Delivery {
                topic,
                payload,
                properties,
                retain: retain && options.retain_as_published,
                acknowledged: qos.min(options.qos) >= Qos::AtLeastOnce,
            };
            self.deliver(&client, &delivery);
        }
    }

    /// Hands a retained message to a new subscriber.
    pub(crate) fn deliver_retained(&self, client: &Client, retained: &Retained, granted: Qos) {
        let delivery = Delivery {
            topic: &retained.topic,
            payload: &retained.payload,
            properties: &retained.properties,
            retain: true,
            acknowledged: retained.qos.min(granted) >= Qos::AtLeastOnce,
        };
        self.deliver(client, &delivery);
    }

    /// The retained messages for a new subscription.
    pub(crate) fn retained(&self, filter: &str) -> Vec<Retained> {
        self.retained.lock().matching(filter)
    }

    pub(crate) fn subscribe(&self, client: &Arc<Client>, filter: &str, options: Options) -> Subscribed {
        let mut filters = client.filters.lock();
        let known = filters.iter().any(|known| **known == *filter);
        let mut subscriptions = self.subscriptions.write();
        let full = filters.len() >= self.config.max_subscriptions || subscriptions.len() >= MAX_SUBSCRIPTIONS;
        if !known && full {
            return Subscribed::TooMany;
        }
        if !known {
            filters.push(filter.into());
        }
        subscriptions.insert(filter, client, options);
        self.subscribed.store(subscriptions.len(), Ordering::Relaxed);
        if known { Subscribed::Replaced } else { Subscribed::New }
    }

    /// Ends a subscription; false if there was none.
    pub(crate) fn unsubscribe(&self, client: &Arc<Client>, filter: &str) -> bool {
        let mut filters = client.filters.lock();
        let Some(index) = filters.iter().position(|known| **known == *filter) else { return false };
        filters.swap_remove(index);
        let mut subscriptions = self.subscriptions.write();
        let removed = subscriptions.remove(filter, client);
        self.subscribed.store(subscriptions.len(), Ordering::Relaxed);
        removed
    }

    pub(crate) fn stats(&self, listen: SocketAddr) -> BrokerStats {
        let clients = self.clients.lock();
        let mut rows: Vec<(u64, ClientStats)> =
            clients.values().map(|client| (client.number, client.stats())).collect();
        let counters = &self.counters;
        let bytes_in = read(&counters.bytes_in);
        let bytes_out = read(&counters.bytes_out);
        let closed = counters.closed();
        let [last_message, last_connect, last_disconnect] = counters.last_times();
        drop(clients);
        rows.sort_unstable_by_key(|(number, _)| *number);
        let clients: Vec<ClientStats> = rows.into_iter().map(|(_, row)| row).collect();
        let retained = self.retained.lock();
        BrokerStats {
            listen,
            connections_total: read(&counters.connections),
            clients_connected: clients.len(),
            connects_total: read(&counters.connects),
            refused: counters.refused(),
            closed,
            messages: counters.messages(),
            messages_last_5m: counters.messages_last_5m(),
            last_message,
            last_connect,
            last_disconnect,
            bytes_in: bytes_in + clients.iter().map(|client| client.bytes_in).sum::<u64>(),
            bytes_out: bytes_out + clients.iter().map(|client| client.bytes_out).sum::<u64>(),
            deliveries: read(&counters.deliveries),
            deliveries_dropped: read(&counters.deliveries_dropped),
            unacknowledged: clients.iter().map(|client| client.unacknowledged).sum(),
            subscriptions: self.subscribed.load(Ordering::Relaxed),
            retained: retained.len(),
            retained_bytes: retained.bytes(),
            retained_refused: read(&counters.retained_refused),
            accept_errors: read(&counters.accept_errors),
            clients,
        }
    }

    fn deliver(&self, client: &Client, delivery: &Delivery<'_>) {
        match client.outbox.deliver(delivery) {
            Delivered::Queued => {
                add(&client.deliveries, 1);
                add(&self.counters.deliveries, 1);
            }
            Delivered::Dropped => {
                add(&client.deliveries_dropped, 1);
                add(&self.counters.deliveries_dropped, 1);
            }
        }
    }
}

impl Client {
    pub(crate) fn new(
        number: u64,
        id: Arc<str>,
        peer: SocketAddr,
        username: Option<Arc<str>>,
        version: ProtocolVersion,
        outbox: Arc<Outbox>,
    ) -> Self {
        Self {
            number,
            id,
            peer,
            username,
            version,
            outbox,
            bytes_out: Arc::default(),
            connected_at: SystemTime::now(),
            messages: AtomicU64::new(0),
            last_message: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
            deliveries_dropped: AtomicU64::new(0),
            filters: Mutex::default(),
            stop: watch::Sender::new(None),
            gone: watch::Sender::new(false),
        }
    }

    /// Tells the connection to end.
    pub(crate) fn stop(&self, reason: CloseReason) {
        self.stop.send_replace(Some(reason));
    }

    /// Waits to be told to end.
    pub(crate) async fn stopped(&self) -> CloseReason {
        let mut stop = self.stop.subscribe();
        // The sender is this client itself, so it cannot be gone.
        stop.wait_for(Option::is_some).await.ok().and_then(|reason| *reason).unwrap_or(CloseReason::Lost)
    }

    /// Waits until the client has left, but no longer than `limit`.
    pub(crate) async fn wait_until_gone(&self, limit: Duration) {
        let mut gone = self.gone.subscribe();
        let _ = tokio::time::timeout(limit, gone.wait_for(|gone| *gone)).await;
    }

    pub(crate) fn count_read(&self, bytes: usize) {
        add(&self.bytes_in, bytes as u64);
    }

    pub(crate) fn count_messages(&self, count: u64, at: SystemTime) {
        add(&self.messages, count);
        let since_1970 = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_message.store(since_1970.as_millis() as u64, Ordering::Relaxed);
    }

    fn stats(&self) -> ClientStats {
        let last_message = read(&self.last_message);
        ClientStats {
            client_id: Arc::clone(&self.id),
            peer: self.peer,
            username: self.username.clone(),
            version: self.version,
            connected_at: self.connected_at,
            messages: read(&self.messages),
            last_message: (last_message > 0).then(|| UNIX_EPOCH + Duration::from_millis(last_message)),
            bytes_in: read(&self.bytes_in),
            bytes_out: read(&self.bytes_out),
            unacknowledged: self.outbox.owed(),
            subscriptions: self.filters.lock().len(),
            deliveries: read(&self.deliveries),
            deliveries_dropped: read(&self.deliveries_dropped),
        }
    }
}
