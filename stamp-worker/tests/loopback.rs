//! Both workers over real sockets on loopback.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stamp_net::{NetError, SocketOptions, UdpSocket};
use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_session::clock::ClockState;
use stamp_session::reflector::{
    DropReason, RateLimit, RateLimiter, RateLimiterConfig, ReflectorConfig, ReflectorEvent,
    SourcePolicy,
};
use stamp_session::sender::{Outcome, ReflectorMode, Schedule, SenderConfig, SenderEvent};
use stamp_session::snapshot::SessionSnapshot;
use stamp_worker::reflector::{ReflectorObserver, ReflectorPool};
use stamp_worker::sender::{SenderObserver, SenderPool, SessionSetup, Trouble};

const ONE_CLOCK: ClockState =
    ClockState { synchronized: true, error_bound_ns: Some(0), declared: true };
const SEED: [u64; 2] = [7, 9];

#[derive(Default)]
struct Notices(Mutex<Vec<ReflectorEvent>>);

impl ReflectorObserver for Notices {
    fn notice(&self, event: ReflectorEvent) {
        self.0.lock().unwrap().push(event);
    }
}

/// What a sender worker told, as it told it.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all that is told are samples")]
enum Told {
    Outcome(Outcome),
    Finished,
    Trouble(Trouble),
    Window(Box<SessionSnapshot>),
}

struct Teller(mpsc::Sender<(usize, Told)>);

impl SenderObserver for Teller {
    fn outcome(&mut self, session: usize, outcome: &Outcome) {
        self.0.send((session, Told::Outcome(*outcome))).ok();
    }
    fn event(&mut self, session: usize, event: SenderEvent) {
        if event == SenderEvent::Finished {
            self.0.send((session, Told::Finished)).ok();
        }
    }
    fn trouble(&mut self, session: usize, trouble: Trouble) {
        self.0.send((session, Told::Trouble(trouble))).ok();
    }
    fn window(&mut self, session: usize, window: SessionSnapshot) {
        self.0.send((session, Told::Window(Box::new(window)))).ok();
    }
}

fn teller() -> (Box<dyn SenderObserver>, Receiver<(usize, Told)>) {
    let (sender, receiver) = mpsc::channel();
    (Box::new(Teller(sender)), receiver)
}

fn keys() -> Arc<KeyRing> {
    let key = Key::new(KeyId(1), b"0123456789abcdef0123456789abcdef").unwrap();
    Arc::new(KeyRing::new(vec![key]).unwrap())
}

fn reflector_config(mode: AuthenticationMode) -> ReflectorConfig {
    let mut policy = SourcePolicy::unknown(mode);
    policy.rate_limit = RateLimit::Off;
    let mut config = ReflectorConfig::new(SEED);
    config.stateful = true;
    config.keys = Some(keys());
    config.unknown_sources = Some(policy);
    config.clock = ONE_CLOCK;
    config
}

struct Reflecting {
    pool: ReflectorPool,
    address: SocketAddr,
}

fn reflect(config: &ReflectorConfig, workers: usize, at: SocketAddr) -> Reflecting {
    let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new(SEED)));
    let observer: Arc<dyn ReflectorObserver> = Arc::new(Notices::default());
    let sockets = UdpSocket::open_group(&SocketOptions::new(at), workers).unwrap();
    let address = sockets[0].local_addr();
    let mut pool = ReflectorPool::start(workers, config, &limiter, &observer).unwrap();
    pool.add_listener("first", sockets).unwrap();
    Reflecting { pool, address }
}

fn v4() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// IPv6 loopback where this host has it, else IPv4 again.
fn v6_if_any() -> SocketAddr {
    match UdpSocket::open(&SocketOptions::new((Ipv6Addr::LOCALHOST, 0).into())) {
        Err(NetError::FamilyUnavailable { .. } | NetError::AddressNotAvailable { .. }) => v4(),
        _ => (Ipv6Addr::LOCALHOST, 0).into(),
    }
}

