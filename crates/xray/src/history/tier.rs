//! The three resolutions.

/// Slots of a block. A bit of a 64-bit number says whether a slot is there.
pub(super) const SLOTS: usize = 60;

/// How finely, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// Seconds of the last hour.
    Seconds,
    /// Ten seconds each, of the last day.
    Tens,
    /// Minutes of the last thirty days.
    Minutes,
}

impl Tier {
    /// All, the finest first.
    pub(super) const ALL: [Self; 3] = [Self::Seconds, Self::Tens, Self::Minutes];

    /// As an index.
    pub(super) fn place(self) -> usize {
        self as usize
    }

    /// Seconds of a slot.
    pub(super) fn step_secs(self) -> i64 {
        match self {
            Self::Seconds => 1,
            Self::Tens => 10,
            Self::Minutes => 60,
        }
    }

    /// Seconds of a block: a minute, ten minutes, an hour.
    pub(super) fn block_secs(self) -> i64 {
        self.step_secs() * SLOTS as i64
    }

    /// For how many seconds it is kept at least, if the process runs all the time.
    pub(super) fn kept_secs(self) -> i64 {
        match self {
            Self::Seconds => 3_600,
            Self::Tens => 86_400,
            Self::Minutes => 30 * 86_400,
        }
    }

    /// How many slots are kept at least.
    pub(super) fn kept_slots(self) -> u64 {
        (self.kept_secs() / self.step_secs()).unsigned_abs()
    }

    /// Blocks of a segment: an hour, a day, a week. A segment goes as a whole, so this much is kept too long.
    pub(super) fn segment_blocks(self) -> u32 {
        match self {
            Self::Seconds => 60,
            Self::Tens => 144,
            Self::Minutes => 168,
        }
    }

    /// Bytes that all of its segments may take; beyond it the oldest goes, even if that makes the history shorter than it
    /// should be. Ten times what 300 series of a busy mesh need (some 0.2, 0.5 and 1.5 MB).
    pub(super) fn most_bytes(self) -> u64 {
        match self {
            Self::Seconds => 2 << 20,
            Self::Tens => 5 << 20,
            Self::Minutes => 15 << 20,
        }
    }

    /// How its files begin.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "1s",
            Self::Tens => "10s",
            Self::Minutes => "60s",
        }
    }

    /// The tier with this number in a file.
    pub(super) fn numbered(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}
