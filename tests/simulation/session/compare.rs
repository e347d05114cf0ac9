//! What a session found beside what it must find.

use stamp_proto::time::{TimeDelta, WallTime};
use stamp_session::sender::{
    Outcome, Sample, Schedule, SenderEvent, SessionState, Stamping, UnsentReason,
};
use stamp_session::snapshot::{PacketCounts, SessionSnapshot};

use super::exact::{Tolerance, assert_delay, assert_pdv, assert_variation};
use super::expect::{Expected, Fate, Judge, Kind, Turn};
use super::fallback;
use super::figures::{Figures, Received, Use};
use super::scenario::Scenario;
use super::world::{Left, Record};

/// What must be found.
pub(crate) struct Truth {
    pub(crate) expected: Expected,
    pub(crate) figures: Figures,
}

impl Truth {
    pub(crate) fn of(scenario: &Scenario, record: &Record) -> Self {
        let expected = Judge::judge(scenario, record);
        let figures = Figures::of(scenario, record, &expected);
        Self { expected, figures }
    }

    fn count(&self, kind: Kind) -> u64 {
        self.expected.kinds.iter().filter(|found| **found == kind).count() as u64
    }

    pub(crate) fn lost(&self) -> u64 {
        let lost = self.expected.fates.iter().zip(&self.expected.probes);
        lost.filter(|(fate, probe)| **fate == Fate::Lost && probe.left == Left::Yes).count() as u64
    }
}

/// Compares all that does not depend on the far end's count.
pub(crate) fn assert_agrees(scenario: &Scenario, record: &Record) -> Truth {
    let truth = Truth::of(scenario, record);
    let run = record.run.as_ref().unwrap();
    assert_outcomes(scenario, record, &truth);
    assert_packets(record, &truth, &run.packets);
    assert_slots(scenario, record, run);
    assert_fallback(record, &truth.expected, run);
    assert_delays(&truth, run);
    assert_turns(record, &truth.expected);
    assert_losses_told(record, &truth);
    assert_windows(record, run);
    assert_no_restart_is_made_up(scenario, record);
    truth
}

/// A far end whose count went on is not said to have restarted.
///
/// Two things look the same, though: replies to copies of probes, when they are lost themselves,
/// look like another sender in the session; and when a clock is set while probes overtake each
/// other, nobody can tell which of them was first.
fn assert_no_restart_is_made_up(scenario: &Scenario, record: &Record) {
    let copied = scenario.forward.duplicate_per_mille > 0;
    let steps = !scenario.near.steps.is_empty() || !scenario.far.clock.steps.is_empty();
    let confusing = scenario.far.stateful && (copied || (scenario.forward.overtaking && steps));
    if scenario.far.restarts_ns.is_empty() && !confusing {
        let told = |event: &&SenderEvent| matches!(event, SenderEvent::ReflectorRestart { .. });
        assert_eq!(record.events.iter().filter(told).count(), 0, "restarts");
    }
}

fn assert_outcomes(scenario: &Scenario, record: &Record, truth: &Truth) {
    let kinds: Vec<Kind> = record.outcomes.iter().map(kind_of).collect();
    assert_eq!(kinds, truth.expected.kinds, "outcomes");
    let samples = record.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Sample(sample) => Some(sample),
        _ => None,
    });
    for (sample, received) in samples.zip(&truth.figures.received) {
        assert_sample(scenario, sample, received);
    }
}

fn kind_of(outcome: &Outcome) -> Kind {
    match outcome {
        Outcome::Sample(_) => Kind::Sample,
        Outcome::Late(_) => Kind::Late,
        Outcome::Duplicate { .. } => Kind::Duplicate,
        Outcome::Rejected(_) => Kind::Rejected,
    }
}

fn assert_sample(scenario: &Scenario, sample: &Sample, received: &Received) {
    let Received { arrival, instants, stamping, one_way, .. } = received;
    let replied = scenario.config.measurement.looped().is_none();
    let sequence = arrival.sequence;
    assert_eq!(sample.sequence, sequence);
    assert_eq!(sample.reflector_sequence, replied.then_some(arrival.number));
    assert_eq!(sample.probe_sent.time.unix_ns(), instants.t1, "T1 of {sequence}");
    // What cannot be true is told, and is no delay.
    let t2 = (*one_way || *stamping == Stamping::Implausible).then_some(instants.t2);
    assert_eq!(sample.probe_received.map(WallTime::unix_ns), t2, "T2 of {sequence}");
    let t3 = replied.then_some(instants.t3);
    assert_eq!(sample.reply_sent.map(WallTime::unix_ns), t3, "T3 of {sequence}");
    assert_eq!(sample.reply_received.time.unix_ns(), instants.t4, "T4 of {sequence}");
    let ns = |delay: Option<TimeDelta>| delay.map(TimeDelta::ns);
    assert_eq!(ns(sample.forward_delay), one_way.then(|| instants.forward()));
    assert_eq!(ns(sample.backward_delay), one_way.then(|| instants.backward()));
    assert_eq!(sample.round_trip.ns(), instants.round_trip());
    assert_eq!(ns(sample.residence), replied.then(|| instants.residence()));
    assert_eq!(sample.reordered, received.overtaken, "order of {sequence}");
    assert_eq!(sample.clock_step, received.usable != Use::All, "steps at {sequence}");
    assert_eq!(sample.stamping, *stamping, "T2 of {sequence}");
}

