//! The flags of `stamp-sender path`.

mod locate;
mod probe;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use stamp_config::parse;
use stamp_config::quantity::{Bandwidth, LinkDelay, Ratio};
use stamp_path::compute::{Disjointness, Metric, Request};
use stamp_path::topology::LinkKind;

pub use locate::Locate;
pub use probe::{ProbeWays, Turn};

/// `stamp-sender path`.
#[derive(Clone, Debug, Subcommand)]
pub enum Path {
    /// Print the best ways that keep to what is asked.
    Compute(Box<Compute>),
    /// Print why the best way is the best: each link of it, who reads what of its list, the next best, what
    /// each constraint costs.
    Explain(Box<Explain>),
    /// Measure the best ways that keep to what is asked, each over a list that keeps probes on it.
    Probe(Box<ProbeWays>),
    /// Name what in the network explains the loss and the delay that sessions show; status 1 where something
    /// is wrong.
    Locate(Box<Locate>),
    /// Draw the network, and ways on it.
    Draw(Box<Draw>),
    /// Print a topology file made from what others publish; what is left to add is told.
    #[command(subcommand)]
    Import(Import),
}

/// `stamp-sender path draw`.
#[derive(Args, Clone, Debug)]
pub struct Draw {
    /// Topology file.
    #[arg(long, value_name = "FILE", env = "STAMP_TOPOLOGY")]
    pub topology: PathBuf,
    /// The node where ways begin; without it the network alone is drawn.
    #[arg(long, value_name = "NODE", requires = "to")]
    pub from: Option<String>,
    /// The node where they end.
    #[arg(long, value_name = "NODE", requires = "from")]
    pub to: Option<String>,
    /// How many ways, the best first; with --equal at most so many, 64 unless given.
    #[arg(short, long, value_name = "N", requires = "to", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub k: Option<u16>,
    /// Every way that costs as much as the best.
    #[arg(long, requires = "to")]
    pub equal: bool,
    /// Draw this way: its nodes and links in order. Repeat it for more.
    #[arg(long, value_name = "NAME,...")]
    pub way: Vec<String>,
    /// What a way from --from to --to keeps to.
    #[command(flatten)]
    pub terms: Terms,
    /// Language of the picture.
    #[arg(long, value_enum, default_value_t = Picture::Svg)]
    pub format: Picture,
    /// Write the picture here and not to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Languages of pictures.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Picture {
    /// What browsers show.
    Svg,
    /// What Graphviz takes.
    Dot,
    /// What wikis and code hosts take.
    Mermaid,
}

/// `stamp-sender path import`.
#[derive(Clone, Debug, Subcommand)]
pub enum Import {
    /// GraphML, as the Internet Topology Zoo publishes networks: distances make delays.
    Graphml(Imported),
    /// BGP-LS, as GoBGP prints it in JSON: nodes, links, prefixes, SIDs and peers.
    BgpLs(Imported),
}

/// What is imported, and where to.
#[derive(Args, Clone, Debug)]
pub struct Imported {
    /// The file; `-` for standard input.
    pub file: PathBuf,
    /// Write the topology here and not to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `stamp-sender path compute`.
#[derive(Args, Clone, Debug)]
pub struct Compute {
    /// What is wanted.
    #[command(flatten)]
    pub wanted: Wanted,
    /// How many ways, the best first; with --equal at most so many, 64 unless given.
    #[arg(short, long, value_name = "N", conflicts_with = "pair", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub k: Option<u16>,
    /// Every way that costs as much as the best.
    #[arg(long, conflicts_with = "pair")]
    pub equal: bool,
    /// Which list leads over a way: labels or SIDs.
    #[arg(long, value_enum, default_value_t = DataPlane::Mpls)]
    pub dataplane: DataPlane,
    /// Two ways that have nothing in common and cost least together; what that is says --disjoint.
    #[arg(long)]
    pub pair: bool,
    /// One JSON document instead of text.
    #[arg(short = 'J', long)]
    pub json: bool,
}

/// `stamp-sender path explain`.
#[derive(Args, Clone, Debug)]
pub struct Explain {
    /// What is wanted.
    #[command(flatten)]
    pub wanted: Wanted,
    /// Which list leads over the way: labels or SIDs.
    #[arg(long, value_enum, default_value_t = DataPlane::Mpls)]
    pub dataplane: DataPlane,
    /// The best way and the next as one JSON document instead of text.
    #[arg(short = 'J', long)]
    pub json: bool,
}

/// What segments are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum DataPlane {
    /// Labels.
    Mpls,
    /// SIDs.
    Srv6,
}

