//! Probes in frames: every header is written here, and the way out is followed.

use std::net::IpAddr;

use stamp_net::egress::{Egress, EgressQuery, RouteWatch};
use stamp_net::frame::EtherType;
use stamp_net::{
    ErrorBatch, FrameBatch, FrameFilter, FrameOptions, FrameSocket, NetError, Poller, TunnelErrors,
    UdpSocket,
};
use stamp_proto::sr::encapsulation::Template;
use stamp_session::sender::Sender;

use super::rings::Rings;
use super::{Departure, Left};
use crate::clock::now;

/// Room for the largest link header.
const LINK_OCTETS: usize = 14;

/// Where frames have to get to first.
#[derive(Clone, Debug)]
pub struct FrameWay {
    /// Whom the routing table is asked for.
    pub to: IpAddr,
    /// Interface it has to leave through.
    pub interface: Option<String>,
    /// Router to hand it to.
    pub next_hop: Option<IpAddr>,
    /// Mark for routing rules.
    pub fwmark: Option<u32>,
    /// Member of the bond that the way leads through, on which frames leave whatever the bond would
    /// choose.
    pub member: Option<String>,
}

impl FrameWay {
    /// How a frame leaves this way now.
    ///
    /// # Errors
    ///
    /// Those of [`Egress::find`].
    pub fn find(&self) -> Result<Egress, NetError> {
        Egress::find(&EgressQuery {
            to: self.to,
            interface: self.interface.as_deref(),
            next_hop: self.next_hop,
            fwmark: self.fwmark,
        })
    }
}

/// Probes leave in frames; replies, or the probes themselves, come back by a socket or by rings.
#[derive(Debug)]
pub struct FramePort {
    way: FrameWay,
    egress: Option<Egress>,
    out: FrameSocket,
    watch: RouteWatch,
    template: Template,
    /// In front of probes that ask for no timestamp, where that is something else.
    plain: Option<Template>,
    /// Bound to the port that probes return to: so the kernel sends no ICMP error for them. Where
    /// there are no rings, what returns is read from it.
    socket: UdpSocket,
    /// Bound to the port that probes leave from, for ICMP errors that quote them.
    errors: Option<UdpSocket>,
    /// For ICMP errors that quote the packet around a probe.
    tunnel_errors: Option<TunnelErrors>,
    rings: Option<Rings>,
}

impl FramePort {
    /// Frames leave by `way` with the headers of `template`; `socket` is bound to where they, or the
    /// replies to them, return.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without `CAP_NET_RAW`, and those of [`Egress::find`].
    pub fn open(way: FrameWay, template: Template, socket: UdpSocket) -> Result<Self, NetError> {
        let watch = RouteWatch::open()?;
        let egress = way.find()?;
        let out = open_out(way.member.as_ref().unwrap_or(&egress.name))?;
        Ok(Self {
            way,
            egress: Some(egress),
            out,
            watch,
            template,
            plain: None,
            socket,
            errors: None,
            tunnel_errors: None,
            rings: None,
        })
    }

    /// The same, and it hears what routers say about the packets around probes.
    #[must_use]
    pub fn with_tunnel_errors(self, errors: TunnelErrors) -> Self {
        Self { tunnel_errors: Some(errors), ..self }
    }

    /// The same with rings that take what returns before the kernel's own filters can drop it, and
    /// a socket bound to the port that probes leave from.
    #[must_use]
    pub fn with_rings(self, rings: Rings, errors: UdpSocket) -> Self {
        Self { rings: Some(rings), errors: Some(errors), ..self }
    }

    /// The same, and replies are those that this ring shows: they came in on the member that probes
    /// leave by. What comes in elsewhere is still read from the socket.
    #[must_use]
    pub fn with_member_ring(self, rings: Rings) -> Self {
        Self { rings: Some(rings), ..self }
    }

    /// The same with other headers for probes that ask for no timestamp.
    #[must_use]
    pub fn with_plain(self, plain: Template) -> Self {
        Self { plain: Some(plain), ..self }
    }

    /// How frames leave now; nothing while no way leads there.
    #[must_use]
    pub const fn egress(&self) -> Option<&Egress> {
        self.egress.as_ref()
    }

