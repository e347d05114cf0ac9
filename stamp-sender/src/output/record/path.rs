//! Which way probes and replies go, and what was heard from along that way.

use serde::{Deserialize, Serialize};

/// Which way probes and replies go.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PathRecord {
    /// Segments imposed on probes, in the order of travel.
    pub segments: Vec<String>,
    /// Segments that bring probes or replies back.
    pub return_segments: Vec<String>,
    /// The node or link of the topology that the list begins with, where names said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toward: Option<String>,
    /// `plain`: nothing around the UDP datagram; else the encapsulation, such as `M7` or `V4`.
    pub encapsulation: String,
    /// What makes the session take another of equal paths, in a sweep.
    #[serde(default)]
    pub entropy: Option<String>,
    /// Address probes leave from.
    pub source: String,
    /// UDP port probes leave from.
    pub source_port: u16,
    /// STAMP Session Identifier.
    pub ssid: u16,
    /// Path MTU as the kernel knew it at the start, in octets.
    pub mtu_octets: Option<u32>,
    /// Routers on the way there; all the way round in the loopback modes.
    pub forward_hops: Option<HopRangeRecord>,
    /// Routers on the way back.
    pub backward_hops: Option<HopRangeRecord>,
    /// DSCP of probes.
    pub dscp: u8,
    /// ECN codepoint of probes.
    pub ecn: u8,
    /// DSCP of the last reply as it arrived.
    pub reply_dscp: Option<u8>,
    /// ECN codepoint of the last reply as it arrived.
    pub reply_ecn: Option<u8>,
    /// Replies whose DSCP is not that of the probe.
    pub remarked: u64,
    /// Replies that arrived marked as having met congestion.
    pub congestion_experienced: u64,
}

/// Hop counts seen over a run.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct HopRangeRecord {
    /// Fewest.
    pub min: u8,
    /// Most.
    pub max: u8,
    /// In the last reply.
    pub last: u8,
}

/// One complaint of the network or the kernel, and how often it came.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TroubleRecord {
    /// Who complained.
    pub kind: TroubleKind,
    /// About what, such as `port_unreachable` or `no_route`.
    pub what: String,
    /// The host that sent the ICMP error.
    pub offender: Option<String>,
    /// How often.
    pub count: u64,
    /// Probe that met it first, if that is known.
    pub first_sequence: Option<u32>,
    /// The MTU it names, in octets.
    pub mtu_octets: Option<u32>,
    /// Largest UDP payload that fits this MTU.
    pub largest_payload_octets: Option<u64>,
}

/// Who complained.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// The network, by an ICMP error that quotes a probe.
    Icmp,
    /// This host's kernel, by not taking a probe.
    NotSent,
}
