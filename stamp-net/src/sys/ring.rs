//! Packet sockets: binding one to an interface, and the ring that the kernel writes frames into.
//!
//! TPACKET_V2: a sequence of frames of one size, each beginning with a status word that says whose
//! it is. The third version hands over blocks and lets a lone frame wait for its block to be
//! closed, a millisecond at least; nothing that answers or paces can use it.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use super::option;

/// `TPACKET_V2`.
const VERSION_2: libc::c_int = 1;
/// What the kernel is asked for at once; a multiple of every page size that Linux has.
const BLOCK_OCTETS: usize = 64 << 10;
/// The status word.
const STATUS_OCTETS: usize = size_of::<u32>();

/// Binds a packet socket to an interface: from now on it gets the frames of `protocol`.
///
/// # Errors
///
/// What `bind` returned; `ENODEV` when there is no such interface.
pub(crate) fn bind(socket: BorrowedFd<'_>, interface: u32, protocol: u16) -> io::Result<()> {
    // SAFETY: `sockaddr_ll` consists of integers, for which zero is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    address.sll_family = libc::AF_PACKET as libc::c_ushort;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex =
        interface.try_into().map_err(|_| io::Error::from_raw_os_error(libc::ENODEV))?;
    // SAFETY:
    // - the descriptor is open for as long as `socket` is borrowed;
    // - the kernel reads exactly the given length from `address`, which lives until the call
    //   returns.
    let result = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of_val(&address) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The interface that a packet socket is bound to; -1 when that has gone, for good.
///
/// # Errors
///
/// What `getsockname` returned.
pub(crate) fn bound_to(socket: BorrowedFd<'_>) -> io::Result<i32> {
    // SAFETY: `sockaddr_ll` consists of integers, for which zero is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    let mut length = size_of_val(&address) as libc::socklen_t;
    // SAFETY:
    // - the descriptor is open for as long as `socket` is borrowed;
    // - the kernel writes at most `length` octets to `address`, which is as long and lives until
    //   the call returns; any octets make a valid value.
    let result = unsafe {
        libc::getsockname(socket.as_raw_fd(), (&raw mut address).cast(), &raw mut length)
    };
    if result == 0 { Ok(address.sll_ifindex) } else { Err(io::Error::last_os_error()) }
}

/// The memory that the kernel writes received frames into.
#[derive(Debug)]
pub(crate) struct Ring {
    memory: NonNull<u8>,
    octets: usize,
    frame_octets: usize,
    next: usize,
    /// The frame before `next` has been looked at and is still ours.
    held: bool,
}

// SAFETY: the memory belongs to the process, not to a thread, and this value alone knows it.
unsafe impl Send for Ring {}

// SAFETY: a shared reference tells how large the ring is, and reaches none of its memory.
unsafe impl Sync for Ring {}

impl Ring {
    /// Gives a packet socket a ring of at least `frames` frames of `frame_octets` octets with
    /// their headers, rounded up to what fits the kernel's blocks.
    ///
    /// # Errors
    ///
    /// What `setsockopt` or `mmap` returned; `ENOMEM` when the ring is too large.
    pub(crate) fn new(
        socket: BorrowedFd<'_>,
        frames: usize,
        frame_octets: usize,
    ) -> io::Result<Self> {
        // A power of two, so that blocks are filled to the last octet and frames are aligned.
        let frame_octets = frame_octets.clamp(64, 1 << 20).next_power_of_two();
        let block_octets = BLOCK_OCTETS.max(frame_octets);
        let blocks = frames.max(1).saturating_mul(frame_octets).div_ceil(block_octets);
        let octets = blocks.saturating_mul(block_octets);
        let word = |value: usize| u32::try_from(value).map_err(|_| too_large());
        // `struct tpacket_req`.
        let request =
            [word(block_octets)?, word(blocks)?, word(frame_octets)?, word(octets / frame_octets)?]
                .map(u32::to_ne_bytes);
        option::set_int(socket, libc::SOL_PACKET, libc::PACKET_VERSION, VERSION_2)?;
        option::set_octets(socket, libc::SOL_PACKET, libc::PACKET_RX_RING, request.as_flattened())?;
        // SAFETY:
        // - the kernel chooses the address, so that no mapping of this process is replaced;
        // - the descriptor is open for as long as `socket` is borrowed, and has a ring of exactly
        //   `octets` octets; the mapping keeps it alive when the socket is closed.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                octets,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or_else(too_large)?;
        Ok(Self { memory, octets, frame_octets, next: 0, held: false })
    }

    /// How many frames fit.
    pub(crate) const fn frames(&self) -> usize {
        self.octets / self.frame_octets
    }

    /// The next frame that the kernel has written: its status, and all octets behind that word.
    ///
    /// It stays ours until this is called again, which gives it back.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<(u32, &[u8])> {
        self.release();
        let status = self.status(self.next).load(Ordering::Acquire);
        if status & libc::TP_STATUS_USER == 0 {
            return None;
        }
        let start = self.next * self.frame_octets + STATUS_OCTETS;
        self.next = (self.next + 1) % self.frames();
        self.held = true;
        // SAFETY:
        // - frame `next` lies within the mapping, which lives as long as `self`;
        // - its status says that it is ours, and was read with Acquire: what the kernel wrote
        //   before is visible, and it writes no more until the status is set back;
        // - that is done by `release` alone, which needs `self` exclusively, and so not before
        //   the slice is gone; the status word, which the kernel may look at, is not part of it.
        let octets = unsafe {
            slice::from_raw_parts(
                self.memory.as_ptr().add(start),
                self.frame_octets - STATUS_OCTETS,
            )
        };
        Some((status, octets))
    }

    /// Gives the frame that was looked at last back to the kernel.
    #[inline]
    fn release(&mut self) {
        if mem::take(&mut self.held) {
            let last = self.next.checked_sub(1).unwrap_or(self.frames() - 1);
            self.status(last).store(libc::TP_STATUS_KERNEL, Ordering::Release);
        }
    }

    fn status(&self, index: usize) -> &AtomicU32 {
        let place = (index % self.frames()) * self.frame_octets;
        // SAFETY:
        // - the word lies within the mapping, which lives as long as `self`, and is aligned:
        //   the mapping to a page, the frames to their size, a power of two;
        // - both sides access it atomically; no slice that was handed out covers it.
        unsafe { AtomicU32::from_ptr(self.memory.as_ptr().add(place).cast()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: exactly what `mmap` returned, once; nothing borrowed from it outlives `self`.
        let _ = unsafe { libc::munmap(self.memory.as_ptr().cast(), self.octets) };
    }
}

fn too_large() -> io::Error {
    io::Error::from_raw_os_error(libc::ENOMEM)
}
