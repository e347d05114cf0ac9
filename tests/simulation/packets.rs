//! Several replies to a probe (RFC 10052 §3): both engines, and a model that knows the clause and
//! the links, and nothing of the engines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stamp_proto::packet::Ssid;
use stamp_proto::time::{Stamp, StampSource};
use stamp_proto::tlv::reflected_test_packet_control::ReflectedPackets;
use stamp_session::clock::{MonotonicTime, Now};
use stamp_session::datagram::{Headers, Received};
use stamp_session::reflector::{
    PacketControlRules, RateLimiter, RateLimiterConfig, Reflector, ReflectorConfig, SourcePolicy,
    Verdict,
};
use stamp_session::sender::{Requests, Schedule, Sender, SenderConfig};
use stamp_tests::simulation::{Agenda, Clock, Impairment, Link, MS, Random, for_each_seed};

const NEAR: &str = "198.51.100.1:50000";
const FAR: &str = "192.0.2.1:862";
const INTERVAL: u64 = 100 * MS;
const PROBES: u64 = 40;

/// A run: what is asked for, what the far end allows, and how rough the ways are.
struct Scenario {
    wanted: ReflectedPackets,
    most_packets: u16,
    stateful: bool,
    forward: Impairment,
    backward: Impairment,
}

impl Scenario {
    fn new(random: &mut Random) -> Self {
        let count = random.between(2, 9) as u16;
        let wanted = ReflectedPackets {
            octets: random.between(1, 300) as u16,
            count,
            // The last leaves before the next probe is sent, on a way that does not vary.
            interval_ns: random.between(4 * MS, 80 * MS / u64::from(count)) as u32,
        };
        let way = |random: &mut Random| Impairment {
            delay_ns: random.between(1, 20 * MS),
            variation_ns: random.pick(&[0, 5 * MS, 150 * MS]),
            overtaking: random.chance(500),
            loss_per_mille: random.pick(&[0, 100, 400]),
            ..Impairment::default()
        };
        let forward = Impairment { duplicate_per_mille: random.pick(&[0, 200]), ..way(random) };
        let most_packets = if random.chance(800) { 9 } else { random.between(1, 8) as u16 };
        Self { wanted, most_packets, stateful: random.chance(500), forward, backward: way(random) }
    }
}

/// A reply as it left, read by its offsets.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Left {
    at_ns: u64,
    number: u32,
    probe: u32,
    flags: u8,
    octets: usize,
}

impl Left {
    fn read(at_ns: u64, octets: &[u8]) -> Self {
        let word = |at: usize| u32::from_be_bytes(octets[at..at + 4].try_into().unwrap());
        Self { at_ns, number: word(0), probe: word(24), flags: octets[44], octets: octets.len() }
    }
}

/// What was done to a run.
#[derive(Default)]
struct Record {
    sent: Vec<u32>,
    /// Probes as they arrived at the far end.
    arrived: Vec<(u64, u32)>,
    left: Vec<Left>,
    /// Replies as they arrived here.
    came: Vec<Left>,
}

enum Event {
    Probe(u32, Vec<u8>),
    Reply(Left, Vec<u8>),
}

struct World {
    scenario: Scenario,
    sender: Sender,
    reflector: Reflector,
    clock: Clock,
    ways: [Link; 2],
    agenda: Agenda<Event>,
    record: Record,
}

