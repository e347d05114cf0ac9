//! Telling a reply from a probe, although no bit says which it is.
//!
//! Two Session-Reflectors that take each other's replies for probes answer each other for ever, and
//! one forged datagram is enough to start them. These checks end such a loop.

use super::AuthenticationMode;
use crate::error::ParseError;
use crate::reader::{peek_array, peek_up_to};
use crate::time::{ErrorEstimate, TimeDelta, Timestamp};

/// Largest distance of T2 and T3 in what is taken for a reply.
const LONGEST_RESIDENCE: TimeDelta = TimeDelta::from_ns(1_000_000_000);

/// The octets look like a Session-Reflector's (RFC 8762 §4.3), so nobody should answer them.
///
/// That is: the Receive Timestamp is within a second of the packet's own Timestamp, both read by
/// its own Z bit, and the echoed Session-Sender Timestamp is not zero. No clock and no port is
/// needed for it. A probe has zeros there, a probe stamped on its way has T2 alone, and random
/// padding does not come so close.
#[must_use]
pub fn reads_as_reply(mode: AuthenticationMode, octets: &[u8]) -> bool {
    residence(mode, octets).is_ok_and(|residence| {
        residence.is_some_and(|residence| residence.abs() <= LONGEST_RESIDENCE)
    })
}

/// T3 - T2 as the octets state them; `None` when they echo no Session-Sender Timestamp.
fn residence(mode: AuthenticationMode, octets: &[u8]) -> Result<Option<TimeDelta>, ParseError> {
    let echoed = peek_array(
        octets,
        mode.sender_timestamp_offset(),
        "session-sender timestamp",
    )?;
    if echoed == [0; 8] {
        return Ok(None);
    }
    let estimate = peek_array(octets, mode.error_estimate_offset(), "error estimate")?;
    let format = ErrorEstimate::from_bits(u16::from_be_bytes(estimate)).format();
    let own = peek_array(octets, mode.timestamp_offset(), "timestamp")?;
    let received = peek_array(octets, mode.receive_timestamp_offset(), "receive timestamp")?;
    let own = Timestamp::from_octets(own, format);
    own.since(Timestamp::from_octets(received, format))
        .map(Some)
}

/// Every octet that a Session-Sender must leave zero is zero, as far as the octets reach.
///
/// RFC 8762 §4.2 forbids to refuse a probe for this alone; it only adds to other suspicion.
#[must_use]
pub fn sender_mbz_is_zero(mode: AuthenticationMode, octets: &[u8]) -> bool {
    let is_zero = |range| peek_up_to(octets, range).iter().all(|octet| *octet == 0);
    match mode {
        AuthenticationMode::Unauthenticated => is_zero(16..44),
        AuthenticationMode::Authenticated => is_zero(4..16) && is_zero(28..96),
    }
}
