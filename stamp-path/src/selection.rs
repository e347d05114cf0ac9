//! Which candidate path carries the traffic of a policy, by what was measured of its lists.
//!
//! A [`Selection`] holds all policies of a file, a [`Selector`] one of them. Each call of [`Selector::decide`] takes all its candidate paths with
//! what is known of them and gives a [`Decision`]: who carries what, why each candidate may or may not,
//! what changed and what is waited for. Equal calls give equal decisions.
//!
//! Among valid candidate paths the order is that of RFC 9256 §2.9, with two steps between: whether the
//! requirements of the class are met goes before preference, and of equal preferences the better measured
//! one wins before origins are compared.
//!
//! | a path | is left | unless |
//! | --- | --- | --- |
//! | that is down, invalid or trespasses | at once | – |
//! | that is drained | while it still works | the hold time runs |
//! | that violates a requirement | at once, for one that meets all | the hold time runs, or the changes of the hour are used up |
//! | whose values are not known (any more) | for one that meets all and has for the hold time | the same |
//! | that is good | for one of higher preference, or better by the margin, that has been good for the hold time | the same |
//!
//! Where nothing is known of any path, the one in use stays and the decision says that it is frozen. A
//! list that is down carries nothing; when it was the last, its candidate is left.
//!
//! Times are durations since one fixed moment of a clock that never steps.

mod admission;
mod all;
mod assessment;
mod decision;
mod measured;
mod selector;

pub use admission::{Admission, Forbidden, admit, standby};
pub use all::{Input, Outcome, Selection};
pub use assessment::{Assessment, Eligibility};
pub use decision::{Change, ChangeReason, Decision, Held, HeldBy, Share, Standing};
pub use measured::{ClockTrust, ListState, Measured, Unknown, Verdict, Violation};
pub use selector::Selector;

use crate::policy::CandidateId;

/// One candidate path as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Which of the policy's.
    pub id: CandidateId,
    /// The higher one goes first.
    pub preference: u32,
    /// Whether it may be used at all.
    pub admission: Admission,
    /// Its valid lists.
    pub lists: Vec<List>,
}

/// One segment list as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// What it is known by from call to call: another list has another name. A list that carries
    /// traffic and is missing in the next call counts as down, so whoever computes lists anew hands in
    /// both, the old one as replaced, until traffic has moved.
    pub name: String,
    /// Share of traffic, against those of the others.
    pub weight: u32,
    /// Another has come in its place: it carries until one that has not been replaced can.
    pub is_replaced: bool,
    /// What its session says; none where there is no session.
    pub measured: Option<Measured>,
}

#[cfg(test)]
mod tests;
