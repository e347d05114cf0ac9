//! Addresses of a link (RFC 8972 §4.2.1).

use core::fmt;

use super::MAC_OCTETS;

/// Who put a probe on the last link.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SourceMac {
    /// 48 bits, as Ethernet has them.
    Eui48([u8; 6]),
    /// 64 bits.
    Eui64([u8; 8]),
}

impl SourceMac {
    /// What is told of a packet that has no such address.
    pub(super) const NONE: Self = Self::Eui64([0; 8]);

    /// Nothing, when it is all zeros.
    pub(super) fn if_told(self) -> Option<Self> {
        (self.padded() != [0; MAC_OCTETS]).then_some(self)
    }

    /// In the room for the longer one.
    pub(super) const fn padded(self) -> [u8; MAC_OCTETS] {
        match self {
            Self::Eui48([a, b, c, d, e, f]) => [a, b, c, d, e, f, 0, 0],
            Self::Eui64(octets) => octets,
        }
    }
}

impl fmt::Display for SourceMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets: &[u8] = match self {
            Self::Eui48(octets) => octets,
            Self::Eui64(octets) => octets,
        };
        for (place, octet) in octets.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02x}")?;
        }
        Ok(())
    }
}
