//! What must hold for any packets: the check of a fuzz target, replayed by the tests of this crate.
//!
//! It takes octets as a script of packets, hands them to a Session-Reflector and panics when it
//! answers what it should not, or remembers what it should not. Only `stamp-proto/fuzz` and tests
//! call it.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a check tells what it found by panicking; no packet ever comes here"
)]

mod reflector;
mod script;

pub use reflector::check as reflector_step;

#[cfg(test)]
mod tests;
