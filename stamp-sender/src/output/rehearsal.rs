//! Runs for tests: both real engines in virtual time, so that what is printed and written is what
//! a session really tells.

use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stamp_net::{IcmpKind, SendFailure};
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_proto::time::{Stamp, StampSource, TimeDelta, WallTime};
use stamp_session::clock::{ClockState, MonotonicTime, Now};
use stamp_session::datagram::{Headers, Received};
use stamp_session::reflector::{
    RateLimiter, RateLimiterConfig, Reflector, ReflectorConfig, Verdict,
};
use stamp_session::sender::{
    AccessReportState, AccessReportStatus, DelayChange, DelayCriterion, End, FallbackChange,
    FallbackReason, LossChange, Marked, MeasuredDirection, Outcome, PaceChange, RejectReason,
    Requests, Schedule, Sender, SenderConfig, SenderEvent, SessionState, Stamping, StateChange,
    ThresholdState, UnsentReason,
};
use stamp_session::snapshot::SessionSnapshot;
use stamp_worker::sender::Trouble;

use crate::happening::{Happening, SessionInfo, SteeringInfo};

/// When every rehearsal begins: 2026-11-23T02:58:01Z.
pub const START: WallTime = WallTime::from_unix_ns(1_795_402_681_000_000_000);
const STEP: u64 = 100_000;

/// What the network does to one probe.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// Delays there and back.
    Passes(u64, u64),
    /// The same, and the reply comes twice.
    Twice(u64, u64),
    /// It never arrives.
    LostForward,
    /// The reply never arrives.
    LostBackward,
}

/// A run: its setting, what happened, and what the engine knows at the end.
pub struct Rehearsal {
    /// Who probes whom.
    pub info: SessionInfo,
    /// In order.
    pub happenings: Vec<Happening>,
    /// At the end.
    pub snapshot: SessionSnapshot,
}

/// How a rehearsal differs from the plainest one.
pub struct Plot {
    /// Name of the session.
    pub name: &'static str,
    /// Probes.
    pub count: u64,
    /// Time between them.
    pub interval: Duration,
    /// The reflector counts.
    pub stateful: bool,
    /// Both ends claim synchronised clocks.
    pub synchronized: bool,
    /// The far clock is ahead by this much.
    pub far_offset_ns: i64,
    /// What the network does to each probe.
    pub fate: fn(u64) -> Fate,
}

impl Default for Plot {
    fn default() -> Self {
        Self {
            name: "r1",
            count: 10,
            interval: Duration::from_millis(100),
            stateful: true,
            synchronized: true,
            far_offset_ns: 0,
            fate: |probe| {
                Fate::Passes(58_000 + probe * 700 % 3_000, 61_000 + probe * 1_100 % 4_000)
            },
        }
    }
}

/// Plays a run through both engines.
pub fn play(plot: &Plot) -> Rehearsal {
    let mut stage = Stage::new(plot);
    let mut mono = 0;
    while !stage.sender.is_finished() {
        stage.step(mono, plot);
        mono += STEP;
    }
    let info = info(plot, stage.sender.config());
    Rehearsal { info, happenings: stage.happenings, snapshot: stage.sender.snapshot() }
}

struct Stage {
    sender: Sender,
    reflector: Reflector,
    /// Replies under way, the next to arrive on top.
    under_way: BinaryHeap<Arrival>,
    sent: u64,
    happenings: Vec<Happening>,
}

/// Sorted by time, earliest first.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct Arrival(std::cmp::Reverse<u64>, Vec<u8>);

