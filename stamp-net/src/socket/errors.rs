//! The error queue: times at which datagrams left, ICMP errors, sizes that do not fit.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::SockRef;
use stamp_proto::sr::layers::quoted_udp;
use stamp_proto::time::Stamp;

use super::control::{Control, Controls};
use super::icmp::IcmpKind;
use super::receive::{PacketInfo, Slot, stamp};
use super::{UdpSocket, address};
use crate::error::NetError;
use crate::route::{largest_payload, largest_payload_behind};
use crate::sys::message::{BATCH, Filled, receive};

/// Octets kept of what an ICMP error quotes: a probe behind two IPv6 headers and a list of 24 SIDs.
const EXCERPT: usize = 512;

/// One entry of the error queue.
#[derive(Clone, Copy, Debug)]
pub enum SocketEvent<'b> {
    /// A datagram left.
    TransmitStamp {
        /// The id that [`SendOutcome::Sent`](crate::SendOutcome::Sent) announced.
        id: u32,
        /// When it left.
        stamp: Stamp,
    },
    /// A router, the destination or our own stack complains about a datagram.
    Icmp(IcmpError<'b>),
    /// The kernel refused a datagram because of its size, before it left.
    ///
    /// The send call told the same as [`SendFailure::TooBig`](super::SendFailure::TooBig).
    TooBig {
        /// Where it was to go; the port may be 0.
        to: SocketAddr,
        /// Path MTU in octets.
        mtu: u32,
        /// Largest UDP payload that fits, in octets.
        largest_payload: usize,
    },
    /// Something else, which says nothing about a datagram.
    Unknown {
        /// The number in `errno.h`.
        errno: i32,
    },
}

/// An ICMP error about a datagram of ours.
#[derive(Clone, Copy, Debug)]
pub struct IcmpError<'b> {
    /// What it says.
    pub kind: IcmpKind,
    /// Who says it.
    pub offender: Option<IpAddr>,
    /// Where the datagram went; of one with segments, which of them was next when the error arose.
    pub to: SocketAddr,
    /// Path MTU in octets, with [`IcmpKind::PacketTooBig`].
    pub mtu: Option<u32>,
    /// Largest UDP payload that fits, in octets, with [`IcmpKind::PacketTooBig`].
    pub largest_payload: Option<usize>,
    /// Our own stack says it.
    pub from_self: bool,
    /// Beginning of the payload of the datagram, as far as it was quoted; may be empty.
    pub payload: &'b [u8],
}

impl IcmpError<'_> {
    /// The datagram never left, because nobody on the link answers for the next hop.
    #[must_use]
    pub fn is_no_neighbour(&self) -> bool {
        self.from_self && self.kind == IcmpKind::HostUnreachable
    }
}

/// Buffers for the entries of one [`UdpSocket::errors`], allocated once.
#[derive(Debug)]
pub struct ErrorBatch {
    payload: Box<[u8]>,
    slots: Box<[Slot]>,
    filled: Box<[Filled]>,
    len: usize,
    expected: usize,
    hardware_stamps: bool,
    /// What stands between the IP header and UDP in the datagrams that errors are about.
    extension_octets: usize,
}

impl ErrorBatch {
    /// Room for `count` entries (1 to 64).
    #[must_use]
    pub fn new(count: usize) -> Self {
        let count = count.clamp(1, BATCH);
        Self {
            payload: vec![0; count * EXCERPT].into(),
            slots: Slot::many(count),
            filled: vec![Filled::default(); count].into(),
            len: 0,
            expected: count,
            hardware_stamps: false,
            extension_octets: 0,
        }
    }

    /// How many entries it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// From now on no more than `count` entries are taken at once (at least 1, at most all that it can
    /// hold): see [`ReceiveBatch::expect`](super::ReceiveBatch::expect).
    pub fn expect(&mut self, count: usize) {
        self.expected = count.clamp(1, self.capacity());
    }

