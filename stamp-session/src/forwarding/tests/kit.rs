//! A node with a bit of everything, and packets for it.

use std::net::Ipv6Addr;

use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits, SrhExtras, Srv6Path};
use stamp_proto::sr::header::UdpChecksum;
use stamp_proto::sr::layers::{Layer, Layers, Outermost, find_udp};
use stamp_proto::sr::mpls::{ExtendedLabel, Label, LabelStack};
use stamp_proto::sr::protocol::EtherType;
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::sr::srh::SrhForm;
use stamp_proto::time::{PtpUtcOffset, Stamp, StampSource, TimestampFormat, WallTime};

use crate::clock::MonotonicTime;
use crate::forwarding::*;

pub(super) const INTERFACE: u32 = 7;
pub(super) const RECEIVED: WallTime = WallTime::from_unix_ns(1_709_210_096_790_246_912);
/// The instant above in PTP and NTP form.
pub(super) const PTP: [u8; 8] = [0x65, 0xe0, 0x79, 0xf0, 0x2f, 0x1a, 0x36, 0x00];

pub(super) fn label(value: u32) -> Label {
    Label::new(value).unwrap()
}

pub(super) fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

pub(super) fn sid(text: &str, bits: u8) -> SidForm {
    SidForm::new(address(text), bits).unwrap()
}

pub(super) fn place(offset: u16) -> Place {
    Place { offset, format: TimestampFormat::Ptp, ptp_utc_offset: PtpUtcOffset::UTC }
}

pub(super) fn rule(trigger: Trigger, offset: u16) -> TimestampRule {
    TimestampRule {
        trigger,
        interfaces: vec![INTERFACE],
        place: place(offset),
        ports: Vec::new(),
        rate_limit: None,
    }
}

pub(super) fn config() -> ForwardingConfig {
    let extended = |value| Trigger::Extended(ExtendedLabel::new(value).unwrap());
    let on = |label_value, action| LabelRule {
        label: label(label_value),
        interfaces: vec![INTERFACE],
        action,
    };
    let shifting = sid("fcbb:bb00:2:f::", 64).with_next_csid(32, 16).unwrap();
    ForwardingConfig {
        timestamps: vec![
            rule(extended(240), Place::UNAUTHENTICATED),
            rule(extended(241), Place::AUTHENTICATED),
            rule(Trigger::Label(label(15_001)), 20),
            rule(Trigger::Sid(sid("fc00:bb:2:f::", 64)), Place::UNAUTHENTICATED),
            rule(Trigger::Sid(shifting), Place::UNAUTHENTICATED),
        ],
        labels: vec![
            on(16_011, Action::PopHere),
            on(16_004, Action::Pop(AdjacencyId(0))),
            on(16_005, Action::Replace(vec![label(17_005)], AdjacencyId(1))),
            on(20_000, Action::Replace(vec![label(16_004), label(16_001)], AdjacencyId(2))),
        ],
    }
}

pub(super) fn node() -> Forwarder {
    Forwarder::new(config()).unwrap()
}

pub(super) fn arrival() -> Arrival {
    Arrival {
        interface: INTERFACE,
        stamp: Stamp { time: RECEIVED, source: StampSource::Kernel },
        now: MonotonicTime::from_ns(0),
        checksum_ready: true,
        truncated: false,
    }
}

pub(super) fn flow(source: &str, destination: &str) -> Flow {
    let pair = AddressPair::new(source.parse().unwrap(), destination.parse().unwrap());
    Flow::new(pair.unwrap(), 49_200, 49_300)
}

pub(super) fn v4() -> Flow {
    flow("192.0.2.1", "192.0.2.1")
}

pub(super) fn v6() -> Flow {
    flow("2001:db8::1", "2001:db8::1")
}

fn compose(encapsulation: Encapsulation<'_>, flow: &Flow, payload: &[u8]) -> Vec<u8> {
    let template = encapsulation.compose(flow, Limits::default()).unwrap();
    let mut out = [0; 2_000];
    template.emit(payload, &mut out).unwrap().to_vec()
}

