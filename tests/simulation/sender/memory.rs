//! What a thousand sessions take from the machine.

use std::fs;
use std::time::Duration;

use stamp_proto::time::{Stamp, StampSource};
use stamp_session::clock::{MonotonicTime, Now};
use stamp_session::datagram::{Headers, Received};
use stamp_session::sender::{Outcome, Schedule, Sender, StatisticsScope};
use stamp_tests::simulation::{FarEnd, MS, Random};

use crate::session::scenario::Scenario;

const SESSIONS: u64 = 1_000;
const PROBES: u64 = 200;

/// Memory of this process that is no file, in octets.
fn resident_octets() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("Linux 4.5");
    let kib = line.split_whitespace().nth(1).expect("a number");
    kib.parse::<u64>().expect("a number") * 1_024
}

/// A probe every 100 ms with delays of every size, so that every page of memory is used.
fn session(seed: u64) -> Sender {
    let mut scenario = Scenario::calm(seed, PROBES);
    scenario.config.schedule = Schedule::Fixed { interval: Duration::from_millis(100) };
    scenario.config.timeout = Duration::from_secs(1);
    scenario.config.statistics = StatisticsScope::Window;
    let mut random = Random::new(seed);
    let mut sender = Sender::new(scenario.config.clone(), MonotonicTime::ZERO).unwrap();
    for probe in 0..PROBES {
        let at_ns = probe * 100 * MS;
        let clocks = |at_ns| Now {
            monotonic: MonotonicTime::from_ns(at_ns),
            wall: scenario.near.wall(at_ns),
        };
        let mut out = [0; 44];
        let transmit = sender.poll_transmit(clocks(at_ns), &mut out).unwrap();
        let mut delay = || 1_000 << random.below(9) << random.below(9);
        let answer = scenario.far.answer(at_ns + delay(), transmit.octets).unwrap();
        let arrives_ns = (answer.leaves_ns + delay()).min(at_ns + 99 * MS);
        sender.handle_sent(transmit.token, None);
        let received = Received {
            octets: &answer.octets,
            from: scenario.config.target,
            to: "198.51.100.1:50000".parse().unwrap(),
            interface: 1,
            stamp: Stamp { time: scenario.near.wall(arrives_ns), source: StampSource::Kernel },
            hop_limit: None,
            traffic_class: None,
            headers: Headers::UNKNOWN,
        };
        let _: Outcome = sender.handle_reply(clocks(arrives_ns), received);
        while sender.poll_event().is_some() {}
    }
    sender
}

#[test]
fn a_session_takes_40_kib_at_most_and_says_what_it_takes() {
    let before = resident_octets();
    let sessions: Vec<Sender> = (0..SESSIONS).map(session).collect();
    let measured = resident_octets().saturating_sub(before) / SESSIONS;
    let stated = sessions.iter().map(|session| session.memory_octets() as u64).max().unwrap();
    assert!(stated <= 40 * 1_024, "{stated}");
    // Other tests run beside this one, and an allocator rounds.
    assert!(measured <= stated + 8 * 1_024, "{measured} measured, {stated} stated");
    assert!(measured * 2 >= stated, "{measured} measured, {stated} stated");
}
