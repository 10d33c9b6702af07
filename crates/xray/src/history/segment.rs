//! A file of blocks of one tier. It begins with the names of the series whose columns the blocks have; blocks follow until
//! its end. A file is only ever added to, and when the catalogue changes a new one begins.
//!
//! Begin, all numbers with the low byte first: magic (4), number of the tier (1), version (1), nothing (2), bytes of the
//! names as they are and unpacked (4 + 4), checksum (CRC-32) of all of this and of the names as they are (4). The names are
//! packed with zstd; each is one byte for its kind, its length (2) and its text.

use super::block::{self, Head, LATEST_SECS};
use super::column::Bytes;
use super::tier::Tier;
use crate::{Catalogue, SeriesId, SeriesKind};

/// How a file begins.
const MAGIC: [u8; 4] = *b"MXh1";

/// Changes with the meaning of what follows.
const VERSION: u8 = 1;

/// Bytes before the names.
const HEAD: usize = 20;

/// Series that a history has at most. It bounds what a damaged file can make us reserve, and is ten times what there are.
pub(super) const MOST_SERIES: usize = 4_096;

/// Bytes of the names, unpacked, at most.
const MOST_NAME_BYTES: usize = MOST_SERIES * 200;

/// So many places are tried at which a block could begin after damage; a file that has more of them is made to mislead.
const MOST_TRIES: usize = 64;

const ZSTD_LEVEL: i32 = 19;

/// The begin of a file that holds these series.
///
/// # Errors
/// When there is no memory to pack it.
pub(super) fn begin(tier: Tier, catalogue: &Catalogue) -> std::io::Result<Vec<u8>> {
    let mut names = Vec::new();
    for info in catalogue.infos() {
        let name = &info.name.as_bytes()[..info.name.len().min(usize::from(u16::MAX))];
        names.push(u8::from(info.kind == SeriesKind::Gauge));
        names.extend((name.len() as u16).to_le_bytes());
        names.extend(name);
    }
    let packed = zstd::bulk::compress(&names, ZSTD_LEVEL)?;
    let mut bytes = Vec::with_capacity(HEAD + packed.len());
    bytes.extend(MAGIC);
    bytes.extend([tier as u8, VERSION, 0, 0]);
    bytes.extend((packed.len() as u32).to_le_bytes());
    bytes.extend((names.len() as u32).to_le_bytes());
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&bytes);
    checksum.update(&packed);
    bytes.extend(checksum.finalize().to_le_bytes());
    bytes.extend(packed);
    Ok(bytes)
}

/// A block within a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) head: Head,
    pub(super) offset: usize,
}

/// What is in a file.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Kind and name of the columns.
    names: Vec<(SeriesKind, String)>,
    pub(super) blocks: Vec<Placed>,
    /// Bytes that hold nothing that could be read.
    pub(super) damaged_bytes: u64,
}

impl Contents {
    /// Finds the blocks of a file. What is damaged is skipped.
    pub(super) fn read(bytes: &[u8], tier: Tier) -> Self {
        let Some((names, mut offset)) = read_begin(bytes, tier) else {
            return Self { damaged_bytes: bytes.len() as u64, ..Self::default() };
        };
        let mut contents = Self { names, ..Self::default() };
        let mut tries = 0;
        while offset < bytes.len() {
            if let Some(head) = Head::read(&bytes[offset..], tier) {
                contents.blocks.push(Placed { head, offset });
                offset += head.bytes;
                continue;
            }
            tries += 1;
            let rest = &bytes[offset + 1..];
            let found = rest.windows(block::MAGIC.len()).position(|window| window == block::MAGIC);
            let skipped = found.filter(|_| tries <= MOST_TRIES).map_or(rest.len(), |found| found) + 1;
            contents.damaged_bytes += skipped as u64;
            offset += skipped;
        }
        contents
    }

    /// Whether its columns are the series of a catalogue, in its order.
    pub(super) fn holds(&self, catalogue: &Catalogue) -> bool {
        let infos = catalogue.infos();
        self.names.len() == infos.len()
            && self
                .names
                .iter()
                .zip(infos)
                .all(|((kind, name), info)| *kind == info.kind && *name == info.name)
    }

    /// Where its columns go among the wanted series. Series are known by their names; one that has become a gauge is not the
    /// counter that it was.
    pub(super) fn map(&self, catalogue: &Catalogue, wanted: &[SeriesId]) -> Vec<Option<u16>> {
        let place = |kind: &SeriesKind, name: &String| {
            let is_it = |id: &SeriesId| {
                let info = catalogue.info(*id);
                info.name == *name && info.kind == *kind
            };
            wanted.iter().position(is_it).and_then(|place| u16::try_from(place).ok())
        };
        if self.holds(catalogue) {
            // The usual case, without comparing each with each.
            let mut map = vec![None; self.names.len()];
            for (place, id) in wanted.iter().enumerate() {
                map[id.place()] = u16::try_from(place).ok();
            }
            return map;
        }
        self.names.iter().map(|(kind, name)| place(kind, name)).collect()
    }
}

fn read_begin(bytes: &[u8], tier: Tier) -> Option<(Vec<(SeriesKind, String)>, usize)> {
    let mut fields = Bytes(bytes);
    let four = |fields: &mut Bytes<'_>| Some(u32::from_le_bytes(fields.take(4)?.try_into().ok()?));
    if fields.take(4)? != MAGIC || Tier::numbered(fields.byte()?)? != tier || fields.byte()? != VERSION {
        return None;
    }
    fields.take(2)?;
    let packed = usize::try_from(four(&mut fields)?).ok()?;
    let unpacked = usize::try_from(four(&mut fields)?).ok()?;
    let expected = four(&mut fields)?;
    let names = fields.take(packed)?;
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&bytes[..HEAD - 4]);
    checksum.update(names);
    if checksum.finalize() != expected || unpacked > MOST_NAME_BYTES {
        return None;
    }
    let names = zstd::bulk::decompress(names, unpacked).ok()?;
    let mut fields = Bytes(&names);
    let mut series = Vec::new();
    while !fields.0.is_empty() {
        let kind = if fields.byte()? == 0 { SeriesKind::Counter } else { SeriesKind::Gauge };
        let length = u16::from_le_bytes(fields.take(2)?.try_into().ok()?);
        let name = std::str::from_utf8(fields.take(usize::from(length))?).ok()?;
        if series.len() == MOST_SERIES {
            return None;
        }
        series.push((kind, name.to_owned()));
    }
    Some((series, HEAD + packed))
}

/// The first and the last second of some blocks; an empty window when there are none.
pub(super) fn span<'a>(blocks: impl Iterator<Item = &'a Head>) -> (i64, i64) {
    blocks.fold((LATEST_SECS, 0), |(from, to), head| (from.min(head.begin_secs), to.max(head.end_secs())))
}
