//! Requests to the kernel's routing sockets: build, send, await the answer. Everything is
//! synchronous, since the kernel answers before the system call of the request returns.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rtnetlink::packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkMessage,
    NetlinkPayload,
};
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::link::{
    InfoData, InfoVeth, LinkAttribute, LinkFlags, LinkMessage, State,
};
use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use rtnetlink::sys::{Socket, SocketAddr, constants::NETLINK_ROUTE};
use rtnetlink::{
    AddressMessageBuilder, LinkBridge, LinkMessageBuilder, LinkUnspec, LinkVeth, LinkVrf,
    RouteMessageBuilder,
};

use super::PATIENCE;

/// Multicast groups of link changes and of IPv6 route changes (`RTNLGRP_*`).
const NOTICES: [u32; 2] = [1, 11];

/// Creates; an equal object is an error.
const CREATE: u16 = NLM_F_CREATE | NLM_F_EXCL;
/// Creates or takes the place of an equal object.
const REPLACE: u16 = NLM_F_CREATE | NLM_F_REPLACE;

/// One end of a veth pair to be.
pub(super) struct VethEnd<'a> {
    pub name: &'a str,
    /// Chosen by us and unique over all namespaces: when both ends bear the same number, the kernel
    /// takes the pair for an ordinary device and may report its carrier up to a second late.
    pub index: u32,
    pub mac: [u8; 6],
    pub mtu: u32,
}

/// A routing socket of the namespace it was opened in; usable from any thread.
pub(super) struct Netlink {
    socket: Socket,
}

