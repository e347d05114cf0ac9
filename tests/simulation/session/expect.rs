//! What a session must find, worked out from the record by definition.
//!
//! Written from the documents and not from the engine: lists and searches instead of counters, all
//! of a run at once instead of step by step.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use stamp_session::sender::{Schedule, Stamping};

use super::fallback::Rules;
use super::scenario::{Node, Scenario};
use super::world::{Arrival, Left, Record, SentProbe};

/// What became of a probe that took a Sequence Number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    Unsent,
    Received(usize),
    Lost,
    /// It asked once more a node that had not stamped: it says nothing of the path.
    TrialLost,
}

/// What a datagram is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Sample,
    Late,
    Duplicate,
    Rejected,
}

/// The four instants of an arrival in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instants {
    pub(crate) t1: i64,
    pub(crate) t2: i64,
    pub(crate) t3: i64,
    pub(crate) t4: i64,
}

impl Instants {
    pub(crate) fn forward(&self) -> i64 {
        self.t2 - self.t1
    }

    pub(crate) fn backward(&self) -> i64 {
        self.t4 - self.t3
    }

    pub(crate) fn round_trip(&self) -> i64 {
        (self.t4 - self.t1) - (self.t3 - self.t2)
    }

    pub(crate) fn residence(&self) -> i64 {
        self.t3 - self.t2
    }
}

/// A state change: up or down, by which probes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Turn {
    pub(crate) up: bool,
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) run: u64,
}

/// Everything that must come out.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// Probes with a Sequence Number of their own, in the order of sending.
    pub(crate) probes: Vec<SentProbe>,
    pub(crate) fates: Vec<Fate>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) turns: Vec<Turn>,
    /// Of a session that may do without timestamps.
    pub(crate) fallback: Option<Rules>,
    /// Of a fixed schedule; the slots of a random one are known to the engine alone.
    pub(crate) missed: Option<u64>,
}

pub(crate) struct Judge<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) record: &'a Record,
    index_of: HashMap<u32, usize>,
    expected: Expected,
    /// Probes before this one are decided.
    decided: usize,
    lost: Vec<usize>,
    highest_received: Option<usize>,
    up: Option<bool>,
    answered: Vec<bool>,
}

impl<'a> Judge<'a> {
    pub(crate) fn judge(scenario: &'a Scenario, record: &'a Record) -> Expected {
        // A refused probe gives its number back when no other was written after it.
        let took_number =
            |probe: &&SentProbe| !(probe.left == Left::Refused && probe.last_of_batch);
        let probes: Vec<SentProbe> = record.probes.iter().filter(took_number).copied().collect();
        let fates = vec![Fate::Unsent; probes.len()];
        let config = &scenario.config;
        let fallback = config.timestamp_fallback.then(|| Rules::new(config.packet_loss_count));
        let mut judge = Self {
            scenario,
            record,
            index_of: probes
                .iter()
                .enumerate()
                .map(|(index, probe)| (probe.sequence, index))
                .collect(),
            answered: vec![false; probes.len()],
            expected: Expected { probes, fates, fallback, ..Expected::default() },
            decided: 0,
            lost: Vec::new(),
            highest_received: None,
            up: None,
        };
        judge.walk();
        judge.expected.missed = judge.missed();
        judge.expected
    }

    fn walk(&mut self) {
        let (mut read, mut written) = (0, 0);
        for (&(now, arrivals), &probes) in self.record.wakes.iter().zip(&self.record.written) {
            for index in read..arrivals {
                let arrival = self.record.arrivals[index];
                self.expire(self.arrived_at(&arrival));
                let kind = self.kind(index, &arrival);
                self.expected.kinds.push(kind);
            }
            read = arrivals;
            self.expire(now);
            if let Some(rules) = &mut self.expected.fallback {
                for probe in &self.record.probes[written..probes] {
                    assert_eq!(probe.asks, rules.sent(probe.sequence), "{}", probe.sequence);
                }
            }
            written = probes;
        }
    }

    /// By its stamp, unless our clock was set while it waited: then nobody can tell.
    fn arrived_at(&self, arrival: &Arrival) -> u64 {
        let near = &self.scenario.near;
        if near.ahead_ns(arrival.at_ns) == near.ahead_ns(arrival.read_ns) {
            arrival.at_ns
        } else {
            arrival.read_ns
        }
    }

    fn expire(&mut self, until_ns: u64) {
        while let Some(probe) = self.expected.probes.get(self.decided) {
            if probe.left == Left::Yes && !matches!(self.fate(), Fate::Received(_)) {
                if probe.at_ns + self.scenario.timeout_ns() > until_ns {
                    return;
                }
                self.lose();
            }
            self.decided += 1;
        }
    }

    fn fate(&self) -> Fate {
        self.expected.fates[self.decided]
    }

    fn lose(&mut self) {
        let index = self.decided;
        let (sequence, asks) = (self.sequence(index), self.expected.probes[index].asks);
        if let Some(rules) = &mut self.expected.fallback {
            let is_trial = rules.trials.contains(&sequence);
            rules.lost(sequence, asks);
            if is_trial {
                self.expected.fates[index] = Fate::TrialLost;
                return;
            }
        }
        self.expected.fates[index] = Fate::Lost;
        self.lost.push(index);
        let run = self.run();
        if self.up == Some(true) && run.len() as u32 >= self.scenario.config.packet_loss_count {
            let (first, last, run) =
                (self.sequence(run[0]), self.sequence(index), run.len() as u64);
            self.turn(Turn { up: false, first, last, run });
        }
    }

