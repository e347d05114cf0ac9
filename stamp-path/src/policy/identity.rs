//! What tells policies and candidate paths apart.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use core::num::NonZeroU32;

use crate::topology::Label;

/// What a policy is for; any number but zero (RFC 9256 §2.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Color(NonZeroU32);

impl Color {
    /// Zero is no colour.
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        match NonZeroU32::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    /// As it stands in BGP and PCEP.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a candidate path came here; of equal preferences the higher one wins (RFC 9256 §2.3).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProtocolOrigin(pub u8);

impl ProtocolOrigin {
    /// PCEP, unless configured otherwise.
    pub const PCEP: Self = Self(10);
    /// BGP, unless configured otherwise.
    pub const BGP: Self = Self(20);
    /// Configuration, unless configured otherwise.
    pub const CONFIGURATION: Self = Self(30);

    /// Its name where it is one of the customary ones.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::PCEP => Some("pcep"),
            Self::BGP => Some("bgp"),
            Self::CONFIGURATION => Some("configuration"),
            _ => None,
        }
    }
}

impl Default for ProtocolOrigin {
    fn default() -> Self {
        Self::CONFIGURATION
    }
}

impl fmt::Display for ProtocolOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

/// Who made a candidate path, in 160 bits: an autonomous system and a node in it; the lower one wins
/// (RFC 9256 §2.4).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Originator {
    autonomous_system: u32,
    /// An IPv4 address stands in the low 32 bits.
    node: u128,
}

impl Originator {
    /// A node of an autonomous system.
    #[must_use]
    pub fn new(autonomous_system: u32, node: IpAddr) -> Self {
        let node = match node {
            IpAddr::V4(node) => u128::from(u32::from(node)),
            IpAddr::V6(node) => u128::from(node),
        };
        Self { autonomous_system, node }
    }

    /// Its autonomous system.
    #[must_use]
    pub const fn autonomous_system(self) -> u32 {
        self.autonomous_system
    }

    /// Its node; what fits into an IPv4 address is one.
    #[must_use]
    pub fn node(self) -> IpAddr {
        match u32::try_from(self.node) {
            Ok(node) => IpAddr::V4(node.into()),
            Err(_) => IpAddr::V6(self.node.into()),
        }
    }
}

impl fmt::Display for Originator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.autonomous_system, self.node())
    }
}

/// Which candidate path of a policy: its preference is none of it (RFC 9256 §2.6).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CandidateId {
    /// How it came here.
    pub origin: ProtocolOrigin,
    /// Who made it.
    pub originator: Originator,
    /// Which of that maker's; the higher one wins (RFC 9256 §2.5).
    pub discriminator: u32,
}

impl fmt::Display for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.origin, self.originator, self.discriminator)
    }
}

/// A label or SID that stands for a whole policy at its headend (RFC 9256 §6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BindingSid {
    /// SR-MPLS.
    Label(Label),
    /// SRv6.
    Sid(Ipv6Addr),
}

impl fmt::Display for BindingSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => label.fmt(f),
            Self::Sid(sid) => sid.fmt(f),
        }
    }
}
