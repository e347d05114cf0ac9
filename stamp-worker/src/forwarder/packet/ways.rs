//! Ways that packets leave by, found once and kept up to date.

use core::time::Duration;
use std::collections::HashMap;
use std::net::IpAddr;

use stamp_net::{Changes, Egress, EgressQuery, Resolution};
use stamp_session::clock::MonotonicTime;
use stamp_session::forwarding::{DropReason, NextHop};

use super::vrfs::Vrf;
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
    adjacencies: Vec<(NextHopSetup, Way)>,
    destinations: Vec<Destination>,
    /// Where the destination of a VRF is among them; the number of none is 0.
    places: HashMap<(IpAddr, u32), usize>,
    /// The place of the last; the next packet often goes there too.
    last: usize,
    /// Second of the clock, and how many questions were put in it.
    questions: (u64, u32),
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
    pub(super) fn new(next_hops: Vec<NextHopSetup>, now: MonotonicTime) -> Self {
        let found = |next_hop: NextHopSetup| {
            let way = Way::find(&next_hop.query(), now);
            (next_hop, way)
        };
        Self {
            adjacencies: next_hops.into_iter().map(found).collect(),
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
                let (setup, way) = self.adjacencies.get_mut(id.0).ok_or(DropReason::NoRoute)?;
                way.keep(&setup.query(), now);
                way
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
        for (setup, way) in &mut self.adjacencies {
            way.follow(changes, &setup.query(), now);
        }
        for Destination { to, vrf, way } in &mut self.destinations {
            way.follow(changes, &query(*to, vrf.as_ref()), now);
        }
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
    fn query(&self) -> EgressQuery<'_> {
        match &self.interface {
            Some(interface) => EgressQuery::via(interface, self.address),
            None => EgressQuery::to(self.address),
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
