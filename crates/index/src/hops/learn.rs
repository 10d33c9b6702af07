//! Learning who relays and who is beside whom from the paths that were heard.
//!
//! Expectation and maximisation: with what is believed so far, each path of a sample is read (see [`super::lattice`]), which
//! gives how often each node and each pair of nodes is expected in it; those counts are what is believed next. The places of
//! nodes and the hashes that only one node fits make the beginning.

use hashbrown::HashMap;
use meshcore::{PayloadType, Role};
use model::{ObserverId, UnixMillis};

use super::HopNode;
use super::candidates::Candidates;
use super::lattice::{Chain, Lattice};
use super::model::{Links, Model, STRANGER};
use super::token::Token;
use crate::index::Index;

/// Paths that are learned from: enough to see each link of a thousand repeaters some times, and read in a tenth of a second.
const SAMPLE: usize = 24_000;

/// Rounds of learning. The first settles what distance and single candidates tell, the others what follows from that.
const ROUNDS: usize = 3;

/// Links that are counted less often than this are noise of the expectation.
const LEAST_COUNT: f32 = 0.05;

/// Hops that every relaying node is supposed to have relayed before any were counted.
const SUPPOSED_HOPS: f32 = 0.5;

/// Of rooms, against repeaters, before anything was counted: few of them are set to repeat.
const ROOM_WEIGHT: f32 = 0.15;

/// However few nodes have adverted.
const MOST_STRANGERS: f32 = 0.95;

/// The least share of the strangers that are supposed to be known by no longer hash.
const LEAST_UNTOLD: f32 = 0.1;

/// Share of strangers that is supposed before anything was counted, as if seen in this many hops.
const SUPPOSED_STRANGERS: (f32, f32) = (0.1, 300.0);

/// Paths with their ends, taken from the index so that learning needs no guard.
#[derive(Debug, Default)]
pub(super) struct Sample {
    tokens: Vec<Token>,
    paths: Vec<SampledPath>,
    /// Adverts heard without a hop: sender and observer.
    unrelayed: Vec<(u32, u32, f32)>,
    /// The first two bytes of longer hashes that no known node fits, the most often heard first.
    strange: Vec<[u8; 2]>,
}

#[derive(Clone, Copy, Debug)]
struct SampledPath {
    start: u32,
    len: u8,
    sender: Option<u32>,
    observer: Option<u32>,
    time: UnixMillis,
}

impl Sample {
    /// Every so manieth observation that has hops, spread evenly over all.
    pub(super) fn take(index: &Index, candidates: &Candidates) -> Self {
        let mut sample = Self::default();
        let observers: Vec<Option<u32>> = index.observers.places(|key| candidates.find(&key));
        let rows = index.observations.len();
        let step = (rows as usize).div_ceil(SAMPLE).max(1);
        for row in (0..rows).step_by(step) {
            sample.add(index, candidates, &observers, row);
        }
        sample.strange = strange_prefixes(index, candidates);
        for (node, observer, meetings) in index.hop_book.unrelayed() {
            let sender = candidates.find(&index.nodes.at(node).key);
            let observer = observers.get(usize::from(observer)).copied().flatten();
            if let (Some(sender), Some(observer)) = (sender, observer)
                && sender != observer
            {
                let weight = (meetings.count as f32 / step as f32).max(1.0);
                sample.unrelayed.push((sender.min(observer), sender.max(observer), weight));
            }
        }
        sample.unrelayed.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        sample
    }

    fn add(&mut self, index: &Index, candidates: &Candidates, observers: &[Option<u32>], row: u32) {
        let observation = index.observations.get(row);
        let head = index.heads.get(observation.head);
        let payload_type = index.payload_type(observation.transmission);
        if head.path.is_empty() || head.route.is_direct() || payload_type == PayloadType::Trace {
            return;
        }
        let start = self.tokens.len() as u32;
        self.tokens.extend(head.path.hops().map(|hop| Token::new(hop.bytes())));
        let subject = index.transmissions.state(observation.transmission).subject;
        let is_advert = payload_type == PayloadType::Advert && subject != crate::observations::NONE;
        self.paths.push(SampledPath {
            start,
            len: head.path.count() as u8,
            sender: is_advert.then(|| candidates.find(&index.nodes.at(subject).key)).flatten(),
            observer: observers.get(usize::from(ObserverId(observation.observer).0)).copied().flatten(),
            time: observation.time,
        });
    }

    fn chain(&self, path: &SampledPath) -> Chain<'_> {
        let start = path.start as usize;
        Chain {
            hops: &self.tokens[start..start + usize::from(path.len)],
            sender: path.sender,
            observer: path.observer,
            time: Some(path.time),
        }
    }
}

fn strange_prefixes(index: &Index, candidates: &Candidates) -> Vec<[u8; 2]> {
    let mut packets: HashMap<[u8; 2], u64> = HashMap::new();
    for (token, rows) in index.hop_book.postings() {
        let [a, b, _] = token.bytes();
        if token.size() > 1 && candidates.of(&[a, b]).is_empty() {
            *packets.entry([a, b]).or_default() += rows.len();
        }
    }
    let mut prefixes: Vec<([u8; 2], u64)> = packets.into_iter().collect();
    prefixes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    prefixes.into_iter().map(|(prefix, _)| prefix).collect()
}

/// What the paths of a sample are expected to hold.
#[derive(Default)]
struct Counts {
    pairs: HashMap<(u32, u32), f32>,
    hops: Vec<f32>,
}

