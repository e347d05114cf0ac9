//! One way, the next best ones, all equal ones.

use super::absence::{self, Absence};
use super::network::Network;
use super::query::{self, Query};
use super::ranking::{Ranked, Ranking};
use super::request::{Constraint, Disjointness, Metric, Request};
use super::tree::Cost;
use crate::path::{Hop, Path};

/// A way that keeps to the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The way.
    pub path: Path,
    /// What it costs by the metric of the request: nanoseconds where that is the delay.
    pub metric: u64,
    /// Nothing better is missing; not so when the limit of work came first.
    pub optimal: bool,
}

impl Network<'_> {
    /// The best way.
    ///
    /// # Errors
    ///
    /// [`Absence`] where there is none.
    pub fn best(&self, request: &Request) -> Result<Answer, Absence> {
        let found = self.first(request);
        found.map_err(|is_cut_short| absence::explained(self, request, is_cut_short))
    }

    /// The best way; whether the search was cut short where there is none.
    pub(super) fn first(&self, request: &Request) -> Result<Answer, bool> {
        let query = Query::new(self, request);
        let mut ranking = Ranking::new(&query);
        let first = ranking.next().ok_or(ranking.is_cut_short)?;
        Ok(query.answer(&first, !ranking.is_cut_short))
    }

    /// The best ways, up to `most` of them, each without circles.
    ///
    /// # Errors
    ///
    /// [`Absence`] where there is none.
    pub fn ranked(&self, request: &Request, most: usize) -> Result<Vec<Answer>, Absence> {
        self.while_ranked(request, most, |_, _| true)
    }

    /// All ways that cost as much as the best, up to `most` of them.
    ///
    /// # Errors
    ///
    /// [`Absence`] where there is none.
    pub fn equally_good(&self, request: &Request, most: usize) -> Result<Vec<Answer>, Absence> {
        self.while_ranked(request, most, |best, next| next.cost.metric == best.metric)
    }

    fn while_ranked(
        &self,
        request: &Request,
        most: usize,
        goes_on: impl Fn(Cost, &Ranked) -> bool,
    ) -> Result<Vec<Answer>, Absence> {
        let query = Query::new(self, request);
        let mut ranking = Ranking::new(&query);
        let (mut answers, mut best) = (Vec::new(), None);
        while answers.len() < most
            && let Some(next) = ranking.next()
            && goes_on(*best.get_or_insert(next.cost), &next)
        {
            answers.push(query.answer(&next, !ranking.is_cut_short));
        }
        if answers.is_empty() && most > 0 {
            return Err(absence::explained(self, request, ranking.is_cut_short));
        }
        Ok(answers)
    }

    /// Every link, in its direction, that some best way takes: what a node sends over that splits
    /// among equal ways. A link that costs nothing counts where it leads nearer. None where bounds on sums make that a matter of whole ways.
    ///
    /// # Errors
    ///
    /// [`Absence`] where there is no way.
    pub fn equal_hops(&self, request: &Request) -> Result<Option<Vec<Hop>>, Absence> {
        let query = Query::new(self, request);
        if query.is_bounded() {
            return self.best(request).map(|_| None);
        }
        if query.tree.cost(query.from).is_none() {
            return Err(absence::explained(self, request, false));
        }
        let mut is_reached = vec![false; self.node_count()];
        is_reached[query.from] = true;
        let (mut frontier, mut hops) = (vec![query.from], Vec::new());
        while let Some(node) = frontier.pop() {
            for arc in self.leaving(node).filter(|arc| query.is_equally_good(*arc)) {
                let arc = &self.arcs()[arc];
                hops.push(arc.hop);
                if !core::mem::replace(&mut is_reached[arc.to], true) {
                    frontier.push(arc.to);
                }
            }
        }
        hops.sort_unstable();
        Ok(Some(hops))
    }

    /// Links, in their direction, that one constraint alone keeps out.
    #[must_use]
    pub fn kept_out(&self, request: &Request, constraint: &Constraint) -> Vec<Hop> {
        let with = |constraints| Request { constraints, ..request.clone() };
        let [before, after] = [Vec::new(), vec![constraint.clone()]]
            .map(|constraints| query::usable(self, &with(constraints)));
        let kept = self.arcs().iter().zip(before.iter().zip(&after));
        kept.filter(|(_, (before, after))| **before && !**after).map(|(arc, _)| arc.hop).collect()
    }
}

impl Query<'_, '_> {
    pub(super) fn answer(&self, way: &Ranked, optimal: bool) -> Answer {
        self.answer_of(way.cost, &way.arcs, optimal)
    }

    pub(super) fn answer_of(&self, cost: Cost, arcs: &[usize], optimal: bool) -> Answer {
        let path = self.path(arcs);
        let metric = match self.request.metric {
            Metric::Loss => billionths(path.loss(self.network.topology())),
            _ => cost.metric,
        };
        Answer { path, metric, optimal }
    }

    /// Whether some best way takes an arc. One that costs nothing has to lead nearer by links.
    fn is_equally_good(&self, arc: usize) -> bool {
        let taken = &self.network.arcs()[arc];
        let ends = self.tree.cost(taken.from).zip(self.tree.cost(taken.to));
        self.usable[arc]
            && ends.is_some_and(|(here, there)| {
                let weight = taken.weight(self.request.metric);
                let is_nearer = weight > 0 || there.hops < here.hops;
                is_nearer && there.metric.saturating_add(weight) == here.metric
            })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1e9")]
fn billionths(share: f64) -> u64 {
    (share * 1e9).round() as u64
}

impl Request {
    /// The same, but with nothing in common with a way.
    #[must_use]
    pub fn away_from(&self, path: &Path, kind: Disjointness) -> Self {
        self.clone().with(Constraint::DisjointFrom(path.clone(), kind))
    }
}
