//! A socket of a listener, and the segments that its replies pass at the moment.

use std::collections::VecDeque;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;

use stamp_net::{
    ArrivedHeaders, Datagram, ErrorBatch, Ipv4HeaderTap, Outgoing, SocketEvent, UdpSocket,
};
use stamp_session::reflector::{ProbeCounts, Reflector, ReplyToken};
use stamp_session::statistics::Histogram;

use super::members::Members;

/// Replies whose stamp is awaited; of one that was dropped behind the socket none ever comes.
const MOST_AWAITED: usize = 256;

/// One socket and where what it sends is led.
///
/// Segments belong to the socket, and a second one on the same port would be handed probes: so the
/// way is changed between replies, and only when the next goes another one.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) token: u32,
    pub(super) socket: UdpSocket,
    /// What became of what came in here.
    pub(super) probes: ProbeCounts,
    /// Time between probes and their replies, of all sockets of this listener.
    pub(super) turnaround: Arc<Histogram>,
    /// SIDs in travel order, as they lie in a Return Path TLV.
    segments: Vec<u8>,
    /// Replies whose transmit stamp is wanted, with its id, in the order of sending.
    awaited: VecDeque<(u32, ReplyToken)>,
    headers: HeaderSource,
    members: Option<Members>,
}

/// Where the headers of probes are known from.
#[derive(Debug, Default)]
enum HeaderSource {
    /// Nobody wants to know.
    #[default]
    Unwanted,
    /// The socket, for IPv6.
    Socket,
    /// What lies beside it, for IPv4; `None` without the right to it.
    Tap(Option<Ipv4HeaderTap>),
}

impl Listener {
    pub(super) fn new(token: u32, socket: UdpSocket, turnaround: Arc<Histogram>) -> Self {
        Self {
            token,
            socket,
            probes: ProbeCounts::default(),
            turnaround,
            segments: Vec::new(),
            awaited: VecDeque::new(),
            headers: HeaderSource::Unwanted,
            members: None,
        }
    }

    /// What was sent to this address came in here.
    pub(super) fn serves(&self, to: SocketAddr) -> bool {
        let local = self.socket.local_addr();
        local.port() == to.port()
            && local.is_ipv4() == to.is_ipv4()
            && (local.ip().is_unspecified() || local.ip() == to.ip())
    }

    /// Does from now on what the engine was configured for.
    pub(super) fn configure(&mut self, engine: &Reflector) {
        self.tell_headers(engine.tells_headers());
        self.members = Members::open(engine.member_links(), self.socket.local_addr());
    }

    /// The member of a bond on which a datagram of the last batch came in.
    pub(super) fn member(&mut self, datagram: &Datagram<'_>) -> Option<u32> {
        self.members.as_mut()?.arrival(datagram)
    }

    /// Sends the reply to that datagram by that member, if it is to keep to it; whether it left.
    pub(super) fn send_by_member(&mut self, outgoing: &Outgoing, reply: &[u8]) -> Option<bool> {
        let own = self.socket.local_addr();
        self.members.as_mut().filter(|_| outgoing.keeps_link)?.send(outgoing, own, reply)
    }

    /// From now on the headers of probes are wanted, or not any more. Without what it takes they
    /// stay unknown, and whoever asks is told that.
    fn tell_headers(&mut self, tell: bool) {
        let is_ipv4 = self.socket.local_addr().is_ipv4();
        self.headers = match (tell, is_ipv4, core::mem::take(&mut self.headers)) {
            (false, ..) => HeaderSource::Unwanted,
            (true, true, HeaderSource::Tap(Some(tap))) => HeaderSource::Tap(Some(tap)),
            (true, true, _) => {
                let (local, interface) = (self.socket.local_addr(), self.socket.interface());
                HeaderSource::Tap(Ipv4HeaderTap::open(local, interface).ok())
            }
            (true, false, _) => HeaderSource::Socket,
        };
        let _ = self.socket.tell_headers(tell);
    }

    /// The headers of a datagram of the last batch, where they are wanted.
    pub(super) fn headers<'b>(&mut self, datagram: &Datagram<'b>) -> Option<ArrivedHeaders<'b>> {
        match &mut self.headers {
            HeaderSource::Unwanted => None,
            HeaderSource::Socket => Some(datagram.headers(None)),
            HeaderSource::Tap(tap) => {
                let header = tap.as_mut()?.header(datagram);
                Some(datagram.headers(header.as_ref()))
            }
        }
    }

    /// What is sent now passes these SIDs.
    pub(super) fn leads_over(&self, segments: &[u8]) -> bool {
        self.segments == segments
    }

    /// From now on; `false` when the kernel refuses, and then straight on.
    pub(super) fn lead_over(&mut self, segments: &[u8]) -> bool {
        let (octets, _) = segments.as_chunks::<16>();
        let sids: Vec<Ipv6Addr> = octets.iter().map(|sid| Ipv6Addr::from(*sid)).collect();
        self.segments.clear();
        if self.socket.set_segments(&sids).is_err() {
            // Nothing may go where it was not asked to.
            let _ = self.socket.clear_segments();
            return false;
        }
        self.segments.extend_from_slice(segments);
        true
    }

    /// The transmit stamp of this id is that of a reply of the engine.
    pub(super) fn await_stamp(&mut self, id: u32, reply: ReplyToken) {
        if self.awaited.len() >= MOST_AWAITED {
            self.awaited.pop_front();
        }
        self.awaited.push_back((id, reply));
    }

    /// Stamps of replies are on their way, or lost.
    pub(super) fn awaits_stamps(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Empties the error queue: the engine is told when replies left; ICMP errors about replies have
    /// only to be taken out of the way.
    pub(super) fn take_errors(&mut self, errors: &mut ErrorBatch, engine: &mut Reflector) {
        while self.socket.errors(errors).is_ok_and(|taken| taken > 0) {
            for event in errors.iter() {
                let SocketEvent::TransmitStamp { id, stamp } = event else { continue };
                let place = self.awaited.iter().position(|(awaited, _)| *awaited == id);
                let Some(place) = place else { continue };
                // Stamps come in the order of sending: those before it will not come any more.
                if let Some((_, reply)) = self.awaited.drain(..=place).next_back() {
                    engine.handle_reply_stamp(reply, stamp);
                }
            }
        }
    }

    /// The engine has counted so much more of what came in here.
    pub(super) fn count(&mut self, more: &ProbeCounts) {
        self.probes = self.probes.plus(more);
    }

    /// What the kernel dropped because the queue was full.
    pub(super) fn queue_drops(&self) -> u64 {
        self.socket.queue_drops().map_or(0, u64::from)
    }
}
