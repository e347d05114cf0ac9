//! A Segment Routing network to try things on, made of network namespaces of this machine.
//!
//! ```text
//! topology file ► Plan ► namespaces, veth pairs, addresses, routes, SRv6 SIDs (the kernel's)
//!                        + Engine: one thread for links with delay and loss, and label switching
//! ```
//!
//! [`Lab::up`] needs root, or an ordinary user's [`rights::obtain`] before the first thread. A
//! namespace is a file descriptor of this process: however it ends, the network ends with it.
#![forbid(unsafe_code)]

mod engine;
mod error;
mod impairment;
mod lab;
mod lane;
mod namespace;
mod netlink;
pub mod plan;
mod random;
pub mod rights;
mod switch;
mod sysctl;

/// A topology file to begin with: two hosts, and three ways between them that share no link.
pub const THREE_PATHS: &str = include_str!("../reference/three-paths.toml");

pub use error::LabError;
pub use impairment::{Impairment, Loss};
pub use lab::{Lab, Options};
pub use lane::{Counts, Held};
pub use namespace::Namespace;
pub use plan::Plan;
pub use switch::SwitchCounts;
