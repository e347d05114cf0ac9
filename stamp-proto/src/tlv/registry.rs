//! Code points of the "STAMP TLV Types" and "STAMP TLV Flags" registries.

use core::fmt;

/// Type octet of a STAMP TLV (RFC 8972 §4).
///
/// A wrapper, not an enum: a Session-Reflector must echo types it has never heard of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TlvType(pub u8);

impl TlvType {
    /// Never a TLV; treated as unknown.
    pub const RESERVED: Self = Self(0);
    /// RFC 8972 §4.1.
    pub const EXTRA_PADDING: Self = Self(1);
    /// RFC 8972 §4.2.
    pub const LOCATION: Self = Self(2);
    /// RFC 8972 §4.3.
    pub const TIMESTAMP_INFORMATION: Self = Self(3);
    /// RFC 8972 §4.4.
    pub const CLASS_OF_SERVICE: Self = Self(4);
    /// RFC 8972 §4.5.
    pub const DIRECT_MEASUREMENT: Self = Self(5);
    /// RFC 8972 §4.6.
    pub const ACCESS_REPORT: Self = Self(6);
    /// RFC 8972 §4.7.
    pub const FOLLOW_UP_TELEMETRY: Self = Self(7);
    /// RFC 8972 §4.8.
    pub const HMAC: Self = Self(8);
    /// RFC 9503 §3.
    pub const DESTINATION_NODE_ADDRESS: Self = Self(9);
    /// RFC 9503 §4.
    pub const RETURN_PATH: Self = Self(10);
    /// RFC 9534 §3.
    pub const MICRO_SESSION_ID: Self = Self(11);
    /// RFC 10052 §3.
    pub const REFLECTED_TEST_PACKET_CONTROL: Self = Self(12);

    /// The name in the registry, for the types that have one.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::EXTRA_PADDING => "Extra Padding",
            Self::LOCATION => "Location",
            Self::TIMESTAMP_INFORMATION => "Timestamp Information",
            Self::CLASS_OF_SERVICE => "Class of Service",
            Self::DIRECT_MEASUREMENT => "Direct Measurement",
            Self::ACCESS_REPORT => "Access Report",
            Self::FOLLOW_UP_TELEMETRY => "Follow-Up Telemetry",
            Self::HMAC => "HMAC",
            Self::DESTINATION_NODE_ADDRESS => "Destination Node Address",
            Self::RETURN_PATH => "Return Path",
            Self::MICRO_SESSION_ID => "Micro-session ID",
            Self::REFLECTED_TEST_PACKET_CONTROL => "Reflected Test Packet Control",
            _ => return None,
        })
    }

    /// For experiments (RFC 8972 §5.1): two of them may use it for different things.
    #[must_use]
    pub const fn is_experimental(self) -> bool {
        matches!(self.0, 240..=251)
    }

    /// For whom the value names (RFC 8972 §5.1).
    #[must_use]
    pub const fn is_private_use(self) -> bool {
        matches!(self.0, 252..=254)
    }
}

impl fmt::Display for TlvType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

/// Flags octet of a STAMP TLV (RFC 8972 §4, its C bit by RFC 10052 §3).
///
/// A Session-Sender sets U and nothing else; what comes back tells what the Session-Reflector did.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TlvFlags(pub u8);

impl TlvFlags {
    /// No flag: the TLV was understood and done.
    pub const NONE: Self = Self(0);
    /// U: not understood, or not processed.
    pub const UNRECOGNIZED: Self = Self(0x80);
    /// M: the Length is wrong for the type, or runs past the end of the packet.
    pub const MALFORMED: Self = Self(0x40);
    /// I: the HMAC TLV did not verify.
    pub const INTEGRITY: Self = Self(0x20);
    /// C: understood, but not done as asked. The name of the bit says the opposite.
    pub const CONFORMANCE: Self = Self(0x10);
    /// What a Session-Sender sends.
    pub const REQUEST: Self = Self::UNRECOGNIZED;

    /// All flags of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the flags of `other` set.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// With the flags of `other` clear.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// U is set.
    #[must_use]
    pub const fn is_unrecognized(self) -> bool {
        self.contains(Self::UNRECOGNIZED)
    }

    /// M is set.
    #[must_use]
    pub const fn is_malformed(self) -> bool {
        self.contains(Self::MALFORMED)
    }

    /// I is set.
    #[must_use]
    pub const fn is_integrity_failed(self) -> bool {
        self.contains(Self::INTEGRITY)
    }

    /// C is set: the request was *not* met.
    #[must_use]
    pub const fn is_nonconformant(self) -> bool {
        self.contains(Self::CONFORMANCE)
    }
}
