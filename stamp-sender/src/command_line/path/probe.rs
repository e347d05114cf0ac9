//! The flags of `stamp-sender path probe`.

use clap::{Args, ValueEnum};

use super::{DataPlane, Wanted};
use crate::command_line::{ModeName, Probe};

/// `stamp-sender path probe`.
#[derive(Args, Clone, Debug)]
pub struct ProbeWays {
    /// What is wanted; the ways begin at this host.
    #[command(flatten)]
    pub wanted: Wanted,
    /// How many ways, the best first; with --equal at most so many, 64 unless given.
    #[arg(short, long, value_name = "N", conflicts_with = "pair", value_parser = clap::value_parser!(u16).range(1..=250))]
    pub k: Option<u16>,
    /// Every way that costs as much as the best.
    #[arg(long, conflicts_with = "pair")]
    pub equal: bool,
    /// Two ways that have nothing in common and cost least together; what that is says --disjoint.
    #[arg(long)]
    pub pair: bool,
    /// Which list leads over a way: labels or SIDs.
    #[arg(long, value_enum, default_value_t = DataPlane::Mpls)]
    pub dataplane: DataPlane,
    /// Who turns probes round: the way itself, back as it came; the same, and the far node writes its receive
    /// timestamp; or a reflector there, whose replies are routed.
    #[arg(long, value_enum, default_value_t = Turn::Loopback)]
    pub mode: Turn,
    /// One JSON document instead of text.
    #[arg(short = 'J', long)]
    pub json: bool,
    /// What is sent, and when.
    #[command(flatten)]
    pub probing: Probe,
}

/// Who turns probes round.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Turn {
    /// The way.
    Loopback,
    /// The way, and the far node stamps.
    EnhancedLoopback,
    /// A reflector.
    TwoWay,
}

impl Turn {
    /// The same in every run.
    #[must_use]
    pub const fn mode(self) -> ModeName {
        match self {
            Self::Loopback => ModeName::Loopback,
            Self::EnhancedLoopback => ModeName::EnhancedLoopback,
            Self::TwoWay => ModeName::TwoWay,
        }
    }
}
