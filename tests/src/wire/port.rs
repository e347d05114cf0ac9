//! A packet socket on one interface: whole frames in, whole frames out.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    ControlMessageOwned, LinkAddr, MsgFlags, bind, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, Socket, Type};

/// Every EtherType (`ETH_P_ALL`).
const EVERYTHING: u16 = 3;

/// As much as the kernel grants; its default holds some 250 small frames.
const RECEIVE_BUFFER_OCTETS: usize = 8 << 20;

/// One end of the relay.
#[derive(Debug)]
pub(super) struct Port {
    socket: Socket,
}

/// What was read along with a frame.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) octets: usize,
    /// Kernel receive time (CLOCK_REALTIME).
    pub(super) at_ns: Option<i64>,
    /// Frames dropped so far for want of buffer.
    pub(super) overflowed: Option<u32>,
}

impl Port {
    /// Opens the interface of that name in the namespace of the calling thread.
    pub(super) fn open(interface: &str) -> io::Result<Self> {
        // A link-layer address of the right interface, without protocol: the socket keeps its own.
        let address = getifaddrs()?
            .filter(|listed| listed.interface_name == interface)
            .find_map(|listed| listed.address?.as_link_addr().copied())
            .ok_or(io::ErrorKind::NotFound)?;
        let protocol = Protocol::from(i32::from(EVERYTHING.to_be()));
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol))?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&socket, sockopt::RxqOvfl, &1)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER_OCTETS)?;
        // Root may have what it asks for; in a user namespace the limit stands.
        let _limited = setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_OCTETS);
        bind(socket.as_raw_fd(), &address)?;
        Ok(Self { socket })
    }

    /// The next frame, if one is there.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<Arrival>> {
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
            // Nothing there; or the link went away with its namespace.
            Err(Errno::EAGAIN | Errno::ENETDOWN) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        let mut arrival = Arrival { octets: message.bytes, at_ns: None, overflowed: None };
        for control in message.cmsgs()? {
            match control {
                ControlMessageOwned::ScmTimestampns(at) => {
                    arrival.at_ns = Some(at.tv_sec() * 1_000_000_000 + at.tv_nsec());
                }
                ControlMessageOwned::RxqOvfl(total) => arrival.overflowed = Some(total),
                _ => {}
            }
        }
        Ok(Some(arrival))
    }

    /// Sends a frame. False if the interface would not take it, being down or gone.
    pub(super) fn send(&self, frame: &[u8]) -> bool {
        self.socket.send(frame).is_ok()
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
