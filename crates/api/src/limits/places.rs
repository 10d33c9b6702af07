//! A number of places, and a bounded queue before them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Who waits longer than this for a place is better told to come again.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Places for requests, and a queue of those that wait for one.
pub(crate) struct Places {
    free: Semaphore,
    all: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// No place became free in time, or too many wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy;

impl Places {
    pub(crate) fn new(all: usize, most_waiting: usize) -> Self {
        Self { free: Semaphore::new(all), all, waiting: AtomicUsize::new(0), most_waiting }
    }

    /// A place, given back when it is dropped.
    ///
    /// # Errors
    /// [`Busy`] at once when the queue is full, and after a second of waiting.
    pub(crate) async fn take(&self) -> Result<SemaphorePermit<'_>, Busy> {
        if let Ok(place) = self.free.try_acquire() {
            return Ok(place);
        }
        let _queued = Queued::behind(self)?;
        match tokio::time::timeout(LONGEST_WAIT, self.free.acquire()).await {
            // The semaphore is never closed, so a place is what there is.
            Ok(place) => place.map_err(|_closed| Busy),
            Err(_elapsed) => Err(Busy),
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.all - self.free.available_permits()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// One that waits; a client that goes away leaves the queue with it.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn behind(places: &'a Places) -> Result<Self, Busy> {
        let before = places.waiting.fetch_add(1, Ordering::Relaxed);
        let queued = Self(&places.waiting);
        if before < places.most_waiting { Ok(queued) } else { Err(Busy) }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_waits_and_who_finds_the_queue_full_does_not() {
        let places = Places::new(1, 1);
        let taken = places.take().await.expect("it is free");
        let mut waiting = pin!(places.take());
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(waiting.as_mut().poll(&mut context), Poll::Pending));
        assert_eq!((places.running(), places.waiting()), (1, 1));
        assert_eq!(places.take().await.err(), Some(Busy));
        drop(taken);
        assert!(waiting.await.is_ok());
        assert_eq!((places.running(), places.waiting()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let places = Places::new(1, 1);
        let _taken = places.take().await.expect("it is free");
        assert_eq!(places.take().await.err(), Some(Busy));
        assert_eq!(places.waiting(), 0);
    }
}
