//! One session as plain data: what every form of output says, and what a saved run is read from.
//!
//! Numbers are integers, durations nanoseconds (`_ns`). `None` is unknown and written as `null`,
//! never as 0. Fields may be added; none is ever renamed or given another meaning.

mod answers;
mod clock;
mod delay;
#[cfg(test)]
pub mod examples;
mod headers;
mod packets;
mod path;

use serde::{Deserialize, Serialize};

pub use answers::{
    AccessReportRecord, AnswersRecord, ClassOfServiceRecord, DirectMeasurementRecord,
    FollowUpDelaysRecord, FollowUpRecord, LocationRecord, MicroSessionRecord, OriginRecord,
    ReflectedPacketsRecord, TimestampInformationRecord, ToldRecord, TrafficLossRecord,
};
pub use clock::{
    ClockFindingRecord, ClockRecord, FarClockRecord, OneWayRecord, Source, SourceCounts,
    StampsRecord,
};
pub use delay::{
    DelayRecord, DelaysRecord, Directions, PdvRecord, QuantilesRecord, VariationRecord,
};
pub use headers::{HeadersRecord, RoutingHeaderRecord};
pub use packets::{
    Character, LossRecord, LostRecord, PacketsRecord, RatiosRecord, ReorderedRecord,
};
pub use path::{HopRangeRecord, PathRecord, TroubleKind, TroubleRecord};

use super::histogram::HistogramRecord;
use super::instant::Instant;
use super::series::SeriesRecord;

/// One session: who probed whom, how, and what came of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SessionRecord {
    /// Unique name within the run.
    pub name: String,
    /// The far end as typed.
    pub target: String,
    /// Its address.
    pub address: String,
    /// Its UDP port.
    pub port: u16,
    /// `two-way`, `one-way`, `loopback` or `enhanced-loopback`.
    pub mode: String,
    /// Connectivity.
    pub state: State,
    /// The same in the words of routers: `idle`, `active`, `failed`.
    pub liveness: String,
    /// Everything was sent and decided.
    pub finished: bool,
    /// At least one reply was accepted.
    pub answered: bool,
    /// When the run began.
    pub started: Instant,
    /// How probes are made.
    pub config: ConfigRecord,
    /// Which way they go.
    pub path: PathRecord,
    /// What became of them.
    pub packets: PacketsRecord,
    /// How losses are spread.
    pub loss: LossRecord,
    /// Delay of each direction.
    pub delay_ns: DelaysRecord,
    /// Change from probe to probe (RFC 3393).
    pub ipdv_ns: Directions<VariationRecord>,
    /// Delay above the smallest of the run (RFC 5481).
    pub pdv_ns: Directions<PdvRecord>,
    /// How far the one-way values can be trusted.
    pub clock: ClockRecord,
    /// What the far end is.
    pub reflector: ReflectorRecord,
    /// What it made of the TLVs of the probes.
    pub tlvs: TlvsRecord,
    /// What probes asked for by them, and how often it was not done.
    #[serde(default)]
    pub requests: RequestsRecord,
    /// What the reflector told where they asked.
    #[serde(default)]
    pub answers: AnswersRecord,
    /// What a timestamp-and-forward node wrote into probes.
    #[serde(default)]
    pub stamping: StampingRecord,
    /// How late probes left after their time in the schedule.
    pub lateness_ns: DelayRecord,
    /// What the network and the kernel complained about.
    pub troubles: Vec<TroubleRecord>,
    /// What an engineer would ask next, answered.
    pub findings: Vec<FindingRecord>,
    /// How often each delay was seen; in the document of `--json` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram_ns: Option<Directions<HistogramRecord>>,
    /// Delay and loss over time; in the document of `--json` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<SeriesRecord>,
}

impl SessionRecord {
    /// Far end with its address, when that says more than the name.
    #[must_use]
    pub fn title(&self) -> String {
        let endpoint = self.endpoint();
        if self.reflector.mode == ReflectorMode::Absent {
            return self.name.clone();
        }
        if self.name == self.address || self.name == endpoint {
            return endpoint;
        }
        format!("{} ({endpoint})", self.name)
    }

    /// Address and port.
    #[must_use]
    pub fn endpoint(&self) -> String {
        if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        }
    }

    /// Probes in a second, in the mean.
    #[must_use]
    pub fn probes_per_second(&self) -> f64 {
        1e9 / self.config.interval_ns.max(1) as f64
    }
}

/// Connectivity: no reply yet, replies come, too many in a row are missing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No reply yet.
    Init,
    /// Replies come.
    Up,
    /// As many probes in a row were lost as mean DOWN.
    Down,
}

