//! A socket of a listener, and the segments that its replies pass at the moment.

use std::collections::VecDeque;
use std::net::Ipv6Addr;

use stamp_net::{ErrorBatch, SocketEvent, UdpSocket};
use stamp_session::reflector::{Reflector, ReplyToken};

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
    /// SIDs in travel order, as they lie in a Return Path TLV.
    segments: Vec<u8>,
    /// Replies whose transmit stamp is wanted, with its id, in the order of sending.
    awaited: VecDeque<(u32, ReplyToken)>,
}

impl Listener {
    pub(super) const fn new(token: u32, socket: UdpSocket) -> Self {
        Self { token, socket, segments: Vec::new(), awaited: VecDeque::new() }
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

    /// What the kernel dropped because the queue was full.
    pub(super) fn queue_drops(&self) -> u64 {
        self.socket.queue_drops().map_or(0, u64::from)
    }
}
