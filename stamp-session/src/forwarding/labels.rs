//! Packets with labels on top.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use stamp_proto::ip::HopLimit;
use stamp_proto::reader::{Reader, peek_up_to};
use stamp_proto::sr::layers::Outermost;
use stamp_proto::sr::mpls::{Label, LabelStackEntry, StackError, TopLabel};

use super::config::{Action, AdjacencyId, LabelRule, Trigger};
use super::emit::{Forward, Imposed, NextHop, Top};
use super::payload::{Header, Opened, inspect};
use super::reason::DropReason;
use super::{Arrival, ForwardingConfig};

/// Acts on labels from the top down until one leads to a next hop, or none is left.
pub(super) fn decide<'a>(
    config: &'a ForwardingConfig,
    arrival: &Arrival,
    packet: &'a [u8],
) -> Result<Forward<'a>, DropReason> {
    if arrival.truncated {
        return Err(DropReason::Truncated);
    }
    let mut rest = packet;
    let mut rule = None;
    loop {
        let top = TopLabel::read(rest).map_err(|error| unusable(&error))?;
        let step = act(config, arrival, &top)?;
        rest = peek_up_to(rest, top.octets()..rest.len());
        let bottom = match step {
            Step::Below => top.is_bottom(),
            Step::BelowEntropy => {
                let entropy = LabelStackEntry::parse(&mut Reader::new(rest));
                let entropy = entropy.map_err(|_| DropReason::Malformed)?;
                rest = peek_up_to(rest, 4..rest.len());
                entropy.bottom
            }
            Step::Stamp(index) => {
                if rule.replace(index).is_some() {
                    return Err(DropReason::SecondTimestamp);
                }
                top.is_bottom()
            }
            Step::Leave(imposed, adjacency) => {
                let left = Left { rest, bottom: top.is_bottom(), rule };
                return leave(config, arrival, left, (imposed, adjacency));
            }
        };
        if bottom {
            return route(config, arrival, rule, (rest, Opened::new(Outermost::Ip, rest)?));
        }
    }
}

/// What one label asks for.
enum Step<'a> {
    /// It is popped, and what is below decides.
    Below,
    /// So is the entropy label below it.
    BelowEntropy,
    /// It is popped, and T2 is written because of this rule.
    Stamp(usize),
    /// The packet leaves with these labels in its place.
    Leave(Option<Imposed<'a>>, AdjacencyId),
}

fn act<'a>(
    config: &'a ForwardingConfig,
    arrival: &Arrival,
    top: &TopLabel,
) -> Result<Step<'a>, DropReason> {
    let (trigger, entry) = match top {
        TopLabel::Composite { label, entry } => (Trigger::Extended(*label), entry),
        TopLabel::Plain(entry) => (Trigger::Label(entry.label), entry),
    };
    if entry.ttl == 0 {
        return Err(DropReason::HopLimit);
    }
    if let Some(index) = config.timestamps.iter().position(|rule| rule.trigger == trigger) {
        let accepted = config.timestamps.get(index).map(|rule| rule.interfaces.as_slice());
        accept(accepted.unwrap_or_default(), arrival)?;
        return Ok(Step::Stamp(index));
    }
    match top {
        TopLabel::Composite { .. } => Err(DropReason::UnknownExtendedLabel),
        TopLabel::Plain(entry) if entry.label.is_special() => act_on_special(entry),
        TopLabel::Plain(entry) => {
            let rule = config.labels.iter().find(|rule| rule.label == entry.label);
            act_on_segment(rule.ok_or(DropReason::UnknownLabel)?, arrival, entry)
        }
    }
}

/// Explicit nulls are popped wherever they stand (RFC 4182). An Entropy Label Indicator on top
/// is for the node whose label was above it, which is this one (RFC 6790 §4.1).
fn act_on_special<'a>(entry: &LabelStackEntry) -> Result<Step<'a>, DropReason> {
    match entry.label {
        Label::IPV4_EXPLICIT_NULL | Label::IPV6_EXPLICIT_NULL => Ok(Step::Below),
        Label::ENTROPY_INDICATOR if !entry.bottom => Ok(Step::BelowEntropy),
        _ => Err(DropReason::ReservedLabel),
    }
}

