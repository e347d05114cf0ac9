//! One direction of a link.

use core::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv6Net;

use super::BgpLsError;
use super::field::Field;
use super::node::{NodeKey, located};

/// A link as the node where it begins tells it (RFC 9552).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HalfLink {
    pub(super) local: NodeKey,
    pub(super) remote: NodeKey,
    /// Addresses of the interface here, IPv4 and IPv6.
    pub(super) near: [Option<IpAddr>; 2],
    /// Addresses of the interface there.
    pub(super) far: [Option<IpAddr>; 2],
    /// Numbers of both interfaces.
    pub(super) numbers: [Option<u32>; 2],
    pub(super) facts: LinkFacts,
}

impl HalfLink {
    pub(super) const fn between(local: NodeKey, remote: NodeKey, facts: LinkFacts) -> Self {
        Self { local, remote, near: [None; 2], far: [None; 2], numbers: [None; 2], facts }
    }

    /// Whether both tell the same of their ends.
    pub(super) fn mirrors(&self, other: &Self) -> bool {
        let [near, far] = self.numbers;
        (self.near, self.far) == (other.far, other.near) && [far, near] == other.numbers
    }

    /// Whether the other may be the same link told from its other end: where one says nothing, it does
    /// not say otherwise.
    pub(super) fn may_be_back_of(&self, other: &Self) -> bool {
        fn agree<T: Eq>(ones: &[Option<T>], others: &[Option<T>]) -> bool {
            let differ = |(one, other): (&Option<T>, &Option<T>)| {
                one.is_some() && other.is_some() && one != other
            };
            !ones.iter().zip(others).any(differ)
        }
        let [near, far] = other.numbers;
        agree(&self.near, &other.far)
            && agree(&self.far, &other.near)
            && agree(&self.numbers, &[far, near])
    }

    /// Whether the other is of the same link: levels and topologies tell it once each.
    pub(super) fn is_again(&self, other: &Self) -> bool {
        (&self.local, &self.remote, self.near, self.far, self.numbers)
            == (&other.local, &other.remote, other.near, other.far, other.numbers)
    }
}

/// What is said of one direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LinkFacts {
    pub(super) name: Option<String>,
    pub(super) igp: Option<u32>,
    pub(super) te: Option<u32>,
    /// The least, where it is told, or else the average (RFC 8571).
    pub(super) delay_us: Option<u32>,
    pub(super) variation_us: Option<u32>,
    /// Bits of administrative groups.
    pub(super) groups: u32,
    pub(super) bits_per_second: Option<u64>,
    pub(super) srlgs: Vec<u32>,
    pub(super) adjacency: Option<u32>,
    pub(super) end_x: Option<Ipv6Net>,
    /// Egress peer engineering (RFC 9086): of the peer, of the adjacency, of the set.
    pub(super) peer: [Option<u32>; 3],
}

impl LinkFacts {
    pub(super) fn read(attribute: Option<Field<'_>>) -> Result<Self, BgpLsError> {
        let mut facts = Self::default();
        let Some(attribute) = attribute else { return Ok(facts) };
        if let Some(link) = attribute.get(&["link"]) {
            facts.of_link(link)?;
        }
        if let Some(peer) = attribute.get(&["bgpPeerSegment", "bgp_peer_segment"]) {
            let keys = [
                ["bgpPeerNodeSid", "bgp_peer_node_sid"],
                ["bgpPeerAdjacencySid", "bgp_peer_adjacency_sid"],
                ["bgpPeerSetSid", "bgp_peer_set_sid"],
            ];
            for (slot, keys) in facts.peer.iter_mut().zip(keys) {
                if let Some(sid) = peer.get(&keys) {
                    *slot = sid.get(&["sid"]).unwrap_or(sid).positive()?;
                }
            }
        }
        Ok(facts)
    }

    /// Adds what the other says and this one does not.
    pub(super) fn complete(&mut self, other: &Self) {
        self.igp = self.igp.or(other.igp);
        self.te = self.te.or(other.te);
        self.delay_us = self.delay_us.or(other.delay_us);
        self.variation_us = self.variation_us.or(other.variation_us);
        self.bits_per_second = self.bits_per_second.or(other.bits_per_second);
        self.adjacency = self.adjacency.or(other.adjacency);
        self.end_x = self.end_x.or(other.end_x);
        for (slot, told) in self.peer.iter_mut().zip(other.peer) {
            *slot = slot.or(told);
        }
    }

    fn of_link(&mut self, link: Field<'_>) -> Result<(), BgpLsError> {
        let positive = |keys: &[&'static str]| match link.get(keys) {
            Some(field) => field.positive(),
            None => Ok(None),
        };
        if let Some(name) = link.get(&["name"]) {
            self.name = Some(name.text()?.to_owned()).filter(|name| !name.is_empty());
        }
        self.igp = positive(&["igpMetric", "igp_metric"])?;
        self.te = positive(&["defaultTeMetric", "default_te_metric"])?;
        self.adjacency = positive(&["srAdjacencySid", "sr_adjacency_sid", "adjacency_sid"])?;
        self.groups = positive(&["adminGroup", "admin_group"])?.unwrap_or(0);
        if let Some(bandwidth) = link.get(&["bandwidth"]) {
            // Told in octets (RFC 5305); what no wire carries is no bandwidth.
            let bits = (bandwidth.real()? * 8.0).round();
            self.bits_per_second = (1.0..1e15).contains(&bits).then_some(bits as u64);
        }
        if let Some(groups) = link.get(&["srlgs"]) {
            self.srlgs = groups.entries()?.map(Field::number).collect::<Result<_, _>>()?;
        }
        self.performance(link)?;
        if let Some(sid) = link.get(&["srv6EndXSid", "srv6_end_x_sid"])
            && let Some(sids) = sid.get(&["sids"])
            && let Some(first) = sids.entries()?.next()
            && let Some(address) = first.parsed::<Ipv6Addr>("an IPv6 address")?
        {
            let keys = ["srv6SidStructure", "srv6_sid_structure", "sid_structure"];
            self.end_x = Some(located(address, sid.get(&keys), true)?);
        }
        Ok(())
    }

    /// Messages have numbers side by side, the command line has objects.
    fn performance(&mut self, link: Field<'_>) -> Result<(), BgpLsError> {
        let number = |keys: &[&'static str], inner: &'static str| match link.get(keys) {
            Some(field) => field.get(&[inner]).unwrap_or(field).positive(),
            None => Ok(None),
        };
        let keys = ["minUnidirectionalLinkDelay", "min_unidirectional_link_delay"];
        let least = number(&keys, "min_delay")?;
        let least = least.or(number(&["min_max_unidirectional_link_delay"], "min_delay")?);
        let keys = ["unidirectionalLinkDelay", "unidirectional_link_delay"];
        self.delay_us = least.or(number(&keys, "delay")?);
        let keys = ["unidirectionalDelayVariation", "unidirectional_delay_variation"];
        self.variation_us = number(&keys, "variation")?;
        Ok(())
    }
}
