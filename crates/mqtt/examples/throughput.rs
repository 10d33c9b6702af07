//! Prints how many messages a second go from one publisher through the broker to a consumer thread:
//! `cargo run --release -p mqtt --example throughput [messages]`.

use std::thread;
use std::time::{Duration, Instant};

use mqtt::{Broker, BrokerConfig, BrokerUrl, MessageReceiver, Publisher, Qos};

/// What an observer's packet message weighs, roughly.
const OBSERVER_PAYLOAD: usize = 400;
/// Messages a consumer takes at once.
const BATCH: usize = 4096;

type Failure = Box<dyn std::error::Error>;

/// When a consumer confirms what it took.
#[derive(Clone, Copy)]
enum Confirm {
    AtOnce,
    /// Like a database that commits this often.
    Every(Duration),
}

fn main() -> Result<(), Failure> {
    let messages = match std::env::args().nth(1) {
        Some(count) => count.parse()?,
        None => 500_000,
    };
    for (payload, what) in [(32, "small"), (OBSERVER_PAYLOAD, "observer-sized")] {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
            measure(messages, payload, qos, Confirm::AtOnce, what)?;
        }
    }
    let commit = Duration::from_millis(100);
    measure(messages, OBSERVER_PAYLOAD, Qos::AtLeastOnce, Confirm::Every(commit), "confirmed every 100 ms,")
}

fn measure(messages: usize, payload: usize, qos: Qos, confirm: Confirm, what: &str) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (sender, receiver) = mqtt::queue(65_536);
        let config = BrokerConfig { listen: ([127, 0, 0, 1], 0).into(), ..BrokerConfig::default() };
        let broker = Broker::bind(config, sender).await?;
        let consumer = thread::spawn(move || consume(receiver, messages, confirm));
        let url = BrokerUrl::parse(&broker.local_addr().to_string())?;
        let mut publisher = Publisher::connect_with_window(&url, None, 10_000).await?;
        let topic = format!("meshcore/AMS/{}/packets", "4F".repeat(32));
        let payload = vec![b'x'; payload];

        let start = Instant::now();
        for _ in 0..messages {
            publisher.publish(&topic, &payload, qos, false).await?;
        }
        publisher.flush().await?;
        let received = tokio::task::spawn_blocking(move || consumer.join()).await?;
        let elapsed = start.elapsed();
        let received = received.map_err(|_| "the consumer panicked")?;
        assert_eq!(received, messages, "every message arrives");
        println!(
            "{what} {} bytes, QoS {}: {:.0} messages/s, {:.0} MB/s",
            payload.len(),
            qos as u8,
            messages as f64 / elapsed.as_secs_f64(),
            (messages * (payload.len() + topic.len())) as f64 / elapsed.as_secs_f64() / 1e6,
        );
        broker.shutdown().await;
        Ok(())
    })
}

fn consume(mut receiver: MessageReceiver, expected: usize, confirm: Confirm) -> usize {
    let mut received = 0;
    let mut batch = Vec::with_capacity(BATCH);
    let mut last = Instant::now();
    while received < expected {
        let count = match confirm {
            Confirm::AtOnce => receiver.blocking_recv_many(&mut batch, BATCH),
            Confirm::Every(_) => receiver.try_recv_many(&mut batch, BATCH),
        };
        received += count;
        match confirm {
            Confirm::AtOnce => batch.clear(),
            Confirm::Every(interval) if last.elapsed() >= interval => {
                batch.clear();
                last = Instant::now();
            }
            Confirm::Every(_) if count == 0 => thread::sleep(Duration::from_millis(1)),
            Confirm::Every(_) => {}
        }
    }
    received
}
