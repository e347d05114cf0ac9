//! From directions to links, and to peers where the other end is outside.

use std::collections::BTreeMap;

use stamp_document::Setting as _;

use super::claims::Claims;
use super::{LinkDraft, Network, PeerDraft, Places};
use crate::import::bgp_ls::half::{HalfLink, LinkFacts};
use crate::import::bgp_ls::node::NodeKey;
use crate::import::naming::{LONGEST, unique};
use crate::topology::words::{Name, is_global};

/// Links side by side between two nodes, at most.
const SIDE_BY_SIDE: usize = 256;
/// Nodes at a network that they share, at most: each pair of them becomes a link.
const AT_A_NETWORK: usize = 32;
/// The metric that keeps a link out of shortest paths: of IS-IS (RFC 5305), of OSPF.
const UNUSABLE: [u32; 2] = [0xff_ffff, 0xffff];
/// The largest metric of a usable link.
const LARGEST: u32 = 0xff_fffe;

pub(super) fn join(
    network: &mut Network,
    halves: Vec<HalfLink>,
    places: &Places,
    claims: &mut Claims,
) {
    let mut between: BTreeMap<[usize; 2], Vec<HalfLink>> = BTreeMap::new();
    let mut shared: BTreeMap<NodeKey, Shared> = BTreeMap::new();
    let mut alone = Vec::new();
    for half in halves {
        if half.remote.is_shared() {
            let Some(place) = places.of(&half.local) else { continue };
            shared.entry(half.remote.clone()).or_default().toward.push((place, half));
        } else if half.local.is_shared() {
            let Some(place) = places.of(&half.remote) else { continue };
            shared.entry(half.local).or_default().from.push(place);
        } else if let Some(pair) = places.of(&half.local).zip(places.of(&half.remote)) {
            between.entry(pair.into()).or_default().push(half);
        } else {
            alone.push(half);
        }
    }
    let mut joiner = Joiner { network, claims, places, sids_left_out: 0, without_metric: 0 };
    for (ends, forth) in &between {
        let [first, second] = *ends;
        let back = between.get(&[second, first]);
        if first < second {
            alone.extend(joiner.pair(*ends, forth, back.map_or(&[][..], Vec::as_slice)));
        } else if back.is_none() || first == second {
            alone.extend(forth.iter().cloned());
        }
    }
    for shared in shared.into_values() {
        joiner.mesh(&shared);
    }
    joiner.peers(&alone);
    let (sids, metrics) = (joiner.sids_left_out, joiner.without_metric);
    network.count(sids, "an adjacency has no SID of its own at both ends, and none in the file");
    network.count(metrics, "a link says no metric, and has the usual one");
}

/// A network that several nodes share: who sends to it, and whom it reaches.
#[derive(Debug, Default)]
struct Shared {
    toward: Vec<(usize, HalfLink)>,
    from: Vec<usize>,
}

struct Joiner<'n> {
    network: &'n mut Network,
    claims: &'n mut Claims,
    places: &'n Places,
    sids_left_out: usize,
    without_metric: usize,
}

