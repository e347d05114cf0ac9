//! ICMPv6 errors about packets that this host put around its datagrams.
//!
//! The kernel hands an error to the socket of the protocol that the quoted packet carries. A datagram
//! inside another IPv6 header is none to it, so its own socket never hears of it; a raw socket for
//! IPv6 in IPv6 does, and finds out which datagram is meant.

use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, Socket, Type};

use crate::bpf::{RETURN_CONSTANT, step};
use crate::capability::Capability;
use crate::error::NetError;
use crate::rights;
use crate::socket::ErrorBatch;
use crate::sys;

/// Hears errors about tunnelled datagrams, whosever they are: the kernel shows each error, and each tunnelled packet
/// that arrives, to every such socket there is, so one serves a thread.
#[derive(Debug)]
pub struct TunnelErrors {
    socket: Socket,
}

impl TunnelErrors {
    /// Hears errors about datagrams of this host that left inside of another IPv6 packet.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without `CAP_NET_RAW`; [`NetError::Call`] for what else the
    /// kernel refuses.
    pub fn open() -> Result<Self, NetError> {
        let kind = Type::RAW.nonblocking().cloexec();
        let protocol = Protocol::from(libc::IPPROTO_IPV6);
        let socket = rights::raw_socket(Domain::IPV6, kind, Some(protocol)).map_err(denied)?;
        // Not bound to an address, which may be one of a VRF while the outer header travels
        // outside: what is quoted tells. Errors pass this filter by; tunnelled packets that arrive
        // here are for others.
        let mut nothing = [step(RETURN_CONSTANT, 0)];
        sys::option::set_program(socket.as_fd(), libc::SO_ATTACH_FILTER, &mut nothing)
            .map_err(NetError::option("SO_ATTACH_FILTER"))?;
        sys::option::set_int(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1)
            .map_err(NetError::option("IPV6_RECVERR"))?;
        Ok(Self { socket })
    }

    /// Takes entries off the error queue, as many as fit, and returns how many; for [`ErrorBatch::quoted`].
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when the socket is unusable.
    pub fn errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        batch.take_quoted(self.socket.as_fd())
    }
}

impl AsFd for TunnelErrors {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn denied(source: std::io::Error) -> NetError {
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => NetError::PermissionDenied {
            what: "hearing of errors about tunnelled probes",
            capability: Capability::NetRaw,
        },
        _ => NetError::call("socket")(source),
    }
}
