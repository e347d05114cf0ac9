//! Whether what a packet carries is a test packet that T2 may be written into.

use core::net::IpAddr;

use stamp_proto::ip::HopLimit;
use stamp_proto::sr::layers::{Layer, Layers, NoUdp, Outermost, UdpPlace, UdpSpan, find_udp_below};
use stamp_proto::time::Timestamp;

use super::config::{Place, TimestampRule};
use super::count::{Fate, Handling};
use super::emit::Top;
use super::reason::{DropReason, UnstampedReason};
use super::{Arrival, ForwardingConfig};

/// What is changed in the payload.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    /// Where the UDP datagram is, if its checksum has to be finished or a timestamp written.
    pub(super) span: Option<UdpSpan>,
    /// Offset and octets of the timestamp.
    pub(super) timestamp: Option<(usize, [u8; 8])>,
    /// Only the pseudo-header was summed up so far.
    pub(super) finish_checksum: bool,
    /// What is counted.
    pub(super) fate: Fate,
}

/// A packet whose outermost header was read; what is below is walked over when it matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened<'a> {
    pub(super) header: Header,
    /// What is below it.
    pub(super) below: Layers<'a>,
}

/// What of an outermost header decides. Nothing else of it is carried along: this is done for each
/// packet, and moving headers about took longer than reading them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// A label, IPv4 or IPv6.
    pub(super) top: Top,
    /// TTL or Hop Limit.
    pub(super) hops: HopLimit,
    /// Where an IP packet goes.
    pub(super) destination: Option<IpAddr>,
    /// An IPv4 header's checksum covers what is there.
    pub(super) checksum_right: bool,
    /// An IPv4 fragment.
    pub(super) is_fragment: bool,
}

impl Header {
    #[inline]
    pub(super) fn read(layer: &Layer<'_>) -> Option<Self> {
        let plain = |top, hops| Self {
            top,
            hops,
            destination: None,
            checksum_right: true,
            is_fragment: false,
        };
        match layer {
            Layer::Mpls { entry, .. } => Some(plain(Top::Label, HopLimit(entry.ttl))),
            Layer::Ipv4 { header, checksum_right } => Some(Self {
                destination: Some(header.destination.into()),
                checksum_right: *checksum_right,
                is_fragment: header.is_fragment(),
                ..plain(Top::Ipv4, header.ttl)
            }),
            Layer::Ipv6(header) => Some(Self {
                destination: Some(header.destination.into()),
                ..plain(Top::Ipv6, header.hop_limit)
            }),
            _ => None,
        }
    }
}

impl<'a> Opened<'a> {
    /// Reads the outermost header.
    #[inline]
    pub(super) fn new(outermost: Outermost, packet: &'a [u8]) -> Result<Self, DropReason> {
        let mut below = Layers::new(outermost, packet);
        let header = match below.next() {
            Some(Ok((_, layer))) => Header::read(&layer),
            Some(Err(_)) | None => None,
        };
        Ok(Self { header: header.ok_or(DropReason::Malformed)?, below })
    }

    #[inline]
    fn udp(self) -> Result<UdpPlace, NoUdp> {
        let Self { header, below } = self;
        if header.is_fragment {
            return Err(NoUdp::Fragment);
        }
        find_udp_below(below, header.destination.map(|_| 0))
    }
}

/// Looks into what is left of a packet when its labels were popped, and opens it only for that:
/// most packets are switched by their label alone.
///
/// # Errors
///
/// [`DropReason::UnfinishedChecksum`] when nobody could finish what the sender left to its card.
pub(super) fn inspect<'a>(
    config: &ForwardingConfig,
    rule: Option<usize>,
    arrival: &Arrival,
    open: impl FnOnce() -> Result<Opened<'a>, DropReason>,
) -> Result<Payload, DropReason> {
    let found = rule.and_then(|index| config.timestamps.get(index));
    if found.is_none() && arrival.checksum_ready {
        let fate = Fate { rule: None, handling: Handling::Switched };
        return Ok(Payload { span: None, timestamp: None, finish_checksum: false, fate });
    }
    let place = match open() {
        Ok(opened) => opened.udp().map_err(|error| reason(&error)),
        Err(_) => Err(UnstampedReason::Unreadable),
    };
    if !arrival.checksum_ready && place.is_err() {
        return Err(DropReason::UnfinishedChecksum);
    }
    let (handling, timestamp) = match (found, &place) {
        (None, _) => (Handling::Switched, None),
        (Some(_), Err(reason)) => (Handling::Unstamped(*reason), None),
        (Some(rule), Ok(place)) => match refusal(rule, place) {
            Some(reason) => (Handling::Unstamped(reason), None),
            None => (Handling::Stamped, Some(timestamp(&rule.place, arrival))),
        },
    };
    Ok(Payload {
        span: place.ok().map(|place| place.span()),
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
