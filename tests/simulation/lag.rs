//! Micro-sessions over a LAG whose cables are crossed while it runs (RFC 9534 §3), and a model of what
//! has to become of each probe that knows the cables, and nothing of the engines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stamp_proto::packet::Ssid;
use stamp_proto::time::{Stamp, StampSource};
use stamp_proto::tlv::micro_session_id::MemberLinkId;
use stamp_session::clock::{MonotonicTime, Now};
use stamp_session::datagram::{Headers, Received};
use stamp_session::reflector::{
    DropReason, MemberLink, RateLimiter, RateLimiterConfig, Reflector, ReflectorConfig, ReplyWay,
    SourcePolicy, Verdict,
};
use stamp_session::sender::{
    MicroSession, Outcome, RejectReason, Requests, Schedule, Sender, SenderConfig,
};
use stamp_tests::simulation::{Clock, MS, Random, for_each_seed};

const MEMBERS: usize = 4;
const SLOTS: u64 = 120;
const INTERVAL: u64 = 10 * MS;

/// What becomes of a probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Sample,
    /// The far end knows that it is not for the link it came in on.
    DiscardedThere,
    /// The reply names or took another link.
    DiscardedHere,
    Lost,
}

/// The cables, and who calls them what.
struct Cables {
    random: Random,
    /// Where each of our ends leads to.
    to: [usize; MEMBERS],
    /// What the far end calls its ends.
    far_ids: [u16; MEMBERS],
    /// A far end that sends its replies where it likes, one of a thousand.
    astray_per_mille: u64,
    loss_per_mille: u64,
}

impl Cables {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let first = random.between(1, 60_000) as u16;
        Self {
            to: [0, 1, 2, 3],
            far_ids: core::array::from_fn(|member| first + member as u16),
            astray_per_mille: random.pick(&[0, 0, 50]),
            loss_per_mille: random.pick(&[0, 100, 300]),
            random,
        }
    }

    /// Now and then somebody plugs two cables over.
    fn change(&mut self) {
        if self.random.chance(20) {
            let [one, other] = [(); 2].map(|()| self.random.below(MEMBERS as u64) as usize);
            self.to.swap(one, other);
        }
    }

    fn back_from(&self, far: usize) -> usize {
        self.to.iter().position(|end| *end == far).expect("every end has a cable")
    }
}

/// What the model knows of one micro session: the far end of its link, as it was told once.
#[derive(Clone, Copy, Default)]
struct Known(Option<u16>);

impl Known {
    /// What has to become of a probe from `near` that reaches `far`, whose reply comes in at `back`.
    fn fate(&mut self, (near, back): (usize, usize), far_id: u16) -> Fate {
        match self.0 {
            Some(known) if known != far_id => Fate::DiscardedThere,
            _ if near != back => Fate::DiscardedHere,
            _ => {
                self.0 = Some(far_id);
                Fate::Sample
            }
        }
    }
}

fn interface(member: usize) -> u32 {
    10 + member as u32
}

fn sender(member: usize) -> Sender {
    let id = MemberLinkId::new(1 + member as u16).unwrap();
    let micro_session = Some(MicroSession { id, far: None, interface: interface(member) });
    let mut config = SenderConfig::new("192.0.2.1:862".parse().unwrap(), Ssid(1 + member as u16));
    config.requests = Requests { micro_session, ..Requests::default() }.into();
    config.payload_octets = config.smallest_payload();
    config.schedule = Schedule::Fixed { interval: Duration::from_nanos(INTERVAL) };
    config.count = Some(SLOTS);
    config.timeout = Duration::from_nanos(INTERVAL / 2);
    // A link that is down is made anew, and its far end forgotten: this is about links that stay.
    config.packet_loss_count = u32::MAX;
    Sender::new(config, MonotonicTime::ZERO).unwrap()
}

fn reflector(cables: &Cables, seed: u64) -> Reflector {
    let mut config = ReflectorConfig::new([seed, 7]);
    config.unknown_sources =
        Some(SourcePolicy::configured(stamp_proto::packet::AuthenticationMode::Unauthenticated));
    let link = |(member, id): (usize, &u16)| MemberLink {
        interface: interface(member),
        id: MemberLinkId::new(*id).unwrap(),
    };
    config.member_links = cables.far_ids.iter().enumerate().map(link).collect();
    let limiter = RateLimiterConfig { slots: 64, ..RateLimiterConfig::new([3, 4]) };
    Reflector::new(config, Arc::new(RateLimiter::new(limiter))).unwrap()
}

