//! Two ways at once that have nothing in common.

use super::absence::{self, Absence};
use super::answers::Answer;
use super::flow::{self, Flow, Narrow};
use super::network::Network;
use super::query::Query;
use super::ranking::Ranking;
use super::request::{Disjointness, Request};
use super::tree::Cost;

/// Two ways whose costs together are the least; the cheaper one first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pair {
    /// The ways.
    pub ways: [Answer; 2],
    /// Nothing better is missing; not so when the limit of work came first.
    pub optimal: bool,
}

impl Network<'_> {
    /// Two disjoint ways, each within the constraints, that cost least together.
    ///
    /// Links and nodes alone are an easy problem. Shared risks, or bounds on sums, make it a hard
    /// one, which is searched up to the work limit.
    ///
    /// # Errors
    ///
    /// [`Absence`] where there are no two.
    pub fn pair(&self, request: &Request, kind: Disjointness) -> Result<Pair, Absence> {
        let query = Query::new(self, request);
        if request.from == request.to {
            return Err(Absence::OneWay { best: self.best(request)?, shared: None });
        }
        let ways = match flow::two(&query, kind.nodes) {
            Flow::None => return Err(absence::explained(self, request, false)),
            Flow::Narrow(narrow) => {
                let best = self.best(request)?;
                return Err(Absence::OneWay { best, shared: Some(self.name_of(narrow)) });
            }
            Flow::Two(ways) => ways,
        };
        if query.is_bounded() || kind.srlgs {
            return self.searched(&query, kind);
        }
        let mut ways = ways.map(|arcs| (query.cost(&arcs), arcs));
        ways.sort();
        let answer = |(cost, arcs): (Cost, Vec<usize>)| query.answer_of(cost, &arcs, true);
        Ok(Pair { ways: ways.map(answer), optimal: true })
    }

    /// Takes each way in its order for the cheaper one of the two, until no pair can cost less.
    fn searched(&self, query: &Query<'_, '_>, kind: Disjointness) -> Result<Pair, Absence> {
        let request = query.request;
        let mut ranking = Ranking::new(query);
        let mut best: Option<(Cost, Pair)> = None;
        let mut is_cut_short = false;
        while let Some(first) = ranking.next() {
            let is_beaten = |(known, _): &(Cost, Pair)| first.cost.and(first.cost) >= *known;
            if best.as_ref().is_some_and(is_beaten) {
                break;
            }
            let one = query.answer(&first, true);
            let others = request.away_from(&one.path, kind);
            let other_query = Query::new(self, &others);
            let mut other_ranking = Ranking::new(&other_query);
            other_ranking.work = ranking.work;
            if let Some(second) = other_ranking.next() {
                let cost = first.cost.and(second.cost);
                if best.as_ref().is_none_or(|(known, _)| cost < *known) {
                    let ways = [one, other_query.answer(&second, true)];
                    best = Some((cost, Pair { ways, optimal: true }));
                }
            }
            is_cut_short |= other_ranking.is_cut_short;
            // A look at a whole network is work as well.
            ranking.work = other_ranking.work.saturating_sub(self.node_count() as u64);
            if ranking.work == 0 {
                is_cut_short = true;
                break;
            }
        }
        is_cut_short |= ranking.is_cut_short;
        match best {
            Some((_, mut pair)) => {
                pair.ways.sort_by_key(|way| (way.metric, way.path.hops().len()));
                pair.optimal = !is_cut_short;
                Ok(pair)
            }
            None if is_cut_short => Err(Absence::Undecided { work_limit: request.work_limit }),
            None => Err(Absence::OneWay { best: self.best(request)?, shared: None }),
        }
    }

    fn name_of(&self, narrow: Narrow) -> String {
        match narrow {
            Narrow::Node(node) => format!("node {}", self.topology()[self.node(node)].name),
            Narrow::Arc(arc) => format!("link {}", self.topology()[self.arcs()[arc].hop.link].name),
        }
    }
}
