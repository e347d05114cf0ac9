//! Making, binding and taking over sockets.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::transmit::TransmitIds;
use super::{SocketOptions, UdpSocket, activation, octet, options};
use crate::capability::Capability;
use crate::error::NetError;
use crate::holder;
use crate::rights;
use crate::sys;
use crate::sys::message::{self, CONTROL_OCTETS, Filled, NAME_OCTETS, ReceiveBuffers};
use crate::sysctl;

/// Who else may have the port.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sharing {
    /// Nobody.
    Exclusive,
    /// The sockets of the same group, which are bound already.
    Group,
}

pub(super) fn open(options: &SocketOptions, sharing: Sharing) -> Result<UdpSocket, NetError> {
    let drawn = open_once(options, sharing)?;
    if options.local.port() == 0 && options.far_port == Some(drawn.local.port()) {
        // While it is held it cannot be drawn again.
        return open_once(options, sharing);
    }
    Ok(drawn)
}

fn open_once(options: &SocketOptions, sharing: Sharing) -> Result<UdpSocket, NetError> {
    activation::ensure_stamps();
    let socket = unbound(options.local)?;
    if let Some(name) = &options.interface {
        options::bind_to_interface(&socket, name)?;
    }
    if let Some(mark) = options.fwmark {
        options::set_fwmark(&socket, mark)?;
    }
    // Before binding, so that not even the first datagram lacks its stamp.
    options::apply(&socket, options)?;
    if sharing == Sharing::Group {
        socket.set_reuse_port(true).map_err(NetError::option("SO_REUSEPORT"))?;
    }
    bind(&socket, options.local)?;
    let socket = OwnedFd::from(socket);
    Ok(UdpSocket {
        local: local_address(&socket)?,
        socket,
        peer: None,
        interface: options.interface.as_deref().map(Into::into),
        fwmark: options.fwmark,
        traffic_class: octet(options.traffic_class),
        hardware_stamps: options.hardware_stamps,
        headers: options.headers,
        segments: None,
        transmit_ids: options.takes_transmit_stamps().then(TransmitIds::new),
        stamp_request: options.stamp_request(),
    })
}

pub(super) fn adopt(socket: OwnedFd, options: &SocketOptions) -> Result<UdpSocket, NetError> {
    activation::ensure_stamps();
    let borrowed = SockRef::from(&socket);
    let kind = borrowed.r#type().map_err(NetError::call("getsockopt"))?;
    if kind != Type::DGRAM {
        let source = std::io::Error::from_raw_os_error(libc::EPROTOTYPE);
        return Err(NetError::Call { call: "getsockname", source });
    }
    borrowed.set_nonblocking(true).map_err(NetError::call("fcntl"))?;
    let interface = borrowed.device().map_err(NetError::option("SO_BINDTODEVICE"))?;
    let interface = interface.and_then(|name| String::from_utf8(name).ok());
    let local = local_address(&socket)?;
    if local.is_ipv6() && !borrowed.only_v6().map_err(NetError::option("IPV6_V6ONLY"))? {
        return Err(NetError::TakesBothFamilies { address: local });
    }
    forget_transmit_stamps(&socket)?;
    options::apply(&socket, &SocketOptions { local, ..options.clone() })?;
    Ok(UdpSocket {
        local,
        peer: borrowed.peer_addr().ok().and_then(|peer| peer.as_socket()),
        interface: interface.map(Into::into),
        fwmark: borrowed.mark().ok().filter(|mark| *mark != 0),
        socket,
        traffic_class: octet(options.traffic_class),
        hardware_stamps: options.hardware_stamps,
        headers: options.headers,
        segments: None,
        transmit_ids: options.takes_transmit_stamps().then(TransmitIds::new),
        stamp_request: options.stamp_request(),
    })
}

/// Lets ids begin at 0 again and throws away what whoever had the socket before did not read: stamps
/// of its datagrams would be taken for ours. What arrives meanwhile is stamped all the same.
fn forget_transmit_stamps(socket: &OwnedFd) -> Result<(), NetError> {
    let (level, option) = (libc::SOL_SOCKET, libc::SO_TIMESTAMPING);
    let flags = options::stamp_flags(false, false);
    sys::option::set_int(socket.as_fd(), level, option, flags)
        .map_err(NetError::option("SO_TIMESTAMPING"))?;
    let (mut name, mut control) = ([0; NAME_OCTETS], [0; CONTROL_OCTETS]);
    loop {
        let buffers = ReceiveBuffers { payload: &mut [], name: &mut name, control: &mut control };
        let buffers = [buffers].into_iter();
        let mut filled = [Filled::default()];
        match message::receive(socket.as_fd(), libc::MSG_ERRQUEUE, buffers, &mut filled) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
            Err(source) => return Err(NetError::call("recvmmsg")(source)),
        }
    }
}

/// A socket of the family of `address`, which for IPv6 is IPv6 alone.
pub(crate) fn unbound(address: SocketAddr) -> Result<Socket, NetError> {
    let kind = Type::DGRAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::UDP));
    let socket = socket.map_err(|source| match source.raw_os_error() {
        Some(libc::EAFNOSUPPORT) => NetError::FamilyUnavailable { ipv6: address.is_ipv6() },
        _ => NetError::call("socket")(source),
    })?;
    if address.is_ipv6() {
        socket.set_only_v6(true).map_err(NetError::option("IPV6_V6ONLY"))?;
    }
    Ok(socket)
}

pub(crate) fn bind(socket: &Socket, address: SocketAddr) -> Result<(), NetError> {
    let Err(source) = rights::bind(socket, address) else { return Ok(()) };
    Err(match source.raw_os_error() {
        Some(libc::EADDRINUSE) if address.port() == 0 => NetError::NoPorts,
        Some(libc::EADDRINUSE) => NetError::AddressInUse { address, holder: holder::find(address) },
        Some(libc::EACCES) => {
            let first_unprivileged = sysctl::first_unprivileged_port();
            if address.port() < first_unprivileged {
                NetError::PrivilegedPort { address, first_unprivileged }
            } else {
                NetError::PermissionDenied {
                    what: "binding this port",
                    capability: Capability::NetBindService,
                }
            }
        }
        Some(libc::EADDRNOTAVAIL) => NetError::AddressNotAvailable { address },
        Some(libc::EINVAL | libc::ENODEV) => match lacks_scope(address) {
            Some(address) => NetError::MissingScope { address },
            // A scope of an interface that is not there.
            None => NetError::AddressNotAvailable { address },
        },
        _ => NetError::call("bind")(source),
    })
}

/// The address itself, when it is link-local without saying on which link.
pub(crate) fn lacks_scope(address: SocketAddr) -> Option<IpAddr> {
    match address {
        SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0 => {
            Some((*v6.ip()).into())
        }
        _ => None,
    }
}

pub(super) fn local_address(socket: &impl AsFd) -> Result<SocketAddr, NetError> {
    let local = SockRef::from(socket).local_addr().map_err(NetError::call("getsockname"))?;
    let family = || std::io::Error::from_raw_os_error(libc::EAFNOSUPPORT);
    local.as_socket().ok_or_else(|| NetError::call("getsockname")(family()))
}
