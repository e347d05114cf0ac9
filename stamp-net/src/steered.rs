//! Routes that put packets on segment lists, and the rules that lead packets to these routes.
//!
//! All of them bear the number of whoever made them, which `ip` calls `proto`: what a program that was
//! killed has left is found by it, and what others have made is never touched.

mod route;
mod rule;

use std::io;

use crate::capability::Capability;
use crate::error::NetError;
use crate::netlink::Refusal;

pub use route::{Onto, SteeredHop, SteeredRoute};
pub use rule::{Selector, SteeringRule};

/// Who made a route or a rule.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Maker(pub u8);

/// What the kernel says to a change.
fn refused(refusal: Refusal) -> NetError {
    match refusal {
        Refusal::Kernel(source) if source.raw_os_error() == Some(libc::EPERM) => {
            let capability = Capability::NetAdmin;
            NetError::PermissionDenied { what: "a route onto segments", capability }
        }
        Refusal::Kernel(source) if source.raw_os_error() == Some(libc::EOPNOTSUPP) => {
            NetError::NoEncapsulation
        }
        refusal => refusal.into(),
    }
}

/// It is so already.
fn is_so(source: &io::Error, errno: i32) -> bool {
    source.raw_os_error() == Some(errno)
}
