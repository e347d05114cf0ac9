//! What a session knows, as plain data.

use super::answers::AnswerCounts;
use super::direction::{Directional, Reflector};
use super::reason::RejectReason;
use super::state::Liveness;
use super::tally::Tally;
use super::threshold::ThresholdReport;
use super::{Seldom, Sender};
use crate::clock::ClockState;
use crate::snapshot::{
    ClockFinding, ClockReport, DelayReport, IpdvReport, Lost, PacketCounts, PathReport, PdvReport,
    ReflectorReport, Reordered, SessionSnapshot, SessionStanding, StampReport,
};
use crate::statistics::DelaySummary;

impl Sender {
    /// Everything since the session began.
    #[must_use]
    pub fn snapshot(&self) -> SessionSnapshot {
        self.report(&self.run, self.direction.losses())
    }

    /// Of [`Self::snapshot`] what takes no look through values.
    #[must_use]
    pub fn standing(&self) -> SessionStanding {
        SessionStanding {
            state: self.state(),
            connectivity: self.connectivity.report(),
            packets: self.packets(&self.run, self.direction.losses()),
            stamps: stamps(&self.run),
            reflector: self.reflector(),
            near_clock: self.config.clock,
            far_clock: self.far_clock_state(),
            far_clock_learned: self.learned_clock().is_some(),
            thresholds: self.threshold_states().map(Box::new),
        }
    }

    /// Everything since this was called last, or since the session began; starts a new window.
    ///
    /// A probe belongs to the window in which its fate is decided. What closes a window is this call
    /// alone: the smallest delay of the closed one is what percentages of
    /// [`DelayThreshold`](super::DelayThreshold) are of until the next.
    pub fn take_window(&mut self) -> SessionSnapshot {
        let losses = self.direction.losses();
        let fresh = losses.map(|losses| Directional {
            forward: losses.forward.saturating_sub(self.told.forward),
            backward: losses.backward.saturating_sub(self.told.backward),
        });
        if let Some(fresh) = fresh {
            // Follows what was told rather than what is known, as that may fall by a reordering.
            self.told.forward = self.told.forward.saturating_add(fresh.forward);
            self.told.backward = self.told.backward.saturating_add(fresh.backward);
        }
        if let Some(watch) = &mut self.watch {
            watch.close_window();
        }
        let report = self.report(&self.window, fresh);
        self.window.restart();
        report
    }

    /// Where each threshold stands; `None` where there is none.
    #[must_use]
    pub fn threshold_states(&self) -> Option<ThresholdReport> {
        let stateful = self.direction.reflector() == Reflector::Stateful;
        self.watch.as_ref().map(|watch| watch.report(stateful))
    }

    /// Memory the session takes now, but for keys and histograms it shares.
    #[must_use]
    pub fn memory_octets(&self) -> usize {
        [
            self.pending.heap_octets(),
            self.events.heap_octets(),
            self.fallback.heap_octets(),
            self.watch.as_ref().map_or(0, |watch| watch.heap_octets()),
            self.run.heap_octets(),
            self.window.heap_octets(),
            self.seldom.as_deref().map_or(0, Seldom::octets),
        ]
        .into_iter()
        .fold(size_of::<Self>(), usize::saturating_add)
    }

    fn report(&self, tally: &Tally, losses: Option<Directional>) -> SessionSnapshot {
        let packets = self.packets(tally, losses);
        let lost = packets.lost.round_trip.saturating_sub(packets.lost.local);
        let answers = self.answers(tally, lost);
        let delay = DelayReport {
            forward: tally.forward.summary(lost),
            backward: tally.backward.summary(lost),
            round_trip: tally.round_trip.summary(lost),
            residence: tally.residence.summary(lost),
        };
        SessionSnapshot {
            state: self.state(),
            liveness: Liveness::of(self.state(), self.timetable.next_slot().is_some()),
            connectivity: self.connectivity.report(),
            finished: self.finished,
            timeout: self.config.timeout,
            next_sequence: self.pending.next_sequence(),
            packets,
            delay,
            ipdv: IpdvReport {
                forward: tally.forward_variation.summary(),
                backward: tally.backward_variation.summary(),
                round_trip: tally.round_trip_variation.summary(),
            },
            pdv: PdvReport {
                forward: delay.forward.into(),
                backward: delay.backward.into(),
                round_trip: delay.round_trip.into(),
            },
            loss_pattern: tally.loss.pattern(),
            clock: self.clocks(tally, &delay),
            stamps: stamps(tally),
            reflector: self.reflector(),
            path: PathReport {
                forward_hops: tally.forward_hops,
                backward_hops: tally.backward_hops,
                remarked: tally.remarked,
                congestion_experienced: tally.congestion_experienced,
                reply_traffic_class: self.far_end.traffic_class,
            },
            tlvs: self.far_end.tlvs,
            tlv_counts: tally.tlvs,
            wants_no_reply: self.config.requests.wants_no_reply(),
            requests: answers.as_deref().map(|answers| answers.requests).unwrap_or_default(),
            answers,
            stamping: self.far_end.stamping,
            stamping_counts: tally.stamping(),
            fallback: self.fallback.report(),
            thresholds: self.threshold_states().map(Box::new),
            lateness: tally.lateness.summary(0),
            events_dropped: self.events.dropped(),
        }
    }

