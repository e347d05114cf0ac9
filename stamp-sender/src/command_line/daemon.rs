//! `stamp-sender run` and `stamp-sender config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `stamp-sender run`.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// The configuration file.
    #[arg(required_unless_present = "config_file", conflicts_with = "config_file")]
    pub file: Option<PathBuf>,
    /// The same by the name that other services have for it.
    #[arg(long = "config.file", value_name = "FILE", env = "STAMP_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
}

impl Run {
    /// The file that was named, one way or the other.
    pub fn named_file(self) -> PathBuf {
        self.file.or(self.config_file).unwrap_or_default()
    }
}

/// `stamp-sender config`.
#[derive(Clone, Debug, Subcommand)]
pub enum Config {
    /// Say that the file is fine, or every mistake in it.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Print each session with what it takes from its profile and the defaults.
    Show {
        /// The file.
        file: PathBuf,
    },
    /// Print a file with every key, its meaning and its default.
    Template,
}
