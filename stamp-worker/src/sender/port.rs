//! How the probes of a session leave this host, and how what they bring about comes back.

mod frames;
mod homecoming;
mod looped;
mod news;
mod registry;
mod rings;
mod shared_out;
mod shared_ring;
mod sightings;

use stamp_net::{
    Datagram, ErrorBatch, FrameBatch, NetError, Outgoing, Poller, ReceiveBatch, SendBatch,
    SendFailure, SendOutcome, UdpSocket,
};
use stamp_proto::time::Stamp;
use stamp_session::clock::MonotonicTime;
use stamp_session::datagram::{Headers, Received};
use stamp_session::sender::{SendToken, Sender};

use crate::SLOT_OCTETS;
use crate::clock::{now, user_stamp};

pub use frames::{FramePort, FrameWay};
pub use homecoming::Homecoming;
pub use looped::{LoopPort, PlainSegments};
pub(super) use news::News;
pub(super) use registry::{OUT, SharedSockets, SocketTable};
pub use rings::Rings;

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
    /// When its T1 was read.
    pub(super) at: MonotonicTime,
    pub(super) token: SendToken,
    pub(super) outcome: Left,
}

/// Whether a probe left.
pub(super) enum Left {
    /// The kernel took it; the id that its stamp will carry, where its own socket gives it.
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
    /// Finds or opens what it has together with other sessions of its worker.
    pub(super) fn join(&mut self, shared: &SharedSockets) -> Result<(), NetError> {
        match self {
            Self::Socket(_) => Ok(()),
            Self::Loop(port) => port.rings.as_mut().map_or(Ok(()), |rings| rings.join(shared)),
            Self::Frames(port) => port.join(shared),
        }
    }

    /// What it receives may be dropped together with what is for others.
    pub(super) const fn shares_ring(&self) -> bool {
        match self {
            Self::Socket(_) => false,
            Self::Loop(port) => port.rings.is_some(),
            Self::Frames(port) => port.rings().is_some(),
        }
    }

    /// Watches all ways in and out; events carry `token`, those of shared rings their own.
    pub(super) fn watch(
        &mut self,
        poller: &Poller,
        token: u32,
        table: &mut SocketTable,
    ) -> Result<(), NetError> {
        match self {
            Self::Socket(socket) => poller.add(socket, token),
            Self::Loop(port) => {
                poller.add(&port.out, token)?;
                poller.add(&port.back, token)?;
                let rings = port.rings.as_mut();
                rings.map_or(Ok(()), |rings| rings.watch(poller, token, table))
            }
            Self::Frames(port) => port.watch(poller, token, table),
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
        let now = now();
        let transmit = engine.poll_transmit(now, send.slot()?)?;
        let (octets, token, at) = (transmit.octets.len(), transmit.token, now.monotonic);
        if !ready {
            return Some(Departure { at, token, outcome: Left::NotTried });
        }
        send.push(Outgoing::new(octets, to));
        out.send(send);
        Some(Departure { at, token, outcome: send.outcome(0).into() })
    }

    /// Hands over transmit stamps, with Sequence Numbers, that come by a socket of several sessions; whether they
    /// do.
    pub(super) fn shared_stamps(
        &self,
        batch: &mut ErrorBatch,
        each: impl FnMut(u32, Stamp),
    ) -> bool {
        let Self::Frames(port) = self else { return false };
        port.stamps(batch, each);
        true
    }

    /// What waits on the error queue of its own socket: ICMP errors, and transmit stamps where those do not come by
    /// another.
    pub(super) fn errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        match self {
            Self::Socket(out) => out.errors(batch),
            Self::Loop(port) => port.out.errors(batch),
            Self::Frames(port) => port.errors(batch),
        }
    }

    /// Largest payload, in octets, that fits behind what was put around probes.
    pub(super) fn largest_payload(&self, mtu: u32) -> Option<usize> {
        match self {
            Self::Socket(_) | Self::Loop(_) => None,
            Self::Frames(port) => port.largest_payload(mtu),
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
        Taken { count, queue_drops: rings.known_drops() }
    }

    /// Leaves another way, where there is one now.
    pub(super) fn follow(&mut self, news: &mut News, poller: &Poller, table: &mut SocketTable) {
        if let Self::Frames(port) = self {
            port.follow(news, poller, table);
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
