//! The headers in front of a datagram, as this host received them.
//!
//! A UDP socket never shows its IP header, so that of IPv6 is put together again from what the kernel
//! tells of every field: addresses, hop limit, traffic class and flow label, and each extension
//! header whole. Where the chain that leads to UDP has a gap (a fragment header, one for
//! authentication, one that found no room) nothing is told rather than something wrong. What a tunnel
//! took off is not seen. For IPv4 see [`Ipv4HeaderTap`](super::Ipv4HeaderTap).

use std::net::IpAddr;
use std::os::fd::AsFd;

use stamp_proto::ip::join_traffic_class;
use stamp_proto::sr::header::{FlowLabel, Ipv6Header};
use stamp_proto::sr::protocol::Protocol;
use stamp_proto::writer::Writer;

use super::receive::Datagram;
use super::segments::complete;
use super::{UdpSocket, options};
use crate::error::NetError;
use crate::sys;

/// Extension headers that are told; a chain of more is told as none.
const MOST_EXTENSIONS: usize = 8;
/// Octets of the longest fixed header.
const MOST_FIXED: usize = 40;
const UDP_HEADER_OCTETS: usize = 8;

/// What a control message holds, by its type.
const EXTENSIONS: [(i32, u8); 3] =
    [(libc::IPV6_HOPOPTS, 0), (libc::IPV6_RTHDR, 43), (libc::IPV6_DSTOPTS, 60)];
const UDP: u8 = 17;

/// The headers of one datagram, outer to inner.
#[derive(Clone, Copy, Debug)]
pub struct ArrivedHeaders<'b> {
    fixed: [u8; MOST_FIXED],
    fixed_octets: usize,
    extensions: [&'b [u8]; MOST_EXTENSIONS],
    count: usize,
}

impl<'b> ArrivedHeaders<'b> {
    const NONE: Self = Self {
        fixed: [0; MOST_FIXED],
        fixed_octets: 0,
        extensions: [&[]; MOST_EXTENSIONS],
        count: 0,
    };

    /// The IPv4 or IPv6 header; `None` when it is not known.
    #[must_use]
    pub fn fixed(&self) -> Option<&[u8]> {
        self.fixed.get(..self.fixed_octets).filter(|header| !header.is_empty())
    }

    /// The extension headers of IPv6.
    #[must_use]
    pub fn extensions(&self) -> &[&'b [u8]] {
        self.extensions.get(..self.count).unwrap_or_default()
    }

    /// The type of the first header behind the fixed one; `None` when one is missing on the way to
    /// UDP.
    fn read(datagram: &Datagram<'b>) -> Option<(Self, u8)> {
        let mut headers = Self::NONE;
        let mut first = UDP;
        let mut expected = None;
        for control in datagram.controls.filter(|control| control.level == libc::IPPROTO_IPV6) {
            let known = EXTENSIONS.into_iter().find(|(message, _)| *message == control.kind);
            let Some((_, kind)) = known else { continue };
            let header = complete(control.data)?;
            match expected {
                None => first = kind,
                Some(expected) if expected != kind => return None,
                Some(_) => {}
            }
            expected = header.first().copied();
            *headers.extensions.get_mut(headers.count)? = header;
            headers.count += 1;
        }
        (expected.unwrap_or(UDP) == UDP).then_some((headers, first))
    }
}

impl<'b> Datagram<'b> {
    /// The headers it came with, from sockets with
    /// [`SocketOptions::headers`](super::SocketOptions::headers) alone; `ipv4` is that header where it
    /// is known.
    #[must_use]
    pub fn headers(&self, ipv4: Option<&[u8; 20]>) -> ArrivedHeaders<'b> {
        if self.from.is_ipv4() {
            let mut headers = ArrivedHeaders::NONE;
            if let Some(header) = ipv4 {
                headers.fixed[..header.len()].copy_from_slice(header);
                headers.fixed_octets = header.len();
            }
            return headers;
        }
        let Some((mut headers, first)) = ArrivedHeaders::read(self) else {
            return ArrivedHeaders::NONE;
        };
        let extensions: usize = headers.extensions().iter().map(|header| header.len()).sum();
        if let Some(fixed) = self.ipv6_header(first, extensions) {
            let mut writer = Writer::new(&mut headers.fixed);
            if fixed.emit(&mut writer).is_ok() {
                headers.fixed_octets = MOST_FIXED;
            }
        }
        headers
    }

    fn ipv6_header(&self, first: u8, extensions: usize) -> Option<Ipv6Header> {
        let (IpAddr::V6(source), IpAddr::V6(destination)) = (self.from.ip(), self.to.ip()) else {
            return None;
        };
        let (dscp, ecn) = self.traffic_class?;
        let class = u32::from(join_traffic_class(dscp, ecn));
        let flow = self.controls.clone().find_map(|control| {
            let is_flow =
                (control.level, control.kind) == (libc::IPPROTO_IPV6, libc::IPV6_FLOWINFO);
            control.array(0).filter(|_| is_flow).map(u32::from_be_bytes)
        });
        // All zero is not told.
        let flow = flow.unwrap_or_default();
        if self.truncated || flow >> 20 != class {
            return None;
        }
        Some(Ipv6Header {
            dscp,
            ecn,
            flow_label: FlowLabel::new(flow & 0x000f_ffff)?,
            payload_length: u16::try_from(extensions + UDP_HEADER_OCTETS + self.octets.len())
                .ok()?,
            next_header: Protocol(first),
            hop_limit: self.hop_limit?,
            source,
            destination,
        })
    }
}

impl UdpSocket {
    /// Tells the headers of what is received from now on ([`Datagram::headers`]), or no more.
    ///
    /// # Errors
    ///
    /// [`NetError::SocketOption`] when the kernel takes no such option.
    pub fn tell_headers(&mut self, tell: bool) -> Result<(), NetError> {
        self.headers = tell;
        if !self.is_ipv6() {
            return Ok(());
        }
        for (option, level, name, value) in options::headers(tell) {
            sys::option::set_int(self.as_fd(), level, name, value)
                .map_err(NetError::option(option))?;
        }
        Ok(())
    }
}