    fn reflector(&self) -> ReflectorReport {
        ReflectorReport {
            mode: match self.config.measurement.looped() {
                Some(_) => Reflector::Absent,
                None => self.direction.reflector(),
            },
            restarts: self.restarts.into(),
            format: self.far_end.format,
            zero_ssid: self.far_end.zero_ssid,
        }
    }

    /// Where nothing in a packet speaks for it, what was declared is all there is.
    fn far_clock_state(&self) -> Option<ClockState> {
        self.far_end.clock.or(self.config.far_clock)
    }

    fn answers(&self, tally: &Tally, lost: u64) -> Option<Box<AnswerCounts>> {
        let pace = self.seldom.as_deref().and_then(|seldom| seldom.pace.as_ref());
        let (asked, reporter) = (tally.answers.as_deref(), self.access_reporter());
        if asked.is_none() && pace.is_none() && reporter.is_none() {
            return None;
        }
        let mut answers = asked.map(|answers| answers.report(lost)).unwrap_or_default();
        if let Some(pace) = pace {
            answers.pace = pace.report();
        }
        if let Some(reporter) = reporter {
            answers.access_report = reporter.status();
        }
        Some(Box::new(answers))
    }

    fn packets(&self, tally: &Tally, losses: Option<Directional>) -> PacketCounts {
        let pattern = tally.loss.pattern();
        let counted = self.run.received.saturating_add(self.run.loss.pattern().lost);
        let directional = (self.direction.reflector() == Reflector::Stateful)
            .then_some(tally.directional_reordered);
        PacketCounts {
            sent: tally.sent,
            unsent: tally.unsent,
            received: tally.received,
            outstanding: match self.config.requests.wants_no_reply() {
                true if self.is_reported() => self.pending.undecided().into(),
                true => 0,
                false => self.run.sent.saturating_sub(counted),
            },
            duplicate: tally.duplicate,
            reordered: Reordered {
                round_trip: tally.reordered,
                forward: directional.map(|reordered| reordered.forward),
                backward: directional.map(|reordered| reordered.backward),
            },
            late: tally.late,
            rejected: tally.rejected,
            lost: Lost {
                round_trip: pattern.lost,
                forward: losses.map(|losses| losses.forward),
                backward: losses.map(|losses| losses.backward),
                local: tally.local_drops.min(pattern.lost),
                longest_run: pattern.longest_run,
            },
        }
    }

    fn clocks(&self, tally: &Tally, delay: &DelayReport) -> ClockReport {
        let near = self.config.clock;
        let far = self.far_clock_state();
        let contradicted = tally.stamping().implausible > 0;
        let far_error_ns = far.and_then(|far| far.error_bound_ns);
        let error_bound_ns =
            near.error_bound_ns.zip(far_error_ns).map(|(near, far)| near.saturating_add(far));
        ClockReport {
            near,
            far,
            far_learned: self.learned_clock().is_some(),
            synchronized: near.synchronized
                && far.is_some_and(|far| far.synchronized)
                && !contradicted,
            error_bound_ns,
            excluded: tally.excluded,
            findings: self.findings(tally, delay, near, far),
        }
    }

    fn findings(
        &self,
        tally: &Tally,
        delay: &DelayReport,
        near: ClockState,
        far: Option<ClockState>,
    ) -> Vec<ClockFinding> {
        let negative = |summary: DelaySummary| {
            let lowest = summary.min.filter(|_| summary.negative > 0)?;
            Some((summary.negative, lowest))
        };
        let formats_differ = self.far_end.format.is_some_and(|format| format != self.config.format);
        let near_steps = self.near_clock.steps;
        let far_steps = self.far_clock.steps;
        let contradicted = tally.rejected.get(RejectReason::ReceivedBeforeSent);
        [
            (!near.synchronized).then_some(ClockFinding::NearUnsynchronized),
            far.filter(|far| !far.synchronized).map(|_| ClockFinding::FarUnsynchronized),
            negative(delay.forward)
                .map(|(count, lowest)| ClockFinding::NegativeForward { count, lowest }),
            negative(delay.backward)
                .map(|(count, lowest)| ClockFinding::NegativeBackward { count, lowest }),
            (near_steps.count > 0).then_some(ClockFinding::NearStep {
                count: near_steps.count,
                last: near_steps.last,
            }),
            (far_steps.count > 0)
                .then_some(ClockFinding::FarStep { count: far_steps.count, last: far_steps.last }),
            self.far_end
                .tai_offset
                .map(|offset| ClockFinding::TaiOffset { offset, formats_differ }),
            formats_differ.then_some(ClockFinding::MixedFormats),
            (contradicted > 0).then_some(ClockFinding::ClaimsContradicted { count: contradicted }),
            (tally.stamping().implausible > 0)
                .then_some(ClockFinding::FarImplausible { count: tally.stamping().implausible }),
            (self.stamps_apart > 0)
                .then_some(ClockFinding::StampsApart { count: self.stamps_apart.into() }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn stamps(tally: &Tally) -> StampReport {
    StampReport {
        probe_sent: tally.probe_sent,
        probe_received: None,
        reply_sent: None,
        reply_received: tally.reply_received,
    }
}
