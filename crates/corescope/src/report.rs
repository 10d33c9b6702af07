//! What an import has found and done, for people and for tests.

use std::collections::BTreeMap;
use std::fmt;

/// What became of every row.
///
/// Two imports of the same file into the same state give equal reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The directory of observers.
    pub observers: TableReport,
    /// Packet contents.
    pub transmissions: TableReport,
    /// Hearings of them.
    pub observations: TableReport,
    /// The directory of nodes, those that were put aside as inactive with it.
    pub nodes: TableReport,
    /// Samples of observers' counters.
    pub metrics: TableReport,
    /// Refused packets kept as evidence.
    pub dropped: TableReport,
    /// Mobile clients.
    pub clients: TableReport,
    /// What they heard.
    pub receptions: TableReport,
    /// Tables of the file that are not read, with their rows: what is in them follows from the packets, or has no place
    /// here yet.
    pub passed_over: BTreeMap<String, u64>,
}

/// What became of the rows of a table: read = taken + updated + known + merged + refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableReport {
    /// Rows read.
    pub read: u64,
    /// Rows that are new here.
    pub taken: u64,
    /// Rows that add to something that was here before.
    pub updated: u64,
    /// Rows that were here before, by an earlier import or from life.
    pub known: u64,
    /// Rows that say the same as another of the same file.
    pub merged: u64,
    /// What was put right, by what it was: a row may have several such faults, and is counted above all the same.
    pub repaired: BTreeMap<&'static str, u64>,
    /// Rows left out, by reason.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Report {
    /// All tables with the names they have in the file, in the order in which they are read.
    pub fn tables(&self) -> [(&'static str, &TableReport); 8] {
        [
            ("observers", &self.observers),
            ("transmissions", &self.transmissions),
            ("observations", &self.observations),
            ("nodes", &self.nodes),
            ("observer_metrics", &self.metrics),
            ("dropped_packets", &self.dropped),
            ("client_observers", &self.clients),
            ("client_receptions", &self.receptions),
        ]
    }

    /// Whether the import changed nothing.
    pub fn adds_nothing(&self) -> bool {
        self.tables().iter().all(|(_, table)| table.taken == 0 && table.updated == 0)
    }
}

impl TableReport {
    /// Rows left out, for whatever reason.
    pub fn refused_rows(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Whether every row came to exactly one end.
    pub fn balances(&self) -> bool {
        self.read == self.taken + self.updated + self.known + self.merged + self.refused_rows()
    }

    pub(crate) fn repair(&mut self, what: &'static str) {
        *self.repaired.entry(what).or_default() += 1;
    }

    pub(crate) fn refuse(&mut self, why: &'static str) {
        *self.refused.entry(why).or_default() += 1;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["read", "taken", "updated", "known", "merged", "refused"];
        write!(f, "{:<18}", "table")?;
        names.iter().try_for_each(|name| write!(f, "{name:>11}"))?;
        writeln!(f)?;
        for (name, table) in self.tables() {
            write!(f, "{name:<18}")?;
            let counts =
                [table.read, table.taken, table.updated, table.known, table.merged, table.refused_rows()];
            counts.iter().try_for_each(|count| write!(f, "{count:>11}"))?;
            writeln!(f)?;
        }
        for (name, table) in self.tables() {
            for (what, count) in &table.repaired {
                writeln!(f, "repaired {count:>10}  {name}: {}", in_words(what))?;
            }
            for (why, count) in &table.refused {
                writeln!(f, "refused  {count:>10}  {name}: {}", in_words(why))?;
            }
        }
        for (name, rows) in &self.passed_over {
            // A name may hold anything, such as what would colour a terminal.
            writeln!(f, "not read {rows:>10}  {}", name.escape_debug())?;
        }
        Ok(())
    }
}

/// The names under which things are counted, as people read them.
fn in_words(name: &str) -> String {
    name.strip_prefix("rejected_").unwrap_or(name).replace('_', " ")
}
