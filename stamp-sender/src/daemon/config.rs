//! The file of `stamp-sender run`: which sessions, how they probe, and what they are held against.

mod client;
mod discovery;
mod histogram;
mod membership;
mod mistakes;
mod notify;
mod paths;
mod places;
mod probe;
mod reflector;
mod schema;
mod service;
mod session;
mod settings;
mod show;
mod te;
mod threshold;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stamp_config::document::{self, ConfigErrors, Outline, Problem, Section};
use stamp_config::web::WebArguments;

use crate::exit::Failure;
use crate::select::config::Select;
use crate::writer::config::{Beside, Writers};

pub use discovery::{Composed, Discovery, Found, Refused, compose};
use membership::Candidates;
pub use membership::Membership;
pub use mistakes::Mistakes;
#[cfg(test)]
pub use notify::Address;
pub use notify::{Hook, Notify, Webhook};
pub use paths::Paths;
pub use places::in_words_of_a_file;
pub use probe::Probing;
pub use reflector::Reflector;
pub use schema::schema;
pub use service::Service;
pub use session::{ListSession, SessionSpec};
use session::{Profile, Reader};
pub use settings::{Settings, is_for_labels};
pub use show::{service as show_service, session as show_session, show, template};

/// What a file says, with nothing wrong in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Configuration {
    /// How the service runs.
    pub service: Service,
    /// Sessions in the order of the file, each of its own name.
    pub sessions: Vec<Arc<SessionSpec>>,
    /// Where others name more.
    pub discoveries: Vec<Discovery>,
    /// Session-Reflectors that tell what they see of probes.
    pub reflectors: Vec<Reflector>,
    /// What others may have measured once.
    pub probing: Option<Probing>,
    /// Where `stamp-sender write` carries the paths that are chosen.
    pub writers: Writers,
    /// Whom `stamp-sender select` asks.
    pub select: Option<Select>,
    /// Policies, whose lists are measured by a session each.
    pub paths: Paths,
}

/// Most sessions that have histograms unless told otherwise: with 20 buckets they more than double the
/// series of a session.
const SESSIONS_WITH_HISTOGRAMS: usize = 1_000;

/// Keys of the root that stand for the same key of every session that does not say otherwise.
const OF_EVERY_SESSION: [&str; 4] = ["topology", "from", "behind", "clock"];

impl Configuration {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// [`Failure::Input`]: it cannot be read, or every mistake in it with line and column.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        Self::load_under(path, &WebArguments::default())
    }

    /// The same where the command line says something.
    ///
    /// # Errors
    ///
    /// Those of [`Self::load`].
    pub fn load_under(path: &Path, arguments: &WebArguments) -> Result<Self, Failure> {
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::read_under(&path.to_string_lossy(), &text, folder, arguments)
            .map_err(|errors| Failure::Input(errors.to_string()))
    }

    /// Reads text that is called `file` in messages and whose paths are relative to `folder`, where the command line says
    /// something.
    ///
    /// # Errors
    ///
    /// Every mistake, in the order of the lines.
    pub fn read_under(
        file: &str,
        text: &str,
        folder: &Path,
        arguments: &WebArguments,
    ) -> Result<Self, ConfigErrors> {
        let elsewhere = RefCell::new(None);
        let build = |root: &Section<'_>| Self::build(root, folder, &elsewhere, arguments);
        let read = document::read(file, text, build);
        match elsewhere.into_inner() {
            Some(errors) => Err(paths::joined(errors, read.err())),
            None => read,
        }
    }

    /// The same, where the command line says nothing.
    #[cfg(test)]
    pub fn read(file: &str, text: &str, folder: &Path) -> Result<Self, ConfigErrors> {
        Self::read_under(file, text, folder, &WebArguments::default())
    }

    /// Every key of such a text.
    pub fn outline() -> Outline {
        let arguments = WebArguments::default();
        Outline::of(|root| Self::build(root, Path::new(""), &RefCell::default(), &arguments))
    }

    /// Sessions have histograms: as is written, else where there are few enough of them.
    pub fn has_histograms(&self, sessions: usize) -> bool {
        let written = self.service.web.histograms;
        written.unwrap_or(sessions <= SESSIONS_WITH_HISTOGRAMS)
    }

    /// That many sessions have none though nobody said so.
    pub fn too_many_for_histograms(&self, sessions: usize) -> Option<usize> {
        let too_many = self.service.web.histograms.is_none() && !self.has_histograms(sessions);
        too_many.then_some(SESSIONS_WITH_HISTOGRAMS)
    }

    fn build(
        root: &Section<'_>,
        folder: &Path,
        elsewhere: &paths::Elsewhere,
        arguments: &WebArguments,
    ) -> Self {
        let of_root = Settings::read_only(root, folder, |key| OF_EVERY_SESSION.contains(&key));
        let topology = of_root.get("topology").map(PathBuf::from);
        let mut service = Service::read(root, folder);
        service.web = service.web.under(arguments);
        let select = root.section("select", |section| Select::read(section, folder)).flatten();
        let web = (service.web.listen.as_slice(), service.web.config_file.as_deref());
        client::refuse_the_open(root, &service.clients, "web.listen", web);
        if let Some(select) = &select {
            let web = (select.listen.as_slice(), select.config_file.as_deref());
            client::refuse_the_open(root, &service.clients, "select.listen", web);
        }
        let defaults = root.section("defaults", |section| Profile::read(section, folder));
        let defaults = defaults.unwrap_or_default().under(of_root.clone());
        let profiles = root
            .named_sections("profile", |_, section| Profile::read(section, folder))
            .into_iter()
            .collect();
        let reader = Arc::new(Reader { defaults, profiles, folder: folder.to_owned() });
        let mut mistakes = Mistakes::default();
        let read = root.sections("session", |section| {
            let spec = reader.read_among(section, &Profile::default(), &mut mistakes)?;
            Some((spec, section.place("name")))
        });
        mistakes.report(root);
        let paths = Paths::read(root, &of_root, &reader, elsewhere);
        let (web, topology) = (&service.web, topology.as_deref());
        let writers = Writers::read(root, folder, Beside { web, topology, paths: &paths });
        let (mut names, mut candidates) = (BTreeSet::new(), Candidates::default());
        let mut sessions = Vec::with_capacity(read.len());
        for (spec, place) in read.into_iter().flatten() {
            let report = |reason| root.report(&place, Problem::Contradiction { reason });
            if !names.insert(spec.name.clone()) {
                report("another session has this name".to_owned());
                continue;
            }
            if let Err(reason) = spec.policy.as_ref().map_or(Ok(()), |it| candidates.enter(it)) {
                report(reason);
            }
            if spec.policy.as_ref().is_some_and(|it| paths.has(&it.policy)) {
                report(
                    "its policy stands in the file, and sessions are made of its lists".to_owned(),
                );
            }
            sessions.push(Arc::new(spec));
        }
        let read = root.sections("discovery", |section| Discovery::read(section, &reader));
        let discoveries = read.into_iter().flatten().collect();
        let reflectors = root.sections("reflector", |section| Reflector::read(section, folder));
        let reflectors = reflectors.into_iter().flatten().collect();
        let probing = root.section("probe", |section| Probing::read(section, &reader)).flatten();
        Self { service, sessions, discoveries, reflectors, probing, paths, writers, select }
    }
}

#[cfg(test)]
mod tests;
