//! Every octet of STAMP that this toolkit reads or writes (RFC 8762, RFC 8972).
//!
//! | module | answers |
//! |---|---|
//! | [`packet`] | what the four base packets hold, and where |
//! | [`tlv`] | how the area behind the base packet is cut into TLVs |
//! | [`time`] | what an instant is, and how NTP and PTPv2 write it |
//! | [`auth`] | who made a packet (HMAC-SHA-256-128) |
//! | [`ip`] | the fields of the IP header that a measurement cares about |
//! | [`sr`] | how a packet is steered: label stacks, Segment Routing Headers, encapsulations |
//! | [`reader`], [`writer`] | the only code that indexes a buffer |
//! | [`error`] | why octets are refused |
//!
//! A probe, answered:
//!
//! ```
//! use stamp_proto::ip::HopLimit;
//! use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, SenderPacket, Ssid};
//! use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat, WallTime};
//!
//! let mode = AuthenticationMode::Unauthenticated;
//! let format = TimestampFormat::Ntp;
//! let clock = ErrorEstimate::new(1_000_000, true, format); // good to a millisecond
//! let probe_sent = WallTime::from_unix_ns(1_709_210_096_789_012_345);
//! let probe_received = WallTime::from_unix_ns(1_709_210_096_790_246_912);
//! let reply_sent = WallTime::from_unix_ns(1_709_210_096_790_296_912);
//!
//! let mut probe = [0; 44];
//! SenderPacket {
//!     sequence: 1,
//!     timestamp: Timestamp::from_wall(probe_sent, format),
//!     error_estimate: clock,
//!     ssid: Ssid(0x1234),
//! }
//! .emit(mode, &mut probe)?;
//!
//! let asked = SenderPacket::parse(mode, &probe)?;
//! let answer = ReflectorPacket {
//!     sequence: asked.sequence,
//!     timestamp: Timestamp::from_wall(reply_sent, format),
//!     error_estimate: clock,
//!     ssid: asked.ssid,
//!     receive_timestamp: Timestamp::from_wall(probe_received, format),
//!     sender_sequence: asked.sequence,
//!     sender_timestamp: asked.timestamp,
//!     sender_error_estimate: asked.error_estimate,
//!     sender_ttl: HopLimit(253),
//! };
//! let mut reply = [0; 44];
//! answer.emit(mode, &mut reply)?;
//! assert_eq!(ReflectorPacket::parse(mode, &reply)?, answer);
//! assert_eq!(answer.timestamp.since(answer.receive_timestamp)?.ns(), 50_000);
//! # Ok::<(), stamp_proto::error::ParseError>(())
//! ```
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
pub mod sr;
#[cfg(test)]
mod strategies;
pub mod time;
pub mod tlv;
pub mod writer;
