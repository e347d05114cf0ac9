//! Why there is no lab.

use std::io;
use std::net::IpAddr;

use stamp_net::NetError;

/// What stands in the way of a lab.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// This machine or user may not build networks.
    #[error("cannot create {what}: {source}; allow it: {allow}")]
    Forbidden {
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
        /// The line that allows it.
        allow: String,
    },
    /// An address of the topology lies where the lab puts its links.
    #[error("{address} of node \"{node}\" lies in {prefix}, where the lab has its links")]
    LinkAddresses {
        /// The address.
        address: IpAddr,
        /// Whose it is.
        node: String,
        /// What the lab needs for itself.
        prefix: &'static str,
    },
    /// More links than the lab has addresses for.
    #[error("{count} links are more than the lab has addresses for, which is {limit}")]
    TooManyLinks {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The lab has no such link: it is made of labels, not of wire.
    #[error("link \"{link}\" is no physical one, so the lab has none")]
    NotPhysical {
        /// The link.
        link: String,
    },
    /// A namespace could not be made or entered.
    #[error("namespace of {node}: {source}")]
    Namespace {
        /// Whose it is.
        node: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel refused a part of the configuration.
    #[error("{node}: cannot {step}: {source}")]
    Configure {
        /// Where.
        node: String,
        /// What was to be done.
        step: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Sockets of the packet thread.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The packet thread.
    #[error("the lab's packet thread: {0}")]
    Thread(io::Error),
}
