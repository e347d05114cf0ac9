//! IPv4 headers of what a UDP socket receives: the kernel hands them to raw sockets alone.
//!
//! A raw socket gets a copy of every datagram of a port, in front of the UDP socket and with the
//! header as it came. Which copy belongs to which datagram, addresses, ports and the first octets of
//! the payload tell.

use std::collections::VecDeque;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

use libc::sock_filter;
use socket2::{Domain, Protocol, Socket, Type};

use super::bind::bind;
use super::options::bind_to_interface;
use super::receive::Datagram;
use crate::bpf::{IF_AT_LEAST, IF_EQUAL, LOAD_HALF_BEHIND, RETURN_CONSTANT, branch, step};
use crate::capability::Capability;
use crate::error::NetError;
use crate::rights;
use crate::sys;

/// Octets of a header without options; others are not told.
const HEADER: usize = 20;
const UDP_HEADER: usize = 8;
/// Octets of payload by which datagrams are told apart: no two probes have the same base packet.
const COMPARED: usize = 44;
/// Octets that are kept of each, with the longest header there can be.
const KEPT: usize = 60 + UDP_HEADER + COMPARED;
/// Copies that may wait for their datagram.
const MOST_WAITING: usize = 256;
/// A base packet and the smallest TLV that asks for a header (RFC 8972 §4).
const LEAST_UDP_OCTETS: u32 = 8 + 44 + 4 + 20;

/// Headers of the datagrams that a socket of one port receives.
#[derive(Debug)]
pub struct Ipv4HeaderTap {
    socket: Socket,
    waiting: VecDeque<[u8; KEPT]>,
}

impl Ipv4HeaderTap {
    /// Copies of what comes to `local`, by this interface or VRF if one is named, from now on.
    ///
    /// # Errors
    ///
    /// [`NetError::PermissionDenied`] without CAP_NET_RAW, or the call that failed.
    pub fn open(local: SocketAddr, interface: Option<&str>) -> Result<Self, NetError> {
        let kind = Type::RAW.nonblocking().cloexec();
        let socket = rights::raw_socket(Domain::IPV4, kind, Some(Protocol::UDP));
        let socket = socket.map_err(refused)?;
        sys::option::set_program(
            socket.as_fd(),
            libc::SO_ATTACH_FILTER,
            &mut program(local.port()),
        )
        .map_err(NetError::option("SO_ATTACH_FILTER"))?;
        if let Some(name) = interface {
            bind_to_interface(&socket, name)?;
        }
        bind(&socket, SocketAddr::new(local.ip(), 0))?;
        Ok(Self { socket, waiting: VecDeque::new() })
    }

    /// The header in front of a datagram that was received just now. `None` when it has options, and
    /// when so much came to the port that its copy found no room.
    pub fn header(&mut self, datagram: &Datagram<'_>) -> Option<[u8; HEADER]> {
        self.drain();
        let place = self.waiting.iter().position(|copy| is_copy(copy, datagram))?;
        // Datagrams are asked about in the order of their arrival.
        let copy = self.waiting.drain(..=place).next_back()?;
        copy.first_chunk().copied()
    }

    fn drain(&mut self) {
        let mut buffer = [0; KEPT];
        while let Ok(read) = (&self.socket).read(&mut buffer) {
            // One with options, which shifts everything, is no use.
            if read < HEADER + UDP_HEADER || buffer[0] != 0x45 {
                continue;
            }
            buffer[read..].fill(0);
            if self.waiting.len() >= MOST_WAITING {
                self.waiting.pop_front();
            }
            self.waiting.push_back(buffer);
        }
    }
}

fn is_copy(copy: &[u8; KEPT], datagram: &Datagram<'_>) -> bool {
    let (IpAddr::V4(from), IpAddr::V4(to)) = (datagram.from.ip(), datagram.to.ip()) else {
        return false;
    };
    let (header, payload) = copy.split_at(HEADER + UDP_HEADER);
    let compared = datagram.octets.len().min(COMPARED);
    header[12..16] == from.octets()
        && header[16..20] == to.octets()
        && header[20..22] == datagram.from.port().to_be_bytes()
        && header[22..24] == datagram.to.port().to_be_bytes()
        && payload[..compared] == datagram.octets[..compared]
}

/// Lets in what is large enough to ask, and its beginning is enough.
fn program(port: u16) -> Vec<sock_filter> {
    /// Loads the length of an IPv4 header (`BPF_MSH`).
    const KEEP_HEADER_LENGTH: u32 = libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH;
    vec![
        step(KEEP_HEADER_LENGTH, 0),
        step(LOAD_HALF_BEHIND, 2),
        branch(IF_EQUAL, port.into(), 0, 3),
        step(LOAD_HALF_BEHIND, 4),
        branch(IF_AT_LEAST, LEAST_UDP_OCTETS, 0, 1),
        step(RETURN_CONSTANT, KEPT as u32),
        step(RETURN_CONSTANT, 0),
    ]
}

fn refused(source: std::io::Error) -> NetError {
    match source.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            NetError::PermissionDenied { what: "a raw socket", capability: Capability::NetRaw }
        }
        _ => NetError::call("socket")(source),
    }
}