    /// What is in front of probes.
    #[must_use]
    pub const fn template(&self) -> &Template {
        &self.template
    }

    pub(super) fn watch(&self, poller: &Poller, token: u32) -> Result<(), NetError> {
        poller.add(&self.out, token)?;
        poller.add(&self.watch, token)?;
        poller.add(&self.socket, token)?;
        if let Some(errors) = &self.errors {
            poller.add(errors, token)?;
        }
        if let Some(errors) = &self.tunnel_errors {
            poller.add(errors, token)?;
        }
        self.rings.as_ref().map_or(Ok(()), |rings| rings.watch(poller, token))
    }

    pub(super) fn depart(
        &mut self,
        engine: &mut Sender,
        frames: &mut FrameBatch,
    ) -> Option<Departure> {
        frames.clear();
        let plain = self.plain.as_ref().filter(|_| !engine.asks_for_timestamp());
        let template = plain.unwrap_or(&self.template);
        let header = self
            .egress
            .as_ref()
            .map(|egress| egress.link_header(EtherType(template.ether_type().0)));
        let link = header.flatten();
        let link_octets = link.as_ref().map_or(LINK_OCTETS, |header| header.octets().len());
        let slot = frames.slot()?;
        let payload_at = link_octets + template.header_octets();
        let transmit = engine.poll_transmit(now(), slot.get_mut(payload_at..)?)?;
        let (payload, token) = (transmit.octets.len(), transmit.token);
        let end = payload_at + payload;
        let outcome = match (header, link) {
            (None, _) => Left::Failed(stamp_net::SendFailure::NoRoute),
            (Some(_), None) => Left::NoNeighbour,
            (Some(_), Some(link)) => {
                let filled = slot.get_mut(..end).is_some_and(|frame| {
                    let (front, packet) = frame.split_at_mut(link_octets);
                    front.copy_from_slice(link.octets());
                    template.fill(packet).is_ok()
                });
                if filled {
                    frames.push(end);
                    self.out.send(frames);
                    frames.outcome(0).into()
                } else {
                    Left::NotTried
                }
            }
        };
        Some(Departure { token, outcome })
    }

    /// Transmit stamps.
    pub(super) fn errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        self.out.errors(batch)
    }

    /// ICMP errors that quote probes: the kernel gives them to the socket of their source port.
    pub(super) fn icmp_errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        self.errors.as_ref().unwrap_or(&self.socket).errors(batch)
    }

    /// ICMP errors that quote the packets around probes.
    pub(super) fn tunnel_errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        self.tunnel_errors.as_ref().map_or(Ok(0), |errors| errors.errors(batch))
    }

    /// Where what comes back is read: by the rings, where there are any.
    pub(super) fn back(&mut self) -> (&UdpSocket, Option<&mut Rings>) {
        (&self.socket, self.rings.as_mut())
    }

    pub(super) fn follow_changes(&mut self) {
        let Ok(changes) = self.watch.changes() else { return };
        if changes.is_empty() {
            return;
        }
        match &mut self.egress {
            Some(egress) if !changes.concern_way(egress) => {
                if changes.concern_neighbour(egress) {
                    // What cannot be told now is told with the next change.
                    let _ = egress.resolve();
                }
            }
            _ => self.find_way(),
        }
    }

    /// The way may lead through another interface now.
    fn find_way(&mut self) {
        let before = self.egress.as_ref().map(|egress| egress.interface);
        self.egress = self.way.find().ok();
        let Some(egress) = &self.egress else { return };
        if Some(egress.interface) != before {
            match open_out(self.way.member.as_ref().unwrap_or(&egress.name)) {
                Ok(out) => self.out = out,
                Err(_) => self.egress = None,
            }
        }
    }

    pub(super) fn queue_drops(&self) -> Option<u32> {
        match &self.rings {
            Some(rings) => rings.dropped(),
            None => self.socket.queue_drops(),
        }
    }
}

/// A socket that sends and receives nothing.
fn open_out(interface: &str) -> Result<FrameSocket, NetError> {
    let options = FrameOptions {
        transmit_stamps: true,
        ..FrameOptions::new(interface, FrameFilter::nothing())
    };
    FrameSocket::open(&options)
}
