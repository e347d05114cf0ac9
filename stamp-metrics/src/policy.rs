//! Policies of a sender: what it hands in and what is made of it.

use std::net::IpAddr;

use stamp_proto::time::{TimeDelta, WallTime};
use stamp_session::policy::{PathState, PathSummary};

use crate::catalogue::*;
use crate::exposition::{Family, Of, Samples};

/// A policy at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// What was decided, where its candidate paths stand in the file.
    pub choice: Option<Choice>,
}

/// What was decided for a policy by what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What it is for.
    pub color: u32,
    /// Where it leads.
    pub endpoint: IpAddr,
    /// Where its lists are imposed, where that is a node of the topology.
    pub headend: Option<String>,
    /// Class of service of its traffic.
    pub class: Option<String>,
    /// How good the active candidate path is.
    pub standing: &'static str,
    /// Why it became that.
    pub reason: Option<&'static str>,
    /// What would be done, and is not yet.
    pub held: Option<Held>,
    /// The candidate path that stands by.
    pub standby: Option<String>,
    /// One should, and none does.
    pub is_unprotected: bool,
    /// How often traffic moved, by reason: all of them.
    pub moves: Vec<(&'static str, u64)>,
}

/// A change that is not made yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// To which candidate path.
    pub to: String,
    /// Why it would be made.
    pub reason: &'static str,
    /// What it waits for.
    pub by: &'static str,
    /// Until when, if that is known.
    pub until: Option<WallTime>,
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
    /// Whether it may, by what was measured: its name, and in words. Where nothing was decided, it may when
    /// a list is up.
    pub eligibility: Option<(&'static str, String)>,
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
    /// Share of traffic that it carries now; none where nothing was decided.
    pub carried: Option<u32>,
    /// Another has come in its place: it carries until that can.
    pub is_replaced: bool,
    /// What it is, where that is known.
    pub what: Option<ListWords>,
}

/// What a segment list is, in words that mean the same to whoever has the same topology.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ListWords {
    /// Segments as they are written, the first that is visited first, with commas between.
    pub segments: String,
    /// Labels or SIDs that are imposed, likewise.
    pub imposed: String,
}

impl CandidateView {
    /// It may carry traffic.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        match &self.eligibility {
            Some((word, _)) => ["eligible", "drained"].contains(word),
            None => self.summary.state.is_up(),
        }
    }
}

const fn policies<P, I>(metric: &'static Metric, of: fn(&P, &mut Samples)) -> Family<P, I> {
    Family::new(metric, Of::Program(of))
}

/// Their metrics.
pub(crate) const fn families<P: AsRef<[PolicyView]>, I>() -> [Family<P, I>; 14] {
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
                to.truth(&[&it.name, &candidate.name], candidate.is_eligible());
            });
        }),
        policies(&POLICY_WEIGHT, |of, to| {
            candidates(of, |it, candidate| {
                for list in &candidate.lists {
                    to.count(&[&it.name, &candidate.name, &list.session], list.weight.into());
                }
            });
        }),
        policies(&POLICY_LIST, |of, to| {
            candidates(of, |it, candidate| {
                for (list, ListWords { segments, imposed }) in
                    candidate.lists.iter().filter_map(|list| Some((list, list.what.as_ref()?)))
                {
                    let (policy, candidate) = (&it.name, &candidate.name);
                    to.add(&[policy, candidate, &list.session, segments, imposed], 1.0);
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
        policies(&POLICY_STANDING, |of, to| {
            choices(of, |name, choice| to.truth(&[name, choice.standing], true));
        }),
        policies(&POLICY_ELIGIBILITY, |of, to| {
            candidates(of, |it, candidate| {
                if let Some((word, _)) = &candidate.eligibility {
                    to.truth(&[&it.name, &candidate.name, word], true);
                }
            });
        }),
        policies(&POLICY_CARRIED, |of, to| {
            candidates(of, |it, candidate| {
                for (list, weight) in
                    candidate.lists.iter().filter_map(|list| Some((list, list.carried?)))
                {
                    to.count(&[&it.name, &candidate.name, &list.session], weight.into());
                }
            });
        }),
        policies(&POLICY_UNPROTECTED, |of, to| {
            choices(of, |name, choice| to.truth(&[name], choice.is_unprotected));
        }),
        policies(&POLICY_MOVES, |of, to| {
            choices(of, |name, choice| {
                choice.moves.iter().for_each(|(reason, count)| to.count(&[name, reason], *count));
            });
        }),
    ]
}

fn each<P: AsRef<[PolicyView]>>(of: &P, tell: impl FnMut(&PolicyView)) {
    of.as_ref().iter().for_each(tell);
}

fn choices<P: AsRef<[PolicyView]>>(of: &P, mut tell: impl FnMut(&str, &Choice)) {
    each(of, |policy| policy.choice.iter().for_each(|choice| tell(&policy.name, choice)));
}

fn candidates<P: AsRef<[PolicyView]>>(of: &P, mut tell: impl FnMut(&PolicyView, &CandidateView)) {
    each(of, |policy| policy.candidates.iter().for_each(|candidate| tell(policy, candidate)));
}