    /// The entries in the order in which they were queued.
    pub fn iter(&self) -> impl Iterator<Item = SocketEvent<'_>> {
        self.entries()
            .filter_map(|(entry, to, quoted)| entry.into_event(to, quoted, self.extension_octets))
    }

    /// Those of a [`TunnelErrors`](crate::TunnelErrors) that quote a datagram, with the address and port it came
    /// from. How large a payload fits, [`IcmpError::largest_payload`], they do not know.
    pub fn quoted(&self) -> impl Iterator<Item = (SocketAddr, SocketEvent<'_>)> {
        self.entries().filter_map(|(entry, to, quoted)| {
            let quoted = quoted_udp(quoted)?;
            let mut event = entry.into_event(to, quoted.payload, 0)?;
            if let SocketEvent::Icmp(error) = &mut event {
                error.largest_payload = None;
            }
            Some((quoted.source, event))
        })
    }

    fn entries(&self) -> impl Iterator<Item = (Entry, Option<SocketAddr>, &[u8])> {
        let payloads = self.payload.chunks_exact(EXCERPT);
        let parts = payloads.zip(&self.slots).zip(&self.filled).take(self.len);
        parts.filter_map(|((payload, slot), filled)| {
            let entry = Entry::read(slot.controls(filled), self.hardware_stamps);
            Some((entry, address::parse(slot.name(filled)), payload.get(..filled.payload)?))
        })
    }

    /// Takes entries off the error queue of any socket, as many as fit, and returns how many.
    pub(crate) fn take(
        &mut self,
        socket: BorrowedFd<'_>,
        hardware_stamps: bool,
    ) -> Result<usize, NetError> {
        self.hardware_stamps = hardware_stamps;
        self.fill_all(socket)
    }

    /// The same of a socket whose entries quote whole packets.
    pub(crate) fn take_quoted(&mut self, socket: BorrowedFd<'_>) -> Result<usize, NetError> {
        self.hardware_stamps = false;
        self.fill_all(socket)
    }

    fn fill_all(&mut self, socket: BorrowedFd<'_>) -> Result<usize, NetError> {
        loop {
            match self.fill(socket) {
                Ok(count) => return Ok(count),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => {
                        // Without room in the queue an error stays with the socket alone, and
                        // would keep a poller awake.
                        let _ = SockRef::from(&socket).take_error();
                        return Ok(0);
                    }
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(NetError::call("recvmmsg")(error)),
                },
            }
        }
    }

    pub(super) fn fill(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.len = 0;
        let payloads = self.payload.chunks_exact_mut(EXCERPT);
        let buffers = payloads.zip(&mut self.slots).map(|(payload, slot)| slot.buffers(payload));
        let filled = self.filled.split_at_mut(self.expected).0;
        self.len = receive(socket, libc::MSG_ERRQUEUE, buffers, filled)?;
        Ok(self.len)
    }
}

impl UdpSocket {
    /// Takes entries off the error queue, as many as fit into `batch`, and returns how many.
    ///
    /// To be called before every receive and after every send until it returns less than the
    /// batch holds: entries left there use up the receive buffer and keep a poller awake.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when the socket is unusable.
    pub fn errors(&self, batch: &mut ErrorBatch) -> Result<usize, NetError> {
        batch.extension_octets = self.segment_octets();
        batch.take(self.as_fd(), self.hardware_stamps)
    }
}

/// What the control messages of one entry say.
#[derive(Default)]
struct Entry {
    report: Option<Report>,
    stamp: Option<Stamp>,
    /// Destination of the ICMP message itself: an address of ours.
    arrived_at: Option<IpAddr>,
}

/// `struct sock_extended_err` and the address behind it.
struct Report {
    errno: u32,
    origin: u8,
    kind: u8,
    code: u8,
    info: u32,
    data: u32,
    offender: Option<IpAddr>,
}

