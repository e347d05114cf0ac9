//! What a candidate path may not do whatever is measured of it.

use crate::class::{Avoid, Class, Shared, Touched, Trespass};
use crate::compute::Disjointness;
use crate::policy::{CandidateFlaw, CandidateId};
use crate::topology::Topology;

use super::Decision;

/// Why a candidate path may not be used, whatever is measured of it.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Forbidden {
    #[error("it is invalid: {0}")]
    Invalid(#[from] CandidateFlaw),
    #[error("its packets can touch {0}")]
    Trespass(#[from] Trespass),
    #[error("nobody can prove what its packets touch")]
    Unproven,
    #[error("it shares {shared} with class {class}")]
    Shared { shared: Shared, class: String },
    #[error("it is not there any more")]
    Gone,
}

impl Forbidden {
    /// Its name in metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Trespass(_) => "trespass",
            Self::Unproven => "unproven",
            Self::Shared { .. } => "shared",
            Self::Gone => "gone",
        }
    }
}

/// What holds for a candidate path before anything is measured.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Admission {
    /// Why it may not be used.
    pub forbidden: Option<Forbidden>,
    /// What of it is about to be taken away.
    pub drained: Option<Shared>,
}

/// Judges a valid candidate path by everything its packets can touch; none where the walk of one of
/// its lists does not end. `others` are the classes it stays apart from, with what their paths in use
/// touch.
///
/// A class that avoids nothing and stays apart from nobody needs no proof.
#[must_use]
pub fn admit(
    topology: &Topology,
    class: &Class,
    touched: Option<&Touched>,
    others: &[(&str, &Touched)],
) -> Admission {
    let Some(touched) = touched else {
        let needs_proof = class.avoid != Avoid::default() || class.apart.is_some();
        return Admission { forbidden: needs_proof.then_some(Forbidden::Unproven), drained: None };
    };
    let trespass = class.avoid.trespass(topology, touched).map(Forbidden::Trespass);
    let shared = || {
        let apart = class.apart.as_ref()?;
        let mut watched =
            others.iter().filter(|(name, _)| apart.classes.iter().any(|it| it == name));
        watched.find_map(|(name, other)| {
            let shared = touched.shared(other, apart.by, topology)?;
            Some(Forbidden::Shared { shared, class: (*name).to_owned() })
        })
    };
    Admission { forbidden: trespass.or_else(shared), drained: touched.drained(topology) }
}

/// The candidate path that stands by: the best eligible one that shares nothing of this kind with the
/// one in use. None leaves traffic without protection.
#[must_use]
pub fn standby(
    topology: &Topology,
    by: Disjointness,
    decision: &Decision,
    touched: impl Fn(CandidateId) -> Option<Touched>,
) -> Option<CandidateId> {
    let active = decision.active?;
    let path = touched(active)?;
    let is_apart = |id| touched(id).is_some_and(|it| it.shared(&path, by, topology).is_none());
    let eligible =
        decision.candidates.iter().filter(|it| it.eligibility.is_good() && it.id != active);
    let best = eligible.filter(|candidate| is_apart(candidate.id));
    best.max_by_key(|it| (it.eligibility.tier(), it.preference, it.worth(false))).map(|it| it.id)
}