/// From where to where, and what a way keeps to.
#[derive(Args, Clone, Debug)]
pub struct Wanted {
    /// Topology file.
    #[arg(long, value_name = "FILE", env = "STAMP_TOPOLOGY")]
    pub topology: PathBuf,
    /// The node where the way begins.
    #[arg(long, value_name = "NODE")]
    pub from: String,
    /// The node where the way ends.
    #[arg(long, value_name = "NODE")]
    pub to: String,
    /// What it keeps to.
    #[command(flatten)]
    pub terms: Terms,
}

/// What makes one way better than another, and what it keeps to.
#[derive(Args, Clone, Debug)]
pub struct Terms {
    /// What is to be small: igp, te, delay, loss or hops.
    #[arg(long, value_name = "METRIC", default_value = "igp", value_parser = parse::<Metric>)]
    pub metric: Metric,
    /// Kinds of links that may be used: physical, lsp, abstract.
    #[arg(long, value_name = "KIND,...", value_delimiter = ',', default_value = "physical", value_parser = parse::<LinkKind>)]
    pub over: Vec<LinkKind>,
    /// What the way keeps to.
    #[command(flatten)]
    pub limits: Limits,
    /// What the way keeps away from. Both of its ends are exempt.
    #[command(flatten)]
    pub avoided: Avoided,
    /// Partial ways that are looked at before a hard search is given up.
    #[arg(long, value_name = "N", default_value_t = Request::USUAL_WORK_LIMIT)]
    pub work_limit: u64,
}

/// What the way keeps to.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Bounds")]
pub struct Limits {
    /// Largest delay of the whole way.
    #[arg(long, value_name = "TIME", value_parser = parse::<LinkDelay>)]
    pub max_delay: Option<LinkDelay>,
    /// Largest loss of the whole way; losses of links compose.
    #[arg(long, value_name = "SHARE", value_parser = parse::<Ratio>)]
    pub max_loss: Option<Ratio>,
    /// Most links.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_hops: Option<u32>,
    /// Least bandwidth of every link; one whose bandwidth the file does not give is not used.
    #[arg(long, value_name = "BANDWIDTH", value_parser = parse::<Bandwidth>)]
    pub min_bandwidth: Option<Bandwidth>,
    /// Every link has one of these affinities.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub include_any: Vec<String>,
    /// Every link has all of these affinities.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub include_all: Vec<String>,
}

/// What the way keeps away from.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Avoiding")]
pub struct Avoided {
    /// Links with one of these affinities.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub exclude: Vec<String>,
    /// These nodes.
    #[arg(long, value_name = "NODE,...", value_delimiter = ',')]
    pub avoid_node: Vec<String>,
    /// These links.
    #[arg(long, value_name = "LINK,...", value_delimiter = ',')]
    pub avoid_link: Vec<String>,
    /// Nodes of these autonomous systems.
    #[arg(long, value_name = "AS,...", value_delimiter = ',')]
    pub avoid_as: Vec<u32>,
    /// Nodes of these domains.
    #[arg(long, value_name = "DOMAIN,...", value_delimiter = ',')]
    pub avoid_domain: Vec<String>,
    /// Links of these shared risk link groups.
    #[arg(long, value_name = "SRLG,...", value_delimiter = ',')]
    pub avoid_srlg: Vec<u32>,
    /// A way to have nothing in common with: its nodes and links in order. Repeat it for more.
    #[arg(long, value_name = "NAME,...")]
    pub disjoint_from: Vec<String>,
    /// What two ways may not share: link, node, srlg or node+srlg. Links they never share.
    #[arg(long, value_name = "KIND", default_value = "link", value_parser = parse::<Disjointness>)]
    pub disjoint: Disjointness,
    /// Use links and nodes that are drained as well.
    #[arg(long)]
    pub drained: bool,
}
