//! The file of the baselines: JSON, compressed by zstd, because it is written every hour and most of it is nothing.

use super::{HOURS, WEEKS};
use crate::Written;
use crate::files::{beside, named, replace_file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Its name in the folder of the books.
pub(super) const NAME: &str = "baselines.json.zst";

/// Eight weeks of forty causes are half of this; what is larger is not ours.
const MAX_BYTES: u64 = 4 << 20;

/// Values by hour of the week, by cause.
type Known = BTreeMap<String, Vec<Vec<u32>>>;

#[derive(Serialize, Deserialize)]
struct Content<T> {
    version: u32,
    causes: T,
}

/// What is there. A file that is damaged is kept beside its place, so that somebody can look at it, and begun anew.
pub(super) fn read_or_put_aside(path: &Path) -> Known {
    match read(path) {
        Ok(known) => known,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Known::new(),
        Err(error) => {
            let error = named(path, "cannot be read", &error);
            tracing::warn!(%error, "the baselines are begun anew; the old ones are kept as `.damaged`");
            if let Err(error) = fs::rename(path, beside(path, ".damaged")) {
                tracing::warn!(%error, "the damaged baselines could not be put aside");
            }
            Known::new()
        }
    }
}

/// Replaces the file.
pub(super) fn write<'a>(
    path: &Path,
    causes: impl Iterator<Item = (&'a str, &'a [Vec<u32>])>,
    written: &Written,
) -> io::Result<()> {
    let causes: BTreeMap<_, _> = causes.collect();
    let text = serde_json::to_vec(&Content { version: 1, causes })?;
    replace_file(path, &zstd::encode_all(&text[..], zstd::DEFAULT_COMPRESSION_LEVEL)?, written)
}

fn read(path: &Path) -> io::Result<Known> {
    let packed = File::open(path)?.take(MAX_BYTES);
    let mut text = Vec::new();
    zstd::Decoder::new(packed)?.take(MAX_BYTES).read_to_end(&mut text)?;
    let content: Content<Known> = serde_json::from_slice(&text)?;
    let is_sound = content.version == 1
        && content
            .causes
            .values()
            .all(|known| known.len() == HOURS && known.iter().all(|values| values.len() <= WEEKS));
    is_sound.then_some(content.causes).ok_or_else(|| io::Error::other("it has another form than ours"))
}
