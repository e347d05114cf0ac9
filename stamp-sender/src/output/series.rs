//! Delay and loss over time in at most 1 024 steps, however long the run is.
//!
//! A step holds a number of consecutive probes: one at first. When all steps are used, neighbours
//! are joined and each step holds twice as many from then on. Probes are placed by their Sequence
//! Number, so a clock that jumps or a reply that comes late moves nothing.

use serde::{Deserialize, Serialize};
use stamp_proto::time::WallTime;

use super::instant::Instant;
use super::record::Directions;

/// Steps before neighbours are joined.
const MOST_STEPS: usize = 1_024;

/// One sample as a series takes it, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Sequence Number of the probe.
    pub sequence: u32,
    /// When it left (T1).
    pub probe_sent: WallTime,
    /// Delay there, if it was measured.
    pub forward: Option<i64>,
    /// Delay back, if it was measured.
    pub backward: Option<i64>,
    /// Both.
    pub round_trip: i64,
}

/// Delay and loss over time while a run goes on.
#[derive(Clone, Debug)]
pub struct Series {
    probes_per_step: u64,
    /// The highest Sequence Number so far, counted on beyond 2^32.
    highest: Option<u64>,
    steps: Vec<Option<Step>>,
}

impl Default for Series {
    fn default() -> Self {
        Self { probes_per_step: 1, highest: None, steps: Vec::new() }
    }
}

impl Series {
    /// A probe was answered.
    pub fn sample(&mut self, point: Point) {
        let step = self.step(point.sequence, point.probe_sent);
        step.received += 1;
        point.forward.into_iter().for_each(|ns| step.forward.take(ns));
        point.backward.into_iter().for_each(|ns| step.backward.take(ns));
        step.round_trip.take(point.round_trip);
    }

    /// A probe was lost.
    pub fn lost(&mut self, sequence: u32, probe_sent: WallTime) {
        self.step(sequence, probe_sent).lost += 1;
    }

    /// All of it; steps in which nothing was sent are left out.
    #[must_use]
    pub fn record(&self) -> SeriesRecord {
        SeriesRecord {
            probes_per_step: self.probes_per_step,
            steps: self.steps.iter().flatten().map(Step::record).collect(),
        }
    }

    fn step(&mut self, sequence: u32, probe_sent: WallTime) -> &mut Step {
        let position = self.unwrap(sequence);
        while position / self.probes_per_step >= MOST_STEPS as u64 {
            self.join_neighbours();
        }
        let index = usize::try_from(position / self.probes_per_step).unwrap_or(0);
        if index >= self.steps.len() {
            self.steps.resize_with(index + 1, || None);
        }
        let step = self.steps[index].get_or_insert_with(|| Step::new(position, probe_sent));
        step.begin(position, probe_sent);
        step
    }

    /// The Sequence Number counted on beyond 2^32: the one closest to the highest so far.
    fn unwrap(&mut self, sequence: u32) -> u64 {
        let Some(highest) = self.highest else {
            self.highest = Some(sequence.into());
            return sequence.into();
        };
        let ahead = sequence.wrapping_sub(highest as u32).cast_signed();
        let position = highest.saturating_add_signed(ahead.into());
        self.highest = Some(highest.max(position));
        position
    }

    fn join_neighbours(&mut self) {
        self.probes_per_step *= 2;
        let joined = self.steps.chunks(2).map(|pair| match pair {
            [Some(early), Some(late)] => Some(early.joined(late)),
            [one, other] => one.clone().or_else(|| other.clone()),
            rest => rest.first().cloned().flatten(),
        });
        self.steps = joined.collect();
    }
}

#[derive(Clone, Debug)]
struct Step {
    position: u64,
    began: WallTime,
    received: u64,
    lost: u64,
    forward: Spread,
    backward: Spread,
    round_trip: Spread,
}

impl Step {
    fn new(position: u64, began: WallTime) -> Self {
        Self {
            position,
            began,
            received: 0,
            lost: 0,
            forward: Spread::default(),
            backward: Spread::default(),
            round_trip: Spread::default(),
        }
    }

    /// A lost probe is heard of after later ones: the earliest gives the time.
    fn begin(&mut self, position: u64, probe_sent: WallTime) {
        if position < self.position {
            self.position = position;
            self.began = probe_sent;
        }
    }

    fn joined(&self, late: &Self) -> Self {
        Self {
            received: self.received + late.received,
            lost: self.lost + late.lost,
            forward: self.forward.joined(late.forward),
            backward: self.backward.joined(late.backward),
            round_trip: self.round_trip.joined(late.round_trip),
            ..*self
        }
    }

