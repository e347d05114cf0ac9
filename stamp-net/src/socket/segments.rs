//! Segment lists: the kernel puts a Segment Routing Header on what a socket sends, for everyone.
//!
//! The header belongs to the socket, not to the datagram: as a control message the kernel refuses
//! it. It leaves the first place of its list, the last on the way, empty: there the kernel writes
//! the destination of each datagram.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use super::UdpSocket;
use crate::error::NetError;
use crate::route::largest_payload_behind;
use crate::sys;

/// Octets of a Segment Routing Header without its list.
const HEADER: usize = 8;
/// Octets of one segment.
const SEGMENT: usize = 16;
/// Routing type of the header.
const TYPE: u8 = 4;
/// What the control message with the longest header takes: `struct cmsghdr` and 8 + 255 · 8 octets.
pub(super) const LARGEST_CONTROL: usize = size_of::<usize>() + 8 + HEADER + 255 * 8;

/// What is on everything that a socket sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentsInUse {
    first: Ipv6Addr,
    octets: usize,
}

impl UdpSocket {
    /// Segments that fit into one header beside the destination.
    pub const MOST_SEGMENTS: usize = 126;

    /// Lets everything that is sent from now on pass these segments, in this order, before it goes
    /// to its destination; an empty list sends it straight there.
    ///
    /// Needs no right, and can be changed at any time: the next datagram takes the new way.
    ///
    /// # Errors
    ///
    /// [`NetError::SegmentsNeedIpv6`], [`NetError::TooManySegments`], [`NetError::BadRoutingHeader`]
    /// where the kernel knows no Segment Routing, or [`NetError::SocketOption`].
    pub fn set_segments(&mut self, segments: &[Ipv6Addr]) -> Result<(), NetError> {
        let most = Self::MOST_SEGMENTS;
        if segments.len() > most {
            return Err(NetError::TooManySegments { segments: segments.len(), most });
        }
        if segments.is_empty() {
            return self.clear_segments();
        }
        let count = segments.len() as u8;
        let mut header = vec![0, 2 * (count + 1), TYPE, count, count, 0, 0, 0];
        header.extend([0; SEGMENT]);
        header.extend(segments.iter().rev().flat_map(Ipv6Addr::octets));
        self.set_routing_header(&header)
    }

    /// The same with a header made elsewhere, which may have a tag, flags and TLVs.
    ///
    /// The kernel fills in next header and the first place of the list. It takes no reduced header:
    /// the list has to hold every segment.
    ///
    /// # Errors
    ///
    /// Those of [`Self::set_segments`].
    pub fn set_routing_header(&mut self, header: &[u8]) -> Result<(), NetError> {
        let in_use = SegmentsInUse::read(header)
            .ok_or(NetError::BadRoutingHeader { octets: header.len() })?;
        self.set_header_option(header)?;
        self.segments = Some(in_use);
        Ok(())
    }

    /// Sends everything straight to its destination again.
    ///
    /// # Errors
    ///
    /// [`NetError::SegmentsNeedIpv6`] or [`NetError::SocketOption`].
    pub fn clear_segments(&mut self) -> Result<(), NetError> {
        self.set_header_option(&[])?;
        self.segments = None;
        Ok(())
    }

    /// Octets that the header of the segments takes away from each packet.
    #[must_use]
    pub fn segment_octets(&self) -> usize {
        self.segments.map_or(0, |segments| segments.octets)
    }

    /// The largest UDP payload that goes to `to` in one piece, as far as this host knows by now; with
    /// segments, as far as the first of them.
    ///
    /// # Errors
    ///
    /// Those of [`Self::path_mtu`].
    pub fn largest_payload(&self, to: SocketAddr) -> Result<usize, NetError> {
        Ok(self.payload_within(self.path_mtu(to)?, to.ip()))
    }

    pub(super) fn payload_within(&self, mtu: u32, to: IpAddr) -> usize {
        largest_payload_behind(mtu, to, self.segment_octets())
    }

