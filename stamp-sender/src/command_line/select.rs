//! `stamp-sender select`.

use std::path::PathBuf;

use clap::Args;

/// Choosing paths over what many senders measured.
#[derive(Args, Clone, Debug)]
pub struct Select {
    /// The configuration file: that of `run`, with a `[select]` table.
    pub file: PathBuf,
    /// Decide once and end; the status is 1 where a policy has no path that gives what its class needs, or
    /// where Prometheus does not answer.
    #[arg(long)]
    pub once: bool,
    /// Print the decision as JSON.
    #[arg(long, requires = "once")]
    pub json: bool,
}
