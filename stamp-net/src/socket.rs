//! UDP sockets that tell and set everything a measurement needs to know about a datagram.
//!
//! Receiving, sending and reading errors each move a batch per system call, allocate nothing and
//! never wait; [`Poller`](crate::poll::Poller) does the waiting.

pub(crate) mod activation;
mod address;
mod batch;
pub(crate) mod bind;
pub(crate) mod control;
mod errors;
mod failure;
mod headers;
mod icmp;
mod ipv4_tap;
pub(crate) mod options;
mod receive;
mod segments;
mod send;
mod steer;
pub(crate) mod transmit;

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use socket2::SockRef;
use stamp_proto::ip::{Dscp, Ecn, HopLimit, join_traffic_class};

use crate::error::NetError;
use crate::route;
use crate::sys;
use segments::SegmentsInUse;
use transmit::TransmitIds;

pub(crate) use address::scoped;

pub use batch::{Addressed, Outgoing, SendBatch};
pub use errors::{ErrorBatch, IcmpError, SocketEvent};
pub use failure::SendFailure;
pub use headers::ArrivedHeaders;
pub use icmp::IcmpKind;
pub use ipv4_tap::Ipv4HeaderTap;
pub use receive::{Datagram, ReceiveBatch};

/// How a socket is to be made.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    /// Address and port to bind; port 0 lets the kernel choose.
    pub local: SocketAddr,
    /// Port that the kernel may not choose: that of the far end.
    pub far_port: Option<u16>,
    /// Send and receive through this interface or VRF only.
    pub interface: Option<String>,
    /// Ask for the time at which each datagram left (T1), see [`SocketEvent::TransmitStamp`].
    ///
    /// Costs about a third of the sending rate.
    pub transmit_stamps: bool,
    /// Take that time of datagrams that ask for it ([`Outgoing::wants_stamp`]); of others it costs nothing.
    pub stamps_on_request: bool,
    /// Prefer stamps of the network card; they must have been switched on
    /// ([`timestamping::configure_hardware`](crate::timestamping::configure_hardware)) and the
    /// card's clock must keep UTC.
    pub hardware_stamps: bool,
    /// TTL or Hop Limit of what is sent.
    pub hop_limit: HopLimit,
    /// DSCP and ECN of what is sent, unless the datagram says otherwise.
    pub traffic_class: (Dscp, Ecn),
    /// Never let a router or this host cut a datagram into fragments.
    pub dont_fragment: bool,
    /// Octets to ask for, for waiting datagrams and unread stamps together.
    pub receive_buffer: Option<usize>,
    /// Octets to ask for, for datagrams that have not left yet.
    pub send_buffer: Option<usize>,
    /// Tell the headers that a datagram came with ([`Datagram::headers`]).
    pub headers: bool,
    /// Mark for the routing rules and the firewall of this host; needs `CAP_NET_ADMIN`.
    pub fwmark: Option<u32>,
}

impl SocketOptions {
    /// Octets of receive buffer asked for by default: two thousand small datagrams with stamps.
    pub const RECEIVE_BUFFER: usize = 4 << 20;

    /// What a test session needs: hop limit 255, no fragments, a large receive buffer.
    #[must_use]
    pub const fn new(local: SocketAddr) -> Self {
        Self {
            local,
            far_port: None,
            interface: None,
            transmit_stamps: false,
            stamps_on_request: false,
            hardware_stamps: false,
            hop_limit: HopLimit::MAX,
            traffic_class: (Dscp::DEFAULT, Ecn::NotEct),
            dont_fragment: true,
            receive_buffer: Some(Self::RECEIVE_BUFFER),
            send_buffer: None,
            headers: false,
            fwmark: None,
        }
    }
}

/// A bound UDP socket of one family; IPv6 sockets never see IPv4.
///
/// Any number of threads may share one, but the ids of transmit stamps stay in step only while a
/// single thread sends.
#[derive(Debug)]
pub struct UdpSocket {
    socket: OwnedFd,
    local: SocketAddr,
    peer: Option<SocketAddr>,
    interface: Option<Box<str>>,
    fwmark: Option<u32>,
    traffic_class: u8,
    hardware_stamps: bool,
    headers: bool,
    segments: Option<SegmentsInUse>,
    transmit_ids: Option<TransmitIds>,
    /// What a datagram tells the kernel that wants its transmit stamp; 0 where all have it.
    stamp_request: u32,
}

impl UdpSocket {
    /// Opens a socket that shares its port with nobody.
    ///
    /// # Errors
    ///
    /// [`NetError::AddressInUse`], [`NetError::NoPorts`], [`NetError::PrivilegedPort`],
    /// [`NetError::AddressNotAvailable`], [`NetError::MissingScope`],
    /// [`NetError::NoSuchInterface`], [`NetError::FamilyUnavailable`],
    /// [`NetError::PermissionDenied`], [`NetError::NoDescriptors`], or the option that failed.
    pub fn open(options: &SocketOptions) -> Result<Self, NetError> {
        bind::open(options, bind::Sharing::Exclusive)
    }

    /// Opens `count` sockets on one port; each session stays with one of them: probes that name
    /// their session by an SSID even when a NAT changes their port, others as long as it does not.
    ///
    /// The first is bound before sharing is allowed, so that a second instance of the same user
    /// is refused although `SO_REUSEPORT` alone would let it in.
    ///
    /// # Errors
    ///
    /// Those of [`Self::open`].
    pub fn open_group(options: &SocketOptions, count: usize) -> Result<Vec<Self>, NetError> {
        Self::fill_up(vec![Self::open(options)?], options, count)
    }

