//! A broker for one test, and waiting with a deadline.

use std::time::{Duration, Instant};

use mqtt::{Broker, BrokerConfig, BrokerUrl, CloseReason, Message, MessageReceiver, RefuseReason};
use tokio::time::{sleep, timeout};

/// Long enough for a loaded machine; a test that fails waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A broker on a free port and the queue its messages come out of.
pub(crate) struct TestBroker {
    pub(crate) broker: Broker,
    pub(crate) messages: MessageReceiver,
}

impl TestBroker {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut BrokerConfig)) -> Self {
        Self::start_with_queue(10_000, change).await
    }

    pub(crate) async fn start_with_queue(capacity: usize, change: impl FnOnce(&mut BrokerConfig)) -> Self {
        let (sender, messages) = mqtt::queue(capacity);
        let mut config = BrokerConfig { listen: ([127, 0, 0, 1], 0).into(), source: 7, ..Default::default() };
        change(&mut config);
        let broker = Broker::bind(config, sender).await.unwrap();
        Self { broker, messages }
    }

    pub(crate) fn url(&self) -> BrokerUrl {
        BrokerUrl::parse(&self.broker.local_addr().to_string()).unwrap()
    }

    pub(crate) async fn next(&mut self) -> Message {
        next(&mut self.messages).await
    }

    pub(crate) fn closed(&self, reason: CloseReason) -> u64 {
        self.broker.stats().closed.into_iter().find(|(known, _)| *known == reason).unwrap().1
    }

    pub(crate) fn refused(&self, reason: RefuseReason) -> u64 {
        self.broker.stats().refused.into_iter().find(|(known, _)| *known == reason).unwrap().1
    }
}

pub(crate) async fn next(messages: &mut MessageReceiver) -> Message {
    timeout(PATIENCE, messages.recv()).await.expect("a message in time").expect("the queue is open")
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}
