//! From what happens to the objects of the stream.

use stamp_proto::time::{TimeDelta, WallTime};
use stamp_session::sender::{
    AccessReportStatus, DelayChange, DelayCriterion, End, FallbackChange, LossChange, Marked,
    Outcome, PaceChange, Sample, SenderEvent, SessionState, StateChange, ThresholdState,
};
use stamp_session::statistics::Reason;
use stamp_worker::sender::Trouble;

use super::entry::{Counters, Entry, Event, SampleEntry, SampleStamps};
use crate::output::flags;
use crate::output::gather;
use crate::output::heard::{Tally, trouble_record};
use crate::output::instant::Instant;
use crate::output::record::{ReflectorMode, TroubleKind};

impl Entry {
    /// A datagram that came in.
    pub(super) fn outcome(session: &str, outcome: &Outcome, now: WallTime) -> Self {
        let (session, time) = (session.to_owned(), Instant(now));
        match outcome {
            Outcome::Sample(sample) => Self::Sample(SampleEntry::new(session, sample, false)),
            Outcome::Late(sample) => Self::Late(SampleEntry::new(session, sample, true)),
            Outcome::Duplicate { sequence } => {
                Self::Duplicate { session, time, sequence: *sequence }
            }
            Outcome::Rejected(reason) => {
                Self::Rejected { session, time, reason: reason.label().to_owned() }
            }
        }
    }

    /// A complaint of the network or the kernel.
    pub(super) fn trouble(session: &str, trouble: Trouble, now: WallTime) -> Self {
        let (session, time) = (session.to_owned(), Instant(now));
        let record = trouble_record(trouble);
        match record.kind {
            TroubleKind::Icmp => Self::Icmp {
                session,
                time,
                sequence: record.first_sequence,
                what: record.what,
                offender: record.offender,
                mtu_octets: record.mtu_octets,
                largest_payload_octets: record.largest_payload_octets,
            },
            TroubleKind::NotSent => Self::Unsent {
                session,
                time,
                sequence: record.first_sequence,
                count: 1,
                reason: record.what,
                mtu_octets: record.mtu_octets,
                largest_payload_octets: record.largest_payload_octets,
            },
        }
    }

    /// Something beside a reply; nothing for what `end` says.
    pub fn event(session: &str, event: &SenderEvent, tally: &Tally, now: WallTime) -> Option<Self> {
        let (name, time) = (session.to_owned(), Instant(now));
        let unsent = |sequence, count, reason: &str| Self::Unsent {
            session: session.to_owned(),
            time,
            sequence,
            count,
            reason: reason.to_owned(),
            mtu_octets: None,
            largest_payload_octets: None,
        };
        Some(match *event {
            SenderEvent::Lost { sequence, probe_sent } => {
                Self::Lost { session: name, sequence, time: Instant(probe_sent), direction: None }
            }
            SenderEvent::LossDirection { first, last, forward, backward } => Self::LossDirection {
                session: name,
                time,
                sequences: (first, last),
                forward,
                backward,
            },
            SenderEvent::MissedSlots { count } => unsent(None, count, "missed_slot"),
            SenderEvent::Unsent { sequence, reason } => unsent(Some(sequence), 1, reason.label()),
            SenderEvent::ReflectorMode { stateful } => Self::ReflectorMode {
                session: name,
                time,
                mode: if stateful { ReflectorMode::Stateful } else { ReflectorMode::Stateless },
            },
            SenderEvent::ZeroSsid => Self::ZeroSsid { session: name, time },
            SenderEvent::State(change) => Self::State(state(&change, Event::new(name, tally, now))),
            SenderEvent::Delay(change) => Self::Delay(delay(&change, Event::new(name, tally, now))),
            SenderEvent::Loss(change) => Self::Loss(loss(&change, Event::new(name, tally, now))),
            SenderEvent::Fallback(change) => {
                Self::Fallback(fallback(&change, Event::new(name, tally, now)))
            }
            SenderEvent::ReflectorRestart { sequence, reflector_sequence } => {
                Self::ReflectorRestart(Event {
                    value: Some(reflector_sequence.into()),
                    sequences: Some((sequence, sequence)),
                    reason: Some("counter".to_owned()),
                    ..Event::new(name, tally, now)
                })
            }
            SenderEvent::ClockStep { end, by, at } => Self::Clock(Event {
                time: Instant(at.wall),
                monotonic_ns: Some(at.monotonic.ns()),
                value: Some(by.ns()),
                reason: Some(match end {
                    End::Near => "near_step".to_owned(),
                    End::Far => "far_step".to_owned(),
                }),
                ..Event::new(name, tally, now)
            }),
            SenderEvent::Pace(change) => Self::Pace(pace(&change, Event::new(name, tally, now))),
            SenderEvent::AccessReport(status) => {
                Self::AccessReport(access_report(status, Event::new(name, tally, now)))
            }
            SenderEvent::FarClock(state) => Self::Clock(Event {
                to: Some(synchronized(state.synchronized).to_owned()),
                value: state.error_bound_ns.and_then(|ns| i64::try_from(ns).ok()),
                reason: Some("far_clock".to_owned()),
                ..Event::new(name, tally, now)
            }),
            SenderEvent::FarClockLearned(state) => Self::Clock(Event {
                to: Some(
                    state.map_or("unknown", |state| synchronized(state.synchronized)).to_owned(),
                ),
                value: state
                    .and_then(|state| state.error_bound_ns)
                    .and_then(|ns| i64::try_from(ns).ok()),
                reason: Some("far_clock_learned".to_owned()),
                ..Event::new(name, tally, now)
            }),
            SenderEvent::Finished => return None,
        })
    }
}

