//! What an engine knows, as plain data for whoever observes it.
//!
//! `None` is unknown and never zero. Times are whole nanoseconds.

mod standing;

use core::time::Duration;

use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::time::{StampSource, TimeDelta, TimestampFormat};

pub use crate::sender::{
    AccessReportState, AccessReportStatus, AnswerCounts, AnswerSeries, Conformity,
    ConformityCounts, DelayThresholdReport, FallbackReason, FallbackReport, FollowUpReport,
    Liveness, LossThresholdReport, PacketSeries, Reflector, RejectCounts, SessionState, Stamping,
    StateReport, ThresholdReport, ThresholdState, TlvOutcome, TrafficLoss, TrafficSeries,
    Transitions, UnsentCounts,
};
pub use crate::statistics::{DelaySummary, LossPattern, PdvSummary, Quantiles, VariationSummary};

use crate::clock::ClockState;
pub use standing::SessionStanding;

/// One Session-Sender session, over its whole run or over one window.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSnapshot {
    /// Connectivity now.
    pub state: SessionState,
    /// The same in the words of routers.
    pub liveness: Liveness,
    /// What takes it down, and how often it came and went since the session began.
    pub connectivity: StateReport,
    /// No probe is due any more and none is awaited.
    pub finished: bool,
    /// The loss threshold: a reply that takes longer is lost (RFC 7680 §2.8.2).
    pub timeout: Duration,
    /// Sequence Number of the next probe.
    pub next_sequence: u32,
    /// What was counted.
    pub packets: PacketCounts,
    /// Delay.
    pub delay: DelayReport,
    /// Change of delay from probe to probe (RFC 3393).
    pub ipdv: IpdvReport,
    /// Delay above the smallest one of the period (RFC 5481).
    pub pdv: PdvReport,
    /// How losses are spread.
    pub loss_pattern: LossPattern,
    /// How much one-way values can be trusted.
    pub clock: ClockReport,
    /// Who read the clocks.
    pub stamps: StampReport,
    /// What the replies tell of the far end.
    pub reflector: ReflectorReport,
    /// What packets passed on their way.
    pub path: PathReport,
    /// What became of the TLVs of the latest answered probe.
    pub tlvs: TlvOutcome,
    /// The same of all answered probes.
    pub tlv_counts: TlvCounts,
    /// Probes ask for no reply, so that none is missing.
    pub wants_no_reply: bool,
    /// Answered probes by what was not done of what they asked for.
    pub requests: RequestCounts,
    /// What replies answered, if anything is asked.
    pub answers: Option<Box<AnswerCounts>>,
    /// What a timestamp-and-forward node did to the latest probe that came back and had asked it.
    pub stamping: Stamping,
    /// The same of all that came back.
    pub stamping_counts: StampingCounts,
    /// How it fares without timestamps, if it may do without; since the session began.
    pub fallback: Option<FallbackReport>,
    /// Where thresholds on delay and loss stand now, if there are any.
    pub thresholds: Option<Box<ThresholdReport>>,
    /// How late probes were sent: actual time less intended time.
    pub lateness: DelaySummary,
    /// Events nobody polled in time, since the session began.
    pub events_dropped: u64,
}

/// Packets of a session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PacketCounts {
    /// Probes that left. One that turns out later not to have left is taken back.
    pub sent: u64,
    /// Slots without a probe, by reason; never loss.
    pub unsent: UnsentCounts,
    /// Probes answered in time.
    pub received: u64,
    /// Probes still awaited.
    pub outstanding: u64,
    /// Further replies to a probe.
    pub duplicate: u64,
    /// Replies overtaken by others.
    pub reordered: Reordered,
    /// First replies after the timeout; their probes are lost.
    pub late: u64,
    /// Datagrams that were no reply, by reason.
    pub rejected: RejectCounts,
    /// Probes not answered in time.
    pub lost: Lost,
}

/// Replies overtaken by others (RFC 4737 §3.3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reordered {
    /// Came after the reply to a later probe.
    pub round_trip: u64,
    /// Swapped on the way out; with a stateful Session-Reflector only.
    pub forward: Option<u64>,
    /// Swapped on the way back; with a stateful Session-Reflector only.
    pub backward: Option<u64>,
}

/// Lost probes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Lost {
    /// No reply within the timeout.
    pub round_trip: u64,
    /// Never reached the Session-Reflector; with a stateful one only. Losses before the first and
    /// after the last reply have no direction.
    pub forward: Option<u64>,
    /// Were answered in vain; with a stateful Session-Reflector only.
    pub backward: Option<u64>,
    /// How many of `round_trip` our own host dropped.
    pub local: u64,
    /// Most losses in a row.
    pub longest_run: u64,
}

impl PacketCounts {
    /// Share of decided probes that the network lost; what our own host dropped is left out.
    #[must_use]
    pub fn loss_ratio(&self) -> Option<f64> {
        let lost = self.lost.round_trip.saturating_sub(self.lost.local);
        ratio(lost, self.received.saturating_add(lost))
    }

