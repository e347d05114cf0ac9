//! Which frames a socket lets in, decided in the kernel before a frame is copied.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use libc::sock_filter;

use super::EtherType;
use crate::bpf::{
    ADD, ADD_KEPT, AND, IF_ANY_BIT, IF_AT_LEAST, IF_EQUAL, KEEP, KEEP_CONSTANT, KEEP_RECALLED,
    LOAD_HALF, LOAD_HALF_BEHIND, LOAD_OCTET, LOAD_OCTET_BEHIND, LOAD_WORD_BEHIND, Label, Program,
    RECALL, RETURN_CONSTANT, SHIFT_LEFT, SHIFT_RIGHT, STORE, STORE_KEPT,
};

/// Which frames a [`FrameSocket`](super::FrameSocket) lets in: those that at least one rule names.
///
/// A datagram is found in plain IPv4 and IPv6, behind a Segment Routing Header of any length, below
/// up to [`Self::DEEPEST_STACK`] MPLS labels, and in each of these once more inside an outer IPv6
/// header with or without such a header. Fragments, other extension headers and deeper nesting are
/// not looked into.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FrameFilter {
    types: Vec<EtherType>,
    destinations: Vec<(Ipv6Addr, u8)>,
    endpoints: Vec<SocketAddr>,
    /// In the place of endpoints, where there are too many of them: their ports, in order, and few others.
    ports: Vec<RangeInclusive<u16>>,
    /// And their addresses; of none where even these are too many, or unspecified.
    addresses: Option<Vec<IpAddr>>,
}

impl FrameFilter {
    /// Labels that are looked through for a datagram.
    pub const DEEPEST_STACK: usize = 24;

    /// Prefixes, and addresses with ports, that the kernel tells apart. With more prefixes it
    /// lets in every packet; with more addresses and ports, so many ranges that have all of the
    /// ports, at any of the addresses. The rest is left to the reader.
    pub const MOST_ADDRESSES: usize = 64;
    /// Addresses that ranges of ports are let in at; with more of them, at any.
    const MOST_OWN: usize = 16;

    /// Lets nothing in until a rule is added.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            types: Vec::new(),
            destinations: Vec::new(),
            endpoints: Vec::new(),
            ports: Vec::new(),
            addresses: None,
        }
    }

    /// Lets in every frame of a type, too.
    #[must_use]
    pub fn and_type(mut self, ether_type: EtherType) -> Self {
        self.types.push(ether_type);
        self
    }

    /// Lets in IPv6 packets whose destination has the first `bits` bits of `prefix`, too: a SID
    /// with its arguments.
    #[must_use]
    pub fn and_destinations(mut self, prefix: Ipv6Addr, bits: u8) -> Self {
        self.destinations.push((prefix, bits.min(128)));
        self
    }

    /// Lets in UDP datagrams to an address and port, too; an unspecified address stands for all.
    #[must_use]
    pub fn and_datagrams_to(mut self, endpoint: SocketAddr) -> Self {
        if !self.ports.is_empty() {
            self.add_port(endpoint);
            return self;
        }
        self.endpoints.push(endpoint);
        if self.endpoints.len() > Self::MOST_ADDRESSES {
            self.addresses = Some(Vec::new());
            for endpoint in std::mem::take(&mut self.endpoints) {
                self.add_port(endpoint);
            }
        }
        self
    }

    /// Ranges grow together where the least is let in for it that nobody asked for.
    fn add_port(&mut self, endpoint: SocketAddr) {
        let (address, port) = (endpoint.ip(), endpoint.port());
        if let Some(addresses) = self.addresses.as_mut().filter(|it| !it.contains(&address)) {
            if address.is_unspecified() || addresses.len() == Self::MOST_OWN {
                self.addresses = None;
            } else {
                addresses.push(address);
            }
        }
        let place = self.ports.partition_point(|range| *range.end() < port);
        if self.ports.get(place).is_some_and(|range| range.contains(&port)) {
            return;
        }
        self.ports.insert(place, port..=port);
        if self.ports.len() <= Self::MOST_ADDRESSES {
            return;
        }
        let gaps = self.ports.windows(2).map(|pair| pair[1].start() - pair[0].end());
        let Some((narrowest, _)) = gaps.enumerate().min_by_key(|(_, gap)| *gap) else { return };
        let upper = self.ports.remove(narrowest + 1);
        let lower = &mut self.ports[narrowest];
        *lower = *lower.start()..=*upper.end();
    }

    /// It lets nothing in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
            && self.destinations.is_empty()
            && self.endpoints.is_empty()
            && self.ports.is_empty()
    }

    /// The program for frames that begin with an Ethernet header, or else with the packet itself.
    pub(super) fn program(&self, ethernet: bool) -> Vec<sock_filter> {
        let mut program = Program::default();
        let labels = Labels { accept: program.label(), reject: program.label() };
        let builder = Builder { filter: self, labels };
        builder.link(&mut program, ethernet);
        program.place(labels.reject);
        program.step(RETURN_CONSTANT, 0);
        program.place(labels.accept);
        program.step(RETURN_CONSTANT, u32::MAX);
        program.finish()
    }
}

