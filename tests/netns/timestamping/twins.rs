//! The program at the ingress beside the decision core, packet by packet.
//!
//! Both get the same packets with the same stamp, well-formed ones and ones with a few octets
//! changed, cut off or added. What leaves is compared octet by octet, and what is counted reason by
//! reason. The program runs on frames that never were on a link, so that thousands are no matter.

use std::net::{IpAddr, Ipv6Addr};

use stamp_net::clock;
use stamp_net::route::{RouteQuery, lookup};
use stamp_net::tc::{
    DropReason as Dropped, Handling as Handled, Outcome, Stamper, TcCounts, TcRule, TcTrigger,
    TrialFrame,
};
use stamp_proto::sr::encapsulation::{Encapsulation, SrhExtras};
use stamp_proto::sr::layers::{Outermost, find_udp};
use stamp_proto::sr::mpls::Label;
use stamp_proto::sr::protocol::EtherType;
use stamp_proto::sr::srh::SrhForm;
use stamp_proto::time::{PtpUtcOffset, Stamp, StampSource, Timestamp, TimestampFormat, WallTime};
use stamp_session::clock::MonotonicTime;
use stamp_session::forwarding::{
    Arrival, Forwarder, ForwardingConfig, ForwardingSnapshot, NextHop, Place, RuleCounters,
    SidForm, TimestampRule, Trigger, Verdict,
};
use stamp_tests::netns::{Need, Routed, Trial, trials};
use stamp_tests::simulation::Random;

use super::sids::path;
use super::{compose, flow, labelled, network, open_probe};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        both_do_the_same_about_sids: [Need::IPV6, Need::BPF],
        both_write_the_same_below_labels: [Need::IPV6, Need::BPF],
        without_a_stamp_of_the_kernel_the_clock_is_read: [Need::IPV6, Need::BPF],
    ]
}

const PACKETS: usize = 20_000;
const ETHERNET: usize = 14;
/// An instant with many digits.
const STAMP_NS: i64 = 1_764_321_098_987_654_321;

/// Core and program with the same rules, on `eth0` of the router.
struct Twins {
    net: Routed,
    core: Forwarder,
    program: Stamper,
    triggers: Vec<Trigger>,
    interface: u32,
}

impl Twins {
    fn new() -> Self {
        let net = network();
        for (prefix, family) in
            [("0.0.0.0/0", net.far.ipv4().into()), ("::/0", net.far.ipv6().into())]
        {
            net.router.add_route(prefix, Some(family), "eth1");
        }
        let [here, elsewhere] = ["eth0", "eth1"].map(|name| net.router.index(name));
        let rules = rules(here, elsewhere);
        let triggers = rules.iter().map(|rule| rule.trigger).collect();
        let program: Vec<TcRule> = rules.iter().map(of_program).collect();
        let program = net.router.run(|| Stamper::load(&program)).expect("root may load it");
        let config = ForwardingConfig { timestamps: rules, labels: Vec::new() };
        let core = Forwarder::new(config).expect("nothing contradicts");
        Self { net, core, program, triggers, interface: here }
    }

    /// What the core makes of it, and its counters once it has left.
    fn decide(&mut self, ether_type: EtherType, packet: &[u8]) -> Decided {
        let arrival = Arrival {
            interface: self.interface,
            stamp: Stamp { time: WallTime::from_unix_ns(STAMP_NS), source: StampSource::Kernel },
            now: MonotonicTime::from_ns(1),
            checksum_ready: true,
            truncated: false,
        };
        let (decided, fate) = match self.core.handle_packet(&arrival, ether_type, packet) {
            Verdict::NotOurs => (Decided::Pass, None),
            Verdict::Drop(_) => (Decided::Drop, None),
            Verdict::Forward(forward) => {
                let mut out = vec![0; forward.octets()];
                forward.emit(&mut out).expect("there is room");
                let NextHop::Destination(to) = forward.next_hop() else { panic!("no such rule") };
                (Decided::Leave { octets: out, to }, Some(forward.fate()))
            }
        };
        if let Some(fate) = fate {
            self.core.handle_sent(fate);
        }
        decided
    }

    /// What the program makes of it.
    fn run(&mut self, ether_type: EtherType, packet: &[u8]) -> (Outcome, Vec<u8>) {
        self.run_stamped(ether_type, packet, Some(STAMP_NS.unsigned_abs()))
    }

