//! Batches of datagrams with control messages: `recvmmsg` and `sendmmsg`.

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Most messages that one call moves.
pub(crate) const BATCH: usize = 64;

/// Room for a `sockaddr_in6`, the longest address met here.
pub(crate) const NAME_OCTETS: usize = 28;

/// Room for the control messages of one received datagram, routing headers aside.
///
/// All that is asked for together takes less than 200 octets.
pub(crate) const CONTROL_OCTETS: usize = 256;

/// Where one datagram goes when it is received.
pub(crate) struct ReceiveBuffers<'a> {
    pub(crate) payload: &'a mut [u8],
    pub(crate) name: &'a mut [u8; NAME_OCTETS],
    pub(crate) control: &'a mut [u8],
}

/// How much of its buffers one received datagram filled.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filled {
    /// Octets of payload written, at most the length of its buffer.
    pub(crate) payload: usize,
    pub(crate) name: usize,
    /// Octets of control messages written; the kernel only ever shrinks the length it was given.
    pub(crate) control: usize,
    /// `MSG_TRUNC` and its kin.
    pub(crate) flags: i32,
}

/// One datagram to send; an empty name leaves the destination to a connected socket.
pub(crate) struct SendBuffers<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) control: &'a [u8],
}

/// What most calls bring at most. Room for more is described to the kernel only when that is full: it takes
/// longer to describe 64 places than to receive a datagram.
const FEW: usize = 4;

/// Receives up to [`BATCH`] datagrams without waiting; `flags` may add `MSG_ERRQUEUE`.
///
/// Returns how many of `filled` are valid, which is at least one; when it is less than there was room
/// for, nothing else was there, or an error of an earlier datagram stood in front of it: a poller tells.
///
/// # Errors
///
/// What `recvmmsg` returned; `EAGAIN` when nothing is there.
pub(crate) fn receive<'a>(
    socket: BorrowedFd<'_>,
    flags: libc::c_int,
    mut buffers: impl Iterator<Item = ReceiveBuffers<'a>>,
    filled: &mut [Filled],
) -> io::Result<usize> {
    let (few, more) = filled.split_at_mut(FEW.min(filled.len()));
    let received = receive_into(socket, flags, buffers.by_ref().take(few.len()), few)?;
    if received < few.len() || more.is_empty() {
        return Ok(received);
    }
    // What is here counts. An error of an earlier datagram is on the error queue as well, and one of the
    // socket itself meets the next call again.
    Ok(received + receive_into(socket, flags, buffers, more).unwrap_or(0))
}

/// One call of `recvmmsg`, with as many places as there are buffers and entries of `filled`.
fn receive_into<'a>(
    socket: BorrowedFd<'_>,
    flags: libc::c_int,
    buffers: impl Iterator<Item = ReceiveBuffers<'a>>,
    filled: &mut [Filled],
) -> io::Result<usize> {
    let mut vectors = [EMPTY_VECTOR; BATCH];
    let mut headers = [EMPTY_HEADER; BATCH];
    let mut count = 0;
    // Every pointer is written anew: the kernel shrinks the lengths to what it used.
    for ((vector, header), buffers) in vectors.iter_mut().zip(&mut headers).zip(buffers) {
        let vector = vector.write(libc::iovec {
            iov_base: buffers.payload.as_mut_ptr().cast(),
            iov_len: buffers.payload.len(),
        });
        let message = &mut header.write(zeroed_header()).msg_hdr;
        message.msg_iov = vector;
        message.msg_iovlen = 1;
        message.msg_name = buffers.name.as_mut_ptr().cast();
        message.msg_namelen = NAME_OCTETS as libc::socklen_t;
        message.msg_control = buffers.control.as_mut_ptr().cast();
        message.msg_controllen = buffers.control.len() as _;
        count += 1;
    }
    let count = count.min(filled.len());
    // SAFETY:
    // - the descriptor is open for as long as `socket` is borrowed;
    // - `headers` holds at least `count` initialised elements, `count` is at most BATCH;
    // - each points to one element of `vectors` and to three buffers borrowed exclusively for 'a,
    //   with their true lengths, and all of them outlive the call;
    // - the kernel keeps no pointer; a null timeout is allowed.
    let received = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr().cast(),
            count as libc::c_uint,
            (flags | libc::MSG_DONTWAIT) as _,
            ptr::null_mut(),
        )
    };
    let received = counted(received)?;
    #[allow(clippy::unnecessary_cast, reason = "the width of the control length differs")]
    for (filled, header) in filled.iter_mut().zip(headers.iter().zip(&vectors)).take(received) {
        let (header, vector) = header;
        // SAFETY: the kernel fills no more than the `count` elements that were written above.
        let (header, vector) = unsafe { (header.assume_init_ref(), vector.assume_init_ref()) };
        *filled = Filled {
            // With MSG_TRUNC asked for, the kernel would tell more than it wrote.
            payload: (header.msg_len as usize).min(vector.iov_len),
            name: (header.msg_hdr.msg_namelen as usize).min(NAME_OCTETS),
            control: header.msg_hdr.msg_controllen as usize,
            flags: header.msg_hdr.msg_flags,
        };
    }
    Ok(received)
}

