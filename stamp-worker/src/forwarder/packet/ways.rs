//! Ways that packets leave by, found once and kept up to date.

use core::time::Duration;
use std::collections::HashMap;
use std::net::IpAddr;

use stamp_net::{Changes, Egress, EgressQuery, Resolution};
use stamp_session::clock::MonotonicTime;
use stamp_session::forwarding::{Action, DropReason, LabelRule, NextHop};

use super::vrfs::{Vrf, Vrfs};
use crate::forwarder::NextHopSetup;

/// Destinations that are remembered. Loopback probes end at their senders, so these are as many as
/// there are senders; when somebody makes up more, all are found anew.
const MOST_DESTINATIONS: usize = 4096;
/// Questions to the routing table in a second about destinations not seen before: whoever makes
/// them up must not keep the worker from its packets.
const MOST_QUESTIONS: u32 = 1000;
/// How long a neighbour that is known is used before the kernel is made to look whether it is still
/// there, as the kernel would for packets of its own.
const FRESH: Duration = Duration::from_secs(10);
/// How long after a fruitless question the next is put.
const RETRY: Duration = Duration::from_millis(500);

/// Every way in use.
#[derive(Debug)]
pub(super) struct Ways {
    adjacencies: Vec<Adjacency>,
    destinations: Vec<Destination>,
    /// Where the destination of a VRF is among them; the number of none is 0.
    places: HashMap<(IpAddr, u32), usize>,
    /// The place of the last; the next packet often goes there too.
    last: usize,
    /// Second of the clock, and how many questions were put in it.
    questions: (u64, u32),
}

/// The next hop of a label. Interfaces that the label is accepted on may be in several VRFs, and its
/// address means another router in each.
#[derive(Debug)]
struct Adjacency {
    next_hop: NextHopSetup,
    /// By the VRF that the packet came in by; as few as there are VRFs.
    ways: Vec<(Option<Vrf>, Way)>,
}

/// Who is asked for by address, in the VRF that the packet came in by.
#[derive(Debug)]
struct Destination {
    to: IpAddr,
    vrf: Option<Vrf>,
    way: Way,
}

#[derive(Debug)]
struct Way {
    egress: Option<Egress>,
    /// When the kernel was asked last.
    asked: MonotonicTime,
}

impl Ways {
    /// Looks for what labels lead to from the interfaces they are accepted on, so that neighbours
    /// are known when the first packet comes.
    pub(super) fn new(
        next_hops: Vec<NextHopSetup>,
        labels: &[LabelRule],
        vrfs: &Vrfs,
        now: MonotonicTime,
    ) -> Self {
        let unused = |next_hop| Adjacency { next_hop, ways: Vec::new() };
        let mut adjacencies: Vec<_> = next_hops.into_iter().map(unused).collect();
        for LabelRule { interfaces, action, .. } in labels {
            if let Action::Pop(id) | Action::Replace(_, id) = action
                && let Some(adjacency) = adjacencies.get_mut(id.0)
            {
                for interface in interfaces {
                    adjacency.way(vrfs.of(*interface), now);
                }
            }
        }
        Self {
            adjacencies,
            destinations: Vec::new(),
            places: HashMap::new(),
            last: 0,
            questions: (0, 0),
        }
    }

    /// The way to a next hop whose address on the link is known.
    pub(super) fn to(
        &mut self,
        next_hop: NextHop,
        vrf: Option<&Vrf>,
        now: MonotonicTime,
    ) -> Result<&Egress, DropReason> {
        let way = match next_hop {
            NextHop::Adjacency(id) => {
                self.adjacencies.get_mut(id.0).ok_or(DropReason::NoRoute)?.way(vrf, now)
            }
            NextHop::Destination(to) => self.destination(to, vrf, now)?,
        };
        let egress = way.egress.as_ref().ok_or(DropReason::NoRoute)?;
        match egress.resolution {
            Resolution::Ready(_) => Ok(egress),
            Resolution::Resolving | Resolution::Failed => Err(DropReason::NoNeighbour),
        }
    }

    fn destination(
        &mut self,
        to: IpAddr,
        vrf: Option<&Vrf>,
        now: MonotonicTime,
    ) -> Result<&mut Way, DropReason> {
        self.last = match self.destinations.get(self.last) {
            Some(known) if (known.to, number(known.vrf.as_ref())) == (to, number(vrf)) => self.last,
            _ => self.place(to, vrf, now)?,
        };
        let known = self.destinations.get_mut(self.last).ok_or(DropReason::NoRoute)?;
        known.way.keep(&query(to, vrf), now);
        Ok(&mut known.way)
    }

    fn place(
        &mut self,
        to: IpAddr,
        vrf: Option<&Vrf>,
        now: MonotonicTime,
    ) -> Result<usize, DropReason> {
        if let Some(place) = self.places.get(&(to, number(vrf))) {
            return Ok(*place);
        }
        if !self.may_ask(now) {
            return Err(DropReason::NoRoute);
        }
        if self.destinations.len() >= MOST_DESTINATIONS {
            self.destinations.clear();
            self.places.clear();
        }
        let place = self.destinations.len();
        let way = Way::find(&query(to, vrf), now);
        self.destinations.push(Destination { to, vrf: vrf.cloned(), way });
        self.places.insert((to, number(vrf)), place);
        Ok(place)
    }

