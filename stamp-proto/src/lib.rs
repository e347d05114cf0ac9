//! Every octet of STAMP that this toolkit reads or writes (RFC 8762, RFC 8972).
//!
//! | module | answers |
//! |---|---|
//! | [`packet`] | what the four base packets hold, and where |
//! | [`tlv`] | how the area behind the base packet is cut into TLVs |
//! | [`time`] | what an instant is, and how NTP and PTPv2 write it |
//! | [`auth`] | who made a packet (HMAC-SHA-256-128) |
//! | [`ip`] | the fields of the IP header that a measurement cares about |
//! | [`reader`], [`writer`] | the only code that indexes a buffer |
//! | [`error`] | why octets are refused |
//!
//! Nothing here reads a clock, allocates for a packet or can panic on what a network sends.
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test may overflow and fail"))]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod auth;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod ip;
pub mod packet;
pub mod reader;
#[cfg(test)]
mod strategies;
pub mod time;
pub mod tlv;
pub mod writer;
