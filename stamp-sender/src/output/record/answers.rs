//! What the reflector told of probes that asked (RFC 8972).

use serde::{Deserialize, Serialize};

use super::DelayRecord;
use super::headers::HeadersRecord;

/// An object for each question that was asked, `null` for the others.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct AnswersRecord {
    /// What probes looked like when they arrived.
    pub location: Option<LocationRecord>,
    /// What the far timestamps are worth.
    pub timestamp_information: Option<TimestampInformationRecord>,
    /// DSCP and ECN there and back.
    pub class_of_service: Option<ClassOfServiceRecord>,
    /// When replies really left.
    pub follow_up: Option<FollowUpRecord>,
    /// Loss of real traffic.
    pub direct_measurement: Option<DirectMeasurementRecord>,
    /// What was reported of an access network, and whether that was acknowledged.
    pub access_report: Option<AccessReportRecord>,
    /// Replies of which each probe wants several.
    pub packets: Option<ReflectedPacketsRecord>,
    /// The member links at both ends.
    pub micro_session: Option<MicroSessionRecord>,
    /// The headers that probes arrived with.
    pub headers: Option<HeadersRecord>,
}

/// The report of an access network.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccessReportRecord {
    /// Name of the access network.
    pub network: String,
    /// Return code.
    pub code: u8,
    /// Its name in the IANA registry.
    pub meaning: Option<String>,
    /// Whether it was acknowledged.
    pub state: String,
    /// Probes that had it.
    pub sent: u32,
    /// The last of them, or that whose reply decided.
    pub sequence: Option<u32>,
}

/// How often a question was answered.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ToldRecord {
    /// Replies that told something.
    pub told: u64,
    /// Replies that did not.
    pub refused: u64,
    /// How often the answer was another than before.
    pub changes: u64,
}

/// The latest Location; unknown is `null`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LocationRecord {
    /// How often it was told.
    #[serde(flatten)]
    pub replies: ToldRecord,
    /// Where probes came from, as the far end saw it.
    pub source: Option<String>,
    /// The same, its port.
    pub source_port: Option<u16>,
    /// Where they went to.
    pub destination: Option<String>,
    /// The same, its port.
    pub destination_port: Option<u16>,
    /// Who put them on the last link.
    pub source_mac: Option<String>,
    /// The source is another than this host sent: a NAT.
    pub source_translated: Option<bool>,
    /// The destination is another than this host sent to.
    pub destination_translated: Option<bool>,
}

/// Replies of which each probe wants several.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ReflectedPacketsRecord {
    /// Probes whose wish was granted.
    pub told: u64,
    /// Probes that got one reply as any other.
    pub refused: u64,
    /// Replies to those that were granted theirs.
    pub expected: u64,
    /// Replies of them that came.
    pub received: u64,
}

/// The session on a member link of a LAG.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct MicroSessionRecord {
    /// How often the far end named its link.
    #[serde(flatten)]
    pub replies: ToldRecord,
    /// Our interface.
    pub member: String,
    /// Its number in probes.
    pub member_id: u16,
    /// The number that the far end has for the link.
    pub far_member_id: Option<u16>,
}

/// The latest Timestamp Information; names are those of the IANA registries, or the number.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TimestampInformationRecord {
    /// How often it was told.
    #[serde(flatten)]
    pub replies: ToldRecord,
    /// Of T2.
    pub probe_received: OriginRecord,
    /// Of T3.
    pub reply_sent: OriginRecord,
}

/// Where a timestamp comes from.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct OriginRecord {
    /// What sets the clock.
    pub clock_source: Option<String>,
    /// How it was read.
    pub method: Option<String>,
}

/// The latest Class of Service, and what was not as asked.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ClassOfServiceRecord {
    /// How often it was told.
    #[serde(flatten)]
    pub replies: ToldRecord,
    /// DSCP that replies were to have.
    pub wanted_dscp: u8,
    /// ECN that they were to have.
    pub wanted_ecn: u8,
    /// DSCP that the last probe arrived with.
    pub arrived_dscp: Option<u8>,
    /// ECN that it arrived with.
    pub arrived_ecn: Option<u8>,
    /// Probes that arrived with another DSCP than they were sent with.
    pub remarked_forward: u64,
    /// Probes that arrived with Congestion Experienced.
    pub congestion_forward: u64,
    /// Replies that were not given the DSCP.
    pub dscp_refused: u64,
    /// Replies that were not given the ECN.
    pub ecn_refused: u64,
    /// How often the interval was doubled for congestion.
    #[serde(default)]
    pub slowdowns: u64,
    /// Time between two probes now, in the mean; `null` where ECT is not used.
    #[serde(default)]
    pub interval_ns: Option<u64>,
}

/// When replies really left, as the next one told, and what is the better for it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FollowUpRecord {
    /// How often it was told, and how often it was found out in another way than before.
    #[serde(flatten)]
    pub replies: ToldRecord,
    /// Replies that said they know nothing.
    pub unknown: u64,
    /// Replies whose T3 was replaced.
    pub corrected: u64,
    /// What was told and cannot be true.
    pub impossible: u64,
    /// How the far end found it out: the name of the IANA registry, or the number.
    pub method: Option<String>,
    /// Delay with the better T3.
    pub delay_ns: FollowUpDelaysRecord,
}

/// Delays with the T3 that was told later.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct FollowUpDelaysRecord {
    /// T4 - T3.
    pub backward: DelayRecord,
    /// T3 - T2.
    pub residence: DelayRecord,
}

/// Loss of real traffic, between the first reply and the last that told counters.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct DirectMeasurementRecord {
    /// Replies that told counters.
    pub told: u64,
    /// Replies that did not.
    pub refused: u64,
    /// Replies that told them when those of this host were unknown.
    pub uncounted: u64,
    /// How often a counter began anew.
    pub restarts: u64,
    /// There; `null` until two replies have told.
    pub forward: Option<TrafficLossRecord>,
    /// Back.
    pub backward: Option<TrafficLossRecord>,
}

/// Real traffic one way.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TrafficLossRecord {
    /// Packets sent.
    pub sent: u64,
    /// Packets received.
    pub received: u64,
    /// Sent less received.
    pub lost: i64,
}
