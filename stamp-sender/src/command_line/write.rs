//! `stamp-sender write`.

use std::path::PathBuf;

use clap::Args;

/// Carrying chosen paths to routers.
#[derive(Args, Clone, Debug)]
pub struct Write {
    /// The configuration file: that of `run`, or one with `[[writer]]` tables alone.
    pub file: PathBuf,
    /// Take the paths as they are now, and end; the status is 1 where not all of it could be written.
    #[arg(long)]
    pub once: bool,
}
