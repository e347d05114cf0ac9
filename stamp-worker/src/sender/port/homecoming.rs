//! Whether a frame is a probe that is back.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use stamp_proto::sr::header::UdpChecksum;
use stamp_proto::sr::layers::{Layer, Layers, Outermost, find_udp};
use stamp_proto::sr::mpls::{Label, LabelStackEntry};
use stamp_proto::time::Stamp;
use stamp_session::datagram::{Headers, Received};

/// What a probe has in front of it when it is back, and not on its way through this host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Homecoming {
    /// Address and port it was sent to.
    pub to: SocketAddr,
    /// The last label of its stack: this host's own, where the node before does not take it off.
    pub last_label: Option<Label>,
    /// The last of its SIDs: this host's own, where an outer header leads to it.
    pub last_sid: Option<Ipv6Addr>,
}

impl Homecoming {
    /// The datagram in a frame, and whether a label is in front of it; nothing when it is none of
    /// ours, or only passes through this host, or is corrupted: a corrupted probe is lost.
    pub(super) fn read<'f>(
        &self,
        outermost: Outermost,
        frame: &'f [u8],
        checksum_ready: bool,
    ) -> Option<(Received<'f>, bool)> {
        let place = find_udp(outermost, frame).ok()?;
        let (source, destination) = (place.addresses.source(), place.addresses.destination());
        let to = SocketAddr::new(destination, place.header.destination_port);
        if to != self.to {
            return None;
        }
        let mut received = Received {
            octets: place.payload(frame),
            from: SocketAddr::new(source, place.header.source_port),
            to,
            interface: 0,
            stamp: Stamp::default(),
            hop_limit: None,
            traffic_class: None,
            headers: Headers::UNKNOWN,
        };
        let (mut outer, mut labelled) = (true, false);
        for (_, layer) in Layers::new(outermost, frame).map_while(Result::ok) {
            match layer {
                Layer::Mpls { entry, .. } if !self.ends_at(entry) => return None,
                Layer::Mpls { .. } => labelled = true,
                // The innermost header is the probe's own.
                Layer::Ipv4 { header, .. } => {
                    received.hop_limit = Some(header.ttl);
                    received.traffic_class = Some((header.dscp, header.ecn));
                }
                Layer::Ipv6(header) => {
                    if std::mem::take(&mut outer) && !self.is_home(header.destination) {
                        return None;
                    }
                    received.hop_limit = Some(header.hop_limit);
                    received.traffic_class = Some((header.dscp, header.ecn));
                }
                Layer::Udp { datagram, addresses }
                    if checksum_ready && datagram.checksum(addresses) == UdpChecksum::Wrong =>
                {
                    return None;
                }
                _ => {}
            }
        }
        Some((received, labelled))
    }

    /// The last entry of a stack whose other labels have been taken off.
    fn ends_at(&self, entry: LabelStackEntry) -> bool {
        let null = [Label::IPV4_EXPLICIT_NULL, Label::IPV6_EXPLICIT_NULL].contains(&entry.label);
        entry.bottom && (null || self.last_label == Some(entry.label))
    }

    fn is_home(&self, destination: Ipv6Addr) -> bool {
        IpAddr::V6(destination) == self.to.ip() || self.last_sid == Some(destination)
    }
}

#[cfg(test)]
mod tests {
    use stamp_proto::sr::checksum::AddressPair;
    use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits, SrhExtras};
    use stamp_proto::sr::mpls::LabelStack;
    use stamp_proto::sr::segment::{SegmentList, Sid};
    use stamp_proto::sr::srh::SrhForm;

    use super::*;

    fn home(own: &str) -> Homecoming {
        let to = SocketAddr::new(own.parse().unwrap(), 6_000);
        let last_label = Label::new(16_001);
        Homecoming { to, last_label, last_sid: Some("fc00:bb:1:d6::".parse().unwrap()) }
    }

    fn frame(encapsulation: Encapsulation<'_>, own: &str) -> Vec<u8> {
        let own = own.parse().unwrap();
        let flow = Flow::new(AddressPair::new(own, own).unwrap(), 5_000, 6_000);
        let template = encapsulation.compose(&flow, Limits::default()).unwrap();
        let mut room = [0; 500];
        let packet = template.emit(&[7; 44], &mut room).unwrap();
        let mut frame = vec![0; 12];
        frame.extend(template.ether_type().0.to_be_bytes());
        frame.extend(&*packet);
        frame
    }

    fn labelled(labels: &[u32]) -> Vec<u8> {
        let labels = labels.iter().filter_map(|label| Label::new(*label));
        frame(Encapsulation::Mpls(&LabelStack::from_labels(labels).unwrap()), "192.0.2.1")
    }

    fn is_read(home: Homecoming, frame: &[u8]) -> bool {
        home.read(Outermost::Ethernet, frame, true).is_some()
    }

    #[test]
    fn a_probe_is_back_when_nothing_leads_on() {
        let home = home("192.0.2.1");
        let plain = frame(Encapsulation::Plain, "192.0.2.1");
        let (received, _) = home.read(Outermost::Ethernet, &plain, true).unwrap();
        assert_eq!((received.octets, received.from.port()), (&[7; 44][..], 5_000));
        assert_eq!(received.hop_limit.map(|limit| limit.0), Some(255));
        for labels in [&[16_001][..], &[0], &[0, 16_001]] {
            let ends = labels.len() == 1;
            assert_eq!(is_read(home, &labelled(labels)), ends, "{labels:?}");
        }
    }

    #[test]
    fn a_probe_that_passes_through_is_not_back() {
        let home = home("192.0.2.1");
        for labels in [&[16_011][..], &[16_002, 16_013, 16_001], &[16_013, 16_001]] {
            assert!(!is_read(home, &labelled(labels)), "{labels:?}");
        }
    }

    #[test]
    fn an_outer_header_leads_home_or_on() {
        let home = home("2001:db8::1");
        let list = |sids: &[&str]| {
            let sids = sids.iter().map(|sid| Sid(sid.parse().unwrap())).collect();
            SegmentList::new(sids).unwrap().into()
        };
        let (form, extras) = (SrhForm::Full, SrhExtras::default());
        let source = "2001:db8::1".parse().unwrap();
        for (last, back) in [("fc00:bb:1:d6::", true), ("fc00:bb:2:d6::", false)] {
            let path = &list(&[last]);
            let tunnel = Encapsulation::Srv6Tunnel { source, path, form, extras };
            assert_eq!(is_read(home, &frame(tunnel, "2001:db8::1")), back, "{last}");
        }
        let path = &list(&["fc00:bb:11:1::", "2001:db8::1"]);
        let on_its_way = Encapsulation::HostSrh { path, form, extras };
        assert!(!is_read(home, &frame(on_its_way, "2001:db8::1")));
        assert!(is_read(home, &frame(Encapsulation::Plain, "2001:db8::1")));
    }

    #[test]
    fn a_corrupted_probe_is_lost_unless_its_checksum_was_left_to_a_card() {
        let home = home("192.0.2.1");
        let mut frame = frame(Encapsulation::Plain, "192.0.2.1");
        *frame.last_mut().unwrap() ^= 1;
        assert!(!is_read(home, &frame));
        assert!(home.read(Outermost::Ethernet, &frame, false).is_some());
        assert!(!is_read(home, &frame[..60]));
    }
}
