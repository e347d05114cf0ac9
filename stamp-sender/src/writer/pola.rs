//! Files of policies as the PCE Pola reads them, one for each.
//!
//! What stands in the folder is what was put in force last: what is to be added and what has to go is found
//! by comparing it with what is wanted, after a restart as well. A PCE that has forgotten what it was told
//! is told again once the files are gone.

mod document;
mod owners;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::config::{Choice, Pola};
use super::document::replace;
use super::outcome::{Change, Outcome};
use super::program;
use super::table::ChosenPath;
use crate::exit::Failure;
use crate::names;
use document::Document;
use owners::Owners;

/// The first line of every file that is written here.
const HEADING: &str = "# Written by stamp-sender write: what is changed here by hand is lost.\n";

/// A folder as it is to be.
pub struct Writer {
    config: Pola,
    /// The session is that of a head end with a name.
    is_named: bool,
    owners: Owners,
    dry_run: bool,
    /// What a dry run would have done when it was asked last.
    told: Vec<String>,
}

/// What is done to one file.
enum Step<'w> {
    Put(&'w Document, Option<String>),
    Take(String),
}

impl Writer {
    /// Looks at nothing but the topology yet.
    ///
    /// # Errors
    ///
    /// When that cannot be read.
    pub fn new(config: &Pola, choice: &Choice, dry_run: bool) -> Result<Self, Failure> {
        let topology = config.topology.as_deref().map(names::read).transpose()?;
        let owners = Owners::of(topology.as_ref());
        let is_named = !choice.headends.is_empty();
        Ok(Self { config: config.clone(), is_named, owners, dry_run, told: Vec::new() })
    }

    /// Sees to it that the paths stand there, and no others.
    pub async fn apply(&mut self, paths: &[ChosenPath]) -> Outcome {
        let mut refused = Vec::new();
        let wanted = document::all(self, paths, &mut refused);
        let outcome = self.reach(&wanted).await;
        Outcome { refused, ..outcome }
    }

    /// Takes away all that is its own.
    pub async fn undo(&mut self) -> Outcome {
        self.reach(&[]).await
    }

    async fn reach(&mut self, wanted: &[Document]) -> Outcome {
        let mut known = match own_files(&self.config.folder) {
            Ok(known) => known,
            Err(error) => {
                return Outcome::failed(format!("{}: {error}", self.config.folder.display()));
            }
        };
        let mut steps = Vec::new();
        for document in wanted {
            let before = known.remove(&document.file);
            if before.as_deref() != Some(&document.text) {
                steps.push(Step::Put(document, before));
            }
        }
        // What carries traffic goes last.
        steps.extend(known.into_keys().map(Step::Take));
        if self.dry_run {
            return self.tell(&steps);
        }
        let mut changes = Vec::new();
        for step in steps {
            changes.push(self.take(step).await);
        }
        Outcome { changes, ..Outcome::default() }
    }

    fn tell(&mut self, steps: &[Step<'_>]) -> Outcome {
        let changes = steps.iter().map(|step| {
            let (policy, what) = match step {
                Step::Put(document, _) => {
                    let file = self.config.folder.join(&document.file);
                    let what = format!("# to {}:\n{}", file.display(), document.text);
                    (Some(document.policy.clone()), what)
                }
                Step::Take(file) => {
                    (None, format!("# remove {}", self.config.folder.join(file).display()))
                }
            };
            Change { policy, what, result: Ok(()) }
        });
        let changes: Vec<Change> = changes.collect();
        let told: Vec<String> = changes.iter().map(|change| change.what.clone()).collect();
        let is_news = self.told != told;
        self.told = told;
        let changes = if is_news { changes } else { Vec::new() };
        Outcome { changes, ..Outcome::default() }
    }

    async fn take(&self, step: Step<'_>) -> Change {
        match step {
            Step::Put(document, before) => {
                let file = self.config.folder.join(&document.file);
                let result = self.put(&file, document, before.as_deref()).await;
                let what = format!("write {}", file.display());
                Change { policy: Some(document.policy.clone()), what, result }
            }
            Step::Take(file) => {
                let file = self.config.folder.join(file);
                let what = format!("remove {}", file.display());
                Change { policy: None, what, result: self.remove(&file).await }
            }
        }
    }

    async fn put(
        &self,
        file: &Path,
        document: &Document,
        before: Option<&str>,
    ) -> Result<(), String> {
        // What others wrote there is not ours to replace.
        if before.is_none() && file.exists() {
            return Err("it is another's".to_owned());
        }
        if let Some(commands) = &self.config.commands {
            // The PCE takes a policy of another color or endpoint for another one.
            if before.is_some_and(|before| identity(before) != identity(&document.text)) {
                self.remove(file).await?;
            }
            let beside = file.with_extension("new");
            let told = match write(&beside, &document.text) {
                Ok(()) => run(&commands.add, &beside).await,
                Err(reason) => Err(reason),
            };
            // It may not even be there.
            let _ = fs::remove_file(&beside);
            // What is not in force is not written down as such.
            told?;
        }
        write(file, &document.text)
    }

    async fn remove(&self, file: &Path) -> Result<(), String> {
        if let Some(commands) = &self.config.commands {
            run(&commands.delete, file).await?;
        }
        fs::remove_file(file).map_err(|error| error.to_string())
    }
}

/// Files in the folder that were written here, by name.
fn own_files(folder: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| name.ends_with(document::ENDING)) else { continue };
        // What cannot be read as text is another's.
        let text = fs::read_to_string(&path).ok().filter(|text| text.starts_with(HEADING));
        files.extend(text.map(|text| (name.to_owned(), text)));
    }
    Ok(files)
}

/// What of a document tells its policy from others.
fn identity(text: &str) -> &str {
    text.split(document::BEHIND_IDENTITY).next().unwrap_or(text)
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    replace(file, None, text.as_bytes()).map_err(|error| error.to_string())
}

async fn run(command: &[String], file: &Path) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(arguments).arg(file);
    let ended = program::run(command).await?;
    if ended.status.success() { Ok(()) } else { Err(ended.failure(program)) }
}

#[cfg(test)]
mod tests;
