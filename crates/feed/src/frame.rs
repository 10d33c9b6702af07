//! Frames: a length of four bytes, little endian, and a message in the format of `postcard`
//! (<https://postcard.jamesmunns.com/wire-format>).

use bytes::Bytes;
use model::Change;
use serde::{Deserialize, Serialize};

use crate::FeedError;

/// Changes whenever a message or anything within [`Change`] does: both ends must be of the same release.
pub(crate) const VERSION: u32 = 3;

/// A batch of ingest is some hundred kilobytes at most; more than this is no frame of ours.
pub(crate) const MAX_FRAME_BYTES: usize = 64 * 1024 * 1024;

/// What is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum News {
    /// What a batch of messages led to, in the order of ingest.
    Changes {
        /// Counts up by one with each.
        sequence: u64,
        /// Without samples of metrics and refused packets, which no index needs.
        changes: Vec<Change>,
    },
    /// The changes up to this sequence are in the database.
    Durable {
        /// As in [`News::Changes`].
        sequence: u64,
    },
    /// Old packets were removed from the database.
    Removed,
    /// How ingest is doing; what is in it is between the two ends.
    Report(Vec<u8>),
    /// The answer to a question of this follower.
    Answer {
        /// The number that the follower gave it.
        question: u64,
        /// What is in it is between the two ends.
        answer: Vec<u8>,
    },
}

/// What a follower asks of ingest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// Comes back with the answer.
    pub(crate) number: u64,
    /// What is in it is between the two ends.
    pub(crate) question: Vec<u8>,
}

#[derive(Serialize)]
pub(crate) enum ChangesRef<'a> {
    Changes { sequence: u64, changes: Vec<&'a Change> },
}

/// The first frame of each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// The word "MCAf", so that nothing else is taken for a feed.
    magic: u32,
    version: u32,
}

impl Hello {
    pub(crate) const OURS: Self = Self { magic: 0x4d43_4166, version: VERSION };

    pub(crate) fn check(self) -> Result<(), FeedError> {
        if self.magic != Self::OURS.magic {
            return Err(FeedError::Garbled("it does not begin as a feed does".to_owned()));
        }
        if self.version != VERSION {
            return Err(FeedError::OtherRelease { found: self.version, known: VERSION });
        }
        Ok(())
    }
}

/// A whole frame.
///
/// # Errors
/// When the message cannot be written down, which none of ours is known to cause.
pub(crate) fn encode(message: &impl Serialize) -> Result<Bytes, FeedError> {
    let frame = postcard::to_extend(message, vec![0; 4]).map_err(garbled)?;
    let mut frame: Vec<u8> = frame;
    let length = u32::try_from(frame.len() - 4).map_err(garbled)?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame.into())
}

/// Takes the first whole frame from the front of `buffer`, if there is one.
///
/// # Errors
/// When it is no frame.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(buffer: &mut Vec<u8>) -> Result<Option<T>, FeedError> {
    let Some((length, rest)) = buffer.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(FeedError::Garbled(format!("a frame of {length} bytes")));
    }
    let Some(body) = rest.get(..length) else { return Ok(None) };
    let (message, left) = postcard::take_from_bytes(body).map_err(garbled)?;
    if !left.is_empty() {
        return Err(FeedError::Garbled(format!("{} bytes too many in a frame", left.len())));
    }
    buffer.drain(..4 + length);
    Ok(Some(message))
}

fn garbled(error: impl std::fmt::Display) -> FeedError {
    FeedError::Garbled(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_whole_and_not_before_it_is_there() {
        let frame = encode(&News::Durable { sequence: 300 }).unwrap();
        for end in 0..frame.len() {
            let mut part = frame[..end].to_vec();
            assert_eq!(decode::<News>(&mut part).unwrap(), None, "{end} bytes");
        }
        let mut two = [frame.as_ref(), frame.as_ref()].concat();
        assert_eq!(decode(&mut two).unwrap(), Some(News::Durable { sequence: 300 }));
        assert_eq!(two, frame);
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        let mut too_long = u32::MAX.to_le_bytes().to_vec();
        assert!(decode::<News>(&mut too_long).is_err());
        let mut unknown = [&[1, 0, 0, 0][..], &[99]].concat();
        assert!(decode::<News>(&mut unknown).is_err());
        let mut padded = [&[2, 0, 0, 0][..], &[2, 0]].concat();
        assert!(decode::<News>(&mut padded).is_err());
        assert!(Hello { version: VERSION + 1, ..Hello::OURS }.check().is_err());
    }
}