const fn synchronized(synchronized: bool) -> &'static str {
    if synchronized { "synchronized" } else { "unsynchronized" }
}

fn state(change: &StateChange, event: Event) -> Event {
    Event {
        time: Instant(change.at.wall),
        monotonic_ns: Some(change.at.monotonic.ns()),
        direction: Some("round_trip".to_owned()),
        from: Some(change.from.label().to_owned()),
        to: Some(change.to.label().to_owned()),
        value: i64::try_from(change.run).ok(),
        sequences: Some((change.first, change.last)),
        reason: Some(if change.to == SessionState::Down {
            "consecutive_losses".to_owned()
        } else {
            "reply".to_owned()
        }),
        ..event
    }
}

fn delay(change: &DelayChange, event: Event) -> Event {
    Event {
        time: Instant(change.at.wall),
        monotonic_ns: Some(change.at.monotonic.ns()),
        direction: Some(change.direction.label().to_owned()),
        from: Some(change.from().label().to_owned()),
        to: Some(change.to.label().to_owned()),
        value: Some(change.value.ns()),
        limit: Some(change.limit.ns()),
        sequences: Some((change.first, change.last)),
        clock_synchronized: Some(change.clock_synchronized),
        reason: Some(change.criterion.map_or("within_limit", DelayCriterion::label).to_owned()),
        ..event
    }
}

fn loss(change: &LossChange, event: Event) -> Event {
    let reason = match change.to {
        ThresholdState::Exceeded => "lost_of_last",
        _ => "within_limit",
    };
    Event {
        time: Instant(change.at.wall),
        monotonic_ns: Some(change.at.monotonic.ns()),
        direction: Some(change.direction.label().to_owned()),
        from: Some(change.from().label().to_owned()),
        to: Some(change.to.label().to_owned()),
        value: Some(change.lost.into()),
        limit: Some(change.limit.into()),
        sequences: Some((change.first, change.last)),
        clock_synchronized: Some(change.clock_synchronized),
        reason: Some(reason.to_owned()),
        ..event
    }
}

fn fallback(change: &FallbackChange, event: Event) -> Event {
    let modes = ["enhanced-loopback", "loopback"].map(str::to_owned);
    let [stamped, plain] = modes;
    let (from, to) = if change.is_active() { (stamped, plain) } else { (plain, stamped) };
    Event {
        time: Instant(change.at.wall),
        monotonic_ns: Some(change.at.monotonic.ns()),
        from: Some(from),
        to: Some(to),
        value: Some(change.run.into()),
        sequences: Some((change.first, change.last)),
        reason: Some(change.reason.label().to_owned()),
        ..event
    }
}

fn access_report(status: AccessReportStatus, event: Event) -> Event {
    Event {
        to: Some(status.state.label().to_owned()),
        value: Some(status.sent.into()),
        sequences: status.sequence.map(|sequence| (sequence, sequence)),
        ..event
    }
}

fn pace(change: &PaceChange, event: Event) -> Event {
    let direction = change.marked.map(|marked| match marked {
        Marked::Forward => "forward",
        Marked::Backward => "backward",
    });
    Event {
        time: Instant(change.at.wall),
        monotonic_ns: Some(change.at.monotonic.ns()),
        direction: direction.map(str::to_owned),
        value: i64::try_from(change.interval.as_nanos()).ok(),
        sequences: Some((change.sequence, change.sequence)),
        reason: Some(if direction.is_some() { "congestion" } else { "no_congestion" }.to_owned()),
        ..event
    }
}

impl Event {
    /// With what was counted until then.
    pub fn new(session: String, tally: &Tally, now: WallTime) -> Self {
        Self {
            time: Instant(now),
            session,
            clock_synchronized: tally.clock_synchronized,
            counters: Counters {
                received: tally.received,
                lost: tally.lost,
                duplicate: tally.duplicate,
                late: tally.late,
                rejected: tally.rejected,
            },
            ..Self::default()
        }
    }
}

impl SampleEntry {
    fn new(session: String, sample: &Sample, late: bool) -> Self {
        Self {
            session,
            sequence: sample.sequence,
            time: Instant(sample.probe_sent.time),
            forward_ns: sample.forward_delay.map(TimeDelta::ns),
            backward_ns: sample.backward_delay.map(TimeDelta::ns),
            round_trip_ns: sample.round_trip.ns(),
            residence_ns: sample.residence.map(TimeDelta::ns),
            hops: sample.forward_hops,
            dscp: sample.traffic_class.map(|(dscp, _)| dscp.value()),
            flags: flags::labels(sample, late).into_iter().map(str::to_owned).collect(),
            backward_hops: sample.backward_hops,
            ecn: sample.traffic_class.map(|(_, ecn)| ecn.bits()),
            reflector_sequence: sample.reflector_sequence,
            error_bound_ns: sample.error_bound_ns,
            stamps: SampleStamps {
                probe_sent: gather::source(sample.probe_sent.source),
                probe_received: None,
                reply_sent: None,
                reply_received: gather::source(sample.reply_received.source),
            },
        }
    }
}
