//! How far one-way values can be trusted, and who stamped what.

use serde::{Deserialize, Serialize};

/// This host's clock, the far clock, and what follows for one-way values.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ClockRecord {
    /// This host's clock is synchronised.
    pub synchronized: bool,
    /// Its largest error.
    pub error_bound_ns: Option<u64>,
    /// The operator says so, not the kernel.
    pub declared: bool,
    /// The far clock.
    pub far: FarClockRecord,
    /// Both together.
    pub one_way: OneWayRecord,
    /// Samples that a jump of a clock kept out of one-way statistics.
    pub excluded: u64,
    /// What looks wrong about the clocks.
    pub suspicions: Vec<ClockFindingRecord>,
    /// Who read the clock for each of the four instants.
    pub stamps: StampsRecord,
}

/// The far clock as its replies or the operator tell it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct FarClockRecord {
    /// It is synchronised; unknown before the first reply.
    pub synchronized: Option<bool>,
    /// Its largest error.
    pub error_bound_ns: Option<u64>,
    /// The operator says so, not its packets.
    pub declared: bool,
    /// A reflector at the far node says so, in a session beside this one.
    #[serde(default)]
    pub learned: bool,
    /// Which reflector is asked, where probes do not tell.
    #[serde(default)]
    pub learned_from: Option<String>,
}

/// What a one-way value is worth.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct OneWayRecord {
    /// Both clocks are synchronised; otherwise one-way values carry a mark.
    pub synchronized: bool,
    /// A one-way value is off by this much at most.
    pub error_bound_ns: Option<u64>,
}

/// Something about the clocks that cannot be right.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClockFindingRecord {
    /// Probes arrived before they were sent.
    NegativeForward {
        /// How many.
        count: u64,
        /// The worst.
        lowest_ns: i64,
    },
    /// Replies arrived before they were sent.
    NegativeBackward {
        /// How many.
        count: u64,
        /// The worst.
        lowest_ns: i64,
    },
    /// This host's clock jumped.
    NearStep {
        /// How often.
        count: u64,
        /// The last jump.
        last_ns: i64,
    },
    /// The far clock jumped.
    FarStep {
        /// How often.
        count: u64,
        /// The last jump.
        last_ns: i64,
    },
    /// The clocks are about 37 s apart: TAI against UTC.
    TaiOffset {
        /// How far.
        offset_ns: i64,
        /// One end writes NTP, the other PTP.
        formats_differ: bool,
    },
    /// One end writes NTP and the other PTP.
    MixedFormats,
    /// This host's clock is not synchronised.
    NearUnsynchronized,
    /// The far clock is not synchronised.
    FarUnsynchronized,
    /// Probes arrived earlier than the error bounds of both ends allow; those replies were rejected.
    ClaimsContradicted {
        /// How many.
        count: u64,
    },
    /// Far timestamps of looped probes lie before T1 or after T4 by more than both clocks are said
    /// to be wrong; no delay was made of them.
    FarImplausible {
        /// How many.
        count: u64,
    },
    /// Kernel or card stamps lie seconds away from this host's clock and were not used.
    StampsApart {
        /// How many.
        count: u64,
    },
}

/// Who read the clock for an instant.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The program.
    User,
    /// The kernel.
    Kernel,
    /// The network card.
    Hardware,
}

impl Source {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Kernel => "kernel",
            Self::Hardware => "hardware",
        }
    }
}

/// Who read the clock for each of the four instants: the most frequent source.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct StampsRecord {
    /// T1.
    pub probe_sent: Option<Source>,
    /// T2; unknown unless the far end tells.
    pub probe_received: Option<Source>,
    /// T3; unknown unless the far end tells.
    pub reply_sent: Option<Source>,
    /// T4.
    pub reply_received: Option<Source>,
    /// Every source of T1 with its count.
    pub probe_sent_counts: SourceCounts,
    /// Every source of T4 with its count.
    pub reply_received_counts: SourceCounts,
}

/// How often each source was used.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct SourceCounts {
    /// By the program.
    pub user: u64,
    /// By the kernel.
    pub kernel: u64,
    /// By the network card.
    pub hardware: u64,
}

impl SourceCounts {
    /// The source used most, the more precise one of two equals.
    #[must_use]
    pub fn most_frequent(self) -> Option<Source> {
        let best = [
            (self.user, Source::User),
            (self.kernel, Source::Kernel),
            (self.hardware, Source::Hardware),
        ]
        .into_iter()
        .max_by_key(|(count, _)| *count)?;
        (best.0 > 0).then_some(best.1)
    }
}