    fn run_stamped(
        &mut self,
        ether_type: EtherType,
        packet: &[u8],
        stamp_ns: Option<u64>,
    ) -> (Outcome, Vec<u8>) {
        let mut frame = self.net.router.mac("eth0").to_vec();
        frame.extend(self.net.near.mac("eth0"));
        frame.extend(ether_type.0.to_be_bytes());
        frame.extend(packet);
        let frame = TrialFrame { octets: &frame, interface: self.interface, stamp_ns };
        let program = &mut self.program;
        let trial = self.net.router.run(|| program.try_out(frame, 1)).expect("it runs");
        (trial.outcome, trial.octets[ETHERNET..].to_vec())
    }

    fn counted(&self) -> (ForwardingSnapshot, TcCounts) {
        (self.core.snapshot(), self.program.counts().expect("our own maps"))
    }
}

#[derive(Debug)]
enum Decided {
    Pass,
    Drop,
    Leave { octets: Vec<u8>, to: IpAddr },
}

fn rules(here: u32, elsewhere: u32) -> Vec<TimestampRule> {
    let sid =
        |text: &str, bits| SidForm::new(text.parse().expect("an address"), bits).expect("one");
    let place = |offset, format| Place { offset, format, ptp_utc_offset: PtpUtcOffset::TAI };
    let usual = place(16, TimestampFormat::Ptp);
    let rule = |trigger, place, ports: &[u16], interface| TimestampRule {
        trigger,
        interfaces: vec![interface],
        place,
        ports: ports.to_vec(),
        rate_limit: None,
    };
    let container = |text, bits, csid| sid(text, bits).with_next_csid(32, csid).expect("they fit");
    vec![
        rule(Trigger::Sid(sid("fc00:bb:2:f::", 64)), usual, &[], here),
        rule(Trigger::Sid(sid("fc00:bb:2:f:7::", 80)), place(19, TimestampFormat::Ntp), &[], here),
        rule(Trigger::Sid(container("fcbb:bb00:2:f::", 64, 16)), usual, &[49_300], here),
        rule(
            Trigger::Sid(container("fcbb:bb00:3000::", 36, 4)),
            place(35, TimestampFormat::Ntp),
            &[],
            here,
        ),
        rule(Trigger::Sid(sid("fc00:bb:2:1::", 64)), usual, &[], elsewhere),
        rule(
            Trigger::Label(Label::new(15_001).expect("20 bits")),
            place(17, TimestampFormat::Ntp),
            &[49_300],
            here,
        ),
    ]
}

fn of_program(rule: &TimestampRule) -> TcRule {
    TcRule {
        trigger: match rule.trigger {
            Trigger::Sid(sid) => {
                TcTrigger::Sid { prefix: sid.prefix(), bits: sid.bits(), shift: sid.shift_bits() }
            }
            Trigger::Label(label) => TcTrigger::Label(label),
            Trigger::Extended(_) => panic!("tc takes no label off"),
        },
        interfaces: rule.interfaces.clone(),
        offset: rule.place.offset,
        format: rule.place.format,
        ptp_utc_offset: rule.place.ptp_utc_offset,
        ports: rule.ports.clone(),
        rate_limit: rule.rate_limit,
    }
}

/// Packets to every kind of SID, in every form.
fn to_sids(net: &Routed) -> Vec<Vec<u8>> {
    let (v4, v6) = (IpAddr::from(net.near.ipv4()), net.near.ipv6());
    let extras = SrhExtras::default();
    let payload = open_probe();
    // The last two are for no router.
    let (group, link) = ("ff0e::1".parse().expect("one"), [169, 254, 0, 1].into());
    let inner = [(v4, v4), (v6.into(), v6.into()), (v6.into(), group), (v4, link)];
    let mut packets = Vec::new();
    for first in [
        "fc00:bb:2:f::",
        "fc00:bb:2:f:7::1",
        "fcbb:bb00:2:f:1:d6::",
        "fcbb:bb00:2:f::",
        "fcbb:bb00:3100:4500::",
        "fc00:bb:2:1::",
        "fc00:bb:2:77::",
    ] {
        let (one, two) = (path(&[first]), path(&[first, "fc00:bb:1:1::"]));
        for form in [SrhForm::Full, SrhForm::Reduced] {
            for (from, to) in inner {
                for path in [&one, &two] {
                    let wish = Encapsulation::Srv6Tunnel { source: v6, path, form, extras };
                    packets.push(compose(wish, &flow(from, to), &payload));
                }
            }
        }
        let wish = Encapsulation::HostSrh { path: &two, form: SrhForm::Full, extras };
        let last: Ipv6Addr = "fc00:bb:1:1::".parse().expect("an address");
        packets.push(compose(wish, &flow(v6.into(), last.into()), &payload));
    }
    packets
}