fn setup(target: SocketAddr, ssid: u16, adjust: impl FnOnce(&mut SenderConfig)) -> SessionSetup {
    let mut local = target;
    local.set_port(0);
    let mut options = SocketOptions::new(local);
    options.transmit_stamps = true;
    let mut socket = UdpSocket::open(&options).unwrap();
    socket.connect(target).unwrap();
    let mut config = SenderConfig::new(target, Ssid(ssid));
    config.count = Some(20);
    config.schedule = Schedule::Fixed { interval: Duration::from_millis(2) };
    config.timeout = Duration::from_secs(2);
    config.clock = ONE_CLOCK;
    config.reflector = ReflectorMode::Stateful;
    adjust(&mut config);
    SessionSetup::new(socket, config)
}

#[test]
fn every_probe_is_answered_open_and_authenticated_at_once() {
    let open = reflect(&reflector_config(AuthenticationMode::Unauthenticated), 1, v4());
    let authenticated =
        reflect(&reflector_config(AuthenticationMode::Authenticated), 2, v6_if_any());
    let (observer, told) = teller();
    let sessions = vec![
        setup(open.address, 1, |_| {}),
        setup(authenticated.address, 2, |config| {
            config.keys = Some(keys());
            config.payload_octets = 112;
        }),
    ];
    let snapshots = SenderPool::start(sessions, observer).unwrap().join().unwrap();
    for snapshot in &snapshots {
        let packets = &snapshot.packets;
        let unsent = packets.unsent.total();
        assert_eq!(packets.sent + unsent, 20, "{packets:?}");
        assert_eq!((packets.received, packets.lost.round_trip), (packets.sent, 0), "{packets:?}");
        assert_eq!((packets.lost.forward, packets.lost.backward), (Some(0), Some(0)));
        assert!(snapshot.clock.synchronized);
        // T1 corrected by the kernel, T4 taken by it.
        assert_eq!(snapshot.stamps.probe_sent.kernel, packets.received, "{:?}", snapshot.stamps);
        assert_eq!(snapshot.stamps.reply_received.kernel, packets.received);
        let [forward, backward, round_trip] =
            [&snapshot.delay.forward, &snapshot.delay.backward, &snapshot.delay.round_trip]
                .map(|delay| delay.p50.unwrap().ns());
        assert!(forward > 0 && backward > 0 && round_trip > 0, "{:?}", snapshot.delay);
        assert!(snapshot.finished);
    }
    let told: Vec<_> = told.iter().collect();
    let samples = |session: usize| {
        let is_sample = |told: &&(usize, Told)| {
            told.0 == session && matches!(told.1, Told::Outcome(Outcome::Sample(_)))
        };
        told.iter().filter(is_sample).count() as u64
    };
    let finished = told.iter().filter(|told| matches!(told.1, Told::Finished)).count();
    assert_eq!(finished, 2);
    assert_eq!(samples(0), snapshots[0].packets.received);
    assert_eq!(samples(1), snapshots[1].packets.received);
    let (open, authenticated) = (open.pool.stop(), authenticated.pool.stop());
    assert_eq!(open.reflected(), snapshots[0].packets.sent);
    assert_eq!(authenticated.reflected(), snapshots[1].packets.sent);
    assert_eq!((open.sessions, authenticated.sessions), (1, 1));
}

#[test]
fn the_wrong_key_is_counted_at_the_far_end_and_lost_here() {
    let far = reflect(&reflector_config(AuthenticationMode::Authenticated), 1, v4());
    let (observer, _told) = teller();
    let wrong = Key::new(KeyId(1), &[1; 32]).unwrap();
    let session = setup(far.address, 3, |config| {
        config.keys = Some(Arc::new(KeyRing::new(vec![wrong]).unwrap()));
        config.payload_octets = 112;
        config.count = Some(3);
        config.timeout = Duration::from_millis(50);
    });
    let snapshots = SenderPool::start(vec![session], observer).unwrap().join().unwrap();
    let packets = &snapshots[0].packets;
    assert_eq!((packets.received, packets.lost.round_trip), (0, packets.sent));
    // Answered in order: what came before has been judged.
    let (observer, told) = teller();
    let right = setup(far.address, 4, |config| {
        config.keys = Some(keys());
        config.payload_octets = 112;
        config.count = None;
    });
    let _pool = SenderPool::start(vec![right], observer).unwrap();
    replies_of(&told, 0, 1);
    assert_eq!(far.pool.stop().drops(DropReason::Hmac), packets.sent);
}

