//! Policies of a sender: what it hands in and what is made of it.

use stamp_proto::time::{TimeDelta, WallTime};
use stamp_session::policy::{PathState, PathSummary};

use crate::catalogue::*;
use crate::exposition::{Family, Of, Samples};
use crate::sender::{Session, Shared};

/// A policy at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyView {
    /// Its name.
    pub name: String,
    /// Of the candidate that carries traffic; where none can, of one that is down.
    pub summary: PathSummary,
    /// Its candidate paths, the best first.
    pub candidates: Vec<CandidateView>,
    /// When its state or its active candidate changed.
    pub since: Option<WallTime>,
    /// How often they did, by reason.
    pub changes: Vec<(&'static str, u64)>,
}

/// A candidate path at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidateView {
    /// Its name.
    pub name: String,
    /// Its preference.
    pub preference: u32,
    /// It carries traffic.
    pub is_active: bool,
    /// What its segment lists say together.
    pub summary: PathSummary,
    /// Its segment lists.
    pub lists: Vec<ListView>,
}

/// A segment list at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListView {
    /// The session that measures it.
    pub session: String,
    /// Its share of traffic.
    pub weight: u32,
    /// Its connectivity.
    pub state: PathState,
}

type Metrics = Family<Shared, Session>;

const fn policies(metric: &'static Metric, of: fn(&Shared, &mut Samples)) -> Metrics {
    Family::new(metric, Of::Program(of))
}

/// Their metrics.
pub(crate) const fn families() -> [Metrics; 8] {
    [
        policies(&POLICY_UP, |of, to| {
            each(of, |it| to.truth(&[&it.name], it.summary.state.is_up()));
        }),
        policies(&POLICY_DEGRADED, |of, to| {
            each(of, |it| to.truth(&[&it.name], it.summary.state == PathState::Degraded));
        }),
        policies(&POLICY_ACTIVE, |of, to| {
            candidates(of, |it, candidate| {
                to.truth(&[&it.name, &candidate.name], candidate.is_active);
            });
        }),
        policies(&POLICY_ELIGIBLE, |of, to| {
            candidates(of, |it, candidate| {
                to.truth(&[&it.name, &candidate.name], candidate.summary.state.is_up());
            });
        }),
        policies(&POLICY_WEIGHT, |of, to| {
            candidates(of, |it, candidate| {
                for list in &candidate.lists {
                    to.count(&[&it.name, &candidate.name, &list.session], list.weight.into());
                }
            });
        }),
        policies(&POLICY_DELAY, |of, to| {
            each(of, |it| {
                let seconds = |delay: Option<TimeDelta>| delay.map(|it| it.ns() as f64 / 1e9);
                to.some(&[&it.name, "lowest"], seconds(it.summary.lowest_delay));
                to.some(&[&it.name, "highest"], seconds(it.summary.highest_delay));
                to.some(&[&it.name, "weighted"], seconds(it.summary.weighted_delay));
            });
        }),
        policies(&POLICY_LOSS, |of, to| {
            each(of, |it| to.some(&[&it.name], it.summary.weighted_loss));
        }),
        policies(&POLICY_CHANGES, |of, to| {
            each(of, |it| {
                it.changes.iter().for_each(|(reason, count)| to.count(&[&it.name, reason], *count));
            });
        }),
    ]
}

fn each(of: &Shared, tell: impl FnMut(&PolicyView)) {
    of.policies().iter().for_each(tell);
}

fn candidates(of: &Shared, mut tell: impl FnMut(&PolicyView, &CandidateView)) {
    each(of, |policy| policy.candidates.iter().for_each(|candidate| tell(policy, candidate)));
}
