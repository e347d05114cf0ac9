//! Which transmit stamp belongs to which datagram.
//!
//! A stamp carries a 32-bit id and nothing else. Newer kernels let the sender choose the id of
//! each datagram (`SCM_TS_OPT_ID`, Linux 6.13); older ones count datagrams per socket, and
//! whether one that failed is counted differs between them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::address::Name;
use super::control::ControlBuffer;
use super::errors::{ErrorBatch, SocketEvent};
use crate::sys;
use crate::sys::message::SendBuffers;

/// Control message that chooses the id.
const SCM_TS_OPT_ID: i32 = 81;

/// Who numbers the datagrams.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Numbering {
    /// We do.
    Ours,
    /// The kernel does.
    Kernel {
        /// It also counts datagrams that failed while the packet was made.
        counts_failures: bool,
    },
}

/// The ids of one socket's transmit stamps.
#[derive(Debug)]
pub(crate) struct TransmitIds {
    numbering: Numbering,
    next: AtomicU32,
}

impl TransmitIds {
    /// What a socket must be told to take transmit stamps with ids.
    pub(crate) const FLAGS: u32 = libc::SOF_TIMESTAMPING_TX_SOFTWARE
        | libc::SOF_TIMESTAMPING_OPT_ID
        | libc::SOF_TIMESTAMPING_OPT_TSONLY;

    /// What says of a datagram that its stamp is to be taken.
    pub(crate) const RECORDS: u32 =
        libc::SOF_TIMESTAMPING_TX_SOFTWARE | libc::SOF_TIMESTAMPING_TX_HARDWARE;

    pub(crate) fn new() -> Self {
        /// A property of the running kernel.
        static NUMBERING: OnceLock<Numbering> = OnceLock::new();
        let numbering = *NUMBERING.get_or_init(|| detect().unwrap_or(Numbering::UNKNOWN));
        Self { numbering, next: AtomicU32::new(0) }
    }

    /// The ids of a packet socket, which the kernel never gives to a frame that it refused.
    pub(crate) fn of_frames() -> Self {
        let mut ids = Self::new();
        if let Numbering::Kernel { counts_failures } = &mut ids.numbering {
            *counts_failures = false;
        }
        ids
    }

    /// Appends the id to the control messages if we choose it, and returns it then.
    #[inline]
    pub(crate) fn choose(&self, control: &mut ControlBuffer) -> Option<u32> {
        if self.numbering != Numbering::Ours {
            return None;
        }
        let id = self.advance();
        control.push(libc::SOL_SOCKET, SCM_TS_OPT_ID, id.to_ne_bytes());
        Some(id)
    }

    /// The id of a datagram that has just been sent with the id `chosen`.
    #[inline]
    pub(crate) fn sent(&self, chosen: Option<u32>) -> u32 {
        chosen.unwrap_or_else(|| self.advance())
    }

    /// A datagram has failed, after so many attempts, with an error of its own.
    pub(crate) fn failed(&self, errno: i32, attempts: usize) {
        let Numbering::Kernel { counts_failures } = self.numbering else { return };
        let counted = match errno {
            // Dropped behind the socket: the packet existed.
            libc::ENOBUFS => true,
            // Given up while the packet was made.
            libc::EMSGSIZE | libc::EAGAIN => counts_failures,
            // Refused before: no route, no permission, no such address.
            _ => false,
        };
        if counted {
            self.skip(attempts);
        }
    }

    /// So many attempts met an error of an earlier datagram, which shows up while the packet is
    /// made.
    pub(crate) fn interrupted(&self, attempts: usize) {
        if self.numbering == (Numbering::Kernel { counts_failures: true }) {
            self.skip(attempts);
        }
    }

    fn skip(&self, ids: usize) {
        self.next.fetch_add(ids as u32, Ordering::Relaxed);
    }

