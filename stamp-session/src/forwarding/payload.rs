//! Whether what a packet carries is a test packet that T2 may be written into.

use stamp_proto::sr::layers::{NoUdp, Outermost, UdpPlace, find_udp};
use stamp_proto::time::Timestamp;

use super::config::{Place, TimestampRule};
use super::count::{Fate, Handling};
use super::reason::{DropReason, UnstampedReason};
use super::{Arrival, ForwardingConfig};

/// What is changed in the payload.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    /// Where the UDP datagram is, if its checksum has to be finished or a timestamp written.
    pub(super) place: Option<UdpPlace>,
    /// Offset and octets of the timestamp.
    pub(super) timestamp: Option<(usize, [u8; 8])>,
    /// Only the pseudo-header was summed up so far.
    pub(super) finish_checksum: bool,
    /// What is counted.
    pub(super) fate: Fate,
}

/// Looks into what is left of a packet when its labels were popped.
///
/// # Errors
///
/// [`DropReason::UnfinishedChecksum`] when nobody could finish what the sender left to its card.
pub(super) fn inspect(
    config: &ForwardingConfig,
    rule: Option<usize>,
    arrival: &Arrival,
    (outermost, packet): (Outermost, &[u8]),
) -> Result<Payload, DropReason> {
    let found = rule.and_then(|index| config.timestamps.get(index));
    if found.is_none() && arrival.checksum_ready {
        let fate = Fate { rule: None, handling: Handling::Switched };
        return Ok(Payload { place: None, timestamp: None, finish_checksum: false, fate });
    }
    let place = find_udp(outermost, packet);
    if !arrival.checksum_ready && place.is_err() {
        return Err(DropReason::UnfinishedChecksum);
    }
    let (handling, timestamp) = match (found, &place) {
        (None, _) => (Handling::Switched, None),
        (Some(_), Err(error)) => (Handling::Unstamped(reason(error)), None),
        (Some(rule), Ok(place)) => match refusal(rule, place) {
            Some(reason) => (Handling::Unstamped(reason), None),
            None => (Handling::Stamped, Some(timestamp(&rule.place, arrival))),
        },
    };
    Ok(Payload {
        place: place.ok(),
        timestamp,
        finish_checksum: !arrival.checksum_ready,
        fate: Fate { rule, handling },
    })
}

const fn reason(error: &NoUdp) -> UnstampedReason {
    match error {
        NoUdp::Fragment => UnstampedReason::Fragment,
        NoUdp::OtherProtocol { .. } => UnstampedReason::NotUdp,
        NoUdp::Malformed(_) | NoUdp::NoIp => UnstampedReason::Unreadable,
    }
}

fn refusal(rule: &TimestampRule, place: &UdpPlace) -> Option<UnstampedReason> {
    let port = place.header.destination_port;
    if !rule.ports.is_empty() && !rule.ports.contains(&port) {
        return Some(UnstampedReason::ForeignPort);
    }
    let end = usize::from(rule.place.offset).saturating_add(8);
    (place.payload.len() < end).then_some(UnstampedReason::TooShort)
}

fn timestamp(place: &Place, arrival: &Arrival) -> (usize, [u8; 8]) {
    let written: Timestamp = place.ptp_utc_offset.timestamp(arrival.stamp.time, place.format);
    (place.offset.into(), written.octets())
}
