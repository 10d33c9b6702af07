//! How much each repeater matters to the mesh: bridge, coverage, redundancy (contract §7.8).
//!
//! The graph is the one that was learned: nodes beside each other in paths, with the expected counts of the sample. A count of
//! 100 or more is a weight of 1.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::HashMap;
use meshcore::NodeKey;

use super::Scores;
use super::model::Model;
use super::relays::Relays;

/// From so many nodes on, shortest ways are followed from an even choice of them only: what is relative to the greatest
/// hardly changes, and the work is bounded.
const MAX_SOURCES: usize = 256;

/// Links that were expected less often than this are not links.
const LEAST_COUNT: f32 = 1.0;

/// The count that makes a whole weight.
const FULL_COUNT: f32 = 100.0;

/// Nodes and the weights of the links between them.
struct Graph {
    links: Vec<Vec<(u32, f32)>>,
}

/// Distances in millionths, so that equal ways are equal.
type Distance = u64;

const UNREACHED: Distance = Distance::MAX;

/// The scores of those that relay.
#[derive(Debug, Default)]
pub(super) struct Scored {
    pub(super) by_node: HashMap<NodeKey, Scores>,
}

impl Scored {
    /// Takes up to a second for a thousand repeaters.
    pub(super) fn of(model: &Model, relays: &Relays) -> Self {
        let share = |key: &NodeKey| relays.by_node.get(key).map_or(0.0, |figures| figures.traffic_share);
        let traffic: Vec<f32> = model.candidates.nodes().iter().map(|node| share(&node.key)).collect();
        let scores = scores(model, &traffic);
        Self { by_node: scores.into_iter().map(|(node, scores)| (model.key(node), scores)).collect() }
    }
}

/// By node of the model, for those that relay; `traffic` by node.
fn scores(model: &Model, traffic: &[f32]) -> Vec<(u32, Scores)> {
    let graph = Graph::of(model);
    let (bridge, coverage) = graph.betweenness_and_closeness();
    let redundancy = graph.pairs_cut_off();
    let relays = model.candidates.relays();
    let greatest = |values: &[f64]| {
        let of_relays = relays.iter().map(|node| values[*node as usize]);
        of_relays.fold(0.0, f64::max)
    };
    let part = |values: &[f64], greatest: f64, node: u32| {
        if greatest > 0.0 { (values[node as usize] / greatest) as f32 } else { 0.0 }
    };
    let most = (greatest(&bridge), greatest(&coverage), greatest(&redundancy));
    let most_traffic = relays.iter().map(|node| traffic[*node as usize]).fold(0.0, f32::max);
    let score = |node: &u32| {
        let traffic = traffic[*node as usize];
        let relative_traffic = if most_traffic > 0.0 { traffic / most_traffic } else { 0.0 };
        let mut scores = Scores {
            bridge: part(&bridge, most.0, *node),
            coverage: part(&coverage, most.1, *node),
            redundancy: part(&redundancy, most.2, *node),
            traffic,
            usefulness: 0.0,
            grade: 'F',
        };
        scores.usefulness = 0.30 * scores.bridge
            + 0.25 * scores.coverage
            + 0.25 * scores.redundancy
            + 0.20 * relative_traffic;
        scores.grade = grade(scores.usefulness);
        (*node, scores)
    };
    relays.iter().map(score).collect()
}

fn grade(usefulness: f32) -> char {
    match usefulness {
        0.65.. => 'A',
        0.45.. => 'B',
        0.30.. => 'C',
        0.15.. => 'D',
        _ => 'F',
    }
}

impl Graph {
    fn of(model: &Model) -> Self {
        let nodes = model.candidates.nodes().len() as u32;
        let of_node = |node: u32| {
            let links =
                model.links().of(node).filter(|(other, count)| *other < nodes && *count >= LEAST_COUNT);
            links.map(|(other, count)| (other, (count / FULL_COUNT).min(1.0))).collect()
        };
        Self { links: (0..nodes).map(of_node).collect() }
    }

