//! The four base packets: probe and reply, each unauthenticated and authenticated (RFC 8762 §4).
//!
//! Probe and reply of one mode have the same size, and no bit says which is which or which mode it
//! is: both are configuration. TLVs ([`tlv`](crate::tlv)) or padding follow behind the base packet.

mod direction;
mod layout;
mod reflector;
mod sender;

use core::fmt;

pub use direction::{reads_as_reply, sender_mbz_is_zero};
pub use layout::{
    AUTHENTICATED_BASE_OCTETS, HMAC_OCTETS, HMAC_OFFSET, SHORTEST_PROBE_OCTETS,
    SHORTEST_REPLY_OCTETS, UNAUTHENTICATED_BASE_OCTETS,
};
pub use reflector::ReflectorPacket;
pub use sender::SenderPacket;

/// Whether base packets carry an HMAC; both ends must be configured alike (RFC 8762 §4).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum AuthenticationMode {
    /// 44 octets, no HMAC; also what TWAMP Light understands (RFC 8762 §4.6).
    #[default]
    Unauthenticated,
    /// 112 octets, the last 16 of them HMAC (RFC 8762 §4.4).
    Authenticated,
}

impl fmt::Display for AuthenticationMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Authenticated => "authenticated",
        })
    }
}

/// STAMP Session Identifier (RFC 8972 §3).
///
/// The Session-Sender chooses it, the Session-Reflector copies it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ssid(pub u16);

impl Ssid {
    /// No identifier; also what an end that knows only RFC 8762 sends.
    pub const NONE: Self = Self(0);

    /// Zero, so no identifier.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Ssid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests;