#[test]
fn a_closed_port_is_told_as_icmp_and_the_run_goes_on() {
    let closed = UdpSocket::open(&SocketOptions::new(v4())).unwrap().local_addr();
    let (observer, told) = teller();
    let session = setup(closed, 4, |config| {
        config.count = Some(3);
        config.timeout = Duration::from_millis(50);
    });
    let snapshots = SenderPool::start(vec![session], observer).unwrap().join().unwrap();
    assert_eq!(snapshots[0].packets.received, 0);
    assert_eq!(snapshots[0].packets.lost.round_trip, snapshots[0].packets.sent);
    let refused = told.iter().any(|(_, told)| {
        let port = stamp_net::IcmpKind::PortUnreachable;
        matches!(told, Told::Trouble(Trouble::Icmp { kind, .. }) if kind == port)
    });
    assert!(refused);
}

#[test]
fn a_stopped_run_ends_long_before_the_timeout_and_nothing_is_lost_for_it() {
    let far = reflect(&reflector_config(AuthenticationMode::Unauthenticated), 1, v4());
    let (observer, told) = teller();
    let session = setup(far.address, 5, |config| {
        config.count = None;
        config.timeout = Duration::from_secs(60);
    });
    let pool = SenderPool::start(vec![session], observer).unwrap();
    // The first sample shows that probing is under way.
    told.iter().find(|(_, told)| matches!(told, Told::Outcome(_))).unwrap();
    let before = pool.snapshots();
    assert_eq!(before.len(), 1);
    pool.stop_sending();
    let snapshots = pool.join().unwrap();
    assert!(snapshots[0].finished);
    // At most what nobody had answered by then.
    let unanswered = snapshots[0].packets.sent - before[0].packets.received;
    assert!(snapshots[0].packets.lost.round_trip <= unanswered, "{:?}", snapshots[0].packets);
}

#[test]
fn a_stopped_run_that_nobody_answers_ends_long_before_the_timeout() {
    let silent = UdpSocket::open(&SocketOptions::new(v4())).unwrap();
    let (observer, _told) = teller();
    let session = setup(silent.local_addr(), 10, |config| {
        config.count = None;
        config.timeout = Duration::from_secs(600);
    });
    let pool = SenderPool::start(vec![session], observer).unwrap();
    pool.stop_sending();
    let snapshots = pool.join().unwrap();
    assert!(snapshots[0].finished);
    assert_eq!(snapshots[0].packets.received, 0);
}

#[test]
fn a_session_faster_than_its_processor_leaves_room_for_others_and_for_commands() {
    let far = reflect(&reflector_config(AuthenticationMode::Unauthenticated), 1, v4());
    let (observer, told) = teller();
    let flood = setup(far.address, 8, |config| {
        config.count = None;
        config.schedule = Schedule::Fixed { interval: Duration::from_nanos(100) };
        config.timeout = Duration::from_millis(20);
    });
    let calm = setup(far.address, 9, |config| {
        config.count = Some(3);
        config.timeout = Duration::from_millis(50);
    });
    let pool = SenderPool::start(vec![flood, calm], observer).unwrap();
    told.iter().find(|told| matches!(told, (1, Told::Finished))).unwrap();
    assert_eq!(pool.snapshots().len(), 2);
    pool.stop_sending();
    let snapshots = pool.join().unwrap();
    assert!(snapshots.iter().all(|snapshot| snapshot.finished));
    assert!(snapshots[0].packets.sent > 0 && snapshots[0].packets.unsent.total() > 0);
}

#[test]
fn windows_are_reported_every_period_and_add_up() {
    let far = reflect(&reflector_config(AuthenticationMode::Unauthenticated), 1, v4());
    let (observer, told) = teller();
    let mut session = setup(far.address, 6, |config| config.count = None);
    session.window = Some(Duration::from_millis(50));
    let pool = SenderPool::start(vec![session], observer).unwrap();
    let window = |(_, told)| match told {
        Told::Window(window) => Some(*window),
        _ => None,
    };
    let mut windows: Vec<SessionSnapshot> = told.iter().filter_map(window).take(3).collect();
    pool.stop_sending();
    let snapshots = pool.join().unwrap();
    windows.extend(told.iter().filter_map(window));
    let seen: u64 = windows.iter().map(|window| window.packets.received).sum();
    assert!(seen > 0 && seen <= snapshots[0].packets.received);
    assert!(told.try_recv().is_err());
}

