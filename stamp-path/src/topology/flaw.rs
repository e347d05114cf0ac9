//! How a topology can contradict itself although each of its words is right.

use core::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use stamp_document::document::Problem;

use super::{Label, LabelRange};

/// What contradicts what.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Flaw {
    #[error("no [[node]] has this name")]
    UnknownNode,
    #[error("no [[node]] and no [[link]] has this name")]
    UnknownHop,
    #[error("no [[domain]] has this name and no [[node]] lies in it")]
    UnknownDomain,
    #[error("{count} names; a link has two ends, such as [\"a\", \"b\"]")]
    Ends { count: usize },
    #[error("a link joins two different nodes")]
    Loop,
    #[error("a tunnel leads to another node")]
    TunnelToItself,
    #[error("an earlier {table} has this name; {remedy}")]
    NameTaken { table: &'static str, remedy: &'static str },
    #[error("the address {address} belongs to node \"{node}\" already")]
    AddressTaken { address: IpAddr, node: String },
    #[error("node \"{node}\" has another interface of the number {interface}")]
    InterfaceTaken { interface: u32, node: String },
    #[error("the SID {sid} belongs to node \"{node}\" already")]
    SidTaken { sid: Ipv6Net, node: String },
    #[error("the SID {sid} holds an address of node \"{node}\"; a SID has an address of its own")]
    SidIsAddress { sid: Ipv6Net, node: String },
    #[error("label {label} means something else at node \"{node}\" already")]
    LabelTaken { label: Label, node: String },
    #[error("label {label} lies in the SRGB of node \"{node}\" ({range}), where labels are made from indexes", range = text(*.range))]
    LabelInSrgb { label: Label, node: String, range: LabelRange },
    #[error("index {index} belongs to {prefix} already")]
    IndexTaken { index: u32, prefix: String },
    #[error("{prefix} has index {index} already")]
    PrefixHasIndex { prefix: IpNet, index: u32 },
    #[error(
        "index {index} lies outside of the SRGB of node \"{node}\", which has room for 0 to {last}"
    )]
    IndexOutside { index: u32, node: String, last: u32 },
    #[error("a Prefix-SID needs a prefix: give the node loopbacks")]
    IndexWithoutPrefix,
    #[error("[{first}, {last}] ends before it begins")]
    RangeBackwards { first: Label, last: Label },
    #[error("{count} numbers; a range is its first and its last label, such as [16000, 23999]")]
    RangeForm { count: usize },
    #[error("a block without a range holds no label")]
    EmptySrgb,
    #[error("the ranges {} and {} overlap", text(*.one), text(*.other))]
    RangesOverlap { one: LabelRange, other: LabelRange },
    #[error("{count} entries; one for each end: the first end's, then the second end's")]
    PerEnd { count: usize },
    #[error("give exactly one of {choices}")]
    OneOf { choices: &'static str },
    #[error("at least one is needed")]
    Empty,
}

impl From<Flaw> for Problem {
    fn from(flaw: Flaw) -> Self {
        Self::Contradiction { reason: flaw.to_string() }
    }
}

fn text(range: LabelRange) -> String {
    format!("{} to {}", range.first(), range.last())
}
