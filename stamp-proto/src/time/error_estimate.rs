//! How wrong an end believes its clock to be.

use super::TimestampFormat;

const SYNCHRONIZED: u16 = 0x8000;
const PTP: u16 = 0x4000;

/// Error Estimate (RFC 4656 §4.1.2, its Z bit by RFC 8186 §2.3).
///
/// ```text
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |S|Z|   Scale   |   Multiplier  |   error = Multiplier * 2^Scale * 2^-32 seconds
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ErrorEstimate(u16);

impl ErrorEstimate {
    /// The field as received.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The smallest estimate that covers an error of `error_ns` nanoseconds.
    #[must_use]
    pub const fn new(error_ns: u64, synchronized: bool, format: TimestampFormat) -> Self {
        let mut multiplier = ((error_ns as u128) << 32).div_ceil(1_000_000_000);
        let mut scale = 0_u16;
        while multiplier > 255 {
            multiplier = multiplier.div_ceil(2);
            scale = scale.wrapping_add(1);
        }
        let multiplier = if multiplier == 0 { 1 } else { multiplier as u16 };
        let synchronized = if synchronized { SYNCHRONIZED } else { 0 };
        let z = match format {
            TimestampFormat::Ntp => 0,
            TimestampFormat::Ptp => PTP,
        };
        Self(synchronized | z | (scale << 8) | multiplier)
    }

    /// What a clock without a known error says: not synchronised, one second.
    #[must_use]
    pub const fn unsynchronized(format: TimestampFormat) -> Self {
        Self::new(1_000_000_000, false, format)
    }

    /// The field as sent.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The S bit: the clock is synchronised to UTC from an outside source.
    #[must_use]
    pub const fn synchronized(self) -> bool {
        self.0 & SYNCHRONIZED != 0
    }

    /// The Z bit: how the timestamps that this estimate goes with are read.
    #[must_use]
    pub const fn format(self) -> TimestampFormat {
        if self.0 & PTP == 0 { TimestampFormat::Ntp } else { TimestampFormat::Ptp }
    }

    /// Power of two, 0 to 63.
    #[must_use]
    pub const fn scale(self) -> u8 {
        let [upper, _] = self.0.to_be_bytes();
        upper & 0x3F
    }

    /// Multiplier; zero is forbidden on sending.
    #[must_use]
    pub const fn multiplier(self) -> u8 {
        let [_, lower] = self.0.to_be_bytes();
        lower
    }

    /// The Multiplier is not zero; a packet with zero should be taken as corrupt.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.multiplier() != 0
    }

    /// The error in nanoseconds, rounded up.
    ///
    /// `u64::MAX` when it is larger than that, and for an invalid estimate, which promises nothing.
    #[must_use]
    pub const fn error_ns(self) -> u64 {
        if !self.is_valid() {
            return u64::MAX;
        }
        let units = (self.multiplier() as u128) << self.scale();
        let ns = units.wrapping_mul(1_000_000_000).wrapping_add(0xFFFF_FFFF) >> 32;
        if ns > u64::MAX as u128 { u64::MAX } else { ns as u64 }
    }
}

#[cfg(test)]
mod tests;
