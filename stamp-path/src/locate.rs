//! Which link hurts: what in the network explains the loss or the delay that was measured.
//!
//! Each [`Observation`] is a session: the ways its packets can take there and back, each with its
//! chance, and what was measured of them. A [`Cause`] is what may be wrong: a link, one direction of it,
//! a node, a tunnel of which nothing is known. [`loss()`] and [`delay()`] weigh which causes, one or two at once, make what
//! was measured likely.
//!
//! # Method
//!
//! For each hypothesis, a set of at most two causes, the chance of everything that was measured is computed, and
//! by Bayes' rule the chance of the hypothesis follows from it.
//!
//! - A priori a cause is rare ([`Assumptions::rarity`]), a node rarer than a link and a direction of a
//!   link half as likely as the link; so two causes have to explain much more than one.
//! - How bad a cause is nobody knows. A handful of values is tried that were seen in observations which
//!   pass it, and the mean of their chances is taken.
//! - A session takes one of its ways and keeps to it, but nobody knows which: its chance is the mean over
//!   its ways, by their chances. That is how one of several equal links is found: only some of the flows that
//!   may pass it suffer.
//! - Losses are binomial. A thousand probes tell as much as more of them, for losses come in bunches. Delays
//!   lie around the sum of the links' with a spread (Laplace's distribution, which forgives outliers).
//! - Any session may suffer from something that is not in the network, such as a busy host
//!   ([`Assumptions::own_trouble`]): then its value may be any. No single session can make a hypothesis
//!   impossible.
//!
//! Causes that the same packets meet in all observations, or as many flows of which nobody knows which way they
//! take, cannot be told apart: they are one [`Suspect`].
//! [`fn@covering`] says which probes would tell them apart.

mod assumptions;
mod cause;
mod covering;
mod incidence;
mod located;
mod observation;
mod search;
mod symptom;
#[cfg(test)]
mod tests;

pub use assumptions::Assumptions;
pub use cause::Cause;
pub use covering::{Cover, Probe, ProbeList, covering};
pub use located::{Located, Member, Suspect};
pub use observation::{Course, Delay, Loss, Observation, Readings};

use crate::topology::Topology;
use incidence::Incidence;

/// What explains the loss that was observed.
#[must_use]
pub fn loss(
    topology: &Topology,
    observations: &[Observation],
    assumptions: &Assumptions,
) -> Located {
    let incidence = Incidence::of(topology, observations, |_| 0.0);
    let symptom = symptom::LossSymptom::new(assumptions);
    search::search(topology, &incidence, observations, (&symptom, assumptions))
}

/// What explains the delay that was observed, above that of the links of the topology or above what is
/// usual where an observation says it.
#[must_use]
pub fn delay(
    topology: &Topology,
    observations: &[Observation],
    assumptions: &Assumptions,
) -> Located {
    let delay = |hop: &crate::path::Hop| hop.direction(topology).delay.as_nanos() as f64;
    let incidence = Incidence::of(topology, observations, delay);
    let symptom = symptom::DelaySymptom::new(assumptions);
    search::search(topology, &incidence, observations, (&symptom, assumptions))
}
