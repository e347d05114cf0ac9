//! Where a reply may go, and which way: what RFC 9503 lets a probe ask for, held against what the
//! operator allows and the host can do.
//!
//! Every wish is judged before it has any effect. A reply that goes elsewhere than to the source of
//! its probe is a packet that somebody else never asked for: so addresses and SIDs have to lie in
//! prefixes that the operator named, and where there are keys the TLVs have to be signed by one.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use stamp_proto::sr::mpls::Label;
use stamp_proto::tlv::return_path::{ReturnPath, ReturnSegments};

use super::admission::can_be_answered;
use super::config::ReflectorConfig;
use super::loops::LoopBreaker;
use super::prefix::{Prefix, address_bits, range};

/// Where replies may be sent to when a probe asks for it (RFC 9503 §4).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum ReturnPathPolicy {
    /// To the source of the probe, as routing has it or on the link on which the probe came in.
    #[default]
    SourceOnly,
    /// Also to and over addresses of these prefixes; labels may be put before what ends in them.
    Prefixes(Vec<Prefix>),
}

/// What the host can do beyond what a routing table says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReplyMeans {
    /// The most SRv6 segments that can be put before a reply.
    pub most_sids: usize,
    /// The most labels.
    pub most_labels: usize,
}

/// The rules of one configuration, made for looking up.
#[derive(Debug)]
pub(crate) struct ReturnRules {
    own: Vec<u128>,
    policy: ReturnPathPolicy,
    means: ReplyMeans,
    needs_proof: bool,
    loops: LoopBreaker,
}

/// The ends of the probe whose reply is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) from: SocketAddr,
    /// Index of the interface it came in on; 0 when unknown.
    pub(crate) interface: u32,
    /// A key of ours signed its TLVs.
    pub(crate) verified: bool,
}

impl ReturnRules {
    pub(crate) fn new(config: &ReflectorConfig) -> Self {
        let mut own: Vec<_> = config.own_addresses.iter().copied().map(address_bits).collect();
        own.sort_unstable();
        own.dedup();
        Self {
            own,
            policy: config.return_path.clone(),
            means: config.means,
            needs_proof: config.keys.is_some(),
            loops: LoopBreaker::new(config),
        }
    }

    /// An address of ours begins with the first `bits` bits of `prefix`, and is of its family.
    pub(crate) fn has_own_in(&self, prefix: IpAddr, bits: u8) -> bool {
        let (low, high) = range(prefix, bits);
        let ipv4 = prefix.is_ipv4();
        let from = self.own.partition_point(|own| *own < low);
        let own = self.own.get(from..).unwrap_or_default();
        own.iter().take_while(|own| **own <= high).any(|own| is_mapped(*own) == ipv4)
    }

    /// The address is ours, and a reply to this probe can leave from it (RFC 9503 §3).
    pub(crate) fn can_reply_from(&self, address: IpAddr, ends: &Ends) -> bool {
        let bits = address_bits(address);
        self.own.binary_search(&bits).is_ok()
            && is_mapped(bits) == is_mapped(address_bits(ends.from.ip()))
            && can_be_source(address, ends.from)
    }

    /// What is asked for may be done, and can be.
    pub(crate) fn allow(&self, path: &ReturnPath<'_>, ends: &Ends) -> bool {
        match path {
            ReturnPath::Control(code) => !code.wants_reply() || ends.interface != 0,
            ReturnPath::Route { address, segments } => {
                let to = address.unwrap_or(ends.from.ip());
                self.allow_destination(to, ends)
                    && segments.is_none_or(|segments| self.allow_segments(&segments, to, ends))
            }
            ReturnPath::Unknown => false,
        }
    }

    fn allow_destination(&self, to: IpAddr, ends: &Ends) -> bool {
        let source = ends.from.ip();
        if address_bits(to) == address_bits(source) {
            return true;
        }
        let end = SocketAddr::new(to, ends.from.port());
        let loopback = |address: IpAddr| address.to_canonical().is_loopback();
        is_ipv4(to) == is_ipv4(source)
            && loopback(to) == loopback(source)
            && can_be_answered(end)
            && self.names(to, ends)
            // Its port is that of a Session-Reflector, which would be handed a reply.
            && !self.loops.is_reflector(end)
    }

    fn allow_segments(&self, segments: &ReturnSegments<'_>, to: IpAddr, ends: &Ends) -> bool {
        match segments {
            ReturnSegments::Mpls(labels) => {
                let other_version =
                    if is_ipv4(to) { Label::IPV6_EXPLICIT_NULL } else { Label::IPV4_EXPLICIT_NULL };
                labels.check().is_ok_and(|count| count <= self.means.most_labels)
                    && labels.entries().last().is_some_and(|bottom| bottom.label != other_version)
                    && self.names(to, ends)
            }
            ReturnSegments::Srv6(sids) => {
                sids.travel().len() <= self.means.most_sids
                    && !is_ipv4(ends.from.ip())
                    && sids.travel().all(|sid| self.allow_sid(sid.0, ends))
            }
        }
    }

    fn allow_sid(&self, sid: Ipv6Addr, ends: &Ends) -> bool {
        let leads_somewhere =
            !(sid.is_unspecified() || sid.is_multicast() || sid.is_unicast_link_local());
        let source = address_bits(sid.into()) == address_bits(ends.from.ip());
        leads_somewhere && (source || (!sid.is_loopback() && self.names(sid.into(), ends)))
    }

    /// The operator named a prefix of the address, and whoever asks proved to be known.
    fn names(&self, address: IpAddr, ends: &Ends) -> bool {
        let ReturnPathPolicy::Prefixes(prefixes) = &self.policy else { return false };
        (ends.verified || !self.needs_proof)
            && prefixes.iter().any(|prefix| prefix.contains(address))
    }
}

/// A packet to `destination` may come from this address.
///
/// The probe may have been sent to a group, or to a loopback address through a tunnel (RFC 9503 §3).
pub(super) fn can_be_source(own: IpAddr, destination: SocketAddr) -> bool {
    let own = own.to_canonical();
    let broadcast = matches!(own, IpAddr::V4(own) if own.is_broadcast());
    let loopback = own.is_loopback() && !destination.ip().to_canonical().is_loopback();
    !(own.is_unspecified() || own.is_multicast() || broadcast || loopback)
}

const fn is_ipv4(address: IpAddr) -> bool {
    address.to_canonical().is_ipv4()
}

/// An IPv4 address as 128 bits.
const fn is_mapped(bits: u128) -> bool {
    bits >> u32::BITS == 0xffff
}
