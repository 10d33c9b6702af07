//! Answers about receptions of mobile clients: cells of a map, and who has found how much.

use std::collections::HashMap;
use std::sync::Arc;

use hashbrown::HashSet;
use meshcore::NodeKey;
use model::{ClientId, ClientObserver, ReceptionId, SnrQuarterDb, UnixMillis};

use crate::hex_grid::{HexCell, MercatorPoint};
use crate::index::Index;
use crate::receptions::{Chunk, MAX_RECEPTIONS};

/// Receptions that go into one map, the newest that fit the question: 10 to 20 milliseconds' worth.
const MAX_ON_MAP: usize = 100_000;

/// Resolution of the cells that the leaderboard counts: some 270 m from centre to corner at the equator.
const LEADERBOARD_RESOLUTION: u8 = 13;

/// The receptions as they are at one moment: cheap to take, and read without holding up anybody.
pub struct Receptions {
    /// Newest first.
    chunks: Vec<Arc<Chunk>>,
    floor: u32,
}

/// What a map of coverage is to show.
#[derive(Clone, Copy, Debug)]
pub struct CoverageQuery<'a> {
    /// South-western corner, in millionths of a degree of latitude and longitude.
    pub south_west: (i32, i32),
    /// North-eastern corner.
    pub north_east: (i32, i32),
    /// Resolution of the cells, 3 to 18.
    pub resolution: u8,
    /// Only what was heard from then on.
    pub since: Option<UnixMillis>,
    /// Only this node: receptions that name the beginning of its key.
    pub node: Option<NodeKey>,
    /// By the number of a client: whether it is in; clients beyond the end are not.
    pub clients: &'a [bool],
    /// Cells at most; those with most receptions are kept.
    pub max_cells: usize,
    /// Nodes of a cell at most; those heard most often are kept.
    pub max_nodes: usize,
}

/// A map of coverage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// In the order of their coordinates.
    pub cells: Vec<CoverageCell>,
    /// Receptions in all cells that were found.
    pub receptions: u64,
    /// Clients that made them.
    pub clients: u64,
    /// Whether there were more cells, or more receptions than are put on one map.
    pub truncated: bool,
}

/// A cell with what was heard there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageCell {
    /// Where it is.
    pub cell: HexCell,
    /// Receptions.
    pub count: u64,
    /// The best signal-to-noise ratio of those that have one.
    pub best_snr: Option<SnrQuarterDb>,
    /// Those heard most often first.
    pub nodes: Vec<HeardNode>,
    /// Whether there were more nodes.
    pub nodes_truncated: bool,
}

/// A node as heard in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardNode {
    /// The beginning of its key, or all of it.
    pub heard: Box<[u8]>,
    /// Receptions.
    pub count: u64,
    /// The best signal-to-noise ratio of those that have one.
    pub best_snr: Option<SnrQuarterDb>,
}

/// What a client has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeaderboardRow {
    /// Which client.
    pub client: ClientId,
    /// Its receptions.
    pub receptions: u64,
    /// Different nodes that it heard.
    pub nodes: u64,
    /// Different cells of some 270 m in which it heard any.
    pub cells: u64,
    /// The sum over its cells of one divided by the clients that were there.
    pub score: f64,
}

impl Index {
    /// The receptions as of now.
    pub fn receptions(&self) -> Receptions {
        let (chunks, floor) = self.receptions.snapshot();
        Receptions { chunks, floor }
    }

    /// The mobile client with this key, in either case.
    pub fn client_by_key(&self, key: &str) -> Option<ClientId> {
        self.receptions.client_by_key(key)
    }

    /// What is known of a mobile client.
    pub fn client(&self, id: ClientId) -> Option<&ClientObserver> {
        self.receptions.client(id)
    }

    /// For each mobile client by its number, whether it is as wanted.
    pub fn clients_where(&self, wanted: impl Fn(&ClientObserver) -> bool) -> Vec<bool> {
        let mut are = vec![false; usize::from(self.receptions.next_client().0)];
        for client in self.receptions.clients() {
            if let Some(is) = are.get_mut(usize::from(client.id.0)) {
                *is = wanted(client);
            }
        }
        are
    }

    /// Whether this client has reported this node at this second before, as far back as receptions are in memory.
    pub fn has_reception(&self, client: ClientId, heard: &[u8], time: UnixMillis) -> bool {
        self.receptions.contains(client, heard, time)
    }

    /// Leaves out receptions from before `time` from now on. Those in the database are the caller's to remove.
    pub fn forget_receptions_before(&mut self, time: UnixMillis) {
        self.receptions.forget_before(time);
    }

    /// As [`Index::pass_over_ids`], for receptions.
    pub fn pass_over_receptions(&mut self, last: ReceptionId) {
        self.receptions.pass_over(last);
    }
}

