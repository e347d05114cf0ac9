//! When the next probe is due.

use core::time::Duration;

use super::random::Random;
use crate::clock::MonotonicTime;

/// A pause of more slots than this is skipped at once instead of slot by slot.
const LONGEST_WALK: u128 = 100_000;

/// How probes are spread over time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Schedule {
    /// One probe in every interval.
    Fixed {
        /// Time between two probes.
        interval: Duration,
    },
    /// Exponentially distributed gaps, so that nothing periodic in the network hides from the
    /// probes (RFC 2330 §11.1.1).
    Poisson {
        /// Mean time between two probes.
        mean: Duration,
    },
}

impl Schedule {
    /// Gaps so many times as long.
    pub(super) const fn slower(self, times: u32) -> Self {
        match self {
            Self::Fixed { interval } => Self::Fixed { interval: interval.saturating_mul(times) },
            Self::Poisson { mean } => Self::Poisson { mean: mean.saturating_mul(times) },
        }
    }

    /// Time between two probes, in the mean.
    #[must_use]
    pub const fn interval(self) -> Duration {
        match self {
            Self::Fixed { interval } => interval,
            Self::Poisson { mean } => mean,
        }
    }
}

/// The slots of a session, each at an absolute instant: being late once makes no later slot late.
#[derive(Debug)]
pub(super) struct Timetable {
    schedule: Schedule,
    next: MonotonicTime,
    end: Option<MonotonicTime>,
    left: Option<u64>,
    random: Random,
}

/// What a look at the timetable found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Due {
    /// Slots that are a whole interval late or more; nothing is sent for them.
    pub(super) missed: u64,
    /// The slot to send a probe for now.
    pub(super) slot: Option<MonotonicTime>,
}

impl Timetable {
    /// The first slot is `start` itself.
    pub(super) fn new(
        schedule: Schedule,
        start: MonotonicTime,
        limits: (Option<u64>, Option<Duration>),
        seed: u64,
    ) -> Self {
        let (count, duration) = limits;
        Self {
            schedule,
            next: start,
            end: duration.map(|duration| start.saturating_add(duration)),
            left: count,
            random: Random::new(seed),
        }
    }

    /// Moves the first slot, and with it the end of a run that has a duration.
    pub(super) fn begin(&mut self, start: MonotonicTime) {
        self.end = self.end.map(|end| start.saturating_add(end.since(self.next)));
        self.next = start;
    }

    /// The next slot; `None` when there is none any more.
    pub(super) fn next_slot(&self) -> Option<MonotonicTime> {
        let over = self.left == Some(0) || self.end.is_some_and(|end| self.next >= end);
        (!over).then_some(self.next)
    }

    /// Gaps behind the next slot are as long as this.
    pub(super) const fn set_interval(&mut self, interval: Duration) {
        self.schedule = Schedule::Fixed { interval };
    }

    /// Gaps are as in `schedule` from here on; where they are longer, that which runs is longer, too.
    pub(super) fn set_schedule(&mut self, schedule: Schedule) {
        let more = schedule.interval().saturating_sub(self.schedule.interval());
        self.next = self.next.saturating_add(more);
        self.schedule = schedule;
    }

    pub(super) const fn stop(&mut self) {
        self.left = Some(0);
    }

    /// Takes the slot that is due at `now`, and those that nobody came for in time.
    pub(super) fn take(&mut self, now: MonotonicTime) -> Due {
        let mut due = Due { missed: self.skip_pause(now), slot: None };
        while let Some(slot) = self.next_slot() {
            if slot > now {
                break;
            }
            let late = now.since(slot) >= self.schedule.interval();
            self.advance(1);
            if !late {
                due.slot = Some(slot);
                break;
            }
            due.missed = due.missed.saturating_add(1);
        }
        due
    }

