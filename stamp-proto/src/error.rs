//! Why octets are refused.

use crate::tlv::TlvType;

/// Why octets are not what they should be, or do not fit where they should go.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum ParseError {
    #[error("{field} needs {needed} octets, {available} left")]
    Truncated { field: &'static str, needed: usize, available: usize },
    #[error("PTP timestamp with {value} nanoseconds in a second")]
    NanosecondsRange { value: u32 },
    #[error("a timestamp and the Z bit that governs it disagree (RFC 8186 §2.3)")]
    FormatMismatch,
    #[error("{unix_seconds} s after 1970 does not fit into 64 bits of nanoseconds")]
    TimeRange { unix_seconds: i64 },
    #[error("a TLV value of {octets} octets; the Length field ends at 65535")]
    ValueTooLong { octets: usize },
    #[error("an address of {octets} octets; it has 4 or 16")]
    AddressLength { octets: usize },
    #[error("a value of {octets} octets in {tlv}; it has {expected}")]
    ValueLength { tlv: &'static str, octets: usize, expected: usize },
    #[error("no access network has the ID {value}; 1 and 2 are assigned")]
    AccessId { value: u8 },
    #[error("a Layer 2 Address Group of {octets} octets; it has 4, 12 or 16")]
    Layer2GroupLength { octets: usize },
    #[error("a prefix of {bits} bits; the address has {most}")]
    PrefixLength { bits: u8, most: u8 },
    #[error("an IPv6 extension header of {octets} octets; it has 8, 16 and so on to 2048")]
    ExtensionHeaderLength { octets: usize },
    #[error("a fixed IP header of {octets} octets; it has 20 or 40")]
    FixedHeaderLength { octets: usize },
    #[error("type {} is not for private use; 252 to 254 are", kind.0)]
    NotPrivateUse { kind: TlvType },
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn messages_say_what_how_much_and_where() {
        for (error, message) in [
            (
                ParseError::Truncated { field: "timestamp", needed: 8, available: 3 },
                "timestamp needs 8 octets, 3 left",
            ),
            (
                ParseError::NanosecondsRange { value: 1_000_000_000 },
                "PTP timestamp with 1000000000 nanoseconds in a second",
            ),
            (
                ParseError::FormatMismatch,
                "a timestamp and the Z bit that governs it disagree (RFC 8186 §2.3)",
            ),
            (
                ParseError::TimeRange { unix_seconds: 9_223_372_037 },
                "9223372037 s after 1970 does not fit into 64 bits of nanoseconds",
            ),
            (
                ParseError::ValueTooLong { octets: 65_536 },
                "a TLV value of 65536 octets; the Length field ends at 65535",
            ),
            (ParseError::AddressLength { octets: 5 }, "an address of 5 octets; it has 4 or 16"),
            (
                ParseError::ValueLength { tlv: "Direct Measurement", octets: 11, expected: 12 },
                "a value of 11 octets in Direct Measurement; it has 12",
            ),
            (
                ParseError::AccessId { value: 3 },
                "no access network has the ID 3; 1 and 2 are assigned",
            ),
            (
                ParseError::Layer2GroupLength { octets: 6 },
                "a Layer 2 Address Group of 6 octets; it has 4, 12 or 16",
            ),
            (
                ParseError::PrefixLength { bits: 33, most: 32 },
                "a prefix of 33 bits; the address has 32",
            ),
            (
                ParseError::ExtensionHeaderLength { octets: 12 },
                "an IPv6 extension header of 12 octets; it has 8, 16 and so on to 2048",
            ),
            (
                ParseError::FixedHeaderLength { octets: 24 },
                "a fixed IP header of 24 octets; it has 20 or 40",
            ),
            (
                ParseError::NotPrivateUse { kind: TlvType(8) },
                "type 8 is not for private use; 252 to 254 are",
            ),
        ] {
            assert_eq!(error.to_string(), message);
        }
    }
}