impl Receptions {
    /// The map that answers a question.
    pub fn coverage(&self, query: &CoverageQuery<'_>) -> Coverage {
        let south_west = MercatorPoint::of(query.south_west);
        let north_east = MercatorPoint::of(query.north_east);
        let (columns, lines) = (south_west.x..=north_east.x, south_west.y..=north_east.y);
        let since = self.since(query.since);
        let mut sums = Sums::new(query.resolution, query.clients.len());
        let mut looked_at = 0;
        'all: for chunk in &self.chunks {
            let rows = chunk.len().min(MAX_RECEPTIONS - looked_at);
            looked_at += rows;
            if chunk.newest < since {
                continue;
            }
            let wanted = chunk.wanted(query.node);
            let mut numbers = vec![u32::MAX; chunk.keys.len()];
            // From the newest on, so that a bound leaves the oldest out.
            for row in (chunk.len() - rows..chunk.len()).rev() {
                let point = chunk.points[row];
                let heard = usize::from(chunk.heard[row]);
                let fits = columns.contains(&point.x)
                    && lines.contains(&point.y)
                    && chunk.secs[row] >= since
                    && query.clients.get(usize::from(chunk.clients[row])) == Some(&true)
                    && wanted.as_ref().is_none_or(|wanted| wanted[heard]);
                if !fits {
                    continue;
                }
                if sums.rows == MAX_ON_MAP {
                    sums.truncated = true;
                    break 'all;
                }
                if numbers[heard] == u32::MAX {
                    numbers[heard] = sums.number(&chunk.keys[heard]);
                }
                sums.add(chunk, row, numbers[heard]);
            }
        }
        sums.coverage(query)
    }

    /// Clients by what they have found since then, the greatest score first. `clients` says which are in, by their numbers.
    pub fn leaderboard(&self, since: UnixMillis, clients: &[bool]) -> Vec<LeaderboardRow> {
        let since = self.since(Some(since));
        let mut board = Board::new(clients.len());
        let mut looked_at = 0;
        for chunk in &self.chunks {
            let rows = chunk.len().min(MAX_RECEPTIONS - looked_at);
            looked_at += rows;
            if chunk.newest < since {
                continue;
            }
            let mut numbers = vec![u32::MAX; chunk.keys.len()];
            for row in chunk.len() - rows..chunk.len() {
                let client = usize::from(chunk.clients[row]);
                if chunk.secs[row] >= since && clients.get(client) == Some(&true) {
                    let heard = usize::from(chunk.heard[row]);
                    if numbers[heard] == u32::MAX {
                        numbers[heard] = board.keys.number(&chunk.keys[heard]);
                    }
                    board.add(client, numbers[heard], chunk.points[row]);
                }
            }
        }
        board.rows()
    }

    fn since(&self, since: Option<UnixMillis>) -> u32 {
        let asked = since.map_or(0, |since| since.0.div_euclid(1_000).clamp(0, u32::MAX.into()) as u32);
        asked.max(self.floor)
    }
}

impl Chunk {
    /// For each of its keys, whether it names the node; `None` when all are wanted.
    fn wanted(&self, node: Option<NodeKey>) -> Option<Vec<bool>> {
        let node = node?;
        Some(self.keys.iter().map(|heard| node.0.starts_with(heard)).collect())
    }
}

/// Numbers for the nodes heard, the same in all chunks.
#[derive(Default)]
struct Keys {
    numbers: HashMap<Box<[u8]>, u32>,
    keys: Vec<Box<[u8]>>,
}

impl Keys {
    fn number(&mut self, key: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = self.keys.len() as u32;
        self.numbers.insert(key.into(), number);
        self.keys.push(key.into());
        number
    }
}

/// What is counted for a map.
struct Sums {
    resolution: u8,
    keys: Keys,
    /// By cell and node.
    places: hashbrown::HashMap<(i32, i32, u32), usize>,
    found: Vec<Found>,
    /// The newest place: most receptions are where the one before was.
    last: usize,
    clients: Vec<bool>,
    rows: usize,
    truncated: bool,
}

#[derive(Clone, Copy)]
struct Found {
    q: i32,
    r: i32,
    node: u32,
    count: u64,
    best_snr: Option<SnrQuarterDb>,
}

impl Sums {
    fn new(resolution: u8, clients: usize) -> Self {
        Self {
            resolution,
            keys: Keys::default(),
            places: hashbrown::HashMap::new(),
            found: Vec::new(),
            last: 0,
            clients: vec![false; clients],
            rows: 0,
            truncated: false,
        }
    }

    fn number(&mut self, key: &[u8]) -> u32 {
        self.keys.number(key)
    }