pub(super) fn labelled(labels: &[u32], flow: &Flow, payload: &[u8]) -> Vec<u8> {
    let stack = LabelStack::from_labels(labels.iter().copied().map(label)).unwrap();
    compose(Encapsulation::Mpls(&stack), flow, payload)
}

pub(super) fn path(sids: &[&str]) -> Srv6Path {
    SegmentList::new(sids.iter().map(|text| Sid(address(text))).collect()).unwrap().into()
}

pub(super) fn host(sids: &[&str], payload: &[u8]) -> Vec<u8> {
    let flow = flow("2001:db8::1", sids.last().unwrap());
    let (form, extras) = (SrhForm::Full, SrhExtras::default());
    compose(Encapsulation::HostSrh { path: &path(sids), form, extras }, &flow, payload)
}

pub(super) fn tunnel(sids: &[&str], payload: &[u8]) -> Vec<u8> {
    let (form, extras) = (SrhForm::Full, SrhExtras::default());
    let source = address("2001:db8::1");
    let wish = Encapsulation::Srv6Tunnel { source, path: &path(sids), form, extras };
    compose(wish, &v6(), payload)
}

/// A packet that left, and where to.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) octets: Vec<u8>,
    pub(super) ether_type: EtherType,
    pub(super) next_hop: NextHop,
    pub(super) handling: Handling,
}

/// What the node makes of a packet; it counts it as sent.
pub(super) fn handle(
    node: &mut Forwarder,
    arrival: &Arrival,
    ether_type: EtherType,
    packet: &[u8],
) -> Result<Left, Option<DropReason>> {
    let forward = match node.handle_packet(arrival, ether_type, packet) {
        Verdict::Forward(forward) => forward,
        Verdict::Drop(reason) => return Err(Some(reason)),
        Verdict::NotOurs => return Err(None),
    };
    let mut out = vec![0xee; forward.octets()];
    assert_eq!(forward.emit(&mut out), Ok(out.len()));
    let (ether_type, next_hop, fate) = (forward.ether_type(), forward.next_hop(), forward.fate());
    node.handle_sent(fate);
    Ok(Left { octets: out, ether_type, next_hop, handling: fate.handling })
}

pub(super) fn mpls(packet: &[u8]) -> Result<Left, Option<DropReason>> {
    handle(&mut node(), &arrival(), EtherType::MPLS, packet)
}

pub(super) fn ipv6(packet: &[u8]) -> Result<Left, Option<DropReason>> {
    handle(&mut node(), &arrival(), EtherType::IPV6, packet)
}

pub(super) fn outermost(ether_type: EtherType) -> Outermost {
    if ether_type == EtherType::MPLS { Outermost::Mpls } else { Outermost::Ip }
}

impl Left {
    pub(super) fn labels(&self) -> Vec<(u32, u8, bool)> {
        let layers = Layers::new(outermost(self.ether_type), &self.octets);
        let entries = layers.filter_map(|layer| match layer.unwrap().1 {
            Layer::Mpls { entry, .. } => Some((entry.label.value(), entry.ttl, entry.bottom)),
            _ => None,
        });
        entries.collect()
    }

    pub(super) fn payload(&self) -> &[u8] {
        let place = find_udp(outermost(self.ether_type), &self.octets).unwrap();
        &self.octets[place.payload]
    }

    pub(super) fn checksum(&self) -> UdpChecksum {
        let layers = Layers::new(outermost(self.ether_type), &self.octets);
        let Some(Ok((_, Layer::Udp { datagram, addresses }))) = layers.last() else {
            panic!("no datagram in {self:?}")
        };
        datagram.checksum(addresses)
    }

    /// Octets of the payload that are not as they were sent.
    pub(super) fn assert_stamped_at(&self, offset: usize, sent: &[u8]) {
        let mut expected = sent.to_vec();
        expected[offset..offset + 8].copy_from_slice(&PTP);
        assert_eq!(self.payload(), expected);
        assert_eq!(self.checksum(), UdpChecksum::Right);
        assert_eq!(self.handling, Handling::Stamped);
    }
}
