//! The flags of `stamp-sender path locate`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use stamp_config::parse;
use stamp_config::quantity::{LinkDelay, Ratio};

use super::DataPlane;
use crate::command_line::Probe;

/// `stamp-sender path locate`.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("measured").required(true).multiple(true))]
pub struct Locate {
    /// Topology file.
    #[arg(long, value_name = "FILE", env = "STAMP_TOPOLOGY")]
    pub topology: PathBuf,
    /// What was measured: the document of --json, or what a daemon tells at /api/v1/sessions, as a file, `-`
    /// for standard input, or URL. Repeat it for what was measured elsewhere.
    #[arg(long, value_name = "FILE|URL", group = "measured")]
    pub sessions: Vec<String>,
    /// The same from when all was well: what sessions of these names took then is usual. Without it, what the
    /// links of the topology take.
    #[arg(long, value_name = "FILE|URL")]
    pub baseline: Vec<String>,
    /// Send probes from this host over lists that tell every link from every other, and judge by these.
    #[arg(long, group = "measured", requires = "begin")]
    pub probe: bool,
    /// The node where sessions begin whose source address no node has.
    #[arg(long, value_name = "NODE", group = "begin")]
    pub from: Option<String>,
    /// The node in front of the host where they begin, which is none itself.
    #[arg(long, value_name = "NODE", conflicts_with_all = ["from", "probe"])]
    pub behind: Option<String>,
    /// A way that loses no more is sound.
    #[arg(long, value_name = "SHARE", default_value = "0.05%", value_parser = parse::<Ratio>)]
    pub usual_loss: Ratio,
    /// A way whose delay is no more beyond what is usual is sound.
    #[arg(long, value_name = "TIME", default_value = "500us", value_parser = parse::<LinkDelay>)]
    pub usual_delay: LinkDelay,
    /// What makes the lists of --probe: labels or SIDs.
    #[arg(long, value_enum, default_value_t = DataPlane::Mpls)]
    pub dataplane: DataPlane,
    /// File with what lets us in at a URL.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Whom to trust at a URL, if not those whom this host trusts.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// One JSON document instead of text.
    #[arg(short = 'J', long)]
    pub json: bool,
    /// What --probe sends, and when.
    #[command(flatten)]
    pub probing: Probe,
}
