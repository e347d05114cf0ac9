//! From what is known of a session to samples.

use stamp_proto::time::TimeDelta;
use stamp_session::clock::ClockState;
use stamp_session::sender::{ByDirection, MeasuredDirection, SessionHistograms};
use stamp_session::snapshot::{
    DelaySummary, SessionState, StampCounts, ThresholdReport, Transitions,
};
use stamp_session::statistics::{Counts, Histogram, Reason};
use stamp_session::te::{TeDelay, TeLoss, TeMode, TeState, TeSubTlv};

use super::{Announced, Now, Session, Window};
use crate::counters::Ways;
use crate::exposition::Samples;

/// Directions by the names they have in every output.
const WAYS: Ways<&str> = ["forward", "backward", "round_trip"];
/// Percentiles that every window has.
const PERCENTILES: [&str; 4] = ["50", "95", "99", "99.9"];

impl Session {
    pub(super) fn name(&self) -> &str {
        &self.identity.name
    }

    pub(super) fn is(&self, state: SessionState) -> bool {
        self.now.as_ref().is_some_and(|now| now.state == state)
    }

    fn thresholds(&self) -> Option<&ThresholdReport> {
        self.now.as_ref()?.thresholds.as_deref()
    }
}

pub(super) fn info(it: &Session, to: &mut Samples) {
    let who = &*it.identity;
    let reflector = it.now.as_ref().map_or("", |now| now.reflector.label());
    let labels = [
        &who.name,
        &who.target,
        &who.address,
        &who.source,
        &who.profile,
        &who.policy,
        who.mode,
        &who.dscp,
        &who.segments,
        &who.return_segments,
        reflector,
    ];
    let own = who.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    to.add_labelled(&labels, own, 1.0);
}

pub(super) fn direction_down(it: &Session, to: &mut Samples) {
    for way in [MeasuredDirection::Forward, MeasuredDirection::Backward] {
        to.truth(&[it.name(), way.label()], it.broken == Some(way));
    }
}

pub(super) fn state_transitions(it: &Session, to: &mut Samples) {
    to.count(&[it.name(), "up"], it.counters.ups);
    to.count(&[it.name(), "down"], it.counters.downs);
}

pub(super) fn lost(it: &Session, to: &mut Samples) {
    for (way, lost) in WAYS.into_iter().zip(it.counters.lost) {
        to.some(&[it.name(), way], lost.map(|lost| lost as f64));
    }
}

pub(super) fn unsent(it: &Session, to: &mut Samples) {
    reasons(it, &it.counters.unsent, to);
}

pub(super) fn rejected(it: &Session, to: &mut Samples) {
    reasons(it, &it.counters.rejected, to);
}

fn reasons<R: Reason, const N: usize>(it: &Session, counts: &Counts<R, N>, to: &mut Samples) {
    for (reason, count) in counts.iter() {
        to.count(&[it.name(), reason.label()], count);
    }
}

pub(super) fn stamps(it: &Session, to: &mut Samples) {
    let points =
        [("probe_sent", it.counters.probe_sent), ("reply_received", it.counters.reply_received)];
    for (point, StampCounts { user, kernel, hardware }) in points {
        for (source, count) in [("user", user), ("kernel", kernel), ("hardware", hardware)] {
            to.count(&[it.name(), point, source], count);
        }
    }
}

/// Delay of each way in the latest window.
fn delays(window: &Window) -> Ways<&DelaySummary> {
    let delay = &window.measured.delay;
    [&delay.forward, &delay.backward, &delay.round_trip]
}

pub(super) fn window_delay(it: &Session, to: &mut Samples) {
    let Some(window) = &it.window else { return };
    for (way, delay) in WAYS.into_iter().zip(delays(window)) {
        let values = [delay.p50, delay.p95, delay.p99, delay.p99_9];
        for (percentile, value) in PERCENTILES.into_iter().zip(values) {
            to.some(&[it.name(), way, percentile], value.map(in_seconds));
        }
    }
}

/// One figure of delay, each way.
pub(super) fn figure(it: &Session, to: &mut Samples, of: fn(&DelaySummary) -> Option<TimeDelta>) {
    let Some(window) = &it.window else { return };
    for (way, delay) in WAYS.into_iter().zip(delays(window)) {
        to.some(&[it.name(), way], of(delay).map(in_seconds));
    }
}

pub(super) fn variation(it: &Session, to: &mut Samples) {
    let Some(window) = &it.window else { return };
    let variation = &window.measured.pdv;
    let ways = [&variation.forward, &variation.backward, &variation.round_trip];
    for (way, above) in WAYS.into_iter().zip(ways) {
        let values = [above.p50, above.p95, above.p99, above.p99_9];
        for (percentile, value) in PERCENTILES.into_iter().zip(values) {
            to.some(&[it.name(), way, percentile], value.map(in_seconds));
        }
    }
}

/// Mean of the change of delay, each way.
pub(super) fn variation_mean(it: &Session, to: &mut Samples) {
    let Some(window) = &it.window else { return };
    let ipdv = &window.measured.ipdv;
    let ways = [&ipdv.forward, &ipdv.backward, &ipdv.round_trip];
    for (way, change) in WAYS.into_iter().zip(ways) {
        to.some(&[it.name(), way], change.mean_magnitude.map(in_seconds));
    }
}

pub(super) fn decided(it: &Session, to: &mut Samples) {
    let Some(window) = &it.window else { return };
    let packets = &window.measured.packets;
    let network = packets.lost.round_trip.saturating_sub(packets.lost.local);
    to.count(&[it.name()], packets.received.saturating_add(network));
}