fn act_on_segment<'a>(
    rule: &'a LabelRule,
    arrival: &Arrival,
    entry: &LabelStackEntry,
) -> Result<Step<'a>, DropReason> {
    accept(&rule.interfaces, arrival)?;
    match &rule.action {
        Action::PopHere => Ok(Step::Below),
        Action::Pop(adjacency) => Ok(Step::Leave(None, *adjacency)),
        Action::Replace(labels, adjacency) => {
            let ttl = entry.ttl.checked_sub(1).filter(|ttl| *ttl > 0);
            let like = LabelStackEntry { ttl: ttl.ok_or(DropReason::HopLimit)?, ..*entry };
            Ok(Step::Leave(Some(Imposed { labels, like }), *adjacency))
        }
    }
}

pub(super) fn accept(interfaces: &[u32], arrival: &Arrival) -> Result<(), DropReason> {
    if interfaces.contains(&arrival.interface) { Ok(()) } else { Err(DropReason::Interface) }
}

const fn unusable(error: &StackError) -> DropReason {
    match error {
        StackError::Octets(_) => DropReason::Malformed,
        _ => DropReason::ReservedLabel,
    }
}

/// What a label that leads to a next hop leaves.
struct Left<'a> {
    rest: &'a [u8],
    bottom: bool,
    rule: Option<usize>,
}

fn leave<'a>(
    config: &'a ForwardingConfig,
    arrival: &Arrival,
    Left { rest, bottom, rule }: Left<'a>,
    (imposed, adjacency): (Option<Imposed<'a>>, AdjacencyId),
) -> Result<Forward<'a>, DropReason> {
    let outermost = if bottom { Outermost::Ip } else { Outermost::Mpls };
    let open = || Opened::new(outermost, rest);
    let (top, payload) = if imposed.is_some() {
        (Top::Covered, inspect(config, rule, arrival, open)?)
    } else {
        let opened = open()?;
        let top = if bottom { ip(&opened.header)?.0 } else { label(&opened.header)? };
        (top, inspect(config, rule, arrival, || Ok(opened))?)
    };
    let imposed = imposed.unwrap_or(NOTHING);
    let next_hop = NextHop::Adjacency(adjacency);
    Ok(Forward { packet: rest, imposed, top, advance: None, payload, next_hop })
}

/// No label is left: the destination address decides.
pub(super) fn route<'a>(
    config: &'a ForwardingConfig,
    arrival: &Arrival,
    rule: Option<usize>,
    (packet, opened): (&'a [u8], Opened<'a>),
) -> Result<Forward<'a>, DropReason> {
    let (top, destination) = ip(&opened.header)?;
    Ok(Forward {
        packet,
        imposed: NOTHING,
        top,
        advance: None,
        payload: inspect(config, rule, arrival, || Ok(opened))?,
        next_hop: NextHop::Destination(forwardable(destination)?),
    })
}

/// No labels are put on.
pub(super) const NOTHING: Imposed<'static> =
    Imposed { labels: &[], like: LabelStackEntry::new(Label::IPV4_EXPLICIT_NULL) };

/// The label that is on top when it leaves must not be at the end of its hops.
fn label(header: &Header) -> Result<Top, DropReason> {
    match header.top {
        Top::Label if goes_on(header.hops) => Ok(Top::Label),
        Top::Label => Err(DropReason::HopLimit),
        _ => Err(DropReason::Malformed),
    }
}

/// The version of an IP packet that may still go on, and its destination.
fn ip(header: &Header) -> Result<(Top, IpAddr), DropReason> {
    let destination = header.destination.filter(|_| header.checksum_right);
    let destination = destination.ok_or(DropReason::Malformed)?;
    if goes_on(header.hops) { Ok((header.top, destination)) } else { Err(DropReason::HopLimit) }
}

/// More than one hop is left.
pub(super) const fn goes_on(hops: HopLimit) -> bool {
    hops.0 > 1
}

/// The address, if a router sends packets there.
pub(super) const fn forwardable(destination: IpAddr) -> Result<IpAddr, DropReason> {
    let on = match destination {
        IpAddr::V4(address) => !is_special_v4(address),
        IpAddr::V6(address) => !is_special_v6(address),
    };
    if on { Ok(destination) } else { Err(DropReason::Destination) }
}

const fn is_special_v4(address: Ipv4Addr) -> bool {
    address.is_unspecified()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
}

const fn is_special_v6(address: Ipv6Addr) -> bool {
    address.is_unspecified()
        || address.is_loopback()
        || address.is_unicast_link_local()
        || address.is_multicast()
}