/// Sends up to [`BATCH`] datagrams without waiting and returns how many left.
///
/// # Errors
///
/// Why the *first* one failed. When a later one fails, the count tells which, and the next call
/// that starts with it tells why.
pub(crate) fn send<'a>(
    socket: BorrowedFd<'_>,
    messages: impl Iterator<Item = SendBuffers<'a>>,
) -> io::Result<usize> {
    let mut vectors = [EMPTY_VECTOR; BATCH];
    let mut headers = [EMPTY_HEADER; BATCH];
    let mut count = 0;
    for ((vector, header), buffers) in vectors.iter_mut().zip(&mut headers).zip(messages) {
        let vector = vector.write(libc::iovec {
            iov_base: buffers.payload.as_ptr().cast_mut().cast(),
            iov_len: buffers.payload.len(),
        });
        let message = &mut header.write(zeroed_header()).msg_hdr;
        message.msg_iov = vector;
        message.msg_iovlen = 1;
        if !buffers.name.is_empty() {
            message.msg_name = buffers.name.as_ptr().cast_mut().cast();
            message.msg_namelen = buffers.name.len() as libc::socklen_t;
        }
        if !buffers.control.is_empty() {
            message.msg_control = buffers.control.as_ptr().cast_mut().cast();
            message.msg_controllen = buffers.control.len() as _;
        }
        count += 1;
    }
    // SAFETY:
    // - the descriptor is open for as long as `socket` is borrowed;
    // - `headers` holds `count` initialised elements, each pointing to one element of `vectors`;
    // - payloads, names and control data are borrowed for 'a with their true lengths; the kernel
    //   only reads them, so that casting away `const` is harmless, and keeps no pointer.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr().cast(),
            count,
            (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
        )
    };
    counted(sent)
}

/// Written only as far as there are messages: most calls move one or two.
const EMPTY_VECTOR: MaybeUninit<libc::iovec> = MaybeUninit::uninit();
const EMPTY_HEADER: MaybeUninit<libc::mmsghdr> = MaybeUninit::uninit();

/// A message header without address, data and control.
///
/// Not written field by field because some C libraries have padding that cannot be named.
fn zeroed_header() -> libc::mmsghdr {
    // SAFETY: `mmsghdr` consists of integers and raw pointers, for which zero is a valid value.
    unsafe { mem::zeroed() }
}

fn counted(result: libc::c_int) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    use super::*;

    fn pair() -> (UdpSocket, UdpSocket) {
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        near.connect(far.local_addr().unwrap()).unwrap();
        (near, far)
    }

    fn collect(socket: &UdpSocket, room: usize) -> io::Result<Vec<(Vec<u8>, Filled)>> {
        const ROOM: usize = FEW + 2;
        let mut payloads = [[0; 8]; ROOM];
        let mut names = [[0; NAME_OCTETS]; ROOM];
        let mut controls = [[0; CONTROL_OCTETS]; ROOM];
        let buffers = payloads.iter_mut().zip(&mut names).zip(&mut controls);
        let buffers = buffers.map(|((payload, name), control)| ReceiveBuffers {
            payload: &mut payload[..room],
            name,
            control,
        });
        let mut filled = [Filled::default(); ROOM];
        let count = receive(socket.as_fd(), 0, buffers, &mut filled)?;
        let filled = filled.into_iter().take(count);
        Ok(filled.zip(payloads).map(|(f, payload)| (payload[..f.payload].to_vec(), f)).collect())
    }

    #[test]
    fn a_batch_arrives_in_order() {
        let (near, far) = pair();
        let payloads: [&[u8]; 3] = [b"one", b"two", b"three"];
        let messages =
            payloads.iter().map(|payload| SendBuffers { payload, name: &[], control: &[] });
        assert_eq!(send(near.as_fd(), messages).unwrap(), 3);
        let received = collect(&far, 8).unwrap();
        let octets: Vec<_> = received.iter().map(|(payload, _)| payload.as_slice()).collect();
        assert_eq!(octets, payloads);
        assert!(received.iter().all(|(_, filled)| filled.name == 16 && filled.flags == 0));
    }

    #[test]
    fn what_does_not_fit_into_the_first_call_comes_with_the_second() {
        let (near, far) = pair();
        for number in 0..=7 {
            near.send(&[number]).unwrap();
        }
        let first: Vec<u8> =
            collect(&far, 8).unwrap().iter().map(|(octets, _)| octets[0]).collect();
        assert_eq!(first, [0, 1, 2, 3, 4, 5]);
        assert_eq!(collect(&far, 8).unwrap().len(), 2);
        assert_eq!(collect(&far, 8).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        (0..FEW).for_each(|_| assert_eq!(near.send(&[9]).unwrap(), 1));
        assert_eq!(collect(&far, 8).unwrap().len(), FEW, "and nothing behind them");
    }

    #[test]
    fn an_empty_queue_would_block() {
        let (_, far) = pair();
        assert_eq!(collect(&far, 8).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_payload_longer_than_its_buffer_is_marked_and_never_read_past_it() {
        let (near, far) = pair();
        near.send(b"longer").unwrap();
        let (payload, filled) = collect(&far, 4).unwrap().remove(0);
        assert_eq!(payload, b"long");
        assert_ne!(filled.flags & libc::MSG_TRUNC, 0);
    }

    #[test]
    fn the_reason_of_a_failing_element_comes_with_the_next_call() {
        let (near, _far) = pair();
        let huge = vec![0; 65_508];
        let payloads: [&[u8]; 2] = [b"fits", &huge];
        let messages =
            payloads.iter().map(|payload| SendBuffers { payload, name: &[], control: &[] });
        assert_eq!(send(near.as_fd(), messages.clone()).unwrap(), 1);
        let error = send(near.as_fd(), messages.skip(1)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
    }
}
