//! Why a packet does not arrive.

use stamp_proto::sr::mpls::Label;

/// Why a packet with such a list does not arrive, or not everywhere.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Stray {
    #[error("label {label} means nothing at {node}")]
    UnknownLabel { node: String, label: Label },
    #[error("{reader} is passed on the way to {to} and has no label for it")]
    Unlabelled { reader: String, to: String },
    #[error("no way leads from {node} to {to}")]
    Unreachable { node: String, to: String },
    #[error("packets come back to {node} as they were: they go in a circle")]
    Circle { node: String },
    #[error("packets reach {node} after 255 hops and end there")]
    TooFar { node: String },
    #[error("link {link} does not begin at {node}")]
    ElsewhereThanLink { node: String, link: String },
    #[error("{node} sends to AS {autonomous_system} what still has labels")]
    LabelsForPeer { node: String, autonomous_system: u32 },
    #[error("label {label} needs another one below it")]
    NothingBelow { label: Label },
    #[error("{node} has no IP route to {to}")]
    NoRoute { node: String, to: String },
    #[error("a list ends at {node} with {sid}, but more SIDs follow")]
    MoreFollows { node: String, sid: core::net::Ipv6Addr },
    #[error("{sid} leads on from {node}, but no SID follows")]
    NothingFollows { node: String, sid: core::net::Ipv6Addr },
    #[error("nobody has the SID {sid}")]
    UnknownSid { sid: core::net::Ipv6Addr },
}
