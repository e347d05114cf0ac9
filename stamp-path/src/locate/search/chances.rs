//! How likely what was observed is under a hypothesis.

use std::collections::BTreeMap;

use super::log_sum;
use crate::locate::Assumptions;
use crate::locate::incidence::{Class, Incidence, Leg, Ways, is_in};
use crate::locate::observation::{Observation, Parts};
use crate::locate::symptom::Symptom;

/// How many values are tried for how bad a cause is, beside the mean of all.
const SEVERITIES: usize = 6;
/// How many of them, the most likely ones, are tried of each of two classes at once.
const SHADES: usize = 3;

/// A class of causes that is at fault, and how badly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) class: usize,
    pub(super) severity: f64,
}

/// A class of causes that is at fault alone.
#[derive(Clone, Debug)]
pub(super) struct Alone {
    /// As it most likely is.
    pub(super) fault: Fault,
    /// By how much that makes everything more likely, as a logarithm.
    pub(super) gain: f64,
    /// For each way it may be bad, the most likely first.
    shades: Vec<Shade>,
}

/// One way a class may be bad.
#[derive(Clone, Debug)]
struct Shade {
    severity: f64,
    gain: f64,
    /// By observation that meets it.
    gains: BTreeMap<usize, f64>,
}

impl Alone {
    fn places(&self) -> impl Iterator<Item = usize> {
        self.shades.first().into_iter().flat_map(|shade| shade.gains.keys().copied())
    }

    fn met(&self) -> usize {
        self.shades.first().map_or(0, |shade| shade.gains.len())
    }

    fn meets(&self, place: usize) -> bool {
        self.shades.first().is_some_and(|shade| shade.gains.contains_key(&place))
    }
}

/// Ways of an observation that meet the same of the classes at fault: a bit for each.
#[derive(Clone, Copy, Debug)]
struct Group {
    met: u32,
    leg: Leg,
}

/// Groups in both directions, chosen apart or together.
enum Groups {
    Apart([Vec<Group>; 2]),
    Loop(Vec<[Group; 2]>),
}

/// All observations, ready to be asked for.
pub(super) struct Chances<'a, S: Symptom> {
    incidence: &'a Incidence,
    symptom: &'a S,
    own_trouble: f64,
    parts: Vec<Parts<S::Reading>>,
    /// By observation: the chance of its value where it has a trouble of its own.
    own: Vec<f64>,
    /// By observation: its chance where nothing is wrong.
    sound: Vec<f64>,
    /// By class: how bad it may be.
    severities: Vec<Vec<f64>>,
}

