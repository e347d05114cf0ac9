//! Loss of real traffic, from counters of both ends (RFC 8972 §4.5).

use stamp_proto::tlv::direct_measurement::DirectMeasurement;

use super::Sender;
use super::answers::{Answers, Told};
use super::serial::is_after;
use crate::traffic::TrafficCounters;

/// More packets than this cannot have been on the way, or between two readings of one counter, while
/// a reply came: who received so many more than were sent counts from another beginning.
const MOST_UNDER_WAY: u32 = 1 << 24;

/// Counters of both ends, as one reply brought them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TrafficReading {
    /// What the TLV tells.
    pub told: DirectMeasurement,
    /// Received by the Session-Sender when the reply arrived (S_RxC); `None`: its counters were unknown
    /// then, or when the probe was sent.
    pub sender_received: Option<u32>,
}

impl TrafficReading {
    pub(crate) const fn of(told: DirectMeasurement) -> Self {
        Self { told, sender_received: None }
    }
}

/// Real traffic one way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TrafficLoss {
    /// Packets sent.
    pub sent: u64,
    /// Packets received.
    pub received: u64,
}

impl TrafficLoss {
    /// Those that did not arrive. Below zero when more arrived than were sent: they were on the way
    /// before, or the two ends do not count the same traffic.
    #[must_use]
    pub const fn lost(self) -> i64 {
        self.sent.wrapping_sub(self.received).cast_signed()
    }

    const fn add(&mut self, sent: u32, received: u32) {
        // A u64 has room for 2^32 such steps.
        self.sent = self.sent.saturating_add(sent as u64);
        self.received = self.received.saturating_add(received as u64);
    }
}

/// What replies told of real traffic over a period.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TrafficSeries {
    /// Replies that told counters.
    pub told: u64,
    /// Replies that did not.
    pub refused: u64,
    /// Those of `told` for which our own counters were unknown.
    pub uncounted: u64,
    /// How often a counter began anew; what passed meanwhile is not counted.
    pub restarts: u64,
    /// Pairs of replies between which traffic was counted; without one the rest says nothing.
    pub intervals: u64,
    /// There.
    pub forward: TrafficLoss,
    /// Back.
    pub backward: TrafficLoss,
    last: Option<Point>,
    /// One that lies behind `last`: its probe was overtaken, or a counter began anew. The next tells.
    set_aside: Option<Point>,
}

/// All four counters at one probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Point {
    sequence: u32,
    told: DirectMeasurement,
    sender_received: u32,
}

/// What all four counters grew by.
#[derive(Clone, Copy, Debug)]
struct Step {
    forward: (u32, u32),
    backward: (u32, u32),
}

impl Point {
    /// `None` when one of the counters went back.
    fn since(&self, before: &Self) -> Option<Step> {
        let grown = |of: fn(&Self) -> u32| {
            let by = of(self).wrapping_sub(of(before));
            (!by.cast_signed().is_negative()).then_some(by)
        };
        let way = |sent: u32, received: u32| {
            (received <= sent.saturating_add(MOST_UNDER_WAY)).then_some((sent, received))
        };
        let forward = (
            grown(|point| point.told.sender_transmitted)?,
            grown(|point| point.told.reflector_received)?,
        );
        let backward = (
            grown(|point| point.told.reflector_transmitted)?,
            grown(|point| point.sender_received)?,
        );
        Some(Step { forward: way(forward.0, forward.1)?, backward: way(backward.0, backward.1)? })
    }
}

impl TrafficSeries {
    /// Empty, but with the point from which the next period counts.
    pub(super) fn restarted(&self) -> Self {
        Self { last: self.last, set_aside: self.set_aside, ..Self::default() }
    }

    /// Adds what the reply to the probe `sequence` told.
    pub(super) fn add(&mut self, sequence: u32, answer: Told<TrafficReading>) {
        match answer {
            Told::NotAsked => {}
            Told::Refused => self.refused = self.refused.saturating_add(1),
            Told::Told(TrafficReading { told, sender_received }) => {
                self.told = self.told.saturating_add(1);
                match sender_received {
                    Some(sender_received) => self.reach(Point { sequence, told, sender_received }),
                    None => self.uncounted = self.uncounted.saturating_add(1),
                }
            }
        }
    }

    fn reach(&mut self, point: Point) {
        let Some(last) = self.last else {
            self.last = Some(point);
            return;
        };
        let newest = self.set_aside.unwrap_or(last);
        if !is_after(point.sequence, newest.sequence) {
            return;
        }
        match (point.since(&last), self.set_aside.take()) {
            (Some(step), _) => self.go(point, Some(step)),
            (None, None) => self.set_aside = Some(point),
            // Two in a row: nobody was overtaken.
            (None, Some(aside)) => {
                self.restarts = self.restarts.saturating_add(1);
                self.go(point, point.since(&aside));
            }
        }
    }

    fn go(&mut self, to: Point, step: Option<Step>) {
        self.last = Some(to);
        if let Some(Step { forward, backward }) = step {
            self.intervals = self.intervals.saturating_add(1);
            self.forward.add(forward.0, forward.1);
            self.backward.add(backward.0, backward.1);
        }
    }
}

/// The counters of our own host.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NearTraffic {
    counters: Option<TrafficCounters>,
    /// The last probe that was sent without.
    uncounted: Option<u32>,
}

impl NearTraffic {
    pub(super) const fn set(&mut self, counters: Option<TrafficCounters>) {
        self.counters = counters;
    }

    /// What the probe `sequence` tells.
    pub(super) fn transmitted(&mut self, sequence: u32) -> u32 {
        if self.counters.is_none() {
            self.uncounted = Some(sequence);
        }
        self.counters.map_or(0, |counters| counters.transmitted)
    }

    /// Adds what only this end knows to the answer to the probe `sequence`.
    pub(super) fn complete(&mut self, sequence: u32, answers: &mut Answers) {
        if self.uncounted.is_some_and(|last| is_after(sequence, last)) {
            // Those before are behind it, and not looked at any more.
            self.uncounted = None;
        }
        if let (Told::Told(reading), None) = (&mut answers.direct_measurement, self.uncounted) {
            reading.sender_received = self.counters.map(|counters| counters.received);
        }
    }
}

impl Sender {
    /// The counters of our own host, where probes tell them.
    pub(super) fn near_traffic(&mut self) -> Option<&mut NearTraffic> {
        self.seldom.as_deref_mut()?.near_traffic.as_mut()
    }
}

#[cfg(test)]
mod tests;