impl Joiner<'_> {
    /// Joins directions that are each other's; the rest is handed back.
    fn pair(&mut self, ends: [usize; 2], forth: &[HalfLink], back: &[HalfLink]) -> Vec<HalfLink> {
        if forth.len().max(back.len()) > SIDE_BY_SIDE {
            self.network.count(forth.len(), "a link has too many beside it, and is left out");
            return Vec::new();
        }
        let mut back: Vec<&HalfLink> = back.iter().collect();
        let mut alone = Vec::new();
        let mut unsure = Vec::new();
        // What both ends tell alike goes first, so that what says less cannot take it away.
        for one in forth {
            match back.iter().position(|other| one.mirrors(other)) {
                Some(place) => self.link(ends, one, back.remove(place)),
                None => unsure.push(one),
            }
        }
        for one in unsure {
            match back.iter().position(|other| one.may_be_back_of(other)) {
                Some(place) => self.link(ends, one, back.remove(place)),
                None => alone.push(one.clone()),
            }
        }
        alone.extend(back.into_iter().cloned());
        alone
    }

    fn link(&mut self, ends: [usize; 2], forth: &HalfLink, back: &HalfLink) {
        let [near, far] = ends;
        let told = [forth, back].map(|half| half.facts.adjacency_sid());
        let adjacency = told[0].zip(told[1]).filter(|(first, second)| {
            self.claims.labels(&self.network.nodes, &[(near, *first), (far, *second)])
        });
        if adjacency.is_none() && told != [None; 2] {
            self.sids_left_out += 1;
        }
        let end_x = forth.facts.end_x.zip(back.facts.end_x);
        let end_x = end_x.filter(|(first, second)| self.claims.sids(&[*first, *second], false));
        let numbers = [forth.numbers[0].or(back.numbers[1]), back.numbers[0].or(forth.numbers[1])];
        let interfaces = numbers[0]
            .zip(numbers[1])
            .filter(|(first, second)| self.claims.interfaces([(near, *first), (far, *second)]));
        let mut own = |one: &HalfLink, other: &HalfLink| {
            let told = one.near.into_iter().zip(other.far).filter_map(|(near, far)| near.or(far));
            told.filter(|address| is_global(*address) && self.claims.address(*address)).collect()
        };
        let addresses = [own(forth, back), own(back, forth)];
        let name = forth.facts.name.clone();
        let name = name.filter(|name| back.facts.name.as_ref().is_none_or(|other| other == name));
        self.add(LinkDraft {
            name,
            adjacency: adjacency.map(Into::into),
            end_x: end_x.map(Into::into),
            interfaces: interfaces.map(Into::into),
            addresses,
            ..LinkDraft::between(ends, [forth, back])
        });
    }

    /// A link between every two nodes that the network reaches and that send to it. What is told of a
    /// SID or address toward the network is of no single neighbour.
    fn mesh(&mut self, shared: &Shared) {
        let is_there = |(place, _): &&(usize, HalfLink)| shared.from.contains(place);
        let members: Vec<&(usize, HalfLink)> = shared.toward.iter().filter(is_there).collect();
        if members.len() > AT_A_NETWORK {
            self.network.count(1, "too many nodes share a network, and it is left out");
            return;
        }
        for (number, (first, forth)) in members.iter().enumerate() {
            for (second, back) in members.iter().skip(number + 1) {
                if first != second {
                    self.add(LinkDraft::between([*first, *second], [forth, back]));
                }
            }
        }
    }

    /// Gives it a name that no other link has.
    fn add(&mut self, mut link: LinkDraft) {
        let name_of = |place: usize| self.network.nodes.get(place).map_or("", |node| &node.name);
        let [near, far] = link.ends.map(name_of);
        let by_ends = format!("{near}-{far}");
        let is_free =
            |name: &String| Name::read(name).is_some() && !self.claims.links.contains(name);
        let name = match link.name.take().filter(is_free) {
            Some(name) => {
                self.claims.links.insert(name.clone());
                name
            }
            None => unique(&by_ends, &mut self.claims.links),
        };
        let is_usual = name == by_ends && by_ends.chars().count() <= LONGEST;
        link.name = Some(name).filter(|_| !is_usual);
        self.without_metric += usize::from(link.ways.iter().all(|way| way.igp.is_none()));
        self.network.links.push(link);
    }

    /// Directions without a way back: SIDs of peers are labels of the border, others nobody can use.
    fn peers(&mut self, halves: &[HalfLink]) {
        let (mut unknown, mut one_way, mut no_system, mut taken) = (0, 0, 0, 0);
        let mut peers = Vec::new();
        for half in halves {
            let Some(at) = self.places.of(&half.local) else {
                unknown += 1;
                continue;
            };
            let kinds = ["peer", "adjacency", "set"];
            let labels = half.facts.peer.into_iter().zip(kinds);
            let labels: Vec<(u32, &str)> =
                labels.filter_map(|(label, kind)| Some((label?, kind))).collect();
            one_way += usize::from(labels.is_empty());
            let autonomous_system = half.remote.autonomous_system;
            for (label, kind) in labels {
                if autonomous_system == 0 {
                    no_system += 1;
                } else {
                    peers.push(PeerDraft { at, autonomous_system, label, kind });
                }
            }
        }
        peers.sort();
        // Every peer of a set tells the label of the set.
        peers.dedup();
        for peer in peers {
            if self.claims.labels(&self.network.nodes, &[(peer.at, peer.label)]) {
                self.network.peers.push(peer);
            } else {
                taken += 1;
            }
        }
        let network = &mut *self.network;
        network.count(unknown, "a link begins at a node that is not told, and is left out");
        network.count(one_way, "a link is told in one direction only, and is left out");
        let no_number =
            "a peer's autonomous system is not printed, and it is left out: the API tells it";
        network.count(no_system, no_number);
        network.count(taken, "a label of a peer means something else as well, and is left out");
    }
}

impl LinkDraft {
    /// What is said of both directions; one that does not say it is as the other.
    fn between(ends: [usize; 2], halves: [&HalfLink; 2]) -> Self {
        let unusable = |half: &HalfLink| {
            let [isis, ospf] = UNUSABLE;
            let is_ospf = half.local.address().is_some();
            half.facts.igp.is_some_and(|igp| igp >= isis || (is_ospf && igp == ospf))
        };
        let [forth, back] = halves.map(|half| &half.facts);
        let mut ways = [forth.clone(), back.clone()];
        ways[0].complete(back);
        ways[1].complete(forth);
        for way in &mut ways {
            way.igp = way.igp.map(|igp| igp.min(LARGEST));
            way.te = way.te.map(|te| te.min(LARGEST));
        }
        Self {
            name: None,
            ends,
            ways,
            drained: halves.map(unusable),
            adjacency: None,
            end_x: None,
            interfaces: None,
            addresses: Default::default(),
        }
    }
}

impl LinkFacts {
    /// The label that leads over the link: between autonomous systems that of the adjacency, or else of the peer.
    fn adjacency_sid(&self) -> Option<u32> {
        let [peer, adjacency, _] = self.peer;
        self.adjacency.or(adjacency).or(peer)
    }
}
