//! Probes in frames: every header is written here, and the way out is followed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use stamp_net::egress::{Egress, EgressQuery, RouteWatch};
use stamp_net::frame::EtherType;
use stamp_net::{ErrorBatch, FrameBatch, FrameSocket, NetError, Poller, SendOutcome, UdpSocket};
use stamp_proto::sr::encapsulation::Template;
use stamp_proto::time::Stamp;
use stamp_session::sender::Sender;

use super::news::News;
use super::registry::{SharedSockets, SocketTable};
use super::rings::Rings;
use super::shared_out::{Probe, SharedOut};
use super::{Departure, Left};
use crate::clock::now;

/// Room for the largest link header.
const LINK_OCTETS: usize = 14;

/// Where frames have to get to first.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
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

/// What a session has together with others of its worker.
#[derive(Debug)]
struct Joined {
    shared: SharedSockets,
    out: Arc<SharedOut>,
    number: u32,
}

impl Joined {
    fn send(&self, sequence: u32, frames: &mut FrameBatch) -> Left {
        match self.out.send(Probe { session: self.number, sequence }, frames) {
            SendOutcome::Sent { .. } => Left::Sent(None),
            outcome => outcome.into(),
        }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.out.leave(self.number);
    }
}

/// Probes leave in frames; replies, or the probes themselves, come back by a socket or by rings.
#[derive(Debug)]
pub struct FramePort {
    way: FrameWay,
    egress: Option<Egress>,
    /// By which its worker knows the session, and what it has from there.
    joined: Option<Joined>,
    /// What has changed since the way was found; until the worker watches for all of its sessions.
    watch: Option<RouteWatch>,
    template: Template,
    /// In front of probes that ask for no timestamp, where that is something else.
    plain: Option<Template>,
    /// Bound to the port that probes return to: so the kernel sends no ICMP error for them. Where
    /// there are no rings, what returns is read from it.
    socket: UdpSocket,
    /// Bound to the port that probes leave from, for ICMP errors that quote them.
    errors: Option<UdpSocket>,
    /// Where probes leave from that ICMP errors may quote within the packet around them.
    tunnel_source: Option<SocketAddr>,
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
        FrameSocket::check_right()?;
        Ok(Self {
            way,
            egress: Some(egress),
            joined: None,
            watch: Some(watch),
            template,
            plain: None,
            socket,
            errors: None,
            tunnel_source: None,
            rings: None,
        })
    }

    /// The same, and it hears what routers say about the packets around probes, which leave from `source`.
    #[must_use]
    pub fn with_tunnel_errors(self, source: SocketAddr) -> Self {
        Self { tunnel_source: Some(source), ..self }
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

    /// Finds or opens what it has together with others; `number` is told with [`Self::watch`].
    pub(super) fn join(&mut self, shared: &SharedSockets) -> Result<(), NetError> {
        if let Some(egress) = &self.egress {
            let out = shared.out(self.way.member.as_ref().unwrap_or(&egress.name))?;
            self.joined = Some(Joined { shared: shared.clone(), out, number: u32::MAX });
        }
        self.rings.as_mut().map_or(Ok(()), |rings| rings.join(shared))
    }

    pub(super) fn watch(
        &mut self,
        poller: &Poller,
        number: u32,
        table: &mut SocketTable,
    ) -> Result<(), NetError> {
        if let Some(joined) = &mut self.joined {
            joined.number = number;
            joined.out.enter(poller, number)?;
            table.add_out(&joined.out);
        }
        // The worker watches by now, so that nothing is missed between the two.
        if let Some(mut watch) = self.watch.take() {
            self.follow(&mut News::new(watch.changes()?), poller, table);
        }
        poller.add(&self.socket, number)?;
        if let Some(errors) = &self.errors {
            poller.add(errors, number)?;
        }
        self.rings.as_mut().map_or(Ok(()), |rings| rings.watch(poller, number, table))
    }

    pub(super) const fn rings(&self) -> Option<&Rings> {
        self.rings.as_ref()
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
        let now = now();
        let transmit = engine.poll_transmit(now, slot.get_mut(payload_at..)?)?;
        let (payload, token, at) = (transmit.octets.len(), transmit.token, now.monotonic);
        let end = payload_at + payload;
        let outcome = match (header, link, &self.joined) {
            (None, ..) => Left::Failed(stamp_net::SendFailure::NoRoute),
            (Some(_), None, _) => Left::NoNeighbour,
            (Some(_), Some(_), None) => Left::NotTried,
            (Some(_), Some(link), Some(joined)) => {
                let filled = slot.get_mut(..end).is_some_and(|frame| {
                    let (front, packet) = frame.split_at_mut(link_octets);
                    front.copy_from_slice(link.octets());
                    template.fill(packet).is_ok()
                });
                if filled {
                    frames.push(end);
                    joined.send(token.sequence(), frames)
                } else {
                    Left::NotTried
                }
            }
        };
        Some(Departure { at, token, outcome })
    }

    /// Hands over the transmit stamps of its frames, with Sequence Numbers.
    pub(super) fn stamps(&self, batch: &mut ErrorBatch, each: impl FnMut(u32, Stamp)) {
        if let Some(Joined { out, number, .. }) = &self.joined {
            out.take_stamps(*number, batch, each);
        }
    }

    /// ICMP errors that quote probes: the kernel gives them to the socket of their source port.
    pub(super) fn errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        self.errors.as_ref().unwrap_or(&self.socket).errors(batch)
    }

    /// Where probes leave from about which errors may come that quote the packet around them.
    pub(in crate::sender) const fn tunnel_source(&self) -> Option<SocketAddr> {
        self.tunnel_source
    }

    /// Largest payload, in octets, that fits behind everything in front of it.
    pub(super) fn largest_payload(&self, mtu: u32) -> Option<usize> {
        self.template.largest_payload(usize::try_from(mtu).ok()?)
    }

    /// Where what comes back is read: by the rings, where there are any.
    pub(super) fn back(&mut self) -> (&UdpSocket, Option<&mut Rings>) {
        (&self.socket, self.rings.as_mut())
    }

    /// Goes another way, where there is one now.
    pub(super) fn follow(&mut self, news: &mut News, poller: &Poller, table: &mut SocketTable) {
        let Some(egress) = news.egress(&self.way, self.egress.as_ref()) else { return };
        let before = std::mem::replace(&mut self.egress, egress).map(|egress| egress.interface);
        let (Some(egress), Some(joined)) = (&self.egress, &mut self.joined) else { return };
        if Some(egress.interface) == before {
            return;
        }
        match joined.shared.out(self.way.member.as_ref().unwrap_or(&egress.name)) {
            Ok(out) if Arc::ptr_eq(&out, &joined.out) => {}
            Ok(out) if out.enter(poller, joined.number).is_ok() => {
                table.add_out(&out);
                joined.out.leave(joined.number);
                joined.out = out;
            }
            _ => self.egress = None,
        }
    }

    pub(super) fn queue_drops(&self) -> Option<u32> {
        match &self.rings {
            Some(rings) => rings.dropped(),
            None => self.socket.queue_drops(),
        }
    }
}
