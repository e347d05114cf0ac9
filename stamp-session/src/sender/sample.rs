//! What one reply says.

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::time::{Stamp, TimeDelta, WallTime};

use super::answers::Answers;
use super::reason::RejectReason;
use super::stamping::Stamping;
use super::tlvs::TlvOutcome;

/// What a datagram turned out to be; exactly one for each.
#[must_use = "a shell reports or counts what came back"]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// The first reply to a probe, in time.
    Sample(Sample),
    /// The first reply to a probe, after the timeout: the probe stays lost.
    Late(Sample),
    /// Another reply to a probe; never a second sample.
    Duplicate {
        /// Sequence Number of the probe.
        sequence: u32,
    },
    /// No reply to a probe of this session.
    Rejected(RejectReason),
}

/// The measurement of one probe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Sequence Number of the probe.
    pub sequence: u32,
    /// Sequence Number of the reply itself; `None` where no reply is made.
    pub reflector_sequence: Option<u32>,
    /// When the probe left (T1).
    pub probe_sent: Stamp,
    /// When it arrived, by the far clock (T2); `None` when nobody there wrote it down.
    pub probe_received: Option<WallTime>,
    /// When the reply left, by the far clock (T3); `None` when nobody there made one.
    pub reply_sent: Option<WallTime>,
    /// When it arrived (T4).
    pub reply_received: Stamp,
    /// T2 - T1; needs synchronised clocks.
    pub forward_delay: Option<TimeDelta>,
    /// T4 - T3; needs synchronised clocks.
    pub backward_delay: Option<TimeDelta>,
    /// (T4 - T1) - (T3 - T2): each bracket of one clock.
    pub round_trip: TimeDelta,
    /// T3 - T2.
    pub residence: Option<TimeDelta>,
    /// Change of delay since the probe before, where that one is known already.
    pub variation: Variation,
    /// Hops the probe passed: to the Session-Reflector, all the way round in the loopback modes.
    pub forward_hops: Option<u8>,
    /// Hops the reply passed; unknown unless it can have been sent with 255 (RFC 5357 §4.2.1).
    pub backward_hops: Option<u8>,
    /// TTL or Hop Limit of the probe on arrival at the Session-Reflector.
    pub sender_ttl: Option<HopLimit>,
    /// DSCP and ECN of the reply on arrival.
    pub traffic_class: Option<(Dscp, Ecn)>,
    /// The reply has another DSCP than it was to have: that of the probe, or the one asked for.
    pub remarked: bool,
    /// Both clocks are synchronised: the one-way values mean what they say.
    pub clock_synchronized: bool,
    /// How wrong a one-way value can be in nanoseconds, if both ends know their error.
    pub error_bound_ns: Option<u64>,
    /// A clock stepped: the sample is shown but enters no one-way statistics.
    pub clock_step: bool,
    /// The reply to a later probe came before.
    pub reordered: bool,
    /// What became of the TLVs of the probe.
    pub tlvs: TlvOutcome,
    /// What the reply answers to what the probe asked.
    pub answers: Answers,
    /// What a timestamp-and-forward node did to the probe.
    pub stamping: Stamping,
}

/// IPDV against the probe sent before (RFC 3393 §2); `None` when that one is not known to be
/// received.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Variation {
    /// Of the forward delay.
    pub forward: Option<TimeDelta>,
    /// Of the backward delay.
    pub backward: Option<TimeDelta>,
    /// Of the round trip.
    pub round_trip: Option<TimeDelta>,
}
