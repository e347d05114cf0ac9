//! A socket of a listener, and the segments that its replies pass at the moment.

use std::net::Ipv6Addr;

use stamp_net::UdpSocket;

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
}

impl Listener {
    pub(super) const fn new(token: u32, socket: UdpSocket) -> Self {
        Self { token, socket, segments: Vec::new() }
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

    /// What the kernel dropped because the queue was full.
    pub(super) fn queue_drops(&self) -> u64 {
        self.socket.queue_drops().map_or(0, u64::from)
    }
}
