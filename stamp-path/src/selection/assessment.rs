//! What is found out about one candidate path at one moment.

use core::cmp::Reverse;

use crate::class::{Shared, Value};
use crate::policy::CandidateId;

use super::{Forbidden, Unknown, Verdict, Violation};

/// Whether a candidate path may carry traffic, and why not; the best comes last.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Eligibility {
    /// Nothing that is measured could change that.
    #[error("{0}")]
    Forbidden(#[from] Forbidden),
    /// None of its lists leads anywhere.
    #[error("every list is down")]
    Down,
    /// Nobody can tell how good it is.
    #[error("{0}")]
    Unknown(Unknown),
    /// It does not give what the class needs.
    #[error("{0}")]
    Violates(Violation),
    /// It is good, and something on it is about to be taken away.
    #[error("{0} is drained")]
    Drained(Shared),
    /// One of its lists gives everything.
    #[error("eligible")]
    Eligible,
}

impl Eligibility {
    /// Its name in metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Forbidden(forbidden) => forbidden.label(),
            Self::Down => "down",
            Self::Unknown(unknown) => unknown.label(),
            Self::Violates(_) => "violates",
            Self::Drained(_) => "drained",
            Self::Eligible => "eligible",
        }
    }

    /// The higher, the better.
    pub(super) const fn tier(&self) -> u8 {
        match self {
            Self::Forbidden(_) => 0,
            Self::Down => 1,
            Self::Unknown(_) => 2,
            Self::Violates(_) => 3,
            Self::Drained(_) => 4,
            Self::Eligible => 5,
        }
    }

    /// Packets get through, as far as is known.
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.tier() > Self::Down.tier()
    }

    /// It gives what the class needs, drained or not.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Drained(_) | Self::Eligible)
    }
}

/// One candidate path, judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Assessment {
    /// Which of the policy's.
    pub id: CandidateId,
    /// The higher one goes first.
    pub preference: u32,
    /// Whether it may carry traffic.
    pub eligibility: Eligibility,
    /// What is compared among equals: the mean of the lists that would carry, by weight.
    pub value: Option<Value>,
    /// It has been good for the hold time.
    pub settled: bool,
    /// Of each list, in their order.
    pub lists: Vec<Verdict>,
}

/// The larger, the better. What is not measured is worse than whatever is.
type Worth = (Reverse<(bool, i64)>, CandidateRank);

/// The order of RFC 9256 §2.9 behind preference; what is in use may go before the originator.
type CandidateRank = (u8, bool, Reverse<crate::policy::Originator>, u32);

impl Assessment {
    /// In which order candidates of one preference are taken.
    pub(super) fn worth(&self, is_kept: bool) -> Worth {
        let CandidateId { origin, originator, discriminator } = self.id;
        let value = self.value.map_or(i64::MAX, Value::number);
        (
            Reverse((self.value.is_none(), value)),
            (origin.0, is_kept, Reverse(originator), discriminator),
        )
    }
}
