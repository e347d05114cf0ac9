//! Limits a session watches itself, and what it says when they are crossed.
//!
//! Each limit is a latch: crossing it is told once, and told again only after it was cleared. Beside
//! them stands connectivity by N consecutive losses, which every session has
//! ([`SessionState`](super::SessionState)).

mod config;
mod delay;
mod latch;
mod loss;
mod report;
mod window;

use stamp_proto::time::TimeDelta;

pub use config::{Combine, DelayThreshold, LossThreshold, ThresholdError, Thresholds};
pub use delay::{DelayChange, DelayCriterion};
pub use loss::LossChange;
pub use report::{DelayThresholdReport, LossThresholdReport, ThresholdReport, Transitions};

use super::direction::LossSpan;
use super::event::{Events, SenderEvent};
use super::pending::Usable;
use super::serial;
use super::timing::Timing;
use crate::clock::Now;
use delay::{DelayWatch, Measured};
use loss::LossWatch;

/// Which way a value was measured.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MeasuredDirection {
    /// From Session-Sender to Session-Reflector.
    Forward,
    /// From Session-Reflector to Session-Sender.
    Backward,
    /// There and back.
    RoundTrip,
}

impl MeasuredDirection {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::RoundTrip => "round_trip",
        }
    }

    /// A value needs clocks that agree, or a count at the far end.
    #[must_use]
    pub const fn is_one_way(self) -> bool {
        !matches!(self, Self::RoundTrip)
    }
}

/// One of something for each direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ByDirection<T> {
    /// There.
    pub forward: T,
    /// Back.
    pub backward: T,
    /// There and back.
    pub round_trip: T,
}

impl<T> ByDirection<T> {
    /// Every direction with what there is of it.
    pub fn iter(&self) -> impl Iterator<Item = (MeasuredDirection, &T)> {
        [
            (MeasuredDirection::Forward, &self.forward),
            (MeasuredDirection::Backward, &self.backward),
            (MeasuredDirection::RoundTrip, &self.round_trip),
        ]
        .into_iter()
    }

    fn map<U>(self, mut of: impl FnMut(MeasuredDirection, T) -> U) -> ByDirection<U> {
        ByDirection {
            forward: of(MeasuredDirection::Forward, self.forward),
            backward: of(MeasuredDirection::Backward, self.backward),
            round_trip: of(MeasuredDirection::RoundTrip, self.round_trip),
        }
    }
}

/// Where a value stands against its limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ThresholdState {
    /// Nothing to compare yet: no value, or no reference for a percentage.
    #[default]
    NoValue,
    /// Values come, but their clocks are not synchronised: they are compared with nothing.
    Withheld,
    /// Within the limit.
    NotExceeded,
    /// Beyond the limit, and told.
    Exceeded,
}

impl ThresholdState {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NoValue => "no_value",
            Self::Withheld => "withheld",
            Self::NotExceeded => "not_exceeded",
            Self::Exceeded => "exceeded",
        }
    }

    const fn after(exceeded: bool) -> Self {
        if exceeded { Self::Exceeded } else { Self::NotExceeded }
    }

    /// What a change to this state is a change from.
    const fn before(self) -> Self {
        Self::after(!matches!(self, Self::Exceeded))
    }
}

/// All thresholds of a session; only where there are any.
#[derive(Debug)]
pub(super) struct Watch {
    delay: ByDirection<Option<DelayWatch>>,
    loss: ByDirection<Option<LossWatch>>,
    excuses: Excuses,
    /// When the shell was here last.
    latest: Now,
}

impl Watch {
    /// What `thresholds` want watched, if they want anything.
    pub(super) fn new(thresholds: &Thresholds) -> Option<Box<Self>> {
        if thresholds.is_empty() {
            return None;
        }
        Some(Box::new(Self {
            delay: thresholds
                .delay
                .map(|direction, threshold| threshold.map(|it| DelayWatch::new(direction, it))),
            loss: thresholds
                .loss
                .map(|direction, threshold| threshold.map(|it| LossWatch::new(direction, it))),
            excuses: Excuses::default(),
            latest: Now::default(),
        }))
    }

    /// Goes on with what `old` has seen of the limits that are the same.
    pub(super) fn take_over(&mut self, old: Self) {
        let delay = [
            (&mut self.delay.forward, old.delay.forward),
            (&mut self.delay.backward, old.delay.backward),
            (&mut self.delay.round_trip, old.delay.round_trip),
        ];
        for (new, old) in delay {
            if new.as_ref().map(DelayWatch::threshold) == old.as_ref().map(DelayWatch::threshold) {
                *new = old;
            }
        }
        let loss = [
            (&mut self.loss.forward, old.loss.forward),
            (&mut self.loss.backward, old.loss.backward),
            (&mut self.loss.round_trip, old.loss.round_trip),
        ];
        for (new, old) in loss {
            if new.as_ref().map(LossWatch::threshold) == old.as_ref().map(LossWatch::threshold) {
                *new = old;
            }
        }
        self.excuses = old.excuses;
        self.latest = old.latest;
    }

    /// The shell is here.
    pub(super) const fn visited(&mut self, now: Now) {
        self.latest = now;
    }

    /// When the shell was here last.
    pub(super) const fn latest(&self) -> Now {
        self.latest
    }

    /// A probe was answered in time; samples are told as they arrive.
    pub(super) fn sample(
        &mut self,
        sequence: u32,
        sample: (&Timing, Usable),
        now: Now,
        events: &mut Events,
    ) {
        let (timing, usable) = sample;
        let synchronized = timing.is_synchronized();
        let ByDirection { forward, backward, round_trip } = usable_delays(timing, usable);
        for (watch, delay) in [
            (&mut self.delay.forward, forward),
            (&mut self.delay.backward, backward),
            (&mut self.delay.round_trip, round_trip),
        ] {
            let Some((watch, delay)) = watch.as_mut().zip(delay) else { continue };
            let change = watch.observe(Measured { sequence, delay, synchronized, at: now });
            events.extend(change.map(SenderEvent::Delay));
        }
    }