fn assert_packets(record: &Record, truth: &Truth, found: &PacketCounts) {
    let left = |left| record.probes.iter().filter(|probe| probe.left == left).count() as u64;
    let trials_lost = truth.expected.fates.iter().filter(|fate| **fate == Fate::TrialLost);
    let trials_lost = trials_lost.count() as u64;
    assert_eq!(found.sent + trials_lost, left(Left::Yes), "sent");
    assert_eq!(found.unsent.get(UnsentReason::NoBuffer), left(Left::Refused), "refused");
    assert_eq!(found.unsent.get(UnsentReason::NoNeighbour), left(Left::Vanished), "vanished");
    if let Some(missed) = truth.expected.missed {
        assert_eq!(found.unsent.get(UnsentReason::MissedSlot), missed, "missed");
    }
    assert_eq!(found.received, truth.count(Kind::Sample), "received");
    assert_eq!(found.late, truth.count(Kind::Late), "late");
    assert_eq!(found.duplicate, truth.count(Kind::Duplicate), "duplicate");
    assert_eq!(found.rejected.total(), truth.count(Kind::Rejected), "rejected");
    assert_eq!(found.lost.round_trip, truth.lost(), "lost");
    assert_eq!(found.sent, found.received + found.lost.round_trip);
    assert_eq!(found.outstanding, 0);
    assert_eq!(found.lost.local, 0);
    let runs = &truth.figures.runs;
    assert_eq!(found.lost.longest_run, runs.iter().max().copied().unwrap_or(0), "longest run");
    let overtaken = truth.figures.received.iter().filter(|received| received.overtaken).count();
    assert_eq!(found.reordered.round_trip, overtaken as u64, "reordered");
    let run = record.run.as_ref().unwrap();
    assert_eq!(run.loss_pattern.bursts, runs.len() as u64, "bursts");
    assert_eq!(run.loss_pattern.lost, truth.lost());
    let ratio = (found.sent > 0).then(|| truth.lost() as f64 / found.sent as f64);
    assert_eq!(found.loss_ratio(), ratio);
}

/// Every slot was used or counted, and no probe left before its slot or an interval after it.
fn assert_slots(scenario: &Scenario, record: &Record, run: &SessionSnapshot) {
    let found = &run.packets;
    let trials_lost = run.fallback.map_or(0, |report| report.trials_lost);
    let used = found.sent + trials_lost + found.unsent.total();
    assert_eq!(used, scenario.config.count.unwrap(), "slots");
    for probe in &record.probes {
        let late = probe.at_ns.checked_sub(probe.intended_ns).expect("not before its slot");
        assert!(late < scenario.interval_ns(), "{late} ns late");
    }
    let intended = record.probes.iter().map(|probe| probe.intended_ns);
    assert!(intended.clone().is_sorted());
    if let Schedule::Fixed { .. } = scenario.config.schedule {
        let mut intended = intended;
        assert!(intended.all(|at_ns| at_ns % scenario.interval_ns() == 0), "slots do not drift");
    }
    let lateness = record.probes.iter().map(|probe| (probe.at_ns - probe.intended_ns) as i64);
    let most = lateness.max().map(TimeDelta::from_ns);
    assert_eq!(record.run.as_ref().unwrap().lateness.max, most);
}