#[test]
fn a_reload_keeps_sessions_and_a_removed_listener_answers_no_more() {
    let mut far = reflect(&reflector_config(AuthenticationMode::Unauthenticated), 1, v4());
    let run = |target| {
        let (observer, _told) = teller();
        let session = setup(target, 7, |config| {
            config.count = Some(2);
            // Longer than a busy machine keeps a thread from running.
            config.timeout = Duration::from_secs(2);
        });
        let packets =
            SenderPool::start(vec![session], observer).unwrap().join().unwrap()[0].packets;
        // A busy machine misses the second slot.
        assert!(packets.sent > 0);
        packets
    };
    let first = run(far.address);
    assert_eq!(first.received, first.sent);
    let mut config = reflector_config(AuthenticationMode::Unauthenticated);
    config.session_expiry = Duration::from_secs(60);
    far.pool.reconfigure(&config).unwrap();
    assert_eq!(far.pool.asker().sessions().len(), 1);
    let second = UdpSocket::open_group(&SocketOptions::new(v4()), 1).unwrap();
    let (address, id) = (second[0].local_addr(), far.pool.add_listener("second", second).unwrap());
    let second = run(address);
    assert_eq!(second.received, second.sent);
    far.pool.remove_listener(id);
    assert_eq!(far.pool.asker().snapshot().reflected(), first.sent + second.sent);
    assert_eq!(run(address).received, 0);
    assert_eq!(far.pool.stop().reflected(), first.sent + second.sent);
}

/// Hears until `session` has been told of `count` more replies, and who else was heard of.
fn replies_of(told: &Receiver<(usize, Told)>, session: usize, count: usize) -> Vec<usize> {
    let mut others = Vec::new();
    let mut left = count;
    while left > 0 {
        match told.recv().expect("the worker lives") {
            (number, Told::Outcome(_)) if number == session => left -= 1,
            (number, _) => others.push(number),
        }
    }
    others
}

#[test]
fn a_resident_worker_takes_sessions_in_and_lets_them_go_while_others_go_on() {
    let far = reflect(&reflector_config(AuthenticationMode::Unauthenticated), 1, v4());
    let (observer, told) = teller();
    let endless = |ssid| setup(far.address, ssid, |config| config.count = None);
    let mut pool = SenderPool::resident("sender-0", observer).unwrap();
    assert_eq!(pool.add(vec![endless(1), endless(2)], vec![]).unwrap(), 0..2);
    replies_of(&told, 0, 5);
    replies_of(&told, 1, 5);
    pool.remove(vec![0]);
    // Answered in order: the session has gone when this comes back.
    let standings = pool.standings_of(vec![0, 1]);
    assert!(standings[0].is_none());
    assert!(standings[1].as_ref().is_some_and(|standing| standing.packets.received >= 5));
    let mut found = Vec::new();
    assert!(pool.asker().snapshots_of(&[0, 1], |number, it| found.push((number, it))));
    assert!(matches!(&found[..], [(1, snapshot)] if snapshot.delay.round_trip.p50.is_some()));
    while told.try_recv().is_ok() {}
    assert!(!replies_of(&told, 1, 20).contains(&0), "told of a session that has gone");
    assert_eq!(pool.add(vec![endless(3)], vec![]).unwrap(), 2..3, "a number was given twice");
    replies_of(&told, 2, 5);
    assert_eq!(pool.snapshots().len(), 2);
    assert!(!pool.is_finished());
    pool.stop_sending();
    pool.remove(vec![1, 2]);
    assert!(pool.snapshots().is_empty());
    assert!(!pool.is_finished(), "without sessions it waits for others");
}

#[test]
fn sessions_that_cannot_be_leave_those_that_are_alone() {
    let far = reflect(&reflector_config(AuthenticationMode::Unauthenticated), 1, v4());
    let (observer, told) = teller();
    let mut pool = SenderPool::resident("sender-0", observer).unwrap();
    pool.add(vec![setup(far.address, 1, |config| config.count = None)], vec![]).unwrap();
    let impossible = setup(far.address, 2, |config| config.timeout = Duration::ZERO);
    let good = setup(far.address, 3, |_| {});
    assert!(pool.add(vec![good, impossible], vec![]).is_err());
    replies_of(&told, 0, 5);
    assert_eq!(pool.snapshots().len(), 1);
}
