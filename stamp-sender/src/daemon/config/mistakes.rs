//! What sessions cannot be for, each told once: a thousand sessions may have what stands in a profile.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use stamp_config::document::{ConfigError, Place, Problem, Section};

/// What a session cannot be for, in words of a file.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Mistake {
    /// Where the key stands that is to blame.
    pub place: Place,
    /// Why.
    pub reason: String,
    /// Other sessions have what stands there too: it stands in a profile, in the defaults or at the root.
    pub is_shared: bool,
}

impl Mistake {
    /// The mistake of the first of these sessions, and of so many others.
    pub fn of(&self, name: &str, others: usize) -> ConfigError {
        let Self { place, reason, is_shared } = self;
        let reason = match others {
            0 if !is_shared => reason.clone(),
            0 => format!("session {name}: {reason}"),
            1 => format!("session {name} and another one: {reason}"),
            _ => format!("session {name} and {others} others: {reason}"),
        };
        place.error(Problem::Contradiction { reason })
    }
}

/// Mistakes in the order in which they were found, each once.
#[derive(Debug, Default)]
pub struct Mistakes {
    /// With the first session that has it, and how many others do.
    all: Vec<(Mistake, String, usize)>,
    known: HashMap<Mistake, usize>,
}

impl Mistakes {
    /// A session has this one.
    pub fn note(&mut self, mistake: Mistake, session: &str) {
        match self.known.entry(mistake) {
            Entry::Occupied(known) => {
                if let Some((.., others)) = self.all.get_mut(*known.get()) {
                    *others += 1;
                }
            }
            Entry::Vacant(vacant) => {
                self.all.push((vacant.key().clone(), session.to_owned(), 0));
                vacant.insert(self.all.len() - 1);
            }
        }
    }

    /// Where each stands, and what to say.
    pub fn told(&self) -> impl Iterator<Item = (&Place, ConfigError)> {
        let told =
            |(mistake, session, others): &(Mistake, String, usize)| mistake.of(session, *others);
        self.all.iter().map(move |it| (&it.0.place, told(it)))
    }

    /// Reports them in the document where they stand.
    pub(super) fn report(&self, section: &Section<'_>) {
        self.told().for_each(|(place, error)| section.report(place, error.problem));
    }
}
