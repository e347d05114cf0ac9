//! Each form on each of its wires: it can be read to its end, and its checksum is right.

use stamp_net::frame::EtherType;
use stamp_net::{FrameFilter, FrameOptions, FrameSocket};
use stamp_proto::sr::header::UdpChecksum;
use stamp_proto::sr::layers::{Layer, Layers, Outermost};
use stamp_proto::sr::protocol::Protocol;
use stamp_tests::netns::{Need, Trial, trials};

use super::form::Form;
use super::network::{Net, OPEN};
use super::{labels, segments};
use crate::measure::session;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        srv6_packets_are_right_on_every_wire: [Need::IPV6],
        labelled_packets_are_right_on_every_wire: [Need::IPV6],
    ]
}

fn srv6_packets_are_right_on_every_wire() {
    are_right(&[
        segments::V1,
        segments::V1_REDUCED,
        segments::V2,
        segments::V3,
        segments::V3_REDUCED,
        segments::V4,
        segments::V4_BACK,
        segments::V4_AROUND,
        segments::V7,
        segments::V7_AROUND,
        segments::V7_BACK,
    ]);
}

fn labelled_packets_are_right_on_every_wire() {
    are_right(&[
        labels::M1,
        labels::M1_IPV6,
        labels::M4,
        labels::M4_NULL,
        labels::M4_NULL_IPV6,
        labels::M5,
        labels::M5_IPV6,
    ]);
}

fn are_right(forms: &[Form]) {
    let net = Net::up();
    let _far = net.reflector(OPEN, &[]);
    let mut captures = Capture::everywhere(&net);
    for form in forms {
        let finished = net.send(&format!("{} -p {OPEN} -c 5 -i 5ms --json", form.flags));
        finished.assert_code(0);
        let session = session(&finished);
        let port = session["path"]["source_port"].as_u64().expect("a port");
        let sent = session["packets"]["sent"].as_u64().expect("a count");
        for capture in &mut captures {
            let seen = capture.datagrams(port);
            let crosses = form.out.contains(&&*capture.way) || form.back.contains(&&*capture.way);
            let expected = if crosses { sent } else { 0 };
            assert_eq!(seen, expected, "{} on {}", form.flags, capture.way);
        }
    }
}

/// What arrives at the end of one direction of a wire.
///
/// By a ring: another packet socket would show what the kernel has made of a packet meanwhile.
struct Capture {
    way: String,
    socket: FrameSocket,
}

impl Capture {
    fn everywhere(net: &Net) -> Vec<Self> {
        let types = [EtherType::IPV4, EtherType::IPV6, EtherType::MPLS];
        let filter = types.into_iter().fold(FrameFilter::nothing(), FrameFilter::and_type);
        let open = |(way, node, interface): (String, String, String)| {
            let options =
                FrameOptions { ring_frames: 128, ..FrameOptions::new(&interface, filter.clone()) };
            let opened = net.host(&node).run(|| FrameSocket::open(&options));
            Self { way, socket: opened.expect("a ring") }
        };
        net.arrivals().into_iter().map(open).collect()
    }

    /// How many datagrams from or to that port have arrived; each is checked.
    fn datagrams(&mut self, port: u64) -> u64 {
        let mut count = 0;
        while let Some(frame) = self.socket.receive() {
            assert!(!frame.truncated, "{}", self.way);
            let layers: Result<Vec<_>, _> =
                Layers::new(Outermost::Ethernet, frame.octets).collect();
            let layers = layers.unwrap_or_else(|error| panic!("{}: {error}", self.way));
            for (_, layer) in &layers {
                if let Layer::Ipv4 { checksum_right, .. } = layer {
                    assert!(checksum_right, "{}: {layers:?}", self.way);
                }
            }
            let Some((_, Layer::Udp { datagram, addresses })) = layers.last() else { continue };
            let header = &datagram.header;
            if ![header.source_port, header.destination_port].map(u64::from).contains(&port) {
                continue;
            }
            count += 1;
            let is_right = if frame.checksum_ready {
                datagram.checksum(*addresses) == UdpChecksum::Right
            } else {
                // Left to a card that the virtual link has not: so far the sum of what is no part
                // of the datagram, and that is where a header that steers could go wrong.
                let mut sum = addresses.pseudo_header(Protocol::UDP);
                sum.add_word(header.length);
                header.checksum == sum.fold()
            };
            assert!(is_right, "{}: {layers:?}", self.way);
        }
        count
    }
}
