//! What must hold for any packets: the checks of fuzz targets, replayed by the tests of this crate.
//!
//! They take octets as a script of packets for a Session-Reflector, or as a packet for a node that
//! writes timestamps and forwards, and panic when it answers, remembers or changes what it should
//! not. Only `stamp-proto/fuzz` and tests call them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a check tells what it found by panicking; no packet ever comes here"
)]

mod forwarding;
mod reflector;
mod script;

pub use forwarding::check as forwarding_step;
#[cfg(test)]
pub(crate) use forwarding::check_packet as check_forwarding;
pub use reflector::check as reflector_step;

#[cfg(test)]
mod tests;
