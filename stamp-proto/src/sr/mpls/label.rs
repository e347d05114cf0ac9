//! Label values and what they mean where they stand.

use core::fmt;

/// A label, 20 bits (RFC 3032 §2.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Label(u32);

impl Label {
    /// Pop, and go on by the label below or, at the bottom, as IPv4.
    pub const IPV4_EXPLICIT_NULL: Self = Self(0);
    /// Every node on the way looks at the packet.
    pub const ROUTER_ALERT: Self = Self(1);
    /// Pop, and go on by the label below or, at the bottom, as IPv6.
    pub const IPV6_EXPLICIT_NULL: Self = Self(2);
    /// Means a pop in signalling; never on the wire.
    pub const IMPLICIT_NULL: Self = Self(3);
    /// What follows are network actions and not labels.
    pub const NETWORK_ACTIONS: Self = Self(4);
    /// Entropy Label Indicator: the label below is there to choose among equal paths by.
    pub const ENTROPY_INDICATOR: Self = Self(7);
    /// Generic Associated Channel Label: no IP packet follows.
    pub const GENERIC_ASSOCIATED_CHANNEL: Self = Self(13);
    /// OAM Alert, historic.
    pub const OAM_ALERT: Self = Self(14);
    /// Extension Label: the label below is an [`ExtendedLabel`].
    pub const EXTENSION: Self = Self(15);

    /// The largest label.
    pub const MAX: Self = Self(0x000f_ffff);

    const LAST_SPECIAL: u32 = 15;

    /// The label `value`, if it has no more than 20 bits.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        if value <= Self::MAX.0 { Some(Self(value)) } else { None }
    }

    /// The label in the 20 upper bits of an entry.
    pub(super) const fn from_entry(bits: u32) -> Self {
        Self(bits >> 12)
    }

    /// Its value.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// One of the base special-purpose labels, 0 to 15.
    #[must_use]
    pub const fn is_special(self) -> bool {
        self.0 <= Self::LAST_SPECIAL
    }

    /// Its name, if it has one.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::IPV4_EXPLICIT_NULL => "IPv4 Explicit NULL",
            Self::ROUTER_ALERT => "Router Alert",
            Self::IPV6_EXPLICIT_NULL => "IPv6 Explicit NULL",
            Self::IMPLICIT_NULL => "Implicit NULL",
            Self::NETWORK_ACTIONS => "Network Actions",
            Self::ENTROPY_INDICATOR => "Entropy Label Indicator",
            Self::GENERIC_ASSOCIATED_CHANNEL => "Generic Associated Channel",
            Self::OAM_ALERT => "OAM Alert",
            Self::EXTENSION => "Extension Label",
            _ => return None,
        })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An extended special-purpose label, 16 to 255: it has its meaning below the Extension Label only.
///
/// 0 to 15 never get one (RFC 9017 §3), and there are none above 255.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ExtendedLabel(u8);

impl ExtendedLabel {
    /// The first of those kept free for experiments; up to 255.
    pub const FIRST_EXPERIMENTAL: Self = Self(240);

    /// The label `value`, if it is one of them.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value > 15 { Some(Self(value)) } else { None }
    }

    /// Its value.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// The composite label: the Extension Label and this one below it.
    #[must_use]
    pub const fn composite(self) -> [Label; 2] {
        [Label::EXTENSION, Label(self.0 as u32)]
    }
}

impl fmt::Display for ExtendedLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A label to choose among equal paths by; no forwarding follows from it (RFC 6790 §3).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EntropyLabel(Label);

impl EntropyLabel {
    /// The label `value`, if it is 16 or more and has no more than 20 bits.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        match Label::new(value) {
            Some(label) if !label.is_special() => Some(Self(label)),
            _ => None,
        }
    }

    /// It as a label.
    #[must_use]
    pub const fn label(self) -> Label {
        self.0
    }
}

/// What a label does at its place; the same value can mean different things.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LabelRole {
    /// An ordinary label: a segment, a binding SID, a Path Segment.
    Segment,
    /// A base special-purpose label that stands alone.
    Special,
    /// The Extension Label, upper half of a composite one.
    Extension,
    /// The extended special-purpose label below it, whatever its value.
    Extended,
    /// The Entropy Label Indicator.
    EntropyIndicator,
    /// The entropy label below it.
    Entropy,
}

impl LabelRole {
    /// The role of `label` below a label of role `above`; at the top there is none above.
    #[must_use]
    pub const fn below(above: Option<Self>, label: Label) -> Self {
        match (above, label) {
            (Some(Self::Extension), _) => Self::Extended,
            (Some(Self::EntropyIndicator), _) => Self::Entropy,
            (_, Label::EXTENSION) => Self::Extension,
            (_, Label::ENTROPY_INDICATOR) => Self::EntropyIndicator,
            (_, label) if label.is_special() => Self::Special,
            _ => Self::Segment,
        }
    }

    /// One half of a composite special-purpose label (RFC 7274 §3).
    #[must_use]
    pub const fn is_composite(self) -> bool {
        matches!(self, Self::Extension | Self::Extended)
    }

    /// A node may choose among equal paths by it: never by a special-purpose label, be it base or
    /// extended (RFC 7274 §3, RFC 6790 §4.2).
    #[must_use]
    pub const fn may_be_hashed(self) -> bool {
        matches!(self, Self::Segment | Self::Entropy)
    }
}
