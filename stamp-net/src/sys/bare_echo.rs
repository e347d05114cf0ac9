//! The least that an echo can do: one `recvmmsg`, one `sendmmsg`, nothing read but lengths.
//!
//! Not part of the library. `benches/loopback_walltime.rs` measures it beside the product; it is
//! here because `unsafe` is nowhere else.

use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

const BATCH: usize = 64;
const OCTETS: usize = 2048;

/// Buffers for one batch.
pub(crate) struct BareEcho {
    payload: Box<[[u8; OCTETS]; BATCH]>,
    names: Box<[libc::sockaddr_in6; BATCH]>,
    control: Box<[[u8; 256]; BATCH]>,
    /// Control messages to receive, and the one to send with each answer.
    informed: Option<Vec<u8>>,
}

impl BareEcho {
    /// With `informed` the kernel writes control messages on receipt, unread, and reads this one
    /// with each answer.
    pub(crate) fn new(informed: Option<Vec<u8>>) -> Self {
        // SAFETY: `sockaddr_in6` consists of integers, for which zero is a valid value.
        let names = unsafe { mem::zeroed() };
        Self {
            payload: Box::new([[0; OCTETS]; BATCH]),
            names: Box::new(names),
            control: Box::new([[0; 256]; BATCH]),
            informed,
        }
    }

    /// Returns a batch of what has arrived to where it came from and tells how many it was.
    pub(crate) fn echo(&mut self, socket: BorrowedFd<'_>) -> usize {
        let empty = libc::iovec { iov_base: ptr::null_mut(), iov_len: OCTETS };
        let mut vectors = [empty; BATCH];
        // SAFETY: `mmsghdr` consists of integers and raw pointers, for which zero is valid.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        let buffers = self.payload.iter_mut().zip(self.names.iter_mut()).zip(&mut *self.control);
        let prepared = vectors.iter_mut().zip(&mut headers).zip(buffers);
        for ((vector, header), ((payload, name), control)) in prepared {
            vector.iov_base = payload.as_mut_ptr().cast();
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = (&raw mut *name).cast();
            header.msg_hdr.msg_namelen = size_of_val(name) as libc::socklen_t;
            if self.informed.is_some() {
                header.msg_hdr.msg_control = control.as_mut_ptr().cast();
                header.msg_hdr.msg_controllen = control.len() as _;
            }
        }
        // SAFETY:
        // - the descriptor is open for as long as `socket` is borrowed;
        // - all BATCH headers point to buffers of the stated lengths that outlive the call;
        // - a null timeout is allowed.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        let Ok(received) = usize::try_from(received) else { return 0 };
        for (vector, header) in vectors.iter_mut().zip(&mut headers).take(received) {
            vector.iov_len = header.msg_len as usize;
            if let Some(control) = &self.informed {
                header.msg_hdr.msg_control = control.as_ptr().cast_mut().cast();
                header.msg_hdr.msg_controllen = control.len() as _;
            }
        }
        // SAFETY:
        // - the first `received` headers hold the address and length that the kernel wrote;
        // - their buffers still live and are only read.
        let sent = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                received as libc::c_uint,
                libc::MSG_DONTWAIT as _,
            )
        };
        usize::try_from(sent).unwrap_or(0)
    }
}