    /// By node: shares of the shortest ways that lead over it, and the sum of its nearness to all others (Brandes).
    fn betweenness_and_closeness(&self) -> (Vec<f64>, Vec<f64>) {
        let count = self.links.len();
        let linked: Vec<u32> =
            (0..count as u32).filter(|node| !self.links[*node as usize].is_empty()).collect();
        let step = linked.len().div_ceil(MAX_SOURCES).max(1);
        let (mut between, mut close) = (vec![0.0; count], vec![0.0; count]);
        let mut search = Search::new(count);
        for source in linked.into_iter().step_by(step) {
            search.run(self, source);
            for &node in &search.order {
                if node != source {
                    close[node as usize] += 1e6 / search.distance[node as usize] as f64;
                }
            }
            let mut dependency = vec![0.0; count];
            for &node in search.order.iter().rev() {
                let at = node as usize;
                for &before in &search.before[at] {
                    let share = search.ways[before as usize] / search.ways[at];
                    dependency[before as usize] += share * (1.0 + dependency[at]);
                }
                if node != source {
                    between[at] += dependency[at];
                }
            }
        }
        (between, close)
    }

    /// By node: how many pairs of others are connected over it only.
    fn pairs_cut_off(&self) -> Vec<f64> {
        let count = self.links.len();
        let mut walk = Walk {
            found_at: vec![0; count],
            low: vec![0; count],
            size: vec![0; count],
            parts: vec![Vec::new(); count],
        };
        let (mut time, mut cut) = (0, vec![0.0; count]);
        for root in 0..count {
            if walk.found_at[root] != 0 {
                continue;
            }
            let visited = walk.from(self, root as u32, &mut time);
            let whole = visited.len() as f64;
            for node in visited {
                let parts = &walk.parts[node as usize];
                let others = whole - 1.0;
                let rest = others - parts.iter().map(|part| f64::from(*part)).sum::<f64>();
                let squares = parts.iter().map(|part| f64::from(*part).powi(2)).sum::<f64>() + rest * rest;
                cut[node as usize] = (others * others - squares) / 2.0;
            }
        }
        cut
    }
}

/// Shortest ways from one node.
struct Search {
    distance: Vec<Distance>,
    ways: Vec<f64>,
    before: Vec<Vec<u32>>,
    /// The nodes reached, the nearest first.
    order: Vec<u32>,
    queue: BinaryHeap<Reverse<(Distance, u32)>>,
}

impl Search {
    fn new(count: usize) -> Self {
        Self {
            distance: vec![UNREACHED; count],
            ways: vec![0.0; count],
            before: vec![Vec::new(); count],
            order: Vec::new(),
            queue: BinaryHeap::new(),
        }
    }

    fn run(&mut self, graph: &Graph, source: u32) {
        self.distance.fill(UNREACHED);
        self.ways.fill(0.0);
        self.before.iter_mut().for_each(Vec::clear);
        self.order.clear();
        self.distance[source as usize] = 0;
        self.ways[source as usize] = 1.0;
        self.queue.push(Reverse((0, source)));
        while let Some(Reverse((distance, node))) = self.queue.pop() {
            if distance > self.distance[node as usize] {
                continue;
            }
            self.order.push(node);
            for (next, weight) in &graph.links[node as usize] {
                let reached = distance + (1e6 / f64::from(*weight)) as Distance;
                let at = *next as usize;
                if reached < self.distance[at] {
                    self.distance[at] = reached;
                    self.ways[at] = self.ways[node as usize];
                    self.before[at].clear();
                    self.before[at].push(node);
                    self.queue.push(Reverse((reached, *next)));
                } else if reached == self.distance[at] {
                    self.ways[at] += self.ways[node as usize];
                    self.before[at].push(node);
                }
            }
        }
    }
}

