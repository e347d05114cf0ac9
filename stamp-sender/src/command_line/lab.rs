//! The flags of `stamp-sender lab`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use stamp_config::parse;
use stamp_config::quantity::{LinkDelay, Ratio};

/// `stamp-sender lab`.
#[derive(Args, Clone, Debug)]
pub struct Lab {
    /// Name of the lab, to have several at once.
    #[arg(long, default_value = "default", env = "STAMP_LAB", value_parser = lab_name)]
    pub name: String,
    /// What to do with it.
    #[command(subcommand)]
    pub verb: LabVerb,
}

/// What can be done with a lab.
#[derive(Clone, Debug, Subcommand)]
pub enum LabVerb {
    /// Build the network of a topology file; it stays until it is taken down.
    Up {
        /// The topology file.
        file: PathBuf,
    },
    /// Print nodes, links, addresses, labels and SIDs of the running lab.
    Show,
    /// Run a command at a node; names of nodes are known there.
    Exec {
        /// The node.
        node: String,
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<OsString>,
    },
    /// Change what a link does to packets; what is not named stays as it is.
    Degrade(Degrade),
    /// End what runs in the lab and take it down.
    Down,
    /// Keep a lab that comes from standard input.
    #[command(hide = true)]
    Hold {
        /// What messages call the file.
        file: String,
    },
}

/// `stamp-sender lab degrade`.
#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("treatment").required(true).multiple(true))]
pub struct Degrade {
    /// The link; LINK:FROM>TO is one direction of it (quote the >).
    #[arg(value_name = "LINK[:FROM>TO]")]
    pub link: String,
    /// How long packets are held.
    #[arg(long, value_name = "TIME", group = "treatment", value_parser = parse::<LinkDelay>)]
    pub delay: Option<LinkDelay>,
    /// Standard deviation of the delay.
    #[arg(long, value_name = "TIME", group = "treatment", value_parser = parse::<LinkDelay>)]
    pub jitter: Option<LinkDelay>,
    /// Share of packets that are lost.
    #[arg(long, value_name = "SHARE", group = "treatment", value_parser = parse::<Ratio>)]
    pub loss: Option<Ratio>,
    /// Share of packets that overtake those before them.
    #[arg(long, value_name = "SHARE", group = "treatment", value_parser = parse::<Ratio>)]
    pub reordering: Option<Ratio>,
}

/// A name that is a file's as well.
fn lab_name(text: &str) -> Result<String, String> {
    let is_part = |mark: char| mark.is_ascii_alphanumeric() || "_-".contains(mark);
    if (1..=32).contains(&text.len()) && text.chars().all(is_part) {
        Ok(text.to_owned())
    } else {
        Err("expected up to 32 letters, digits, underscores and hyphens".to_owned())
    }
}
