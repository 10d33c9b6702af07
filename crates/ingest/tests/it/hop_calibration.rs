//! Hops that are named are named rightly: judged by the simulator, which knows which repeaters each copy has passed.

use index::{HopResolver, Index, NAMED_FROM, ResolvedHop};
use meshcore::NodeKey;
use simulator::{Mesh, SimConfig, Truth};

use crate::support::{Fixture, message};

/// Hops of one byte, by how sure the resolver was, and against what a program does that names only what fits one node.
#[derive(Default)]
struct Verdict {
    /// By tenths of the posterior, the last of them at [`NAMED_FROM`]: hops, and how many of them were right.
    bins: [(u64, u64); 10],
    hops: u64,
    only_candidate: (u64, u64),
}

impl Verdict {
    fn add(&mut self, hop: &ResolvedHop, only_candidate: Option<NodeKey>, truth: NodeKey) {
        self.hops += 1;
        let bin = &mut self.bins[((hop.posterior * 10.0) as usize).min(9)];
        bin.0 += 1;
        bin.1 += u64::from(hop.node == Some(truth));
        if let Some(only) = only_candidate {
            self.only_candidate.0 += 1;
            self.only_candidate.1 += u64::from(only == truth);
        }
    }

    fn join(&mut self, other: &Verdict) {
        for (bin, more) in self.bins.iter_mut().zip(other.bins) {
            *bin = (bin.0 + more.0, bin.1 + more.1);
        }
        self.hops += other.hops;
        let (only, right) = other.only_candidate;
        self.only_candidate = (self.only_candidate.0 + only, self.only_candidate.1 + right);
    }

    fn named(&self) -> (u64, u64) {
        self.bins[9]
    }

    fn print(&self, name: &str) {
        let percent = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        println!("{name}: {} hops of one byte", self.hops);
        for (bin, (hops, right)) in self.bins.iter().enumerate() {
            let share = percent(*hops, self.hops);
            println!(
                "  posterior {:.1}: {hops:>7} hops ({share:>5.1} %), {:>5.1} % right",
                bin as f64 / 10.0,
                percent(*right, *hops)
            );
        }
        let (named, right) = self.named();
        let (only, only_right) = self.only_candidate;
        println!(
            "  named:            {:>5.1} % of hops, {:>6.2} % right",
            percent(named, self.hops),
            percent(right, named)
        );
        println!(
            "  only candidate:   {:>5.1} % of hops, {:>6.2} % right",
            percent(only, self.hops),
            percent(only_right, only)
        );
    }
}

fn judge(index: &Index, resolver: &HopResolver, truths: impl Iterator<Item = Truth>) -> Verdict {
    let mut verdict = Verdict::default();
    for truth in truths {
        let Some(packet) = index.by_hash(truth.hash) else { continue };
        for seen in packet.observations().filter(|seen| !seen.route().is_direct()) {
            let path = seen.path();
            if path.is_empty() || path.hash_size() != 1 {
                continue;
            }
            let observer: NodeKey = seen.observer().key.parse().unwrap();
            let fits = |passed: &[NodeKey]| {
                passed.len() == path.count() && path.hops().zip(passed).all(|(hop, key)| hop.matches(key))
            };
            // Two ways may look the same; then neither can be told right from wrong.
            let mut ways: Vec<_> = truth
                .copies
                .iter()
                .filter(|copy| copy.observer == observer && fits(&copy.passed))
                .map(|copy| copy.passed.clone())
                .collect();
            ways.dedup();
            let [way] = ways.as_slice() else { continue };
            for ((hop, resolved), key) in path.hops().zip(seen.resolve_path(resolver)).zip(way) {
                let mut candidates = resolver.candidates(hop.bytes());
                let only = candidates.next().filter(|_| candidates.next().is_none()).map(|node| node.key);
                verdict.add(&resolved, only, *key);
            }
        }
    }
    verdict
}

fn run(config: SimConfig, packets: usize) -> Verdict {
    let mut mesh = Mesh::new(SimConfig { keep_truth: packets, ..config });
    let mut fixture = Fixture::new();
    let mut batch = Vec::new();
    while mesh.known_truths().count() < packets {
        for sent in mesh.by_ref().take(2_000) {
            batch.push(message(0, &sent.topic, sent.payload.as_bytes(), sent.time));
        }
        fixture.ingest.handle_batch(std::mem::take(&mut batch));
    }
    let index = fixture.index.read();
    let started = std::time::Instant::now();
    index.refresh_hops();
    println!("learned in {} ms", started.elapsed().as_millis());
    judge(&index, &index.hops(), mesh.known_truths())
}

fn assert_named_right(name: &str, verdict: &Verdict) {
    verdict.print(name);
    let (named, right) = verdict.named();
    assert!(named > 100, "{name}: only {named} hops are named");
    assert!(right as f64 >= 0.95 * named as f64, "{name}: {right} of {named} right from {NAMED_FROM} on");
}

/// Also that it names more nodes rightly than whoever names what fits one known node only, and errs in no larger share.
fn assert_better_than_only_candidates(name: &str, verdict: &Verdict) {
    assert_named_right(name, verdict);
    let (named, right) = verdict.named();
    let (only, only_right) = verdict.only_candidate;
    assert!(right > only_right, "{name}: {right} are named rightly against {only_right}");
    assert!(right * only >= only_right * named, "{name}: and no smaller share is right");
}

#[test]
fn named_hops_are_right_in_a_mesh_of_some_towns() {
    assert_better_than_only_candidates(
        "towns",
        &run(SimConfig { observations_per_packet: 6.0, ..SimConfig::default() }, 2_500),
    );
}

#[test]
fn named_hops_are_right_where_most_hashes_fit_several_repeaters() {
    let config = SimConfig { nodes: 1_200, seed: 2, observations_per_packet: 6.0, ..SimConfig::default() };
    assert_better_than_only_candidates("dense", &run(config, 4_000));
}

#[test]
fn named_hops_are_right_in_a_thin_mesh() {
    let mut config = SimConfig { nodes: 150, seed: 3, observations_per_packet: 4.0, ..SimConfig::default() };
    config.areas.iter_mut().for_each(|area| area.radius_km *= 2.5);
    assert_better_than_only_candidates("thin", &run(config, 2_000));
}

#[test]
fn named_hops_are_right_when_little_was_heard_yet() {
    let mut verdict = Verdict::default();
    for seed in 11..15 {
        let config = SimConfig { nodes: 400, seed, observations_per_packet: 6.0, ..SimConfig::default() };
        verdict.join(&run(config, 250));
    }
    // Most repeaters have not adverted, so that even a hash that only one known node fits is often another's.
    assert_named_right("early", &verdict);
}
