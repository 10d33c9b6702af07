//! What was sent lately, kept once for all clients: each of them walks through it at its own pace.

use super::batch::Batch;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What waits for slow clients is kept up to this, for all of them together.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// And not for longer: who is a minute behind is told what it missed and goes on with what is new.
const MAX_AGE: Duration = Duration::from_secs(60);

/// A stretch of the sequence, and what each group of subscriptions gets of it.
#[derive(Debug)]
pub(crate) struct Tick {
    /// Rises by one.
    pub(crate) number: u64,
    /// The last number of the sequence that it speaks for.
    pub(crate) to: u64,
    /// Numbers before it that were not rendered for anyone, because there were too many.
    pub(crate) skipped: Option<(u64, u64)>,
    /// The name of the sequence: another one when it began anew.
    pub(crate) server: Arc<str>,
    /// By number of the group, rising; groups that get nothing are not there.
    pub(crate) batches: Vec<(u64, Batch)>,
}

impl Tick {
    pub(crate) fn batch(&self, group: u64) -> Option<&Batch> {
        let at = self.batches.binary_search_by_key(&group, |(group, _)| *group).ok()?;
        Some(&self.batches[at].1)
    }

    fn bytes(&self) -> usize {
        let each = |(_, batch): &(u64, Batch)| size_of::<(u64, Batch)>() + batch.bytes();
        size_of::<Self>() + self.batches.iter().map(each).sum::<usize>()
    }
}

/// The newest ticks.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    ticks: VecDeque<(Instant, usize, Arc<Tick>)>,
    bytes: usize,
    next: u64,
}

/// What a client finds at its place.
#[derive(Debug)]
pub(crate) enum Pull {
    /// Nothing new.
    Nothing,
    /// The next tick.
    Next(Arc<Tick>),
    /// Its place is gone: it goes on with the tick after this one.
    Lost(Arc<Tick>),
}

impl Ring {
    /// The number of the tick that comes next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Adds the next tick and forgets what is too old or too much; the newest always stays.
    pub(crate) fn push(&mut self, tick: Tick, now: Instant) {
        debug_assert_eq!(tick.number, self.next, "ticks come in order");
        let bytes = tick.bytes();
        self.bytes += bytes;
        self.next = tick.number + 1;
        self.ticks.push_back((now, bytes, Arc::new(tick)));
        while self.ticks.len() > 1 {
            let Some((at, bytes, _)) = self.ticks.front() else { break };
            if self.bytes <= MAX_BYTES && now.duration_since(*at) <= MAX_AGE {
                break;
            }
            self.bytes -= bytes;
            self.ticks.pop_front();
        }
    }

    /// Forgets everything, when nobody is there whom it could be sent to.
    pub(crate) fn clear(&mut self) {
        self.ticks = VecDeque::new();
        self.bytes = 0;
    }

    pub(crate) fn pull(&self, place: u64) -> Pull {
        let Some((_, _, newest)) = self.ticks.back() else { return Pull::Nothing };
        if place >= self.next {
            return Pull::Nothing;
        }
        let first = self.next - self.ticks.len() as u64;
        match place.checked_sub(first) {
            Some(at) => Pull::Next(Arc::clone(&self.ticks[at as usize].2)),
            None => Pull::Lost(Arc::clone(newest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(number: u64, bytes: usize) -> Tick {
        let batch = Batch { rows: 1, frames: vec!["x".repeat(bytes)] };
        Tick { number, to: number, skipped: None, server: Arc::from("a"), batches: vec![(3, batch)] }
    }

    #[test]
    fn a_client_walks_through_it_until_its_place_is_gone() {
        let mut ring = Ring::default();
        let now = Instant::now();
        assert!(matches!(ring.pull(0), Pull::Nothing));
        for number in 0..10 {
            ring.push(tick(number, MAX_BYTES / 5), now);
        }
        assert!(matches!(ring.pull(10), Pull::Nothing));
        assert!(matches!(ring.pull(9), Pull::Next(tick) if tick.number == 9 && tick.batch(3).is_some()));
        assert!(matches!(ring.pull(6), Pull::Next(tick) if tick.number == 6 && tick.batch(2).is_none()));
        assert!(matches!(ring.pull(0), Pull::Lost(tick) if tick.number == 9));
        assert!(ring.bytes <= MAX_BYTES);
        ring.push(tick(10, 1), now + MAX_AGE * 2);
        assert!(matches!(ring.pull(9), Pull::Lost(tick) if tick.number == 10));
        ring.push(tick(11, MAX_BYTES * 2), now + MAX_AGE * 2);
        assert!(matches!(ring.pull(11), Pull::Next(_)), "the newest stays, however large it is");
        ring.clear();
        assert!(matches!(ring.pull(3), Pull::Nothing));
        assert_eq!((ring.next(), ring.bytes), (12, 0));
    }
}
