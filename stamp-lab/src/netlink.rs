//! Requests to the kernel's routing sockets: build, send, await the answer. Everything is
//! synchronous, since the kernel answers before the system call of the request returns.

mod message;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use ipnet::{IpNet, Ipv6Net};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, State};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteType};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{NetlinkAddr, bind};
use socket2::{Domain, Protocol, Socket, Type};

use crate::plan::{Route, Segment};

pub(crate) use message::VethEnd;

/// `AF_NETLINK`, and `NETLINK_ROUTE` of it.
const NETLINK: (i32, i32) = (16, 0);

/// Multicast groups of link changes (`RTNLGRP_LINK`) and of IPv6 route changes
/// (`RTNLGRP_IPV6_ROUTE`), counted from 1.
const NOTICES: u32 = 1 | 1 << 10;

/// Room for one part of an answer; the kernel never sends more than 32 KiB at once.
const PART_OCTETS: usize = 64 << 10;

/// Longest that the kernel is waited for: reaching it means that it never does what is awaited.
const PATIENCE: Duration = Duration::from_secs(30);

/// Creates; an equal object is an error.
const CREATE: u16 = NLM_F_CREATE | NLM_F_EXCL;
/// Creates or takes the place of an equal object.
const REPLACE: u16 = NLM_F_CREATE | NLM_F_REPLACE;

/// The kernel's own table of main routes, and the one that End.DT6 looks into.
pub(crate) const MAIN_TABLE: u32 = 254;
pub(crate) const SID_TABLE: u32 = 100;

/// A routing socket of the namespace it was opened in; usable from any thread.
#[derive(Debug)]
pub(crate) struct Netlink {
    socket: Socket,
}

impl Netlink {
    /// Opens a socket in the namespace of the calling thread.
    pub(crate) fn open() -> io::Result<Self> {
        let (domain, protocol) = NETLINK;
        let kind = Type::RAW.cloexec();
        let socket = Socket::new(Domain::from(domain), kind, Some(Protocol::from(protocol)))?;
        Ok(Self { socket })
    }

    /// Opens a socket that hears of changes in the namespace of the calling thread.
    pub(crate) fn open_listening() -> io::Result<Self> {
        let netlink = Self::open()?;
        bind(netlink.socket.as_raw_fd(), &NetlinkAddr::new(0, NOTICES))?;
        Ok(netlink)
    }

    pub(crate) fn add_veth(
        &self,
        end: &VethEnd<'_>,
        peer: &VethEnd<'_>,
        peer_namespace: BorrowedFd<'_>,
    ) -> io::Result<()> {
        let pair = message::veth(end, peer, peer_namespace);
        self.command(RouteNetlinkMessage::NewLink(pair), CREATE)
    }

    pub(crate) fn remove_link(&self, index: u32) -> io::Result<()> {
        self.command(RouteNetlinkMessage::DelLink(message::link(index)), 0)
    }

    pub(crate) fn set_up(&self, index: u32) -> io::Result<()> {
        let mut link = message::link(index);
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        self.command(RouteNetlinkMessage::SetLink(link), 0)
    }

    /// Gives an interface an address that is usable at once.
    pub(crate) fn add_address(&self, index: u32, address: IpNet) -> io::Result<()> {
        let message = message::address(index, address);
        self.command(RouteNetlinkMessage::NewAddress(message), REPLACE)
    }

    pub(crate) fn add_route(&self, route: &Route, table: u32) -> io::Result<()> {
        let message = message::route(route, table);
        self.command(RouteNetlinkMessage::NewRoute(message), REPLACE)
    }

    /// Makes the table deliver packets for the address to this host.
    pub(crate) fn add_local(&self, address: Ipv6Addr, table: u32) -> io::Result<()> {
        let message = message::local(address, table);
        self.command(RouteNetlinkMessage::NewRoute(message), REPLACE)
    }

    /// Puts a prefix on a link, in a table other than the one the kernel keeps by itself.
    pub(crate) fn add_on_link(&self, prefix: Ipv6Net, index: u32, table: u32) -> io::Result<()> {
        let message = message::on_link(prefix, index, table);
        self.command(RouteNetlinkMessage::NewRoute(message), REPLACE)
    }

    pub(crate) fn add_segment(&self, segment: &Segment) -> io::Result<()> {
        let message = message::segment(segment, SID_TABLE);
        self.command(RouteNetlinkMessage::NewRoute(message), REPLACE)
    }

    pub(crate) fn set_neighbour(&self, index: u32, of: IpAddr, mac: [u8; 6]) -> io::Result<()> {
        let message = message::neighbour(index, of, mac);
        self.command(RouteNetlinkMessage::NewNeighbour(message), REPLACE)
    }

    /// Waits until the interface reports that it carries traffic. The socket must be listening.
    pub(crate) fn wait_until_operational(&self, index: u32) -> io::Result<()> {
        let query = RouteNetlinkMessage::GetLink(message::link(index));
        self.wait_until(query, |answer| match answer {
            RouteNetlinkMessage::NewLink(link) => {
                let is_up = link.attributes.contains(&LinkAttribute::OperState(State::Up));
                let is_running = link.header.flags.contains(LinkFlags::Running);
                link.header.index == index && is_up && is_running
            }
            _ => false,
        })
    }

    /// Waits until the kernel takes what is sent to this address of its own as sent to itself: the
    /// route that says so comes from a work queue, some time after the address has been accepted.
    /// The socket must be listening.
    pub(crate) fn wait_until_local(&self, address: Ipv6Addr) -> io::Result<()> {
        let query = RouteNetlinkMessage::GetRoute(message::way_to(address));
        let wanted = RouteAttribute::Destination(RouteAddress::Inet6(address));
        self.wait_until(query, |answer| match answer {
            RouteNetlinkMessage::NewRoute(route) => {
                route.header.kind == RouteType::Local && route.attributes.contains(&wanted)
            }
            _ => false,
        })
    }

    /// Asks, and then listens, until some answer or notice says so.
    fn wait_until(
        &self,
        query: RouteNetlinkMessage,
        is_so: impl Fn(&RouteNetlinkMessage) -> bool,
    ) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        self.send(query, NLM_F_REQUEST)?;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut ready = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            if poll(&mut ready, timeout)? == 0 {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // An error answers the query with "not yet"; the notice is still to come.
            for message in self.receive()? {
                if matches!(&message.payload, NetlinkPayload::InnerMessage(inner) if is_so(inner)) {
                    return Ok(());
                }
            }
        }
    }

    /// Sends a request and waits for the kernel's acknowledgement.
    fn command(&self, request: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.send(request, NLM_F_REQUEST | NLM_F_ACK | flags)?;
        loop {
            for message in self.receive()? {
                if let NetlinkPayload::Error(error) = message.payload {
                    return error.code.map_or(Ok(()), |_| Err(error.to_io()));
                }
            }
        }
    }

    fn send(&self, request: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        (&self.socket).write_all(&octets)
    }

    fn receive(&self) -> io::Result<Vec<NetlinkMessage<RouteNetlinkMessage>>> {
        let mut part = vec![0; PART_OCTETS];
        let length = (&self.socket).read(&mut part)?;
        let mut rest = part.get(..length).unwrap_or_default();
        let mut messages = Vec::new();
        while !rest.is_empty() {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                .map_err(io::Error::other)?;
            let padded = (message.header.length as usize).next_multiple_of(4);
            rest = rest.get(padded..).unwrap_or_default();
            messages.push(message);
        }
        Ok(messages)
    }
}
