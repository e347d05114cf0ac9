//! Ways without circles, the best first.
//!
//! After Yen and Lawler: the next best way leaves one of those before at some node by an arc that
//! none of them took there. What stays the same up to that node is paid for and not entered again.

use std::collections::BTreeSet;

use super::network::Sums;
use super::query::Query;
use super::search::{Found, Start, search};
use super::tree::Cost;

/// A way and its place.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Ranked {
    pub(super) cost: Cost,
    pub(super) arcs: Vec<usize>,
    /// Where it leaves the way it was made from.
    deviation: usize,
}

/// Ways in their order, made as they are asked for.
#[derive(Debug)]
pub(super) struct Ranking<'q, 'n, 't> {
    query: &'q Query<'n, 't>,
    /// Units of work left.
    pub(super) work: u64,
    /// The limit came first somewhere: a way may be missing.
    pub(super) is_cut_short: bool,
    taken: Vec<Ranked>,
    candidates: BTreeSet<Ranked>,
}

impl<'q, 'n, 't> Ranking<'q, 'n, 't> {
    pub(super) fn new(query: &'q Query<'n, 't>) -> Self {
        let work = query.request.work_limit;
        let (taken, candidates) = (Vec::new(), BTreeSet::new());
        let mut ranking = Self { query, work, is_cut_short: false, taken, candidates };
        ranking.leave(&[], 0);
        ranking
    }

    /// The next way.
    pub(super) fn next(&mut self) -> Option<Ranked> {
        if let Some(last) = self.taken.last().cloned() {
            for position in last.deviation..last.arcs.len() {
                self.leave(&last.arcs, position);
            }
        }
        let next = self.candidates.pop_first()?;
        self.taken.push(next.clone());
        Some(next)
    }

    /// Adds the best way that is as `arcs` up to a position, and is not there as any before.
    fn leave(&mut self, arcs: &[usize], position: usize) {
        let root = &arcs[..position];
        let siblings = self.taken.iter().filter(|way| way.arcs.get(..position) == Some(root));
        let refused: Vec<usize> =
            siblings.filter_map(|way| way.arcs.get(position)).copied().collect();
        let network = self.query.network;
        let mut closed = Vec::new();
        if !self.taken.is_empty() {
            closed = vec![false; network.node_count()];
            for arc in root {
                closed[network.arcs()[*arc].from] = true;
            }
        }
        let start = Start {
            node: root.last().map_or(self.query.from, |arc| network.arcs()[*arc].to),
            cost: self.query.cost(root),
            sums: self.sums(root),
            closed: &closed,
            refused: &refused,
        };
        let rest = match search(self.query, &start, &mut self.work) {
            Found::Best(rest) => Some(rest),
            Found::None => None,
            Found::Undecided(rest) => {
                self.is_cut_short = true;
                rest
            }
        };
        if let Some(rest) = rest {
            let arcs = [root, &rest].concat();
            let cost = self.query.cost(&arcs);
            self.candidates.insert(Ranked { cost, arcs, deviation: position });
        }
    }

    fn sums(&self, arcs: &[usize]) -> Sums {
        arcs.iter().fold([0; 3], |sums, arc| {
            let more = self.query.sums(&self.query.network.arcs()[*arc]);
            [0, 1, 2].map(|which| u64::saturating_add(sums[which], more[which]))
        })
    }
}
