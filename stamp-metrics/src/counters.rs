//! What was counted of a session, so that it can be added up over all its lives.

use stamp_session::sender::{RejectCounts, UnsentCounts};
use stamp_session::snapshot::{SessionStanding, StampCounts, ThresholdReport, Transitions};
use stamp_session::statistics::{Counts, Reason};

/// One of something for each way a value is measured.
pub(crate) type Ways<T> = [T; 3];

/// Counters of a session. `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SessionCounters {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Forward, backward, round trip; what our own queues dropped is left out of the last.
    pub(crate) lost: Ways<Option<u64>>,
    pub(crate) local: u64,
    pub(crate) duplicate: u64,
    pub(crate) reordered: u64,
    pub(crate) late: u64,
    pub(crate) restarts: u64,
    pub(crate) ups: u64,
    pub(crate) downs: u64,
    pub(crate) rejected: RejectCounts,
    pub(crate) unsent: UnsentCounts,
    pub(crate) probe_sent: StampCounts,
    pub(crate) reply_received: StampCounts,
    pub(crate) crossings: Crossings,
}

/// How often each threshold was crossed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Crossings {
    pub(crate) delay: Ways<Option<Transitions>>,
    pub(crate) loss: Ways<Option<Transitions>>,
}

impl SessionCounters {
    /// Those of a session since it began.
    #[must_use]
    pub fn of(standing: &SessionStanding) -> Self {
        let packets = &standing.packets;
        let lost = &packets.lost;
        Self {
            sent: packets.sent,
            received: packets.received,
            lost: [lost.forward, lost.backward, Some(lost.round_trip.saturating_sub(lost.local))],
            local: lost.local,
            duplicate: packets.duplicate,
            reordered: packets.reordered.round_trip,
            late: packets.late,
            restarts: standing.reflector.restarts,
            ups: standing.connectivity.ups,
            downs: standing.connectivity.downs,
            rejected: packets.rejected,
            unsent: packets.unsent,
            probe_sent: standing.stamps.probe_sent,
            reply_received: standing.stamps.reply_received,
            crossings: standing.thresholds.as_deref().map(Crossings::of).unwrap_or_default(),
        }
    }

    /// Both together, each pair of counters as `join` says.
    fn joined(&self, other: &Self, join: impl Fn(u64, u64) -> u64 + Copy) -> Self {
        let each = |of: fn(&Self) -> u64| join(of(self), of(other));
        Self {
            sent: each(|it| it.sent),
            received: each(|it| it.received),
            lost: ways(self.lost, other.lost, |a, b| known(a, b, join)),
            local: each(|it| it.local),
            duplicate: each(|it| it.duplicate),
            reordered: each(|it| it.reordered),
            late: each(|it| it.late),
            restarts: each(|it| it.restarts),
            ups: each(|it| it.ups),
            downs: each(|it| it.downs),
            rejected: counts(&self.rejected, &other.rejected, join),
            unsent: counts(&self.unsent, &other.unsent, join),
            probe_sent: stamps(self.probe_sent, other.probe_sent, join),
            reply_received: stamps(self.reply_received, other.reply_received, join),
            crossings: self.crossings.joined(&other.crossings, join),
        }
    }

    /// The sum of both.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        self.joined(other, u64::saturating_add)
    }

    /// The larger of each.
    pub(crate) fn most(&self, other: &Self) -> Self {
        self.joined(other, u64::max)
    }
}

impl Crossings {
    fn of(report: &ThresholdReport) -> Self {
        let delay = &report.delay;
        let loss = &report.loss;
        Self {
            delay: [delay.forward, delay.backward, delay.round_trip]
                .map(|report| report.map(|it| it.transitions)),
            loss: [loss.forward, loss.backward, loss.round_trip]
                .map(|report| report.map(|it| it.transitions)),
        }
    }

    fn joined(&self, other: &Self, join: impl Fn(u64, u64) -> u64 + Copy) -> Self {
        let both = |a: Transitions, b: Transitions| Transitions {
            exceeded: join(a.exceeded, b.exceeded),
            cleared: join(a.cleared, b.cleared),
        };
        Self {
            delay: ways(self.delay, other.delay, |a, b| known(a, b, both)),
            loss: ways(self.loss, other.loss, |a, b| known(a, b, both)),
        }
    }

    /// The sum of both.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        self.joined(other, u64::saturating_add)
    }

    /// They count anew: a threshold was taken away or became another since `before`.
    pub(crate) fn are_fewer_than(&self, before: &Self) -> bool {
        let fewer = |(now, before): (&Option<Transitions>, &Option<Transitions>)| match before {
            None => false,
            Some(before) => {
                now.is_none_or(|now| now.exceeded < before.exceeded || now.cleared < before.cleared)
            }
        };
        self.delay.iter().zip(&before.delay).any(fewer)
            || self.loss.iter().zip(&before.loss).any(fewer)
    }
}

fn ways<T: Copy>(a: Ways<T>, b: Ways<T>, join: impl Fn(T, T) -> T) -> Ways<T> {
    let ([a0, a1, a2], [b0, b1, b2]) = (a, b);
    [join(a0, b0), join(a1, b1), join(a2, b2)]
}

/// What is known of one of two lives is known of both.
fn known<T>(a: Option<T>, b: Option<T>, join: impl Fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(join(a, b)),
        (a, b) => a.or(b),
    }
}

fn counts<R: Reason, const N: usize>(
    a: &Counts<R, N>,
    b: &Counts<R, N>,
    join: impl Fn(u64, u64) -> u64,
) -> Counts<R, N> {
    let mut counts = Counts::default();
    for (reason, count) in a.iter() {
        counts.add(reason, join(count, b.get(reason)));
    }
    counts
}

fn stamps(a: StampCounts, b: StampCounts, join: impl Fn(u64, u64) -> u64) -> StampCounts {
    StampCounts {
        user: join(a.user, b.user),
        kernel: join(a.kernel, b.kernel),
        hardware: join(a.hardware, b.hardware),
    }
}
