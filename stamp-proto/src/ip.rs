//! The fields of the IP header that a measurement reads and sets.

use core::fmt;

/// Differentiated Services Code Point, 6 bits (RFC 2474 §3).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Dscp(u8);

impl Dscp {
    /// Best effort, zero.
    pub const DEFAULT: Self = Self(0);

    /// Every code point with a name, smallest first.
    const NAMES: [(&'static str, u8); 23] = [
        ("CS0", 0),
        ("LE", 1),
        ("CS1", 8),
        ("AF11", 10),
        ("AF12", 12),
        ("AF13", 14),
        ("CS2", 16),
        ("AF21", 18),
        ("AF22", 20),
        ("AF23", 22),
        ("CS3", 24),
        ("AF31", 26),
        ("AF32", 28),
        ("AF33", 30),
        ("CS4", 32),
        ("AF41", 34),
        ("AF42", 36),
        ("AF43", 38),
        ("CS5", 40),
        ("VA", 44),
        ("EF", 46),
        ("CS6", 48),
        ("CS7", 56),
    ];

    /// The code point `value`, if it has no more than 6 bits.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 63 { Some(Self(value)) } else { None }
    }

    /// The code point of a name such as `EF` or `af41`; the case does not matter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let named = Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|&(_, value)| Self(value))
    }

    /// Its value, 0 to 63.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES.iter().find(|(_, value)| *value == self.0).map(|&(name, _)| name)
    }
}

impl fmt::Display for Dscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

/// Explicit Congestion Notification, 2 bits (RFC 3168 §5).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Ecn {
    /// Not ECN-capable, 0b00.
    #[default]
    NotEct,
    /// ECN-capable, 0b01.
    Ect1,
    /// ECN-capable, 0b10.
    Ect0,
    /// Congestion experienced, 0b11.
    Ce,
}

impl Ecn {
    /// The code point in the two lowest bits; the others are ignored.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0b00 => Self::NotEct,
            0b01 => Self::Ect1,
            0b10 => Self::Ect0,
            _ => Self::Ce,
        }
    }

    /// Its value, 0 to 3.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::NotEct => 0b00,
            Self::Ect1 => 0b01,
            Self::Ect0 => 0b10,
            Self::Ce => 0b11,
        }
    }
}

impl fmt::Display for Ecn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotEct => "Not-ECT",
            Self::Ect1 => "ECT(1)",
            Self::Ect0 => "ECT(0)",
            Self::Ce => "CE",
        })
    }
}

/// IPv4 TTL or IPv6 Hop Limit.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct HopLimit(pub u8);

impl HopLimit {
    /// What test packets are sent with, so that the far end can count hops (RFC 5357 §4.2.1).
    pub const MAX: Self = Self(255);

    /// Hops passed since the packet was sent with 255; meaningless when it was sent with less.
    #[must_use]
    pub const fn hops(self) -> u8 {
        Self::MAX.0.saturating_sub(self.0)
    }
}

/// Cuts the Traffic Class octet (IPv4: TOS) into its two fields.
#[must_use]
pub const fn split_traffic_class(traffic_class: u8) -> (Dscp, Ecn) {
    (Dscp(traffic_class >> 2), Ecn::from_bits(traffic_class))
}

/// The Traffic Class octet (IPv4: TOS) made of its two fields.
#[must_use]
pub const fn join_traffic_class(dscp: Dscp, ecn: Ecn) -> u8 {
    (dscp.0 << 2) | ecn.bits()
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_code_point_has_six_bits() {
        assert_eq!(Dscp::new(63).map(Dscp::value), Some(63));
        assert_eq!(Dscp::new(64), None);
        assert_eq!(Dscp::DEFAULT.value(), 0);
    }

    #[test]
    fn names_are_those_of_the_registry() {
        for (name, value) in
            [("CS0", 0), ("le", 1), ("CS6", 48), ("AF11", 10), ("af43", 38), ("EF", 46), ("VA", 44)]
        {
            assert_eq!(Dscp::from_name(name).map(Dscp::value), Some(value), "{name}");
        }
        assert_eq!(Dscp::from_name("AF14"), None);
        assert_eq!(Dscp::from_name(""), None);
    }

    #[test]
    fn every_name_leads_back_to_itself() {
        for (name, value) in Dscp::NAMES {
            assert_eq!(Dscp::from_name(name), Dscp::new(value));
            assert_eq!(Dscp::new(value).and_then(Dscp::name), Some(name));
        }
    }

    #[test]
    fn a_code_point_is_shown_by_name_or_by_number() {
        assert_eq!(Dscp(46).to_string(), "EF");
        assert_eq!(Dscp(45).to_string(), "45");
        assert_eq!(Ecn::Ect1.to_string(), "ECT(1)");
    }

    #[test]
    fn every_traffic_class_survives_being_split_and_joined() {
        for octet in 0..=u8::MAX {
            let (dscp, ecn) = split_traffic_class(octet);
            assert_eq!(join_traffic_class(dscp, ecn), octet);
            assert_eq!(Ecn::from_bits(ecn.bits()), ecn);
        }
        assert_eq!(split_traffic_class(0xBB), (Dscp(46), Ecn::Ce));
    }

    #[test]
    fn hops_are_counted_from_255() {
        assert_eq!(HopLimit(253).hops(), 2);
        assert_eq!(HopLimit::MAX.hops(), 0);
        assert_eq!(HopLimit(0).hops(), 255);
    }
}
