//! Replies behind a label stack: frames, made here from the link header on.

use std::net::{IpAddr, SocketAddr};

use stamp_net::egress::{Egress, EgressQuery, Resolution, RouteWatch};
use stamp_net::frame::EtherType;
use stamp_net::{
    FrameBatch, FrameFilter, FrameOptions, FrameSocket, Outgoing, SendOutcome, UdpSocket,
};
use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits, Template};
use stamp_proto::sr::mpls::LabelStack;

use crate::SLOT_OCTETS;

/// Ways that are kept ready; the one that was not used for longest makes room.
const MOST_WAYS: usize = 32;
/// Headers in front of a payload: link, labels, IP, UDP.
const MOST_HEADER_OCTETS: usize = 256;

/// The ways that replies with labels have taken lately.
#[derive(Debug, Default)]
pub(super) struct LabelOutlet {
    /// The last one used comes first.
    ways: Vec<Way>,
    frames: Option<FrameBatch>,
    watch: Option<RouteWatch>,
}

/// What decides about every header.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Key {
    labels: Vec<u8>,
    port: u16,
    /// Interface or VRF of the listener.
    device: Option<Box<str>>,
    from: Option<IpAddr>,
    to: SocketAddr,
    traffic_class: Option<(Dscp, Ecn)>,
}

/// Headers, and the interface and neighbour to which they go.
#[derive(Debug)]
struct Way {
    key: Key,
    egress: Egress,
    template: Template,
    out: FrameSocket,
}

impl LabelOutlet {
    /// Sends one reply of a listener behind `labels`; `false` when it did not leave.
    ///
    /// The next hop is that of the route to where the reply ends, by the listener's VRF if it has
    /// one: the label on top has to be one that it knows.
    pub(super) fn send(
        &mut self,
        labels: &[u8],
        listener: &UdpSocket,
        outgoing: &Outgoing,
        reply: &[u8],
    ) -> bool {
        self.forget_what_changed();
        let same = |way: &Way| way.key.is(labels, listener, outgoing);
        match self.ways.iter().position(same) {
            Some(place) => self.ways[..=place].rotate_right(1),
            None => {
                let Some(way) = Way::open(Key::of(labels, listener, outgoing)) else {
                    return false;
                };
                self.ways.truncate(MOST_WAYS - 1);
                self.ways.insert(0, way);
            }
        }
        let frames =
            self.frames.get_or_insert_with(|| FrameBatch::new(1, SLOT_OCTETS + MOST_HEADER_OCTETS));
        self.ways.first_mut().is_some_and(|way| way.send(frames, reply))
    }

    /// A route, a link or a neighbour changed: what led there is looked for again.
    fn forget_what_changed(&mut self) {
        if self.watch.is_none() {
            self.watch = RouteWatch::open().ok();
        }
        match self.watch.as_mut().map(RouteWatch::changes) {
            Some(Ok(changes)) if changes.is_empty() => {}
            Some(Ok(changes)) => {
                self.ways.retain(|way| {
                    !changes.concern_way(&way.egress) && !changes.concern_neighbour(&way.egress)
                });
            }
            // Who is told of no change remembers nothing.
            Some(Err(_)) | None => self.ways.clear(),
        }
    }
}

impl Key {
    fn of(labels: &[u8], listener: &UdpSocket, outgoing: &Outgoing) -> Self {
        let Outgoing { from, to, traffic_class, .. } = *outgoing;
        let (port, device) = (listener.local_addr().port(), listener.interface().map(Box::from));
        Self { labels: labels.to_vec(), port, device, from, to, traffic_class }
    }

    fn is(&self, labels: &[u8], listener: &UdpSocket, outgoing: &Outgoing) -> bool {
        (self.port, self.from, self.to, self.traffic_class)
            == (listener.local_addr().port(), outgoing.from, outgoing.to, outgoing.traffic_class)
            && self.device.as_deref() == listener.interface()
            && self.labels == labels
    }
}

impl Way {
    fn open(key: Key) -> Option<Self> {
        let interface = key.device.as_deref();
        let query = EgressQuery { interface, ..EgressQuery::to(key.to.ip()) };
        let egress = Egress::find(&query).ok()?;
        let addresses = match (key.from.or(egress.source)?, key.to.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                AddressPair::V4 { source, destination }
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                AddressPair::V6 { source, destination }
            }
            _ => return None,
        };
        let mut flow = Flow::new(addresses, key.port, key.to.port());
        if let Some((dscp, ecn)) = key.traffic_class {
            (flow.dscp, flow.ecn) = (dscp, ecn);
        }
        let stack = LabelStack::parse(&key.labels).ok()?;
        let template = Encapsulation::Mpls(&stack).compose(&flow, Limits::default()).ok()?;
        let out =
            FrameSocket::open(&FrameOptions::new(&egress.name, FrameFilter::nothing())).ok()?;
        Some(Self { key, egress, template, out })
    }

    fn send(&mut self, frames: &mut FrameBatch, reply: &[u8]) -> bool {
        if !matches!(self.egress.resolution, Resolution::Ready(_)) {
            // Asked again, as long as replies want to go there.
            let _ = self.egress.resolve();
        }
        let ether_type = EtherType(self.template.ether_type().0);
        let Some(link) = self.egress.link_header(ether_type) else { return false };
        frames.clear();
        let payload_at = link.octets().len() + self.template.header_octets();
        let end = payload_at + reply.len();
        let Some(frame) = frames.slot().and_then(|slot| slot.get_mut(..end)) else { return false };
        let (front, packet) = frame.split_at_mut(link.octets().len());
        front.copy_from_slice(link.octets());
        packet[self.template.header_octets()..].copy_from_slice(reply);
        if self.template.fill(packet).is_err() {
            return false;
        }
        frames.push(end);
        self.out.send(frames);
        matches!(frames.outcome(0), SendOutcome::Sent { .. })
    }
}
