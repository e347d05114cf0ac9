//! `stamp-sender check`.

use std::path::PathBuf;

use clap::Args;

use super::Measure;
use crate::check::Judged;
use crate::check::limit::Limits;

/// One verdict.
#[derive(Args, Clone, Debug)]
pub struct Check {
    /// Above this it is a warning: KEY=LIMIT, such as delay=10ms,loss=0.5%.
    #[arg(short = 'w', long, value_name = "LIMITS")]
    pub warning: Option<Limits>,
    /// Above this it is critical, as is a far end that never answers.
    #[arg(short = 'k', long, value_name = "LIMITS")]
    pub critical: Option<Limits>,
    /// Write what was measured to this file as well, in the place of the one before, for the textfile
    /// collector of node_exporter; its name has to end in .prom.
    #[arg(long, value_name = "FILE", value_parser = collected)]
    pub textfile: Option<PathBuf>,
    /// What is measured, and how.
    #[command(flatten)]
    pub measure: Measure,
}

/// A name that the collector takes; it passes over all others without a word.
fn collected(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    let is_taken = path.extension().is_some_and(|ending| ending == "prom");
    if is_taken { Ok(path) } else { Err("expected a file whose name ends in .prom") }
}

impl Check {
    /// What the measurement is held against.
    pub fn limits(&self) -> Judged {
        let limits = |limits: &Option<Limits>| limits.clone().unwrap_or_default();
        Judged { warning: limits(&self.warning), critical: limits(&self.critical) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_collector_takes_is_refused() {
        assert_eq!(collected("/run/stamp.prom"), Ok(PathBuf::from("/run/stamp.prom")));
        for name in ["stamp.txt", "stamp", ".prom"] {
            assert!(collected(name).is_err(), "{name}");
        }
    }
}
