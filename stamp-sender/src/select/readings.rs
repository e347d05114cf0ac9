//! What an answer says of sessions, and who measures which list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use stamp_metrics::catalogue::{POLICY_LIST, is_own_label};
use stamp_metrics::policy::ListWords;

use super::answer::{Answer, Sample};
use super::query::READING;
use super::reading::Reading;
use crate::paths::Listed;

/// What Prometheus knows at one moment.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// That moment, by its clock, in seconds since 1970.
    pub at: f64,
    /// By name, and by whoever tells it.
    sessions: BTreeMap<String, BTreeMap<Reporter, Reading>>,
    /// Sessions that measure a list, by its policy, its candidate path and what it is.
    lists: BTreeMap<(String, String, ListWords), BTreeSet<String>>,
}

/// A sender, by the labels that Prometheus has given it.
type Reporter = String;

/// Why nothing is known of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Silence {
    /// No sender says that it measures it.
    Unlisted,
    /// There are no series of its session.
    Missing(String),
    /// Its session waits for something.
    Waits(String),
    /// Its values were scraped too long ago.
    Stale(String, Duration),
    /// Several senders measure it, and nobody knows which of them is right.
    Twice(String, Vec<Reporter>),
}

impl Silence {
    /// Its name in metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Unlisted | Self::Missing(_) => "missing",
            Self::Waits(_) => "waiting",
            Self::Stale(..) => "stale",
            Self::Twice(..) => "twice",
        }
    }

    /// It is the same but for how long.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Stale(one, _), Self::Stale(other, _)) => one == other,
            _ => self == other,
        }
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted => f.write_str("no sender says that it measures this list"),
            Self::Missing(session) => write!(f, "no series of session {session}"),
            Self::Waits(session) => write!(f, "session {session} is not running"),
            Self::Stale(session, age) => {
                write!(f, "session {session} was scraped {} s ago", age.as_secs())
            }
            Self::Twice(session, reporters) => {
                write!(f, "session {session} is told by several senders: ")?;
                f.write_str(&reporters.join(" and "))
            }
        }
    }
}

impl Readings {
    /// Of an answer.
    pub fn of(answer: &Answer) -> Self {
        let mut readings = Self { at: answer.at, ..Self::default() };
        for sample in &answer.samples {
            readings.add(sample);
        }
        readings
    }

    fn add(&mut self, sample: &Sample) {
        if sample.label("__name__") == POLICY_LIST.name {
            let own = |name: &str| sample.label(name).to_owned();
            let words = ListWords { segments: own("segments"), imposed: own("imposed") };
            let key = (own("policy"), own("candidate"), words);
            self.lists.entry(key).or_default().insert(own("segment_list"));
            return;
        }
        let reporters = self.sessions.entry(sample.label("session").to_owned()).or_default();
        reporters.entry(reporter(sample)).or_default().take(sample);
    }

    /// What is known of a list, over each of its equal paths. The session that measures it may be called
    /// otherwise, where its sender has computed other lists before.
    ///
    /// # Errors
    ///
    /// Why nothing is.
    pub fn of_list(
        &self,
        list: &Listed,
        stale_after: Duration,
    ) -> Result<Vec<(&str, &Reading)>, Silence> {
        let key = (list.policy.clone(), list.candidate.clone(), list.words.clone());
        let sessions = self.lists.get(&key).ok_or(Silence::Unlisted)?;
        let session = sessions.get(&list.name).or(sessions.last()).ok_or(Silence::Unlisted)?;
        // Sessions over equal paths are called after it, with something behind.
        let is_branch = |other: &str| {
            let rest = other.strip_prefix(session.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let behind = self.sessions.range(session.clone()..);
        let behind = behind.take_while(|(other, _)| other.starts_with(session.as_str()));
        let found = behind.filter(|(other, _)| is_branch(other));
        let mut branches = Vec::new();
        for (branch, reporters) in found {
            branches.push((branch.as_str(), self.trusted(branch, reporters, stale_after)?));
        }
        if branches.is_empty() {
            return Err(Silence::Missing(session.clone()));
        }
        Ok(branches)
    }

    /// What the one sender says that runs a session.
    fn trusted<'r>(
        &self,
        session: &str,
        reporters: &'r BTreeMap<Reporter, Reading>,
        stale_after: Duration,
    ) -> Result<&'r Reading, Silence> {
        let session = session.to_owned();
        let running: Vec<_> = reporters.iter().filter(|(_, it)| it.is_running()).collect();
        match running.as_slice() {
            [] => Err(Silence::Waits(session)),
            [(_, reading)] => {
                let age = reading.scraped().map(|scraped| seconds(self.at - scraped));
                match age {
                    Some(age) if age <= stale_after => Ok(reading),
                    Some(age) => Err(Silence::Stale(session, age)),
                    None => Err(Silence::Missing(session)),
                }
            }
            several => {
                let who = several.iter().map(|(reporter, _)| (*reporter).clone());
                Err(Silence::Twice(session, who.collect()))
            }
        }
    }
}

/// Who tells a sample.
fn reporter(sample: &Sample) -> Reporter {
    let is_foreign = |name: &str| !(name == "__name__" || name == READING || is_own_label(name));
    let foreign = sample.labels.iter().filter(|(name, _)| is_foreign(name));
    let words: Vec<String> = foreign.map(|(name, value)| format!("{name}={value:?}")).collect();
    words.join(",")
}

/// So many seconds; none where it is less than none.
pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
}
