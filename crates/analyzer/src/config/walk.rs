//! Goes through the keys of a file and says which of them do nothing, and why.

use super::keys::{KEYS, Keys, Meaning};
use super::tree::{Kind, Node, Place};

/// A remark about the key at a place.
pub(super) struct Remark {
    pub(super) place: Place,
    pub(super) text: String,
}

/// In the order of the file.
pub(super) fn remarks(tree: &Node) -> Vec<Remark> {
    let mut remarks = Vec::new();
    section(tree, KEYS, &mut remarks);
    remarks
}

fn section(node: &Node, keys: Keys, remarks: &mut Vec<Remark>) {
    // Something else than an object is reported as a wrong type.
    let Kind::Object(members) = &node.kind else { return };
    for (index, member) in members.iter().enumerate() {
        let (place, path) = (member.place, &member.node.path);
        if let Some(later) = members[index + 1..].iter().find(|later| later.name == member.name) {
            let text = format!("`{path}` is given again in line {}, and that one counts", later.place.line);
            remarks.push(Remark { place, text });
            continue;
        }
        match keys.iter().find(|(known, _)| *known == member.name) {
            Some((_, Meaning::Used)) => {}
            Some((_, Meaning::Section(below))) => section(&member.node, below, remarks),
            Some((_, Meaning::Sections(below))) => {
                if let Kind::Array(items) = &member.node.kind {
                    items.iter().for_each(|item| section(item, below, remarks));
                }
            }
            Some((_, Meaning::Named(below))) => {
                if let Kind::Object(members) = &member.node.kind {
                    members.iter().for_each(|member| section(&member.node, below, remarks));
                }
            }
            Some((_, Meaning::NoEffect(reason))) => {
                remarks.push(Remark { place, text: format!("`{path}` has no effect: {reason}") });
            }
            // Operators write comments as keys with an underscore or two slashes; those are not mistakes.
            None if member.name.starts_with(['_', '/', '$', '#']) => {}
            None => {
                let meant = suggestion(&member.name, keys);
                let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
                remarks.push(Remark { place, text: format!("unknown key `{path}` is ignored{hint}") });
            }
        }
    }
}

/// The key of the same section that is spelt most alike, else one of this very name that belongs elsewhere.
fn suggestion(name: &str, keys: Keys) -> Option<String> {
    let lower = name.to_lowercase();
    let distances = keys.iter().map(|(known, _)| (distance(&lower, &known.to_lowercase()), *known));
    // A third of the letters wrong is another word.
    let near = distances.filter(|(wrong, _)| wrong * 3 <= name.chars().count()).min();
    near.map(|(_, known)| known.to_owned()).or_else(|| elsewhere(&lower, "", KEYS))
}

fn elsewhere(lower: &str, above: &str, keys: Keys) -> Option<String> {
    keys.iter().find_map(|(known, meaning)| {
        match meaning {
            Meaning::Section(below) => elsewhere(lower, &format!("{above}{known}."), below),
            Meaning::Sections(below) => elsewhere(lower, &format!("{above}{known}[]."), below),
            // What an area has, such as a label, may stand in many places.
            Meaning::Used | Meaning::NoEffect(_) | Meaning::Named(_) => None,
        }
        .or_else(|| (known.to_lowercase() == lower).then(|| format!("{above}{known}")))
    })
}

/// Letters to insert, leave out, or change; two that have changed places count as one.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before_last = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let changed = last[j] + usize::from(a != b);
            let mut best = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}
