//! Label stack entries.

use super::label::Label;
use crate::error::ParseError;
use crate::reader::Reader;

/// Octets of one entry.
pub const LABEL_STACK_ENTRY_OCTETS: usize = 4;

const BOTTOM: u32 = 0x0100;

/// Traffic Class, 3 bits; formerly called EXP (RFC 5462).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TrafficClass(u8);

impl TrafficClass {
    /// Best effort, zero.
    pub const DEFAULT: Self = Self(0);

    /// The class `value`, if it has no more than 3 bits.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 7 { Some(Self(value)) } else { None }
    }

    /// Its value.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// One entry of a label stack (RFC 3032 §2.1).
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                 Label                 | TC  |S|      TTL      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct LabelStackEntry {
    /// What the node that sees it on top does.
    pub label: Label,
    /// How it is queued.
    pub traffic_class: TrafficClass,
    /// The packet follows and no other entry.
    pub bottom: bool,
    /// Nodes it may still pass.
    pub ttl: u8,
}

impl LabelStackEntry {
    /// An entry as we send them: class zero, TTL 255, not at the bottom.
    #[must_use]
    pub const fn new(label: Label) -> Self {
        Self { label, traffic_class: TrafficClass::DEFAULT, bottom: false, ttl: u8::MAX }
    }

    /// Takes one entry.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when fewer than four octets are left.
    pub fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        reader.take_u32("label stack entry").map(Self::from_bits)
    }

    /// Reads the 32 bits of an entry; every value is one.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        let [_, _, third, ttl] = bits.to_be_bytes();
        Self {
            label: Label::from_entry(bits),
            traffic_class: TrafficClass((third >> 1) & 0b111),
            bottom: bits & BOTTOM != 0,
            ttl,
        }
    }

    /// The 32 bits of the entry.
    #[must_use]
    pub const fn bits(self) -> u32 {
        let bottom = if self.bottom { BOTTOM } else { 0 };
        (self.label.value() << 12)
            | ((self.traffic_class.0 as u32) << 9)
            | bottom
            | (self.ttl as u32)
    }

    /// The octets of the entry.
    #[must_use]
    pub const fn octets(self) -> [u8; LABEL_STACK_ENTRY_OCTETS] {
        self.bits().to_be_bytes()
    }
}