    fn record(&self) -> StepRecord {
        StepRecord {
            // Back to what is on the wire.
            sequence: self.position as u32,
            time: Instant(self.began),
            received: self.received,
            lost: self.lost,
            delay_ns: Directions {
                forward: self.forward.record(),
                backward: self.backward.record(),
                round_trip: self.round_trip.record(),
            },
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    count: u64,
    sum: i128,
    min: i64,
    max: i64,
}

impl Spread {
    fn take(&mut self, ns: i64) {
        *self = self.joined(Self { count: 1, sum: ns.into(), min: ns, max: ns });
    }

    fn record(self) -> Option<SpreadRecord> {
        if self.count == 0 {
            return None;
        }
        let mean = self.sum.div_euclid(i128::from(self.count));
        // A mean lies between two i64.
        Some(SpreadRecord { min: self.min, mean: mean as i64, max: self.max })
    }

    fn joined(self, other: Self) -> Self {
        match (self.count, other.count) {
            (_, 0) => self,
            (0, _) => other,
            _ => Self {
                count: self.count + other.count,
                sum: self.sum + other.sum,
                min: self.min.min(other.min),
                max: self.max.max(other.max),
            },
        }
    }
}

/// Delay and loss over time.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct SeriesRecord {
    /// Consecutive probes in each step.
    pub probes_per_step: u64,
    /// In the order of sending.
    pub steps: Vec<StepRecord>,
}

/// What happened to a few consecutive probes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StepRecord {
    /// Sequence Number of the first of them that is known about.
    pub sequence: u32,
    /// When that one left.
    pub time: Instant,
    /// How many were answered.
    pub received: u64,
    /// How many were lost.
    pub lost: u64,
    /// Delay of those answered; null when none was.
    pub delay_ns: Directions<Option<SpreadRecord>>,
}

/// Smallest, mean and largest value of a step, in nanoseconds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SpreadRecord {
    /// Smallest.
    pub min: i64,
    /// Mean.
    pub mean: i64,
    /// Largest.
    pub max: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> WallTime {
        WallTime::from_unix_ns(position as i64 * 1_000)
    }

    fn sample(series: &mut Series, position: u64, ns: i64) {
        series.sample(Point {
            sequence: position as u32,
            probe_sent: at(position),
            forward: Some(ns),
            backward: Some(2 * ns),
            round_trip: 3 * ns,
        });
    }

    #[test]
    fn a_short_run_keeps_every_probe() {
        let mut series = Series::default();
        sample(&mut series, 0, 10);
        sample(&mut series, 2, 30);
        series.lost(1, at(1));
        let record = series.record();
        assert_eq!(record.probes_per_step, 1);
        let seen: Vec<_> =
            record.steps.iter().map(|step| (step.sequence, step.received, step.lost)).collect();
        assert_eq!(seen, [(0, 1, 0), (1, 0, 1), (2, 1, 0)]);
        assert_eq!(record.steps[1].delay_ns.forward, None);
        let spread = SpreadRecord { min: 60, mean: 60, max: 60 };
        assert_eq!(record.steps[2].delay_ns.backward, Some(spread));
    }

    #[test]
    fn a_long_run_is_joined_and_loses_no_probe() {
        let mut series = Series::default();
        for position in 0..100_000 {
            if position % 1_000 == 7 {
                series.lost(position as u32, at(position));
            } else {
                sample(&mut series, position, position as i64);
            }
        }
        let record = series.record();
        assert!(record.steps.len() <= MOST_STEPS, "{}", record.steps.len());
        assert_eq!(record.probes_per_step, 128);
        assert_eq!(record.steps.iter().map(|step| step.lost).sum::<u64>(), 100);
        assert_eq!(record.steps.iter().map(|step| step.received).sum::<u64>(), 99_900);
        let first = record.steps[0].delay_ns.forward.unwrap();
        assert_eq!((first.min, first.max), (0, 127));
        assert_eq!(record.steps[3].time, Instant(at(384)));
    }

    #[test]
    fn the_sequence_may_wrap() {
        let mut series = Series::default();
        for position in u64::from(u32::MAX) - 2..=u64::from(u32::MAX) + 3 {
            sample(&mut series, position, 5);
        }
        let record = series.record();
        assert_eq!(record.steps.iter().map(|step| step.received).sum::<u64>(), 6);
        assert!(record.probes_per_step > 1);
    }

    #[test]
    fn the_earliest_probe_of_a_step_gives_its_time() {
        let mut series = Series::default();
        sample(&mut series, 5_000, 1);
        sample(&mut series, 4, 1);
        series.lost(1, at(1));
        let record = series.record();
        assert_eq!((record.steps[0].sequence, record.steps[0].time), (1, Instant(at(1))));
    }
}
