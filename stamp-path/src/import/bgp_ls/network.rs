//! From what routes say to nodes, links and peers that a topology file can hold.

mod claims;
mod indexes;
mod joining;

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv6Net};

use super::half::{HalfLink, LinkFacts};
use super::node::{Behavior, NodeFacts, NodeKey, PrefixSid, SidFacts};
use super::route::Told;
use crate::import::naming::{unique, word};
use crate::topology::words::is_global;
use claims::Claims;

/// What goes into the file.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub(super) nodes: Vec<NodeDraft>,
    pub(super) links: Vec<LinkDraft>,
    pub(super) peers: Vec<PeerDraft>,
    pub(super) notes: Vec<String>,
}

/// A node of the file.
#[derive(Debug, Default)]
pub(super) struct NodeDraft {
    pub(super) name: String,
    pub(super) autonomous_system: Option<u32>,
    pub(super) domain: Option<String>,
    pub(super) loopbacks: Vec<IpAddr>,
    pub(super) index: Option<u32>,
    pub(super) anycast: Vec<(IpNet, u32)>,
    pub(super) end: Option<Ipv6Net>,
    pub(super) dt6: Option<Ipv6Net>,
    pub(super) un: Option<Ipv6Net>,
    pub(super) sr: bool,
    pub(super) php: bool,
    pub(super) drained: bool,
    /// First and last label of each range; those of a file that says nothing where there are none.
    pub(super) srgb: Vec<(u32, u32)>,
}

/// A link of the file.
#[derive(Debug)]
pub(super) struct LinkDraft {
    /// Where it is not that of the ends.
    pub(super) name: Option<String>,
    pub(super) ends: [usize; 2],
    pub(super) ways: [LinkFacts; 2],
    pub(super) drained: [bool; 2],
    pub(super) adjacency: Option<[u32; 2]>,
    pub(super) end_x: Option<[Ipv6Net; 2]>,
    pub(super) interfaces: Option<[u32; 2]>,
    pub(super) addresses: [Vec<IpAddr>; 2],
}

/// A peer of the file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct PeerDraft {
    pub(super) at: usize,
    pub(super) autonomous_system: u32,
    pub(super) label: u32,
    /// What the label means: the peer, one adjacency with it, a set it is in.
    pub(super) kind: &'static str,
}

/// By prefix: who tells it, and with which SID.
type Prefixes = BTreeMap<IpNet, BTreeMap<NodeKey, Option<PrefixSid>>>;

/// What was told, sorted by what it is about: a table has no order of its own.
#[derive(Debug, Default)]
struct Sorted {
    nodes: BTreeMap<NodeKey, NodeFacts>,
    halves: Vec<HalfLink>,
    prefixes: Prefixes,
    sids: Vec<(NodeKey, SidFacts)>,
}

impl Sorted {
    fn of(told: Vec<Told>) -> Self {
        let mut sorted = Self::default();
        for one in told {
            match one {
                Told::Node(key, facts) => sorted.node(key, facts),
                Told::Link(half) => sorted.halves.push(*half),
                Told::Prefix(key, net, sid) => {
                    let entry = sorted.prefixes.entry(net).or_default().entry(key).or_default();
                    *entry = entry.or(sid);
                }
                Told::Sid(key, facts) => sorted.sids.push((key, facts)),
            }
        }
        let order = |half: &HalfLink| {
            (half.local.clone(), half.remote.clone(), half.numbers, half.near, half.far)
        };
        sorted.halves.sort_by_cached_key(order);
        sorted.halves.dedup_by(|again, known| {
            let is_again = again.is_again(known);
            if is_again {
                known.facts.complete(&again.facts);
            }
            is_again
        });
        sorted.sids.sort_by_key(|(key, sid)| (key.clone(), sid.prefix));
        sorted
    }

    /// Levels and areas tell the same node once each.
    fn node(&mut self, key: NodeKey, facts: NodeFacts) {
        let known = self.nodes.entry(key).or_default();
        known.autonomous_system = known.autonomous_system.or(facts.autonomous_system);
        known.name = known.name.take().or(facts.name);
        known.srgb = known.srgb.take().or(facts.srgb);
        known.overload |= facts.overload;
        let new = facts.routers.into_iter().filter(|router| !known.routers.contains(router));
        let new: Vec<IpAddr> = new.collect();
        known.routers.extend(new);
    }
}

