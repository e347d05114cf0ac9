//! One labelled frame: what becomes of it.

use stamp_net::frame::EtherType;
use stamp_proto::sr::mpls::{LABEL_STACK_ENTRY_OCTETS, Label, LabelStackEntry};

use super::entry;
use super::table::{Bound, LabelHop, LabelTable, Operation};
use super::{INLET, INLET_PEER};

const ETHERNET_OCTETS: usize = 14;

/// Most labels that are looked at for one packet: a binding label may stand for another.
const MOST_LOOKUPS: usize = 64;

/// A frame and the interface it leaves by.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Onward {
    pub(super) interface: u32,
    pub(super) octets: Vec<u8>,
}

/// Why a frame goes nowhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    Left,
    Unknown,
    Expired,
    Malformed,
}

/// Decides what becomes of a frame.
pub(super) fn forward(table: &LabelTable, frame: &[u8]) -> Result<Onward, Refusal> {
    let labelled = frame.get(ETHERNET_OCTETS..).ok_or(Refusal::Malformed)?;
    let (mut stack, payload) = entry::parse(labelled).ok_or(Refusal::Malformed)?;
    let top = *stack.first().ok_or(Refusal::Malformed)?;
    let ttl = top.ttl.checked_sub(1).filter(|ttl| *ttl > 0).ok_or(Refusal::Expired)?;
    let arrived = stack.len();
    for _ in 0..MOST_LOOKUPS {
        let Some(top) = stack.first().copied() else {
            return enter(ttl, &stack, payload);
        };
        match top.label {
            Label::IPV4_EXPLICIT_NULL | Label::IPV6_EXPLICIT_NULL => drop(stack.remove(0)),
            Label::ENTROPY_INDICATOR => drop(stack.drain(..stack.len().min(2))),
            label if label == Label::EXTENSION || table.asks_for_timestamp(label) => {
                // Uncovered here, it has been seen by nobody yet; on top, by whoever listens.
                let is_uncovered = stack.len() < arrived;
                return if is_uncovered { enter(ttl, &stack, payload) } else { Err(Refusal::Left) };
            }
            label => match table.get(label).ok_or(Refusal::Unknown)? {
                Operation::Pop => drop(stack.remove(0)),
                Operation::Bind(bound) => {
                    let bound = share(bound, &stack, payload).ok_or(Refusal::Unknown)?;
                    let imposed =
                        bound.labels.iter().map(|label| LabelStackEntry { label: *label, ..top });
                    stack.splice(..1, imposed);
                }
                Operation::Forward(hops) => {
                    let hop = choose(hops, &stack, payload).ok_or(Refusal::Unknown)?;
                    match hop.label {
                        Some(label) => stack[0].label = label,
                        None => drop(stack.remove(0)),
                    }
                    let macs = (hop.destination, hop.source);
                    let octets = build(macs, ttl, &stack, payload)?;
                    return Ok(Onward { interface: hop.interface, octets });
                }
            },
        }
    }
    Err(Refusal::Unknown)
}

/// Into the node's own kernel.
fn enter(ttl: u8, stack: &[LabelStackEntry], payload: &[u8]) -> Result<Onward, Refusal> {
    let octets = build((INLET.2, INLET_PEER.2), ttl, stack, payload)?;
    Ok(Onward { interface: INLET_PEER.1, octets })
}

/// The frame as it goes on. What is uncovered has no more hops left than what covered it.
fn build(
    (destination, source): ([u8; 6], [u8; 6]),
    ttl: u8,
    stack: &[LabelStackEntry],
    payload: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let ether_type = match (stack.is_empty(), payload.first().map(|first| first >> 4)) {
        (false, _) => EtherType::MPLS,
        (true, Some(4)) => EtherType::IPV4,
        (true, Some(6)) => EtherType::IPV6,
        (true, _) => return Err(Refusal::Malformed),
    };
    let mut octets = Vec::with_capacity(
        ETHERNET_OCTETS + LABEL_STACK_ENTRY_OCTETS * stack.len() + payload.len(),
    );
    octets.extend(destination);
    octets.extend(source);
    octets.extend(ether_type.0.to_be_bytes());
    let mut stack = stack.to_vec();
    if let Some(top) = stack.first_mut() {
        top.ttl = top.ttl.min(ttl);
    }
    entry::emit(&stack, &mut octets);
    let packet = octets.len();
    octets.extend(payload);
    match ether_type {
        EtherType::IPV4 => limit_ipv4(&mut octets[packet..], ttl)?,
        EtherType::IPV6 => {
            let limit = octets.get_mut(packet + 7).ok_or(Refusal::Malformed)?;
            *limit = ttl.min(*limit);
        }
        _ => {}
    }
    Ok(octets)
}

/// Lowers the TTL, and the header checksum with it.
fn limit_ipv4(packet: &mut [u8], ttl: u8) -> Result<(), Refusal> {
    let header = packet.first_chunk_mut::<20>().ok_or(Refusal::Malformed)?;
    let before = u16::from_be_bytes([header[8], header[9]]);
    header[8] = header[8].min(ttl);
    let after = u16::from_be_bytes([header[8], header[9]]);
    let checksum = u16::from_be_bytes([header[10], header[11]]);
    let mut sum = u32::from(!checksum) + u32::from(!before) + u32::from(after);
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = !(sum as u16);
    [header[10], header[11]] = checksum.to_be_bytes();
    Ok(())
}

/// One of several ways behind a binding label, each by its weight.
fn share<'a>(bound: &'a [Bound], stack: &[LabelStackEntry], payload: &[u8]) -> Option<&'a Bound> {
    let whole: u64 = bound.iter().map(|one| u64::from(one.weight)).sum();
    let mut left = flow(stack, payload).checked_rem(whole)?;
    bound.iter().find(|one| {
        let weight = u64::from(one.weight);
        let is_it = left < weight;
        left = left.saturating_sub(weight);
        is_it
    })
}

/// One of equal ways.
fn choose<'a>(
    hops: &'a [LabelHop],
    stack: &[LabelStackEntry],
    payload: &[u8],
) -> Option<&'a LabelHop> {
    if let [only] = hops {
        return Some(only);
    }
    hops.get((flow(stack, payload) % hops.len() as u64) as usize)
}

/// What packets that belong together share: the entropy label where there is one, else labels and
/// addresses.
fn flow(stack: &[LabelStackEntry], payload: &[u8]) -> u64 {
    let indicator = stack.iter().position(|entry| entry.label == Label::ENTROPY_INDICATOR);
    match indicator.and_then(|at| stack.get(at + 1)) {
        Some(entropy) => mix(entropy.label.value().to_be_bytes()),
        None => {
            let labels = stack.iter().flat_map(|entry| entry.label.value().to_be_bytes());
            // Addresses, protocol and the first of the ports, of either version.
            mix(labels.chain(payload.iter().skip(6).take(38).copied()))
        }
    }
}

/// FNV-1a, and its high bits once more for the low ones.
fn mix(octets: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    let hash = octets.into_iter().fold(0xcbf2_9ce4_8422_2325, step);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests;
