//! Raw frames, sent and received past the kernel's own network stack.
//!
//! Probes with MPLS labels, and with SRv6 headers that no socket option makes, leave and arrive as
//! frames. What arrives is read from a ring, where it is as it was on the wire: a packet socket that
//! is read by `recvfrom` shows IPv6 headers as the kernel has rewritten them since.
//!
//! A socket sees a *copy*: the kernel still does with the original what it always does.

mod batch;
mod filter;
mod receive;
mod send;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use socket2::{Domain, Protocol, Socket, Type};

use crate::capability::Capability;
use crate::error::NetError;
use crate::interface::{self, LinkLayer};
use crate::rights;
use crate::socket::transmit::TransmitIds;
use crate::socket::{ErrorBatch, activation, options};
use crate::sys;
use crate::sys::ring::Ring;

pub use batch::{FrameBatch, Framed};
pub use filter::FrameFilter;
pub use receive::{Addressee, Frame, VlanTag};

/// What an Ethernet header says that it carries.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct EtherType(pub u16);

impl EtherType {
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
    /// MPLS, for a next hop alone.
    pub const MPLS: Self = Self(0x8847);
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// How a [`FrameSocket`] is to be made.
#[derive(Clone, Debug)]
pub struct FrameOptions {
    /// Send and receive on this interface.
    pub interface: String,
    /// What to let in; a filter that lets nothing in saves the ring.
    pub filter: FrameFilter,
    /// How many frames the ring holds at least.
    pub ring_frames: usize,
    /// How many octets of a frame are kept; a longer one is marked as truncated.
    pub frame_octets: usize,
    /// Receive also what this host sends on the interface.
    pub outgoing: bool,
    /// Ask for the time at which each frame left, see
    /// [`SocketEvent::TransmitStamp`](crate::SocketEvent::TransmitStamp).
    pub transmit_stamps: bool,
    /// Prefer stamps of the network card; they must have been switched on
    /// ([`timestamping::configure_hardware`](crate::timestamping::configure_hardware)) and the
    /// card's clock must keep UTC.
    pub hardware_stamps: bool,
    /// Octets to ask for, for frames that have not left yet.
    pub send_buffer: Option<usize>,
}

impl FrameOptions {
    /// Frames that a ring holds by default: four milliseconds at half a million a second.
    pub const RING_FRAMES: usize = 2048;
    /// Octets kept of each by default: all of an Ethernet frame with labels on top.
    pub const FRAME_OCTETS: usize = 1900;

    /// Everything that `filter` lets in on `interface`, but nothing of our own.
    #[must_use]
    pub fn new(interface: &str, filter: FrameFilter) -> Self {
        Self {
            interface: interface.to_owned(),
            filter,
            ring_frames: Self::RING_FRAMES,
            frame_octets: Self::FRAME_OCTETS,
            outgoing: false,
            transmit_stamps: false,
            hardware_stamps: false,
            send_buffer: None,
        }
    }
}

/// A packet socket of one interface.
///
/// What is received is read in place, by one thread. Any number of threads may send, but the ids of
/// transmit stamps stay in step only while a single one does.
#[derive(Debug)]
pub struct FrameSocket {
    ring: Option<Ring>,
    socket: OwnedFd,
    interface: u32,
    ethernet: bool,
    hardware_stamps: bool,
    transmit_ids: Option<TransmitIds>,
    dropped: AtomicU64,
}

impl FrameSocket {
    /// Opens a socket; nothing that the filter does not let in is ever received.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without `CAP_NET_RAW`, [`NetError::NoSuchInterface`],
    /// [`NetError::UnknownLinkLayer`] where the filter could not find the packet in a frame,
    /// [`NetError::NoDescriptors`], or the option or call that failed, with `ENOMEM` when there is
    /// no room for the ring.
    pub fn open(options: &FrameOptions) -> Result<Self, NetError> {
        activation::ensure_stamps();
        let link = interface::link(&options.interface)?;
        let ethernet = match link.link_layer {
            LinkLayer::Ethernet { .. } => true,
            LinkLayer::Bare => false,
            LinkLayer::Other { kind } => {
                return Err(NetError::UnknownLinkLayer { name: link.name.into(), kind });
            }
        };
        let mut socket = Self {
            ring: None,
            socket: raw_socket()?.into(),
            interface: link.index,
            ethernet,
            hardware_stamps: options.hardware_stamps,
            transmit_ids: options.transmit_stamps.then(TransmitIds::of_frames),
            dropped: AtomicU64::new(0),
        };
        socket.apply(options)?;
        let receives = !options.filter.is_empty();
        if receives {
            let octets = options.frame_octets.saturating_add(receive::HEADROOM);
            let ring = Ring::new(socket.as_fd(), options.ring_frames, octets);
            socket.ring = Some(ring.map_err(NetError::option("PACKET_RX_RING"))?);
            socket.set_filter(&options.filter)?;
        }
        // All protocols: such a socket gets its copy before anything else looks at the frame, a
        // program of traffic control that drops it included.
        let protocol = if receives { libc::ETH_P_ALL as u16 } else { 0 };
        sys::ring::bind(socket.as_fd(), link.index, protocol).map_err(|source| {
            match source.raw_os_error() {
                Some(libc::ENODEV) => {
                    NetError::NoSuchInterface { name: options.interface.as_str().into() }
                }
                _ => NetError::call("bind")(source),
            }
        })?;
        Ok(socket)
    }

