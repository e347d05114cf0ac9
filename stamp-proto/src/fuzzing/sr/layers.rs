//! Whole packets.

use crate::sr::header::UdpChecksum;
use crate::sr::layers::{
    Layer, Layers, Outermost, StampError, UdpPlace, find_udp, write_timestamp,
};

const LARGEST: usize = 2048;

/// What the packet begins with, where a timestamp goes (2 octets), the timestamp (8), the packet.
pub fn packet(octets: &[u8]) {
    let Some((head, packet)) = octets.split_first_chunk::<11>() else { return };
    let [first, upper, lower, timestamp @ ..] = *head;
    let offset = usize::from(u16::from_be_bytes([upper, lower]));
    let packet = &packet[..packet.len().min(LARGEST)];
    let outermost = match first % 3 {
        0 => Outermost::Ethernet,
        1 => Outermost::Mpls,
        _ => Outermost::Ip,
    };
    check_walk(outermost, packet);
    if let Ok(place) = find_udp(outermost, packet) {
        check_stamp(outermost, packet, &place, (offset, timestamp));
    }
}

/// Each layer begins behind the one before, and an error ends the walk.
fn check_walk(outermost: Outermost, packet: &[u8]) {
    let mut last = None;
    let mut layers = Layers::new(outermost, packet);
    while let Some(layer) = layers.next() {
        let (offset, failed) = match &layer {
            Ok((offset, _)) => (*offset, false),
            Err(error) => (error.offset(), true),
        };
        assert!(offset <= packet.len() && last.is_none_or(|last| offset > last));
        last = Some(offset);
        if failed {
            assert!(layers.next().is_none());
            return;
        }
    }
}

fn checksum(outermost: Outermost, packet: &[u8]) -> UdpChecksum {
    match Layers::new(outermost, packet).last() {
        Some(Ok((_, Layer::Udp { datagram, addresses }))) => datagram.checksum(addresses),
        other => unreachable!("a datagram was found before: {other:?}"),
    }
}

/// A timestamp changes its own octets and the checksum; what was right stays right.
fn check_stamp(
    outermost: Outermost,
    packet: &[u8],
    place: &UdpPlace,
    (offset, timestamp): (usize, [u8; 8]),
) {
    assert!(place.payload.end <= packet.len() && place.payload.start == place.udp + 8);
    let mut stamped = packet.to_vec();
    let before = checksum(outermost, packet);
    let fits = offset + 8 <= place.payload.len();
    match write_timestamp(&mut stamped, place.span(), offset, timestamp) {
        Ok(()) => assert!(fits),
        Err(StampError::PayloadTooShort { .. }) => {
            assert!(!fits);
            assert_eq!(stamped, packet);
            return;
        }
        Err(StampError::Octets(error)) => unreachable!("the place is in the packet: {error}"),
    }
    assert_eq!(checksum(outermost, &stamped), before);
    let at = place.payload.start + offset;
    assert_eq!(stamped[at..at + 8], timestamp);
    stamped[at..at + 8].copy_from_slice(&packet[at..at + 8]);
    stamped[place.udp + 6..place.udp + 8].copy_from_slice(&packet[place.udp + 6..place.udp + 8]);
    assert_eq!(stamped, packet);
}
