//! `stamp-sender check`.

use std::path::PathBuf;

use clap::Args;
use stamp_config::parse;

use super::Measure;
use crate::check::Judged;
use crate::check::limit::Limits;

/// One verdict.
#[derive(Args, Clone, Debug)]
pub struct Check {
    /// Above this it is a warning: KEY=LIMIT, such as delay=10ms,loss=0.5%.
    #[arg(short = 'w', long, value_name = "LIMITS", value_parser = parse::<Limits>)]
    pub warning: Option<Limits>,
    /// Above this it is critical, as is a far end that never answers.
    #[arg(short = 'k', long, value_name = "LIMITS", value_parser = parse::<Limits>)]
    pub critical: Option<Limits>,
    /// Write what was measured to this file as well, in the place of the one before, for the textfile
    /// collector of node_exporter; its name has to end in .prom.
    #[arg(long, value_name = "FILE")]
    pub textfile: Option<PathBuf>,
    /// What is measured, and how.
    #[command(flatten)]
    pub measure: Measure,
}

impl Check {
    /// What the measurement is held against.
    pub fn limits(&self) -> Judged {
        let limits = |limits: &Option<Limits>| limits.clone().unwrap_or_default();
        Judged { warning: limits(&self.warning), critical: limits(&self.critical) }
    }
}