    /// Losses after the highest received probe.
    fn run(&self) -> Vec<usize> {
        let is_after =
            |index: &&usize| self.highest_received.is_none_or(|highest| **index > highest);
        self.lost.iter().filter(is_after).copied().collect()
    }

    fn kind(&mut self, arrival_index: usize, arrival: &Arrival) -> Kind {
        if arrival.corrupted {
            return Kind::Rejected;
        }
        let index = self.index_of[&arrival.sequence];
        if std::mem::replace(&mut self.answered[index], true) {
            return Kind::Duplicate;
        }
        let instants = self.instants(arrival);
        if instants.t4 < instants.t1 && !self.spans_near_step(arrival) {
            self.answered[index] = false;
            return Kind::Rejected;
        }
        if matches!(self.expected.fates[index], Fate::Lost | Fate::TrialLost) {
            return Kind::Late;
        }
        self.expected.fates[index] = Fate::Received(arrival_index);
        let run = self.run().len() as u64;
        let probe = &self.expected.probes[index];
        let stamping = stamping(self.scenario, probe, arrival, &instants);
        if let Some(rules) = &mut self.expected.fallback {
            if self.up == Some(false) {
                rules.outage_over();
            }
            rules.returned(arrival.sequence, probe.asks, stamping);
        }
        if self.up != Some(true) {
            let sequence = arrival.sequence;
            self.turn(Turn { up: true, first: sequence, last: sequence, run });
        }
        self.highest_received = self.highest_received.max(Some(index));
        Kind::Sample
    }

    fn turn(&mut self, turn: Turn) {
        self.up = Some(turn.up);
        self.expected.turns.push(turn);
    }

    fn sequence(&self, index: usize) -> u32 {
        self.expected.probes[index].sequence
    }

    fn instants(&self, arrival: &Arrival) -> Instants {
        let probe = &self.expected.probes[self.index_of[&arrival.sequence]];
        instants(self.scenario, probe, arrival)
    }

    fn spans_near_step(&self, arrival: &Arrival) -> bool {
        let probe = &self.expected.probes[self.index_of[&arrival.sequence]];
        spans_near_step(self.scenario, probe, arrival)
    }

    /// Slots of a fixed schedule that no wake came for within an interval.
    fn missed(&self) -> Option<u64> {
        let Schedule::Fixed { .. } = self.scenario.config.schedule else {
            return None;
        };
        let interval = self.scenario.interval_ns();
        let slots = 0..self.scenario.config.count.unwrap();
        let wakes: Vec<u64> = self.record.wakes.iter().map(|(at_ns, _)| *at_ns).collect();
        let is_missed = |slot: &u64| {
            let in_time: RangeInclusive<u64> = slot * interval..=slot * interval + interval - 1;
            !wakes.iter().any(|wake| in_time.contains(wake))
        };
        Some(slots.filter(is_missed).count() as u64)
    }
}

pub(crate) fn instants(scenario: &Scenario, probe: &SentProbe, arrival: &Arrival) -> Instants {
    let written = scenario.near.unix_ns(probe.at_ns);
    // A stamp more than a second away is of another clock, or ours was set under it.
    let stamped = probe.stamped.filter(|stamped| (stamped - written).abs() <= 1_000_000_000);
    let t2 = scenario.far.clock.unix_ns(arrival.reached_far_ns);
    // Nobody writes down when a probe goes on: its stay is a part of the way back.
    let residence_ns = match scenario.config.measurement.looped() {
        Some(_) => 0,
        None => arrival.left_far_ns - arrival.reached_far_ns,
    };
    Instants {
        t1: stamped.unwrap_or(written),
        t2,
        t3: t2 + residence_ns as i64,
        t4: scenario.near.unix_ns(arrival.at_ns),
    }
}

/// What a session must make of T2 in a probe that came back itself.
pub(crate) fn stamping(
    scenario: &Scenario,
    probe: &SentProbe,
    arrival: &Arrival,
    instants: &Instants,
) -> Stamping {
    let Some(node) = scenario.node(arrival.reached_far_ns).filter(|_| probe.asks) else {
        return Stamping::NotAsked;
    };
    match node {
        Node::Stamps if is_contradicted(scenario, probe, arrival, instants) => {
            Stamping::Implausible
        }
        Node::Stamps => Stamping::Stamped,
        Node::Elsewhere(offset) => Stamping::Elsewhere { offset },
        Node::PoppedEarly | Node::Unknowing => Stamping::Missing,
    }
}

/// Both clocks claim to be good, and T2 is outside of the flight by more than they are wrong.
fn is_contradicted(
    scenario: &Scenario,
    probe: &SentProbe,
    arrival: &Arrival,
    instants: &Instants,
) -> bool {
    let claims = [Some(scenario.config.clock), scenario.config.far_clock];
    let claimed = claims.map(|clock| clock.filter(|clock| clock.synchronized));
    let [Some(near), Some(far)] = claimed else { return false };
    let error_ns = [near, far].iter().filter_map(|clock| clock.error_bound_ns).sum::<u64>() as i64;
    let flight = instants.t1 - error_ns..=instants.t4 + error_ns;
    !flight.contains(&instants.t2) && !spans_near_step(scenario, probe, arrival)
}

pub(crate) fn spans_near_step(scenario: &Scenario, probe: &SentProbe, arrival: &Arrival) -> bool {
    scenario.near.ahead_ns(probe.at_ns) != scenario.near.ahead_ns(arrival.read_ns)
}
