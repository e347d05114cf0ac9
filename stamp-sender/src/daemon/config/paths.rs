//! `topology`, `[class.NAME]`, `[[policy]]` and `[[mesh]]`: which paths there are to measure and to choose among.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use stamp_config::document::{ConfigErrors, Problem, Section};
use stamp_path::policy::{Policies, PolicyMistake};
use stamp_path::segments::{self, Origin};
use stamp_path::topology::Topology;

use super::session::{ListSession, Reader, SessionSpec};
use super::settings::Settings;

/// Policies of the file, with the network that their paths lie in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Paths {
    /// The network as its file describes it; empty where none is named.
    pub topology: Arc<Topology>,
    /// The file, where one was read.
    pub file: Option<PathBuf>,
    /// What is to be steered where, and what it needs.
    pub policies: Arc<Policies>,
    /// Where this host is in the network, where the file says it.
    pub here: Option<Origin>,
    /// How lists are measured.
    reader: Option<Arc<Reader>>,
}

/// Mistakes in a topology, which has a file of its own.
pub(super) type Elsewhere = RefCell<Option<ConfigErrors>>;

/// Keys that there is something to steer with.
const KEYS: [&str; 3] = ["policy", "mesh", "class"];

impl Paths {
    /// What stands in the root table. Mistakes of the topology go `elsewhere`.
    pub(super) fn read(
        root: &Section<'_>,
        of_root: &Settings,
        reader: &Arc<Reader>,
        elsewhere: &Elsewhere,
    ) -> Self {
        let file = of_root.get("topology").map(PathBuf::from);
        let file = file.filter(|_| KEYS.iter().any(|key| root.has(key)));
        let topology = file.as_ref().and_then(|file| topology(root, file, elsewhere));
        let known = |name: &str| match reader.profiles.contains_key(name) {
            true => Ok(()),
            false => Err(reader.unknown_profile(name)),
        };
        let policies = Policies::read_section(root, topology.as_ref(), &known);
        let here = topology.as_ref().and_then(|topology| here(root, of_root, topology));
        Self {
            topology: Arc::new(topology.unwrap_or_default()),
            file,
            policies: Arc::new(policies),
            here,
            reader: Some(Arc::clone(reader)),
        }
    }

    /// A policy of this name stands in the file.
    pub fn has(&self, policy: &str) -> bool {
        self.policies.policies.iter().any(|known| known.name == policy)
    }

    /// The session that measures a list.
    ///
    /// # Errors
    ///
    /// Why none can.
    pub fn session(&self, list: ListSession) -> Result<SessionSpec, String> {
        let reader = self.reader.as_ref().ok_or("nothing says how lists are measured")?;
        reader.of_list(list)
    }

    /// What a session of this profile is told.
    pub fn settings(&self, profile: Option<&str>) -> Settings {
        self.reader.as_ref().map(|reader| reader.settings_of(profile)).unwrap_or_default()
    }
}

fn topology(root: &Section<'_>, file: &PathBuf, elsewhere: &Elsewhere) -> Option<Topology> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            root.problem("topology", Problem::Unusable { reason: error.to_string() });
            // What hangs on it is told when it is there.
            elsewhere.replace(Some(ConfigErrors(Vec::new())));
            return None;
        }
    };
    match Topology::read(&file.to_string_lossy(), &text) {
        Ok(topology) => Some(topology),
        Err(errors) => {
            elsewhere.replace(Some(errors));
            None
        }
    }
}

/// `from` or `behind` of the root.
fn here(root: &Section<'_>, of_root: &Settings, topology: &Topology) -> Option<Origin> {
    let node = |key: &'static str| {
        let found = segments::node(topology, of_root.get(key)?);
        if let Err(error) = &found {
            root.problem(key, Problem::Contradiction { reason: error.to_string() });
        }
        found.ok()
    };
    node("from").map(Origin::Node).or_else(|| node("behind").map(Origin::Behind))
}

/// Mistakes of a topology, and of the file that names it what does not follow from them.
pub(super) fn joined(mut elsewhere: ConfigErrors, own: Option<ConfigErrors>) -> ConfigErrors {
    let follows = Problem::from(PolicyMistake::NoTopology);
    let own = own.map(|errors| errors.0).unwrap_or_default();
    elsewhere.0.extend(own.into_iter().filter(|error| error.problem != follows));
    elsewhere
}
