//! From flags to a request: names are looked up, and what names nothing is told.
//!
//! A name that is only mistyped must not become a constraint that keeps nothing out.

use std::collections::BTreeSet;

use stamp_path::Topology;
use stamp_path::compute::{Constraint, Request};
use stamp_path::segments::{self, SegmentError};
use stamp_path::topology::{LinkId, NodeId};

use super::route;
use crate::command_line::path::{Avoided, Limits, Terms, Wanted};
use crate::exit::Failure;

/// What the flags ask for.
///
/// # Errors
///
/// [`Failure::Usage`] for names that are not in the topology.
pub(super) fn request(topology: &Topology, wanted: &Wanted) -> Result<Request, Failure> {
    between(topology, [&wanted.from, &wanted.to], &wanted.terms)
}

/// The same with its ends apart.
///
/// # Errors
///
/// [`Failure::Usage`] for names that are not in the topology.
pub(super) fn between(
    topology: &Topology,
    [from_name, to_name]: [&str; 2],
    terms: &Terms,
) -> Result<Request, Failure> {
    let from = node(topology, from_name, "--from")?;
    let to = node(topology, to_name, "--to")?;
    if from == to {
        let problem = format!("{to_name} is where the way begins already");
        return Err(Failure::Usage { flag: "--to", problem });
    }
    let mut request = Request::new(from, to).by(terms.metric);
    request.over.clone_from(&terms.over);
    request.work_limit = terms.work_limit;
    if terms.avoided.drained {
        request = request.without(0);
    }
    request.constraints.extend(limits(topology, &terms.limits)?);
    request.constraints.extend(avoided(topology, &terms.avoided)?);
    Ok(request)
}

fn limits(topology: &Topology, limits: &Limits) -> Result<Vec<Constraint>, Failure> {
    let mut constraints: Vec<Constraint> = [
        limits.max_delay.map(|delay| Constraint::MaxDelay(delay.0)),
        limits.max_loss.map(Constraint::MaxLoss),
        limits.max_hops.map(Constraint::MaxHops),
        limits.min_bandwidth.map(Constraint::MinBandwidth),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(names) = affinities(topology, &limits.include_any, "--include-any")? {
        constraints.push(Constraint::IncludeAnyAffinity(names));
    }
    if let Some(names) = affinities(topology, &limits.include_all, "--include-all")? {
        constraints.push(Constraint::IncludeAllAffinities(names));
    }
    Ok(constraints)
}

/// Affinities that a flag names, each of them known; none where it names none.
fn affinities(
    topology: &Topology,
    names: &[String],
    flag: &'static str,
) -> Result<Option<Vec<String>>, Failure> {
    for name in names {
        affinity(topology, name, flag)?;
    }
    Ok(Some(names.to_vec()).filter(|names| !names.is_empty()))
}

fn avoided(topology: &Topology, avoided: &Avoided) -> Result<Vec<Constraint>, Failure> {
    let mut constraints = Vec::new();
    for name in &avoided.exclude {
        affinity(topology, name, "--exclude")?;
        constraints.push(Constraint::ExcludeAffinity(name.clone()));
    }
    for name in &avoided.avoid_node {
        constraints.push(Constraint::AvoidNode(node(topology, name, "--avoid-node")?));
    }
    for name in &avoided.avoid_link {
        constraints.push(Constraint::AvoidLink(link(topology, name)?));
    }
    for number in &avoided.avoid_as {
        let all = topology.nodes.iter().filter_map(|node| node.autonomous_system);
        known(number, all, "--avoid-as", "node of the topology is in AS")?;
        constraints.push(Constraint::AvoidAutonomousSystem(*number));
    }
    for name in &avoided.avoid_domain {
        let all = topology.nodes.iter().filter_map(|node| node.domain.clone());
        known(name, all, "--avoid-domain", "node of the topology is in domain")?;
        constraints.push(Constraint::AvoidDomain(name.clone()));
    }
    for group in &avoided.avoid_srlg {
        let directions = topology.links.iter().flat_map(|link| &link.directions.0);
        let all = directions.flat_map(|direction| direction.srlgs.iter().copied());
        known(group, all, "--avoid-srlg", "link of the topology is in SRLG")?;
        constraints.push(Constraint::AvoidSrlg(*group));
    }
    for words in &avoided.disjoint_from {
        let path = route::read(topology, words)
            .map_err(|problem| Failure::Usage { flag: "--disjoint-from", problem })?;
        constraints.push(Constraint::DisjointFrom(path, avoided.disjoint));
    }
    Ok(constraints)
}

fn affinity(topology: &Topology, name: &String, flag: &'static str) -> Result<(), Failure> {
    let directions = topology.links.iter().flat_map(|link| &link.directions.0);
    let all = directions.flat_map(|direction| direction.affinities.iter().cloned());
    known(name, all, flag, "link of the topology has affinity")
}

/// Refuses what names nothing, and says what there is.
fn known<T: Ord + std::fmt::Display>(
    word: &T,
    all: impl Iterator<Item = T>,
    flag: &'static str,
    what: &str,
) -> Result<(), Failure> {
    let all: BTreeSet<T> = all.collect();
    if all.contains(word) {
        return Ok(());
    }
    let there: Vec<String> = all.iter().map(T::to_string).collect();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    Err(Failure::Usage { flag, problem: format!("no {what} {word}; there is {there}") })
}

fn node(topology: &Topology, name: &str, flag: &'static str) -> Result<NodeId, Failure> {
    segments::node(topology, name)
        .map_err(|error| Failure::Usage { flag, problem: error.to_string() })
}

fn link(topology: &Topology, name: &str) -> Result<LinkId, Failure> {
    topology.link_id(name).ok_or_else(|| {
        let nearest = match segments::find(topology, name) {
            Err(error @ SegmentError::UnknownName { .. }) => error.to_string(),
            _ => format!("the topology has no link {name:?}; it is a node"),
        };
        Failure::Usage { flag: "--avoid-link", problem: nearest }
    })
}