impl<'a, S: Symptom> Chances<'a, S> {
    pub(super) fn new(
        incidence: &'a Incidence,
        observations: &[Observation],
        (symptom, assumptions): (&'a S, &Assumptions),
    ) -> Self {
        let parts = observations.iter().map(|it| symptom.readings(it).parts()).collect();
        let own_trouble = assumptions.own_trouble;
        let mut chances = Self {
            incidence,
            symptom,
            own_trouble,
            parts,
            own: Vec::new(),
            sound: Vec::new(),
            severities: Vec::new(),
        };
        let all = 0..observations.len();
        chances.own = all.clone().map(|place| own_trouble.ln() + chances.of_any(place)).collect();
        chances.sound = all.map(|place| chances.chance(place, &[], &[])).collect();
        chances.severities =
            incidence.classes.iter().map(|class| chances.severities(class)).collect();
        chances
    }

    /// Observations that show something wrong: more likely of their own than of a sound network.
    pub(super) fn bad(&self) -> Vec<usize> {
        self.unexplained(&[])
    }

    /// Observations that are more likely of their own than by these faults.
    pub(super) fn unexplained(&self, faults: &[Fault]) -> Vec<usize> {
        let classes: Vec<usize> = faults.iter().map(|fault| fault.class).collect();
        let severities: Vec<f64> = faults.iter().map(|fault| fault.severity).collect();
        let is_own = |place: &usize| {
            let network = self.by_network(*place, &self.groups(*place, &classes), &severities);
            self.own[*place] > (-self.own_trouble).ln_1p() + network
        };
        (0..self.parts.len()).filter(is_own).collect()
    }

    /// By how much a class at fault makes everything more likely, for each way it may be bad. None where it
    /// meets nothing that is wrong.
    pub(super) fn alone(&self, class: usize) -> Option<Alone> {
        let severities = &self.severities[class];
        let met = self.incidence.classes[class].met.keys();
        let groups: Vec<(usize, Groups)> =
            met.map(|place| (*place, self.groups(*place, &[class]))).collect();
        let of = |severity: &f64| {
            let gains = groups.iter().map(|(place, groups)| {
                let network = self.by_network(*place, groups, &[*severity]);
                (*place, self.with_own(*place, network) - self.sound[*place])
            });
            let gains: BTreeMap<usize, f64> = gains.collect();
            Shade { severity: *severity, gain: gains.values().sum(), gains }
        };
        let mut shades: Vec<Shade> = severities.iter().map(of).collect();
        shades.sort_by(|one, other| other.gain.total_cmp(&one.gain));
        let first = shades.first()?;
        let fault = Fault { class, severity: first.severity };
        let gain = log_mean_of(shades.iter().map(|shade| shade.gain));
        Some(Alone { fault, gain, shades })
    }

    /// The same of two classes at once. What only one of them meets is as it is when that is alone.
    pub(super) fn together(&self, one: &Alone, other: &Alone) -> ([Fault; 2], f64) {
        let classes = [one.fault.class, other.fault.class];
        let (few, many) = if one.met() < other.met() { (one, other) } else { (other, one) };
        let shared = few.places().filter(|place| many.meets(*place));
        let shared: Vec<(usize, Groups)> =
            shared.map(|place| (place, self.groups(place, &classes))).collect();
        let (mut best, mut gains) = (([one.fault, other.fault], f64::NEG_INFINITY), Vec::new());
        for first in one.shades.iter().take(SHADES) {
            for second in other.shades.iter().take(SHADES) {
                let severities = [first.severity, second.severity];
                let mut gain = first.gain + second.gain;
                for (place, groups) in &shared {
                    let network = self.by_network(*place, groups, &severities);
                    gain += self.with_own(*place, network) - self.sound[*place];
                    gain -= first.gains[place] + second.gains[place];
                }
                gains.push(gain);
                if gain > best.1 {
                    let fault =
                        |place: usize| Fault { class: classes[place], severity: severities[place] };
                    best = ([fault(0), fault(1)], gain);
                }
            }
        }
        (best.0, log_mean_of(gains.into_iter()))
    }

    /// A handful of values that would explain what is seen where a class is met: on each way that meets it,
    /// what is beyond the usual of that way.
    fn severities(&self, class: &Class) -> Vec<f64> {
        let mut found = Vec::new();
        for (place, met) in &class.met {
            let legs = &self.incidence.legs[*place];
            let [there, back] = [(&legs.there, &met[0]), (&legs.back, &met[1])]
                .map(|(legs, met)| expected_where(legs, |way| is_in(met, way)));
            match self.parts[*place] {
                Parts::Each(forward, backward) => {
                    for (reading, expected) in [(forward, &there), (backward, &back)] {
                        let severity = |expected: &f64| self.symptom.severity(reading?, *expected);
                        found.extend(expected.iter().filter_map(severity));
                    }
                }
                Parts::Both(reading) => {
                    let any = |legs: &[Leg]| expected_where(legs, |_| true);
                    let (any_there, any_back) = (any(&legs.there), any(&legs.back));
                    let there = if there.is_empty() { &any_there } else { &there };
                    let back = if back.is_empty() { &any_back } else { &back };
                    for expected in there.iter().flat_map(|there| {
                        let back = if back.is_empty() { &[0.0][..] } else { back };
                        back.iter().map(move |back| there + back)
                    }) {
                        if let Some(whole) = self.symptom.severity(reading, expected) {
                            found.extend([whole, self.symptom.half(whole)]);
                        }
                    }
                }
            }
        }
        typical(found, |one, other| self.symptom.are_near(one, other))
    }

    fn chance(&self, place: usize, classes: &[usize], severities: &[f64]) -> f64 {
        self.with_own(place, self.by_network(place, &self.groups(place, classes), severities))
    }

    /// The chance of an observation, which may also have a trouble of its own.
    fn with_own(&self, place: usize, network: f64) -> f64 {
        log_sum((-self.own_trouble).ln_1p() + network, self.own[place])
    }

    /// The chance of any value, against that of what the network does without its constant.
    fn of_any(&self, place: usize) -> f64 {
        let of = |reading| self.symptom.log_chance_of_any(reading) - self.symptom.constant(reading);
        match self.parts[place] {
            Parts::Each(forward, backward) => {
                [forward, backward].into_iter().flatten().map(of).sum()
            }
            Parts::Both(reading) => of(reading),
        }
    }

    /// The ways of an observation, those that meet the same taken together.
    fn groups(&self, place: usize, classes: &[usize]) -> Groups {
        let masks: Vec<Option<&[Ways; 2]>> =
            classes.iter().map(|class| self.incidence.classes[*class].met.get(&place)).collect();
        let met = |direction: usize, way: usize| {
            let is_on = |(bit, mask): (usize, &Option<&[Ways; 2]>)| {
                u32::from(mask.is_some_and(|mask| is_in(&mask[direction], way))) << bit
            };
            masks.iter().enumerate().map(is_on).sum()
        };
        let legs = &self.incidence.legs[place];
        let group = |direction| {
            move |(way, leg): (usize, &Leg)| Group { met: met(direction, way), leg: *leg }
        };
        let each = [(0, &legs.there), (1, &legs.back)]
            .map(|(direction, legs)| legs.iter().enumerate().map(group(direction)));
        let [there, back] = each;
        if !legs.is_loop {
            return Groups::Apart([merged(there), merged(back)]);
        }
        let mut pairs: Vec<[Group; 2]> = Vec::new();
        for pair in there.zip(back).map(|(there, back)| [there, back]) {
            let same = |known: &&mut [Group; 2]| {
                known.iter().zip(&pair).all(|(one, other)| one.is_like(other))
            };
            match pairs.iter_mut().find(same) {
                Some([known, _]) => known.leg.chance += pair[0].leg.chance,
                None => pairs.push(pair),
            }
        }
        Groups::Loop(pairs)
    }

    /// The chance of an observation by what the network does.
    fn by_network(&self, place: usize, groups: &Groups, severities: &[f64]) -> f64 {
        let severity = |group: &Group| {
            let hurt = severities.iter().enumerate().filter(|(bit, _)| group.met >> bit & 1 == 1);
            hurt.fold(self.symptom.sound(), |sum, (_, one)| self.symptom.both(sum, *one))
        };
        let one = |reading: S::Reading, group: &Group| {
            self.symptom.log_chance(reading, severity(group), group.leg.expected)
        };
        let both = |reading: S::Reading, there: &Group, back: &Group| {
            let severity = self.symptom.both(severity(there), severity(back));
            self.symptom.log_chance(reading, severity, there.leg.expected + back.leg.expected)
        };
        let mean = |groups: &[Group], reading: Option<S::Reading>| {
            let Some(reading) = reading.filter(|_| !groups.is_empty()) else { return 0.0 };
            log_mean(groups.iter().map(|group| (group.leg.chance, one(reading, group))))
        };
        match (groups, self.parts[place]) {
            (Groups::Apart([there, back]), Parts::Each(forward, backward)) => {
                mean(there, forward) + mean(back, backward)
            }
            (Groups::Apart([there, back]), Parts::Both(reading)) => {
                let nowhere = [Group { met: 0, leg: Leg { chance: 1.0, expected: 0.0 } }];
                let back = if back.is_empty() { &nowhere[..] } else { back };
                log_mean(there.iter().flat_map(|there| {
                    back.iter().map(move |back| {
                        (there.leg.chance * back.leg.chance, both(reading, there, back))
                    })
                }))
            }
            (Groups::Loop(pairs), parts) => log_mean(pairs.iter().map(|[there, back]| {
                let chance = match parts {
                    Parts::Each(forward, backward) => {
                        forward.map_or(0.0, |reading| one(reading, there))
                            + backward.map_or(0.0, |reading| one(reading, back))
                    }
                    Parts::Both(reading) => both(reading, there, back),
                };
                (there.leg.chance, chance)
            })),
        }
    }
}

impl Group {
    /// Nothing differs but how likely it is.
    fn is_like(&self, other: &Self) -> bool {
        self.met == other.met && (self.leg.expected - other.leg.expected).abs() < 1.0
    }
}

fn merged(groups: impl Iterator<Item = Group>) -> Vec<Group> {
    let mut merged: Vec<Group> = Vec::new();
    for group in groups {
        match merged.iter_mut().find(|known| known.is_like(&group)) {
            Some(known) => known.leg.chance += group.leg.chance,
            None => merged.push(group),
        }
    }
    merged
}

/// What is usual on the ways of that kind, each value once.
fn expected_where(legs: &[Leg], is_meant: impl Fn(usize) -> bool) -> Vec<f64> {
    let meant = legs.iter().enumerate().filter(|(way, _)| is_meant(*way));
    let mut expected: Vec<f64> = meant.map(|(_, leg)| leg.expected).collect();
    expected.sort_by(f64::total_cmp);
    expected.dedup();
    expected
}

/// The mean of all, and means of those that are near each other: the smallest, the largest and some between.
fn typical(mut found: Vec<f64>, are_near: impl Fn(f64, f64) -> bool) -> Vec<f64> {
    found.sort_by(f64::total_cmp);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut near: Vec<Vec<f64>> = Vec::new();
    for value in &found {
        match near.last_mut() {
            Some(group) if are_near(group[0], *value) => group.push(*value),
            _ => near.push(vec![*value]),
        }
    }
    let mut means: Vec<f64> = near.iter().map(|group| mean(group)).collect();
    if means.len() > SEVERITIES {
        let last = means.len() - 1;
        means = (0..SEVERITIES).map(|place| means[place * last / (SEVERITIES - 1)]).collect();
    }
    if means.len() > 1 {
        means.push(mean(&found));
    }
    means
}

/// Logarithm of the mean of what these are the logarithms of.
fn log_mean_of(logarithms: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = logarithms.len() as f64;
    logarithms.fold(f64::NEG_INFINITY, log_sum) - count.ln()
}

/// Logarithm of the mean of chances by their weights.
fn log_mean(chances: impl Iterator<Item = (f64, f64)>) -> f64 {
    chances.map(|(weight, chance)| weight.ln() + chance).fold(f64::NEG_INFINITY, log_sum)
}
