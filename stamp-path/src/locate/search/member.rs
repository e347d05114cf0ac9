//! Whether a suspect is one of several equally good links.

use std::collections::BTreeSet;

use crate::encoding::Route;
use crate::locate::incidence::directions;
use crate::locate::{Cause, Member, Observation};
use crate::path::Hop;
use crate::topology::{Side, Topology};

/// The choice that one of these links belongs to, in some observation.
pub(super) fn of(
    topology: &Topology,
    observations: &[Observation],
    causes: &[Cause],
) -> Option<Member> {
    let hops: Vec<Hop> = causes
        .iter()
        .flat_map(|cause| match cause {
            Cause::Direction(hop) => vec![*hop],
            Cause::Link(link) => Side::BOTH.map(|side| Hop { link: *link, side }).to_vec(),
            Cause::Node(_) | Cause::Tunnel(_) => Vec::new(),
        })
        .collect();
    let mut directions = observations.iter().flat_map(|it| directions(&it.course));
    directions.find_map(|routes| hops.iter().find_map(|hop| among(topology, &routes, *hop)))
}

/// The other links by which routes leave the same node having come the same way.
fn among(topology: &Topology, routes: &[Route], hop: Hop) -> Option<Member> {
    let at = hop.from(topology);
    let before = |route: &Route| {
        let place = route.hops.iter().position(|one| one.from(topology) == at)?;
        Some((route.hops.get(..place)?.to_vec(), *route.hops.get(place)?))
    };
    let (way, _) = routes.iter().filter_map(before).find(|(_, next)| *next == hop)?;
    let others: BTreeSet<Hop> = routes
        .iter()
        .filter_map(before)
        .filter(|(other, next)| *other == way && *next != hop)
        .map(|(_, next)| next)
        .collect();
    let member = Member { at, hop, others: others.into_iter().collect() };
    (!member.others.is_empty()).then_some(member)
}