impl Netlink {
    /// Opens a socket in the namespace of the calling thread.
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        Ok(Self { socket })
    }

    /// Opens a socket that hears of changes in the namespace of the calling thread.
    pub(super) fn open_listening() -> io::Result<Self> {
        let netlink = Self::open()?;
        for group in NOTICES {
            netlink.socket.add_membership(group)?;
        }
        Ok(netlink)
    }

    pub(super) fn add_veth(
        &self,
        end: &VethEnd<'_>,
        peer: &VethEnd<'_>,
        peer_namespace: BorrowedFd<'_>,
    ) -> io::Result<()> {
        let peer = describe(LinkMessageBuilder::<LinkUnspec>::default(), peer)
            .setns_by_fd(peer_namespace.as_raw_fd())
            .build();
        let pair = describe(LinkVeth::new(end.name, ""), end)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
            .build();
        self.command(RouteNetlinkMessage::NewLink(pair), CREATE)
    }

    /// A bridge of this name, number and hardware address, already up.
    pub(super) fn add_bridge(&self, name: &str, index: u32, mac: [u8; 6]) -> io::Result<()> {
        let mut bridge = LinkBridge::new(name).address(mac.to_vec()).build();
        bridge.header.index = index;
        self.command(RouteNetlinkMessage::NewLink(bridge), CREATE)
    }

    /// A VRF of this name and number with that table, already up.
    pub(super) fn add_vrf(&self, name: &str, index: u32, table: u32) -> io::Result<()> {
        let mut vrf = LinkVrf::new(name, table).up().build();
        vrf.header.index = index;
        self.command(RouteNetlinkMessage::NewLink(vrf), CREATE)
    }

    pub(super) fn set_link(&self, link: LinkMessage) -> io::Result<()> {
        self.command(RouteNetlinkMessage::SetLink(link), 0)
    }

    pub(super) fn add_address(&self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        let mut message = address_message(index, address, prefix);
        if address.is_ipv6() {
            // Without duplicate detection the address is usable at once.
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        self.command(RouteNetlinkMessage::NewAddress(message), CREATE)
    }

    pub(super) fn remove_address(&self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        let message = address_message(index, address, prefix);
        self.command(RouteNetlinkMessage::DelAddress(message), 0)
    }

    pub(super) fn add_route(&self, route: RouteMessage) -> io::Result<()> {
        self.command(RouteNetlinkMessage::NewRoute(route), CREATE)
    }

    pub(super) fn remove_route(&self, route: RouteMessage) -> io::Result<()> {
        self.command(RouteNetlinkMessage::DelRoute(route), 0)
    }

    pub(super) fn set_neighbour(&self, index: u32, of: IpAddr, mac: [u8; 6]) -> io::Result<()> {
        let mut message = neighbour_message(index, of);
        message.header.state = NeighbourState::Permanent;
        message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.to_vec()));
        self.command(RouteNetlinkMessage::NewNeighbour(message), REPLACE)
    }

    pub(super) fn remove_neighbour(&self, index: u32, of: IpAddr) -> io::Result<()> {
        self.command(RouteNetlinkMessage::DelNeighbour(neighbour_message(index, of)), 0)
    }

    /// Waits until the interface reports that it carries traffic. The socket must be listening.
    pub(super) fn wait_until_operational(&self, index: u32) -> io::Result<()> {
        let query = || RouteNetlinkMessage::GetLink(LinkUnspec::new_with_index(index).build());
        self.wait_until(query, |message| match message {
            RouteNetlinkMessage::NewLink(link) => {
                link.header.index == index && is_operational(link)
            }
            _ => false,
        })
    }

    /// Waits until the kernel takes what is sent to this address of its own as sent to itself: the
    /// route that says so comes from a work queue, some time after the address has been accepted.
    /// The socket must be listening.
    pub(super) fn wait_until_local(&self, index: u32, address: Ipv6Addr) -> io::Result<()> {
        // Without the interface nobody would look into the table of its VRF.
        let query = RouteMessageBuilder::<Ipv6Addr>::new()
            .destination_prefix(address, 128)
            .output_interface(index)
            .build();
        let wanted = RouteAttribute::Destination(RouteAddress::Inet6(address));
        self.wait_until(
            || RouteNetlinkMessage::GetRoute(query.clone()),
            |message| match message {
                RouteNetlinkMessage::NewRoute(route) => {
                    route.header.kind == RouteType::Local && route.attributes.contains(&wanted)
                }
                _ => false,
            },
        )
    }

    /// Asks, and then listens, until some answer or notice says so.
    fn wait_until(
        &self,
        query: impl Fn() -> RouteNetlinkMessage,
        is_so: impl Fn(&RouteNetlinkMessage) -> bool,
    ) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        self.send(query(), NLM_F_REQUEST)?;
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
        let mut message = NetlinkMessage::from(request);
        message.header.flags = flags;
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        self.socket.send_to(&octets, &SocketAddr::new(0, 0), 0)?;
        Ok(())
    }

    fn receive(&self) -> io::Result<Vec<NetlinkMessage<RouteNetlinkMessage>>> {
        let (octets, _) = self.socket.recv_from_full()?;
        let mut rest = &octets[..];
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

fn describe<T>(builder: LinkMessageBuilder<T>, end: &VethEnd<'_>) -> LinkMessageBuilder<T> {
    builder.name(end.name).index(end.index).address(end.mac.to_vec()).mtu(end.mtu)
}

fn is_operational(link: &LinkMessage) -> bool {
    let is_up = link.attributes.contains(&LinkAttribute::OperState(State::Up));
    is_up && link.header.flags.contains(LinkFlags::Running)
}

fn address_message(index: u32, address: IpAddr, prefix: u8) -> AddressMessage {
    match address {
        IpAddr::V4(v4) => {
            AddressMessageBuilder::<Ipv4Addr>::new().index(index).address(v4, prefix).build()
        }
        IpAddr::V6(v6) => {
            AddressMessageBuilder::<Ipv6Addr>::new().index(index).address(v6, prefix).build()
        }
    }
}

fn neighbour_message(index: u32, of: IpAddr) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.ifindex = index;
    message.header.kind = RouteType::Unspec;
    let (family, address) = match of {
        IpAddr::V4(v4) => (AddressFamily::Inet, NeighbourAddress::Inet(v4)),
        IpAddr::V6(v6) => (AddressFamily::Inet6, NeighbourAddress::Inet6(v6)),
    };
    message.header.family = family;
    message.attributes.push(NeighbourAttribute::Destination(address));
    message
}
