//! What an interface has carried.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkAttribute;

use super::question_for;
use crate::error::NetError;
use crate::netlink::{self, Refusal};

/// Packets of one interface since it was made, or its driver began anew.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InterfacePackets {
    /// Handed to the wire.
    pub transmitted: u64,
    /// Taken from it.
    pub received: u64,
}

/// What the interface called `name` has carried; a few microseconds.
///
/// # Errors
///
/// [`NetError::NoSuchInterface`], or [`NetError::Call`] or [`NetError::Netlink`] when the kernel does
/// not tell.
pub fn packets(name: &str) -> Result<InterfacePackets, NetError> {
    let question = RouteNetlinkMessage::GetLink(question_for(name)?);
    let answer = netlink::get(question).map_err(|refusal| super::missing(name, refusal))?;
    let RouteNetlinkMessage::NewLink(link) = answer else { return Err(NetError::Netlink) };
    let statistics = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Stats64(statistics) => Some(statistics),
        _ => None,
    });
    let statistics = statistics.ok_or(Refusal::Unreadable)?;
    Ok(InterfacePackets { transmitted: statistics.tx_packets, received: statistics.rx_packets })
}
