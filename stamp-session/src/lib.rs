//! What STAMP test packets mean: the engines of Session-Sender and Session-Reflector.
//!
//! Nothing here reads a clock, opens a socket or draws a random number: time, datagrams and a seed
//! come in as values, decisions go out as values, and a shell (`stamp-worker`) does the rest.
#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may overflow and fail"))]

pub mod clock;
pub mod datagram;
pub mod experimental;
pub mod forwarding;
#[doc(hidden)]
pub mod fuzzing;
pub mod policy;
pub mod reflector;
pub mod sender;
pub mod snapshot;
pub mod statistics;
pub mod te;
pub mod tlv;
pub mod traffic;
