//! What a topology file has once only: labels of a node, addresses, SIDs, numbers of interfaces, names of links.

use core::net::IpAddr;
use core::ops::RangeInclusive;
use std::collections::BTreeSet;

use ipnet::Ipv6Net;
use stamp_document::Setting as _;

use super::NodeDraft;
use crate::topology::{Sid, Srgb, UsidPrefix};

/// What is taken.
#[derive(Debug, Default)]
pub(super) struct Claims {
    labels: BTreeSet<(usize, u32)>,
    addresses: BTreeSet<IpAddr>,
    sids: BTreeSet<Ipv6Net>,
    interfaces: BTreeSet<(usize, u32)>,
    pub(super) links: BTreeSet<String>,
}

/// Labels that a node may give away.
const LABELS: RangeInclusive<u32> = 16..=1_048_575;

/// Whether a range can stand behind those in `srgb`.
pub(super) fn fits(srgb: &[(u32, u32)], (first, last): (u32, u32)) -> bool {
    let overlaps = srgb.iter().any(|(start, end)| first <= *end && *start <= last);
    LABELS.contains(&first) && LABELS.contains(&last) && first <= last && !overlaps
}

/// Labels of a node's block: those by custom where it told none.
fn block(node: &NodeDraft) -> Vec<(u32, u32)> {
    if !node.srgb.is_empty() {
        return node.srgb.clone();
    }
    let usual = Srgb::default();
    usual.0.iter().map(|range| (range.first().value(), range.last().value())).collect()
}

/// How many indexes a node has labels for.
pub(super) fn room(node: &NodeDraft) -> u32 {
    block(node).iter().map(|(first, last)| last - first + 1).sum()
}

impl Claims {
    pub(super) fn of(nodes: &[NodeDraft]) -> Self {
        let addresses = nodes.iter().flat_map(|node| node.loopbacks.iter().copied()).collect();
        Self { addresses, ..Self::default() }
    }

    /// Takes labels, each at its node, all or none.
    pub(super) fn labels(&mut self, nodes: &[NodeDraft], wanted: &[(usize, u32)]) -> bool {
        let is_free = |(place, label): &(usize, u32)| {
            let in_block = nodes.get(*place).is_some_and(|node| {
                node.sr && block(node).iter().any(|(first, last)| (first..=last).contains(&label))
            });
            LABELS.contains(label) && !in_block && !self.labels.contains(&(*place, *label))
        };
        let free = wanted.iter().all(is_free);
        if free {
            self.labels.extend(wanted);
        }
        free
    }

    /// Takes SIDs that are nobody's address, all or none.
    pub(super) fn sids(&mut self, wanted: &[Ipv6Net], micro: bool) -> bool {
        let is_free = |sid: &Ipv6Net| {
            let text = sid.to_string();
            let is_sid =
                if micro { UsidPrefix::read(&text).is_some() } else { Sid::read(&text).is_some() };
            let is_address = self.addresses.iter().any(|address| match address {
                IpAddr::V6(address) => sid.contains(address),
                IpAddr::V4(_) => false,
            });
            is_sid && !is_address && !self.sids.contains(sid)
        };
        let different: BTreeSet<_> = wanted.iter().collect();
        let free = different.len() == wanted.len() && wanted.iter().all(is_free);
        if free {
            self.sids.extend(wanted);
        }
        free
    }

    /// Takes an address that no SID holds.
    pub(super) fn address(&mut self, address: IpAddr) -> bool {
        let is_sid = match address {
            IpAddr::V6(address) => self.sids.iter().any(|sid| sid.contains(&address)),
            IpAddr::V4(_) => false,
        };
        !is_sid && self.addresses.insert(address)
    }

    /// Takes a number at each end, both or none.
    pub(super) fn interfaces(&mut self, wanted: [(usize, u32); 2]) -> bool {
        let free = wanted.iter().all(|number| !self.interfaces.contains(number));
        if free {
            self.interfaces.extend(wanted);
        }
        free
    }
}