    /// The next probe in the order of sending was answered, and so much is known of those lost just
    /// before.
    pub(super) fn answered(
        &mut self,
        sequence: u32,
        before: Option<LossSpan>,
        seen: Seen,
        events: &mut Events,
    ) {
        let excused = core::mem::take(&mut self.excuses.used);
        if let Some(span) = before {
            let backward = span.backward.saturating_sub(excused);
            self.direction_told(LossSpan { backward, ..span }, seen, events);
        }
        for watch in [&mut self.loss.forward, &mut self.loss.backward, &mut self.loss.round_trip] {
            let change = watch.as_mut().and_then(|watch| watch.decided(sequence, false, seen));
            events.extend(change.map(SenderEvent::Loss));
        }
    }

    /// The next probe in the order of sending was lost.
    pub(super) fn lost(&mut self, sequence: u32, seen: Seen, events: &mut Events) {
        if self.excuses.take(sequence) {
            return;
        }
        let watch = self.loss.round_trip.as_mut();
        let change = watch.and_then(|watch| watch.decided(sequence, true, seen));
        events.extend(change.map(SenderEvent::Loss));
    }

    /// It left too late to be awaited, or never: what was called lost is not.
    pub(super) fn forget(&mut self, sequence: u32) {
        if let Some(watch) = &mut self.loss.round_trip {
            watch.forget(sequence);
        }
    }

    /// A queue of our own dropped replies to probes before `next_sequence`.
    pub(super) const fn local_drop(&mut self, count: u64, next_sequence: u32) {
        self.excuses.add(count, next_sequence);
    }

    /// A clock was set: one-way delays before and after have nothing to do with each other.
    pub(super) fn clock_stepped(&mut self) {
        for watch in [&mut self.delay.forward, &mut self.delay.backward] {
            watch.iter_mut().for_each(DelayWatch::begin_anew);
        }
    }

    /// A window is complete: its smallest delay is what percentages are of from now on.
    pub(super) fn close_window(&mut self) {
        for watch in [&mut self.delay.forward, &mut self.delay.backward, &mut self.delay.round_trip]
        {
            watch.iter_mut().for_each(DelayWatch::close_window);
        }
    }

    /// Where everything stands; whether losses have a direction is known outside.
    pub(super) fn report(&self, stateful: bool) -> ThresholdReport {
        let ByDirection { forward, backward, round_trip } = &self.delay;
        let delay = |watch: &Option<DelayWatch>| watch.as_ref().map(DelayWatch::report);
        let loss = |watch: &Option<LossWatch>| watch.as_ref().map(|watch| watch.report(stateful));
        ThresholdReport {
            delay: ByDirection {
                forward: delay(forward),
                backward: delay(backward),
                round_trip: delay(round_trip),
            },
            loss: ByDirection {
                forward: loss(&self.loss.forward),
                backward: loss(&self.loss.backward),
                round_trip: loss(&self.loss.round_trip),
            },
        }
    }

    /// Octets on the heap, its own included.
    pub(super) fn heap_octets(&self) -> usize {
        let losses = self.loss.iter().filter_map(|(_, watch)| watch.as_ref());
        losses.map(LossWatch::heap_octets).fold(size_of::<Self>(), usize::saturating_add)
    }

    /// Which of them were lost on the way out and which on the way back, the counts do not say; that
    /// those of the way out came first is as good as any other order.
    fn direction_told(&mut self, span: LossSpan, seen: Seen, events: &mut Events) {
        if let Some(watch) = &mut self.loss.forward {
            watch.span(span.first, [(span.forward, true), (span.backward, false)], seen, events);
        }
        // What did not arrive there was not sent back.
        if let Some(watch) = &mut self.loss.backward {
            let skipped = u32::try_from(span.forward).unwrap_or(u32::MAX);
            let first = span.first.wrapping_add(skipped);
            watch.span(first, [(span.backward, true), (0, false)], seen, events);
        }
    }
}

/// Which delays of a sample may be compared with a limit.
fn usable_delays(timing: &Timing, usable: Usable) -> ByDirection<Option<TimeDelta>> {
    let all = ByDirection {
        forward: timing.forward_delay,
        backward: timing.backward_delay,
        round_trip: Some(timing.round_trip),
    };
    match usable {
        Usable::All => all,
        Usable::ForwardOnly => ByDirection { forward: all.forward, ..ByDirection::default() },
        Usable::RoundTrip | Usable::RoundTripOnly => {
            ByDirection { round_trip: all.round_trip, ..ByDirection::default() }
        }
        Usable::Nothing => ByDirection::default(),
    }
}

/// When something was noticed, and how good both clocks were then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) at: Now,
    pub(super) clock_synchronized: bool,
}

/// Losses that our own queues explain, as far as the probes had been sent by then.
#[derive(Clone, Copy, Debug, Default)]
struct Excuses {
    left: u64,
    before: u32,
    /// How many were taken since the last answered probe.
    used: u64,
}

impl Excuses {
    const fn add(&mut self, count: u64, before: u32) {
        self.left = self.left.saturating_add(count);
        self.before = before;
    }

    /// The loss of this probe is ours.
    const fn take(&mut self, sequence: u32) -> bool {
        if self.left == 0 {
            return false;
        }
        if !serial::is_after(self.before, sequence) {
            self.left = 0;
            return false;
        }
        self.left = self.left.saturating_sub(1);
        self.used = self.used.saturating_add(1);
        true
    }
}

#[cfg(test)]
mod tests;