/// Where nodes are in the file.
#[derive(Debug, Default)]
struct Places {
    keys: BTreeMap<NodeKey, usize>,
    /// By address: autonomous systems and places.
    addresses: BTreeMap<IpAddr, Vec<(Option<u32>, usize)>>,
}

impl Places {
    /// The place of a node, which BGP knows by an address of its own.
    fn of(&self, key: &NodeKey) -> Option<usize> {
        let by_address = || {
            let known = self.addresses.get(&IpAddr::V4(key.address()?))?;
            let system = Some(key.autonomous_system).filter(|number| *number > 0);
            let same = |(its, _): &&(Option<u32>, usize)| system.is_none() || system == *its;
            known.iter().find(same).map(|(_, place)| *place)
        };
        self.keys.get(key).copied().or_else(by_address)
    }
}

impl Network {
    pub(super) fn of(told: Vec<Told>) -> Self {
        let sorted = Sorted::of(told);
        let mut network = Self::default();
        let places = network.place(&sorted);
        network.loopbacks(&sorted, &places);
        network.capabilities(&sorted, &places);
        indexes::assign(&mut network, &sorted.prefixes, &places);
        let mut claims = Claims::of(&network.nodes);
        network.sids(&sorted.sids, &places, &mut claims);
        joining::join(&mut network, sorted.halves, &places, &mut claims);
        network.assumptions();
        network
    }

    /// Nodes with their names; one that BGP and an interior protocol both tell is one.
    fn place(&mut self, sorted: &Sorted) -> Places {
        let mut places = Places::default();
        let mut taken = BTreeSet::new();
        let (by_bgp, by_igp): (Vec<_>, Vec<_>) =
            sorted.nodes.iter().partition(|(key, _)| key.by_bgp);
        for (key, facts) in by_igp.into_iter().chain(by_bgp) {
            if key.is_shared() {
                continue;
            }
            let known = Some(key).filter(|key| key.by_bgp).and_then(|key| places.of(key));
            if let Some(place) = known {
                places.keys.insert(key.clone(), place);
                continue;
            }
            let place = self.nodes.len();
            let own = key.address().map(IpAddr::V4);
            let label = facts.name.clone();
            let label = label.or_else(|| facts.routers.first().map(ToString::to_string));
            let name = unique(&word(&label.unwrap_or_else(|| key.router.clone())), &mut taken);
            let autonomous_system = facts.autonomous_system;
            places.keys.insert(key.clone(), place);
            for address in facts.routers.iter().copied().chain(own) {
                places.addresses.entry(address).or_default().push((autonomous_system, place));
            }
            self.nodes.push(NodeDraft {
                name,
                autonomous_system,
                php: true,
                drained: facts.overload,
                ..NodeDraft::default()
            });
        }
        places
    }

    /// Addresses of routers, then host prefixes that one node alone tells; IPv4 first.
    fn loopbacks(&mut self, sorted: &Sorted, places: &Places) {
        let mut owners: BTreeMap<IpAddr, BTreeSet<usize>> = BTreeMap::new();
        let mut wanted: Vec<(usize, IpAddr)> = Vec::new();
        for (key, facts) in &sorted.nodes {
            let Some(place) = places.of(key) else { continue };
            let by_bgp = key.address().filter(|_| key.by_bgp).map(IpAddr::V4);
            wanted
                .extend(facts.routers.iter().copied().chain(by_bgp).map(|router| (place, router)));
        }
        for (net, tellers) in &sorted.prefixes {
            if net.prefix_len() == net.max_prefix_len() {
                let known = tellers.keys().filter_map(|key| places.of(key));
                wanted.extend(known.map(|place| (place, net.addr())));
            }
        }
        for (place, address) in &wanted {
            owners.entry(*address).or_default().insert(*place);
        }
        let mut shared = BTreeSet::new();
        for (place, address) in wanted {
            let alone = owners.get(&address).is_some_and(|owners| owners.len() == 1);
            if !alone {
                shared.insert(address);
            } else if is_global(address)
                && let Some(node) = self.nodes.get_mut(place)
                && !node.loopbacks.contains(&address)
            {
                node.loopbacks.push(address);
            }
        }
        for node in &mut self.nodes {
            node.loopbacks.sort_by_key(IpAddr::is_ipv6);
        }
        let without_sid = shared.into_iter().filter(|address| {
            let tellers = sorted.prefixes.get(&IpNet::from(*address));
            !tellers.is_some_and(|tellers| tellers.values().any(Option::is_some))
        });
        self.count(without_sid.count(), "address of several nodes without a SID is left out");
    }

