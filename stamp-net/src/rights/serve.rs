//! The helper's end.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::signal::{SigSet, Signal};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::request::{self, Done, Request};
use crate::capability::Capabilities;
use crate::error::NetError;
use crate::route::Blackhole;
use crate::sys::passing;

/// Does what is asked until the other end closes; `held` is what it says of its rights.
///
/// # Errors
///
/// [`NetError::Call`] when the line is unusable.
pub fn serve(line: BorrowedFd<'_>, held: Capabilities) -> Result<(), NetError> {
    // Whoever manages services sends these to every process of one. The service decides; then its end of
    // the line closes.
    let mut left_to_the_service = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        left_to_the_service.add(signal);
    }
    left_to_the_service.thread_block().map_err(NetError::errno("sigprocmask"))?;
    loop {
        let mut room = [0; request::OCTETS];
        let (octets, subject) = match passing::receive(line, &mut room) {
            Ok(received) => received,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(NetError::call("recvmsg")(error)),
        };
        let request = Request::read(room.get(..octets).unwrap_or_default());
        let (result, made) = match request.map(|request| act(request, subject.as_ref(), held)) {
            Some(Ok((done, made))) => (Ok(done), made),
            Some(Err(error)) => (Err(error), None),
            None => (Err(ErrorKind::InvalidInput.into()), None),
        };
        let answer = Done::line(&result);
        let made = made.as_ref().map(AsFd::as_fd);
        passing::send(line, answer.as_bytes(), made).map_err(NetError::call("sendmsg"))?;
    }
}

fn act(
    request: Request,
    subject: Option<&OwnedFd>,
    held: Capabilities,
) -> io::Result<(Done, Option<OwnedFd>)> {
    let subject = || subject.ok_or(ErrorKind::InvalidInput);
    let raw = |domain, protocol: i32| {
        let kind = Type::RAW.nonblocking().cloexec();
        let socket = Socket::new(domain, kind, Some(Protocol::from(protocol)))?;
        Ok::<_, io::Error>((Done::Done, Some(OwnedFd::from(socket))))
    };
    match request {
        Request::Rights => return Ok((Done::Rights(held), None)),
        Request::Frames => return raw(Domain::PACKET, 0),
        Request::Ipv4(protocol) => return raw(Domain::IPV4, protocol),
        Request::Ipv6(protocol) => return raw(Domain::IPV6, protocol),
        Request::Bind(address) => SockRef::from(subject()?).bind(&address.into())?,
        Request::Mark(mark) => SockRef::from(subject()?).set_mark(mark)?,
        Request::Buffer(buffer, octets) => buffer.force(subject()?.as_fd(), octets)?,
        Request::Blackhole(prefix, bits) => Blackhole::make(prefix, bits)?,
        Request::NoBlackhole(prefix, bits) => Blackhole::unmake(prefix, bits)?,
    }
    Ok((Done::Done, None))
}
