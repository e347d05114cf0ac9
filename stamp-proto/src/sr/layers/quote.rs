//! A UDP datagram inside the beginning of a packet, as ICMP errors quote it.

use core::net::{IpAddr, SocketAddr};

use crate::reader::Reader;
use crate::sr::protocol::Protocol;

/// A UDP datagram that may be cut short.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct QuotedUdp<'a> {
    /// Address of the innermost IP header, and port.
    pub source: SocketAddr,
    /// Port it was going to.
    pub destination_port: u16,
    /// The payload, as far as it is quoted.
    pub payload: &'a [u8],
}

/// Looks for the UDP datagram in the quoted beginning of an IP packet, below outer headers and
/// extension headers. Lengths that say the packet was longer are right: an error quotes no more of
/// it than fits.
#[must_use]
pub fn quoted_udp(packet: &[u8]) -> Option<QuotedUdp<'_>> {
    let mut reader = Reader::new(packet);
    let mut protocol = match packet.first()? >> 4 {
        4 => Protocol::IPV4,
        6 => Protocol::IPV6,
        _ => return None,
    };
    let mut source = None;
    // Each turn takes octets, so the walk ends.
    loop {
        protocol = match protocol {
            Protocol::IPV4 => ipv4(&mut reader, &mut source)?,
            Protocol::IPV6 => ipv6(&mut reader, &mut source)?,
            Protocol::ROUTING | Protocol::HOP_BY_HOP | Protocol::DESTINATION_OPTIONS => {
                extension(&mut reader)?
            }
            Protocol::UDP => return udp(&mut reader, source?),
            _ => return None,
        };
    }
}

fn ipv4(reader: &mut Reader<'_>, source: &mut Option<IpAddr>) -> Option<Protocol> {
    let header: [u8; 20] = reader.take_array("IPv4 header").ok()?;
    let [first, _, _, _, _, _, fragment, fragment_low, _, protocol, ..] = header;
    let is_later_piece = u16::from_be_bytes([fragment, fragment_low]) & 0x1fff != 0;
    let options = usize::from(first & 0x0f).checked_mul(4)?.checked_sub(header.len())?;
    reader.take_slice("IPv4 options", options).ok()?;
    let address: [u8; 4] = *header.get(12..)?.first_chunk()?;
    *source = Some(address.into());
    (!is_later_piece).then_some(Protocol(protocol))
}

fn ipv6(reader: &mut Reader<'_>, source: &mut Option<IpAddr>) -> Option<Protocol> {
    let header: [u8; 40] = reader.take_array("IPv6 header").ok()?;
    let [_, _, _, _, _, _, next_header, ..] = header;
    let address: [u8; 16] = *header.get(8..)?.first_chunk()?;
    *source = Some(address.into());
    Some(Protocol(next_header))
}

fn extension(reader: &mut Reader<'_>) -> Option<Protocol> {
    let [next_header, more] = reader.take_array("extension header").ok()?;
    let rest = usize::from(more).checked_mul(8)?.checked_add(6)?;
    reader.take_slice("extension header", rest).ok()?;
    Some(Protocol(next_header))
}

fn udp<'a>(reader: &mut Reader<'a>, source: IpAddr) -> Option<QuotedUdp<'a>> {
    let source_port = reader.take_u16("UDP source port").ok()?;
    let destination_port = reader.take_u16("UDP destination port").ok()?;
    reader.take_u32("UDP length and checksum").ok()?;
    let source = SocketAddr::new(source, source_port);
    Some(QuotedUdp { source, destination_port, payload: reader.rest() })
}

#[cfg(test)]
mod tests {
    use core::net::Ipv6Addr;

    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;
    use crate::sr::checksum::AddressPair;
    use crate::sr::encapsulation::{Encapsulation, Flow, Limits, SrhExtras, Srv6Path, Template};
    use crate::sr::segment::{SegmentList, Sid};
    use crate::sr::srh::SrhForm;

    const OWN: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

    fn flow() -> Flow {
        let destination = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
        Flow::new(AddressPair::V6 { source: OWN, destination }, 49_000, 862)
    }

    fn template(form: SrhForm) -> Template {
        let sids = (1..5).map(|node| Sid(Ipv6Addr::new(0xfc00, 0xbb, node, 0, 0, 0, 0, 0)));
        let path = &Srv6Path::from(SegmentList::new(sids.collect()).expect("a list"));
        let (source, extras) = (OWN, SrhExtras::default());
        let tunnel = Encapsulation::Srv6Tunnel { source, path, form, extras };
        tunnel.compose(&flow(), Limits::default()).expect("it can be made")
    }

    fn packet(template: &Template) -> Vec<u8> {
        let mut out = vec![0; 512];
        template.emit(&[7, 8, 9, 10, 11], &mut out).expect("it fits").to_vec()
    }

    #[test]
    fn a_probe_is_found_in_what_is_left_of_its_packet() {
        let plain = Encapsulation::Plain.compose(&flow(), Limits::default()).expect("plain");
        for template in [plain, template(SrhForm::Full), template(SrhForm::Reduced)] {
            let packet = packet(&template);
            for length in template.header_octets()..=packet.len() {
                let quoted = quoted_udp(&packet[..length]).expect("a datagram");
                assert_eq!(quoted.source, SocketAddr::new(OWN.into(), 49_000));
                assert_eq!(quoted.destination_port, 862);
                assert_eq!(quoted.payload, &packet[template.header_octets()..length]);
            }
            for length in 0..template.header_octets() {
                assert_eq!(quoted_udp(&packet[..length]), None, "{length}");
            }
        }
    }

    #[test]
    fn ipv4_with_options_is_read_and_its_later_fragments_are_not() {
        let mut packet = vec![0x46, 0, 0, 60, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        packet.extend([1, 1, 1, 0, 0x13, 0x88, 0x03, 0x5e, 0, 40, 0, 0, 5]);
        let quoted = quoted_udp(&packet).expect("a datagram");
        assert_eq!(quoted.source, "192.0.2.1:5000".parse().expect("an address"));
        assert_eq!((quoted.destination_port, quoted.payload), (862, &[5][..]));
        packet[7] = 1;
        assert_eq!(quoted_udp(&packet), None);
    }

    #[test]
    fn what_is_no_udp_is_none() {
        let mut packet = packet(&template(SrhForm::Full));
        for (at, octet) in [(6, 58), (0, 0x50), (40, 59)] {
            let before = core::mem::replace(&mut packet[at], octet);
            assert_eq!(quoted_udp(&packet), None, "octet {at}");
            packet[at] = before;
        }
        assert!(quoted_udp(&packet).is_some());
    }
}
