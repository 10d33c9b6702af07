//! Sixty slots of all series: in memory while they are filled, and as bytes.
//!
//! The bytes are a head of [`HEAD`] bytes and a body. Head, all numbers with the low byte first: magic (4), number of the
//! tier (1), version (1), nothing (2), begin in seconds since 1970 (8), bit map of the slots that are there (8), bytes of the
//! body as it is and unpacked (4 + 4), checksum (CRC-32) of the body (4), checksum of the head before it (4). The body is
//! packed with zstd and holds, for the seconds covered (place 0) and each series (place + 1) that is not all zero: how far its
//! place is from the one before, how long its column is, and behind all of these the columns (see [`column`]).

use super::column::{self, Bytes};
use super::tier::{SLOTS, Tier};

/// How a block begins.
pub(super) const MAGIC: [u8; 4] = *b"MXb1";

/// Bytes before the body.
pub(super) const HEAD: usize = 40;

/// Changes with the meaning of a block's bytes.
const VERSION: u8 = 1;

/// Blocks are small and written once a minute; the best packing takes some milliseconds.
const ZSTD_LEVEL: i32 = 19;

/// Later than any clock that can be believed: the year 10889. It keeps sums of times from overflowing.
pub(super) const LATEST_SECS: i64 = 1 << 48;

/// The slots that are being filled.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) tier: Tier,
    /// Seconds since 1970, a multiple of the block's length.
    pub(super) begin_secs: i64,
    /// A bit for each slot that is there.
    there: u64,
    /// Seconds within each slot of which something is known. None where a slot only adds to a second that another block has.
    covered: [u32; SLOTS],
    /// Slots one behind the other, each as long as the catalogue.
    values: Vec<u64>,
    width: usize,
}

impl Block {
    /// Nothing in it.
    pub(super) fn new(tier: Tier, width: usize) -> Self {
        Self { tier, begin_secs: 0, there: 0, covered: [0; SLOTS], values: vec![0; width * SLOTS], width }
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.there == 0
    }

    /// When the block begins that holds a second.
    pub(super) fn begin_of(tier: Tier, second: i64) -> i64 {
        second - second.rem_euclid(tier.block_secs())
    }

    /// Whether a second belongs into it; an empty block is given to the second.
    pub(super) fn accepts(&mut self, second: i64) -> bool {
        let begin = Self::begin_of(self.tier, second);
        if self.is_empty() {
            self.begin_secs = begin;
        }
        self.begin_secs == begin
    }

    /// The values of the slot of a second, which must belong into this block and is there from now on; `more` seconds of it
    /// are now covered.
    pub(super) fn slot(&mut self, second: i64, more: u32) -> &mut [u64] {
        let slot = (second - self.begin_secs).div_euclid(self.tier.step_secs());
        let slot = usize::try_from(slot).unwrap_or(0).min(SLOTS - 1);
        self.there |= 1 << slot;
        self.covered[slot] = self.covered[slot].saturating_add(more);
        &mut self.values[slot * self.width..(slot + 1) * self.width]
    }

    /// Whether a slot is there.
    pub(super) fn has(&self, slot: usize) -> bool {
        self.there >> slot & 1 == 1
    }

    /// Seconds covered of a slot.
    pub(super) fn covered(&self, slot: usize) -> u32 {
        self.covered[slot]
    }

    /// A value.
    pub(super) fn value(&self, slot: usize, place: usize) -> u64 {
        self.values[slot * self.width + place]
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        for slot in 0..SLOTS {
            if self.has(slot) {
                self.values[slot * self.width..(slot + 1) * self.width].fill(0);
            }
        }
        (self.there, self.covered) = (0, [0; SLOTS]);
    }

    /// As bytes.
    ///
    /// # Errors
    /// When there is no memory to pack it.
    pub(super) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let there: Vec<usize> = (0..SLOTS).filter(|slot| self.has(*slot)).collect();
        let mut index = Vec::new();
        let mut columns = Vec::new();
        let mut before = 0;
        let mut column: Vec<u64> = Vec::with_capacity(SLOTS);
        for place in 0..=self.width {
            column.clear();
            column.extend(there.iter().map(|slot| match place.checked_sub(1) {
                None => u64::from(self.covered[*slot]),
                Some(series) => self.value(*slot, series),
            }));
            if column.iter().all(|value| *value == 0) {
                continue;
            }
            let begin = columns.len();
            column::encode(&column, &mut columns);
            column::put_number(&mut index, (place - before) as u64);
            column::put_number(&mut index, (columns.len() - begin) as u64);
            before = place;
        }
        let mut body = Vec::with_capacity(index.len() + columns.len() + 4);
        column::put_number(&mut body, index.len() as u64);
        body.append(&mut index);
        body.append(&mut columns);
        let packed = zstd::bulk::compress(&body, ZSTD_LEVEL)?;
        let mut bytes = Vec::with_capacity(HEAD + packed.len());
        bytes.extend(MAGIC);
        bytes.extend([self.tier as u8, VERSION, 0, 0]);
        bytes.extend(self.begin_secs.to_le_bytes());
        bytes.extend(self.there.to_le_bytes());
        bytes.extend((packed.len() as u32).to_le_bytes());
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(crc32fast::hash(&packed).to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes.extend(packed);
        Ok(bytes)
    }
}

/// What the head of a block says, after its checksums were found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) tier: Tier,
    pub(super) begin_secs: i64,
    pub(super) bitmap: u64,
    /// Bytes of head and body.
    pub(super) bytes: usize,
    unpacked: usize,
}

