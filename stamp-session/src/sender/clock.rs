//! Clocks that jump, ours and the far one.

use stamp_proto::time::{TimeDelta, WallTime};

use crate::clock::{MonotonicTime, Now};

/// A smaller change between the two clocks of a [`Now`] may be the time between reading them.
const SMALLEST_STEP: TimeDelta = TimeDelta::from_ns(1_000_000);

/// How far the wall clock is ahead of the monotonic one; constant until it is set.
fn offset(at: MonotonicTime, wall: WallTime) -> i64 {
    wall.unix_ns().wrapping_sub(at.ns().cast_signed())
}

/// Notices when our own wall clock is set, by the clock that cannot be.
#[derive(Debug, Default)]
pub(super) struct NearClock {
    offset: Option<i64>,
    pub(super) steps: Steps,
}

impl NearClock {
    /// The step since the last look, if there was one.
    pub(super) fn observe(&mut self, now: Now) -> Option<TimeDelta> {
        let current = offset(now.monotonic, now.wall);
        let by = TimeDelta::from_ns(current.wrapping_sub(self.offset.unwrap_or(current)));
        if self.offset.is_some() && by.abs() <= SMALLEST_STEP {
            // The first reading stays the reference, or a slow drift of readings would hide a step.
            return None;
        }
        self.offset = Some(current);
        (by != TimeDelta::ZERO).then(|| {
            self.steps.add(by);
            by
        })
    }

    /// The clock was set between the two readings.
    pub(super) fn stepped_between(sent_at: MonotonicTime, written: WallTime, now: Now) -> bool {
        let by = offset(now.monotonic, now.wall).wrapping_sub(offset(sent_at, written));
        TimeDelta::from_ns(by).abs() > SMALLEST_STEP
    }
}

/// Steps of one clock.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Steps {
    pub(super) count: u64,
    pub(super) last: TimeDelta,
}

impl Steps {
    fn add(&mut self, by: TimeDelta) {
        self.count = self.count.saturating_add(1);
        self.last = by;
    }
}

/// Samples needed before anything is called usual.
const USUAL_AFTER: u32 = 16;
/// An offset that moves so many times farther than usual has not been moved by the network.
const UNUSUAL: i64 = 5;

/// Notices when the far wall clock is set: forward and backward delay jump in opposite directions.
///
/// With `q` for the time a sample spent in queues, the offset seen, half of forward less backward
/// delay, moves by no more than half of `q` of this sample and of the one before.
#[derive(Debug, Default)]
pub(super) struct FarClock {
    last: Option<Split>,
    seen: u32,
    shortest: Option<i64>,
    /// How far the offset moves and the round trip is above its shortest, usually: a mean that
    /// forgets, in ns.
    usual: i64,
    pub(super) steps: Steps,
}

#[derive(Clone, Copy, Debug)]
struct Split {
    offset: i64,
    round_trip: i64,
}

impl FarClock {
    /// The step before this sample, if there was one. Samples come in the order of sending.
    pub(super) fn observe(&mut self, forward: TimeDelta, backward: TimeDelta) -> Option<TimeDelta> {
        let doubled = i128::from(forward.ns()).saturating_sub(i128::from(backward.ns()));
        let split = Split {
            offset: i64::try_from(doubled.div_euclid(2)).unwrap_or(i64::MAX),
            round_trip: forward.saturating_add(backward).ns().max(0),
        };
        let last = self.last.replace(split);
        let shortest = self.shortest.unwrap_or(split.round_trip).min(split.round_trip);
        self.shortest = Some(shortest);
        let last = last?;
        let moved = split.offset.saturating_sub(last.offset);
        if self.is_step(moved.saturating_abs(), split, last) {
            let by = TimeDelta::from_ns(moved);
            self.steps.add(by);
            return Some(by);
        }
        let above = split.round_trip.saturating_sub(shortest);
        let lively = moved.saturating_abs().saturating_add(above);
        let change = lively.saturating_sub(self.usual);
        self.usual = self.usual.saturating_add(change.div_euclid(16));
        self.seen = self.seen.saturating_add(1);
        None
    }

    /// After a step of our own, the next sample compares with nothing.
    pub(super) const fn forget(&mut self) {
        self.last = None;
    }

    fn is_step(&self, moved: i64, split: Split, last: Split) -> bool {
        if moved <= SMALLEST_STEP.ns() {
            return false;
        }
        // Whatever the path: neither one-way delay can be shorter than nothing.
        let possible = split.round_trip.saturating_add(last.round_trip).div_euclid(2);
        if moved > possible {
            return true;
        }
        // On this path: no more than what queues added to its shortest round trip. That is only
        // known on a path that is mostly quiet.
        let shortest = self.shortest.unwrap_or(0).saturating_mul(2);
        let queued = split.round_trip.saturating_add(last.round_trip).saturating_sub(shortest);
        self.seen >= USUAL_AFTER && moved > queued && moved > self.usual.saturating_mul(UNUSUAL)
    }
}

#[cfg(test)]
mod tests;