impl Counts {
    fn pair(&mut self, a: u32, b: u32, weight: f32) {
        if a != STRANGER && b != STRANGER && a != b && weight > 1e-4 {
            *self.pairs.entry((a.min(b), a.max(b))).or_default() += weight;
        }
    }
}

/// The share of relaying by nodes that have never adverted, from the hops that fit no known node: the hashes of strangers
/// are spread evenly, so that as many more of them hide behind the hashes of known nodes as these are of all hashes.
fn share_of_strangers(candidates: &Candidates, sample: &Sample) -> f32 {
    let fits = |bytes: &[u8]| !candidates.of(bytes).is_empty();
    let taken = (0..=255_u8).map(|byte| fits(&[byte])).collect::<Vec<bool>>();
    // Nodes do not have keys that begin with 00 or FF.
    let free = taken.iter().filter(|taken| !**taken).count().saturating_sub(2) as f32 / 254.0;
    let (supposed_share, supposed_hops) = SUPPOSED_STRANGERS;
    let (mut strange, mut visible) = (supposed_share * supposed_hops, supposed_hops);
    for token in &sample.tokens {
        let is_strange = match token.single() {
            Some(byte) => !taken[usize::from(byte)],
            None => !fits(&token.bytes()[..token.size()]),
        };
        strange += f32::from(u8::from(is_strange));
        visible += if token.size() == 1 { free } else { 1.0 };
    }
    (strange / visible).min(MOST_STRANGERS)
}

/// What follows from a sample.
pub(super) fn learn(candidates: Candidates, roles: &[Role], sample: &Sample) -> Model {
    let strangers = share_of_strangers(&candidates, sample);
    let mut model = Model::new(candidates, sample.strange.clone(), strangers);
    let nothing = vec![0.0; model.len()];
    set_shares(&mut model, roles, &nothing);
    for _ in 0..ROUNDS {
        let counts = expect(&model, sample);
        set_shares(&mut model, roles, &counts.hops);
        let mut pairs: Vec<(u32, u32, f32)> = counts.pairs.into_iter().map(|((a, b), n)| (a, b, n)).collect();
        pairs.retain(|(_, _, count)| *count >= LEAST_COUNT);
        pairs.sort_by_key(|(a, b, _)| (*a, *b));
        model.set_links(Links::new(model.len(), &pairs));
    }
    model
}

fn expect(model: &Model, sample: &Sample) -> Counts {
    let mut counts = Counts { hops: vec![0.0; model.len()], ..Counts::default() };
    let mut lattice = Lattice::for_many();
    for path in &sample.paths {
        let chain = sample.chain(path);
        lattice.read(model, &chain);
        for hop in 0..chain.hops.len() {
            for (node, probability) in lattice.posterior(hop) {
                if node != STRANGER {
                    counts.hops[node as usize] += probability;
                }
                if hop == 0
                    && let Some(sender) = chain.sender
                {
                    counts.pair(sender, node, probability);
                }
                if hop + 1 == chain.hops.len()
                    && let Some(observer) = chain.observer
                {
                    counts.pair(node, observer, probability);
                }
            }
            if hop > 0 {
                lattice.joint_with_former(hop, |a, b, probability| counts.pair(a, b, probability));
            }
        }
    }
    for (a, b, weight) in &sample.unrelayed {
        counts.pair(*a, *b, *weight);
    }
    counts
}

/// Shares of relaying from counted hops; what was counted of few nodes of a role speaks for the others of it.
fn set_shares(model: &mut Model, roles: &[Role], hops: &[f32]) {
    let relays = model.candidates.relays();
    let of_role = |wanted: fn(Role) -> bool| {
        let some = relays.iter().filter(|node| wanted(roles[**node as usize]));
        some.fold((0.0, 0.0), |(sum, number), node| (sum + hops[*node as usize], number + 1.0))
    };
    let (room_hops, rooms) = of_role(|role| role == Role::Room);
    let (other_hops, others) = of_role(|role| role != Role::Room);
    let other_mean = (other_hops + SUPPOSED_HOPS) / (others + 1.0);
    let room_mean = (room_hops + 3.0 * ROOM_WEIGHT * other_mean) / (rooms + 3.0);
    let room_supposed = SUPPOSED_HOPS * (room_mean / other_mean).min(1.0);
    let mut shares = vec![0.0; model.len()];
    for node in relays {
        let supposed = if roles[*node as usize] == Role::Room { room_supposed } else { SUPPOSED_HOPS };
        shares[*node as usize] = hops[*node as usize] + supposed;
    }
    let known: f32 = shares.iter().sum();
    let strange_in_all = known * model.strangers() / (1.0 - model.strangers());
    for ghost in model.ghosts() {
        shares[ghost] = hops[ghost] + SUPPOSED_HOPS;
    }
    let strange_and_told_apart: f32 = shares[model.ghosts()].iter().sum();
    // Some strangers were never named by a longer hash.
    let others = (strange_in_all - strange_and_told_apart).max(LEAST_UNTOLD * strange_in_all);
    for ghost in model.ghosts_of_bytes() {
        shares[ghost] = hops[ghost].max(others / 256.0);
    }
    let sum: f32 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum.max(1e-6));
    model.set_shares(shares);
}

/// The roles of the nodes of [`Candidates`], in its order.
pub(super) fn roles(index: &Index, nodes: &[HopNode]) -> Vec<Role> {
    nodes.iter().map(|node| index.nodes.get(&node.key).map_or(Role::Repeater, |node| node.role)).collect()
}