    /// Who knows Segment Routing, and which labels.
    fn capabilities(&mut self, sorted: &Sorted, places: &Places) {
        let mut able: BTreeSet<usize> = BTreeSet::new();
        for tellers in sorted.prefixes.values() {
            let with_sid = tellers.iter().filter(|(_, sid)| sid.is_some());
            able.extend(with_sid.filter_map(|(key, _)| places.of(key)));
        }
        able.extend(sorted.sids.iter().filter_map(|(key, _)| places.of(key)));
        let has_sid = |half: &&HalfLink| {
            let facts = &half.facts;
            facts.adjacency.is_some() || facts.end_x.is_some() || facts.peer != [None; 3]
        };
        let tellers = sorted.halves.iter().filter(has_sid);
        able.extend(tellers.filter_map(|half| places.of(&half.local)));
        let mut bad = 0;
        for (key, facts) in &sorted.nodes {
            let Some(place) = places.of(key) else { continue };
            let Some(ranges) = &facts.srgb else { continue };
            able.insert(place);
            let Some(node) = self.nodes.get_mut(place) else { continue };
            for range in ranges {
                if claims::fits(&node.srgb, *range) {
                    node.srgb.push(*range);
                } else {
                    bad += 1;
                }
            }
        }
        self.count(bad, "range of labels is no part of an SRGB and left out");
        for place in able {
            if let Some(node) = self.nodes.get_mut(place) {
                node.sr = true;
            }
        }
    }

    fn sids(&mut self, sids: &[(NodeKey, SidFacts)], places: &Places, claims: &mut Claims) {
        let mut left_out = 0;
        for (key, facts) in sids {
            let Some(place) = places.of(key) else { continue };
            let Some(node) = self.nodes.get_mut(place) else { continue };
            let slot = match facts.behavior {
                Behavior::End => &mut node.end,
                Behavior::Decapsulate => &mut node.dt6,
                Behavior::MicroNode => &mut node.un,
            };
            let micro = facts.behavior == Behavior::MicroNode;
            if slot.is_none() && claims.sids(&[facts.prefix], micro) {
                *slot = Some(facts.prefix);
            } else {
                left_out += 1;
            }
        }
        self.count(left_out, "SRv6 SID is one too many or no SID of a topology file, and left out");
    }

    /// A note where there is something to count.
    fn count(&mut self, number: usize, what: &str) {
        if number > 0 {
            self.notes.push(format!("{number} times: {what}"));
        }
    }

    /// What `GoBGP` does not print, or routes did not say.
    fn assumptions(&mut self) {
        let ways = || self.links.iter().flat_map(|link| &link.ways);
        let mut unsaid = Vec::new();
        if ways().all(|way| way.delay_us.is_none()) {
            unsaid.push("delay");
        }
        unsaid.extend(["loss of links", "MSD"]);
        if self.nodes.iter().all(|node| node.end.is_none() && node.un.is_none()) {
            unsaid.push("SRv6 SIDs");
        }
        unsaid.extend(["timestamp labels", "tunnels", "gateways"]);
        self.notes.push(format!("not told by it and left to add: {}", unsaid.join(", ")));
        if ways().any(|way| way.groups != 0) {
            self.notes
                .push("affinities are named after their bits: group-0 is the lowest".to_owned());
        }
        if ways().any(|way| way.variation_us.is_some()) {
            self.notes.push("jitter is the delay variation that was told".to_owned());
        }
    }
}