/// A packet with some octets changed, mostly in front, or another end.
fn changed(random: &mut Random, packet: &[u8]) -> Vec<u8> {
    /// Protocols and lengths that lead further than chance does.
    const LIKELY: [u8; 12] = [0, 1, 2, 4, 6, 17, 41, 43, 44, 60, 143, 255];
    let mut packet = packet.to_vec();
    for _ in 0..random.below(4) {
        let reach = if random.below(4) == 0 { packet.len() } else { packet.len().min(100) };
        let at = place(random, reach);
        packet[at] = match random.below(3) {
            0 => random.pick(&LIKELY),
            1 => packet[at].wrapping_add(1),
            _ => random.draw().to_be_bytes()[0],
        };
    }
    match random.below(12) {
        // The kernel tries no frame that is shorter than the header its type promises.
        0 => packet.truncate(place(random, packet.len()).max(40)),
        1 => packet.extend([0; 7]),
        _ => {}
    }
    packet
}

/// Each as it is, then changed ones.
fn one_of(packets: &[Vec<u8>], index: usize, random: &mut Random) -> Vec<u8> {
    let at = place(random, packets.len());
    packets.get(index).cloned().unwrap_or_else(|| changed(random, &packets[at]))
}

fn place(random: &mut Random, length: usize) -> usize {
    usize::try_from(random.below(length as u64)).expect("it is below a length")
}

fn both_do_the_same_about_sids() {
    let mut twins = Twins::new();
    let packets = to_sids(&twins.net);
    let mut random = Random::new(7);
    let mut left = 0;
    for index in 0..PACKETS {
        let packet = one_of(&packets, index, &mut random);
        let decided = twins.decide(EtherType::IPV6, &packet);
        let (outcome, octets) = twins.run(EtherType::IPV6, &packet);
        match (&decided, outcome) {
            (Decided::Pass, Outcome::Pass) => assert_eq!(octets, packet),
            (Decided::Drop, Outcome::Drop) => {}
            (Decided::Leave { octets: expected, .. }, Outcome::Leave) => {
                assert_eq!(octets, *expected, "packet {index}: {packet:x?}");
                left += 1;
            }
            // The core leaves the way to its shell; the program finds none to this host itself, nor
            // for what claims to come from a group.
            (Decided::Leave { octets, to }, Outcome::Drop) => {
                let found = twins.net.router.run(|| lookup(&RouteQuery::to(*to)));
                let from_a_group = octets[0] >> 4 == 6 && octets[8] == 0xff;
                let is_local = found.is_ok_and(|route| route.local);
                assert!(is_local || from_a_group, "packet {index}: {packet:x?}");
            }
            _ => panic!("packet {index}: {decided:?} and {outcome:?}: {packet:x?}"),
        }
    }
    assert!(left > PACKETS / 4, "only {left} of {PACKETS} went on");
    let (core, program) = twins.counted();
    assert_same_counts(&twins, &core, &program);
}