impl Report {
    fn parse(control: Control<'_>) -> Option<Self> {
        let [origin, kind, code, _] = control.array(4)?;
        Some(Self {
            errno: u32::from_ne_bytes(control.array(0)?),
            origin,
            kind,
            code,
            info: u32::from_ne_bytes(control.array(8)?),
            data: u32::from_ne_bytes(control.array(12)?),
            offender: control.data.get(16..).and_then(address::parse).map(|from| from.ip()),
        })
    }
}

impl Entry {
    fn read(controls: Controls<'_>, hardware_stamps: bool) -> Self {
        let mut entry = Self::default();
        for control in controls {
            match (control.level, control.kind) {
                (libc::IPPROTO_IP, libc::IP_RECVERR)
                | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
                | (libc::SOL_PACKET, libc::PACKET_TX_TIMESTAMP) => {
                    entry.report = Report::parse(control);
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) => {
                    entry.stamp = stamp(control, hardware_stamps);
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    entry.arrived_at = PacketInfo::ipv4(control).map(|info| info.to);
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    entry.arrived_at = PacketInfo::ipv6(control).map(|info| info.to);
                }
                _ => {}
            }
        }
        entry
    }

    fn into_event(
        self,
        to: Option<SocketAddr>,
        payload: &[u8],
        extension: usize,
    ) -> Option<SocketEvent<'_>> {
        /// `SO_EE_ORIGIN_TIMESTAMPING`.
        const TIMESTAMPING: u8 = 4;
        let report = self.report?;
        let errno = i32::try_from(report.errno).unwrap_or(libc::EIO);
        Some(match (report.origin, errno, to) {
            (TIMESTAMPING, ..) => {
                SocketEvent::TransmitStamp { id: report.data, stamp: self.stamp? }
            }
            (libc::SO_EE_ORIGIN_LOCAL, libc::EMSGSIZE, Some(to)) => SocketEvent::TooBig {
                to,
                // The kernel tells what the extension leaves.
                mtu: report.info.saturating_add(extension as u32),
                largest_payload: largest_payload(report.info, to.ip()),
            },
            (libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6, _, Some(to)) => {
                let mut error = report.into_icmp(to, self.arrived_at, payload);
                let fits = |mtu| largest_payload_behind(mtu, to.ip(), extension);
                error.largest_payload = error.mtu.map(fits);
                SocketEvent::Icmp(error)
            }
            _ => SocketEvent::Unknown { errno },
        })
    }
}

impl Report {
    fn into_icmp(
        self,
        to: SocketAddr,
        arrived_at: Option<IpAddr>,
        payload: &[u8],
    ) -> IcmpError<'_> {
        let kind = if self.origin == libc::SO_EE_ORIGIN_ICMP {
            IcmpKind::from_icmpv4(self.kind, self.code)
        } else {
            IcmpKind::from_icmpv6(self.kind, self.code)
        };
        let mtu = Some(self.info).filter(|mtu| kind == IcmpKind::PacketTooBig && *mtu != 0);
        IcmpError {
            kind,
            offender: self.offender,
            to,
            mtu,
            largest_payload: None,
            from_self: arrived_at.is_some() && arrived_at == self.offender,
            payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_too_short_is_ignored() {
        for length in 0..16 {
            let control = Control { level: 0, kind: 0, data: &[0; 16][..length] };
            assert!(Report::parse(control).is_none(), "{length}");
        }
    }

    #[test]
    fn an_entry_without_a_report_is_no_event() {
        assert!(Entry::default().into_event(None, &[], 0).is_none());
    }

    #[test]
    fn an_error_of_unknown_origin_says_nothing_about_a_datagram() {
        let report = Report::parse(Control { level: 0, kind: 0, data: &[9; 16] });
        let entry = Entry { report, ..Entry::default() };
        assert!(matches!(entry.into_event(None, &[], 0), Some(SocketEvent::Unknown { .. })));
    }
}