fn received<'a>(
    octets: &'a [u8],
    (from, to): (&str, &str),
    clock: &Clock,
    at: u64,
) -> Received<'a> {
    Received {
        octets,
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        interface: 1,
        stamp: Stamp { time: clock.wall(at), source: StampSource::Kernel },
        hop_limit: None,
        traffic_class: None,
        headers: Headers::UNKNOWN,
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let scenario = Scenario::new(&mut Random::new(seed));
        let mut config = SenderConfig::new(FAR.parse().unwrap(), Ssid(7));
        config.schedule = Schedule::Fixed { interval: Duration::from_nanos(INTERVAL) };
        config.count = Some(PROBES);
        config.timeout = Duration::from_secs(5);
        config.requests = Requests { packets: Some(scenario.wanted), ..Requests::default() }.into();
        config.payload_octets = config.smallest_payload();
        let mut far = ReflectorConfig::new([seed, 7]);
        far.stateful = scenario.stateful;
        let mut policy = SourcePolicy::configured(config.mode());
        policy.tlvs.packet_control = Some(PacketControlRules {
            most_packets: scenario.most_packets,
            ..PacketControlRules::MODEST
        });
        far.unknown_sources = Some(policy);
        let limiter = RateLimiterConfig { slots: 64, ..RateLimiterConfig::new([3, 4]) };
        Self {
            sender: Sender::new(config, MonotonicTime::ZERO).unwrap(),
            reflector: Reflector::new(far, Arc::new(RateLimiter::new(limiter))).unwrap(),
            clock: Clock::default(),
            ways: [
                Link::new(scenario.forward, Random::new(seed ^ 0x0f0f)),
                Link::new(scenario.backward, Random::new(seed ^ 0xf0f0)),
            ],
            agenda: Agenda::default(),
            record: Record::default(),
            scenario,
        }
    }

    fn run(mut self) -> (Scenario, Record, Sender) {
        // What is left of sessions at the far end expires long behind the end.
        let end = INTERVAL * PROBES + 10_000 * MS;
        loop {
            let engines = [self.sender.next_timeout(), self.reflector.next_timeout()];
            let engines = engines.into_iter().flatten().map(MonotonicTime::ns);
            let Some(now) = engines.chain(self.agenda.next_at()).min().filter(|now| *now < end)
            else {
                return (self.scenario, self.record, self.sender);
            };
            self.far_end_goes_on(now);
            while let Some((at_ns, event)) = self.agenda.take(now) {
                self.happen(at_ns, event);
            }
            self.near_end_goes_on(now);
        }
    }

    fn far_end_goes_on(&mut self, now: u64) {
        let mut out = [0xee; 2_000];
        while let Some(further) = self.reflector.poll_reply(MonotonicTime::from_ns(now), &mut out) {
            assert_eq!(further.listener, FAR.parse().unwrap());
            let octets = further.reply.seal(self.clock.wall(now)).octets.to_vec();
            self.leaves(now, octets);
        }
        self.reflector.handle_timeout(MonotonicTime::from_ns(now));
    }

    fn near_end_goes_on(&mut self, now: u64) {
        let at = Now { monotonic: MonotonicTime::from_ns(now), wall: self.clock.wall(now) };
        let mut out = [0; 2_000];
        while let Some(transmit) = self.sender.poll_transmit(at, &mut out) {
            let (sequence, octets) = (transmit.sequence, transmit.octets.to_vec());
            self.sender.handle_sent(transmit.token, None);
            self.record.sent.push(sequence);
            for passage in self.ways[0].pass(now) {
                self.agenda.enter(passage.arrives_ns, Event::Probe(sequence, octets.clone()));
            }
        }
        self.sender.handle_timeout(at);
        while self.sender.poll_event().is_some() {}
    }

    fn leaves(&mut self, now: u64, octets: Vec<u8>) {
        let left = Left::read(now, &octets);
        self.record.left.push(left.clone());
        for passage in self.ways[1].pass(now) {
            self.agenda.enter(passage.arrives_ns, Event::Reply(left.clone(), octets.clone()));
        }
    }

    fn happen(&mut self, at_ns: u64, event: Event) {
        let at = Now { monotonic: MonotonicTime::from_ns(at_ns), wall: self.clock.wall(at_ns) };
        match event {
            Event::Probe(sequence, octets) => {
                self.record.arrived.push((at_ns, sequence));
                let mut out = [0xee; 2_000];
                let probe = received(&octets, (NEAR, FAR), &self.clock, at_ns);
                let verdict = self.reflector.handle_probe(at.monotonic, probe, &mut out);
                if let Verdict::Reply(reply) = verdict {
                    let octets = reply.seal(self.clock.wall(at_ns)).octets.to_vec();
                    self.leaves(at_ns, octets);
                }
            }
            Event::Reply(left, octets) => {
                let _ = self
                    .sender
                    .handle_reply(at, received(&octets, (FAR, NEAR), &self.clock, at_ns));
                self.record.came.push(left);
            }
        }
    }
}