fn received<'a>(octets: &'a [u8], member: usize, ends: [&str; 2], at_ns: u64) -> Received<'a> {
    let [from, to] = ends.map(|end| end.parse().unwrap());
    Received {
        octets,
        from,
        to,
        interface: interface(member),
        stamp: Stamp { time: Clock::default().wall(at_ns), source: StampSource::Kernel },
        hop_limit: None,
        traffic_class: None,
        headers: Headers::UNKNOWN,
    }
}

fn now(at_ns: u64) -> Now {
    Now { monotonic: MonotonicTime::from_ns(at_ns), wall: Clock::default().wall(at_ns) }
}

/// One probe of one member, there and back: what the engines make of it, and what the model does.
fn pass(
    sender: &mut Sender,
    (reflector, cables, known): (&mut Reflector, &mut Cables, &mut Known),
    member: usize,
    slot_ns: u64,
) -> Option<(Fate, Fate)> {
    const ENDS: [&str; 2] = ["198.51.100.1:50000", "192.0.2.1:862"];
    let (mut out, mut reply) = ([0; 200], [0; 200]);
    let transmit = sender.poll_transmit(now(slot_ns), &mut out)?;
    let probe = transmit.octets.to_vec();
    sender.handle_sent(transmit.token, None);
    if cables.random.chance(cables.loss_per_mille) {
        return Some((Fate::Lost, Fate::Lost));
    }
    let far = cables.to[member];
    let astray = cables.random.chance(cables.astray_per_mille);
    let leaves = if astray { cables.random.below(MEMBERS as u64) as usize } else { far };
    let back = cables.back_from(leaves);
    let expected = known.fate((member, back), cables.far_ids[far]);
    let arrived = received(&probe, far, ENDS, slot_ns + MS);
    let verdict = reflector.handle_probe(MonotonicTime::from_ns(slot_ns + MS), arrived, &mut reply);
    let octets = match verdict {
        Verdict::Drop(DropReason::WrongMember) => return Some((Fate::DiscardedThere, expected)),
        Verdict::Reply(reply) => {
            let reply = reply.seal(Clock::default().wall(slot_ns + MS));
            assert_eq!((&reply.way, reply.interface), (&ReplyWay::SameLink, interface(far)));
            reply.octets.to_vec()
        }
        other => panic!("{other:?}"),
    };
    let [near_end, far_end] = ENDS;
    let reply = received(&octets, back, [far_end, near_end], slot_ns + 2 * MS);
    let fate = match sender.handle_reply(now(slot_ns + 2 * MS), reply) {
        Outcome::Sample(_) => Fate::Sample,
        Outcome::Rejected(RejectReason::Member) => Fate::DiscardedHere,
        other => panic!("{other:?}"),
    };
    Some((fate, expected))
}

#[test]
fn each_probe_of_a_micro_session_ends_as_its_cables_have_it() {
    let crossed = AtomicU64::new(0);
    for_each_seed(300, |seed| {
        let mut cables = Cables::new(seed);
        let mut reflector = reflector(&cables, seed);
        let mut senders: [Sender; MEMBERS] = core::array::from_fn(sender);
        let mut known = [Known::default(); MEMBERS];
        let mut fates = [const { Vec::new() }; MEMBERS];
        for slot in 0..SLOTS {
            cables.change();
            for member in 0..MEMBERS {
                let far = (&mut reflector, &mut cables, &mut known[member]);
                let passed = pass(&mut senders[member], far, member, slot * INTERVAL);
                let (fate, expected) = passed.expect("a probe each slot");
                assert_eq!(fate, expected, "seed {seed}, slot {slot}, member {member}");
                fates[member].push(fate);
            }
        }
        let count = |of: &[Fate], which| of.iter().filter(|fate| **fate == which).count() as u64;
        for (sender, fates) in senders.iter_mut().zip(&fates) {
            sender.handle_timeout(now((SLOTS + 10) * INTERVAL));
            let packets = sender.snapshot().packets;
            let good = count(fates, Fate::Sample);
            assert_eq!((packets.received, packets.lost.round_trip), (good, SLOTS - good));
            let member = packets.rejected.get(RejectReason::Member);
            assert_eq!(member, count(fates, Fate::DiscardedHere));
        }
        let there = fates.iter().map(|fates| count(fates, Fate::DiscardedThere)).sum::<u64>();
        assert_eq!(reflector.snapshot().drops(DropReason::WrongMember), there);
        crossed.fetch_add(there, Ordering::Relaxed);
    });
    assert!(crossed.into_inner() > 1_000, "it was put to the test");
}
