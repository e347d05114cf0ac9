//! Words and numbers of the topology file.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use stamp_document::{Form, Setting};
use stamp_proto::sr::mpls::{ExtendedLabel, Label};

use super::{LinkKind, Visibility};

/// A label that a node may give away: none of those for special purposes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct GivenLabel(pub(super) Label);

impl Setting for GivenLabel {
    const EXPECTED: &'static str = "a label from 16 to 1048575";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        Label::new(text.parse().ok()?).filter(|label| !label.is_special()).map(Self)
    }
}

/// An SRv6 SID: an address of 128 bits, or the prefix of all that mean the same.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Sid(Ipv6Net);

impl Sid {
    /// The address that goes into a segment list.
    #[must_use]
    pub const fn address(self) -> Ipv6Addr {
        self.0.addr()
    }

    /// The prefix that the node answers to.
    #[must_use]
    pub const fn prefix(self) -> Ipv6Net {
        self.0
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == 128 { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

impl Setting for Sid {
    const EXPECTED: &'static str = "a SID such as fc00:bb:5:1:: or a prefix of 16 to 128 bits such as \
         fc00:bb:5:1::/64, with no bits set behind its length, not multicast, link-local or ::1";
    fn read(text: &str) -> Option<Self> {
        let IpNet::V6(prefix) = IpNet::read(text)? else { return None };
        (prefix.prefix_len() >= 16 && is_global(prefix.addr().into())).then_some(Self(prefix))
    }
}

/// A node's micro-SID: a block that all nodes share, and 16 bits that number the node.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UsidPrefix(Ipv6Net);

impl UsidPrefix {
    /// Bits that number the node.
    pub const NODE_BITS: u8 = 16;

    /// Block and node number.
    #[must_use]
    pub const fn prefix(self) -> Ipv6Net {
        self.0
    }

    /// Length of the block.
    #[must_use]
    pub const fn block_bits(self) -> u8 {
        self.0.prefix_len() - Self::NODE_BITS
    }
}

impl fmt::Display for UsidPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Setting for UsidPrefix {
    const EXPECTED: &'static str = "a prefix of 24 to 112 bits in whole octets, the last 16 of them \
         the node's number, such as fcbb:bb00:5::/48";
    fn read(text: &str) -> Option<Self> {
        let prefix: Ipv6Net = text.parse().ok().filter(|net: &Ipv6Net| net.trunc() == *net)?;
        let length = prefix.prefix_len();
        let is_right = (24..=112).contains(&length) && length.is_multiple_of(8);
        (is_right && is_global(prefix.addr().into())).then_some(Self(prefix))
    }
}

/// Whether packets for the address find their way over more than one link.
pub(crate) fn is_global(address: IpAddr) -> bool {
    let is_local = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || address.to_ipv4_mapped().is_some()
        }
    };
    !is_local && !address.is_unspecified() && !address.is_loopback() && !address.is_multicast()
}

/// An address of a node's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loopback(pub(super) IpAddr);

impl Setting for Loopback {
    const EXPECTED: &'static str =
        "an IPv4 or IPv6 address that is not multicast, link-local, loopback or zero";
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|address| is_global(*address)).map(Self)
    }
}

/// A name of a node or link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name(pub(crate) String);

impl Setting for Name {
    const EXPECTED: &'static str =
        "a name of up to 64 letters, digits, points, underscores and hyphens";
    fn read(text: &str) -> Option<Self> {
        let is_part = |mark: char| mark.is_alphanumeric() || "._-".contains(mark);
        let is_name = !text.is_empty() && text.chars().count() <= 64 && text.chars().all(is_part);
        is_name.then(|| Self(text.to_owned()))
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($type:ty), $expected:literal, $range:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(pub(crate) $type);

        impl Setting for $name {
            const EXPECTED: &'static str = $expected;
            const FORM: Form = Form::Number;
            fn read(text: &str) -> Option<Self> {
                text.parse().ok().filter(|number| ($range).contains(number)).map(Self)
            }
        }
    };
}

number!(
    /// An autonomous system.
    AutonomousSystem(u32), "a number of an autonomous system from 1 to 4294967295", 1..=u32::MAX
);
number!(
    /// Index of a Prefix-SID; no block is larger.
    PrefixIndex(u32), "an index from 0 to 1048559, inside of every SRGB it is used with", 0..=1_048_559
);
number!(
    /// A metric that IS-IS can carry for a usable link.
    Metric(u32), "a metric from 1 to 16777214", 1..=16_777_214
);
number!(
    /// A shared risk link group.
    Srlg(u32), "a shared risk link group from 0 to 4294967295", 0..=u32::MAX
);
number!(
    /// Number of an interface; zero is none.
    Interface(u32), "a number of an interface from 1 to 4294967295", 1..=u32::MAX
);
number!(
    /// A depth of one octet.
    Depth(u8), "a depth from 0 to 255", 0..=u8::MAX
);
number!(
    /// A share of packets.
    Weight(u32), "a weight from 1 to 4294967295", 1..=u32::MAX
);
/// A label behind the extension label.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extended(pub(super) ExtendedLabel);

impl Setting for Extended {
    const EXPECTED: &'static str = "an extended special-purpose label from 16 to 255";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        ExtendedLabel::new(text.parse().ok()?).map(Self)
    }
}

number!(
    /// Where in the test packet a timestamp goes.
    Offset(u16), "an offset from 4 to 1400 octets", 4..=1400
);

macro_rules! words {
    ($type:ty, $expected:literal, $($word:literal => $value:expr),* $(,)?) => {
        impl Setting for $type {
            const EXPECTED: &'static str = $expected;
            fn read(text: &str) -> Option<Self> {
                match text {
                    $($word => Some($value),)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use {number, words};

impl Setting for LinkKind {
    const EXPECTED: &'static str = "physical, lsp or abstract";
    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == text)
    }
}

words!(Visibility, "full, feasibility or reachability",
    "full" => Self::Full, "feasibility" => Self::Feasibility, "reachability" => Self::Reachability);

/// What a gateway takes without labels.
#[derive(Clone, Copy, Debug)]
pub(super) struct AcceptsIp;
words!(AcceptsIp, "\"ip\"", "ip" => Self);
