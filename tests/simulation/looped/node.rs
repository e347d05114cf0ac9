//! The far node: our decision core, around which packets are built and taken apart.

use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits, SrhExtras, Srv6Path};
use stamp_proto::sr::header::UdpChecksum;
use stamp_proto::sr::layers::{Layer, Layers, Outermost, find_udp};
use stamp_proto::sr::mpls::{ExtendedLabel, Label, LabelStack};
use stamp_proto::sr::protocol::EtherType;
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::sr::srh::SrhForm;
use stamp_proto::time::{PtpUtcOffset, Stamp, StampSource};
use stamp_session::clock::MonotonicTime;
use stamp_session::forwarding::{
    Action, Arrival, Forwarder, ForwardingConfig, LabelRule, Place, SidForm, TimestampRule,
    Trigger, Verdict,
};
use stamp_tests::simulation::{Answer, FarEnd};

use crate::session::scenario::{Node, Scenario};

/// Label and SID that lead to the node, and those that ask it.
const NODE_LABEL: u32 = 16_011;
const EXTENDED_LABEL: u8 = 240;
const NODE_SID: &str = "fc00:bb:2:1::";
const TSF_SID: &str = "fc00:bb:2:f::";

/// What leads probes to the node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DataPlane {
    MplsV4,
    MplsV6,
    /// The segment list goes on to the sender, in one header.
    Srv6,
}

/// A node at the far end of a scenario, and the way to it.
pub(super) struct FarNode<'s> {
    scenario: &'s Scenario,
    data_plane: DataPlane,
    /// Packets stay so long; which is a part of the way back.
    stays_ns: u64,
}

impl<'s> FarNode<'s> {
    pub(super) fn new(scenario: &'s Scenario, data_plane: DataPlane) -> Self {
        Self { scenario, data_plane, stays_ns: scenario.far.residence_ns }
    }

    fn goes_on(&self, at_ns: u64, octets: &[u8]) -> Option<Answer> {
        Some(Answer { leaves_ns: at_ns + self.stays_ns, octets: octets.to_vec() })
    }
}

impl FarEnd for FarNode<'_> {
    fn answer(&mut self, at_ns: u64, probe: &[u8]) -> Option<Answer> {
        let node = self.scenario.node(at_ns).expect("there is one from the first instant on");
        let packet = self.packet(node, probe);
        let mut forwarder = Forwarder::new(self.config(node)).expect("no contradiction");
        let arrival = Arrival {
            interface: 1,
            stamp: Stamp { time: self.scenario.far.clock.wall(at_ns), source: StampSource::Kernel },
            now: MonotonicTime::from_ns(at_ns),
            checksum_ready: true,
            truncated: false,
        };
        match forwarder.handle_packet(&arrival, self.ether_type(), &packet) {
            Verdict::Forward(forward) => {
                let mut left = vec![0; forward.octets()];
                forward.emit(&mut left).expect("there is room");
                self.goes_on(at_ns, payload(&left))
            }
            // A SID that leads nowhere on this node, where it is known at all.
            Verdict::NotOurs if node == Node::PoppedEarly => self.goes_on(at_ns, probe),
            Verdict::Drop(_) | Verdict::NotOurs => {
                assert_eq!(node, Node::Unknowing, "the others forward");
                None
            }
        }
    }

    /// Its headers lead there and back, and ask for nothing.
    fn answer_plain(&mut self, at_ns: u64, probe: &[u8]) -> Option<Answer> {
        self.goes_on(at_ns, probe)
    }
}

impl FarNode<'_> {
    fn ether_type(&self) -> EtherType {
        match self.data_plane {
            DataPlane::MplsV4 | DataPlane::MplsV6 => EtherType::MPLS,
            DataPlane::Srv6 => EtherType::IPV6,
        }
    }

    fn config(&self, node: Node) -> ForwardingConfig {
        let own = LabelRule {
            label: Label::new(NODE_LABEL).expect("a label"),
            interfaces: vec![1],
            action: Action::PopHere,
        };
        let offset = match node {
            Node::Elsewhere(offset) => Some(offset),
            Node::Stamps | Node::PoppedEarly => {
                self.scenario.config.measurement.timestamp_place().map(|place| place.offset)
            }
            Node::Unknowing => None,
        };
        let rule = |offset| TimestampRule {
            trigger: self.trigger(),
            interfaces: vec![1],
            place: Place {
                offset,
                format: self.scenario.config.measurement.timestamp_place().expect("it asks").format,
                ptp_utc_offset: PtpUtcOffset::UTC,
            },
            ports: Vec::new(),
            rate_limit: None,
        };
        ForwardingConfig { timestamps: offset.map(rule).into_iter().collect(), labels: vec![own] }
    }

    fn trigger(&self) -> Trigger {
        match self.data_plane {
            DataPlane::MplsV4 | DataPlane::MplsV6 => {
                Trigger::Extended(ExtendedLabel::new(EXTENDED_LABEL).expect("an extended label"))
            }
            DataPlane::Srv6 => {
                let sid = SidForm::new(TSF_SID.parse().expect("an address"), 64);
                Trigger::Sid(sid.expect("a prefix"))
            }
        }
    }

    /// The probe as it reaches the node.
    fn packet(&self, node: Node, probe: &[u8]) -> Vec<u8> {
        let asks = node != Node::PoppedEarly;
        let labels = || {
            let labels: &[u32] =
                if asks { &[NODE_LABEL, 15, EXTENDED_LABEL as u32] } else { &[NODE_LABEL] };
            let labels = labels.iter().map(|label| Label::new(*label).expect("a label"));
            LabelStack::from_labels(labels).expect("a stack")
        };
        match self.data_plane {
            DataPlane::MplsV4 => {
                compose(Encapsulation::Mpls(&labels()), "192.0.2.1", "192.0.2.1", probe)
            }
            DataPlane::MplsV6 => {
                compose(Encapsulation::Mpls(&labels()), "2001:db8::1", "2001:db8::1", probe)
            }
            DataPlane::Srv6 => {
                let first = if asks { TSF_SID } else { NODE_SID };
                let sids = [first, "2001:db8::1"].map(|sid| Sid(sid.parse().expect("an address")));
                let list = SegmentList::new(sids.to_vec()).expect("a list");
                let path = Srv6Path::from(list);
                let (form, extras) = (SrhForm::Full, SrhExtras::default());
                let wish = Encapsulation::HostSrh { path: &path, form, extras };
                compose(wish, "2001:db8::1", "2001:db8::1", probe)
            }
        }
    }
}

fn compose(wish: Encapsulation<'_>, source: &str, destination: &str, probe: &[u8]) -> Vec<u8> {
    let address = |text: &str| text.parse().expect("an address");
    let pair = AddressPair::new(address(source), address(destination)).expect("one family");
    let template = wish.compose(&Flow::new(pair, 50_000, 50_001), Limits::default());
    let mut out = [0; 1_024];
    template.expect("it fits").emit(probe, &mut out).expect("there is room").to_vec()
}

/// What a UDP socket would get of the packet.
fn payload(packet: &[u8]) -> &[u8] {
    let last = Layers::new(Outermost::Ip, packet).last();
    let Some(Ok((_, Layer::Udp { datagram, addresses }))) = last else {
        panic!("no datagram in {packet:02x?}")
    };
    assert_eq!(datagram.checksum(addresses), UdpChecksum::Right);
    let place = find_udp(Outermost::Ip, packet).expect("it was found before");
    &packet[place.payload]
}
