//! How wrong each direction's delay is, against the kernel's own view of the same packets.
//!
//! `cargo bench -p stamp-tests --bench delay_error`
//!
//! Two hosts on a veth pair, the sender and the reflector of the product on threads of this process,
//! T1 by the kernel's transmit stamp. The truth is what a packet socket on each end of the link says
//! of every frame: a tap stamps an outgoing frame right before the driver takes it and an incoming
//! one as the stack gets it. Nothing of the product's own stamping takes part in it.
//!
//! Between the stamp of the near tap and the driver's, which is T1, the kernel makes the copy for the
//! tap: the errors of `T1` and `forward` contain this, and with Follow-Up, where the reflector's driver
//! stamps T3, those of `T3` and `backward`. A veth hands a frame over in the same call, so the frame
//! was on its way at some time between the two stamps: `T2-T1` itself, and `T4-T3` with Follow-Up, are
//! another upper bound of the error forward and backward, without the copies.

#[path = "delay_error/tap.rs"]
mod tap;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use stamp_net::{SocketOptions, UdpSocket};
use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_proto::time::WallTime;
use stamp_session::clock::ClockState;
use stamp_session::reflector::{
    RateLimit, RateLimiter, RateLimiterConfig, ReflectorConfig, ReflectorEvent, SourcePolicy,
};
use stamp_session::sender::{Outcome, Requests, Sample, Schedule, SenderConfig, SenderEvent};
use stamp_session::snapshot::SessionSnapshot;
use stamp_tests::netns::{Access, Families, Family, TwoHosts, two_hosts};
use stamp_worker::reflector::{ReflectorObserver, ReflectorPool};
use stamp_worker::sender::{SenderObserver, SenderPool, SessionSetup, Trouble};
use tap::{Seen, Tap};

const ONE_CLOCK: ClockState =
    ClockState { synchronized: true, error_bound_ns: Some(0), declared: true };
const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
const AUTHENTICATED: AuthenticationMode = AuthenticationMode::Authenticated;

fn main() {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    let full = asked("--bench") && !asked("--smoke");
    // First of all: the kernel gives a user namespace to a single thread only.
    if let Access::Forbidden { reason, allow } = Access::obtain() {
        println!("skipped: {reason}; allow it: {allow}");
        return;
    }
    let length = Duration::from_millis(if full { 20_000 } else { 300 });
    println!("microseconds, median and 99th percentile of the absolute error");
    println!(
        "{:<26} {:>7} {:>13} {:>13} {:>13} {:>13} {:>13} {:>13} {:>13} {:>13}",
        "", "samples", "forward", "backward", "T1", "T2", "T3", "T4", "T2-T1", "T4-T3"
    );
    let milliseconds: &[u64] = if full { &[10, 1] } else { &[3] };
    for interval in milliseconds {
        for (family, mode, follow_up) in [
            (Family::V4, OPEN, false),
            (Family::V4, OPEN, true),
            (Family::V6, OPEN, false),
            (Family::V6, OPEN, true),
            (Family::V6, AUTHENTICATED, false),
        ] {
            let interval = Duration::from_millis(*interval);
            measure(&Run { family, mode, follow_up, interval, length });
        }
    }
}

/// One line of the table.
struct Run {
    family: Family,
    mode: AuthenticationMode,
    /// Replies tell when those before left.
    follow_up: bool,
    interval: Duration,
    length: Duration,
}

struct Deaf;

impl ReflectorObserver for Deaf {
    fn notice(&self, _event: ReflectorEvent) {}
}

struct Collector(mpsc::Sender<Sample>);

impl SenderObserver for Collector {
    fn outcome(&mut self, _session: usize, outcome: &Outcome) {
        if let Outcome::Sample(sample) = outcome {
            // Nobody stops listening before the end.
            let _ = self.0.send(*sample);
        }
    }
    fn event(&mut self, _session: usize, _event: SenderEvent) {}
    fn trouble(&mut self, _session: usize, _trouble: Trouble) {}
    fn window(&mut self, _session: usize, _window: SessionSnapshot) {}
}