    /// Finds out whether such sockets can be opened: once, as it takes the kernel ten milliseconds
    /// to close one.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without `CAP_NET_RAW`, [`NetError::NoDescriptors`].
    pub fn check_right() -> Result<(), NetError> {
        /// What was allowed once still is: rights that are given away later stay with a helper.
        static ALLOWED: OnceLock<()> = OnceLock::new();
        if ALLOWED.get().is_none() {
            drop(raw_socket()?);
            let _ = ALLOWED.set(());
        }
        Ok(())
    }

    fn apply(&self, options: &FrameOptions) -> Result<(), NetError> {
        let stamps = options::stamp_flags(options.transmit_stamps, options.hardware_stamps);
        let preferred =
            if options.hardware_stamps { libc::SOF_TIMESTAMPING_RAW_HARDWARE } else { 0 };
        let packet = libc::SOL_PACKET;
        for (option, level, name, value) in [
            ("SO_TIMESTAMPING", libc::SOL_SOCKET, libc::SO_TIMESTAMPING, stamps),
            ("PACKET_TIMESTAMP", packet, libc::PACKET_TIMESTAMP, preferred as i32),
            (
                "PACKET_IGNORE_OUTGOING",
                packet,
                libc::PACKET_IGNORE_OUTGOING,
                (!options.outgoing).into(),
            ),
        ] {
            sys::option::set_int(self.as_fd(), level, name, value)
                .map_err(NetError::option(option))?;
        }
        let buffer = options.send_buffer;
        buffer.map_or(Ok(()), |octets| options::send_buffer(&self.socket, octets))
    }

    /// Lets in something else from now on; what is in the ring already stays.
    ///
    /// A socket that was opened to receive nothing has no ring, and goes on receiving nothing.
    ///
    /// # Errors
    ///
    /// [`NetError::SocketOption`] when the kernel refuses.
    pub fn set_filter(&self, filter: &FrameFilter) -> Result<(), NetError> {
        set_filter(self.as_fd(), self.ethernet, filter)
    }

    /// The gate of this socket, for another thread than the one that reads.
    ///
    /// # Errors
    ///
    /// [`NetError::NoDescriptors`].
    pub fn gate(&self) -> Result<FrameGate, NetError> {
        let socket = self.socket.try_clone().map_err(NetError::call("fcntl"))?;
        Ok(FrameGate { socket, ethernet: self.ethernet })
    }

    /// Its interface is still there. One that went is gone for this socket, even where it comes
    /// back with the same number.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        sys::ring::bound_to(self.as_fd()).is_ok_and(|to| u32::try_from(to) == Ok(self.interface))
    }

    /// Number of the interface.
    #[must_use]
    pub const fn interface(&self) -> u32 {
        self.interface
    }

    /// Frames begin with an Ethernet header; on other links they are packets.
    #[must_use]
    pub const fn has_ethernet_header(&self) -> bool {
        self.ethernet
    }

    /// How many frames found no room in the ring since the socket was opened: what was lost here
    /// was not lost on the path. `None` when a sandbox forbids the question.
    #[must_use]
    pub fn dropped(&self) -> Option<u64> {
        // `struct tpacket_stats`: all frames and those that were dropped, since it was last asked.
        let read =
            sys::option::get_words::<2>(self.as_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS);
        let ([_, dropped], _) = read.ok()?;
        let dropped = u64::from(dropped);
        Some(self.dropped.fetch_add(dropped, Ordering::Relaxed) + dropped)
    }

    /// Takes entries off the error queue, as many as fit into `batch`, and returns how many.
    ///
    /// To be called like [`UdpSocket::errors`](crate::UdpSocket::errors), also when the poller
    /// reports an error although no stamps were asked for: it tells of an interface that went down.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when the socket is unusable.
    pub fn errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        batch.take(self.as_fd(), self.hardware_stamps)
    }
}

/// What a [`FrameSocket`] lets in, from another thread than the one that reads it.
#[derive(Debug)]
pub struct FrameGate {
    socket: OwnedFd,
    ethernet: bool,
}

impl FrameGate {
    /// [`FrameSocket::set_filter`].
    ///
    /// # Errors
    ///
    /// [`NetError::SocketOption`] when the kernel refuses.
    pub fn set_filter(&self, filter: &FrameFilter) -> Result<(), NetError> {
        set_filter(self.socket.as_fd(), self.ethernet, filter)
    }
}

fn set_filter(
    socket: BorrowedFd<'_>,
    ethernet: bool,
    filter: &FrameFilter,
) -> Result<(), NetError> {
    let mut program = filter.program(ethernet);
    sys::option::set_program(socket, libc::SO_ATTACH_FILTER, &mut program)
        .map_err(NetError::option("SO_ATTACH_FILTER"))
}

impl AsFd for FrameSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Without a protocol nothing is received until everything is set.
fn raw_socket() -> Result<Socket, NetError> {
    let kind = Type::RAW.nonblocking().cloexec();
    rights::raw_socket(Domain::PACKET, kind, Some(Protocol::from(0))).map_err(denied)
}

fn denied(source: io::Error) -> NetError {
    match source.raw_os_error() {
        Some(libc::EPERM) => {
            NetError::PermissionDenied { what: "raw frames", capability: Capability::NetRaw }
        }
        _ => NetError::call("socket")(source),
    }
}