#[derive(Clone, Copy)]
struct Labels {
    accept: Label,
    reject: Label,
}

struct Builder<'a> {
    filter: &'a FrameFilter,
    labels: Labels,
}

/// Octets of an Ethernet header.
const ETHERNET: u32 = 14;
/// Octets of a label stack entry.
const LABEL: u32 = 4;
const UDP: u32 = 17;
const IPV4_IN_IP: u32 = 4;
const IPV6_IN_IP: u32 = 41;
const ROUTING: u32 = 43;
/// Routing type of a Segment Routing Header.
const SEGMENTS: u32 = 4;
/// Octets of an IPv6 header.
const IPV6: u32 = 40;
/// Where it is remembered at which octet the current IP header begins, at which one that which is
/// behind it and its extension, and the port.
const START: u32 = 0;
const BEHIND: u32 = 1;
const PORT: u32 = 2;
/// How often an IP header is looked for behind an outer IPv6 header.
const NESTING: u32 = 1;

impl Builder<'_> {
    /// Decides by the type of the frame, then goes on with the packet.
    fn link(&self, program: &mut Program, ethernet: bool) {
        if ethernet {
            program.step(LOAD_HALF, ETHERNET - 2);
        } else {
            /// `SKF_AD_OFF + SKF_AD_PROTOCOL`, which every frame has.
            const PROTOCOL: u32 = 0xffff_f000;
            program.step(LOAD_HALF, PROTOCOL);
        }
        for ether_type in &self.filter.types {
            program.go_if(IF_EQUAL, ether_type.0.into(), self.labels.accept);
        }
        let start = if ethernet { ETHERNET } else { 0 };
        let (ip, mpls) = (program.label(), program.label());
        program.step(KEEP_CONSTANT, start);
        program.go_if(IF_EQUAL, EtherType::IPV4.0.into(), ip);
        program.go_if(IF_EQUAL, EtherType::IPV6.0.into(), ip);
        program.go_if(IF_EQUAL, EtherType::MPLS.0.into(), mpls);
        program.go(self.labels.reject);
        program.place(mpls);
        for depth in 0..FrameFilter::DEEPEST_STACK as u32 {
            let entry = start + LABEL * depth;
            program.step(KEEP_CONSTANT, entry + LABEL);
            program.step(LOAD_OCTET, entry + 2);
            // The S bit of the last entry.
            program.go_if(IF_ANY_BIT, 1, ip);
        }
        program.go(self.labels.reject);
        program.place(ip);
        self.packet(program, NESTING);
    }

    /// Decides about the packet that begins at what was kept.
    fn packet(&self, program: &mut Program, nesting: u32) {
        let (ipv4, ipv6) = (program.label(), program.label());
        program.step(STORE_KEPT, START);
        program.step(LOAD_OCTET_BEHIND, 0);
        program.step(SHIFT_RIGHT, 4);
        program.go_if(IF_EQUAL, 4, ipv4);
        program.go_if(IF_EQUAL, 6, ipv6);
        program.go(self.labels.reject);
        program.place(ipv4);
        self.ipv4(program);
        program.place(ipv6);
        self.ipv6(program, nesting);
    }

    fn ipv4(&self, program: &mut Program) {
        /// More fragments, or not the first one.
        const FRAGMENT: u32 = 0x3fff;
        program.step(LOAD_OCTET_BEHIND, 9);
        program.go_unless(IF_EQUAL, UDP, self.labels.reject);
        program.step(LOAD_HALF_BEHIND, 6);
        program.go_if(IF_ANY_BIT, FRAGMENT, self.labels.reject);
        program.step(LOAD_OCTET_BEHIND, 0);
        program.step(AND, 0xf);
        program.step(SHIFT_LEFT, 2);
        program.step(ADD_KEPT, 0);
        self.remember_port(program);
        self.endpoints(program, false);
        program.go(self.labels.reject);
    }

    fn ipv6(&self, program: &mut Program, nesting: u32) {
        if nesting == NESTING {
            self.destinations(program);
        }
        let (plain, upper) = (program.label(), program.label());
        let (udp, inner) = (program.label(), program.label());
        program.step(LOAD_OCTET_BEHIND, 6);
        program.go_unless(IF_EQUAL, ROUTING, plain);
        program.step(LOAD_OCTET_BEHIND, IPV6 + 2);
        program.go_unless(IF_EQUAL, SEGMENTS, self.labels.reject);
        program.step(LOAD_OCTET_BEHIND, IPV6 + 1);
        program.step(SHIFT_LEFT, 3);
        program.step(ADD, 8 + IPV6);
        program.step(ADD_KEPT, 0);
        program.step(STORE, BEHIND);
        program.step(LOAD_OCTET_BEHIND, IPV6);
        program.go(upper);
        program.place(plain);
        program.step(RECALL, START);
        program.step(ADD, IPV6);
        program.step(STORE, BEHIND);
        program.step(LOAD_OCTET_BEHIND, 6);
        program.place(upper);
        program.go_if(IF_EQUAL, UDP, udp);
        if nesting > 0 {
            program.go_if(IF_EQUAL, IPV6_IN_IP, inner);
            program.go_if(IF_EQUAL, IPV4_IN_IP, inner);
        }
        program.go(self.labels.reject);
        program.place(udp);
        program.step(RECALL, BEHIND);
        self.remember_port(program);
        self.endpoints(program, true);
        program.go(self.labels.reject);
        program.place(inner);
        if nesting > 0 {
            program.step(KEEP_RECALLED, BEHIND);
            self.packet(program, nesting - 1);
        }
    }

    fn destinations(&self, program: &mut Program) {
        if self.filter.destinations.len() > FrameFilter::MOST_ADDRESSES {
            return program.go(self.labels.accept);
        }
        for (prefix, bits) in &self.filter.destinations {
            self.destination(program, *prefix, *bits);
        }
    }

    /// Accepts a packet whose destination lies within a prefix.
    fn destination(&self, program: &mut Program, prefix: Ipv6Addr, bits: u8) {
        let other = program.label();
        for (index, word) in (0..).zip(prefix.octets().as_chunks().0) {
            let word = u32::from_be_bytes(*word);
            let significant = u32::from(bits).saturating_sub(32 * index).min(32);
            let Some(mask) = u32::MAX.checked_shl(32 - significant) else { break };
            program.step(LOAD_WORD_BEHIND, 24 + 4 * index);
            program.step(AND, mask);
            program.go_unless(IF_EQUAL, word & mask, other);
        }
        program.go(self.labels.accept);
        program.place(other);
    }

    /// The accumulator holds where the UDP header begins; its destination port is remembered.
    fn remember_port(&self, program: &mut Program) {
        program.step(KEEP, 0);
        program.step(LOAD_HALF_BEHIND, 2);
        program.step(STORE, PORT);
        program.step(KEEP_RECALLED, START);
    }

    /// Accepts a datagram to one of the endpoints of a family.
    fn endpoints(&self, program: &mut Program, ipv6: bool) {
        if !self.filter.ports.is_empty() {
            self.own_addresses(program, ipv6);
            program.step(RECALL, PORT);
            for range in &self.filter.ports {
                program.go_unless(IF_AT_LEAST, (*range.start()).into(), self.labels.reject);
                program.go_unless(IF_AT_LEAST, u32::from(*range.end()) + 1, self.labels.accept);
            }
            return;
        }
        let endpoints = &self.filter.endpoints;
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.is_ipv6() == ipv6) {
            let other = program.label();
            program.step(RECALL, PORT);
            program.go_unless(IF_EQUAL, endpoint.port().into(), other);
            match endpoint.ip() {
                ip if ip.is_unspecified() => {}
                IpAddr::V4(v4) => self.address(program, 16, &v4.octets(), other),
                IpAddr::V6(v6) => self.address(program, 24, &v6.octets(), other),
            }
            program.go(self.labels.accept);
            program.place(other);
        }
    }

    /// Goes on with what is for one of the addresses of a family.
    fn own_addresses(&self, program: &mut Program, ipv6: bool) {
        let Some(addresses) = &self.filter.addresses else { return };
        let own = program.label();
        for address in addresses {
            let other = program.label();
            match address {
                IpAddr::V4(v4) if !ipv6 => self.address(program, 16, &v4.octets(), other),
                IpAddr::V6(v6) if ipv6 => self.address(program, 24, &v6.octets(), other),
                _ => program.go(other),
            }
            program.go(own);
            program.place(other);
        }
        program.go(self.labels.reject);
        program.place(own);
    }

    /// Goes to `other` unless the destination is this address.
    fn address(&self, program: &mut Program, place: u32, octets: &[u8], other: Label) {
        for (index, word) in (0..).zip(octets.as_chunks().0) {
            program.step(LOAD_WORD_BEHIND, place + 4 * index);
            program.go_unless(IF_EQUAL, u32::from_be_bytes(*word), other);
        }
    }
}

#[cfg(test)]
mod tests;
