//! Figures that are added up from what is in memory and from segments of storage, whose packets are others.

use model::{ObserverId, UnixMillis};

use super::Reach;
use crate::cold::ColdSegment;
use crate::compare::{CompareRange, Comparing, Comparison};
use crate::index::Index;
use crate::scope_stats::ScopeStats;

/// What was added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfPieces<T> {
    /// Of all that was looked at, the newest first.
    pub found: T,
    /// Not everything was looked at, because the time was up or storage could not be read.
    pub bounded: bool,
}

impl Reach<'_> {
    /// When the transmissions first seen after `since` were, rising.
    pub fn first_seen_since(&self, since: UnixMillis) -> OfPieces<Vec<UnixMillis>> {
        let mut found = Vec::new();
        let bounded =
            self.pieces(since, UnixMillis(i64::MAX), |piece| found.extend(piece.first_seen_since(since)));
        // Ids rise with time but for some seconds of disorder, which this kind of sorting makes use of.
        found.sort();
        OfPieces { found, bounded }
    }

    /// Compares what two observers heard, as [`Index::compare`] does.
    pub fn compare(
        &self,
        a: ObserverId,
        b: ObserverId,
        range: &CompareRange,
    ) -> Option<OfPieces<Comparison>> {
        let is_known = |id| self.hot.read().observer_record(id).is_some();
        let mut comparing = (is_known(a) && is_known(b)).then(|| Comparing::new(a, b, range))?;
        let bounded = self.pieces(range.from, range.to, |piece| comparing.add(piece));
        Some(OfPieces { found: comparing.finish(), bounded })
    }

    /// Scopes of the packets first seen at `since` or later, as [`Index::scope_stats`] gives them.
    pub fn scope_stats(&self, since: UnixMillis, bucket_ms: i64) -> OfPieces<ScopeStats> {
        let mut found = ScopeStats::default();
        let bounded =
            self.pieces(since, UnixMillis(i64::MAX), |piece| found.add(piece.scope_stats(since, bucket_ms)));
        OfPieces { found, bounded }
    }

    /// Hands out each index that may have packets heard in a span of time: the one in memory, then the segments of storage
    /// from the newest to the oldest. `true` when not all could be.
    fn pieces(&self, from: UnixMillis, to: UnixMillis, mut take: impl FnMut(&Index)) -> bool {
        let segments: Vec<ColdSegment> = {
            // Both under one guard: a packet is in one of them however the window moves.
            let hot = self.hot.read();
            take(&hot);
            let inside = |segment: &&ColdSegment| segment.latest >= from && segment.earliest <= to;
            hot.cold_segments().iter().rev().filter(inside).cloned().collect()
        };
        let mut read = |segment| {
            let piece = self.has_time().then(|| self.cold.segment(segment)).flatten();
            piece.map(|piece| take(&piece)).is_some()
        };
        !segments.iter().all(&mut read)
    }
}
