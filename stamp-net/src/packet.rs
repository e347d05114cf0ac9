//! Frames of others, taken in and passed on.
//!
//! [`frame`](crate::frame) sends and receives probes: one interface, a ring, stamps of departure.
//! Whoever passes on what others sent wants other things: all interfaces by one socket, those to
//! come included, and what the sending host left to its interface (checksums, segmentation) carried
//! along with the frame instead of looking into it.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, LinkAddr, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Socket, Type};

use crate::capability::Capability;
use crate::error::NetError;
use crate::frame::EtherType;
use crate::sys;

/// Every EtherType (`ETH_P_ALL`).
pub const EVERY_PROTOCOL: EtherType = EtherType(3);

/// Octets in front of each frame of a socket opened with [`Offload::Carried`].
pub const OFFLOAD_OCTETS: usize = 10;

/// As much as the kernel grants; its default holds some 250 small frames.
const RECEIVE_BUFFER_OCTETS: usize = 8 << 20;

/// What becomes of work that the sending host left to its interface: checksums and segmentation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Offload {
    /// Frames are as they stand in memory: the checksums of local senders may not be filled in.
    Ignored,
    /// Each frame has [`OFFLOAD_OCTETS`] in front of it (`struct virtio_net_hdr`) that say what is
    /// left to do; a frame sent with those of another arrives as that one would have.
    Carried,
}

/// A packet socket on one interface or on all of them.
#[derive(Debug)]
pub struct PacketSocket {
    socket: Socket,
}

/// What was read along with a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FrameArrival {
    /// Length of what was read, cut to the buffer.
    pub octets: usize,
    /// When the kernel received it; CLOCK_REALTIME, nanoseconds since 1970.
    pub at_wall_ns: Option<i64>,
    /// The interface it came in by.
    pub interface: u32,
    /// This host sent it.
    pub is_outgoing: bool,
    /// Frames dropped so far for want of buffer.
    pub overflowed: u32,
}

impl PacketSocket {
    /// Opens a socket in the namespace of the calling thread for frames of one EtherType.
    ///
    /// Interface 0 is all of them, those to come included.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without CAP_NET_RAW, [`NetError::Call`] for what else the
    /// kernel refuses.
    pub fn open(interface: u32, protocol: EtherType, offload: Offload) -> Result<Self, NetError> {
        // No protocol before everything is set: no frame slips in half prepared.
        let socket = Socket::new(Domain::PACKET, Type::RAW, None).map_err(refused)?;
        let set = |result: nix::Result<()>, name| result.map_err(NetError::errno(name));
        set(setsockopt(&socket, sockopt::ReceiveTimestampns, &true), "SO_TIMESTAMPNS")?;
        set(setsockopt(&socket, sockopt::RxqOvfl, &1), "SO_RXQ_OVFL")?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER_OCTETS).map_err(NetError::call("SO_RCVBUF"))?;
        // Root may have what it asks for; in a user namespace the limit stands.
        let _limited = setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_OCTETS);
        if offload == Offload::Carried {
            sys::option::set_int(socket.as_fd(), libc::SOL_PACKET, PACKET_VNET_HDR, 1)
                .map_err(NetError::option("PACKET_VNET_HDR"))?;
        }
        let address = sys::link_address::link_address(interface, protocol.0);
        socket.bind(&address).map_err(NetError::call("bind"))?;
        Ok(Self { socket })
    }

    /// The next frame, if one is there.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when the kernel fails; an interface that is down or gone has no frames.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<Option<FrameArrival>, NetError> {
        let mut control = cmsg_space!(TimeSpec, u32);
        let mut slices = [IoSliceMut::new(buffer)];
        let received = recvmsg::<LinkAddr>(
            self.socket.as_raw_fd(),
            &mut slices,
            Some(&mut control),
            MsgFlags::MSG_DONTWAIT,
        );
        let message = match received {
            Ok(message) => message,
            Err(Errno::EAGAIN | Errno::ENETDOWN) => return Ok(None),
            Err(errno) => return Err(NetError::errno("recvmsg")(errno)),
        };
        let mut arrival = FrameArrival {
            octets: message.bytes,
            at_wall_ns: None,
            interface: 0,
            is_outgoing: false,
            overflowed: 0,
        };
        if let Some(from) = message.address {
            arrival.interface = u32::try_from(from.ifindex()).unwrap_or(0);
            arrival.is_outgoing = from.pkttype() == libc::PACKET_OUTGOING;
        }
        for control in message.cmsgs().map_err(NetError::errno("recvmsg"))? {
            match control {
                ControlMessageOwned::ScmTimestampns(at) => {
                    arrival.at_wall_ns = Some(at.tv_sec() * 1_000_000_000 + at.tv_nsec());
                }
                ControlMessageOwned::RxqOvfl(total) => arrival.overflowed = total,
                _ => {}
            }
        }
        Ok(Some(arrival))
    }

    /// Sends a frame over an interface.
    ///
    /// # Errors
    ///
    /// What `sendto` returned: the interface is down or gone, or the frame larger than it takes.
    pub fn send(&self, interface: u32, frame: &[u8]) -> io::Result<()> {
        let address = sys::link_address::link_address(interface, 0);
        self.socket.send_to(frame, &address).map(drop)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// `PACKET_VNET_HDR` of `linux/if_packet.h`.
const PACKET_VNET_HDR: libc::c_int = 15;

fn refused(source: io::Error) -> NetError {
    match source.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            NetError::PermissionDenied { what: "a packet socket", capability: Capability::NetRaw }
        }
        _ => NetError::call("socket")(source),
    }
}