fn assert_same_counts(twins: &Twins, core: &ForwardingSnapshot, program: &TcCounts) {
    use stamp_session::forwarding::{DropReason, UnstampedReason};
    for (ours, theirs) in [
        (DropReason::Malformed, Dropped::Malformed),
        (DropReason::Interface, Dropped::Interface),
        (DropReason::HopLimit, Dropped::HopLimit),
        (DropReason::UpperLayer, Dropped::UpperLayer),
        (DropReason::Destination, Dropped::Destination),
    ] {
        assert_eq!(core.dropped(ours), program.dropped(theirs), "{ours}");
        assert!(core.dropped(ours) > 0, "no packet was dropped for {ours}");
    }
    // Those to this host itself.
    let lost = program.dropped(Dropped::NoRoute);
    let rules = 0..twins.triggers.len();
    let sum = |handled| rules.clone().map(|rule| program.handled(rule, handled)).sum::<u64>();
    let stamped = sum(Handled::Stamped);
    assert!((stamped..=stamped + lost).contains(&core.stamped()));
    for (ours, theirs) in [
        (UnstampedReason::Fragment, Handled::Fragment),
        (UnstampedReason::NotUdp, Handled::NotUdp),
        (UnstampedReason::Unreadable, Handled::Unreadable),
        (UnstampedReason::ForeignPort, Handled::ForeignPort),
        (UnstampedReason::TooShort, Handled::TooShort),
    ] {
        let counted = sum(theirs);
        assert!((counted..=counted + lost).contains(&core.unstamped(ours)), "{ours}");
        assert!(counted > 0, "no packet went on as {ours}");
    }
}

fn both_write_the_same_below_labels() {
    let mut twins = Twins::new();
    let rule = twins.triggers.len() - 1;
    let mut packets = Vec::new();
    for near in [IpAddr::from(twins.net.near.ipv4()), twins.net.near.ipv6().into()] {
        for labels in [&[15_001][..], &[0, 15_001], &[2, 15_001]] {
            packets.push(labelled(labels, &flow(near, near), &open_probe()));
        }
    }
    let mut random = Random::new(8);
    let mut stamped = 0;
    for index in 0..PACKETS {
        let packet = one_of(&packets, index, &mut random);
        let before = twins.counted();
        let decided = twins.decide(EtherType::MPLS, &packet);
        let (outcome, octets) = twins.run(EtherType::MPLS, &packet);
        // What the core drops besides, the kernel's own label forwarding has to judge.
        let Decided::Leave { octets: expected, .. } = decided else { continue };
        assert_eq!(outcome, Outcome::Pass, "packet {index}: {packet:x?}");
        let after = twins.counted();
        let of_rule = |(core, program): &(ForwardingSnapshot, TcCounts)| {
            let handled = Handled::ALL.map(|handled| program.handled(rule, handled));
            let RuleCounters { stamped, unstamped } = core.rules[rule];
            ((stamped, unstamped), (handled[0], handled[1..].iter().sum::<u64>()))
        };
        let (before, after) = (of_rule(&before), of_rule(&after));
        let more = |before: (u64, u64), after: (u64, u64)| (after.0 - before.0, after.1 - before.1);
        let (ours, theirs) = (more(before.0, after.0), more(before.1, after.1));
        assert_eq!(ours, theirs, "packet {index}: {packet:x?}");
        stamped += ours.0;
        let written = find_udp(Outermost::Ip, &expected);
        let tail = written.map_or(0, |place| expected.len() - place.udp);
        let (ours, theirs) = (&expected[expected.len() - tail..], &octets[octets.len() - tail..]);
        assert_eq!(ours, theirs, "packet {index}: {packet:x?}");
    }
    assert!(stamped > PACKETS as u64 / 8, "only {stamped} of {PACKETS} were stamped");
}

fn without_a_stamp_of_the_kernel_the_clock_is_read() {
    let mut twins = Twins::new();
    let near = IpAddr::from(twins.net.near.ipv6());
    let packet = labelled(&[15_001], &flow(near, near), &open_probe());
    // The program's clock runs through leap seconds; the offset makes UTC of it.
    for ahead_s in [0, 1, -1] {
        let offset = clock::tai_offset_ns() + ahead_s * 1_000_000_000;
        twins.program.set_tai_offset(offset).expect("our own map");
        let before = clock::wall_now();
        let (outcome, octets) = twins.run_stamped(EtherType::MPLS, &packet, None);
        let after = clock::wall_now();
        assert_eq!(outcome, Outcome::Pass);
        let place = find_udp(Outermost::Mpls, &octets).expect("a datagram");
        let t2 = octets[place.payload.start + 17..][..8].try_into().expect("eight octets");
        let t2 = Timestamp::from_octets(t2, TimestampFormat::Ntp).to_wall(before);
        let t2 = t2.expect("an instant").unix_ns() + ahead_s * 1_000_000_000;
        // NTP fractions are coarser than nanoseconds.
        let span = before.unix_ns() - 1..=after.unix_ns() + 1;
        assert!(span.contains(&t2), "{t2} is not in {span:?}");
    }
}
