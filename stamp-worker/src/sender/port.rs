//! How the probes of a session leave this host, and how what they bring about comes back.

mod frames;
mod looped;
mod rings;
mod sightings;

use stamp_net::{
    Datagram, ErrorBatch, FrameBatch, NetError, Outgoing, Poller, ReceiveBatch, SendBatch,
    SendFailure, SendOutcome, UdpSocket,
};
use stamp_session::datagram::{Headers, Received};
use stamp_session::sender::{SendToken, Sender};

use crate::SLOT_OCTETS;
use crate::clock::{now, user_stamp};

pub use frames::{FramePort, FrameWay};
pub use looped::{LoopPort, PlainSegments};
pub use rings::{Homecoming, Rings};

/// Datagrams or frames taken at once.
pub(super) const COUNT: usize = 64;
/// Room in a frame for all headers in front of a probe, beside the probe itself.
const HEADER_OCTETS: usize = 2_304;

/// The ways out and in of one session. It keeps its five-tuple, so it keeps its path.
#[derive(Debug)]
pub enum Port {
    /// One socket: replies come to where probes leave from.
    Socket(UdpSocket),
    /// Two sockets: probes come back themselves.
    Loop(Box<LoopPort>),
    /// Probes leave in frames that are built here.
    Frames(Box<FramePort>),
}

impl From<UdpSocket> for Port {
    fn from(socket: UdpSocket) -> Self {
        Self::Socket(socket)
    }
}

/// Buffers that all sessions of a worker share.
pub(super) struct PortBuffers {
    receive: ReceiveBatch,
    send: SendBatch,
    frames: FrameBatch,
}

impl PortBuffers {
    pub(super) fn new() -> Self {
        Self {
            receive: ReceiveBatch::new(COUNT, SLOT_OCTETS),
            send: SendBatch::new(1, SLOT_OCTETS),
            frames: FrameBatch::new(1, SLOT_OCTETS + HEADER_OCTETS),
        }
    }
}

/// What became of a probe that was due.
pub(super) struct Departure {
    pub(super) token: SendToken,
    pub(super) outcome: Left,
}

/// Whether a probe left.
pub(super) enum Left {
    /// The kernel took it; the id that its stamp will carry.
    Sent(Option<u32>),
    /// The kernel refused it.
    Failed(SendFailure),
    /// It was not handed to the kernel.
    NotTried,
    /// There is nobody on the link to hand it to.
    NoNeighbour,
}

impl From<SendOutcome> for Left {
    fn from(outcome: SendOutcome) -> Self {
        match outcome {
            SendOutcome::Sent { transmit_id } => Self::Sent(transmit_id),
            SendOutcome::Failed(failure) => Self::Failed(failure),
            SendOutcome::Unsent => Self::NotTried,
        }
    }
}

impl Port {
    /// Watches all ways in and out; events carry `token`.
    pub(super) fn watch(&self, poller: &Poller, token: u32) -> Result<(), NetError> {
        match self {
            Self::Socket(socket) => poller.add(socket, token),
            Self::Loop(port) => {
                poller.add(&port.out, token)?;
                poller.add(&port.back, token)?;
                port.rings.as_ref().map_or(Ok(()), |rings| rings.watch(poller, token))
            }
            Self::Frames(port) => port.watch(poller, token),
        }
    }

    /// The kernel tells when probes left.
    pub(super) const fn transmit_stamps(&self) -> bool {
        match self {
            Self::Socket(out) => out.transmit_stamps(),
            Self::Loop(port) => port.out.transmit_stamps(),
            Self::Frames(_) => true,
        }
    }

