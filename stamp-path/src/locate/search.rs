//! Which hypothesis explains best what was observed.

mod chances;
mod member;

use std::collections::BTreeMap;

use super::incidence::Incidence;
use super::symptom::Symptom;
use super::{Assumptions, Cause, Located, Observation, Suspect};
use crate::topology::{LinkId, Topology};
use chances::{Alone, Chances, Fault};

/// Single causes, the best of them, that are looked at together with each other one.
const BEAM: usize = 8;
/// Explanations whose logarithms of chance differ by no more are the same.
const ALIKE: f64 = 1e-6;
/// A suspect that is less likely is not worth naming.
const LEAST_CONFIDENCE: f64 = 0.02;

/// A set of classes of causes.
#[derive(Clone, Debug)]
struct Hypothesis {
    faults: Vec<Fault>,
    /// Logarithm of its chance, against that of the hypothesis that nothing is wrong.
    score: f64,
}

/// Weighs all hypotheses.
pub(super) fn search<S: Symptom>(
    topology: &Topology,
    incidence: &Incidence,
    observations: &[Observation],
    (symptom, assumptions): (&S, &Assumptions),
) -> Located {
    let chances = Chances::new(incidence, observations, (symptom, assumptions));
    let mut located = Located {
        bad: chances.bad(),
        unwatched: incidence.unwatched.clone(),
        ..Located::default()
    };
    let priors: Vec<f64> = (incidence.classes.iter())
        .map(|class| class.causes.iter().map(|cause| cause.prior(assumptions)).sum::<f64>().ln())
        .collect();
    let singles = singles(&chances, &priors);
    let hypotheses = hypotheses(&chances, &priors, &singles);
    let best = hypotheses.iter().max_by(|one, other| one.score.total_cmp(&other.score));
    let Some(best) = best.cloned() else { return located };
    let suspects = Suspects { incidence, assumptions, singles, hypotheses: &hypotheses };
    let member = |suspect: Suspect| Suspect {
        member: member::of(topology, observations, &suspect.causes),
        ..suspect
    };
    located.suspects = best.faults.iter().map(|fault| member(suspects.of(*fault))).collect();
    located.others = suspects.others(&best.faults).into_iter().map(member).collect();
    located.confidence = (best.score - total(&hypotheses)).exp();
    located.links = links(incidence, &hypotheses, assumptions);
    located.unexplained = chances.unexplained(&best.faults);
    located
}

/// Classes and what is known of them.
struct Suspects<'a> {
    incidence: &'a Incidence,
    assumptions: &'a Assumptions,
    singles: Vec<Alone>,
    hypotheses: &'a [Hypothesis],
}

impl Suspects<'_> {
    /// Classes that explain exactly as much: which of equal links a flow takes nobody knows, so that flows
    /// alone do not tell these apart.
    fn alike(&self, class: usize) -> Vec<usize> {
        let gain = |class: usize| {
            let of = self.singles.iter().find(|alone| alone.fault.class == class);
            of.map(|alone| alone.gain)
        };
        let Some(own) = gain(class) else { return vec![class] };
        let classes = self.singles.iter().map(|alone| alone.fault.class);
        classes.filter(|other| gain(*other).is_some_and(|it| (it - own).abs() < ALIKE)).collect()
    }

    fn of(&self, fault: Fault) -> Suspect {
        let alike = self.alike(fault.class);
        let prior = |cause: &Cause| cause.prior(self.assumptions);
        let causes = alike.iter().flat_map(|class| &self.incidence.classes[*class].causes);
        let mut causes: Vec<Cause> = causes.copied().collect();
        causes.sort_by(|one, other| prior(other).total_cmp(&prior(one)).then(one.cmp(other)));
        let total = total(self.hypotheses);
        let has_one = |one: &&Hypothesis| one.faults.iter().any(|it| alike.contains(&it.class));
        let confidence = self.hypotheses.iter().filter(has_one);
        let confidence = confidence.map(|one| (one.score - total).exp()).sum();
        Suspect { causes, confidence, severity: fault.severity, member: None }
    }

    /// What else may be at fault, the most likely first.
    fn others(&self, named: &[Fault]) -> Vec<Suspect> {
        let mut told: Vec<usize> = named.iter().flat_map(|fault| self.alike(fault.class)).collect();
        let mut others = Vec::new();
        for alone in &self.singles {
            if !told.contains(&alone.fault.class) {
                told.extend(self.alike(alone.fault.class));
                others.push(self.of(alone.fault));
            }
        }
        others.retain(|suspect| suspect.confidence >= LEAST_CONFIDENCE);
        others.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
        others
    }
}