    /// Whom the routing table is asked for instead of `to`.
    pub(super) fn first_hop(&self, to: SocketAddr) -> SocketAddr {
        self.segments.map_or(to, |segments| SocketAddr::new(segments.first.into(), to.port()))
    }

    fn set_header_option(&self, header: &[u8]) -> Result<(), NetError> {
        if !self.is_ipv6() {
            return Err(NetError::SegmentsNeedIpv6);
        }
        sys::option::set_octets(self.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_RTHDR, header).map_err(
            |source| match source.raw_os_error() {
                Some(libc::EINVAL) => NetError::BadRoutingHeader { octets: header.len() },
                _ => NetError::SocketOption { option: "IPV6_RTHDR", source },
            },
        )
    }
}

impl SegmentsInUse {
    /// `None` unless the header has a segment in front of the destination, and a place for each.
    fn read(header: &[u8]) -> Option<Self> {
        let [_, _, TYPE, left, last, ..] = *complete(header)? else { return None };
        let place = |index: u8| {
            header.get(HEADER + SEGMENT * usize::from(index)..)?.first_chunk::<SEGMENT>()
        };
        let reachable = (1..=last).contains(&left);
        // The kernel looks for the way to the last entry.
        let first = place(last).filter(|_| reachable)?;
        Some(Self { first: Ipv6Addr::from(*first), octets: header.len() })
    }
}

/// The header, unless its length field says something else than its length: a control message that
/// found no room is cut.
pub(super) fn complete(header: &[u8]) -> Option<&[u8]> {
    let length = header.get(1)?;
    (header.len() == HEADER + 8 * usize::from(*length)).then_some(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SocketOptions;

    fn open(local: &str) -> Option<UdpSocket> {
        UdpSocket::open(&SocketOptions::new(local.parse().unwrap())).ok()
    }

    fn header(segments: u8) -> Vec<u8> {
        let mut header = vec![0, 2 * (segments + 1), TYPE, segments, segments, 0, 0, 0];
        header.extend([0; SEGMENT]);
        header.extend((0..segments).flat_map(|index| [index; SEGMENT]));
        header
    }

    #[test]
    fn the_first_segment_is_the_last_of_the_list() {
        let in_use = SegmentsInUse::read(&header(3)).unwrap();
        assert_eq!((in_use.first, in_use.octets), (Ipv6Addr::from([2; 16]), 72));
    }

    #[test]
    fn every_header_that_leads_nowhere_is_refused() {
        assert!(SegmentsInUse::read(&header(0)).is_none(), "the destination alone");
        for (place, value) in [(1, 5), (1, 7), (2, 0), (2, 3), (3, 0), (3, 3), (4, 3), (4, 255)] {
            let mut header = header(2);
            header[place] = value;
            assert!(SegmentsInUse::read(&header).is_none(), "{place} {value}");
        }
        let header = header(2);
        for length in 0..header.len() {
            assert!(SegmentsInUse::read(&header[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn a_header_that_was_cut_is_not_told() {
        let header = header(2);
        assert_eq!(complete(&header), Some(&header[..]));
        assert_eq!(complete(&header[..40]), None);
        assert_eq!(complete(&[]), None);
    }

    #[test]
    fn segments_are_a_matter_of_ipv6() {
        let mut socket = open("127.0.0.1:0").unwrap();
        for refused in [socket.set_segments(&[Ipv6Addr::LOCALHOST]), socket.clear_segments()] {
            assert!(matches!(refused, Err(NetError::SegmentsNeedIpv6)));
        }
    }

    #[test]
    fn a_list_too_long_is_refused_with_what_fits() {
        let Some(mut socket) = open("[::]:0") else { return };
        let segments = vec![Ipv6Addr::LOCALHOST; UdpSocket::MOST_SEGMENTS + 1];
        let refused = socket.set_segments(&segments);
        assert!(matches!(refused, Err(NetError::TooManySegments { segments: 127, most: 126 })));
        assert_eq!(socket.segment_octets(), 0);
    }
}
