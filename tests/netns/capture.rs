//! What arrives at the end of one direction of a link, checked to its end.

use stamp_net::frame::EtherType;
use stamp_net::{FrameFilter, FrameOptions, FrameSocket};
use stamp_proto::sr::header::UdpChecksum;
use stamp_proto::sr::layers::{Layer, Layers, Outermost};
use stamp_proto::sr::protocol::Protocol;
use stamp_tests::netns::Host;

/// Sees IP and labelled packets that arrive on one interface.
///
/// By a ring: another packet socket would show what the kernel has made of a packet meanwhile.
pub(crate) struct Capture {
    way: String,
    socket: FrameSocket,
}

impl Capture {
    /// At the interface of a host that `way` leads to.
    #[track_caller]
    pub(crate) fn open(way: String, host: &Host, interface: &str) -> Self {
        let types = [EtherType::IPV4, EtherType::IPV6, EtherType::MPLS];
        let filter = types.into_iter().fold(FrameFilter::nothing(), FrameFilter::and_type);
        let options = FrameOptions { ring_frames: 128, ..FrameOptions::new(interface, filter) };
        let opened = host.run(|| FrameSocket::open(&options));
        Self { way, socket: opened.expect("a ring") }
    }

    pub(crate) fn way(&self) -> &str {
        &self.way
    }

    /// The labels in front of each datagram from or to that port that has arrived, top first; each
    /// datagram is checked.
    pub(crate) fn stacks(&mut self, port: u64) -> Vec<Vec<u32>> {
        let mut stacks = Vec::new();
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
            let labels = layers.iter().filter_map(|(_, layer)| match layer {
                Layer::Mpls { entry, .. } => Some(entry.label.value()),
                _ => None,
            });
            stacks.push(labels.collect());
        }
        stacks
    }
}