pub(super) fn integrity(it: &Session, to: &mut Samples) {
    let percent = it.window.as_ref().and_then(|window| window.integrity_percent);
    to.some(&[it.name()], percent.map(|percent| f64::from(percent) / 100.0));
}

pub(super) fn loss(it: &Session, to: &mut Samples) {
    let Some(window) = &it.window else { return };
    let packets = &window.measured.packets;
    let ratios = [
        packets.direction_ratio(packets.lost.forward),
        packets.direction_ratio(packets.lost.backward),
        packets.loss_ratio(),
    ];
    for (way, ratio) in WAYS.into_iter().zip(ratios) {
        to.some(&[it.name(), way], ratio);
    }
}

pub(super) fn lag(it: &Session, to: &mut Samples) {
    let Some(window) = &it.window else { return };
    let lateness = &window.measured.lateness;
    let values = [lateness.p50, lateness.p95, lateness.p99, lateness.p99_9];
    for (percentile, value) in PERCENTILES.into_iter().zip(values) {
        to.some(&[it.name(), percentile], value.map(in_seconds));
    }
}

pub(super) fn delay_limit(it: &Session, to: &mut Samples) {
    let Some(thresholds) = it.thresholds() else { return };
    for (way, report) in thresholds.delay.iter() {
        let limit = report.and_then(|report| report.limit);
        to.some(&[it.name(), way.label()], limit.map(in_seconds));
    }
}

pub(super) fn loss_limit(it: &Session, to: &mut Samples) {
    let Some(thresholds) = it.thresholds() else { return };
    for (way, report) in thresholds.loss.iter() {
        to.some(&[it.name(), way.label()], report.map(|report| report.limit_ratio()));
    }
}

pub(super) fn exceeded(it: &Session, to: &mut Samples) {
    let Some(thresholds) = it.thresholds() else { return };
    for (way, report) in thresholds.delay.iter() {
        let latched = report.iter().map(|report| report.latched);
        latched.for_each(|is| to.truth(&[it.name(), way.label(), "delay"], is));
    }
    for (way, report) in thresholds.loss.iter() {
        let latched = report.iter().map(|report| report.latched);
        latched.for_each(|is| to.truth(&[it.name(), way.label(), "loss"], is));
    }
}

pub(super) fn crossings(it: &Session, to: &mut Samples) {
    let crossings = &it.counters.crossings;
    for (threshold, ways) in [("delay", crossings.delay), ("loss", crossings.loss)] {
        for (way, transitions) in WAYS.into_iter().zip(ways) {
            let Some(Transitions { exceeded, cleared }) = transitions else { continue };
            to.count(&[it.name(), way, threshold, "exceeded"], exceeded);
            to.count(&[it.name(), way, threshold, "cleared"], cleared);
        }
    }
}

pub(super) fn clock_synchronized(it: &Session, to: &mut Samples) {
    for (side, source, clock) in clocks(it) {
        to.truth(&[it.name(), side, source], clock.synchronized);
    }
}

pub(super) fn clock_error(it: &Session, to: &mut Samples) {
    for (side, source, clock) in clocks(it) {
        let bound = clock.error_bound_ns.map(|ns| ns as f64 / 1e9);
        to.some(&[it.name(), side, source], bound);
    }
}

/// One delay that is announced.
pub(super) fn announced(it: &Session, to: &mut Samples, of: fn(&TeState) -> Option<TeDelay>) {
    let value = it.announced.as_ref().and_then(|announced| of(&announced.state));
    to.some(&[it.name()], value.map(|delay| in_seconds(delay.delay())));
}

pub(super) fn announced_loss(it: &Session, to: &mut Samples) {
    let loss = it.announced.as_ref().and_then(|announced| announced.state.loss);
    to.some(&[it.name()], loss.map(TeLoss::ratio));
}

/// Which of the values that paths are computed with were taken from the round trip.
pub(super) fn derived(it: &Session, to: &mut Samples) {
    let Some(Announced { state, .. }) = &it.announced else { return };
    for (sub_tlv, mode) in
        [(TeSubTlv::MinMaxDelay, state.min_max_mode), (TeSubTlv::Loss, state.loss_mode)]
    {
        let modes = mode.into_iter();
        modes.for_each(|it_is| to.truth(&[it.name(), sub_tlv.label()], it_is == TeMode::Derived));
    }
}

pub(super) fn advertisements(it: &Session, to: &mut Samples) {
    if let Some(announced) = &it.announced {
        reasons(it, &announced.counts, to);
    }
}

pub(super) fn distribution(
    it: &Session,
    to: &mut Samples,
    of: fn(&SessionHistograms) -> &ByDirection<Histogram>,
) {
    let Some(histograms) = &it.histograms else { return };
    for (way, histogram) in of(histograms).iter() {
        to.histogram(&[it.name(), way.label()], histogram);
    }
}

/// Both clocks, as far as they are known, and how.
fn clocks(it: &Session) -> impl Iterator<Item = (&'static str, &'static str, ClockState)> {
    let source = |clock: ClockState| if clock.declared { "declared" } else { "detected" };
    let near = it.now.as_ref().map(|now| ("near", source(now.near), now.near));
    let far =
        it.now.as_ref().and_then(|Now { far, .. }| *far).map(|(clock, learned)| {
            ("far", if learned { "learned" } else { source(clock) }, clock)
        });
    near.into_iter().chain(far)
}

fn in_seconds(delta: TimeDelta) -> f64 {
    delta.ns() as f64 / 1e9
}
