//! Where the values of a session lie over all its lives.

use stamp_proto::time::TimeDelta;

use super::pending::Usable;
use super::sample::Variation;
use super::threshold::ByDirection;
use super::timing::Timing;
use crate::statistics::{Buckets, Histogram};

/// Histograms of one session, shared with whoever shows them and with the session that takes its
/// place when it is opened anew.
#[derive(Debug)]
pub struct SessionHistograms {
    /// Delay; one-way values are in it whatever the clocks are worth.
    pub delay: ByDirection<Histogram>,
    /// How far the delays of two probes sent one after the other lie apart: IPDV (RFC 3393 §2)
    /// without its sign.
    pub variation: ByDirection<Histogram>,
}

impl SessionHistograms {
    /// Without a value yet.
    #[must_use]
    pub fn new(buckets: &Buckets) -> Self {
        let ways = || ByDirection {
            forward: Histogram::new(buckets.clone()),
            backward: Histogram::new(buckets.clone()),
            round_trip: Histogram::new(buckets.clone()),
        };
        Self { delay: ways(), variation: ways() }
    }

    /// Where their bounds lie.
    #[must_use]
    pub const fn buckets(&self) -> &Buckets {
        self.delay.round_trip.buckets()
    }

    /// Octets that they take.
    #[must_use]
    pub fn octets(&self) -> usize {
        let ways = [&self.delay, &self.variation];
        let all = ways.into_iter().flat_map(|it| [&it.forward, &it.backward, &it.round_trip]);
        let inside = size_of::<Histogram>().saturating_mul(6);
        all.map(Histogram::octets)
            .fold(size_of::<Self>().saturating_sub(inside), usize::saturating_add)
    }

    /// The values of one probe that mean something.
    pub(super) fn delays(&self, timing: &Timing, usable: Usable) {
        let delay = &self.delay;
        let (forward, backward, round_trip) = match usable {
            Usable::All | Usable::RoundTripOnly => (true, true, true),
            Usable::RoundTrip => (false, false, true),
            Usable::ForwardOnly => (true, false, false),
            Usable::Nothing => return,
        };
        for (is_usable, value, histogram) in [
            (forward, timing.forward_delay, &delay.forward),
            (backward, timing.backward_delay, &delay.backward),
            (round_trip, Some(timing.round_trip), &delay.round_trip),
        ] {
            if let Some(value) = value.filter(|_| is_usable) {
                histogram.record(value);
            }
        }
    }

    pub(super) fn variation(&self, variation: Variation) {
        for (value, histogram) in [
            (variation.forward, &self.variation.forward),
            (variation.backward, &self.variation.backward),
            (variation.round_trip, &self.variation.round_trip),
        ] {
            if let Some(value) = value {
                let ns = i64::try_from(value.ns().unsigned_abs()).unwrap_or(i64::MAX);
                histogram.record(TimeDelta::from_ns(ns));
            }
        }
    }
}
