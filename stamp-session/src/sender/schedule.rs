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
    /// Some probes in a row, then a pause: what the path does under a load it seldom has.
    Burst {
        /// Time between two probes of a burst.
        interval: Duration,
        /// Probes of a burst.
        count: u32,
        /// From the begin of one burst to that of the next.
        every: Duration,
    },
}

impl Schedule {
    /// Gaps so many times as long.
    pub(super) const fn slower(self, times: u32) -> Self {
        match self {
            Self::Fixed { interval } => Self::Fixed { interval: interval.saturating_mul(times) },
            Self::Poisson { mean } => Self::Poisson { mean: mean.saturating_mul(times) },
            Self::Burst { interval, count, every } => Self::Burst {
                interval: interval.saturating_mul(times),
                count,
                every: every.saturating_mul(times),
            },
        }
    }

    /// Time between two probes; in the mean, and in bursts between those of one.
    #[must_use]
    pub const fn interval(self) -> Duration {
        match self {
            Self::Fixed { interval } | Self::Burst { interval, .. } => interval,
            Self::Poisson { mean } => mean,
        }
    }

    /// Time between two probes in the mean, pauses among them.
    #[must_use]
    pub fn mean_interval(self) -> Duration {
        match self {
            Self::Fixed { interval } => interval,
            Self::Poisson { mean } => mean,
            Self::Burst { count, every, .. } => every.checked_div(count).unwrap_or(every),
        }
    }

    /// After this time it begins anew.
    #[must_use]
    pub const fn period(self) -> Duration {
        match self {
            Self::Fixed { .. } | Self::Poisson { .. } => self.interval(),
            Self::Burst { every, .. } => every,
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
    /// Whether a slot has been taken or missed.
    is_under_way: bool,
    /// How many of a burst have been.
    of_burst: u32,
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
            is_under_way: false,
            of_burst: 0,
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

    /// Takes the slot that is due at `now`, and those that nobody came for in time. A run of a count of slots begins
    /// with the first that somebody comes for, or a busy machine would send nothing in a short one.
    pub(super) fn take(&mut self, now: MonotonicTime) -> Due {
        if !self.is_under_way && self.left.is_some() {
            self.begin_by(now);
        }
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

    /// Passes over slots that are a whole interval late, so that what remains keeps its place among other sessions.
    fn begin_by(&mut self, now: MonotonicTime) {
        let late = now.since(self.next).as_nanos();
        let whole = late.checked_div(self.schedule.interval().as_nanos()).unwrap_or(0);
        let ns = whole.saturating_mul(self.schedule.interval().as_nanos());
        self.begin(
            self.next.saturating_add(Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))),
        );
    }

    fn advance(&mut self, slots: u64) {
        self.is_under_way = true;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(slots);
        }
        let gap = match self.schedule {
            Schedule::Fixed { interval } => interval,
            Schedule::Poisson { mean } => self.random.exponential(mean),
            Schedule::Burst { interval, count, every } => {
                self.of_burst = self.of_burst.saturating_add(1);
                if self.of_burst < count {
                    interval
                } else {
                    let burst = interval.saturating_mul(self.of_burst.saturating_sub(1));
                    self.of_burst = 0;
                    every.saturating_sub(burst)
                }
            }
        };
        self.next = self.next.saturating_add(gap);
    }

    /// After hours of suspension: passes over nearly all slots at once.
    fn skip_pause(&mut self, now: MonotonicTime) -> u64 {
        let Some(slot) = self.next_slot() else {
            return 0;
        };
        let now = self.end.map_or(now, |end| now.min(end));
        // Whole periods, so that it goes on where it was within one.
        let (period, each) = match self.schedule {
            Schedule::Burst { count, every, .. } => (every, u64::from(count)),
            schedule => (schedule.interval(), 1),
        };
        let whole = now.since(slot).as_nanos().checked_div(period.as_nanos());
        let many = |whole: &u128| whole.saturating_mul(each.into()) > LONGEST_WALK;
        let Some(whole) = whole.filter(many) else {
            return 0;
        };
        let periods = u64::try_from(whole.saturating_sub(1)).unwrap_or(u64::MAX);
        let most = self.left.map_or(u64::MAX, |left| left.checked_div(each).unwrap_or(left));
        let periods = periods.min(most);
        let skipped = periods.saturating_mul(each);
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(skipped);
        }
        let ns = period.as_nanos().saturating_mul(periods.into());
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
        assert_eq!(timetable.take(at(5)), Due { missed: 0, slot: Some(at(5)) });
        assert_eq!(timetable.take(at(5 + 25)), Due { missed: 1, slot: Some(at(25)) });
        assert_eq!(timetable.take(at(5 + 1_000)), Due { missed: 2, slot: None });
        assert_eq!(timetable.next_slot(), None);
    }

    #[test]
    fn a_count_begins_with_the_first_slot_that_somebody_comes_for() {
        let mut timetable = fixed(Some(2), Some(Duration::from_millis(100)));
        assert_eq!(timetable.take(at(4)), Due::default());
        assert_eq!(timetable.take(at(5 + 47)), Due { missed: 0, slot: Some(at(45)) });
        assert_eq!(timetable.end, Some(at(145)));
        assert_eq!(timetable.take(at(60)), Due { missed: 0, slot: Some(at(55)) });
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
        let begun = |count, duration| {
            let mut timetable = fixed(Some(count), duration);
            assert_eq!(timetable.take(at(5)).slot, Some(at(5)));
            timetable
        };
        let mut timetable = begun(9_000_000, Some(Duration::from_secs(86_400)));
        let due = timetable.take(at(5 + 90_000_000));
        assert_eq!(due, Due { missed: 8_639_999, slot: None });
        let mut timetable = begun(1_000_000, None);
        assert_eq!(timetable.take(at(86_400_000)), Due { missed: 999_999, slot: None });
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

    fn bursts(count: Option<u64>) -> Timetable {
        let (interval, every) = (Duration::from_millis(10), Duration::from_millis(100));
        let schedule = Schedule::Burst { interval, count: 3, every };
        Timetable::new(schedule, at(5), (count, None), 0)
    }

    #[test]
    fn a_burst_is_followed_by_a_pause_until_the_next() {
        let mut timetable = bursts(None);
        for burst in 0..50 {
            for slot in 0..3 {
                let intended = at(5 + burst * 100 + slot * 10);
                assert_eq!(timetable.take(intended), Due { missed: 0, slot: Some(intended) });
            }
        }
    }

    #[test]
    fn after_a_pause_bursts_go_on_where_they_would_have_been() {
        let mut timetable = bursts(None);
        assert_eq!(timetable.take(at(5)).slot, Some(at(5)));
        let days = 4 * 86_400_000;
        // Two of the first burst, all of those between, and the first of the last.
        let due = timetable.take(at(5 + days + 10));
        assert_eq!(
            due,
            Due { missed: 2 + (days / 100 - 1) * 3 + 1, slot: Some(at(5 + days + 10)) }
        );
        assert_eq!(timetable.next_slot(), Some(at(5 + days + 20)));
        let mut short = bursts(Some(7));
        assert_eq!(short.take(at(5)).slot, Some(at(5)));
        assert_eq!(short.take(at(days)), Due { missed: 6, slot: None });
    }

    #[test]
    fn the_mean_of_bursts_counts_their_pauses() {
        let schedule = bursts(None).schedule;
        assert_eq!(schedule.interval(), Duration::from_millis(10));
        assert_eq!(schedule.mean_interval(), Duration::from_nanos(33_333_333));
        assert_eq!(schedule.period(), Duration::from_millis(100));
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
