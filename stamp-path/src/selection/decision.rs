//! What was decided, and why.

use core::fmt;
use core::time::Duration;

use stamp_document::quantity::print_duration;

use crate::class::Value;
use crate::policy::CandidateId;

use super::Assessment;

/// Who carries traffic from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// When it was made.
    pub at: Duration,
    /// The candidate path in use.
    pub active: Option<CandidateId>,
    /// Since when it is the one.
    pub since: Option<Duration>,
    /// Its lists that carry traffic; a list that is down is none of them.
    pub shares: Vec<Share>,
    /// How good it is.
    pub standing: Standing,
    /// All candidate paths, in the order in which they came.
    pub candidates: Vec<Assessment>,
    /// What is different from before.
    pub change: Option<Change>,
    /// What would be done, and is not yet.
    pub held: Option<Held>,
    /// When the same input would be judged otherwise: to be asked again then.
    pub next: Option<Duration>,
}

/// A list that carries traffic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Share {
    /// Its name.
    pub list: String,
    /// Share of traffic, against those of the others.
    pub weight: u32,
}

/// How good the path in use is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Standing {
    /// It gives what the class needs.
    Good,
    /// It gives less, and none gives more.
    Degraded,
    /// Nothing is known of it any more, and nothing better of others: it stays.
    Frozen,
    /// Nothing was known of any when it was taken: it goes first by its preference.
    Provisional,
    /// None is in use: nothing has been measured yet.
    Waiting,
    /// None is in use: none can be.
    Unavailable,
}

impl Standing {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Degraded => "degraded",
            Self::Frozen => "frozen",
            Self::Provisional => "provisional",
            Self::Waiting => "waiting",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Traffic moves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Why.
    pub reason: ChangeReason,
    /// Who carried it.
    pub from: Option<CandidateId>,
    /// Who carries it.
    pub to: Option<CandidateId>,
    /// What was measured of the former, of what is compared.
    pub before: Option<Value>,
    /// What was measured of the latter.
    pub after: Option<Value>,
}

impl Change {
    /// The former path still works: the new one is put in place before the old one is taken away.
    #[must_use]
    pub const fn makes_before_breaking(&self) -> bool {
        self.from.is_some() && !self.reason.is_forced()
    }
}

/// Why traffic moves.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ChangeReason {
    /// None was in use.
    First,
    /// The path or one of its lists is down.
    Down,
    /// The path may not be used any more.
    Forbidden,
    /// Something on the path is about to be taken away.
    Drained,
    /// The path does not give what the class needs.
    Violation,
    /// Nothing is known of the path any more.
    Unknown,
    /// The other one has a higher preference, or nothing of it is taken away.
    Preference,
    /// The other one is better by the margin.
    Better,
    /// The other one goes first by origin, originator or discriminator.
    Order,
    /// Lists of the path give again what the class needs, or do not any more.
    Rebalanced,
}

impl ChangeReason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::First,
        Self::Down,
        Self::Forbidden,
        Self::Drained,
        Self::Violation,
        Self::Unknown,
        Self::Preference,
        Self::Better,
        Self::Order,
        Self::Rebalanced,
    ];

    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Down => "down",
            Self::Forbidden => "forbidden",
            Self::Drained => "drained",
            Self::Violation => "violation",
            Self::Unknown => "unknown",
            Self::Preference => "preference",
            Self::Better => "better",
            Self::Order => "order",
            Self::Rebalanced => "rebalanced",
        }
    }

    /// It waits for nothing.
    #[must_use]
    pub const fn is_forced(self) -> bool {
        matches!(self, Self::First | Self::Down | Self::Forbidden)
    }

    /// It does not ask how many changes there were: an operator's work does not wait for an hour.
    pub(super) const fn has_no_budget(self) -> bool {
        self.is_forced() || matches!(self, Self::Drained)
    }
}

/// A change that is not made yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Held {
    /// Why it would be made.
    pub reason: ChangeReason,
    /// To whom.
    pub to: CandidateId,
    /// What it waits for.
    pub by: HeldBy,
    /// Until when, if that is known.
    pub until: Option<Duration>,
}

/// What a change waits for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum HeldBy {
    /// The last change is too recent.
    Hold,
    /// The other path has not been good for long enough.
    Settling,
    /// Too many changes within an hour.
    Budget,
}

impl HeldBy {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Settling => "settling",
            Self::Budget => "budget",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |id: Option<CandidateId>| id.map_or("none".to_owned(), |id| id.to_string());
        write!(f, "from {} to {}: {}", name(self.from), name(self.to), self.reason.label())?;
        match (self.before, self.after) {
            (Some(before), Some(after)) => write!(f, " ({before} to {after})"),
            (None, Some(after)) => write!(f, " ({after})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to {}: {}, held by {}", self.to, self.reason.label(), self.by.label())?;
        self.until.map_or(Ok(()), |until| write!(f, " until {}", print_duration(until)))
    }
}
