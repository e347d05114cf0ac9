//! Sockets that packets leave through, and the packets that wait to.

use stamp_net::{
    Egress, EtherType, FrameBatch, FrameFilter, FrameOptions, FrameSocket, SendOutcome,
};
use stamp_session::forwarding::{DropReason, Fate, Forward, Forwarder};

/// Packets sent at once.
const SEND_COUNT: usize = 32;
/// Octets of a frame at most: what a ring keeps of one, and labels put on.
pub(super) const FRAME_OCTETS: usize = FrameOptions::FRAME_OCTETS + 128;

/// An exit for each interface that something left through.
#[derive(Debug, Default)]
pub(super) struct Exits(Vec<Exit>);

#[derive(Debug)]
struct Exit {
    interface: u32,
    socket: FrameSocket,
    batch: FrameBatch,
    /// What to count of the frames in `batch`, in its order.
    fates: Vec<Fate>,
}

impl Exits {
    /// The exit that leads there, opened at its first packet.
    pub(super) fn through(&mut self, egress: &Egress) -> Result<usize, DropReason> {
        if let Some(at) = self.0.iter().position(|exit| exit.interface == egress.interface) {
            return Ok(at);
        }
        let options = FrameOptions::new(&egress.name, FrameFilter::nothing());
        let socket = FrameSocket::open(&options).map_err(|_| DropReason::SendError)?;
        self.0.push(Exit {
            interface: egress.interface,
            socket,
            batch: FrameBatch::new(SEND_COUNT, FRAME_OCTETS),
            fates: Vec::with_capacity(SEND_COUNT),
        });
        Ok(self.0.len() - 1)
    }

    /// Writes a packet behind the header of its link; tells whether the batch is full now.
    pub(super) fn add(
        &mut self,
        at: usize,
        egress: &Egress,
        forward: &Forward<'_>,
    ) -> Result<bool, DropReason> {
        let exit = self.0.get_mut(at).ok_or(DropReason::SendError)?;
        let octets = forward.octets();
        if octets > egress.mtu as usize {
            return Err(DropReason::TooBig);
        }
        let ether_type = EtherType(forward.ether_type().0);
        let header = egress.link_header(ether_type).ok_or(DropReason::NoNeighbour)?;
        let header = header.octets();
        let slot = exit.batch.slot().ok_or(DropReason::SendError)?;
        let (link, packet) = slot.split_at_mut_checked(header.len()).ok_or(DropReason::TooBig)?;
        link.copy_from_slice(header);
        let octets = forward.emit(packet).map_err(|_| DropReason::TooBig)?;
        exit.batch.push(header.len() + octets);
        exit.fates.push(forward.fate());
        Ok(exit.batch.is_full())
    }

    /// Sends what waits at one exit.
    pub(super) fn flush(&mut self, at: usize, forwarder: &mut Forwarder) {
        if let Some(exit) = self.0.get_mut(at) {
            exit.flush(forwarder);
        }
    }

    /// Sends everything that waits.
    pub(super) fn flush_all(&mut self, forwarder: &mut Forwarder) {
        self.0.iter_mut().for_each(|exit| exit.flush(forwarder));
    }

    /// Forgets exits of interfaces that are gone; their numbers may come back as others.
    pub(super) fn close_all(&mut self) {
        self.0.clear();
    }
}

impl Exit {
    fn flush(&mut self, forwarder: &mut Forwarder) {
        if self.batch.is_empty() {
            return;
        }
        self.socket.send(&mut self.batch);
        for (fate, outcome) in self.fates.drain(..).zip(self.batch.outcomes()) {
            match outcome {
                SendOutcome::Sent { .. } => forwarder.handle_sent(fate),
                SendOutcome::Failed(_) | SendOutcome::Unsent => {
                    forwarder.handle_unsent(DropReason::SendError);
                }
            }
        }
        self.batch.clear();
    }
}
