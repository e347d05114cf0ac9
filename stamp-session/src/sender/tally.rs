//! Everything that is counted or summarised, over the whole run or over one window.

use core::time::Duration;

use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::time::{Stamp, StampSource, TimeDelta};

use super::answers::AnswerTally;
use super::config::SenderConfig;
use super::counter::Place;
use super::direction::Directional;
use super::mode::MeasurementMode;
use super::pending::Usable;
use super::reason::{RejectCounts, UnsentCounts};
use super::sample::{Sample, Variation};
use super::stamping::Stamping;
use super::timing::Timing;
use crate::clock::MonotonicTime;
use crate::snapshot::{HopRange, StampCounts, StampingCounts, TlvCounts};
use crate::statistics::{DelaySeries, LossSeries, Precision, VariationSeries};

/// Counters and series of one period.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) unsent: UnsentCounts,
    pub(super) received: u64,
    pub(super) duplicate: u64,
    pub(super) late: u64,
    pub(super) rejected: RejectCounts,
    pub(super) local_drops: u64,
    pub(super) reordered: u64,
    pub(super) directional_reordered: Directional,
    pub(super) excluded: u64,
    pub(super) remarked: u64,
    pub(super) congestion_experienced: u64,
    pub(super) loss: LossSeries,
    pub(super) forward: DelaySeries,
    pub(super) backward: DelaySeries,
    pub(super) round_trip: DelaySeries,
    pub(super) residence: DelaySeries,
    pub(super) lateness: DelaySeries,
    pub(super) forward_variation: VariationSeries,
    pub(super) backward_variation: VariationSeries,
    pub(super) round_trip_variation: VariationSeries,
    pub(super) probe_sent: StampCounts,
    pub(super) reply_received: StampCounts,
    pub(super) forward_hops: Option<HopRange>,
    pub(super) backward_hops: Option<HopRange>,
    pub(super) tlvs: TlvCounts,
    /// Only where something is asked.
    pub(super) answers: Option<Box<AnswerTally>>,
    /// Only where a node was to write timestamps.
    stamping: Option<Box<StampingCounts>>,
}

impl Tally {
    pub(super) fn new(config: &SenderConfig, start: MonotonicTime, precise: bool) -> Self {
        let loss = LossSeries::new(start, config.schedule.interval());
        let asks = config.requests.asks();
        let answers = asks.then(|| Box::new(AnswerTally::new(config, precise)));
        let [fine, coarse] =
            if precise { [Precision::Fine, Precision::Coarse] } else { [Precision::None; 2] };
        let delays = [fine, fine, fine, coarse, coarse].map(DelaySeries::new);
        let mut tally = Self::with(loss, delays, answers);
        tally.prepare(config);
        tally
    }

    /// Its first probe leaves at `start`; nothing was counted so far.
    pub(super) fn begin(&mut self, config: &SenderConfig, start: MonotonicTime) {
        self.loss = LossSeries::new(start, config.schedule.interval());
    }

    /// Empties it for the next period. On the packet thread, so what it has on the heap stays.
    pub(super) fn restart(&mut self) {
        let delays = self.series().map(|series| {
            series.clear();
            core::mem::take(series)
        });
        let mut answers = self.answers.take();
        if let Some(answers) = &mut answers {
            answers.restart();
        }
        let mut stamping = self.stamping.take();
        if let Some(stamping) = &mut stamping {
            **stamping = StampingCounts::default();
        }
        *self = Self { stamping, ..Self::with(self.loss.restarted(), delays, answers) };
    }

    fn with(loss: LossSeries, delays: [DelaySeries; 5], answers: Option<Box<AnswerTally>>) -> Self {
        let [forward, backward, round_trip, residence, lateness] = delays;
        Self {
            sent: 0,
            unsent: UnsentCounts::default(),
            received: 0,
            duplicate: 0,
            late: 0,
            rejected: RejectCounts::default(),
            local_drops: 0,
            reordered: 0,
            directional_reordered: Directional::default(),
            excluded: 0,
            remarked: 0,
            congestion_experienced: 0,
            loss,
            forward,
            backward,
            round_trip,
            residence,
            lateness,
            forward_variation: VariationSeries::default(),
            backward_variation: VariationSeries::default(),
            round_trip_variation: VariationSeries::default(),
            probe_sent: StampCounts::default(),
            reply_received: StampCounts::default(),
            forward_hops: None,
            backward_hops: None,
            tlvs: TlvCounts::default(),
            answers,
            stamping: None,
        }
    }

    fn series(&mut self) -> [&mut DelaySeries; 5] {
        let Self { forward, backward, round_trip, residence, lateness, .. } = self;
        [forward, backward, round_trip, residence, lateness]
    }

    /// Makes room for what is measured: among thousands of sessions, to ask for it when the first
    /// replies are here would make the probes of others late.
    fn prepare(&mut self, config: &SenderConfig) {
        let Self { forward, backward, round_trip, residence, lateness, .. } = self;
        lateness.prepare();
        let measured: &mut [&mut DelaySeries] = match config.measurement {
            _ if config.requests.wants_no_reply() => &mut [forward],
            MeasurementMode::OneWay => &mut [forward, round_trip, residence],
            MeasurementMode::Loopback(_) => &mut [round_trip],
            MeasurementMode::EnhancedLoopback(..) => &mut [forward, backward, round_trip],
            MeasurementMode::TwoWay => &mut [forward, backward, round_trip, residence],
        };
        measured.iter_mut().for_each(|series| series.prepare());
    }

