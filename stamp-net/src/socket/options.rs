//! Options of a new socket, by their names in the manual.

use std::os::fd::AsFd;

use socket2::SockRef;

use super::transmit::TransmitIds;
use super::{SocketOptions, octet};
use crate::capability::Capability;
use crate::error::NetError;
use crate::rights::{self, Buffer};
use crate::sys;

/// Sets everything that does not depend on the socket being bound.
pub(super) fn apply(socket: &impl AsFd, options: &SocketOptions) -> Result<(), NetError> {
    let class = i32::from(octet(options.traffic_class));
    let hops = i32::from(options.hop_limit.0);
    let family = if options.local.is_ipv6() {
        &ipv6(hops, class, options.dont_fragment)[..]
    } else {
        &ipv4(hops, class, options.dont_fragment)[..]
    };
    let common = [
        ("SO_RXQ_OVFL", libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1),
        (
            "SO_TIMESTAMPING",
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPING,
            stamp_flags(options.transmit_stamps, options.hardware_stamps) | request_flags(options),
        ),
    ];
    let headers = headers(options.headers);
    let headers = headers.into_iter().filter(|_| options.local.is_ipv6());
    for (option, level, name, value) in family.iter().copied().chain(common).chain(headers) {
        sys::option::set_int(socket.as_fd(), level, name, value)
            .map_err(NetError::option(option))?;
    }
    buffers(socket, options)
}