impl Stage {
    fn new(plot: &Plot) -> Self {
        let mut config = SenderConfig::new(target(), Ssid(48_213));
        config.schedule = Schedule::Fixed { interval: plot.interval };
        config.count = Some(plot.count);
        config.timeout = Duration::from_secs(1);
        config.clock = clock(plot);
        let mut far = ReflectorConfig::new([1, 2]);
        far.stateful = plot.stateful;
        far.clock = clock(plot);
        far.own_listeners = vec![target()];
        let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new([3, 4])));
        Self {
            sender: Sender::new(config, MonotonicTime::from_ns(0)).unwrap(),
            reflector: Reflector::new(far, limiter).unwrap(),
            under_way: BinaryHeap::new(),
            sent: 0,
            happenings: Vec::new(),
        }
    }

    fn step(&mut self, mono: u64, plot: &Plot) {
        while self.under_way.peek().is_some_and(|arrival| arrival.0.0 <= mono) {
            let Arrival(at, octets) = self.under_way.pop().unwrap();
            let now = now(at.0);
            let stamp = Stamp { time: now.wall, source: StampSource::Kernel };
            let reply = received(&octets, target(), source(), stamp, 252);
            let outcome = self.sender.handle_reply(now, reply);
            self.happenings.push(Happening::Outcome(outcome));
        }
        self.sender.handle_timeout(now(mono));
        let mut out = [0; 256];
        while let Some(transmit) = self.sender.poll_transmit(now(mono), &mut out) {
            let (octets, token) = (transmit.octets.to_vec(), transmit.token);
            let stamp = Stamp { time: now(mono).wall, source: StampSource::Kernel };
            self.sender.handle_sent(token, Some(stamp));
            self.travel(mono, octets, plot);
        }
        while let Some(event) = self.sender.poll_event() {
            self.happenings.push(Happening::Event(event));
        }
    }

    fn travel(&mut self, mono: u64, octets: Vec<u8>, plot: &Plot) {
        let fate = (plot.fate)(self.sent);
        self.sent += 1;
        let (there, back, copies) = match fate {
            Fate::Passes(there, back) => (there, Some(back), 1),
            Fate::Twice(there, back) => (there, Some(back), 2),
            Fate::LostForward => return,
            Fate::LostBackward => (58_000, None, 1),
        };
        let far = |mono: u64| now(mono).wall.saturating_add(TimeDelta::from_ns(plot.far_offset_ns));
        let arrival = mono + there;
        let stamp = Stamp { time: far(arrival), source: StampSource::Kernel };
        let mut out = [0; 256];
        let probe = received(&octets, source(), target(), stamp, 252);
        let verdict = self.reflector.handle_probe(MonotonicTime::from_ns(arrival), probe, &mut out);
        let Verdict::Reply(reply) = verdict else { panic!("no reply") };
        let leaves = arrival + 12_100;
        let reply = reply.seal(far(leaves)).octets.to_vec();
        for _ in 0..copies {
            if let Some(back) = back {
                self.under_way.push(Arrival(std::cmp::Reverse(leaves + back), reply.clone()));
            }
        }
    }
}

fn now(mono: u64) -> Now {
    let since = TimeDelta::from_ns(mono.cast_signed());
    Now { monotonic: MonotonicTime::from_ns(mono), wall: START.saturating_add(since) }
}

fn clock(plot: &Plot) -> ClockState {
    let error_bound_ns = plot.synchronized.then_some(1_000);
    ClockState { synchronized: plot.synchronized, error_bound_ns, declared: plot.synchronized }
}

fn target() -> SocketAddr {
    "192.0.2.11:862".parse().unwrap()
}

fn source() -> SocketAddr {
    "192.0.2.1:41234".parse().unwrap()
}

fn received(
    octets: &[u8],
    from: SocketAddr,
    to: SocketAddr,
    stamp: Stamp,
    hop_limit: u8,
) -> Received<'_> {
    Received {
        octets,
        from,
        to,
        interface: 0,
        stamp,
        hop_limit: Some(HopLimit(hop_limit)),
        traffic_class: Some((Dscp::DEFAULT, Ecn::NotEct)),
        headers: Headers::UNKNOWN,
    }
}

fn info(plot: &Plot, config: &SenderConfig) -> SessionInfo {
    SessionInfo {
        measurement: config.measurement,
        steering: SteeringInfo::PLAIN,
        largest_payload: None,
        member: None,
        requests: Requests::default(),
        name: plot.name.to_owned(),
        target_text: plot.name.to_owned(),
        target: config.target,
        source: source(),
        ssid: config.ssid,
        authentication: AuthenticationMode::Unauthenticated,
        payload_octets: config.payload_octets,
        schedule: config.schedule,
        timeout: config.timeout,
        count: config.count,
        format: config.format,
        traffic_class: config.traffic_class,
        hop_limit: config.hop_limit,
        path_mtu: Some(1_500),
        far_clock_from: None,
        started: START,
    }
}

