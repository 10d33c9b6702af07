//! Refused packets kept as evidence: enough for somebody to see who sends them, and no way to fill the disk.

use std::collections::{HashSet, VecDeque};

use meshcore::{Advert, NodeName, PacketHash};
use model::{DroppedPacket, UnixMillis};

use crate::message::Sender;
use crate::outcome::Outcome;
use crate::packet::Heard;

/// Packets kept at once. A node with a broken clock or key sends a few a day.
const BURST: i64 = 500;

/// From then on one is kept in so many milliseconds: 8,640 a day, some 2 MB.
const MS_EACH: i64 = 10_000;

/// Repeats of the newest refused packets are known, since many observers' messages come twice.
const REMEMBERED: usize = 1_024;

/// Decides which refused packets are kept.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// Milliseconds saved up, of which each packet costs [`MS_EACH`].
    saved_ms: i64,
    last: UnixMillis,
    newest: VecDeque<(PacketHash, Box<str>)>,
    known: HashSet<(PacketHash, Box<str>)>,
}

impl Default for Evidence {
    fn default() -> Self {
        let (newest, known) = (VecDeque::new(), HashSet::new());
        Self { saved_ms: BURST * MS_EACH, last: UnixMillis(0), newest, known }
    }
}

impl Evidence {
    /// The row for an advert that was refused with this outcome, if one is to be kept.
    pub(crate) fn of(
        &mut self,
        outcome: Outcome,
        sender: &Sender<'_>,
        heard: &Heard,
        received: UnixMillis,
    ) -> Option<DroppedPacket> {
        let reason = reason(outcome)?;
        let key = (heard.hash, sender.upper_key.as_str().into());
        // A clock that goes back saves nothing up.
        self.saved_ms = (self.saved_ms + (received.0 - self.last.0).max(0)).min(BURST * MS_EACH);
        self.last = received;
        if self.saved_ms < MS_EACH || !self.known.insert(key.clone()) {
            return None;
        }
        self.saved_ms -= MS_EACH;
        self.newest.push_back(key);
        if self.newest.len() > REMEMBERED
            && let Some(oldest) = self.newest.pop_front()
        {
            self.known.remove(&oldest);
        }
        let advert = heard.advert();
        Some(DroppedPacket {
            time: received,
            reason: reason.into(),
            hash: Some(heard.hash),
            raw: heard.raw.clone(),
            observer: Some(sender.shown_key().into()),
            observer_name: sender.name.clone(),
            node: advert.map(|advert| advert.key),
            node_name: advert.as_ref().and_then(claimed_name).map(Into::into),
        })
    }
}

/// In CoreScope's words, where it has some.
fn reason(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::InvalidSignature => Some("invalid signature"),
        Outcome::AdvertZeroKey => Some("zero public key"),
        Outcome::AdvertLocation => Some("location not on earth"),
        _ => None,
    }
}

fn claimed_name(advert: &Advert<'_>) -> Option<String> {
    let name = advert.app()?.ok()?.name.as_ref().map(NodeName::display);
    name.filter(|name| !name.is_empty())
}
