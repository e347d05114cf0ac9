//! When to look again: the kernel tells of every change of links, neighbours and routes.

use std::io::{self, Read};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage};
use nix::sys::socket::{NetlinkAddr, bind};
use socket2::Socket;

use super::Egress;
use crate::error::NetError;
use crate::netlink;

/// Tells of changes of links, neighbours and routes in the network namespace it was opened in; for
/// a [`Poller`](crate::Poller).
#[derive(Debug)]
pub struct RouteWatch {
    socket: Socket,
    /// Room for what is read, once something was: many are opened that are never asked.
    part: Vec<u8>,
}

/// What has changed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Changes {
    /// Routes, rules, or addresses of our own: any way may be another now.
    pub routes: bool,
    /// There were more changes than the kernel keeps; anything may be another now.
    pub lost: bool,
    links: Vec<u32>,
    neighbours: Vec<(u32, IpAddr)>,
}

impl RouteWatch {
    /// Begins to watch.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when a sandbox forbids it, [`NetError::NoDescriptors`].
    pub fn open() -> Result<Self, NetError> {
        let groups = [
            libc::RTNLGRP_LINK,
            libc::RTNLGRP_NEIGH,
            libc::RTNLGRP_IPV4_IFADDR,
            libc::RTNLGRP_IPV4_ROUTE,
            libc::RTNLGRP_IPV4_RULE,
            libc::RTNLGRP_IPV6_IFADDR,
            libc::RTNLGRP_IPV6_ROUTE,
            libc::RTNLGRP_IPV6_RULE,
        ];
        let groups = groups.into_iter().fold(0, |mask, group| mask | 1 << (group - 1));
        let socket = netlink::socket::<RouteNetlinkMessage>().map_err(NetError::call("socket"))?;
        socket.set_nonblocking(true).map_err(NetError::call("fcntl"))?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups)).map_err(NetError::errno("bind"))?;
        Ok(Self { socket, part: Vec::new() })
    }

    /// Takes all that the kernel has told since it was asked last; never waits.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when the socket is unusable.
    pub fn changes(&mut self) -> Result<Changes, NetError> {
        let mut changes = Changes::default();
        self.part.resize(netlink::PART_OCTETS, 0);
        loop {
            match (&self.socket).read(&mut self.part) {
                Ok(length) => changes.add_part(self.part.get(..length).unwrap_or_default()),
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => changes.lost = true,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(changes),
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(NetError::call("recv")(error)),
                },
            }
        }
    }
}

impl AsFd for RouteWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Changes {
    /// Nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The way itself may be another, and is to be found anew ([`Egress::find`]).
    #[must_use]
    pub fn concern_way(&self, egress: &Egress) -> bool {
        self.routes || self.lost || self.links.contains(&egress.interface)
    }

    /// Interfaces came, went, or belong to others now.
    #[must_use]
    pub const fn concern_links(&self) -> bool {
        self.lost || !self.links.is_empty()
    }

    /// The next hop's address may be another, and is to be looked for again ([`Egress::resolve`]).
    #[must_use]
    pub fn concern_neighbour(&self, egress: &Egress) -> bool {
        self.lost || self.neighbours.contains(&(egress.interface, egress.next_hop))
    }

    fn add_part(&mut self, part: &[u8]) {
        let mut messages = Vec::new();
        // What cannot be read may have been about anything.
        self.lost |= netlink::read_part(part, &mut messages).is_err();
        for message in messages {
            match message {
                RouteNetlinkMessage::NewLink(link) | RouteNetlinkMessage::DelLink(link) => {
                    self.links.push(link.header.index);
                }
                RouteNetlinkMessage::NewNeighbour(entry)
                | RouteNetlinkMessage::DelNeighbour(entry) => {
                    self.neighbours.extend(neighbour(&entry));
                }
                _ => self.routes = true,
            }
        }
    }
}

fn neighbour(entry: &NeighbourMessage) -> Option<(u32, IpAddr)> {
    let address = entry.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(v4)) => Some(IpAddr::from(*v4)),
        NeighbourAttribute::Destination(NeighbourAddress::Inet6(v6)) => Some(IpAddr::from(*v6)),
        _ => None,
    });
    Some((entry.header.ifindex, address?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_cannot_be_read_may_have_been_about_anything() {
        let mut changes = Changes::default();
        assert!(changes.is_empty());
        changes.add_part(&[1, 2, 3]);
        assert!(changes.lost && !changes.is_empty());
    }

    #[test]
    fn a_watch_can_be_opened_without_rights_and_never_waits() {
        RouteWatch::open().unwrap().changes().unwrap();
    }
}