/// One thing of each kind that no rehearsal brings about.
pub fn oddities() -> Vec<Happening> {
    let at = Now { wall: START, ..Now::default() };
    let change = StateChange {
        from: SessionState::Up,
        to: SessionState::Down,
        at,
        run: 3,
        first: 10,
        last: 12,
    };
    let back = StateChange { from: SessionState::Down, to: SessionState::Up, run: 9, ..change };
    let gone_over = FallbackChange {
        reason: FallbackReason::Unstamped(Stamping::Missing),
        at,
        run: 3,
        first: 16,
        last: 18,
    };
    let reason = FallbackReason::Stamped;
    let come_back = FallbackChange { reason, run: 10, first: 29, last: 29, ..gone_over };
    let icmp = |kind, mtu, largest_payload| {
        Happening::Trouble(Trouble::Icmp {
            kind,
            offender: Some("198.51.100.7".parse().unwrap()),
            sequence: Some(14),
            mtu,
            largest_payload,
        })
    };
    let slower = PaceChange {
        at,
        sequence: 21,
        marked: Some(Marked::Forward),
        interval: Duration::from_millis(200),
    };
    let report =
        AccessReportStatus { state: AccessReportState::Acknowledged, sent: 2, sequence: Some(23) };
    let far = ClockState { synchronized: true, error_bound_ns: Some(900), declared: false };
    let mut all = vec![
        Happening::Event(SenderEvent::FarClock(far)),
        Happening::Event(SenderEvent::FarClockLearned(Some(far))),
        Happening::Event(SenderEvent::FarClockLearned(None)),
        Happening::Event(SenderEvent::ReflectorMode { stateful: true }),
        Happening::Event(SenderEvent::State(change)),
        Happening::Event(SenderEvent::State(back)),
        Happening::Event(SenderEvent::Fallback(gone_over)),
        Happening::Event(SenderEvent::Fallback(come_back)),
        Happening::Event(SenderEvent::ReflectorRestart { sequence: 20, reflector_sequence: 0 }),
        Happening::Event(SenderEvent::ClockStep {
            end: End::Far,
            by: TimeDelta::from_ns(-500_000_000),
            at,
        }),
        Happening::Event(SenderEvent::ClockStep {
            end: End::Near,
            by: TimeDelta::from_ns(37_000_000_000),
            at,
        }),
        Happening::Event(SenderEvent::MissedSlots { count: 4 }),
        Happening::Event(SenderEvent::Unsent { sequence: 22, reason: UnsentReason::NoNeighbour }),
        Happening::Event(SenderEvent::ZeroSsid),
        Happening::Event(SenderEvent::Pace(slower)),
        Happening::Event(SenderEvent::Pace(PaceChange { marked: None, ..slower })),
        Happening::Event(SenderEvent::AccessReport(report)),
        Happening::Event(SenderEvent::AccessReport(AccessReportStatus {
            state: AccessReportState::Unacknowledged,
            ..report
        })),
        icmp(IcmpKind::PortUnreachable, None, None),
        icmp(IcmpKind::PacketTooBig, Some(1_400), Some(1_372)),
        Happening::Trouble(Trouble::NotSent { sequence: 15, failure: SendFailure::NoRoute }),
        Happening::Trouble(Trouble::NotSent {
            sequence: 16,
            failure: SendFailure::TooBig { mtu: Some(1_280), largest_payload: Some(1_252) },
        }),
        Happening::Outcome(Outcome::Rejected(RejectReason::Authentication)),
    ];
    all.extend(crossings(at).map(Happening::Event));
    all
}

/// Thresholds on delay and loss, exceeded and cleared.
fn crossings(at: Now) -> [SenderEvent; 4] {
    let slow = DelayChange {
        direction: MeasuredDirection::Forward,
        to: ThresholdState::Exceeded,
        criterion: Some(DelayCriterion::Absolute),
        at,
        value: TimeDelta::from_ns(21_000_000),
        limit: TimeDelta::from_ns(20_000_000),
        run: 3,
        first: 23,
        last: 25,
        clock_synchronized: true,
    };
    let (to, value) = (ThresholdState::NotExceeded, TimeDelta::from_ns(19_000_000));
    let quick = DelayChange { to, criterion: None, value, first: 26, last: 28, ..slow };
    let lossy = LossChange {
        direction: MeasuredDirection::RoundTrip,
        to: ThresholdState::Exceeded,
        at,
        lost: 3,
        limit: 3,
        decided: 10,
        first: 3,
        last: 12,
        clock_synchronized: true,
    };
    let lossless = LossChange { to, lost: 2, first: 5, last: 14, ..lossy };
    [
        SenderEvent::Delay(slow),
        SenderEvent::Delay(quick),
        SenderEvent::Loss(lossy),
        SenderEvent::Loss(lossless),
    ]
}