    /// Sends the probe that is due, if one is. One a call: its T1 is read last, and nothing delays
    /// its departure.
    pub(super) fn depart(
        &mut self,
        engine: &mut Sender,
        buffers: &mut PortBuffers,
    ) -> Option<Departure> {
        let (out, ready) = match self {
            Self::Socket(out) => (out, true),
            Self::Loop(port) => {
                let ready = port.take_form(engine.asks_for_timestamp());
                (&mut port.out, ready)
            }
            Self::Frames(port) => return port.depart(engine, &mut buffers.frames),
        };
        let to = engine.config().target;
        let send = &mut buffers.send;
        send.clear();
        let transmit = engine.poll_transmit(now(), send.slot()?)?;
        let (octets, token) = (transmit.octets.len(), transmit.token);
        if !ready {
            return Some(Departure { token, outcome: Left::NotTried });
        }
        send.push(Outgoing::new(octets, to));
        out.send(send);
        Some(Departure { token, outcome: send.outcome(0).into() })
    }

    /// What waits on the error queue of the way out: transmit stamps and ICMP errors.
    pub(super) fn errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        match self {
            Self::Socket(out) => out.errors(batch),
            Self::Loop(port) => port.out.errors(batch),
            Self::Frames(port) => port.errors(batch),
        }
    }

    /// ICMP errors that came for another socket than the one probes leave by.
    pub(super) fn icmp_errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        match self {
            Self::Socket(_) | Self::Loop(_) => Ok(0),
            Self::Frames(port) => port.icmp_errors(batch),
        }
    }

    /// ICMP errors about what was put around probes.
    pub(super) fn tunnel_errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        match self {
            Self::Socket(_) | Self::Loop(_) => Ok(0),
            Self::Frames(port) => port.tunnel_errors(batch),
        }
    }

    /// Hands every datagram that waits to `each`, up to `most` of them (at most [`COUNT`]), and tells
    /// how many there were and what the kernel says of its queue.
    pub(super) fn receive(
        &mut self,
        most: usize,
        buffers: &mut PortBuffers,
        mut each: impl FnMut(Received<'_>),
    ) -> Taken {
        let (socket, rings) = match self {
            Self::Socket(back) => (&*back, None),
            Self::Loop(port) => (&port.back, port.rings.as_mut()),
            Self::Frames(port) => port.back(),
        };
        // An ICMP error that was pending is on the error queue; the packets behind it still count.
        let batch = &mut buffers.receive;
        batch.expect(most);
        let mut count = socket.receive(batch).unwrap_or(0);
        let datagrams = batch.iter().filter(|datagram| !datagram.truncated);
        let Some(rings) = rings else {
            datagrams.for_each(|datagram| each(received(&datagram)));
            return Taken { count, queue_drops: batch.queue_drops() };
        };
        // What is at the socket by now was in a ring before.
        count = count.max(rings.receive(&mut each));
        for datagram in datagrams.filter(|datagram| !rings.have_shown(datagram.octets)) {
            each(received(&datagram));
        }
        Taken { count, queue_drops: None }
    }

    /// Looks whether the way out is another by now; cheap when nothing changed.
    pub(super) fn follow_changes(&mut self) {
        if let Self::Frames(port) = self {
            port.follow_changes();
        }
    }

    /// Datagrams that our own queue of the way in has dropped since it was opened.
    pub(super) fn queue_drops(&self) -> Option<u32> {
        match self {
            Self::Socket(back) => back.queue_drops(),
            Self::Loop(port) => match &port.rings {
                Some(rings) => rings.dropped(),
                None => port.back.queue_drops(),
            },
            Self::Frames(port) => port.queue_drops(),
        }
    }
}

fn received<'a>(datagram: &Datagram<'a>) -> Received<'a> {
    Received {
        octets: datagram.octets,
        from: datagram.from,
        to: datagram.to,
        interface: datagram.interface,
        stamp: datagram.stamp.unwrap_or_else(|| user_stamp(now())),
        hop_limit: datagram.hop_limit,
        traffic_class: datagram.traffic_class,
        headers: Headers::UNKNOWN,
    }
}

/// What a look at the way in found.
pub(super) struct Taken {
    pub(super) count: usize,
    pub(super) queue_drops: Option<u32>,
}