pub(super) type IntOption = (&'static str, i32, i32, i32);

fn ipv4(hops: i32, class: i32, dont_fragment: bool) -> [IntOption; 7] {
    let discover = if dont_fragment { libc::IP_PMTUDISC_DO } else { libc::IP_PMTUDISC_DONT };
    [
        ("IP_TTL", libc::IPPROTO_IP, libc::IP_TTL, hops),
        ("IP_TOS", libc::IPPROTO_IP, libc::IP_TOS, class),
        ("IP_MTU_DISCOVER", libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, discover),
        ("IP_PKTINFO", libc::IPPROTO_IP, libc::IP_PKTINFO, 1),
        ("IP_RECVTTL", libc::IPPROTO_IP, libc::IP_RECVTTL, 1),
        ("IP_RECVTOS", libc::IPPROTO_IP, libc::IP_RECVTOS, 1),
        ("IP_RECVERR", libc::IPPROTO_IP, libc::IP_RECVERR, 1),
    ]
}

/// What tells the headers of IPv6, apart from those fields that are told anyway.
pub(super) fn headers(tell: bool) -> [IntOption; 4] {
    let level = libc::IPPROTO_IPV6;
    let value = i32::from(tell);
    [
        ("IPV6_FLOWINFO", level, libc::IPV6_FLOWINFO, value),
        ("IPV6_RECVHOPOPTS", level, libc::IPV6_RECVHOPOPTS, value),
        ("IPV6_RECVRTHDR", level, libc::IPV6_RECVRTHDR, value),
        ("IPV6_RECVDSTOPTS", level, libc::IPV6_RECVDSTOPTS, value),
    ]
}

fn ipv6(hops: i32, class: i32, dont_fragment: bool) -> [IntOption; 8] {
    let level = libc::IPPROTO_IPV6;
    let discover = if dont_fragment { libc::IPV6_PMTUDISC_DO } else { libc::IPV6_PMTUDISC_DONT };
    [
        ("IPV6_UNICAST_HOPS", level, libc::IPV6_UNICAST_HOPS, hops),
        ("IPV6_TCLASS", level, libc::IPV6_TCLASS, class),
        ("IPV6_MTU_DISCOVER", level, libc::IPV6_MTU_DISCOVER, discover),
        ("IPV6_DONTFRAG", level, libc::IPV6_DONTFRAG, dont_fragment.into()),
        ("IPV6_RECVPKTINFO", level, libc::IPV6_RECVPKTINFO, 1),
        ("IPV6_RECVHOPLIMIT", level, libc::IPV6_RECVHOPLIMIT, 1),
        ("IPV6_RECVTCLASS", level, libc::IPV6_RECVTCLASS, 1),
        ("IPV6_RECVERR", level, libc::IPV6_RECVERR, 1),
    ]
}

/// All flags at once: taking one away later would restart the ids of transmit stamps.
pub(crate) fn stamp_flags(transmit_stamps: bool, hardware_stamps: bool) -> i32 {
    let mut flags = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    if transmit_stamps {
        flags |= TransmitIds::FLAGS;
    }
    if hardware_stamps {
        flags |= libc::SOF_TIMESTAMPING_RX_HARDWARE | libc::SOF_TIMESTAMPING_RAW_HARDWARE;
        if transmit_stamps {
            flags |= libc::SOF_TIMESTAMPING_TX_HARDWARE;
        }
    }
    flags as i32
}

/// What lets datagrams ask one by one: how stamps are told, but none is taken.
const fn request_flags(options: &SocketOptions) -> i32 {
    if options.stamps_on_request { (TransmitIds::FLAGS & !TransmitIds::RECORDS) as i32 } else { 0 }
}

impl SocketOptions {
    pub(super) const fn takes_transmit_stamps(&self) -> bool {
        self.transmit_stamps || self.stamps_on_request
    }

    /// What a datagram tells the kernel that wants its stamp; 0 where all have it, or none.
    pub(super) const fn stamp_request(&self) -> u32 {
        match (self.transmit_stamps || !self.stamps_on_request, self.hardware_stamps) {
            (true, _) => 0,
            (false, false) => libc::SOF_TIMESTAMPING_TX_SOFTWARE,
            (false, true) => TransmitIds::RECORDS,
        }
    }
}

/// Asks for the buffers; getting less is no failure, it can be read back.
fn buffers(socket: &impl AsFd, options: &SocketOptions) -> Result<(), NetError> {
    if let Some(octets) = options.receive_buffer
        // Beyond the limit of ordinary users if we may, else up to it.
        && rights::set_buffer(socket.as_fd(), Buffer::Receive, octets).is_err()
    {
        let set = SockRef::from(socket).set_recv_buffer_size(octets);
        set.map_err(NetError::option("SO_RCVBUF"))?;
    }
    options.send_buffer.map_or(Ok(()), |octets| send_buffer(socket, octets))
}

/// Asks for a send buffer, beyond the limit of ordinary users if we may, else up to it.
pub(crate) fn send_buffer(socket: &impl AsFd, octets: usize) -> Result<(), NetError> {
    if rights::set_buffer(socket.as_fd(), Buffer::Send, octets).is_err() {
        let set = SockRef::from(socket).set_send_buffer_size(octets);
        set.map_err(NetError::option("SO_SNDBUF"))?;
    }
    Ok(())
}

/// Ties the socket to an interface or VRF.
pub(crate) fn bind_to_interface(socket: &impl AsFd, name: &str) -> Result<(), NetError> {
    SockRef::from(socket).bind_device(Some(name.as_bytes())).map_err(|source| {
        match source.raw_os_error() {
            // EINVAL: longer than any interface name.
            Some(libc::ENODEV | libc::EINVAL) => NetError::NoSuchInterface { name: name.into() },
            Some(libc::EPERM) => NetError::PermissionDenied {
                what: "binding to an interface",
                capability: Capability::NetRaw,
            },
            _ => NetError::SocketOption { option: "SO_BINDTODEVICE", source },
        }
    })
}

/// Marks what the socket sends.
pub(crate) fn set_fwmark(socket: &impl AsFd, mark: u32) -> Result<(), NetError> {
    rights::set_mark(socket.as_fd(), mark).map_err(|source| match source.raw_os_error() {
        Some(libc::EPERM) => NetError::PermissionDenied {
            what: "marking packets (fwmark)",
            capability: Capability::NetAdmin,
        },
        _ => NetError::SocketOption { option: "SO_MARK", source },
    })
}