    fn add(&mut self, chunk: &Chunk, row: usize, node: u32) {
        let HexCell { q, r, .. } = HexCell::at(chunk.points[row], self.resolution);
        self.rows += 1;
        self.clients[usize::from(chunk.clients[row])] = true;
        let is_here = |found: &Found| (found.q, found.r, found.node) == (q, r, node);
        if !self.found.get(self.last).is_some_and(is_here) {
            let next = self.found.len();
            self.last = *self.places.entry((q, r, node)).or_insert(next);
            if self.last == next {
                self.found.push(Found { q, r, node, count: 0, best_snr: None });
            }
        }
        let found = &mut self.found[self.last];
        found.count += 1;
        found.best_snr = found.best_snr.max(chunk.snr(row));
    }

    fn coverage(mut self, query: &CoverageQuery<'_>) -> Coverage {
        self.found.sort_unstable_by_key(|found| (found.q, found.r));
        let mut cells: Vec<(u64, std::ops::Range<usize>)> = Vec::new();
        for (place, found) in self.found.iter().enumerate() {
            match cells.last_mut() {
                Some((count, range))
                    if (self.found[range.start].q, self.found[range.start].r) == (found.q, found.r) =>
                {
                    *count += found.count;
                    range.end = place + 1;
                }
                _ => cells.push((found.count, place..place + 1)),
            }
        }
        let truncated = self.truncated || cells.len() > query.max_cells;
        if cells.len() > query.max_cells {
            // Ties go by the coordinates, so that the same question has the same answer.
            cells.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
            cells.truncate(query.max_cells);
            cells.sort_unstable_by_key(|(_, range)| range.start);
        }
        let cell = |(count, range)| self.cell(count, range, query.max_nodes);
        Coverage {
            cells: cells.into_iter().map(cell).collect(),
            receptions: self.rows as u64,
            clients: self.clients.iter().filter(|found| **found).count() as u64,
            truncated,
        }
    }

    fn cell(&self, count: u64, range: std::ops::Range<usize>, max_nodes: usize) -> CoverageCell {
        let mut found: Vec<&Found> = self.found[range].iter().collect();
        let key = |found: &Found| &self.keys.keys[found.node as usize];
        found.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| key(a).cmp(key(b))));
        let nodes_truncated = found.len() > max_nodes;
        let (q, r) = found.first().map_or((0, 0), |found| (found.q, found.r));
        let best_snr = found.iter().filter_map(|found| found.best_snr).max();
        found.truncate(max_nodes);
        let node = |it: &Found| HeardNode { heard: key(it).clone(), count: it.count, best_snr: it.best_snr };
        CoverageCell {
            cell: HexCell { resolution: self.resolution, q, r },
            count,
            best_snr,
            nodes: found.into_iter().map(node).collect(),
            nodes_truncated,
        }
    }
}

/// What is counted for the leaderboard.
struct Board {
    keys: Keys,
    receptions: Vec<u64>,
    nodes: HashSet<(u16, u32)>,
    cells: HashSet<(i32, i32, u16)>,
    /// The newest of each client: most receptions are where the one before was.
    last_cell: Vec<(i32, i32)>,
    last_node: Vec<u32>,
}

impl Board {
    fn new(clients: usize) -> Self {
        Self {
            keys: Keys::default(),
            receptions: vec![0; clients],
            nodes: HashSet::new(),
            cells: HashSet::new(),
            last_cell: vec![(i32::MIN, i32::MIN); clients],
            last_node: vec![u32::MAX; clients],
        }
    }

    fn add(&mut self, client: usize, node: u32, point: MercatorPoint) {
        let HexCell { q, r, .. } = HexCell::at(point, LEADERBOARD_RESOLUTION);
        self.receptions[client] += 1;
        if self.last_node[client] != node {
            self.last_node[client] = node;
            self.nodes.insert((client as u16, node));
        }
        if self.last_cell[client] != (q, r) {
            self.last_cell[client] = (q, r);
            self.cells.insert((q, r, client as u16));
        }
    }

    fn rows(self) -> Vec<LeaderboardRow> {
        let mut rows: Vec<LeaderboardRow> = (0..self.receptions.len() as u16)
            .map(|client| LeaderboardRow {
                client: ClientId(client),
                receptions: self.receptions[usize::from(client)],
                nodes: 0,
                cells: 0,
                score: 0.0,
            })
            .collect();
        for (client, _) in &self.nodes {
            rows[usize::from(*client)].nodes += 1;
        }
        // In one order, so that sums of fractions are the same each time.
        let mut cells: Vec<_> = self.cells.into_iter().collect();
        cells.sort_unstable();
        for there in cells.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            for (_, _, client) in there {
                let row = &mut rows[usize::from(*client)];
                row.cells += 1;
                row.score += 1.0 / there.len() as f64;
            }
        }
        rows.retain(|row| row.receptions > 0);
        rows.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.client.cmp(&b.client)));
        rows
    }
}
