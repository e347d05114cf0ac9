//! A configuration of FRR: delay and loss of links for its routing protocols, policies of its `pathd`, and
//! the colour of routes to the prefixes of a class.
//!
//! The file holds all that is wanted, and what was put in force last: what has to be taken away is
//! found by comparing it with the new one, after a restart as well.

mod block;
mod links;
mod render;

use std::fs;
use std::path::Path;
use std::process::Command;

use super::config::{Frr, Source};
use super::document::replace;
use super::outcome::{Change, Outcome};
use super::program;
use super::table::ChosenPath;
use block::Block;

/// The first line of every file that is written here.
const HEADING: &str = "! Written by stamp-sender write: what is changed here by hand is lost.\n";

/// A configuration of FRR as it is to be.
pub struct Writer {
    config: Frr,
    source: Source,
    dry_run: bool,
    /// What a dry run would have written when it was asked last.
    told: Option<String>,
}

impl Writer {
    /// Looks at nothing yet.
    pub fn new(config: &Frr, source: &Source, dry_run: bool) -> Self {
        Self { config: config.clone(), source: source.clone(), dry_run, told: None }
    }

    /// Values of links change without a word in the table.
    pub fn looks_at_links(&self) -> bool {
        !self.config.links.is_empty()
    }

    /// Sees to it that these paths and the values of links stand there.
    pub async fn apply(&mut self, paths: &[ChosenPath]) -> Outcome {
        let links = match links::announced(&self.config.links, &self.source).await {
            Ok(links) => links,
            Err(error) => return Outcome::failed(format!("values of links: {error}")),
        };
        let mut refused = Vec::new();
        let wanted = render::all(&links, paths, &self.config.route_map, &mut refused);
        let outcome = self.reach(&wanted).await;
        Outcome { refused, ..outcome }
    }

    /// Takes away all that is its own.
    pub async fn undo(&mut self) -> Outcome {
        self.reach(&[]).await
    }

    async fn reach(&mut self, wanted: &[Block]) -> Outcome {
        let text = format!("{HEADING}{}", block::text(wanted));
        let before = fs::read_to_string(&self.config.file).ok();
        // What others wrote there is not ours to compare with, nor to replace.
        if let Some(strange) =
            before.as_deref().filter(|it| !it.starts_with(HEADING) && !it.is_empty())
        {
            let line = strange.lines().next().unwrap_or_default();
            let file = self.config.file.display();
            return Outcome::failed(format!("{file} is another's, it begins with: {line}"));
        }
        let known = before.as_deref().map(block::read).unwrap_or_default();
        if known == wanted && before.is_some() {
            return Outcome::default();
        }
        let changes = block::changes(&known, wanted);
        let file = self.config.file.display();
        if self.dry_run {
            let is_news = self.told.as_ref() != Some(&changes);
            let what = format!("! to {file}:\n{changes}");
            self.told = Some(changes);
            let change = Change { policy: None, what, result: Ok(()) };
            return Outcome {
                changes: is_news.then_some(change).into_iter().collect(),
                ..Outcome::default()
            };
        }
        let mut result = Ok(());
        if self.config.apply {
            result = apply(&self.config.file, &changes).await;
        }
        // What is not in force is not written down as such.
        result = result.and_then(|()| {
            replace(&self.config.file, None, text.as_bytes()).map_err(|error| error.to_string())
        });
        let what = format!("write {file} (lines: {})", text.lines().count());
        Outcome { changes: vec![Change { policy: None, what, result }], ..Outcome::default() }
    }
}

/// Hands lines to the running FRR.
async fn apply(file: &Path, lines: &str) -> Result<(), String> {
    let beside = file.with_extension("changes");
    replace(&beside, None, lines.as_bytes()).map_err(|error| error.to_string())?;
    let mut command = Command::new("vtysh");
    command.arg("-f").arg(&beside);
    let ended = program::run(command).await?;
    // It may not be wanted to look at what was done.
    let _ = fs::remove_file(&beside);
    // Its status is that of the last line; what it says of any begins with a percent sign.
    match ended.status.success() && !ended.said.contains("% ") {
        true => Ok(()),
        false => Err(ended.failure("vtysh")),
    }
}
