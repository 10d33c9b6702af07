//! What people carry around: receptions with a place, and the clients that report them. And nodes taken off the list.

use serde::{Deserialize, Serialize};

use crate::wire;
use crate::{ClientId, NodeKey, ReceptionId, SnrQuarterDb, UnixMillis};

/// A mobile client that reports what it hears where: an app beside a companion, by its own key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientObserver {
    /// Its row.
    pub id: ClientId,
    /// The key under which it publishes: 2 to 64 lower-case hex digits.
    pub key: Box<str>,
    /// `origin` of its messages.
    pub name: Option<Box<str>>,
    /// About when it was last heard of: the row is written anew once an hour at most.
    pub last_seen: UnixMillis,
}

/// A mobile client heard a node directly, at a place. Unique by (client, heard, time).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reception {
    /// Its row.
    pub id: ReceptionId,
    /// Who heard it.
    pub client: ClientId,
    /// When, in whole seconds.
    pub time: UnixMillis,
    /// Who was heard: the first 2 or 3 bytes of its key, as the last hop of a path has them, or the whole key of an advert
    /// that nobody had relayed.
    pub heard: Box<[u8]>,
    /// Latitude and longitude of the client in millionths of a degree.
    pub location: (i32, i32),
    /// How exact that place is, in metres, where the client said so.
    pub accuracy_m: Option<u16>,
    /// Received signal strength in dBm, where given.
    pub rssi: Option<i16>,
    /// Signal-to-noise ratio, where given.
    pub snr: Option<SnrQuarterDb>,
}

/// An operator has taken a node off the list. It comes back with the first advert that is heard later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunedNode {
    /// The node.
    #[serde(with = "wire::node_key")]
    pub key: NodeKey,
    /// When.
    pub time: UnixMillis,
}