fn measure(run: &Run) {
    let Run { family, mode, follow_up, interval, .. } = *run;
    let hosts = two_hosts(if family == Family::V4 { Families::V4 } else { Families::V6 });
    let (pool, target) = reflector(&hosts, run);
    let (near, far) = (Tap::start(&hosts.near, target, mode), Tap::start(&hosts.far, target, mode));
    let (samples, collected) = mpsc::channel();
    let setup = session(&hosts, target, run);
    let sender = SenderPool::start(vec![setup], Box::new(Collector(samples)));
    let sessions = sender.expect("a session that can be").join().expect("the worker ends well");
    let (near, far) = (near.stop(), far.stop());
    assert!(pool.stop().reflected() >= sessions[0].packets.received);
    let collected: Vec<Sample> = collected.iter().collect();
    let told = left(&collected);
    let errors: Vec<[i64; 8]> = collected
        .iter()
        .filter_map(|sample| {
            let reply_sent = match follow_up {
                true => *told.get(&sample.reflector_sequence?)?,
                false => sample.reply_sent?,
            };
            errors(sample, reply_sent, (&near, &far))
        })
        .collect();
    assert!(!errors.is_empty(), "no sample was seen by both taps");
    let columns = (0..8).map(|column| {
        let mut values: Vec<i64> = errors.iter().map(|error| error[column].abs()).collect();
        values.sort_unstable();
        let at = |per_mille: usize| values[(values.len() - 1) * per_mille / 1_000] as f64 / 1_000.0;
        format!("{:.2}/{:.2}", at(500), at(990))
    });
    let name = match mode {
        AuthenticationMode::Unauthenticated if follow_up => {
            format!("{family:?} follow-up {interval:?}")
        }
        AuthenticationMode::Unauthenticated => format!("{family:?} open {interval:?}"),
        AuthenticationMode::Authenticated => format!("{family:?} authenticated {interval:?}"),
    };
    print!("{name:<26} {:7}", errors.len());
    columns.for_each(|column| print!(" {column:>13}"));
    println!();
}

/// What the sample says less what the taps saw, in ns: forward, backward, T1 to T4; then what it
/// says of the way forward and of the way back.
fn errors(
    sample: &Sample,
    reply_sent: WallTime,
    (near, far): (&HashMap<u32, Seen>, &HashMap<u32, Seen>),
) -> Option<[i64; 8]> {
    let (near, far) = (near.get(&sample.sequence)?, far.get(&sample.sequence)?);
    let truth = [near.probe?, far.probe?, far.reply?, near.reply?];
    let told =
        [sample.probe_sent.time, sample.probe_received?, reply_sent, sample.reply_received.time]
            .map(|time| time.unix_ns());
    let forward = sample.forward_delay?.ns() - (truth[1] - truth[0]);
    let backward = (told[3] - told[2]) - (truth[3] - truth[2]);
    let [t1, t2, t3, t4] = [0, 1, 2, 3].map(|which| told[which] - truth[which]);
    Some([forward, backward, t1, t2, t3, t4, sample.forward_delay?.ns(), told[3] - told[2]])
}

/// When replies left, as those behind them told, by their own numbers.
fn left(samples: &[Sample]) -> HashMap<u32, WallTime> {
    let told = samples.iter().filter_map(|sample| {
        let told = sample.answers.follow_up.told().flatten()?;
        let time = told.timestamp.to_wall(sample.reply_received.time).ok()?;
        Some((told.sequence, time))
    });
    told.collect()
}

fn keys() -> Arc<KeyRing> {
    let key = Key::new(KeyId(1), &[7; 32]).expect("a key of 32 octets");
    Arc::new(KeyRing::new(vec![key]).expect("one key"))
}

fn reflector(hosts: &TwoHosts, run: &Run) -> (ReflectorPool, SocketAddr) {
    let Run { family, mode, follow_up, .. } = *run;
    let mut config = ReflectorConfig::new([7, 9]);
    config.keys = (mode == AUTHENTICATED).then(keys);
    let policy = SourcePolicy { rate_limit: RateLimit::Off, ..SourcePolicy::unknown(mode) };
    config.unknown_sources = Some(policy);
    config.clock = ONE_CLOCK;
    config.stateful = follow_up;
    let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new([3, 4])));
    let observer: Arc<dyn ReflectorObserver> = Arc::new(Deaf);
    let local = SocketAddr::new(hosts.far.address(family), 0);
    let options = SocketOptions { stamps_on_request: true, ..SocketOptions::new(local) };
    let socket = hosts.far.run(|| UdpSocket::open(&options));
    let socket = socket.expect("a socket");
    let target = socket.local_addr();
    let mut pool = ReflectorPool::start(1, &config, &limiter, &observer).expect("a worker");
    pool.add_listener("far end", vec![socket]).expect("the worker takes the socket");
    (pool, target)
}

fn session(hosts: &TwoHosts, target: SocketAddr, run: &Run) -> SessionSetup {
    let Run { mode, follow_up, interval, length, .. } = *run;
    let family = if target.is_ipv4() { Family::V4 } else { Family::V6 };
    let local = SocketAddr::new(hosts.near.address(family), 0);
    let options = SocketOptions { transmit_stamps: true, ..SocketOptions::new(local) };
    let socket = hosts.near.run(|| {
        let mut socket = UdpSocket::open(&options)?;
        socket.connect(target).map(|()| socket)
    });
    let mut config = SenderConfig::new(target, Ssid(1));
    config.keys = (mode == AUTHENTICATED).then(keys);
    config.requests = Requests { follow_up, ..Requests::default() }.into();
    config.payload_octets = config.smallest_payload();
    config.schedule = Schedule::Fixed { interval };
    config.duration = Some(length);
    config.clock = ONE_CLOCK;
    let setup = SessionSetup::new(socket.expect("a socket"), config);
    SessionSetup { linger_round_trips: Some(3), ..setup }
}
