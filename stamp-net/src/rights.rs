//! What takes a right, done by a process of its own: the one that packets and HTTP reach has none.
//!
//! A service starts the helper before it gives its capabilities away. From then on a socket, port or
//! route that the kernel refuses is asked of the helper, which does what it is asked and passes the
//! descriptor back. It knows a few typed requests, takes no path and no command, and ends with the
//! service.

mod request;
mod serve;

use std::io::{self, ErrorKind};
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, OnceLock, PoisonError};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use socket2::{Domain, Protocol, Socket, Type};

use crate::capability::{Capabilities, Capability};
use crate::error::NetError;
use crate::sys::passing;
pub(crate) use request::Buffer;
use request::{Answer, Done, Request};
pub use serve::serve;

/// What the helper can do something with.
pub const USEFUL: [Capability; 3] =
    [Capability::NetBindService, Capability::NetAdmin, Capability::NetRaw];

static HELPER: OnceLock<Helper> = OnceLock::new();

struct Helper {
    /// One question at a time.
    line: Mutex<OwnedFd>,
    held: Capabilities,
}

/// The two ends of a line.
///
/// # Errors
///
/// [`NetError::Call`] when the kernel has no descriptors left.
pub fn line() -> Result<(OwnedFd, OwnedFd), NetError> {
    let flags = SockFlag::SOCK_CLOEXEC;
    socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)
        .map_err(NetError::errno("socketpair"))
}

/// From here on this process asks the one at the other end, for as long as it lives.
///
/// # Errors
///
/// [`NetError::Call`] when nobody answers there, or somebody is asked already.
pub fn rely_on(line: OwnedFd) -> Result<(), NetError> {
    let answer = ask(line.as_fd(), &Request::Rights, None).map_err(NetError::call("sendmsg"))?;
    let Done::Rights(held) = answer.done else {
        return Err(NetError::call("recvmsg")(ErrorKind::InvalidData.into()));
    };
    let helper = Helper { line: Mutex::new(line), held };
    HELPER.set(helper).map_err(|_| NetError::call("recvmsg")(ErrorKind::AlreadyExists.into()))
}

/// What the helper may, where there is one.
pub(crate) fn held() -> Option<Capabilities> {
    HELPER.get().map(|helper| helper.held)
}

/// A raw socket: by ourselves where we may, else by the helper.
pub(crate) fn raw_socket(
    domain: Domain,
    kind: Type,
    protocol: Option<Protocol>,
) -> io::Result<Socket> {
    Socket::new(domain, kind, protocol).or_else(|refused| {
        let request = match domain {
            Domain::PACKET => Request::Frames,
            Domain::IPV4 => Request::Ipv4(protocol.map_or(0, i32::from)),
            _ => Request::Ipv6(protocol.map_or(0, i32::from)),
        };
        let answer = instead(refused, &request, None)?;
        answer.descriptor.map(Socket::from).ok_or_else(|| ErrorKind::InvalidData.into())
    })
}

/// Binds a socket.
pub(crate) fn bind(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    socket.bind(&address.into()).or_else(|refused| {
        instead(refused, &Request::Bind(address), Some(socket.as_fd())).map(drop)
    })
}

/// Marks what a socket sends.
pub(crate) fn set_mark(socket: BorrowedFd<'_>, mark: u32) -> io::Result<()> {
    let own = socket2::SockRef::from(&socket).set_mark(mark);
    own.or_else(|refused| instead(refused, &Request::Mark(mark), Some(socket)).map(drop))
}

/// Sets the size of a buffer beyond the limit of ordinary users.
pub(crate) fn set_buffer(socket: BorrowedFd<'_>, buffer: Buffer, octets: usize) -> io::Result<()> {
    buffer.force(socket, octets).or_else(|refused| {
        instead(refused, &Request::Buffer(buffer, octets), Some(socket)).map(drop)
    })
}

/// Puts a blackhole route there by the helper, after the kernel has refused it to us.
pub(crate) fn add_blackhole(refused: io::Error, prefix: Ipv6Addr, bits: u8) -> io::Result<()> {
    instead(refused, &Request::Blackhole(prefix, bits), None).map(drop)
}

/// Takes it away again.
pub(crate) fn remove_blackhole(refused: io::Error, prefix: Ipv6Addr, bits: u8) -> io::Result<()> {
    instead(refused, &Request::NoBlackhole(prefix, bits), None).map(drop)
}

/// What the helper says to that which was refused to us; the refusal where nobody can be asked.
fn instead(
    refused: io::Error,
    request: &Request,
    subject: Option<BorrowedFd<'_>>,
) -> io::Result<Answer> {
    if refused.kind() != ErrorKind::PermissionDenied {
        return Err(refused);
    }
    let Some(helper) = HELPER.get() else { return Err(refused) };
    let line = helper.line.lock().unwrap_or_else(PoisonError::into_inner);
    match ask(line.as_fd(), request, subject) {
        // It is gone: we are what we are.
        Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => {
            Err(refused)
        }
        answer => answer,
    }
}

fn ask(
    line: BorrowedFd<'_>,
    request: &Request,
    subject: Option<BorrowedFd<'_>>,
) -> io::Result<Answer> {
    passing::send(line, request.to_string().as_bytes(), subject)?;
    let mut room = [0; request::OCTETS];
    let (octets, descriptor) = passing::receive(line, &mut room)?;
    let done = Done::read(room.get(..octets).unwrap_or_default())?;
    Ok(Answer { done, descriptor })
}

#[cfg(test)]
mod tests;
