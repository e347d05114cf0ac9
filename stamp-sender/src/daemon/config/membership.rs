//! `policy`, `candidate`, `preference` and `weight`: the policy that a session measures a segment list of.

use std::collections::BTreeMap;

use stamp_config::document::{Problem, Section};
use stamp_config::{Form, Setting};

use super::session::Name;

/// Preference and weight unless told otherwise.
const PREFERENCE: u32 = 100;
const WEIGHT: u32 = 1;

/// What is written of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct PolicyKeys {
    policy: Option<String>,
    candidate: Option<String>,
    preference: Option<u32>,
    weight: Option<u32>,
}

/// Which part of which policy a session measures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Membership {
    /// Name of the policy.
    pub policy: String,
    /// Name of the candidate path, if it has one.
    candidate: Option<String>,
    /// Preference of the candidate path.
    pub preference: u32,
    /// Share of its traffic that the segment list gets.
    pub weight: u32,
}

impl Membership {
    /// Of the session of a list.
    pub fn of(policy: &str, candidate: &str, preference: u32, weight: u32) -> Self {
        let (policy, candidate) = (policy.to_owned(), Some(candidate.to_owned()));
        Self { policy, candidate, preference, weight }
    }

    /// Name of the candidate path.
    pub fn candidate(&self) -> String {
        self.candidate.clone().unwrap_or_else(|| format!("preference-{}", self.preference))
    }

    /// In the form of the file.
    pub(super) fn show(&self) -> String {
        format!(
            "policy = {:?}\ncandidate = {:?}\npreference = {}\nweight = {}\n",
            self.policy,
            self.candidate(),
            self.preference,
            self.weight
        )
    }
}

/// A number of 32 bits that is not zero.
struct Share(u32);

impl Setting for Share {
    const EXPECTED: &'static str = "a number from 1 to 4294967295";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|share| *share > 0).map(Self)
    }
}

/// A number of 32 bits.
struct Preference(u32);

impl Setting for Preference {
    const EXPECTED: &'static str = "a number from 0 to 4294967295";
    const FORM: Form = Form::Number;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl PolicyKeys {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let name = |key| section.get(key).map(|name: Name| name.0);
        Self {
            policy: name("policy"),
            candidate: name("candidate"),
            preference: section.get("preference").map(|it: Preference| it.0),
            weight: section.get("weight").map(|it: Share| it.0),
        }
    }

    /// This, and where it says nothing what `others` say.
    pub(super) fn over(self, others: &Self) -> Self {
        Self {
            policy: self.policy.or_else(|| others.policy.clone()),
            candidate: self.candidate.or_else(|| others.candidate.clone()),
            preference: self.preference.or(others.preference),
            weight: self.weight.or(others.weight),
        }
    }

    /// Of a session whose `section` says so.
    pub(super) fn membership(self, section: &Section<'_>) -> Option<Membership> {
        let Some(policy) = self.policy else {
            if let Some(key) =
                ["candidate", "preference", "weight"].iter().find(|key| section.has(key))
            {
                let reason = "no policy that it is a part of".to_owned();
                section.problem(key, Problem::Contradiction { reason });
            }
            return None;
        };
        Some(Membership {
            policy,
            candidate: self.candidate,
            preference: self.preference.unwrap_or(PREFERENCE),
            weight: self.weight.unwrap_or(WEIGHT),
        })
    }
}

/// Candidates by policy and name, with the preference of each.
#[derive(Debug, Default)]
pub(super) struct Candidates(BTreeMap<(String, String), u32>);

impl Candidates {
    /// Enters another part; why it contradicts one before.
    pub(super) fn enter(&mut self, membership: &Membership) -> Result<(), String> {
        let key = (membership.policy.clone(), membership.candidate());
        let preference = membership.preference;
        let known = *self.0.entry(key.clone()).or_insert(preference);
        if known == preference {
            return Ok(());
        }
        Err(format!("candidate {} has preference {known} at another session", key.1))
    }
}
