//! The thread that reads all series once a second.

use crate::Sources;
use parking_lot::{Condvar, Mutex};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From one reading to the next.
const PERIOD_MS: i64 = 1_000;

/// The least time between two readings. Without it, waking a moment too early would mean reading twice at once.
const LEAST_WAIT_MS: i64 = 250;

/// Reads all [`Sources`] as each second of the wall clock ends and hands the sample on, on a thread of its own that ends when
/// this is dropped, after a last reading. A reading that is late, a clock that jumps or a machine that slept costs readings;
/// none is ever made up for.
#[derive(Debug)]
pub struct Meter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: Mutex<bool>,
    wake: Condvar,
}

impl Meter {
    /// Begins with a first reading, made before this returns. The sink is given the time of the reading in milliseconds since
    /// 1970 and the sample; it runs on the thread of the meter, where it may write a block of the history, but should not wait
    /// otherwise.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        mut sources: Sources,
        mut sink: impl FnMut(i64, &[u64]) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let stopped = Arc::clone(&shared);
        let mut sample = vec![0; sources.catalogue().infos().len()];
        // Not on the thread, which may come to run only when some of what is counted has been done.
        let mut now_ms = wall_ms();
        sources.read(&mut sample);
        let work = move || {
            sink(now_ms, &sample);
            while !stopped.wait(wait_ms(wall_ms())) {
                now_ms = wall_ms();
                sources.read(&mut sample);
                sink(now_ms, &sample);
            }
            sources.read(&mut sample);
            sink(wall_ms(), &sample);
        };
        let thread = std::thread::Builder::new().name("meter".into()).spawn(work)?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        *self.shared.stop.lock() = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the meter has been printed by its own thread; there is nothing to add here.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Waits, and says whether it is time to stop. The wait is by a clock that nobody sets.
    fn wait(&self, ms: u64) -> bool {
        let deadline = std::time::Instant::now() + Duration::from_millis(ms);
        let mut stop = self.stop.lock();
        while !*stop && !self.wake.wait_until(&mut stop, deadline).timed_out() {}
        *stop
    }
}

/// How long from a time of the wall clock to the next reading: until the second ends, or the one after it when that is too
/// soon.
fn wait_ms(now_ms: i64) -> u64 {
    let left = PERIOD_MS - now_ms.rem_euclid(PERIOD_MS);
    let wait = if left < LEAST_WAIT_MS { left + PERIOD_MS } else { left };
    wait.unsigned_abs()
}

fn wall_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;
    use proptest::prelude::*;
    use std::sync::mpsc;
    use telemetry::Counter;

    #[test]
    fn a_meter_reads_at_once_and_once_more_when_it_is_stopped() {
        let counter = Arc::new(Counter::new());
        let mut sources = Sources::default();
        let read = Arc::clone(&counter);
        sources.counter("a", Unit::Bytes, "", move || read.get());
        let (send, samples) = mpsc::channel();
        let meter = Meter::start(sources, move |_, sample| {
            let _ = send.send((std::thread::current().name().map(str::to_owned), sample.to_vec()));
        })
        .unwrap();
        counter.add(7);
        assert_eq!(samples.recv().unwrap(), (Some("meter".to_owned()), vec![0]));
        drop(meter);
        assert_eq!(samples.iter().last().unwrap().1, [7]);
    }

    #[test]
    fn a_reading_is_due_when_the_second_ends() {
        assert_eq!([wait_ms(5_000), wait_ms(5_003), wait_ms(5_400)], [1_000, 997, 600]);
        // Awake two milliseconds too early: the reading that has just been made is that of the second.
        assert_eq!(wait_ms(4_998), 1_002);
    }

    proptest! {
        #[test]
        fn wherever_the_clock_jumps_there_is_one_reading_a_second(now_ms in any::<i64>()) {
            let wait = wait_ms(now_ms);
            prop_assert!((250..1_250).contains(&wait));
        }
    }
}
