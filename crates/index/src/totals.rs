//! The figures of the whole.

use meshcore::Role;
use model::UnixMillis;

use crate::index::Index;
use crate::nodes::Node;

/// A node counts as present for this long after it was last seen.
const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// How much there is of everything, as of the time that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Different packets heard.
    pub transmissions: u64,
    /// Copies of them.
    pub observations: u64,
    /// Nodes of which an advert was heard.
    pub nodes_all_time: u64,
    /// Those of which one was heard in the last seven days.
    pub nodes_7d: u64,
    /// Observers, silent ones too.
    pub observers: u64,
    /// Observations in the 60 minutes that end with the present one.
    pub observations_last_hour: u64,
    /// Observations in the 1,440 minutes that end with the present one.
    pub observations_last_24h: u64,
    /// `nodes_7d` by role.
    pub roles_7d: RoleCounts,
    /// `nodes_all_time` by role.
    pub roles_all: RoleCounts,
    /// The least time of an observation.
    pub oldest: Option<UnixMillis>,
    /// The greatest time of an observation.
    pub newest: Option<UnixMillis>,
}

/// Nodes by role; other roles are in no count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleCounts {
    /// [`Role::Repeater`].
    pub repeaters: u64,
    /// [`Role::Room`].
    pub rooms: u64,
    /// [`Role::Companion`].
    pub companions: u64,
    /// [`Role::Sensor`].
    pub sensors: u64,
}

impl Index {
    /// The totals. Looks at every node once, and at each minute of the last day; all else is kept up to date.
    pub fn totals(&self, now: UnixMillis) -> Totals {
        let week_ago = now.plus_ms(-WEEK_MS);
        let mut totals = Totals {
            transmissions: self.postings.all.len() + self.cold.transmissions(),
            observations: u64::from(self.observations.len()) + self.cold.observations(),
            nodes_all_time: self.nodes.len() as u64,
            observers: self.observers.len() as u64,
            observations_last_hour: self.minutes.last(60, now),
            observations_last_24h: self.minutes.last(24 * 60, now),
            oldest: self.time_span.map(|(least, _)| least),
            newest: self.time_span.map(|(_, greatest)| greatest),
            ..Totals::default()
        };
        for node in self.nodes.iter() {
            if node.is_pruned() {
                totals.nodes_all_time -= 1;
                continue;
            }
            totals.roles_all.add(node);
            if node.last_seen > week_ago {
                totals.nodes_7d += 1;
                totals.roles_7d.add(node);
            }
        }
        totals
    }
}

impl RoleCounts {
    fn add(&mut self, node: &Node) {
        match node.role {
            Role::Repeater => self.repeaters += 1,
            Role::Room => self.rooms += 1,
            Role::Companion => self.companions += 1,
            Role::Sensor => self.sensors += 1,
            Role::None | Role::Other(_) => {}
        }
    }
}
