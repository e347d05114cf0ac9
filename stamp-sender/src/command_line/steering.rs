//! Flags that put probes on a segment list.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use stamp_config::parse;
use stamp_config::steering::{
    BindingSid, BindingWord, ReturnPath, ReturnPathWords, SegmentWords, Segments, TimestampLabel,
    Via,
};

use crate::names::Named;

/// Which way probes take, and who turns them round.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Segment Routing")]
pub struct SteeringFlags {
    /// Who turns probes round: a reflector, or in the loopback modes the path itself.
    #[arg(long, value_enum, default_value_t = ModeName::TwoWay, env = "STAMP_MODE")]
    pub mode: ModeName,
    /// Segments of the way there, first to visit first: labels, SRv6 SIDs, or with --topology names
    /// of nodes and links.
    #[arg(id = "segments", long = "segments", value_name = "LIST", env = "STAMP_SEGMENTS", value_parser = parse::<SegmentWords>)]
    pub segment_words: Option<SegmentWords>,
    /// The same without names.
    #[arg(skip)]
    pub segments: Option<Segments>,
    /// Segments of the way back: on probes in the loopback modes, where this host's own address is
    /// added; asked for by a Return Path TLV where a reflector replies.
    #[arg(id = "return_segments", long = "return-segments", value_name = "LIST", env = "STAMP_RETURN_SEGMENTS", value_parser = parse::<SegmentWords>)]
    pub return_segment_words: Option<SegmentWords>,
    /// The same without names.
    #[arg(skip)]
    pub return_segments: Option<Segments>,
    /// Topology file whose nodes and links may be named in lists, and its nodes as HOST; a name goes
    /// before a label of the same digits. Labels follow from the SRGB of the node that reads each;
    /// SIDs are taken with --srv6.
    #[arg(long, value_name = "FILE", env = "STAMP_TOPOLOGY")]
    pub topology: Option<PathBuf>,
    /// The node of --topology that this host is; default: the one that has an address of its own.
    #[arg(long, value_name = "NODE", env = "STAMP_FROM", requires = "topology")]
    pub from: Option<String>,
    /// The node of --topology in front of this host, which is none itself.
    #[arg(
        long,
        value_name = "NODE",
        env = "STAMP_BEHIND",
        requires = "topology",
        conflicts_with = "from"
    )]
    pub behind: Option<String>,
    /// What names turned out to be.
    #[arg(skip)]
    pub named: Named,
    /// The far node's binding SID for the way back, in place of --return-segments; with --topology
    /// the node at the end of its [[tunnel]].
    #[arg(id = "return_binding_sid", long = "return-binding-sid", value_name = "SID", env = "STAMP_RETURN_BINDING_SID", conflicts_with_all = ["return_segments", "return_path", "per_segment"], value_parser = parse::<BindingWord>)]
    pub return_binding_word: Option<BindingWord>,
    /// The same without a name.
    #[arg(skip)]
    pub return_binding_sid: Option<BindingSid>,
    /// Ask the reflector to reply on the link where the probe came in, not at all (with --mode
    /// one-way), to this address, or over a list of segments (RFC 9503 §4).
    #[arg(id = "return_path", long = "return-path", value_name = "same-link|none|ADDRESS|LIST", env = "STAMP_RETURN_PATH", conflicts_with = "return_segments", value_parser = parse::<ReturnPathWords>)]
    pub return_path_words: Option<ReturnPathWords>,
    /// The same without names.
    #[arg(skip)]
    pub return_path: Option<ReturnPath>,
    /// Name the node that is to answer, HOST or another address: where HOST does not say it, such
    /// as 127.0.0.1 at the end of a tunnel or an anycast address (RFC 9503 §3).
    #[arg(long, value_name = "ADDRESS", env = "STAMP_DESTINATION_NODE_ADDRESS", num_args = 0..=1, require_equals = true)]
    pub destination_node_address: Option<Option<IpAddr>>,
    /// How SIDs are put into packets; default: `host`, which needs no right, where it can.
    #[arg(long, value_enum, env = "STAMP_SRV6", requires = "segments")]
    pub srv6: Option<Srv6Name>,
    /// Block of the compressed SIDs of --srv6 usid and the bits of each.
    #[arg(long, value_name = "PREFIX/BITS[,BITS]", default_value = "fcbb:bb00::/32,16", env = "STAMP_USID_BLOCK", value_parser = parse::<UsidBlock>)]
    pub usid_block: UsidBlock,
    /// Interface and next hop of frames; default: as the way to the first SID, or to HOST.
    #[arg(long, value_name = "IF[,NEXTHOP]", env = "STAMP_VIA", value_parser = parse::<Via>)]
    pub via: Option<Via>,
    /// The label that asks the far node for its receive timestamp; default in enhanced loopback:
    /// extended:240, with --auth extended:241.
    #[arg(long, value_name = "LABEL", env = "STAMP_TIMESTAMP_LABEL", value_parser = parse::<TimestampLabel>)]
    pub timestamp_label: Option<TimestampLabel>,
    /// The SID that asks the far node for its receive timestamp, in place of the last of
    /// --segments.
    #[arg(long, value_name = "SID", env = "STAMP_END_TSF", conflicts_with = "timestamp_label")]
    pub end_tsf: Option<Ipv6Addr>,
    /// In enhanced loopback, plain loopback while the far node does not stamp; it is tried again
    /// after pauses of 10 to 640 probes. Over SIDs the last of --segments is passed then, and
    /// --end-tsf the rest of the time.
    #[arg(long, env = "STAMP_TSF_FALLBACK", value_parser = BoolishValueParser::new())]
    pub tsf_fallback: bool,
    /// Most labels that may be imposed, or segments that may be listed; more are refused.
    #[arg(long, value_name = "N", env = "STAMP_MSD", value_parser = clap::value_parser!(u8).range(1..))]
    pub msd: Option<u8>,
    /// As many sessions, each with other bits for nodes to choose among equal paths by.
    #[arg(long, value_name = "N", env = "STAMP_ENTROPY_SWEEP", conflicts_with = "per_segment", value_parser = clap::value_parser!(u8).range(2..))]
    pub entropy_sweep: Option<u8>,
    /// A loop to the end of each prefix of --segments: which one adds the delay or the loss.
    #[arg(long, conflicts_with = "return_segments")]
    pub per_segment: bool,
    /// A session on each of these member links of a LAG, or of the bond that is named: which of them is
    /// bad (RFC 9534).
    #[arg(long, value_name = "IF,...", env = "STAMP_LAG_MEMBERS", value_delimiter = ',', conflicts_with_all = ["interface", "vrf", "via", "mtu_sweep"])]
    pub lag_members: Vec<String>,
    /// Find the largest probe that the path carries there and back, and nothing else.
    #[arg(long, conflicts_with = "per_segment")]
    pub mtu_sweep: bool,
    /// Print the packet layer by layer, as it leaves and as each node sees it; send nothing.
    #[arg(long)]
    pub show_packet: bool,
}

