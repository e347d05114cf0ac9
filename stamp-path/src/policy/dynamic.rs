//! Paths for the dynamic candidates of a policy (RFC 9256 §5.2).

use core::net::IpAddr;

use super::{CandidateId, CandidateKind, Dynamic, ListWeights, Policy};
use crate::class::{Class, Touched};
use crate::compute::{Absence, Answer, Constraint, Disjointness, Network, Request};
use crate::segments::Origin;
use crate::topology::{NodeId, Topology};

/// A path with its share of traffic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Way {
    /// The path, and whether it is proven the best.
    pub answer: Answer,
    /// Against those of the other paths of the candidate.
    pub weight: u32,
}

/// Why there is no path.
#[derive(Clone, Debug, PartialEq)]
pub enum Unfound {
    /// Nothing says which node imposes the lists.
    NoHeadend,
    /// No node of the topology has the endpoint.
    NoEndpoint {
        /// The endpoint.
        endpoint: IpAddr,
    },
    /// What the candidate shares nothing with has no path itself.
    NotThere {
        /// Preference of the other one.
        preference: u32,
    },
    /// The network has none.
    Absent(Absence),
}

impl Unfound {
    /// In words.
    #[must_use]
    pub fn in_words(&self, topology: &Topology) -> String {
        match self {
            Self::NoHeadend => {
                "nothing says where the lists are imposed: give from or behind".into()
            }
            Self::NoEndpoint { endpoint } => {
                format!("no node of the topology has the address {endpoint}")
            }
            Self::NotThere { preference } => {
                format!(
                    "nobody knows the path of preference {preference}, with which it shares nothing"
                )
            }
            Self::Absent(absence) => absence.in_words(topology),
        }
    }
}

/// What was found for each dynamic candidate, in the order of the file.
pub type Found = Vec<(CandidateId, Result<Vec<Way>, Unfound>)>;

/// Computes the paths of all dynamic candidates of a policy for its class. `known` says what packets of
/// a candidate that is written down can touch, for those that are to share nothing with it.
///
/// Where one path is to share nothing with another, and both are computed, both are found together: the
/// best one alone may leave no second.
#[must_use]
pub fn ways(
    network: &Network<'_>,
    (policy, class): (&Policy, &Class),
    known: impl Fn(CandidateId) -> Option<Touched>,
) -> Found {
    let topology = network.topology();
    let mut found: Found = Vec::new();
    for candidate in &policy.candidates {
        let CandidateKind::Dynamic(dynamic) = &candidate.kind else { continue };
        let result = match partner(policy, dynamic, candidate.id) {
            Some(Partner::Together { is_first }) => request(topology, policy, class, dynamic)
                .and_then(|request| {
                    let kind = class.standby.unwrap_or(Disjointness::LINK);
                    let pair = network.pair(&request, kind).map_err(Unfound::Absent)?;
                    let [first, second] = pair.ways;
                    Ok(vec![Way { answer: if is_first { first } else { second }, weight: 1 }])
                }),
            Some(Partner::Apart { other, preference }) => {
                let computed = found.iter().find(|(id, _)| *id == other);
                let touched = match computed {
                    Some((_, ways)) => ways.as_ref().ok().map(|ways| all(topology, ways)),
                    None => known(other),
                };
                let touched = touched.ok_or(Unfound::NotThere { preference });
                touched.and_then(|touched| {
                    let mut request = request(topology, policy, class, dynamic)?;
                    let kind = class.standby.unwrap_or(Disjointness::LINK);
                    request.constraints.extend(away(topology, &touched, kind));
                    several(network, &request, dynamic)
                })
            }
            None => request(topology, policy, class, dynamic)
                .and_then(|request| several(network, &request, dynamic)),
        };
        found.push((candidate.id, result));
    }
    found
}

/// How a candidate is computed that another one has to do with.
enum Partner {
    /// Both at once.
    Together {
        /// It is the one that the other shares nothing with.
        is_first: bool,
    },
    /// After the other one.
    Apart { other: CandidateId, preference: u32 },
}