/// The replies that have to leave, by the clause alone: those to a probe at its interval, unless the
/// one before it is still being answered, too many are wanted, or its number is not above others.
fn expected(scenario: &Scenario, arrived: &[(u64, u32)]) -> Vec<Left> {
    const BARE: u64 = 44 + 16;
    let ReflectedPackets { octets, count, interval_ns } = scenario.wanted;
    let length = BARE.max(u64::from(octets).div_ceil(4) * 4) as usize;
    let mut due: Vec<Left> = Vec::new();
    let (mut busy_until, mut highest, mut seen) = (None, None, Vec::new());
    for (at_ns, probe) in arrived.iter().copied() {
        if scenario.stateful && seen.contains(&probe) {
            continue;
        }
        seen.push(probe);
        let overtaken = scenario.stateful && highest.is_some_and(|highest| probe < highest);
        highest = highest.max(Some(probe));
        let busy = busy_until.is_some_and(|until| at_ns < until);
        let flags = match (overtaken, busy || count > scenario.most_packets) {
            (true, _) => 0x80,
            (false, true) => 0x10,
            (false, false) => 0,
        };
        let replies = if flags == 0 { u64::from(count) } else { 1 };
        let last_ns = at_ns + (replies - 1) * u64::from(interval_ns);
        if flags == 0 {
            busy_until = Some(last_ns);
        }
        for nth in 0..replies {
            let at_ns = at_ns + nth * u64::from(interval_ns);
            let octets = if flags == 0 { length } else { BARE as usize };
            due.push(Left { at_ns, number: probe, probe, flags, octets });
        }
    }
    due.sort_by_key(|left| left.at_ns);
    if scenario.stateful {
        (0..).zip(&mut due).for_each(|(number, left)| left.number = number);
    }
    due
}

/// What the sender has to count of the replies that came: whether its wish was granted is told by the
/// first that came of each probe.
fn assert_counted(scenario: &Scenario, record: &Record, sender: &Sender) {
    let mut first: Vec<&Left> = Vec::new();
    for left in &record.came {
        if first.iter().all(|before| before.probe != left.probe) {
            first.push(left);
        }
    }
    let granted: Vec<u32> =
        first.iter().filter(|left| left.flags == 0).map(|left| left.probe).collect();
    let snapshot = sender.snapshot();
    let packets = &snapshot.packets;
    assert_eq!(packets.sent, PROBES);
    assert_eq!(packets.received, first.len() as u64, "a sample for each probe with a reply");
    assert_eq!(packets.lost.round_trip, PROBES - first.len() as u64);
    let series = snapshot.answers.as_deref().expect("something is asked").packets;
    assert_eq!(series.told, granted.len() as u64);
    assert_eq!(series.refused, (first.len() - granted.len()) as u64);
    assert_eq!(series.expected, granted.len() as u64 * u64::from(scenario.wanted.count));
    let of_granted = record.came.iter().filter(|left| granted.contains(&left.probe));
    let further = (record.came.len() - first.len()) as u64;
    assert!(packets.duplicate <= further);
    // Where no probe was doubled on its way, no reply is one that nobody wanted.
    if scenario.forward.duplicate_per_mille == 0 {
        assert_eq!((series.received, packets.duplicate), (of_granted.count() as u64, 0));
    }
}

#[test]
fn replies_leave_and_are_counted_as_the_clause_has_it() {
    let bursts = AtomicU64::new(0);
    for_each_seed(400, |seed| {
        let (scenario, record, sender) = World::new(seed).run();
        let expected = expected(&scenario, &record.arrived);
        assert_eq!(record.left, expected, "seed {seed}");
        assert_eq!(record.sent, (0..PROBES as u32).collect::<Vec<_>>());
        assert_counted(&scenario, &record, &sender);
        let granted = expected.iter().filter(|left| left.flags == 0).count() as u64;
        bursts.fetch_add(granted, Ordering::Relaxed);
    });
    assert!(bursts.into_inner() > 10_000, "it was put to the test");
}