/// Who turns probes round.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum ModeName {
    /// A reflector, on a way that is not measured.
    OneWay,
    /// A reflector.
    #[default]
    TwoWay,
    /// The path: probes come back as they left.
    Loopback,
    /// The path, and the far node writes its receive timestamp.
    EnhancedLoopback,
}

impl ModeName {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OneWay => "one-way",
            Self::TwoWay => "two-way",
            Self::Loopback => "loopback",
            Self::EnhancedLoopback => "enhanced-loopback",
        }
    }

    /// Probes come back themselves.
    #[must_use]
    pub const fn is_looped(self) -> bool {
        matches!(self, Self::Loopback | Self::EnhancedLoopback)
    }
}

/// How SIDs are put into packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Srv6Name {
    /// A Segment Routing Header in the probe's own IPv6 packet.
    Host,
    /// An IPv6 packet around the probe, with a whole list.
    Encap,
    /// The same, with the first SID in the destination address only.
    Reduced,
    /// Compressed SIDs, many in one address (RFC 9800 §4.1).
    Usid,
}

/// A block of compressed SIDs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UsidBlock {
    /// Its prefix.
    pub block: Ipv6Addr,
    /// Bits of the prefix.
    pub block_bits: u8,
    /// Bits of each compressed SID.
    pub csid_bits: u8,
}

impl Default for UsidBlock {
    fn default() -> Self {
        Self {
            block: Ipv6Addr::new(0xfcbb, 0xbb00, 0, 0, 0, 0, 0, 0),
            block_bits: 32,
            csid_bits: 16,
        }
    }
}

impl stamp_config::Setting for UsidBlock {
    const EXPECTED: &'static str = "a prefix with its length, and behind a comma the bits of each \
                                    compressed SID (16 unless given), such as fcbb:bb00::/32,16";
    fn read(text: &str) -> Option<Self> {
        let (prefix, csid_bits) = match text.split_once(',') {
            Some((prefix, bits)) => (prefix, bits.trim().parse().ok()?),
            None => (text, 16),
        };
        let (block, block_bits) = prefix.trim().split_once('/')?;
        let (block, block_bits) = (block.parse().ok()?, block_bits.parse().ok()?);
        let known = stamp_proto::sr::csid::NextCsid::new(block, block_bits, csid_bits);
        known.ok().map(|_| Self { block, block_bits, csid_bits })
    }
}
