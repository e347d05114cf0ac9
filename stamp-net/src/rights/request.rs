//! What is asked and answered: a line of text each, with a descriptor beside it where one is meant.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd};

use nix::sys::socket::{setsockopt, sockopt};

use crate::capability::Capabilities;

/// Room for a line.
pub(super) const OCTETS: usize = 128;

/// Something that takes a right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Request {
    /// What are your rights?
    Rights,
    /// A packet socket that nothing comes to yet.
    Frames,
    /// A raw socket of a protocol over IPv4.
    Ipv4(i32),
    /// The same over IPv6.
    Ipv6(i32),
    /// The socket bound to an address.
    Bind(SocketAddr),
    /// What the socket sends marked.
    Mark(u32),
    /// A buffer of the socket at this size.
    Buffer(Buffer, usize),
    /// A prefix without a way.
    Blackhole(Ipv6Addr, u8),
    /// That route taken away.
    NoBlackhole(Ipv6Addr, u8),
}

/// Which buffer of a socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Buffer {
    /// Of what has arrived.
    Receive,
    /// Of what leaves.
    Send,
}

impl Buffer {
    /// Sets its size beyond the limit of ordinary users.
    pub(super) fn force(self, socket: BorrowedFd<'_>, octets: usize) -> io::Result<()> {
        let set = match self {
            Self::Receive => setsockopt(&socket, sockopt::RcvBufForce, &octets),
            Self::Send => setsockopt(&socket, sockopt::SndBufForce, &octets),
        };
        set.map_err(io::Error::from)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rights => f.write_str("rights"),
            Self::Frames => f.write_str("frames"),
            Self::Ipv4(protocol) => write!(f, "ipv4 {protocol}"),
            Self::Ipv6(protocol) => write!(f, "ipv6 {protocol}"),
            Self::Bind(address) => write!(f, "bind {address}"),
            Self::Mark(mark) => write!(f, "mark {mark}"),
            Self::Buffer(Buffer::Receive, octets) => write!(f, "receive-buffer {octets}"),
            Self::Buffer(Buffer::Send, octets) => write!(f, "send-buffer {octets}"),
            Self::Blackhole(prefix, bits) => write!(f, "blackhole {prefix} {bits}"),
            Self::NoBlackhole(prefix, bits) => write!(f, "no-blackhole {prefix} {bits}"),
        }
    }
}

impl Request {
    /// Reads a line; nothing where it is none of these.
    pub(super) fn read(octets: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(octets).ok()?.split(' ');
        let request = match words.next()? {
            "rights" => Self::Rights,
            "frames" => Self::Frames,
            "ipv4" => Self::Ipv4(words.next()?.parse().ok()?),
            "ipv6" => Self::Ipv6(words.next()?.parse().ok()?),
            "bind" => Self::Bind(words.next()?.parse().ok()?),
            "mark" => Self::Mark(words.next()?.parse().ok()?),
            "receive-buffer" => Self::Buffer(Buffer::Receive, words.next()?.parse().ok()?),
            "send-buffer" => Self::Buffer(Buffer::Send, words.next()?.parse().ok()?),
            "blackhole" => Self::Blackhole(words.next()?.parse().ok()?, bits(words.next()?)?),
            "no-blackhole" => Self::NoBlackhole(words.next()?.parse().ok()?, bits(words.next()?)?),
            _ => return None,
        };
        words.next().is_none().then_some(request)
    }
}

fn bits(text: &str) -> Option<u8> {
    text.parse().ok().filter(|bits| *bits <= 128)
}

/// What became of a request.
pub(super) struct Answer {
    pub(super) done: Done,
    /// The socket that was asked for.
    pub(super) descriptor: Option<OwnedFd>,
}

/// That it was done, or what was found out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Done {
    Done,
    Rights(Capabilities),
}

impl Done {
    /// How an answer is written.
    pub(super) fn line(result: &io::Result<Self>) -> String {
        match result {
            Ok(Self::Done) => "done".to_owned(),
            Ok(Self::Rights(held)) => format!("rights {}", held.bits()),
            Err(error) => format!("errno {}", error.raw_os_error().unwrap_or(libc::EINVAL)),
        }
    }

    /// Reads one: the error is what the kernel told the helper.
    pub(super) fn read(octets: &[u8]) -> io::Result<Self> {
        let strange = || io::Error::from(ErrorKind::InvalidData);
        let text = std::str::from_utf8(octets).map_err(|_| strange())?;
        match text.split_once(' ') {
            None if text == "done" => Ok(Self::Done),
            Some(("rights", bits)) => {
                let bits = bits.parse().map_err(|_| strange())?;
                Ok(Self::Rights(Capabilities::from_bits(bits)))
            }
            Some(("errno", errno)) => {
                Err(errno.parse().map_or_else(|_| strange(), io::Error::from_raw_os_error))
            }
            _ => Err(strange()),
        }
    }
}