fn assert_delays(truth: &Truth, run: &SessionSnapshot) {
    let figures = &truth.figures;
    let lost = truth.lost();
    // A first sample that no right clock can make moves the origin to its offset.
    let counts = |received: &&Received| received.usable == Use::All && received.one_way;
    let first = figures.received.iter().find(counts);
    let offset = first.map(|first| (first.instants.forward(), first.instants.backward()));
    let offset = offset.filter(|(forward, backward)| *forward < 0 || *backward < 0);
    let offset = offset.map_or(0, |(forward, backward)| (forward - backward).div_euclid(2));
    let delay = &run.delay;
    assert_delay("forward", &delay.forward, &figures.forward, lost, Tolerance::around(offset));
    assert_delay("backward", &delay.backward, &figures.backward, lost, Tolerance::around(-offset));
    assert_delay("round trip", &delay.round_trip, &figures.round_trip, lost, Tolerance::FINE);
    assert_delay("residence", &delay.residence, &figures.residence, lost, Tolerance::COARSE);
    assert_pdv("forward", &run.pdv.forward, &figures.forward);
    assert_pdv("backward", &run.pdv.backward, &figures.backward);
    assert_pdv("round trip", &run.pdv.round_trip, &figures.round_trip);
    assert_variation("forward", &run.ipdv.forward, &figures.forward_variation);
    assert_variation("backward", &run.ipdv.backward, &figures.backward_variation);
    assert_variation("round trip", &run.ipdv.round_trip, &figures.round_trip_variation);
    let excluded = figures.received.iter().filter(|received| received.usable != Use::All).count();
    assert_eq!(run.clock.excluded, excluded as u64, "excluded");
}

fn assert_turns(record: &Record, expected: &Expected) {
    let turns = record.events.iter().filter_map(|event| match event {
        SenderEvent::State(change) => Some(Turn {
            up: change.to == SessionState::Up,
            first: change.first,
            last: change.last,
            run: change.run,
        }),
        _ => None,
    });
    assert_eq!(turns.collect::<Vec<_>>(), expected.turns, "state changes");
}

/// Each change to plain loopback and back, and what it cost.
fn assert_fallback(record: &Record, expected: &Expected, run: &SessionSnapshot) {
    let Some(rules) = &expected.fallback else {
        assert_eq!(run.fallback, None);
        return;
    };
    let told = record.events.iter().filter_map(|event| match event {
        SenderEvent::Fallback(change) => Some(fallback::Turn {
            plain: change.is_active(),
            reason: change.reason.label(),
            first: change.first,
            last: change.last,
            run: u64::from(change.run),
        }),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), rules.turns, "changes");
    let report = run.fallback.expect("it may go over");
    let times = rules.turns.iter().filter(|turn| turn.plain).count() as u64;
    assert_eq!(report.count, times, "times");
    assert_eq!(report.active, rules.turns.last().is_some_and(|turn| turn.plain));
    let found = (report.plain, report.trials, report.trials_lost);
    let expected = (rules.plain_sent, rules.trials.len() as u64, rules.trials_lost);
    assert_eq!(found, expected, "plain, trials, trials lost");
}

/// Each loss is told once, in the order of sending.
fn assert_losses_told(record: &Record, truth: &Truth) {
    let told = record.events.iter().filter_map(|event| match event {
        SenderEvent::Lost { sequence, .. } => Some(*sequence),
        _ => None,
    });
    let lost = truth.expected.probes.iter().zip(&truth.expected.fates);
    let lost = lost.filter(|(probe, fate)| probe.left == Left::Yes && **fate == Fate::Lost);
    let lost: Vec<u32> = lost.map(|(probe, _)| probe.sequence).collect();
    assert_eq!(told.collect::<Vec<_>>(), lost, "losses");
    let finished = |event: &&SenderEvent| **event == SenderEvent::Finished;
    assert_eq!(record.events.iter().filter(finished).count(), 1);
}

/// Windows leave nothing out and count nothing twice.
fn assert_windows(record: &Record, run: &SessionSnapshot) {
    let sum = |of: fn(&SessionSnapshot) -> u64| record.windows.iter().map(of).sum::<u64>();
    assert_eq!(sum(|window| window.packets.received), run.packets.received);
    assert_eq!(sum(|window| window.packets.lost.round_trip), run.packets.lost.round_trip);
    assert_eq!(sum(|window| window.packets.duplicate), run.packets.duplicate);
    assert_eq!(sum(|window| window.packets.late), run.packets.late);
    assert_eq!(sum(|window| window.packets.rejected.total()), run.packets.rejected.total());
    assert_eq!(sum(|window| window.delay.forward.count), run.delay.forward.count);
    assert_eq!(sum(|window| window.ipdv.forward.count), run.ipdv.forward.count);
    let least = record.windows.iter().filter_map(|window| window.delay.round_trip.min).min();
    assert_eq!(least, run.delay.round_trip.min);
    let most = record.windows.iter().filter_map(|window| window.delay.backward.max).max();
    assert_eq!(most, run.delay.backward.max);
}
