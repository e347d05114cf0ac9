//! Members of a bond, which no UDP socket tells apart.
//!
//! The kernel gives what comes in on a member to the bond, and sends what leaves by the bond on a member
//! of its own choice. A packet socket on each member sees what came in there, before the bond does; a
//! reply goes out of it with the link addresses of its probe exchanged, which on the link of two LAG
//! systems are those of both ends (RFC 9534 §2).

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use stamp_net::frame::EtherType;
use stamp_net::interface::{self, Interface, InterfaceKind};
use stamp_net::{
    Datagram, FrameBatch, FrameFilter, FrameOptions, FrameSocket, Outgoing, SendOutcome,
};
use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits};
use stamp_proto::sr::layers::{Outermost, find_udp};
use stamp_session::reflector::MemberLink;

use crate::SLOT_OCTETS;

/// Frames that a member's ring holds; they are read with the datagrams they carry.
const RING_FRAMES: usize = 256;
/// Arrivals that wait for their datagram.
const MOST_WAITING: usize = 256;
/// Octets by which probes are told apart: no two have the same base packet.
const COMPARED: usize = 44;
/// Destination, source and type.
const ETHERNET_OCTETS: usize = 14;
/// IPv6 and UDP.
const MOST_HEADER_OCTETS: usize = 48;

/// The members of bonds that a listener's probes come in on.
#[derive(Debug)]
pub(super) struct Members {
    taps: Vec<FrameSocket>,
    waiting: VecDeque<Arrival>,
    /// Interface and link header of the probe in hand.
    current: Option<(u32, [u8; ETHERNET_OCTETS])>,
    frames: FrameBatch,
}

/// A probe that came in on a member.
#[derive(Debug)]
struct Arrival {
    interface: u32,
    link: [u8; ETHERNET_OCTETS],
    from: SocketAddr,
    to: SocketAddr,
    payload: [u8; COMPARED],
}

impl Members {
    /// Those among `links` that belong to a bond, for a listener at `local`; `None` when there are none,
    /// or this host may not look at them.
    pub(super) fn open(links: &[MemberLink], local: SocketAddr) -> Option<Self> {
        if links.is_empty() {
            return None;
        }
        let interfaces = interface::list().ok()?;
        let wanted = |interface: &&Interface| {
            links.iter().any(|link| link.interface == interface.index)
                && is_bonded(interface, &interfaces)
        };
        let open = |interface: &Interface| {
            let filter = FrameFilter::nothing().and_datagrams_to(local);
            let options = FrameOptions {
                ring_frames: RING_FRAMES,
                ..FrameOptions::new(&interface.name, filter)
            };
            FrameSocket::open(&options).ok().filter(FrameSocket::has_ethernet_header)
        };
        let taps: Vec<_> = interfaces.iter().filter(wanted).filter_map(open).collect();
        let frames = FrameBatch::new(1, ETHERNET_OCTETS + MOST_HEADER_OCTETS + SLOT_OCTETS);
        (!taps.is_empty()).then_some(Self { taps, waiting: VecDeque::new(), current: None, frames })
    }

    /// The member on which a datagram of the last batch came in.
    pub(super) fn arrival(&mut self, datagram: &Datagram<'_>) -> Option<u32> {
        self.drain();
        // Members are read one after the other, so that those of one batch do not stand here in its
        // order: others in front may belong to datagrams that are still to come.
        let place = self.waiting.iter().position(|arrival| arrival.is(datagram));
        let arrival = place.and_then(|place| self.waiting.remove(place));
        self.current = arrival.map(|arrival| (arrival.interface, arrival.link));
        self.current.map(|(interface, _)| interface)
    }

    /// Sends the reply to that datagram by its member; `None` when it did not come in on one, and else
    /// whether the reply left.
    pub(super) fn send(
        &mut self,
        outgoing: &Outgoing,
        own: SocketAddr,
        reply: &[u8],
    ) -> Option<bool> {
        let (interface, link) = self.current.filter(|(member, _)| *member == outgoing.interface)?;
        let tap = self.taps.iter().find(|tap| tap.interface() == interface)?;
        Some(fill(&mut self.frames, &link, outgoing, own, reply).is_some_and(|()| {
            tap.send(&mut self.frames);
            matches!(self.frames.outcome(0), SendOutcome::Sent { .. })
        }))
    }

    fn drain(&mut self) {
        for tap in &mut self.taps {
            let interface = tap.interface();
            while let Some(frame) = tap.receive() {
                // A VLAN is an interface of its own.
                let read = frame.vlan.is_none().then(|| Arrival::read(interface, frame.octets));
                if self.waiting.len() >= MOST_WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.extend(read.flatten());
            }
        }
    }
}

impl Arrival {
    fn read(interface: u32, frame: &[u8]) -> Option<Self> {
        let place = find_udp(Outermost::Ethernet, frame).ok()?;
        let payload = place.payload(frame);
        Some(Self {
            interface,
            link: *frame.first_chunk()?,
            from: SocketAddr::new(place.addresses.source(), place.header.source_port),
            to: SocketAddr::new(place.addresses.destination(), place.header.destination_port),
            payload: *payload.first_chunk()?,
        })
    }

    fn is(&self, datagram: &Datagram<'_>) -> bool {
        let same = |one: SocketAddr, other: SocketAddr| {
            (one.ip(), one.port()) == (other.ip(), other.port())
        };
        same(self.from, datagram.from)
            && same(self.to, datagram.to)
            && datagram.octets.first_chunk() == Some(&self.payload)
    }
}

/// Writes the frame of a reply whose probe had this link header.
fn fill(
    frames: &mut FrameBatch,
    link: &[u8; ETHERNET_OCTETS],
    outgoing: &Outgoing,
    own: SocketAddr,
    reply: &[u8],
) -> Option<()> {
    let from: IpAddr = outgoing.from.unwrap_or(own.ip());
    let addresses = AddressPair::new(from, outgoing.to.ip())?;
    let mut flow = Flow::new(addresses, own.port(), outgoing.to.port());
    if let Some((dscp, ecn)) = outgoing.traffic_class {
        (flow.dscp, flow.ecn) = (dscp, ecn);
    }
    let template = Encapsulation::Plain.compose(&flow, Limits::default()).ok()?;
    frames.clear();
    let payload_at = ETHERNET_OCTETS + template.header_octets();
    let end = payload_at + reply.len();
    let frame = frames.slot()?.get_mut(..end)?;
    let (front, packet) = frame.split_at_mut(ETHERNET_OCTETS);
    front[..6].copy_from_slice(&link[6..12]);
    front[6..12].copy_from_slice(&link[..6]);
    front[12..].copy_from_slice(&EtherType(template.ether_type().0).0.to_be_bytes());
    packet[template.header_octets()..].copy_from_slice(reply);
    template.fill(packet).ok()?;
    frames.push(end).map(drop)
}

fn is_bonded(link: &Interface, interfaces: &[Interface]) -> bool {
    let is_bond = |other: &Interface| other.kind == InterfaceKind::Bond;
    interfaces.iter().any(|other| link.master == Some(other.index) && is_bond(other))
}