    fn advance(&mut self, slots: u64) {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(slots);
        }
        let gap = match self.schedule {
            Schedule::Fixed { interval } => interval,
            Schedule::Poisson { mean } => self.random.exponential(mean),
        };
        self.next = self.next.saturating_add(gap);
    }

    /// After hours of suspension: passes over nearly all slots at once.
    fn skip_pause(&mut self, now: MonotonicTime) -> u64 {
        let Some(slot) = self.next_slot() else {
            return 0;
        };
        let now = self.end.map_or(now, |end| now.min(end));
        let interval = self.schedule.interval();
        let whole = now.since(slot).as_nanos().checked_div(interval.as_nanos());
        let Some(whole) = whole.filter(|whole| *whole > LONGEST_WALK) else {
            return 0;
        };
        let skipped = u64::try_from(whole.saturating_sub(1)).unwrap_or(u64::MAX);
        let skipped = self.left.map_or(skipped, |left| skipped.min(left));
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(skipped);
        }
        let ns = interval.as_nanos().saturating_mul(skipped.into());
        let ns = u64::try_from(ns).unwrap_or(u64::MAX);
        self.next = self.next.saturating_add(Duration::from_nanos(ns));
        skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> MonotonicTime {
        MonotonicTime::from_ns(ms * MS)
    }

    fn fixed(count: Option<u64>, duration: Option<Duration>) -> Timetable {
        let interval = Duration::from_millis(10);
        Timetable::new(Schedule::Fixed { interval }, at(5), (count, duration), 0)
    }

    #[test]
    fn slots_are_absolute_and_lateness_does_not_add_up() {
        let mut timetable = fixed(None, None);
        for slot in 0..1_000 {
            let intended = at(5 + slot * 10);
            assert_eq!(timetable.next_slot(), Some(intended));
            assert_eq!(timetable.take(at(5 + slot * 10 - 1)), Due::default());
            let due = timetable.take(at(5 + slot * 10 + slot % 10));
            assert_eq!(due, Due { missed: 0, slot: Some(intended) });
        }
    }

    #[test]
    fn slots_an_interval_late_are_missed_and_never_bunched() {
        let mut timetable = fixed(None, None);
        let due = timetable.take(at(5 + 47));
        assert_eq!(due, Due { missed: 4, slot: Some(at(45)) });
        assert_eq!(timetable.take(at(5 + 47)), Due::default());
        assert_eq!(timetable.next_slot(), Some(at(55)));
    }

    #[test]
    fn the_count_includes_what_was_missed() {
        let mut timetable = fixed(Some(5), None);
        assert_eq!(timetable.take(at(5 + 25)), Due { missed: 2, slot: Some(at(25)) });
        assert_eq!(timetable.take(at(5 + 1_000)), Due { missed: 2, slot: None });
        assert_eq!(timetable.next_slot(), None);
    }

    #[test]
    fn there_is_no_slot_at_the_end_itself() {
        let mut timetable = fixed(None, Some(Duration::from_millis(20)));
        assert_eq!(timetable.take(at(5)).slot, Some(at(5)));
        assert_eq!(timetable.take(at(15)).slot, Some(at(15)));
        assert_eq!(timetable.next_slot(), None);
    }

    #[test]
    fn stopping_ends_it() {
        let mut timetable = fixed(None, None);
        timetable.stop();
        assert_eq!(timetable.take(at(1_000)), Due::default());
    }

    #[test]
    fn a_day_of_suspension_is_passed_over_exactly() {
        let mut timetable = fixed(None, None);
        let due = timetable.take(at(5 + 86_400_000 + 3));
        assert_eq!(due, Due { missed: 8_640_000, slot: Some(at(5 + 86_400_000)) });
        let mut timetable = fixed(Some(9_000_000), Some(Duration::from_secs(86_400)));
        let due = timetable.take(at(5 + 90_000_000));
        assert_eq!(due, Due { missed: 8_640_000, slot: None });
        let mut timetable = fixed(Some(1_000_000), None);
        assert_eq!(timetable.take(at(86_400_000)), Due { missed: 1_000_000, slot: None });
    }

    #[test]
    fn poisson_slots_keep_their_rate_and_depend_on_the_seed_only() {
        let mean = Duration::from_millis(10);
        let slots = |seed| {
            let mut timetable =
                Timetable::new(Schedule::Poisson { mean }, at(0), (Some(10_000), None), seed);
            let mut slots = Vec::new();
            while let Some(next) = timetable.next_slot() {
                assert_eq!(timetable.take(next).slot, Some(next));
                slots.push(next);
            }
            slots
        };
        assert_eq!(slots(1), slots(1));
        assert_ne!(slots(1), slots(2));
        let last = slots(3).last().unwrap().ns() / MS;
        assert!((97_000..103_000).contains(&last), "{last} ms");
    }

    #[test]
    fn poisson_slots_a_mean_late_are_missed() {
        let mean = Duration::from_millis(10);
        let mut timetable = Timetable::new(Schedule::Poisson { mean }, at(0), (None, None), 4);
        let mut reference = Timetable::new(Schedule::Poisson { mean }, at(0), (None, None), 4);
        let now = at(500);
        let (mut early, mut recent) = (0, Vec::new());
        while let Some(next) = reference.next_slot().filter(|next| *next <= now) {
            let _ = reference.take(next);
            if now.since(next) >= mean {
                early += 1;
            } else {
                recent.push(next);
            }
        }
        let mut found = Vec::new();
        let mut missed = 0;
        loop {
            let due = timetable.take(now);
            missed += due.missed;
            let Some(slot) = due.slot else { break };
            found.push(slot);
        }
        assert_eq!((missed, found), (early, recent));
    }

    #[test]
    fn a_long_pause_of_a_poisson_schedule_is_passed_over_too() {
        let mean = Duration::from_millis(10);
        let mut timetable = Timetable::new(Schedule::Poisson { mean }, at(0), (None, None), 4);
        let due = timetable.take(at(86_400_000));
        assert!((8_600_000..8_680_000).contains(&due.missed), "{}", due.missed);
        assert!(timetable.next_slot().is_some_and(|next| next >= at(86_400_000 - 10)));
    }
}