/// How probes are made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ConfigRecord {
    /// With or without HMAC.
    pub authentication: Authentication,
    /// UDP payload of a probe.
    pub payload_octets: u64,
    /// When probes leave.
    pub schedule: Departure,
    /// Time between two probes, or its mean.
    pub interval_ns: u64,
    /// How many of them are in a row, and how often, where there are pauses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<BurstRecord>,
    /// A probe without reply for this long is lost.
    pub timeout_ns: u64,
    /// Probes to send; unknown in advance when it runs until stopped.
    pub count: Option<u64>,
    /// Format of T1: `ntp` or `ptp`.
    pub timestamp_format: String,
    /// TTL or Hop Limit probes leave with.
    pub hop_limit: u8,
}

/// Probes in a row, and then a pause.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BurstRecord {
    /// Probes of a burst.
    pub count: u32,
    /// From the begin of one burst to that of the next.
    pub every_ns: u64,
}

/// With or without HMAC (RFC 8762 §4.2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// Without.
    Unauthenticated,
    /// With.
    Authenticated,
}

impl Authentication {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Authenticated => "authenticated",
        }
    }
}

/// When probes leave.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Departure {
    /// Evenly spaced.
    Fixed,
    /// Exponential gaps.
    Poisson,
    /// Bursts with pauses between.
    Burst,
}

/// What the far end is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ReflectorRecord {
    /// Whether it counts its replies.
    pub mode: ReflectorMode,
    /// How often its counter began again.
    pub restarts: u64,
    /// Format of T2 and T3: `ntp` or `ptp`.
    pub timestamp_format: Option<String>,
    /// It returned no SSID (RFC 8972 §3).
    pub zero_ssid: bool,
}

/// What the far end made of the TLVs of the probes (RFC 8972 §4).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct TlvsRecord {
    /// Of the last answered probe: `not_asked`, `supported`, `unsupported`, …
    pub last: String,
    /// All understood.
    pub supported: u64,
    /// Came back as they were.
    pub unsupported: u64,
    /// No room in the reply.
    pub missing: u64,
    /// An HMAC TLV that one of the two ends could not verify.
    pub unverified: u64,
    /// Malformed, unrecognised, or not done as asked.
    pub refused: u64,
}

/// What probes asked of the reflector (RFC 9503).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct RequestsRecord {
    /// The node that was to answer, where it was named.
    pub destination_node: Option<String>,
    /// The way replies were to take: `same-link`, `none`, an address or segments.
    pub return_path: Option<String>,
    /// Answers of another node, or of one that does not say that it is the one: in no statistics.
    pub wrong_reflector: u64,
    /// Replies that took another way: in the forward statistics alone.
    pub return_path_not_honoured: u64,
}

/// What a timestamp-and-forward node wrote into the probes that came back.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StampingRecord {
    /// Of the last probe that asked: `not_asked`, `stamped`, `missing`, `unreadable`, `implausible` or
    /// `elsewhere`.
    pub last: String,
    /// With `elsewhere`: the octet of the UDP payload that was written instead.
    pub last_offset: Option<u16>,
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
    /// How the session does without, where it may.
    #[serde(default)]
    pub fallback: Option<FallbackRecord>,
}

/// Plain loopback in place of enhanced loopback while the far node does not stamp.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct FallbackRecord {
    /// Probes are plain now.
    pub active: bool,
    /// What plain probes are called, such as `M4`.
    pub encapsulation: String,
    /// When it went over to them the last time.
    pub since: Option<Instant>,
    /// Why: `missing`, `unreadable`, `elsewhere`, or `lost` where plain probes came back alone.
    pub reason: Option<String>,
    /// How often it went over.
    pub count: u64,
    /// Probes sent plain.
    pub plain: u64,
    /// Probes that asked once more.
    pub trials: u64,
    /// How many of those did not come back; they are neither sent nor lost in any other count.
    pub trials_lost: u64,
    /// When the last one was sent.
    pub last_trial: Option<Instant>,
}

impl Default for StampingRecord {
    fn default() -> Self {
        Self {
            last: "not_asked".to_owned(),
            last_offset: None,
            stamped: 0,
            missing: 0,
            unreadable: 0,
            implausible: 0,
            elsewhere: 0,
            fallback: None,
        }
    }
}

/// Whether a reflector counts its replies (RFC 8762 §4).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReflectorMode {
    /// Not seen yet.
    Unknown,
    /// It copies the number of the probe.
    Stateless,
    /// It counts, so losses have a direction.
    Stateful,
    /// There is none: probes are forwarded back.
    Absent,
}

/// One answer to what an engineer would ask next.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FindingRecord {
    /// Which kind, for programs.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen and what it means.
    pub text: String,
    /// What mends it or tells more.
    pub remedy: String,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Numbers or the path are worse for it.
    Warning,
    /// There is no measurement because of it.
    Error,
}