fn partner(policy: &Policy, dynamic: &Dynamic, id: CandidateId) -> Option<Partner> {
    let candidate = |preference: u32| {
        policy.candidates.iter().find(|it| it.preference == preference && it.id != id)
    };
    let dynamic_of = |kind: &CandidateKind| match kind {
        CandidateKind::Dynamic(dynamic) => Some(dynamic.clone()),
        _ => None,
    };
    let is_pair = |first: &Dynamic, second: &Dynamic| {
        let is_single = first.paths == 1 && second.paths == 1;
        is_single && first.metric == second.metric && first.disjoint_from.is_none()
    };
    if let Some(preference) = dynamic.disjoint_from {
        let other = candidate(preference)?;
        let together = dynamic_of(&other.kind).is_some_and(|first| is_pair(&first, dynamic));
        return Some(if together {
            Partner::Together { is_first: false }
        } else {
            Partner::Apart { other: other.id, preference }
        });
    }
    let own = policy.candidate(id)?.preference;
    let is_shunned = policy
        .candidates
        .iter()
        .filter_map(|it| dynamic_of(&it.kind))
        .any(|second| second.disjoint_from == Some(own) && is_pair(dynamic, &second));
    is_shunned.then_some(Partner::Together { is_first: true })
}

fn request(
    topology: &Topology,
    policy: &Policy,
    class: &Class,
    dynamic: &Dynamic,
) -> Result<Request, Unfound> {
    let from = match policy.headend.ok_or(Unfound::NoHeadend)? {
        Origin::Node(node) | Origin::Behind(node) | Origin::At(node) => node,
    };
    let endpoint = policy.endpoint;
    let has_it = |node: &NodeId| topology[*node].loopbacks.contains(&endpoint);
    let to = topology.ids().find(has_it).ok_or(Unfound::NoEndpoint { endpoint })?;
    let mut request = Request::new(from, to).by(dynamic.metric);
    request.constraints.extend(class.constraints());
    Ok(request)
}

fn several(
    network: &Network<'_>,
    request: &Request,
    dynamic: &Dynamic,
) -> Result<Vec<Way>, Unfound> {
    let answers = network.ranked(request, dynamic.paths.into()).map_err(Unfound::Absent)?;
    let weights = match dynamic.weights {
        ListWeights::Equal => vec![1; answers.len()],
        ListWeights::Bandwidth => by_bandwidth(network.topology(), &answers),
    };
    Ok(answers.into_iter().zip(weights).map(|(answer, weight)| Way { answer, weight }).collect())
}

/// The capacity of the narrowest link of each path, in Mbit/s; equal weights where one is not known.
fn by_bandwidth(topology: &Topology, answers: &[Answer]) -> Vec<u32> {
    let narrowest = |answer: &Answer| {
        let hops = answer.path.hops().iter();
        let least = hops.map(|hop| hop.direction(topology).bandwidth).min().flatten()?;
        Some(u32::try_from(least.0 / 1_000_000).unwrap_or(u32::MAX).max(1))
    };
    let weights: Option<Vec<u32>> = answers.iter().map(narrowest).collect();
    weights.unwrap_or_else(|| vec![1; answers.len()])
}

/// What packets on any of the paths touch.
fn all(topology: &Topology, ways: &[Way]) -> Touched {
    let mut touched = Touched::default();
    for way in ways {
        touched.extend(Touched::by(topology, &way.answer.path));
    }
    touched
}

/// Nothing of all that.
fn away(topology: &Topology, touched: &Touched, kind: Disjointness) -> Vec<Constraint> {
    let links = touched.hops.iter().map(|hop| Constraint::AvoidLink(hop.link));
    let inner = touched.nodes.difference(&touched.ends).filter(|_| kind.nodes);
    let groups = touched.hops.iter().flat_map(|hop| hop.direction(topology).srlgs.clone());
    let groups = groups.filter(|_| kind.srlgs).map(Constraint::AvoidSrlg);
    links.chain(inner.map(|node| Constraint::AvoidNode(*node))).chain(groups).collect()
}
