//! Which changes wait.

use core::time::Duration;
use std::collections::VecDeque;

use super::wish::Wish;
use crate::class::Damping;
use crate::selection::HeldBy;

/// Over which changes are counted.
const HOUR: Duration = Duration::from_secs(3600);

/// When traffic moved.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    latest: Option<Duration>,
    /// Within the last hour, the oldest first.
    changes: VecDeque<Duration>,
}

impl Gate {
    /// What a change waits for, and until when; none where it is to be made.
    pub(super) fn hold(
        &mut self,
        now: Duration,
        wish: &Wish,
        damping: &Damping,
    ) -> Option<(HeldBy, Option<Duration>)> {
        while self.changes.front().is_some_and(|at| *at + HOUR <= now) {
            self.changes.pop_front();
        }
        if wish.reason.is_forced() {
            return None;
        }
        let held = self.latest.map(|at| at + damping.hold).filter(|until| *until > now);
        if let Some(until) = held {
            return Some((HeldBy::Hold, Some(until)));
        }
        if let Some(since) = wish.unsettled_since {
            return Some((HeldBy::Settling, Some(since + damping.hold)));
        }
        let most = usize::try_from(damping.changes_per_hour).unwrap_or(usize::MAX);
        if wish.reason.has_no_budget() || self.changes.len() < most {
            return None;
        }
        // So many of the oldest have to be an hour old.
        let surplus = self.changes.len() - most;
        Some((HeldBy::Budget, self.changes.get(surplus).map(|at| *at + HOUR)))
    }

    /// When what waits now may not have to any more.
    pub(super) fn opens(&self, damping: &Damping) -> impl Iterator<Item = Duration> {
        let held = self.latest.map(|at| at + damping.hold);
        held.into_iter().chain(self.changes.iter().map(|at| *at + HOUR))
    }

    pub(super) fn count(&mut self, now: Duration) {
        self.latest = Some(now);
        self.changes.push_back(now);
    }
}
