//! The objects of the stream.

use serde::{Deserialize, Serialize};

use super::announcement::AnnouncementEntry;
use super::path::PathEntry;
use super::policy::PolicyEntry;
use crate::output::document::{Host, Tool};
use crate::output::instant::Instant;
use crate::output::record::{ConfigRecord, ReflectorMode, SessionRecord, Source};

/// One line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// First line.
    Start {
        /// Version of the format.
        schema_version: u32,
        /// Now.
        time: Instant,
        /// What measures.
        tool: Tool,
        /// Where it runs.
        host: Host,
        /// The command line.
        arguments: Vec<String>,
        /// What is measured.
        sessions: Vec<StartedSession>,
    },
    /// A reply in time.
    Sample(SampleEntry),
    /// A reply after the timeout: its probe stays lost.
    Late(SampleEntry),
    /// No reply within the timeout.
    Lost {
        /// Name of the session.
        session: String,
        /// The probe.
        sequence: u32,
        /// When it left (T1).
        time: Instant,
        /// Not known yet; `loss_direction` tells it, with a stateful reflector.
        direction: Option<String>,
    },
    /// Where lost probes got lost.
    LossDirection {
        /// Name of the session.
        session: String,
        /// Now.
        time: Instant,
        /// First and last of the lost probes.
        sequences: (u32, u32),
        /// So many on the way there.
        forward: u64,
        /// So many on the way back.
        backward: u64,
    },
    /// Another reply to the same probe.
    Duplicate {
        /// Name of the session.
        session: String,
        /// Now.
        time: Instant,
        /// The probe.
        sequence: u32,
    },
    /// A datagram that is no reply.
    Rejected {
        /// Name of the session.
        session: String,
        /// Now.
        time: Instant,
        /// Why, one of the keys of `rejected_by_reason`.
        reason: String,
    },
    /// Probes that never left.
    Unsent {
        /// Name of the session.
        session: String,
        /// Now.
        time: Instant,
        /// The probe, when it had a number.
        sequence: Option<u32>,
        /// How many.
        count: u64,
        /// Why, one of the keys of `unsent_by_reason`.
        reason: String,
        /// The MTU it does not fit.
        mtu_octets: Option<u32>,
        /// Largest UDP payload that fits.
        largest_payload_octets: Option<u64>,
    },
    /// An ICMP error that quotes a probe.
    Icmp {
        /// Name of the session.
        session: String,
        /// Now.
        time: Instant,
        /// The probe.
        sequence: Option<u32>,
        /// What it says.
        what: String,
        /// Who says it.
        offender: Option<String>,
        /// The MTU it names.
        mtu_octets: Option<u32>,
        /// Largest UDP payload that fits.
        largest_payload_octets: Option<u64>,
    },
    /// Whether the reflector counts its replies.
    ReflectorMode {
        /// Name of the session.
        session: String,
        /// Now.
        time: Instant,
        /// It does, or does not.
        mode: ReflectorMode,
    },
    /// The reflector returned no SSID.
    ZeroSsid {
        /// Name of the session.
        session: String,
        /// Now.
        time: Instant,
    },
    /// The session came up or went down.
    State(Event),
    /// Delay exceeds its threshold, or not any more.
    Delay(Event),
    /// Loss exceeds its threshold, or not any more; counts of probes.
    Loss(Event),
    /// The far node does not stamp, so that probes are plain; or it stamps again.
    Fallback(Event),
    /// Probes follow each other more slowly because packets met congestion, or faster again.
    Pace(Event),
    /// The report of an access network was acknowledged or refused, or nobody has answered it.
    AccessReport(Event),
    /// A clock jumped, or the far clock changed its quality.
    Clock(Event),
    /// The reflector counts anew.
    ReflectorRestart(Event),
    /// A value for path computation is announced, or withdrawn.
    Te(Box<AnnouncementEntry>),
    /// A policy has another state, or another of its candidate paths carries traffic.
    Policy(Box<PolicyEntry>),
    /// Traffic of a policy moves to another candidate path, or to other lists.
    Path(Box<PathEntry>),
    /// A new configuration is in force, or was refused.
    Config {
        /// When.
        time: Instant,
        /// None: it concerns all of them.
        session: Option<String>,
        /// `reloaded`, or `refused`.
        to: String,
        /// Why it was refused.
        reason: Option<String>,
    },
    /// Events that are missing here: more came than whoever reads takes.
    Dropped {
        /// When it was noticed.
        time: Instant,
        /// None: it concerns all of them.
        session: Option<String>,
        /// Where they were to go.
        sink: String,
        /// How many.
        count: u64,
    },
    /// The end of a period: what happened in it.
    Interval {
        /// Now.
        time: Instant,
        /// Name of the session.
        session: String,
        /// What happened.
        #[serde(flatten)]
        record: Box<SessionRecord>,
    },
    /// The end of a session: what happened in the whole run.
    End {
        /// Now.
        time: Instant,
        /// Name of the session.
        session: String,
        /// The user or the system stopped it.
        interrupted: bool,
        /// What happened.
        #[serde(flatten)]
        record: Box<SessionRecord>,
    },
}

