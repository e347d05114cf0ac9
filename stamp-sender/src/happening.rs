//! What the packet worker tells the printing side.

use std::net::SocketAddr;
use std::time::Duration;

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_proto::time::{TimestampFormat, WallTime};
use stamp_session::sender::{MeasurementMode, Outcome, Requests, Schedule, SenderEvent};
use stamp_session::snapshot::SessionSnapshot;
use stamp_worker::sender::Trouble;

/// One thing that happened to a session, in the order things happened.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all that happens are samples")]
pub enum Happening {
    /// A datagram came in and was judged.
    Outcome(Outcome),
    /// Something happened beside a reply.
    Event(SenderEvent),
    /// The network or the kernel complained.
    Trouble(Trouble),
    /// A report period has ended.
    Window(Box<SessionSnapshot>),
}

/// What stays the same over a session: who probes whom, and how.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// Unique name: the target as typed, and a number behind it when it was typed twice.
    pub name: String,
    /// The far end as typed.
    pub target_text: String,
    /// Its address; in the loopback modes our own, where probes return to.
    pub target: SocketAddr,
    /// Who turns probes round.
    pub measurement: MeasurementMode,
    /// What is put around probes to steer them.
    pub steering: SteeringInfo,
    /// What probes ask of the reflector.
    pub requests: Requests,
    /// The member link of a LAG that they pass.
    pub member: Option<String>,
    /// Where probes leave from.
    pub source: SocketAddr,
    /// STAMP Session Identifier.
    pub ssid: Ssid,
    /// Authenticated or not.
    pub authentication: AuthenticationMode,
    /// UDP payload of a probe in octets.
    pub payload_octets: usize,
    /// When probes leave.
    pub schedule: Schedule,
    /// Loss threshold.
    pub timeout: Duration,
    /// Probes to send; `None` until stopped.
    pub count: Option<u64>,
    /// Format of T1.
    pub format: TimestampFormat,
    /// DSCP and ECN of probes.
    pub traffic_class: (Dscp, Ecn),
    /// TTL or Hop Limit of probes.
    pub hop_limit: HopLimit,
    /// Path MTU towards the target as the kernel knows it at the start, in octets.
    pub path_mtu: Option<u32>,
    /// The largest UDP payload that fits into it behind all headers.
    pub largest_payload: Option<usize>,
    /// Reflector that is asked how good the far clock is, where probes do not tell.
    pub far_clock_from: Option<SocketAddr>,
    /// When the run began.
    pub started: WallTime,
}

/// What is put around probes to steer them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SteeringInfo {
    /// Segments imposed on probes, in the order of travel.
    pub segments: Vec<String>,
    /// Segments that bring probes or replies back.
    pub return_segments: Vec<String>,
    /// The node or link of the topology that the list begins with, where names said it.
    pub toward: Option<String>,
    /// `plain`, or the encapsulation by its identifier, such as `V4`.
    pub encapsulation: &'static str,
    /// The same of plain probes, where the far node may turn out not to stamp.
    pub fallback: Option<&'static str>,
    /// What makes this session take another of equal paths, such as `flow label 0x9e377`.
    pub entropy: Option<String>,
}

impl SteeringInfo {
    /// Nothing around the UDP datagram.
    pub const PLAIN: Self = Self {
        segments: Vec::new(),
        return_segments: Vec::new(),
        toward: None,
        encapsulation: "plain",
        fallback: None,
        entropy: None,
    };
}

/// How a run came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Everything was sent and decided.
    Complete,
    /// The user or the system stopped it.
    Interrupted,
}
