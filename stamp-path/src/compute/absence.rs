//! Why there is no way.

use core::time::Duration;

use stamp_document::quantity::print_duration;

use super::answers::Answer;
use super::network::Network;
use super::request::{Constraint, Metric, Request};
use crate::topology::{LinkKind, Topology};

/// Why there is no way.
#[derive(Clone, Debug, PartialEq)]
pub enum Absence {
    /// Nothing leads there, whatever is given up.
    Unconnected,
    /// Nothing leads there over links of the kinds that may be used; this does over others.
    OtherKinds(Box<Answer>),
    /// Each of these constraints alone keeps every way out.
    Kept(Vec<Relaxation>),
    /// These constraints together keep every way out, and others do so as well.
    Together(Vec<Constraint>),
    /// The limit of work came before an answer.
    Undecided {
        /// The limit.
        work_limit: u64,
    },
    /// Ways lead there through what is not shown, of which nothing can be said.
    Unproven,
    /// There is one way, and every other has this in common with it.
    OneWay {
        /// The way.
        best: Answer,
        /// What every way takes, in the words of the topology: `link a-b`; nothing where it is
        /// not a single thing.
        shared: Option<String>,
    },
}

/// A constraint given up.
#[derive(Clone, Debug, PartialEq)]
pub struct Relaxation {
    /// The constraint.
    pub constraint: Constraint,
    /// The best way without it. By the sum that it bounds, where it bounds one.
    pub best: Answer,
}

impl Absence {
    /// In words, one sentence or two.
    #[must_use]
    pub fn in_words(&self, topology: &Topology) -> String {
        match self {
            Self::Unconnected => "no way leads there at all".to_owned(),
            Self::OtherKinds(best) => {
                let kinds = best.path.hops().iter().map(|hop| topology[hop.link].kind.word());
                let mut kinds: Vec<&str> = kinds.collect();
                kinds.sort_unstable();
                kinds.dedup();
                format!(
                    "no way leads there over links of the kinds asked for; over {} there is {}",
                    kinds.join(","),
                    names(topology, best)
                )
            }
            Self::Kept(relaxations) => {
                let each = relaxations.iter().map(|one| one.in_words(topology));
                each.collect::<Vec<_>>().join("; ")
            }
            Self::Together(constraints) => {
                let words: Vec<String> =
                    constraints.iter().map(|one| one.in_words(topology)).collect();
                format!("no path {}, all at once", words.join(" and "))
            }
            Self::Undecided { work_limit } => {
                format!("undecided: no path was found within the work limit of {work_limit}")
            }
            Self::Unproven => {
                "ways lead through domains that do not show what they are made of, so none is known \
                 to keep to what is asked"
                    .to_owned()
            }
            Self::OneWay { shared: Some(shared), .. } => {
                format!("there are no two such paths: every path takes {shared}")
            }
            Self::OneWay { best, shared: None } => {
                format!(
                    "there are no two such paths; the one there is takes {}",
                    names(topology, best)
                )
            }
        }
    }
}

impl Relaxation {
    fn in_words(&self, topology: &Topology) -> String {
        let best = &self.best;
        let without = match &self.constraint {
            Constraint::MaxDelay(_) => {
                format!("the least is {}", print_duration(Duration::from_nanos(best.metric)))
            }
            Constraint::MaxLoss(_) => {
                format!("the least is {:.4}%", best.path.loss(topology) * 100.0)
            }
            Constraint::MaxHops(_) => format!("the least is {}", best.path.hops().len()),
            _ => format!("without that the best is {}", names(topology, best)),
        };
        format!("no path {}; {without}", self.constraint.in_words(topology))
    }
}

/// The nodes of a way.
fn names(topology: &Topology, answer: &Answer) -> String {
    let names: Vec<&str> =
        answer.path.nodes(topology).map(|node| topology[node].name.as_str()).collect();
    names.join(" ")
}

/// Gives up one constraint after the other, when no way was found.
pub(super) fn explained(network: &Network<'_>, request: &Request, is_cut_short: bool) -> Absence {
    if is_cut_short {
        return Absence::Undecided { work_limit: request.work_limit };
    }
    let bare = Request { constraints: Vec::new(), ..request.clone() };
    if network.first(&bare).is_err() {
        let over = LinkKind::ALL.to_vec();
        let other = network.first(&Request { over, ..bare });
        return other.map_or(Absence::Unconnected, |best| Absence::OtherKinds(Box::new(best)));
    }
    let relaxed = relaxed(network, request);
    if !relaxed.is_empty() {
        return Absence::Kept(relaxed);
    }
    let needed = together(network, request);
    let alone = relaxed_alone(network, &needed);
    if alone.is_empty() { Absence::Together(needed.constraints) } else { Absence::Kept(alone) }
}

/// The constraints that can be given up for a way.
fn relaxed(network: &Network<'_>, request: &Request) -> Vec<Relaxation> {
    let relax = |(index, constraint): (usize, &Constraint)| {
        let without = request.without(index);
        let by = match constraint {
            Constraint::MaxDelay(_) => Metric::Delay,
            Constraint::MaxLoss(_) => Metric::Loss,
            Constraint::MaxHops(_) => Metric::Hops,
            _ => request.metric,
        };
        let best = network.first(&without.by(by)).ok()?;
        Some(Relaxation { constraint: constraint.clone(), best })
    };
    request.constraints.iter().enumerate().filter_map(relax).collect()
}

/// The same where one constraint is all that is left, so that nothing else is to blame.
fn relaxed_alone(network: &Network<'_>, needed: &Request) -> Vec<Relaxation> {
    if needed.constraints.len() == 1 { relaxed(network, needed) } else { Vec::new() }
}

/// The same with no more constraints than it takes to keep every way out.
fn together(network: &Network<'_>, request: &Request) -> Request {
    let mut needed = request.clone();
    let mut index = 0;
    while index < needed.constraints.len() {
        let without = needed.without(index);
        // Only what is certain to change nothing is left out.
        if network.first(&without) == Err(false) {
            needed = without;
        } else {
            index += 1;
        }
    }
    needed
}