/// Each class alone, the most likely first.
fn singles<S: Symptom>(chances: &Chances<'_, S>, priors: &[f64]) -> Vec<Alone> {
    let score = |alone: &Alone| priors[alone.fault.class] + alone.gain;
    let mut singles: Vec<Alone> =
        (0..priors.len()).filter_map(|class| chances.alone(class)).collect();
    singles.sort_by(|one, other| score(other).total_cmp(&score(one)));
    singles
}

/// Nothing, each class alone, and the best ones together with each other.
fn hypotheses<S: Symptom>(
    chances: &Chances<'_, S>,
    priors: &[f64],
    singles: &[Alone],
) -> Vec<Hypothesis> {
    let mut hypotheses = vec![Hypothesis { faults: Vec::new(), score: 0.0 }];
    for (place, one) in singles.iter().take(BEAM).enumerate() {
        for other in singles.iter().skip(place + 1) {
            let (faults, gain) = chances.together(one, other);
            let prior = priors[one.fault.class] + priors[other.fault.class];
            hypotheses.push(Hypothesis { faults: faults.to_vec(), score: prior + gain });
        }
    }
    hypotheses.extend(singles.iter().map(|alone| Hypothesis {
        faults: vec![alone.fault],
        score: priors[alone.fault.class] + alone.gain,
    }));
    hypotheses
}

/// Logarithm of the chance of all together.
fn total(hypotheses: &[Hypothesis]) -> f64 {
    hypotheses.iter().map(|one| one.score).fold(f64::NEG_INFINITY, log_sum)
}

/// For each link how likely it is at fault: causes of a class share its chance by what they are worth.
fn links(
    incidence: &Incidence,
    hypotheses: &[Hypothesis],
    assumptions: &Assumptions,
) -> Vec<(LinkId, f64)> {
    let total = total(hypotheses);
    let mut links: BTreeMap<LinkId, f64> = BTreeMap::new();
    for hypothesis in hypotheses {
        // Both of two faults may be of one link.
        let mut unhurt: BTreeMap<LinkId, f64> = BTreeMap::new();
        for fault in &hypothesis.faults {
            let causes = &incidence.classes[fault.class].causes;
            let all: f64 = causes.iter().map(|cause| cause.prior(assumptions)).sum();
            let mut hurt: BTreeMap<LinkId, f64> = BTreeMap::new();
            for cause in causes {
                let link = match cause {
                    Cause::Link(link) => *link,
                    Cause::Direction(hop) => hop.link,
                    Cause::Node(_) | Cause::Tunnel(_) => continue,
                };
                *hurt.entry(link).or_default() += cause.prior(assumptions) / all;
            }
            for (link, share) in hurt {
                *unhurt.entry(link).or_insert(1.0) *= 1.0 - share;
            }
        }
        for (link, share) in unhurt {
            *links.entry(link).or_default() += (1.0 - share) * (hypothesis.score - total).exp();
        }
    }
    let mut links: Vec<(LinkId, f64)> =
        links.into_iter().filter(|(_, share)| *share >= LEAST_CONFIDENCE).collect();
    links.sort_by(|one, other| other.1.total_cmp(&one.1));
    links
}

/// Logarithm of the sum of what both are the logarithms of.
fn log_sum(one: f64, other: f64) -> f64 {
    let (less, more) = if one < other { (one, other) } else { (other, one) };
    if less == f64::NEG_INFINITY { more } else { more + (less - more).exp().ln_1p() }
}
