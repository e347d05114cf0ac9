//! Why octets are refused.

/// Why octets are not what they should be, or do not fit where they should go.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum ParseError {
    #[error("{field} needs {needed} octets, {available} left")]
    Truncated {
        field: &'static str,
        needed: usize,
        available: usize,
    },
    #[error("PTP timestamp with {value} nanoseconds in a second")]
    NanosecondsRange { value: u32 },
    #[error("a timestamp and the Z bit that governs it disagree (RFC 8186 §2.3)")]
    FormatMismatch,
    #[error("{unix_seconds} s after 1970 does not fit into 64 bits of nanoseconds")]
    TimeRange { unix_seconds: i64 },
    #[error("a TLV value of {octets} octets; the Length field ends at 65535")]
    ValueTooLong { octets: usize },
}
