//! Where the fields of the base packets lie.

use super::AuthenticationMode;

/// Size of an unauthenticated base packet, in both directions (RFC 8762 §4.2.1).
pub const UNAUTHENTICATED_BASE_OCTETS: usize = 44;
/// Size of an authenticated base packet, in both directions (RFC 8762 §4.2.2).
pub const AUTHENTICATED_BASE_OCTETS: usize = 112;
/// Where the HMAC of an authenticated base packet starts; it covers every octet before.
pub const HMAC_OFFSET: usize = 96;
/// Size of the truncated HMAC-SHA-256 (RFC 8762 §4.4).
pub const HMAC_OCTETS: usize = 16;
/// Sequence Number, Timestamp, Error Estimate: the least a TWAMP Light probe has (RFC 5357 §4.1.2).
pub const SHORTEST_PROBE_OCTETS: usize = 14;
/// A TWAMP Light reply ends behind the Sender TTL (RFC 5357 §4.2.1).
pub const SHORTEST_REPLY_OCTETS: usize = 41;

impl AuthenticationMode {
    /// Size of the base packet: 44 or 112 octets. What a datagram has beyond is TLVs or padding.
    #[must_use]
    pub const fn base_octets(self) -> usize {
        match self {
            Self::Unauthenticated => UNAUTHENTICATED_BASE_OCTETS,
            Self::Authenticated => AUTHENTICATED_BASE_OCTETS,
        }
    }

    /// The least octets from which a probe can be read.
    #[must_use]
    pub const fn shortest_probe_octets(self) -> usize {
        match self {
            Self::Unauthenticated => SHORTEST_PROBE_OCTETS,
            Self::Authenticated => AUTHENTICATED_BASE_OCTETS,
        }
    }

    /// The least octets from which a reply can be read.
    #[must_use]
    pub const fn shortest_reply_octets(self) -> usize {
        match self {
            Self::Unauthenticated => SHORTEST_REPLY_OCTETS,
            Self::Authenticated => AUTHENTICATED_BASE_OCTETS,
        }
    }

    /// Offset of the Timestamp: T1 in a probe, T3 in a reply.
    #[must_use]
    pub const fn timestamp_offset(self) -> usize {
        match self {
            Self::Unauthenticated => 4,
            Self::Authenticated => 16,
        }
    }

    /// Offset of the Error Estimate that goes with the Timestamp.
    #[must_use]
    pub const fn error_estimate_offset(self) -> usize {
        match self {
            Self::Unauthenticated => 12,
            Self::Authenticated => 24,
        }
    }

    /// Offset of the SSID (RFC 8972 §3).
    #[must_use]
    pub const fn ssid_offset(self) -> usize {
        match self {
            Self::Unauthenticated => 14,
            Self::Authenticated => 26,
        }
    }

    /// Offset of the Receive Timestamp (T2) of a reply; zeros in a probe.
    #[must_use]
    pub const fn receive_timestamp_offset(self) -> usize {
        match self {
            Self::Unauthenticated => 16,
            Self::Authenticated => 32,
        }
    }

    /// Offset of the Session-Sender Timestamp (the echoed T1) of a reply; zeros in a probe.
    #[must_use]
    pub const fn sender_timestamp_offset(self) -> usize {
        match self {
            Self::Unauthenticated => 28,
            Self::Authenticated => 64,
        }
    }
}
