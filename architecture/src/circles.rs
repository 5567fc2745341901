//! Files that use each other in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::imports::Edge;

/// For every file that is reached from another one, the last edge of a shortest way to it.
type Reached<'e> = BTreeMap<&'e str, &'e Edge>;

/// A shortest circle for every group of files that reach each other. The last edge leads back to the first file.
pub fn circles(edges: &[Edge]) -> Vec<Vec<Edge>> {
    let mut uses: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
    for edge in edges {
        uses.entry(&edge.from).or_default().push(edge);
    }
    let reached: BTreeMap<&str, Reached<'_>> = uses.keys().map(|file| (*file, reached_from(&uses, file))).collect();
    let groups: BTreeSet<BTreeSet<&str>> = reached
        .iter()
        .filter(|(file, others)| others.contains_key(*file))
        .map(|(file, others)| {
            let reaches_back = |other: &&str| reached.get(*other).is_some_and(|back| back.contains_key(file));
            others.keys().copied().filter(reaches_back).collect()
        })
        .collect();
    let shortest = groups.iter().filter_map(|group| {
        let circles = group.iter().map(|file| way_back(&reached[file], file));
        circles.min_by_key(Vec::len)
    });
    shortest.collect()
}

fn reached_from<'e>(uses: &BTreeMap<&'e str, Vec<&'e Edge>>, start: &'e str) -> Reached<'e> {
    let mut reached = Reached::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(file) = waiting.pop_front() {
        for edge in uses.get(file).into_iter().flatten() {
            if !reached.contains_key(edge.to.as_str()) {
                reached.insert(&edge.to, edge);
                waiting.push_back(&edge.to);
            }
        }
    }
    reached
}

fn way_back(reached: &Reached<'_>, start: &str) -> Vec<Edge> {
    let mut circle = Vec::new();
    let mut file = start;
    while let Some(edge) = reached.get(file) {
        circle.insert(0, (*edge).clone());
        file = &edge.from;
        if file == start {
            break;
        }
    }
    circle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            evidence: String::new(),
        }
    }

    #[test]
    fn a_group_is_told_once_by_its_shortest_circle() {
        let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("b", "a"), ("d", "a"), ("c", "e")];
        let edges = edges.map(|(from, to)| edge(from, to));
        let circles = circles(&edges);
        let files: Vec<&str> = circles[0].iter().map(|edge| edge.from.as_str()).collect();
        assert_eq!((circles.len(), files), (1, vec!["a", "b"]));
        assert_eq!(circles[0][1].to, "a");
    }

    #[test]
    fn a_graph_without_circles_has_none() {
        assert!(circles(&[edge("a", "b"), edge("a", "c"), edge("b", "c")]).is_empty());
    }
}