impl Head {
    /// Reads the head of the block with which these bytes begin, and compares its checksums; `None` when it is damaged, or
    /// of another tier, or of a version that is not known.
    pub(super) fn read(bytes: &[u8], tier: Tier) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let mut fields = Bytes(head);
        if fields.take(4)? != MAGIC
            || Tier::numbered(fields.byte()?)? != tier
            || fields.byte()? != VERSION
            || crc32fast::hash(&head[..HEAD - 4]).to_le_bytes() != head[HEAD - 4..]
        {
            return None;
        }
        fields.take(2)?;
        let begin_secs = i64::from_le_bytes(fields.take(8)?.try_into().ok()?);
        let bitmap = u64::from_le_bytes(fields.take(8)?.try_into().ok()?);
        let packed = usize::try_from(u32::from_le_bytes(fields.take(4)?.try_into().ok()?)).ok()?;
        let unpacked = usize::try_from(u32::from_le_bytes(fields.take(4)?.try_into().ok()?)).ok()?;
        let body = rest.get(..packed)?;
        let sane = (0..LATEST_SECS).contains(&begin_secs)
            && begin_secs % tier.block_secs() == 0
            && bitmap != 0
            && bitmap >> SLOTS == 0
            && crc32fast::hash(body).to_le_bytes() == fields.take(4)?;
        sane.then_some(Self { tier, begin_secs, bitmap, bytes: HEAD + packed, unpacked })
    }

    /// How many slots are there.
    pub(super) fn slots(&self) -> u64 {
        u64::from(self.bitmap.count_ones())
    }

    /// The second after its last slot.
    pub(super) fn end_secs(&self) -> i64 {
        let slots = 64 - i64::from(self.bitmap.leading_zeros());
        self.begin_secs + slots * self.tier.step_secs()
    }
}

/// Takes the slots of a history, one series after the other within a block.
pub(super) trait Visitor {
    /// A slot of which so many seconds are known.
    fn covered(&mut self, _slot_secs: i64, _covered_secs: u32) {}

    /// The value of a wanted series in a slot.
    fn value(&mut self, wanted: usize, slot_secs: i64, covered_secs: u32, value: u64);
}

/// Where the columns of a segment go: for each of its columns the place among the wanted series, if it is wanted.
pub(super) type ColumnMap = [Option<u16>];

/// Shows a visitor the slots within `[window.0, window.1)` of the block with which `bytes` begin and whose head is `head`.
/// What cannot be understood is left out; `None` says that something was.
pub(super) fn visit(
    bytes: &[u8],
    head: &Head,
    map: &ColumnMap,
    window: (i64, i64),
    visitor: &mut dyn Visitor,
) -> Option<()> {
    // A body cannot be longer than all columns at their longest, so what a damaged head asks for is bounded.
    let most = 10 + (map.len() + 1) * (column::MOST_BYTES + 20);
    if head.unpacked > most {
        return None;
    }
    let body = zstd::bulk::decompress(bytes.get(HEAD..head.bytes)?, head.unpacked).ok()?;
    let mut columns = Bytes(&body);
    let index_bytes = columns.count()?;
    let mut index = Bytes(columns.take(index_bytes)?);
    let mut slots = Slots::of(head, window, visitor);
    let mut values = [0_u64; SLOTS];
    let mut place = 0_usize;
    let mut next = 0_usize;
    while !index.0.is_empty() {
        place = place.checked_add(index.count()?)?;
        let length = index.count()?;
        let column = columns.take(length)?;
        let Some(series) = place.checked_sub(1) else {
            column::decode(column, &mut values[..slots.count])?;
            slots.cover(&values);
            continue;
        };
        // Series that have no column are zero, but they are there.
        slots.show_zeros(map.get(next..series)?);
        if let Some(wanted) = *map.get(series)? {
            column::decode(column, &mut values[..slots.count])?;
            slots.show(wanted, &values);
        }
        next = series + 1;
    }
    slots.show_zeros(map.get(next..)?);
    Some(())
}

/// The slots of a block that is read.
struct Slots<'a> {
    times: [i64; SLOTS],
    covered: [u32; SLOTS],
    count: usize,
    window: (i64, i64),
    visitor: &'a mut dyn Visitor,
}

impl<'a> Slots<'a> {
    fn of(head: &Head, window: (i64, i64), visitor: &'a mut dyn Visitor) -> Self {
        let mut slots = Self { times: [0; SLOTS], covered: [0; SLOTS], count: 0, window, visitor };
        for slot in (0..SLOTS as i64).filter(|slot| head.bitmap >> slot & 1 == 1) {
            slots.times[slots.count] = head.begin_secs + slot * head.tier.step_secs();
            slots.count += 1;
        }
        slots
    }

    fn cover(&mut self, values: &[u64; SLOTS]) {
        for (slot, value) in values.iter().enumerate().take(self.count) {
            self.covered[slot] = u32::try_from(*value).unwrap_or(u32::MAX);
            if (self.window.0..self.window.1).contains(&self.times[slot]) {
                self.visitor.covered(self.times[slot], self.covered[slot]);
            }
        }
    }

    fn show(&mut self, wanted: u16, values: &[u64; SLOTS]) {
        for (slot, value) in values.iter().enumerate().take(self.count) {
            if (self.window.0..self.window.1).contains(&self.times[slot]) {
                self.visitor.value(usize::from(wanted), self.times[slot], self.covered[slot], *value);
            }
        }
    }

    fn show_zeros(&mut self, map: &ColumnMap) {
        for wanted in map.iter().flatten() {
            self.show(*wanted, &[0; SLOTS]);
        }
    }
}