    /// The same of one direction, where `lost` is [`Lost::forward`] or [`Lost::backward`].
    #[must_use]
    pub fn direction_ratio(&self, lost: Option<u64>) -> Option<f64> {
        let network = self.lost.round_trip.saturating_sub(self.lost.local);
        ratio(lost?, self.received.saturating_add(network))
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Delay by direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DelayReport {
    /// T2 - T1.
    pub forward: DelaySummary,
    /// T4 - T3.
    pub backward: DelaySummary,
    /// (T4 - T1) - (T3 - T2).
    pub round_trip: DelaySummary,
    /// T3 - T2; quantiles within
    /// [`COARSE_QUANTILE_RELATIVE_ERROR`](crate::statistics::COARSE_QUANTILE_RELATIVE_ERROR).
    pub residence: DelaySummary,
}

/// IPDV by direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct IpdvReport {
    /// Of the forward delay.
    pub forward: VariationSummary,
    /// Of the backward delay.
    pub backward: VariationSummary,
    /// Of the round trip.
    pub round_trip: VariationSummary,
}

/// PDV by direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PdvReport {
    /// Of the forward delay.
    pub forward: PdvSummary,
    /// Of the backward delay.
    pub backward: PdvSummary,
    /// Of the round trip.
    pub round_trip: PdvSummary,
}

/// Both clocks.
#[derive(Clone, Debug, PartialEq)]
pub struct ClockReport {
    /// Our own.
    pub near: ClockState,
    /// The far one: as declared, else as the latest reply says.
    pub far: Option<ClockState>,
    /// A companion session told it: nothing in probes did.
    pub far_learned: bool,
    /// Both are synchronised: one-way values mean what they say.
    pub synchronized: bool,
    /// How wrong a one-way value can be, if both ends know their error.
    pub error_bound_ns: Option<u64>,
    /// Samples that a clock step kept out of one-way statistics, in this period.
    pub excluded: u64,
    /// What looks wrong.
    pub findings: Vec<ClockFinding>,
}

/// What looks wrong about the clocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockFinding {
    /// Our own clock is not synchronised, or nobody knows.
    NearUnsynchronized,
    /// The far clock is not synchronised, or says so.
    FarUnsynchronized,
    /// Probes arrived before they left.
    NegativeForward {
        /// Samples of that kind, in this period.
        count: u64,
        /// The worst of them.
        lowest: TimeDelta,
    },
    /// Replies arrived before they left.
    NegativeBackward {
        /// Samples of that kind, in this period.
        count: u64,
        /// The worst of them.
        lowest: TimeDelta,
    },
    /// Our own clock was set during the session.
    NearStep {
        /// How often.
        count: u64,
        /// By how much the last time.
        last: TimeDelta,
    },
    /// The far clock was set: both directions jumped, one up and one down.
    FarStep {
        /// How often.
        count: u64,
        /// By how much the last time.
        last: TimeDelta,
    },
    /// The clocks are about 37 s apart: one counts TAI, the other UTC.
    TaiOffset {
        /// How far the far clock is ahead.
        offset: TimeDelta,
        /// One end writes NTP and the other PTP, so `ptp-utc-offset` may mend it.
        formats_differ: bool,
    },
    /// One end writes NTP and the other PTP (RFC 8186); legal, and worth knowing.
    MixedFormats,
    /// Both ends claim to be synchronised, but probes arrived earlier than their claims allow;
    /// those replies were rejected.
    ClaimsContradicted {
        /// Replies rejected for it, in this period.
        count: u64,
    },
    /// What a timestamp-and-forward node wrote lies before T1 or after T4 by more than both clocks
    /// are said to be wrong: its clock is not what it was declared to be.
    FarImplausible {
        /// Probes of that kind, in this period.
        count: u64,
    },
    /// Kernel or hardware stamps of probes lie seconds away from our own clock and were not used.
    StampsApart {
        /// How often.
        count: u64,
    },
}

impl ClockFinding {
    /// Its name in machine output.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::NearUnsynchronized => "near_unsynchronized",
            Self::FarUnsynchronized => "far_unsynchronized",
            Self::NegativeForward { .. } => "negative_forward",
            Self::NegativeBackward { .. } => "negative_backward",
            Self::NearStep { .. } => "near_step",
            Self::FarStep { .. } => "far_step",
            Self::TaiOffset { .. } => "tai_offset",
            Self::MixedFormats => "mixed_formats",
            Self::ClaimsContradicted { .. } => "claims_contradicted",
            Self::FarImplausible { .. } => "far_implausible",
            Self::StampsApart { .. } => "stamps_apart",
        }
    }
}

/// Who read the clocks for the four instants of every sample.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StampReport {
    /// T1.
    pub probe_sent: StampCounts,
    /// T2; the far end does not say yet.
    pub probe_received: Option<StampSource>,
    /// T3; the far end does not say yet.
    pub reply_sent: Option<StampSource>,
    /// T4.
    pub reply_received: StampCounts,
}

/// Samples by who read the clock.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StampCounts {
    /// The program itself.
    pub user: u64,
    /// The kernel.
    pub kernel: u64,
    /// The network interface.
    pub hardware: u64,
}

