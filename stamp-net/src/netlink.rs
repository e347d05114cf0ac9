//! Questions to the kernel's tables of routes and of sockets, asked and answered in one go.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_sock_diag::SockDiagMessage;
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::NetError;
use crate::sys;

/// Room for one part of an answer; the kernel never sends more than 32 KiB at once.
pub(crate) const PART_OCTETS: usize = 64 << 10;

/// What one part of the kernel is asked, and answers.
pub(crate) trait Message: NetlinkSerializable + NetlinkDeserializable {
    /// `NETLINK_*`: which part that is.
    const PROTOCOL: libc::c_int;
}

impl Message for RouteNetlinkMessage {
    const PROTOCOL: libc::c_int = libc::NETLINK_ROUTE;
}

impl Message for SockDiagMessage {
    const PROTOCOL: libc::c_int = libc::NETLINK_SOCK_DIAG;
}

/// Asks for everything of a kind. Of a family that this kernel does not have there is nothing.
pub(crate) fn dump<M: Message>(question: M) -> Result<Vec<M>, NetError> {
    match exchange(question, NLM_F_REQUEST | NLM_F_DUMP) {
        Err(Refusal::Kernel(error)) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
            Ok(Vec::new())
        }
        answer => answer.map_err(NetError::from),
    }
}

/// Asks for everything of a kind that is like the question; from kernels before 4.20 what is not
/// like it comes too.
pub(crate) fn dump_alike(
    question: RouteNetlinkMessage,
) -> Result<Vec<RouteNetlinkMessage>, NetError> {
    let socket = socket::<RouteNetlinkMessage>().map_err(NetError::call("netlink"))?;
    let (level, name) = (libc::SOL_NETLINK, libc::NETLINK_GET_STRICT_CHK);
    // A kernel that knows no such option compares nothing.
    let _ = sys::option::set_int(socket.as_fd(), level, name, 1);
    exchange_over(&socket, question, NLM_F_REQUEST | NLM_F_DUMP).map_err(NetError::from)
}

/// Asks for one thing.
pub(crate) fn get(question: RouteNetlinkMessage) -> Result<RouteNetlinkMessage, Refusal> {
    exchange(question, NLM_F_REQUEST)?.pop().ok_or(Refusal::Unreadable)
}

/// Changes something; `flags` ask for an acknowledgement.
pub(crate) fn change(wish: RouteNetlinkMessage, flags: u16) -> Result<(), Refusal> {
    exchange(wish, flags).map(|_| ())
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The kernel says no; for a route this is the answer.
    Kernel(io::Error),
    /// The question could not be asked.
    Call(io::Error),
    /// The answer makes no sense.
    Unreadable,
}

impl Refusal {
    /// The system's own error.
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Kernel(source) | Self::Call(source) => source,
            Self::Unreadable => io::ErrorKind::InvalidData.into(),
        }
    }
}

impl From<Refusal> for NetError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Kernel(source) | Refusal::Call(source) => Self::call("netlink")(source),
            Refusal::Unreadable => Self::Netlink,
        }
    }
}

/// A socket for questions, or for what is told unasked.
pub(crate) fn socket<M: Message>() -> io::Result<Socket> {
    Socket::new(
        Domain::from(libc::AF_NETLINK),
        Type::RAW.cloexec(),
        Some(Protocol::from(M::PROTOCOL)),
    )
}

fn exchange<M: Message>(question: M, flags: u16) -> Result<Vec<M>, Refusal> {
    exchange_over(&socket::<M>().map_err(Refusal::Call)?, question, flags)
}

fn exchange_over<M: Message>(
    mut socket: &Socket,
    question: M,
    flags: u16,
) -> Result<Vec<M>, Refusal> {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(question));
    message.finalize();
    let mut octets = vec![0; message.buffer_len()];
    message.serialize(&mut octets);
    socket.write_all(&octets).map_err(Refusal::Call)?;

    let mut answers = Vec::new();
    let mut part = vec![0; PART_OCTETS];
    let dump = flags & NLM_F_DUMP == NLM_F_DUMP;
    loop {
        let length = socket.read(&mut part).map_err(Refusal::Call)?;
        let before = answers.len();
        let part = part.get(..length).ok_or(Refusal::Unreadable)?;
        let finished = read_part(part, &mut answers)?;
        if finished || !dump && answers.len() > before {
            return Ok(answers);
        }
    }
}

/// Reads the messages of one part and tells whether it was the last.
pub(crate) fn read_part<M: Message>(part: &[u8], answers: &mut Vec<M>) -> Result<bool, Refusal> {
    /// `NLMSG_HDRLEN`.
    const HEADER: usize = 16;
    let mut rest = part;
    while !rest.is_empty() {
        let length = rest.first_chunk().map(|octets| u32::from_ne_bytes(*octets) as usize);
        let length = length.filter(|length| *length >= HEADER).ok_or(Refusal::Unreadable)?;
        let message = rest.get(..length).ok_or(Refusal::Unreadable)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        // What a newer kernel says in a way that cannot be read is left out, not fatal.
        let Ok(message) = NetlinkMessage::<M>::deserialize(message) else {
            continue;
        };
        match message.payload {
            NetlinkPayload::InnerMessage(answer) => answers.push(answer),
            // A question of which the kernel knows nothing ends at once, with the reason.
            NetlinkPayload::Done(done) if done.code < 0 => {
                return Err(Refusal::Kernel(io::Error::from_raw_os_error(-done.code)));
            }
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) => {
                return match error.code {
                    Some(_) => Err(Refusal::Kernel(error.to_io())),
                    None => Ok(true),
                };
            }
            _ => {}
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::link::LinkMessage;
    use netlink_packet_route::route::RouteMessage;

    use super::*;

    #[test]
    fn all_links_are_told() {
        let links = dump(RouteNetlinkMessage::GetLink(LinkMessage::default())).unwrap();
        assert!(links.iter().any(|link| matches!(link, RouteNetlinkMessage::NewLink(_))));
    }

    #[test]
    fn a_refusal_carries_the_kernels_reason() {
        let question = RouteNetlinkMessage::GetRoute(RouteMessage::default());
        let Err(Refusal::Kernel(error)) = get(question) else { panic!("answered") };
        assert!(error.raw_os_error().is_some());
    }

    #[test]
    fn a_part_that_lies_about_its_length_is_refused() {
        for length in [0_u32, 15, 17, u32::MAX] {
            let mut part = [0; 16];
            part[..4].copy_from_slice(&length.to_ne_bytes());
            let read = read_part::<RouteNetlinkMessage>(&part, &mut Vec::new());
            assert!(matches!(read, Err(Refusal::Unreadable)), "{length}");
        }
        let read = read_part::<SockDiagMessage>(&[1, 2, 3], &mut Vec::new());
        assert!(matches!(read, Err(Refusal::Unreadable)));
    }
}