    /// Takes over sockets that [`Self::open_group`] opened, in the order it had them in, for instance
    /// in a process before this one, and goes on with `count` of them: others are closed, what lacks is
    /// opened.
    ///
    /// # Errors
    ///
    /// Those of [`Self::adopt`] and [`Self::open`].
    pub fn adopt_group(
        sockets: Vec<OwnedFd>,
        options: &SocketOptions,
        count: usize,
    ) -> Result<Vec<Self>, NetError> {
        let adopt = |socket| Self::adopt(socket, options);
        let sockets = sockets.into_iter().take(count).map(adopt).collect::<Result<_, _>>()?;
        Self::fill_up(sockets, options, count)
    }

    fn fill_up(
        mut sockets: Vec<Self>,
        options: &SocketOptions,
        count: usize,
    ) -> Result<Vec<Self>, NetError> {
        let Some(first) = sockets.first() else { return Ok(sockets) };
        if count > sockets.len() {
            let shared = SockRef::from(&first.socket).set_reuse_port(true);
            shared.map_err(NetError::option("SO_REUSEPORT"))?;
        }
        let options = SocketOptions { local: first.local, ..options.clone() };
        while sockets.len() < count {
            sockets.push(bind::open(&options, bind::Sharing::Group)?);
        }
        if let [first, _, ..] = sockets.as_slice() {
            steer::by_session(first.socket.as_fd(), options.local.is_ipv6(), count)?;
        }
        Ok(sockets)
    }

    /// Takes over a bound socket, for instance from systemd. `local`, `interface` and `fwmark` of
    /// the options stay as whoever bound it chose them.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when it is no bound UDP socket, [`NetError::TakesBothFamilies`], or the option
    /// that failed.
    pub fn adopt(socket: OwnedFd, options: &SocketOptions) -> Result<Self, NetError> {
        bind::adopt(socket, options)
    }

    /// Lets packets of `target` alone in from now on, and fixes the source address.
    ///
    /// # Errors
    ///
    /// [`NetError::NoRoute`], [`NetError::MissingScope`], or the call that failed.
    pub fn connect(&mut self, target: SocketAddr) -> Result<(), NetError> {
        route::connect(SockRef::from(&self.socket), target)?;
        self.local = bind::local_address(&self.socket)?;
        self.peer = Some(target);
        Ok(())
    }

    /// Address and port it is bound to.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Whether stamps of the network card were asked for.
    #[must_use]
    pub const fn hardware_stamps(&self) -> bool {
        self.hardware_stamps
    }

    /// Whether the time at which datagrams leave was asked for, of all or of those that want it.
    #[must_use]
    pub const fn transmit_stamps(&self) -> bool {
        self.transmit_ids.is_some()
    }

    /// Octets of receive buffer that were granted; the kernel counts its own bookkeeping in.
    ///
    /// # Errors
    ///
    /// [`NetError::SocketOption`] when a sandbox forbids the question.
    pub fn receive_buffer(&self) -> Result<usize, NetError> {
        SockRef::from(&self.socket).recv_buffer_size().map_err(NetError::option("SO_RCVBUF"))
    }

    /// Octets of send buffer that were granted.
    ///
    /// # Errors
    ///
    /// [`NetError::SocketOption`] when a sandbox forbids the question.
    pub fn send_buffer(&self) -> Result<usize, NetError> {
        SockRef::from(&self.socket).send_buffer_size().map_err(NetError::option("SO_SNDBUF"))
    }

    /// How many datagrams this socket has dropped since it was opened, because its receive buffer
    /// was full or a checksum was wrong. Unlike [`ReceiveBatch::queue_drops`] it is always up to
    /// date, also when nothing arrives any more. `None` when a sandbox forbids the question.
    #[must_use]
    pub fn queue_drops(&self) -> Option<u32> {
        /// `SK_MEMINFO_DROPS`.
        const DROPS: usize = 8;
        let read = sys::option::get_words::<{ DROPS + 1 }>(
            self.as_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
        );
        read.ok().map(|(words, _)| words[DROPS])
    }

    /// The interface or VRF that it sends and receives through, if it keeps to one.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }

    /// The largest IP packet that goes to `to` in one piece, as far as this host knows by now; with
    /// segments, to the first of them.
    ///
    /// Asked in the network namespace of the calling thread, like all questions that are not put
    /// to the socket itself.
    ///
    /// # Errors
    ///
    /// [`NetError::NoRoute`], or the call that failed.
    pub fn path_mtu(&self, to: SocketAddr) -> Result<u32, NetError> {
        self.path_mtu_from(to, self.fixed_source())
    }

    fn path_mtu_from(&self, to: SocketAddr, from: Option<IpAddr>) -> Result<u32, NetError> {
        let interface = self.interface.as_deref();
        let to = self.first_hop(to);
        route::path_mtu(&route::MtuQuery { to, from, interface, fwmark: self.fwmark })
    }

    const fn is_ipv6(&self) -> bool {
        self.local.is_ipv6()
    }

    /// The one address that everything leaves from, if the socket is bound to one.
    fn fixed_source(&self) -> Option<IpAddr> {
        Some(self.local.ip()).filter(|address| !address.is_unspecified())
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

const fn octet((dscp, ecn): (Dscp, Ecn)) -> u8 {
    join_traffic_class(dscp, ecn)
}

#[cfg(test)]
mod tests;