impl StampCounts {
    /// The one source of all samples; `None` without samples and when sources were mixed.
    #[must_use]
    pub const fn only(&self) -> Option<StampSource> {
        match (self.user > 0, self.kernel > 0, self.hardware > 0) {
            (true, false, false) => Some(StampSource::User),
            (false, true, false) => Some(StampSource::Kernel),
            (false, false, true) => Some(StampSource::Hardware),
            _ => None,
        }
    }
}

/// What the replies tell of the far end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReflectorReport {
    /// Whether it counts its replies.
    pub mode: Reflector,
    /// How often its count began anew.
    pub restarts: u64,
    /// How it writes timestamps.
    pub format: Option<TimestampFormat>,
    /// It returned no SSID although it was sent one.
    pub zero_ssid: bool,
}

/// What packets passed on their way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PathReport {
    /// Hops of probes.
    pub forward_hops: Option<HopRange>,
    /// Hops of replies.
    pub backward_hops: Option<HopRange>,
    /// Replies with another DSCP than their probe was sent with.
    pub remarked: u64,
    /// Replies marked "congestion experienced".
    pub congestion_experienced: u64,
    /// DSCP and ECN of the latest reply.
    pub reply_traffic_class: Option<(Dscp, Ecn)>,
}

/// Hops seen over a period.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HopRange {
    /// Fewest.
    pub min: u8,
    /// Most.
    pub max: u8,
    /// Those of the latest sample.
    pub last: u8,
}

/// Samples by what became of their TLVs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TlvCounts {
    /// All understood.
    pub supported: u64,
    /// Came back as they were.
    pub unsupported: u64,
    /// No room in the reply.
    pub missing: u64,
    /// Our HMAC TLV was refused, or that of the reply is none of ours.
    pub unverified: u64,
    /// Malformed, unrecognised, or not done as asked.
    pub refused: u64,
}

impl TlvCounts {
    pub(crate) fn add(&mut self, outcome: TlvOutcome) {
        let count = match outcome {
            TlvOutcome::NotAsked => return,
            TlvOutcome::Supported => &mut self.supported,
            TlvOutcome::Unsupported => &mut self.unsupported,
            TlvOutcome::Missing => &mut self.missing,
            TlvOutcome::IntegrityFailed | TlvOutcome::Unverified => &mut self.unverified,
            TlvOutcome::Malformed | TlvOutcome::Unrecognized | TlvOutcome::Nonconformant => {
                &mut self.refused
            }
        };
        *count = count.saturating_add(1);
    }
}

/// Answered probes by what was not done of what they asked for (RFC 9503).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RequestCounts {
    /// The node that answered is not the one that was named, or does not say that it is: the sample
    /// is in no statistics.
    pub wrong_reflector: u64,
    /// The reply took another way: the sample is in the forward statistics alone.
    pub return_path_refused: u64,
}

/// Probes that came back, by what a timestamp-and-forward node did to them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StampingCounts {
    /// T2 is there, and it can be true.
    pub stamped: u64,
    /// Nothing was written.
    pub missing: u64,
    /// What was written is no instant.
    pub unreadable: u64,
    /// T2 contradicts what is known of both clocks.
    pub implausible: u64,
    /// Something was written at another place.
    pub elsewhere: u64,
}

impl StampingCounts {
    pub(crate) const fn add(&mut self, stamping: Stamping) {
        let count = match stamping {
            Stamping::NotAsked => return,
            Stamping::Stamped => &mut self.stamped,
            Stamping::Missing => &mut self.missing,
            Stamping::Unreadable => &mut self.unreadable,
            Stamping::Implausible => &mut self.implausible,
            Stamping::Elsewhere { .. } => &mut self.elsewhere,
        };
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(received: u64, lost: u64, local: u64) -> PacketCounts {
        let lost = Lost { round_trip: lost, forward: Some(1), local, ..Lost::default() };
        PacketCounts { received, lost, ..PacketCounts::default() }
    }

    #[test]
    fn a_window_of_ten_thousand_sessions_is_small() {
        assert!(size_of::<SessionSnapshot>() <= 3_400, "{}", size_of::<SessionSnapshot>());
    }

    #[test]
    fn what_our_own_host_dropped_is_left_out_of_both_sides_of_a_ratio() {
        assert_eq!(counts(90, 10, 0).loss_ratio(), Some(0.1));
        assert_eq!(counts(90, 20, 10).loss_ratio(), Some(0.1));
        let counts = counts(3, 11, 10);
        assert_eq!(counts.direction_ratio(counts.lost.forward), Some(0.25));
        assert_eq!(counts.direction_ratio(None), None);
    }

    #[test]
    fn without_a_decided_probe_there_is_no_ratio() {
        assert_eq!(counts(0, 0, 0).loss_ratio(), None);
        assert_eq!(counts(0, 5, 5).loss_ratio(), None);
    }

    #[test]
    fn mixed_stamp_sources_are_no_single_source() {
        let mut counts = StampCounts::default();
        assert_eq!(counts.only(), None);
        counts.kernel = 5;
        assert_eq!(counts.only(), Some(StampSource::Kernel));
        counts.user = 1;
        assert_eq!(counts.only(), None);
    }
}
