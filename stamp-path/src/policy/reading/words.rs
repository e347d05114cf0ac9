//! Words and numbers of policies.

use core::net::{IpAddr, Ipv6Addr};

use stamp_document::{Form, Setting};

use crate::policy::{BindingSid, Color, DataPlane, ListWeights, Originator, ProtocolOrigin};
use crate::topology::Label;
use crate::topology::words::{number, words};

pub(super) use crate::class::words::Paths;
pub(super) use crate::topology::words::{Interface, Name, Weight};

/// A colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct ColorWord(pub(super) Color);

impl Setting for ColorWord {
    const EXPECTED: &'static str = "a color from 1 to 4294967295";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        Color::new(text.parse().ok()?).map(Self)
    }
}

number!(
    /// How early a policy is computed.
    Priority(u8), "a priority from 0 (first) to 255 (last)", 0..=u8::MAX
);
number!(
    /// Which candidate path goes first.
    Preference(u32), "a preference from 0 to 4294967295 (the highest goes first)", 0..=u32::MAX
);
number!(
    /// Which candidate path of its maker.
    Discriminator(u32), "a discriminator from 0 to 4294967295", 0..=u32::MAX
);
number!(
    /// An SR algorithm.
    Algorithm(u8), "an SR algorithm from 0 to 255 (0: shortest path, 1: strict shortest path)", 0..=u8::MAX
);

words!(DataPlane, "mpls or srv6", "mpls" => Self::Mpls, "srv6" => Self::Srv6);
words!(ListWeights, "equal or bandwidth",
    "equal" => Self::Equal, "bandwidth" => Self::Bandwidth);

/// The node at the other end of an adjacency.
#[derive(Clone, Copy, Debug)]
pub(super) struct RemoteNode(pub(super) Ipv6Addr);

impl Setting for RemoteNode {
    const EXPECTED: &'static str = "an IPv6 address";
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// Where a policy leads.
#[derive(Clone, Debug)]
pub(super) enum Endpoint {
    /// An address.
    Address(IpAddr),
    /// A node of the topology.
    Node(String),
}

impl Setting for Endpoint {
    const EXPECTED: &'static str =
        "an address, a node of the topology, or 0.0.0.0 or :: where any end will do";
    fn read(text: &str) -> Option<Self> {
        let name = || Name::read(text).map(|name| Self::Node(name.0));
        text.parse().ok().map(Self::Address).or_else(name)
    }
}

impl Setting for ProtocolOrigin {
    const EXPECTED: &'static str = "configuration, bgp, pcep or a number from 1 to 255";
    const FORM: Form = Form::TextOrNumber;
    fn read(text: &str) -> Option<Self> {
        match text {
            "configuration" => Some(Self::CONFIGURATION),
            "bgp" => Some(Self::BGP),
            "pcep" => Some(Self::PCEP),
            number => number.parse().ok().filter(|number| *number > 0).map(Self),
        }
    }
}

impl Setting for Originator {
    const EXPECTED: &'static str =
        "AS:ADDRESS, the autonomous system and the node, such as 65000:192.0.2.1";
    fn read(text: &str) -> Option<Self> {
        let (autonomous_system, node) = text.split_once(':')?;
        Some(Self::new(autonomous_system.parse().ok()?, node.parse().ok()?))
    }
}

impl Setting for BindingSid {
    const EXPECTED: &'static str = "a label from 16 to 1048575 or an SRv6 SID";
    const FORM: Form = Form::TextOrNumber;
    fn read(text: &str) -> Option<Self> {
        let sid = || Some(Self::Sid(text.parse().ok()?));
        let label = text.parse().ok().and_then(Label::new).filter(|label| !label.is_special());
        label.map(Self::Label).or_else(sid)
    }
}

/// A segment in one word, before it is looked up.
#[derive(Clone, Debug)]
pub(super) enum Word {
    /// A label, if no name has the same digits.
    Label(Label, String),
    /// A SID.
    Sid(Ipv6Addr),
    /// A node or link.
    Name(String),
}

impl Word {
    fn read(text: &str) -> Option<Self> {
        if let Some(label) = text.parse().ok().and_then(Label::new) {
            return Some(Self::Label(label, text.to_owned()));
        }
        let name = || Name::read(text).map(|name| Self::Name(name.0));
        text.parse().ok().map(Self::Sid).or_else(name)
    }
}

/// A segment as it is written.
#[derive(Clone, Debug)]
pub(super) enum Written {
    /// In one word.
    Word(Word),
    /// As a table.
    Table(crate::policy::Segment),
}

impl Setting for Written {
    const EXPECTED: &'static str = "a name of a node or link, a label from 0 to 1048575, an SRv6 SID, \
         or a table such as { prefix = \"192.0.2.5\" }";
    const FORM: Form = Form::TextOrNumber;
    fn read(text: &str) -> Option<Self> {
        Word::read(text).map(Self::Word)
    }
}
