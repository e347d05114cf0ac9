//! A message between two processes, with a descriptor beside it.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::cmsg_space;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};

/// Sends one message over a socket that keeps messages apart.
///
/// # Errors
///
/// What `sendmsg` returned; `EPIPE`, and no signal, when the other end is closed.
pub(crate) fn send(
    line: BorrowedFd<'_>,
    octets: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let descriptor = descriptor.map(|descriptor| [descriptor.as_raw_fd()]);
    let rights = descriptor.as_ref().map(|list| ControlMessage::ScmRights(list));
    let vectors = [IoSlice::new(octets)];
    let flags = MsgFlags::MSG_NOSIGNAL;
    sendmsg::<()>(line.as_raw_fd(), &vectors, rights.as_slice(), flags, None)?;
    Ok(())
}

/// Waits for a message and returns its length and the descriptor that came with it.
///
/// # Errors
///
/// [`ErrorKind::UnexpectedEof`] when the other end is closed, or what `recvmsg` returned.
pub(crate) fn receive(
    line: BorrowedFd<'_>,
    room: &mut [u8],
) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut control = cmsg_space!([RawFd; 1]);
    let mut vectors = [IoSliceMut::new(room)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = loop {
        match recvmsg::<()>(line.as_raw_fd(), &mut vectors, Some(&mut control), flags) {
            Err(nix::errno::Errno::EINTR) => {}
            received => break received?,
        }
    };
    if message.bytes == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let mut passed = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(descriptors) = control {
            for descriptor in descriptors {
                // SAFETY:
                // - the kernel made this descriptor for us by the call above, and told of it there
                //   only;
                // - nobody else has it, so that it is closed once.
                passed.push(unsafe { OwnedFd::from_raw_fd(descriptor) });
            }
        }
    }
    Ok((message.bytes, passed.pop()))
}