/// A session at its start.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StartedSession {
    /// Unique name within the run.
    pub name: String,
    /// The far end as typed.
    pub target: String,
    /// Its address.
    pub address: String,
    /// Its UDP port.
    pub port: u16,
    /// Always `two-way`.
    pub mode: String,
    /// Address probes leave from.
    pub source: String,
    /// UDP port probes leave from.
    pub source_port: u16,
    /// STAMP Session Identifier.
    pub ssid: u16,
    /// Path MTU as the kernel knows it.
    pub mtu_octets: Option<u32>,
    /// How probes are made.
    pub config: ConfigRecord,
}

/// The measurement of one probe.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SampleEntry {
    /// Name of the session.
    pub session: String,
    /// The probe.
    pub sequence: u32,
    /// When it left (T1).
    pub time: Instant,
    /// T2 - T1; null when nobody wrote T2.
    pub forward_ns: Option<i64>,
    /// T4 - T3, T4 - T2 in enhanced loopback; null when nobody wrote it.
    pub backward_ns: Option<i64>,
    /// (T4 - T1) - (T3 - T2), T4 - T1 in the loopback modes.
    pub round_trip_ns: i64,
    /// T3 - T2; null in the loopback modes, where no reply is made.
    pub residence_ns: Option<i64>,
    /// Routers on the way there; all the way round in the loopback modes.
    pub hops: Option<u8>,
    /// DSCP of the reply as it arrived.
    pub dscp: Option<u8>,
    /// What is special; `unsynchronized`: one-way values are not to be trusted.
    pub flags: Vec<String>,
    /// Routers on the way back.
    pub backward_hops: Option<u8>,
    /// ECN codepoint of the reply as it arrived.
    pub ecn: Option<u8>,
    /// The reply's own number; null where no reply is made.
    pub reflector_sequence: Option<u32>,
    /// One-way values are off by this much at most.
    pub error_bound_ns: Option<u64>,
    /// Who read the clock.
    pub stamps: SampleStamps,
}

/// Who read the clock for each of the four instants of a sample.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SampleStamps {
    /// T1.
    pub probe_sent: Source,
    /// T2; the far end does not tell.
    pub probe_received: Option<Source>,
    /// T3; the far end does not tell.
    pub reply_sent: Option<Source>,
    /// T4.
    pub reply_received: Source,
}

/// A change worth acting upon; the shape is the same for all of them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Event {
    /// When it was noticed.
    pub time: Instant,
    /// The same on the clock that never steps.
    pub monotonic_ns: Option<u64>,
    /// Name of the session.
    pub session: String,
    /// The policy that it measures a segment list of, if there is one.
    pub policy: Option<String>,
    /// Which way.
    pub direction: Option<String>,
    /// What it was.
    pub from: Option<String>,
    /// What it is.
    pub to: Option<String>,
    /// The number that tripped it.
    pub value: Option<i64>,
    /// The limit it passed.
    pub limit: Option<i64>,
    /// First and last probe of the cause.
    pub sequences: Option<(u32, u32)>,
    /// Whether one-way values could be trusted at that time.
    pub clock_synchronized: Option<bool>,
    /// Why, in one word.
    pub reason: Option<String>,
    /// What was counted until then.
    pub counters: Counters,
}

/// What was counted until an event.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Counters {
    /// Replies in time.
    pub received: u64,
    /// Lost probes.
    pub lost: u64,
    /// Further replies to the same probe.
    pub duplicate: u64,
    /// Replies after the timeout.
    pub late: u64,
    /// Datagrams that were no reply.
    pub rejected: u64,
}