    /// Octets on the heap.
    pub(super) fn heap_octets(&self) -> usize {
        [&self.forward, &self.backward, &self.round_trip, &self.residence, &self.lateness]
            .into_iter()
            .map(DelaySeries::heap_octets)
            .chain(self.answers.as_deref().map(AnswerTally::octets))
            .chain(self.stamping.as_deref().map(size_of_val))
            .fold(0, usize::saturating_add)
    }

    /// How timestamps were written that a node was to write.
    pub(super) fn stamping(&self) -> StampingCounts {
        self.stamping.as_deref().copied().unwrap_or_default()
    }

    pub(super) fn slot_used(&mut self, lateness: Duration) {
        self.sent = self.sent.saturating_add(1);
        let ns = i64::try_from(lateness.as_nanos()).unwrap_or(i64::MAX);
        self.lateness.record(TimeDelta::from_ns(ns));
    }

    pub(super) fn sample(&mut self, sample: &Sample, timing: &Timing, usable: Usable) {
        self.received = self.received.saturating_add(1);
        self.delays(timing, usable);
        count_stamp(&mut self.probe_sent, timing.probe_sent);
        count_stamp(&mut self.reply_received, timing.reply_received);
        self.forward_hops = widen(self.forward_hops, sample.forward_hops);
        self.backward_hops = widen(self.backward_hops, sample.backward_hops);
        self.tlvs.add(sample.tlvs);
        if let Some(answers) = &mut self.answers {
            answers.add(sample.sequence, &sample.answers);
        }
        if sample.stamping != Stamping::NotAsked {
            self.stamping.get_or_insert_default().add(sample.stamping);
        }
        self.remarked = self.remarked.saturating_add(sample.remarked.into());
        let marked = is_marked(sample.traffic_class);
        self.congestion_experienced = self.congestion_experienced.saturating_add(marked.into());
    }

    /// A probe whose arrival another host told.
    pub(super) fn reported(&mut self, timing: &Timing, usable: Usable) {
        self.received = self.received.saturating_add(1);
        if let Some(forward) = timing.forward_delay.filter(|_| usable == Usable::ForwardOnly) {
            self.forward.record(forward);
        } else {
            self.excluded = self.excluded.saturating_add(1);
        }
        count_stamp(&mut self.probe_sent, timing.probe_sent);
    }

    fn delays(&mut self, timing: &Timing, usable: Usable) {
        if usable != Usable::All {
            self.excluded = self.excluded.saturating_add(1);
        }
        if usable == Usable::Nothing {
            return;
        }
        if usable == Usable::ForwardOnly {
            if let Some(forward) = timing.forward_delay {
                self.forward.record(forward);
            }
            return;
        }
        self.round_trip.record(timing.round_trip);
        if let Some(residence) = timing.residence {
            self.residence.record(residence);
        }
        if usable == Usable::RoundTrip {
            return;
        }
        if let Some((forward, backward)) = timing.one_way()
            && self.forward.count() == 0
        {
            self.settle_origin(forward, backward);
        }
        if let Some(forward) = timing.forward_delay {
            self.forward.record(forward);
        }
        if let Some(backward) = timing.backward_delay {
            self.backward.record(backward);
        }
    }

    /// One negative direction is proof that a clock is wrong: then delays lie around that offset.
    fn settle_origin(&mut self, forward: TimeDelta, backward: TimeDelta) {
        if forward.is_negative() || backward.is_negative() {
            let offset = clock_offset(forward, backward);
            self.forward.set_origin(offset);
            self.backward.set_origin(offset.saturating_neg());
        }
    }

    pub(super) fn variation(&mut self, variation: Variation) {
        for (value, series) in [
            (variation.forward, &mut self.forward_variation),
            (variation.backward, &mut self.backward_variation),
            (variation.round_trip, &mut self.round_trip_variation),
        ] {
            if let Some(value) = value {
                series.record(value);
            }
        }
    }

    /// With a count, a swap on the way out shows as an order of probes that differs from that of
    /// replies (RFC 4737 §3.3).
    pub(super) fn order(&mut self, place: Place) {
        let forward = u64::from(place.probe_overtaken != place.reply_overtaken);
        self.reordered = self.reordered.saturating_add(place.probe_overtaken.into());
        let directional = &mut self.directional_reordered;
        directional.forward = directional.forward.saturating_add(forward);
        directional.backward = directional.backward.saturating_add(place.reply_overtaken.into());
    }
}

/// How far the far clock seems ahead, if both ways took equally long.
pub(super) fn clock_offset(forward: TimeDelta, backward: TimeDelta) -> TimeDelta {
    TimeDelta::from_ns(forward.saturating_sub(backward).ns().div_euclid(2))
}

fn is_marked(traffic_class: Option<(Dscp, Ecn)>) -> bool {
    traffic_class.is_some_and(|(_, ecn)| ecn == Ecn::Ce)
}

fn count_stamp(counts: &mut StampCounts, stamp: Stamp) {
    let count = match stamp.source {
        StampSource::User => &mut counts.user,
        StampSource::Kernel => &mut counts.kernel,
        StampSource::Hardware => &mut counts.hardware,
    };
    *count = count.saturating_add(1);
}

fn widen(range: Option<HopRange>, hops: Option<u8>) -> Option<HopRange> {
    let Some(hops) = hops else { return range };
    let range = range.unwrap_or(HopRange { min: hops, max: hops, last: hops });
    Some(HopRange { min: range.min.min(hops), max: range.max.max(hops), last: hops })
}
