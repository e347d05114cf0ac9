//! Why a datagram did not leave.

use thiserror::Error;

/// Why one datagram did not leave this host; never a loss of the path.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum SendFailure {
    /// The send buffer, or the queue of the interface, is full.
    #[error("no buffer space left")]
    NoBuffers,
    /// No route leads to the destination.
    #[error("no route")]
    NoRoute,
    /// A firewall, a prohibiting route or a policy of this host refused it.
    #[error("refused by this host (error {errno})")]
    Refused {
        /// `EPERM` or `EACCES`.
        errno: i32,
    },
    /// It does not fit in one piece.
    #[error("too big{}", fits(*.mtu, *.largest_payload))]
    TooBig {
        /// The path MTU in octets, if it could be found out.
        mtu: Option<u32>,
        /// Largest UDP payload that fits, in octets.
        largest_payload: Option<usize>,
    },
    /// The interface is down or gone.
    #[error("interface down")]
    InterfaceDown,
    /// The source address asked for is not (or no longer) one of this host.
    #[error("source address not usable")]
    BadSource,
    /// Something else.
    #[error("system error {errno}")]
    Other {
        /// The number in `errno.h`.
        errno: i32,
    },
}

impl SendFailure {
    /// Reads the error of a send call; `with_source` tells whether a source address was asked for.
    pub(crate) fn from_errno(errno: i32, with_source: bool) -> Self {
        match errno {
            libc::ENOBUFS | libc::EAGAIN | libc::ENOMEM => Self::NoBuffers,
            libc::ENETUNREACH | libc::EHOSTUNREACH => Self::NoRoute,
            libc::EPERM | libc::EACCES => Self::Refused { errno },
            libc::EMSGSIZE => Self::TooBig { mtu: None, largest_payload: None },
            libc::ENETDOWN | libc::ENODEV | libc::ENXIO => Self::InterfaceDown,
            libc::EADDRNOTAVAIL => Self::BadSource,
            libc::EINVAL if with_source => Self::BadSource,
            _ => Self::Other { errno },
        }
    }
}

/// How often to try again, because the error may be that of an *earlier* datagram, told by ICMP in
/// the meantime.
///
/// The kernel reports such an error once, on whatever call comes next, and forgets it; the whole
/// story is on the error queue.
pub(super) const fn retries(errno: i32) -> usize {
    match errno {
        // Could be our own: the second answer is.
        libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EMSGSIZE | libc::EACCES => 1,
        // Never our own; somebody may send us more of them all the time.
        libc::ECONNREFUSED
        | libc::EPROTO
        | libc::ENOPROTOOPT
        | libc::EOPNOTSUPP
        | libc::EHOSTDOWN
        | libc::ENONET => 16,
        _ => 0,
    }
}

fn fits(mtu: Option<u32>, largest_payload: Option<usize>) -> String {
    match (mtu, largest_payload) {
        (Some(mtu), Some(octets)) => format!(": path MTU {mtu}, at most {octets} octets fit"),
        (Some(mtu), None) => format!(": MTU {mtu}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_class() {
        for (errno, failure) in [
            (libc::ENOBUFS, SendFailure::NoBuffers),
            (libc::EAGAIN, SendFailure::NoBuffers),
            (libc::ENETUNREACH, SendFailure::NoRoute),
            (libc::EHOSTUNREACH, SendFailure::NoRoute),
            (libc::EPERM, SendFailure::Refused { errno: libc::EPERM }),
            (libc::EACCES, SendFailure::Refused { errno: libc::EACCES }),
            (libc::EMSGSIZE, SendFailure::TooBig { mtu: None, largest_payload: None }),
            (libc::ENETDOWN, SendFailure::InterfaceDown),
            (libc::ENODEV, SendFailure::InterfaceDown),
            (libc::EADDRNOTAVAIL, SendFailure::BadSource),
            (libc::EINVAL, SendFailure::Other { errno: libc::EINVAL }),
            (libc::EIO, SendFailure::Other { errno: libc::EIO }),
        ] {
            assert_eq!(SendFailure::from_errno(errno, false), failure);
        }
        assert_eq!(SendFailure::from_errno(libc::EINVAL, true), SendFailure::BadSource);
    }

    #[test]
    fn a_size_that_does_not_fit_says_what_would() {
        let failure = SendFailure::TooBig { mtu: Some(1400), largest_payload: Some(1372) };
        assert_eq!(failure.to_string(), "too big: path MTU 1400, at most 1372 octets fit");
        let failure = SendFailure::TooBig { mtu: None, largest_payload: None };
        assert_eq!(failure.to_string(), "too big");
        let failure = SendFailure::TooBig { mtu: Some(1500), largest_payload: None };
        assert_eq!(failure.to_string(), "too big: MTU 1500");
    }

    #[test]
    fn a_full_buffer_is_never_an_old_error() {
        assert!(retries(libc::ECONNREFUSED) > retries(libc::EHOSTUNREACH));
        assert_eq!((retries(libc::ENOBUFS), retries(libc::EAGAIN)), (0, 0));
    }
}
