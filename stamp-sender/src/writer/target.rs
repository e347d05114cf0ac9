//! What a writer writes to, whatever it is.

use std::time::Duration;

use super::config::{self, Writer};
use super::document::Place;
use super::outcome::Outcome;
use super::table::ChosenPath;
use super::{document, frr, linux, pola};
use crate::exit::Failure;

/// How often values of links are looked at; they are damped where they are announced.
const LINKS_EVERY: Duration = Duration::from_secs(10);

/// A place of any kind.
pub enum Target {
    /// Routes of this host, and how often it is looked whether they are still there.
    Linux(Box<linux::Writer>, Duration),
    /// A configuration of FRR.
    Frr(Box<frr::Writer>),
    /// Files that Pola reads.
    Pola(Box<pola::Writer>),
    /// A file, or a server.
    Document(document::Writer),
}

impl Target {
    /// The place of a writer.
    ///
    /// # Errors
    ///
    /// When what it needs cannot be read.
    pub fn new(config: &Writer) -> Result<Self, Failure> {
        let document = |place| Self::Document(document::Writer::new(place, config.dry_run));
        Ok(match &config.target {
            config::Target::Linux(linux) => {
                let writer = linux::Writer::new(linux, config.dry_run)?;
                Self::Linux(Box::new(writer), linux.check_every)
            }
            config::Target::Frr(frr) => {
                Self::Frr(Box::new(frr::Writer::new(frr, &config.source, config.dry_run)))
            }
            config::Target::Pola(pola) => {
                let writer = pola::Writer::new(pola, &config.choice, config.dry_run)?;
                Self::Pola(Box::new(writer))
            }
            config::Target::File(file) => document(Place::File(file.clone())),
            config::Target::Server(server) => document(Place::Server(server.clone())),
        })
    }

    /// Sees to it that these paths stand there, of the table of that number.
    pub async fn apply(&mut self, paths: &[ChosenPath], sequence: u64) -> Outcome {
        match self {
            Self::Linux(writer, _) => writer.apply(paths),
            Self::Frr(writer) => writer.apply(paths).await,
            Self::Pola(writer) => writer.apply(paths).await,
            Self::Document(writer) => writer.apply(paths, sequence).await,
        }
    }

    /// Takes away what was written.
    pub async fn undo(&mut self) -> Outcome {
        match self {
            Self::Linux(writer, _) => writer.undo(),
            Self::Frr(writer) => writer.undo().await,
            Self::Pola(writer) => writer.undo().await,
            Self::Document(writer) => writer.undo().await,
        }
    }

    /// How often somebody else may have changed it.
    pub fn check_every(&self) -> Option<Duration> {
        match self {
            Self::Linux(_, every) => Some(*every),
            Self::Frr(writer) => writer.looks_at_links().then_some(LINKS_EVERY),
            Self::Pola(_) | Self::Document(_) => None,
        }
    }
}
