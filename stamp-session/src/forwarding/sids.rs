//! Packets to an End.TSF SID.
//!
//! T2 is written, and the packet goes on as with the behaviour End (RFC 8986 §4.1), its NEXT-CSID
//! flavour (RFC 9800 §4.1), or, behind the last segment, as with USD (RFC 8986 §4.16.3): the packet
//! inside goes on alone.

use core::net::{IpAddr, Ipv6Addr};

use stamp_proto::reader::peek_up_to;
use stamp_proto::sr::layers::{Layer, Layers, Outermost};
use stamp_proto::sr::protocol::Protocol;

use super::config::{SidForm, Trigger};
use super::emit::{Advance, Forward, NextHop, Top};
use super::labels::{NOTHING, accept, forwardable, goes_on, route};
use super::payload::{Header, Opened, inspect};
use super::reason::DropReason;
use super::{Arrival, ForwardingConfig};

/// Acts on a packet, if it is to a SID of this node.
pub(super) fn decide<'a>(
    config: &'a ForwardingConfig,
    arrival: &Arrival,
    packet: &'a [u8],
) -> Result<Option<Forward<'a>>, DropReason> {
    let Ok(mut opened) = Opened::new(Outermost::Ip, packet) else { return Ok(None) };
    let header = opened.header;
    let Some(IpAddr::V6(destination)) = header.destination else { return Ok(None) };
    let Some((rule, sid)) = find(config, destination) else { return Ok(None) };
    if arrival.truncated {
        return Err(DropReason::Truncated);
    }
    let accepted = config.timestamps.get(rule).map(|rule| rule.interfaces.as_slice());
    accept(accepted.unwrap_or_default(), arrival)?;
    let advance = match sid.shifted(destination) {
        Some(destination) => Advance { destination, segments_left: None },
        None => match walk(&mut opened.below)? {
            Step::Next(advance) => advance,
            Step::Inside(at, header) => {
                let inner = peek_up_to(packet, at..packet.len());
                let opened = Opened { header, below: opened.below.counted_from(at) };
                return route(config, arrival, Some(rule), (inner, opened)).map(Some);
            }
        },
    };
    if !goes_on(header.hops) {
        return Err(DropReason::HopLimit);
    }
    Ok(Some(Forward {
        packet,
        imposed: NOTHING,
        top: Top::Ipv6,
        next_hop: NextHop::Destination(forwardable(IpAddr::V6(advance.destination))?),
        advance: Some(advance),
        payload: inspect(config, Some(rule), arrival, || Ok(opened))?,
    }))
}

/// The most specific SID that holds an address.
fn find(config: &ForwardingConfig, address: Ipv6Addr) -> Option<(usize, &SidForm)> {
    let sids =
        config.timestamps.iter().enumerate().filter_map(|(index, rule)| match &rule.trigger {
            Trigger::Sid(sid) if sid.holds(address) => Some((index, sid)),
            _ => None,
        });
    sids.max_by_key(|(_, sid)| sid.bits())
}

/// What the headers behind the address say.
enum Step {
    /// The next segment of the list.
    Next(Advance),
    /// The list ends here, and a packet with this header begins at this octet.
    Inside(usize, Header),
}

/// Walks up to what decides; what is behind that is left in `layers`.
fn walk(layers: &mut Layers<'_>) -> Result<Step, DropReason> {
    for layer in layers {
        let (offset, layer) = layer.map_err(|_| DropReason::Malformed)?;
        match layer {
            Layer::Srh(srh) if srh.segments_left > 0 => {
                let left = srh.segments_left.saturating_sub(1);
                let destination = srh.list().nth(left.into()).ok_or(DropReason::Malformed)?.0;
                // No IP packet is longer than 16 bits tell.
                let at = offset.checked_add(3).and_then(|at| u16::try_from(at).ok());
                let segments_left = Some((at.ok_or(DropReason::Malformed)?, left));
                return Ok(Step::Next(Advance { destination, segments_left }));
            }
            Layer::Extension { kind: Protocol::ROUTING, .. } => return Err(DropReason::UpperLayer),
            Layer::Srh(_) | Layer::Extension { .. } => {}
            Layer::Ipv4 { .. } | Layer::Ipv6(_) => {
                let header = Header::read(&layer).ok_or(DropReason::Malformed)?;
                return Ok(Step::Inside(offset, header));
            }
            _ => return Err(DropReason::UpperLayer),
        }
    }
    Err(DropReason::UpperLayer)
}
