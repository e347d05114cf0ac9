//! ICMPv6 errors about packets that this host put around its datagrams.
//!
//! The kernel hands an error to the socket of the protocol that the quoted packet carries. A datagram
//! inside another IPv6 header is none to it, so its own socket never hears of it; a raw socket for
//! IPv6 in IPv6 does, and finds out which datagram is meant.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, Socket, Type};

use crate::bpf::{RETURN_CONSTANT, step};
use crate::capability::Capability;
use crate::error::NetError;
use crate::rights;
use crate::socket::ErrorBatch;
use crate::sys;

/// Hears errors about tunnelled datagrams of one source.
#[derive(Debug)]
pub struct TunnelErrors {
    socket: Socket,
    source: SocketAddr,
    /// What stands between the outer IPv6 header and UDP.
    extension_octets: usize,
}

impl TunnelErrors {
    /// Hears errors about datagrams from `source` inside of packets from the same address, with
    /// `extension_octets` between the outer IPv6 header and UDP.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without `CAP_NET_RAW`; [`NetError::Call`] for what else the
    /// kernel refuses.
    pub fn open(source: SocketAddr, extension_octets: usize) -> Result<Self, NetError> {
        let kind = Type::RAW.nonblocking().cloexec();
        let protocol = Protocol::from(libc::IPPROTO_IPV6);
        let socket = rights::raw_socket(Domain::IPV6, kind, Some(protocol)).map_err(denied)?;
        // Not bound to the source, which may be an address of a VRF while the outer header travels
        // outside: what is quoted tells. Errors pass this filter by; tunnelled packets that arrive
        // here are for others.
        let mut nothing = [step(RETURN_CONSTANT, 0)];
        sys::option::set_program(socket.as_fd(), libc::SO_ATTACH_FILTER, &mut nothing)
            .map_err(NetError::option("SO_ATTACH_FILTER"))?;
        sys::option::set_int(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1)
            .map_err(NetError::option("IPV6_RECVERR"))?;
        Ok(Self { socket, source, extension_octets })
    }

    /// Takes entries off the error queue, as many as fit, and returns how many. An error about
    /// another session's datagram is taken and not shown by the batch.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when the socket is unusable.
    pub fn errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        batch.take_quoted(self.socket.as_fd(), self.source, self.extension_octets)
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
