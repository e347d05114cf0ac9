//! Networks for tests: namespaces, veth pairs, addresses and programs inside, raised in
//! milliseconds by netlink, without `ip`, as root or as an ordinary user.
//!
//! A namespace is a file descriptor ([`Host`]): it disappears with its last clone, so a test that
//! panics leaves nothing behind. Work inside happens on short-lived threads, because the namespace
//! belongs to the thread and a pooled one would carry it into the next test. A child process
//! inherits the namespace of the thread that forks it, and a socket keeps the one it was created in.
//!
//! A test target is `harness = false`, and its `main` is one call of [`harness`]: an ordinary user
//! needs a user namespace, which the kernel gives only to a process of a single thread.
//!
//! Nothing here returns a `Result`: what fails, fails the test, with its reason.

mod access;
mod binary;
mod harness;
mod held;
mod host;
mod netlink;
mod program;
mod stamping;
mod topology;

use std::time::Duration;

pub use crate::trials;
pub use access::Access;
pub use binary::binary;
pub use harness::{Need, harness, trial};
pub use held::HeldThread;
pub use host::Host;
pub(crate) use host::{End, USUAL_MTU, link};
pub use libtest_mimic::Trial;
pub use nix::sys::signal::Signal;
pub use program::{Finished, Program};
pub use stamping::{STAMPING_SID, stamping_node};
pub use topology::{Routed, TwoHosts, Wired, two_hosts, wired, with_router};

/// Longest any wait of the kit lasts: far beyond what a busy machine needs, so that reaching it
/// means that the awaited thing never happens.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One of the two Internet Protocols.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// What a host speaks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Families {
    /// IPv4 only: IPv6 is switched off by sysctl, so that not even `::1` exists.
    V4,
    /// IPv6 only: no IPv4 address but the 127.0.0.1 that every loopback device has.
    V6,
    /// Both.
    Both,
}

impl Families {
    /// The families meant, IPv4 first.
    #[must_use]
    pub const fn each(self) -> &'static [Family] {
        match self {
            Self::V4 => &[Family::V4],
            Self::V6 => &[Family::V6],
            Self::Both => &[Family::V4, Family::V6],
        }
    }

    /// Whether IPv4 is spoken.
    #[must_use]
    pub const fn has_v4(self) -> bool {
        matches!(self, Self::V4 | Self::Both)
    }

    /// Whether IPv6 is spoken.
    #[must_use]
    pub const fn has_v6(self) -> bool {
        matches!(self, Self::V6 | Self::Both)
    }
}
