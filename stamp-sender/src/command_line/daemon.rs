//! `stamp-sender run` and `stamp-sender config`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use stamp_config::parse;
use stamp_config::web::{Listen, WebArguments};

use crate::daemon::Shard;
use crate::exit::Failure;

/// `stamp-sender run`.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// The configuration file.
    #[arg(required_unless_present = "config_file", conflicts_with = "config_file")]
    pub file: Option<PathBuf>,
    /// The same by the name that other services have for it.
    #[arg(long = "config.file", value_name = "FILE", env = "STAMP_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
    /// Where metrics are told.
    #[command(flatten)]
    pub web: WebFlags,
    /// Which of several senders that share the file this is.
    #[command(flatten)]
    pub part: Part,
}

/// What exporters of Prometheus are told on their command line; it goes before the file.
#[derive(Args, Clone, Debug)]
pub struct WebFlags {
    /// Address and port to tell metrics over HTTP on, instead of those of web.listen in the file; repeatable;
    /// off is nowhere.
    #[arg(long = "web.listen-address", value_name = "ADDR:PORT|off", env = "STAMP_WEB_LISTEN_ADDRESS", value_delimiter = ',', value_parser = parse::<Listen>)]
    pub listen_addresses: Vec<Listen>,
    /// TLS and users for it, in the form of the Prometheus exporters, instead of web.config-file in the file; read again
    /// when it changes.
    #[arg(long = "web.config.file", value_name = "FILE", env = "STAMP_WEB_CONFIG_FILE")]
    pub web_config_file: Option<PathBuf>,
}

impl WebFlags {
    /// What they say.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`]: an address beside "off".
    pub fn arguments(&self) -> Result<WebArguments, Failure> {
        let words = Some(self.listen_addresses.as_slice()).filter(|words| !words.is_empty());
        let listen = words.map(Listen::all).transpose().map_err(|problem| Failure::Usage {
            flag: "--web.listen-address",
            problem: problem.to_owned(),
        })?;
        Ok(WebArguments { listen, config_file: self.web_config_file.clone() })
    }
}

/// Which part of a file is meant.
#[derive(Args, Clone, Copy, Debug)]
pub struct Part {
    /// Take only the sessions of this shard, such as 2/8: of eight senders that read the same file, numbered
    /// from 0, each session is measured by one.
    #[arg(long, value_name = "NUMBER/COUNT", env = "STAMP_SHARD", value_parser = parse::<Shard>)]
    pub shard: Option<Shard>,
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
        /// Where metrics would be told.
        #[command(flatten)]
        web: WebFlags,
        /// Which part of it.
        #[command(flatten)]
        part: Part,
    },
    /// Print each session with what it takes from its profile and the defaults.
    Show {
        /// The file.
        file: PathBuf,
        /// Where metrics would be told.
        #[command(flatten)]
        web: WebFlags,
        /// Which part of it.
        #[command(flatten)]
        part: Part,
    },
    /// Print a file with every key, its meaning and its default.
    Template,
    /// Print a JSON Schema of a file, for editors and for programs that write one.
    Schema {
        /// Of which file.
        #[arg(value_enum, default_value_t)]
        file: DescribedFile,
    },
}

/// A file that has a schema.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum DescribedFile {
    /// The configuration of `run`.
    #[default]
    Run,
    /// A topology.
    Topology,
}
