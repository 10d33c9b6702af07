//! Which frame an observation is of.
//!
//! Newer releases keep the frame of each copy; older ones keep only the first copy's, and of the others the path. A path
//! in place of another gives the copy's frame, but that it may have come by another route.

use std::borrow::Cow;

use ingest::past_frame;
use meshcore::{Frame, PathBuf, PayloadType};

/// A row of `transmissions`, as far as its observations need it.
pub(crate) struct Kept {
    /// The first copy's frame, or why it is none.
    pub(crate) frame: Result<Vec<u8>, ingest::Outcome>,
}

/// What was wrong with a row and could be made good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The copy's own frame cannot be read: the transmission's was taken.
    OwnFrame,
    /// The path cannot be read: the transmission's was taken.
    Path,
}

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::OwnFrame => "frame_unreadable_taken_from_transmission",
            Fault::Path => "path_unreadable_taken_from_transmission",
        }
    }
}

/// The frame of a copy, and what had to be made good for it.
///
/// # Errors
/// Why there is none.
pub(crate) fn copy_frame(
    own: Option<&str>,
    path_json: Option<&str>,
    kept: Option<&Kept>,
) -> Result<(Vec<u8>, Option<Fault>), ingest::Outcome> {
    let own = own.filter(|hex| !hex.trim().is_empty()).map(past_frame);
    let first = kept.map(|kept| kept.frame.as_deref().map_err(|why| *why));
    match (own, first) {
        (Some(Ok(frame)), _) => Ok((frame, None)),
        (Some(Err(_)), Some(Ok(first))) => {
            Ok((by_path(first, path_json).unwrap_or_else(|| first.to_vec()), Some(Fault::OwnFrame)))
        }
        (None, Some(Ok(first))) => match by_path(first, path_json) {
            Some(frame) => Ok((frame, None)),
            None => Ok((first.to_vec(), Some(Fault::Path))),
        },
        (Some(Err(why)), _) | (None, Some(Err(why))) => Err(why),
        (None, None) => Err(ingest::Outcome::MissingRaw),
    }
}

/// The first copy's frame with this path in place of its own; `None` when the path is none.
fn by_path(first: &[u8], path_json: Option<&str>) -> Option<Vec<u8>> {
    let Some(json) = path_json.map(str::trim).filter(|json| !json.is_empty()) else {
        return Some(first.to_vec());
    };
    let frame = Frame::parse(first).ok()?;
    // Of a trace the path is that of its payload, which is the same in all copies.
    if frame.payload_type() == PayloadType::Trace {
        return Some(first.to_vec());
    }
    let path = read_path(json, frame.path().hash_size())?;
    let path = path.as_path();
    if path.bytes() == frame.path().bytes() && (path.is_empty() || path.byte() == frame.path().byte()) {
        return Some(first.to_vec());
    }
    let before = first.len() - frame.payload_bytes().len() - frame.path().bytes().len() - 1;
    let mut copy = Vec::with_capacity(before + 1 + path.bytes().len() + frame.payload_bytes().len());
    copy.extend_from_slice(&first[..before]);
    copy.push(path.byte());
    copy.extend_from_slice(path.bytes());
    copy.extend_from_slice(frame.payload_bytes());
    Frame::parse(&copy).is_ok().then_some(copy)
}

/// `["AB","CD"]`: hops of one to three bytes each, all alike.
fn read_path(json: &str, hash_size_without_hops: u8) -> Option<PathBuf> {
    let hops: Vec<Cow<'_, str>> = serde_json::from_str(json).ok()?;
    let hash_size = match hops.first() {
        Some(hop) => u8::try_from(hop.trim().len() / 2).ok()?,
        None => hash_size_without_hops,
    };
    let mut path = PathBuf::new(hash_size).ok()?;
    for hop in hops {
        path.push(&meshcore::decode_hex(hop.trim())?).ok()?;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An acknowledgement that came over one hop.
    const FIRST: &str = "0D01AADEADBEEF";

    fn kept(hex: &str) -> Kept {
        Kept { frame: past_frame(hex) }
    }

    fn frame(own: Option<&str>, path: Option<&str>) -> (String, Option<Fault>) {
        let (bytes, fault) = copy_frame(own, path, Some(&kept(FIRST))).unwrap();
        (format!("{:X}", meshcore::Hex(&bytes)), fault)
    }

    #[test]
    fn a_copy_has_its_own_frame_else_the_first_ones_by_its_own_path() {
        assert_eq!(frame(Some("0d02bbccdeadbeef"), Some("[\"EE\"]")), ("0D02BBCCDEADBEEF".into(), None));
        assert_eq!(frame(None, Some("[\"BB\",\"CC\"]")), ("0D02BBCCDEADBEEF".into(), None));
        assert_eq!(frame(None, Some("[\"bbcc\"]")), ("0D41BBCCDEADBEEF".into(), None));
        assert_eq!(frame(Some(""), Some("[]")), ("0D00DEADBEEF".into(), None));
        for unsaid in [None, Some(""), Some("[\"AA\"]")] {
            assert_eq!(frame(None, unsaid), (FIRST.into(), None), "{unsaid:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_taken_from_the_transmission() {
        let too_long = format!("[{}\"AA\"]", "\"AA\",".repeat(63));
        for path in ["x", "[\"A\"]", "[\"AA\",\"BBCC\"]", "[\"AABBCCDD\"]", "[1]", "{}", &too_long] {
            assert_eq!(frame(None, Some(path)), (FIRST.into(), Some(Fault::Path)), "{path}");
        }
        assert_eq!(frame(Some("zz"), Some("[\"BB\"]")), ("0D01BBDEADBEEF".into(), Some(Fault::OwnFrame)));
        assert_eq!(frame(Some("4D"), Some("zz")), (FIRST.into(), Some(Fault::OwnFrame)));
    }

    #[test]
    fn without_any_frame_the_reason_is_told() {
        use ingest::Outcome;
        let none = |own, kept: Option<&Kept>| copy_frame(own, None, kept).err();
        assert_eq!(none(None, None), Some(Outcome::MissingRaw));
        assert_eq!(none(None, Some(&kept(""))), Some(Outcome::MissingRaw));
        assert_eq!(none(Some("4D00FF"), None), Some(Outcome::FrameVersion));
        assert_eq!(none(Some("4D00FF"), Some(&kept("xy"))), Some(Outcome::FrameVersion));
    }

    #[test]
    fn the_path_of_a_trace_is_not_that_of_its_frame() {
        // Direct, one signal value in the path, nine bytes of fixed fields, one entry.
        let trace = "26010DAABBCCDD0000000000EE";
        let (bytes, fault) = copy_frame(None, Some("[\"EE\"]"), Some(&kept(trace))).unwrap();
        assert_eq!((format!("{:X}", meshcore::Hex(&bytes)), fault), (trace.into(), None));
    }
}