/// A walk in depth over a component, which finds what would fall off without each node (Tarjan).
struct Walk {
    /// When each node was found; 0 for not yet.
    found_at: Vec<u32>,
    /// The earliest found node that can be reached from below.
    low: Vec<u32>,
    size: Vec<u32>,
    /// By node: the sizes of the parts that hang on it only.
    parts: Vec<Vec<u32>>,
}

impl Walk {
    /// The nodes of the component of `root`. Without recursion, since chains can be long.
    fn from(&mut self, graph: &Graph, root: u32, time: &mut u32) -> Vec<u32> {
        let mut visited = Vec::new();
        let mut stack: Vec<(u32, u32, usize)> = Vec::new();
        self.find(root, time, &mut visited);
        stack.push((root, u32::MAX, 0));
        while let Some((node, parent, next)) = stack.last_mut() {
            let (node, parent, at) = (*node, *parent, *next);
            *next += 1;
            match graph.links[node as usize].get(at) {
                Some((other, _)) if self.found_at[*other as usize] == 0 => {
                    self.find(*other, time, &mut visited);
                    stack.push((*other, node, 0));
                }
                Some((other, _)) if *other != parent => {
                    self.low[node as usize] = self.low[node as usize].min(self.found_at[*other as usize]);
                }
                Some(_) => {}
                None => {
                    stack.pop();
                    self.leave(node, parent);
                }
            }
        }
        visited
    }

    fn find(&mut self, node: u32, time: &mut u32, visited: &mut Vec<u32>) {
        *time += 1;
        self.found_at[node as usize] = *time;
        self.low[node as usize] = *time;
        self.size[node as usize] = 1;
        visited.push(node);
    }

    fn leave(&mut self, node: u32, parent: u32) {
        if parent == u32::MAX {
            return;
        }
        let (node, parent) = (node as usize, parent as usize);
        self.size[parent] += self.size[node];
        self.low[parent] = self.low[parent].min(self.low[node]);
        if self.low[node] >= self.found_at[parent] {
            self.parts[parent].push(self.size[node]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, links: &[(u32, u32)]) -> Graph {
        let mut graph = Graph { links: vec![Vec::new(); nodes] };
        for (a, b) in links {
            graph.links[*a as usize].push((*b, 1.0));
            graph.links[*b as usize].push((*a, 1.0));
        }
        graph
    }

    #[test]
    fn the_middle_of_a_chain_is_the_bridge_and_cuts_off_most() {
        let graph = graph(6, &[(0, 1), (1, 2), (2, 3), (3, 4)]);
        let (between, close) = graph.betweenness_and_closeness();
        // Counted from both ends: 2 · (2 · 2), 2 · (1 · 3).
        assert_eq!(between, [0.0, 6.0, 8.0, 6.0, 0.0, 0.0]);
        assert!(close[2] > close[1] && close[1] > close[0] && close[5] == 0.0);
        assert_eq!(graph.pairs_cut_off(), [0.0, 3.0, 4.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn in_a_ring_nobody_cuts_off_anybody_and_ways_are_shared() {
        let graph = graph(4, &[(0, 1), (1, 2), (2, 3), (3, 0)]);
        assert_eq!(graph.pairs_cut_off(), [0.0; 4]);
        assert_eq!(
            graph.betweenness_and_closeness().0,
            [1.0; 4],
            "two ways to the other side, half of each pair"
        );
    }

    #[test]
    fn three_arms_that_meet_in_one_node_fall_apart_without_it() {
        let graph = graph(7, &[(0, 1), (1, 2), (0, 3), (3, 4), (0, 5), (5, 6)]);
        assert_eq!(graph.pairs_cut_off()[0], 12.0, "pairs across arms of two");
        assert_eq!((grade(0.65), grade(0.5), grade(0.3), grade(0.15), grade(0.1)), ('A', 'B', 'C', 'D', 'F'));
    }
}