    fn may_ask(&mut self, now: MonotonicTime) -> bool {
        let second = now.ns() / 1_000_000_000;
        if self.questions.0 != second {
            self.questions = (second, 0);
        }
        self.questions.1 += 1;
        self.questions.1 <= MOST_QUESTIONS
    }

    /// Takes up what the kernel told of links, neighbours and routes.
    pub(super) fn follow(&mut self, changes: &Changes, now: MonotonicTime) {
        for Adjacency { next_hop, ways } in &mut self.adjacencies {
            for (vrf, way) in ways {
                way.follow(changes, &next_hop.query(vrf.as_ref()), now);
            }
        }
        for Destination { to, vrf, way } in &mut self.destinations {
            way.follow(changes, &query(*to, vrf.as_ref()), now);
        }
    }
}

impl Adjacency {
    fn way(&mut self, vrf: Option<&Vrf>, now: MonotonicTime) -> &mut Way {
        let Self { next_hop, ways } = self;
        let query = next_hop.query(vrf);
        let known = ways.iter().position(|(known, _)| number(known.as_ref()) == number(vrf));
        let place = known.unwrap_or_else(|| {
            ways.push((vrf.cloned(), Way::find(&query, now)));
            ways.len() - 1
        });
        let way = &mut ways[place].1;
        way.keep(&query, now);
        way
    }
}

/// Inside a VRF its own table is asked, never that of all others.
fn query(to: IpAddr, vrf: Option<&Vrf>) -> EgressQuery<'_> {
    EgressQuery { interface: vrf.map(|vrf| &*vrf.name), ..EgressQuery::to(to) }
}

fn number(vrf: Option<&Vrf>) -> u32 {
    vrf.map_or(0, |vrf| vrf.number)
}

impl NextHopSetup {
    /// Through the interface that is named, or where the packet's own table says.
    fn query<'a>(&'a self, vrf: Option<&'a Vrf>) -> EgressQuery<'a> {
        match &self.interface {
            Some(interface) => EgressQuery::via(interface, self.address),
            None => query(self.address, vrf),
        }
    }
}

impl Way {
    fn find(query: &EgressQuery<'_>, now: MonotonicTime) -> Self {
        // What leads to this host itself leads nowhere: the packet was not for it.
        let egress = Egress::find(query).ok().filter(|egress| !is_to_ourselves(egress, query));
        Self { egress, asked: now }
    }

    /// Asks again what is old or was not known.
    fn keep(&mut self, query: &EgressQuery<'_>, now: MonotonicTime) {
        let age = now.since(self.asked);
        match &mut self.egress {
            None if age >= RETRY => *self = Self::find(query, now),
            Some(egress) => {
                let ready = matches!(egress.resolution, Resolution::Ready(_));
                if age >= if ready { FRESH } else { RETRY } {
                    self.asked = now;
                    // When the kernel does not tell, what was known is as good as it gets.
                    let _ = egress.resolve();
                }
            }
            None => {}
        }
    }

    fn follow(&mut self, changes: &Changes, query: &EgressQuery<'_>, now: MonotonicTime) {
        match &mut self.egress {
            None if changes.routes || changes.lost => *self = Self::find(query, now),
            Some(egress) if changes.concern_way(egress) => *self = Self::find(query, now),
            Some(egress) if changes.concern_neighbour(egress) => {
                self.asked = now;
                let _ = egress.resolve();
            }
            _ => {}
        }
    }
}

fn is_to_ourselves(egress: &Egress, query: &EgressQuery<'_>) -> bool {
    use stamp_net::interface::{LinkLayer, MacAddress};
    // The loopback device of a VRF is the VRF.
    let is_vrf = query.next_hop.is_none() && query.interface == Some(&*egress.name);
    is_vrf
        || matches!(egress.link_layer, LinkLayer::Ethernet { address } if address == MacAddress::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn red() -> Vrf {
        Vrf { number: 7, name: "red".into() }
    }

    fn next_hop(interface: Option<&str>) -> NextHopSetup {
        NextHopSetup { interface: interface.map(str::to_owned), address: [192, 0, 2, 1].into() }
    }

    #[test]
    fn a_next_hop_is_looked_for_in_the_vrf_of_the_packet() {
        let (next_hop, red) = (next_hop(None), red());
        assert_eq!(next_hop.query(None), EgressQuery::to([192, 0, 2, 1].into()));
        let inside = next_hop.query(Some(&red));
        assert_eq!((inside.to, inside.interface), ([192, 0, 2, 1].into(), Some("red")));
        assert_eq!(
            inside.next_hop, None,
            "which of its interfaces leads there is the VRF's to say"
        );
    }

    #[test]
    fn an_interface_that_is_named_leads_out_of_any_vrf() {
        let (next_hop, red) = (next_hop(Some("core")), red());
        assert_eq!(next_hop.query(Some(&red)), EgressQuery::via("core", [192, 0, 2, 1].into()));
    }

    #[test]
    fn each_vrf_has_a_way_of_its_own_to_a_next_hop() {
        let mut adjacency = Adjacency { next_hop: next_hop(None), ways: Vec::new() };
        for vrf in [None, Some(&red()), None, Some(&red())] {
            let _ = adjacency.way(vrf, MonotonicTime::ZERO);
        }
        let numbers: Vec<u32> =
            adjacency.ways.iter().map(|(vrf, _)| number(vrf.as_ref())).collect();
        assert_eq!(numbers, [0, 7]);
    }
}
