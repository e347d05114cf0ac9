//! X losses among the last Y probes whose fate is known.

use super::latch::Latch;
use super::report::LossThresholdReport;
use super::window::FateWindow;
use super::{LossThreshold, MeasuredDirection, Seen, ThresholdState};
use crate::clock::Now;
use crate::sender::event::{Events, SenderEvent};

/// Loss crossed its threshold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LossChange {
    /// Where probes are lost.
    pub direction: MeasuredDirection,
    /// Where it is: [`ThresholdState::Exceeded`], or not any more.
    pub to: ThresholdState,
    /// When it was noticed.
    pub at: Now,
    /// Losses among the probes looked back on.
    pub lost: u32,
    /// So many are too many (X).
    pub limit: u32,
    /// How many probes were looked back on: Y, or fewer at first.
    pub decided: u32,
    /// First of them.
    pub first: u32,
    /// Last of them.
    pub last: u32,
    /// Both clocks were synchronised at the latest reply.
    pub clock_synchronized: bool,
}

impl LossChange {
    /// Where it was.
    #[must_use]
    pub const fn from(&self) -> ThresholdState {
        self.to.before()
    }
}

/// Watches loss one way, or there and back.
#[derive(Debug)]
pub(super) struct LossWatch {
    direction: MeasuredDirection,
    threshold: LossThreshold,
    window: FateWindow,
    latch: Latch,
}

impl LossWatch {
    pub(super) fn new(direction: MeasuredDirection, threshold: LossThreshold) -> Self {
        let window = FateWindow::new(threshold.of());
        Self { direction, threshold, window, latch: Latch::new(1) }
    }

    /// The next probe in the order of sending came through or did not; the change, if it made one.
    pub(super) fn decided(&mut self, sequence: u32, lost: bool, seen: Seen) -> Option<LossChange> {
        self.window.push(sequence, lost);
        let exceeds = self.window.lost() >= self.threshold.lost();
        self.latch.observe(sequence, exceeds)?;
        Some(LossChange {
            direction: self.direction,
            to: ThresholdState::after(exceeds),
            at: seen.at,
            lost: self.window.lost(),
            limit: self.threshold.lost(),
            decided: self.window.decided(),
            first: self.window.first().unwrap_or(sequence),
            last: sequence,
            clock_synchronized: seen.clock_synchronized,
        })
    }

    /// As many probes as both `parts` together, from `first` on: those of a part all came through or
    /// all did not.
    pub(super) fn span(
        &mut self,
        first: u32,
        parts: [(u64, bool); 2],
        seen: Seen,
        events: &mut Events,
    ) {
        let mut from = first;
        for (count, lost) in parts {
            // Of more probes than the window holds, the last ones fill it alone.
            let seen_count = count.min(self.threshold.of().into());
            let skipped = count.saturating_sub(seen_count);
            from = from.wrapping_add(u32::try_from(skipped).unwrap_or(0));
            for _ in 0..seen_count {
                let change = self.decided(from, lost, seen);
                events.extend(change.map(SenderEvent::Loss));
                from = from.wrapping_add(1);
            }
        }
    }

    pub(super) const fn threshold(&self) -> LossThreshold {
        self.threshold
    }

    /// What was called lost never left.
    pub(super) fn forget(&mut self, sequence: u32) {
        self.window.forget(sequence);
    }

    pub(super) fn report(&self, stateful: bool) -> LossThresholdReport {
        let is_known = self.window.decided() > 0 && (stateful || !self.direction.is_one_way());
        let state = match (is_known, self.latch.is_latched()) {
            (_, true) => ThresholdState::Exceeded,
            (true, false) => ThresholdState::NotExceeded,
            (false, false) => ThresholdState::NoValue,
        };
        LossThresholdReport {
            threshold: self.threshold,
            lost: self.window.lost(),
            decided: self.window.decided(),
            state,
            latched: self.latch.is_latched(),
            transitions: self.latch.transitions(),
        }
    }

    pub(super) fn heap_octets(&self) -> usize {
        self.window.heap_octets()
    }
}