    fn advance(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

impl Numbering {
    const UNKNOWN: Self = Self::Kernel { counts_failures: false };
}

fn detect() -> io::Result<Numbering> {
    if ids_can_be_chosen()? {
        return Ok(Numbering::Ours);
    }
    Ok(Numbering::Kernel { counts_failures: failures_are_counted()? })
}

/// Sends to an address that this socket may not send to: a kernel that does not know the control
/// message complains about that first. Nothing leaves.
fn ids_can_be_chosen() -> io::Result<bool> {
    let socket = stamping_socket(Ipv4Addr::UNSPECIFIED)?;
    let name = Name::new(&SocketAddr::from((Ipv4Addr::BROADCAST, 9)));
    let mut control = ControlBuffer::new();
    control.push(libc::SOL_SOCKET, SCM_TS_OPT_ID, 0_u32.to_ne_bytes());
    let message = SendBuffers { payload: &[], name: name.octets(), control: control.octets() };
    let refused = sys::message::send(socket.as_fd(), [message].into_iter());
    Ok(refused.is_err_and(|error| error.raw_os_error() != Some(libc::EINVAL)))
}

/// Lets one datagram fail because of its size and looks at the id of the next one.
fn failures_are_counted() -> io::Result<bool> {
    let socket = stamping_socket(Ipv4Addr::LOCALHOST)?;
    let myself = socket.local_addr()?;
    let too_big = vec![0; 65_508];
    if socket.send_to(&too_big, myself).is_ok() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    socket.send_to(&[0], myself)?;
    let mut batch = ErrorBatch::new(4);
    batch.fill(socket.as_fd())?;
    let id = batch.iter().find_map(|event| match event {
        SocketEvent::TransmitStamp { id, .. } => Some(id),
        _ => None,
    });
    id.map(|id| id != 0).ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn stamping_socket(local: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((local, 0))?;
    let flags = TransmitIds::FLAGS | libc::SOF_TIMESTAMPING_SOFTWARE;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_TIMESTAMPING);
    sys::option::set_int(socket.as_fd(), level, option, flags as i32)?;
    Ok(socket)
}

#[cfg(test)]
impl TransmitIds {
    /// The way of older kernels, which newer ones still offer.
    pub(crate) fn counted_by_kernel() -> Self {
        let counts_failures = failures_are_counted().unwrap();
        Self { numbering: Numbering::Kernel { counts_failures }, next: AtomicU32::new(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(counts_failures: bool) -> TransmitIds {
        let numbering = Numbering::Kernel { counts_failures };
        TransmitIds { numbering, next: AtomicU32::new(0) }
    }

    #[test]
    fn the_running_kernel_is_recognised() {
        // Either answer is right; an error would leave us guessing.
        let numbering = detect().unwrap();
        assert_eq!(detect().unwrap(), numbering);
    }

    #[test]
    fn chosen_ids_count_up_and_travel_with_the_datagram() {
        let ids = TransmitIds { numbering: Numbering::Ours, next: AtomicU32::new(u32::MAX) };
        let mut control = ControlBuffer::new();
        assert_eq!(ids.choose(&mut control), Some(u32::MAX));
        assert_eq!(ids.choose(&mut control), Some(0));
        assert!(!control.octets().is_empty());
        ids.failed(libc::ENOBUFS, 1);
        assert_eq!(ids.sent(Some(u32::MAX)), u32::MAX);
        assert_eq!(ids.choose(&mut control), Some(1));
    }

    #[test]
    fn counted_ids_skip_a_packet_that_was_dropped_behind_the_socket() {
        let ids = kernel(false);
        assert_eq!(ids.choose(&mut ControlBuffer::new()), None);
        assert_eq!(ids.sent(None), 0);
        ids.failed(libc::ENOBUFS, 1);
        ids.failed(libc::EMSGSIZE, 2);
        ids.interrupted(1);
        assert_eq!(ids.sent(None), 2);
    }

    #[test]
    fn counted_ids_skip_every_failure_where_the_kernel_does() {
        let ids = kernel(true);
        ids.failed(libc::EMSGSIZE, 2);
        ids.failed(libc::ENETUNREACH, 2);
        ids.interrupted(1);
        assert_eq!(ids.sent(None), 3);
    }
}
