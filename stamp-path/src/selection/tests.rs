//! What tests of selection share: a policy whose lists say what a test wants.

mod admission;
mod calm;
mod classes;
mod examples;
mod properties;
mod unknown;

use core::time::Duration;
use std::collections::BTreeMap;

use stamp_document::Setting;
use stamp_document::quantity::{Ratio, duration_with_unit};

use super::*;
use crate::class::{Class, Measure, Value};
use crate::policy::{CandidateId, Policies};

pub(super) fn class(keys: &str) -> Class {
    let text = format!("[class.c]\n{keys}\n");
    let read = Policies::read("c.toml", &text, None);
    read.unwrap_or_else(|errors| panic!("{errors}")).classes.remove(0)
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn id(number: u32) -> CandidateId {
    CandidateId { discriminator: number, ..CandidateId::default() }
}

/// A full window of synchronised clocks that is complete now; values are written as in a file.
pub(super) fn up(now: Duration, values: &[(&str, &str)]) -> Measured {
    let value = |(word, text): &(&str, &str)| {
        let measure = Measure::read(word).unwrap();
        let value = match duration_with_unit(text) {
            Some(delay) => Value::delay(delay),
            None => Value::Share(Ratio::read(text).unwrap()),
        };
        (measure, value)
    };
    Measured {
        state: ListState::Up,
        at: now,
        samples: 100,
        integrity: Ratio::read("100%").unwrap(),
        clock: ClockTrust { synchronized: true, error: None },
        values: values.iter().map(value).collect::<BTreeMap<_, _>>(),
    }
}

/// A selector and its candidates, each with one list named like it unless a test says otherwise.
pub(super) struct Scene {
    pub(super) selector: Selector,
    pub(super) now: Duration,
    pub(super) candidates: Vec<Candidate>,
}

impl Scene {
    /// Candidates 0, 1, … with these preferences.
    pub(super) fn new<const N: usize>(keys: &str, preferences: [u32; N]) -> Self {
        let candidate = |(number, preference): (u32, u32)| Candidate {
            id: id(number),
            preference,
            admission: Admission::default(),
            lists: vec![List {
                name: number.to_string(),
                weight: 1,
                is_replaced: false,
                measured: None,
            }],
        };
        let selector = Selector::new(class(keys), false);
        let candidates = (0..).zip(preferences).map(candidate).collect();
        Self { selector, now: secs(1000), candidates }
    }

    /// Forward p50 of each candidate, and of each of its lists the same.
    pub(super) fn measure<const N: usize>(&mut self, delays: [&str; N]) -> &mut Self {
        for (candidate, delay) in self.candidates.iter_mut().zip(delays) {
            for list in &mut candidate.lists {
                list.measured = Some(up(self.now, &[("forward-p50", delay)]));
            }
        }
        self
    }

    /// State of all lists of a candidate.
    pub(super) fn state(&mut self, number: usize, state: ListState) -> &mut Self {
        for list in &mut self.candidates[number].lists {
            let measured = list.measured.clone().unwrap_or_else(|| up(self.now, &[]));
            list.measured = Some(Measured { state, ..measured });
        }
        self
    }

    /// A window of a candidate ends now, in which clocks were right or not.
    pub(super) fn synchronized(&mut self, number: usize, is_synchronized: bool) -> &mut Self {
        let lists = self.candidates[number].lists.iter_mut();
        for measured in lists.filter_map(|list| list.measured.as_mut()) {
            measured.clock.synchronized = is_synchronized;
            measured.at = self.now;
        }
        self
    }

    /// Time passes, and every list has a new window that says what the one before said.
    pub(super) fn after(&mut self, seconds: u64) -> &mut Self {
        self.now += secs(seconds);
        let lists = self.candidates.iter_mut().flat_map(|candidate| &mut candidate.lists);
        for measured in lists.filter_map(|list| list.measured.as_mut()) {
            measured.at = self.now;
        }
        self
    }

    pub(super) fn decide(&mut self) -> Decision {
        self.selector.decide(self.now, &self.candidates)
    }

    /// Number of the candidate in use after a decision, and why it changed.
    pub(super) fn step(&mut self) -> (Option<u32>, Option<ChangeReason>) {
        let decision = self.decide();
        let active = decision.active.map(|id| id.discriminator);
        (active, decision.change.map(|change| change.reason))
    }
}

/// Lists that carry, with their weights.
pub(super) fn carrying(decision: &Decision) -> Vec<(&str, u32)> {
    decision.shares.iter().map(|share| (share.list.as_str(), share.weight)).collect()
}
