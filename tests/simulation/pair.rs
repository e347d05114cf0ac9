//! Both engines against each other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::{Stamp, StampSource, TimeDelta};
use stamp_session::clock::{ClockState, MonotonicTime};
use stamp_session::datagram::{Headers, Received};
use stamp_session::reflector::{
    RateLimiter, RateLimiterConfig, Reflector, ReflectorConfig, SourcePolicy, Verdict,
};
use stamp_session::sender::{Outcome, Padding, Requests, TlvOutcome};
use stamp_tests::simulation::{Answer, Clock, FarEnd, for_each_seed};

use crate::session::compare::assert_agrees;
use crate::session::scenario::{Scenario, keys};
use crate::session::world::{Record, run};

/// Our Session-Reflector at the far end of a scenario.
struct Ours {
    reflector: Reflector,
    clock: Clock,
    residence_ns: u64,
    /// The kernel says that replies left so long after their T3.
    leaves_late_ns: u64,
    target: SocketAddr,
}

impl Ours {
    fn new(scenario: &Scenario) -> Self {
        let mode = scenario.config.mode();
        let mut config = ReflectorConfig::new([scenario.seed, 7]);
        config.stateful = scenario.far.stateful;
        config.unknown_sources = Some(SourcePolicy::configured(mode));
        config.session_limit = 64;
        config.clock = ClockState {
            synchronized: scenario.far.synchronized,
            error_bound_ns: Some(1_000),
            declared: true,
        };
        let is_keyed = scenario.config.keys.is_some() || scenario.config.tlv_keys.is_some();
        config.keys = is_keyed.then(keys);
        let limiter = RateLimiterConfig { slots: 64, ..RateLimiterConfig::new([3, 4]) };
        Self {
            reflector: Reflector::new(config, Arc::new(RateLimiter::new(limiter))).unwrap(),
            clock: scenario.far.clock.clone(),
            residence_ns: scenario.far.residence_ns,
            leaves_late_ns: scenario.far.residence_ns / 2,
            target: scenario.config.target,
        }
    }
}

impl FarEnd for Ours {
    fn answer(&mut self, at_ns: u64, probe: &[u8]) -> Option<Answer> {
        let arrived = self.clock.wall(at_ns);
        let received = Received {
            octets: probe,
            from: "198.51.100.1:50000".parse().unwrap(),
            to: self.target,
            interface: 1,
            stamp: Stamp { time: arrived, source: StampSource::Kernel },
            hop_limit: None,
            traffic_class: None,
            headers: Headers::UNKNOWN,
        };
        let mut out = [0xEE; 512];
        match self.reflector.handle_probe(MonotonicTime::from_ns(at_ns), received, &mut out) {
            Verdict::Reply(reply) => {
                let residence = TimeDelta::from_ns(self.residence_ns as i64);
                let reply = reply.seal(arrived.saturating_add(residence));
                let leaves_ns = at_ns + self.residence_ns;
                let octets = reply.octets.to_vec();
                if reply.wants_stamp {
                    let late = TimeDelta::from_ns((self.residence_ns + self.leaves_late_ns) as i64);
                    let time = arrived.saturating_add(late);
                    let stamp = Stamp { time, source: StampSource::Kernel };
                    self.reflector.handle_reply_stamp(reply.token, stamp);
                }
                Some(Answer { leaves_ns, octets })
            }
            Verdict::Observe(_) | Verdict::Drop(_) => None,
        }
    }
}

fn assert_pair_agrees(mut scenario: Scenario) -> Record {
    scenario.far.first_number = 0;
    let record = run(&scenario, Ours::new(&scenario));
    let _ = assert_agrees(&scenario, &record);
    record
}

fn tlv_outcomes(record: &Record) -> Vec<TlvOutcome> {
    let of = |outcome: &Outcome| match outcome {
        Outcome::Sample(sample) => Some(sample.tlvs),
        _ => None,
    };
    record.outcomes.iter().filter_map(of).collect()
}

#[test]
fn open_sessions_agree_with_what_was_done_to_them() {
    for_each_seed(2_000, |seed| {
        let _ = assert_pair_agrees(Scenario::rough(seed, 200));
    });
}

#[test]
fn authenticated_sessions_agree_with_what_was_done_to_them() {
    for_each_seed(300, |seed| {
        let _ = assert_pair_agrees(Scenario::rough(seed, 100).authenticated());
    });
}

#[test]
fn padding_is_understood_and_echoed() {
    for_each_seed(200, |seed| {
        let mut scenario = Scenario::rough(seed, 50);
        scenario.config.padding = Padding::Random;
        scenario.config.payload_octets = 48 + seed as usize;
        let record = assert_pair_agrees(scenario);
        let outcomes = tlv_outcomes(&record);
        assert!(outcomes.iter().all(|outcome| *outcome == TlvOutcome::Supported), "{outcomes:?}");
    });
}

#[test]
fn tlvs_under_an_hmac_tlv_are_believed_both_ways() {
    for_each_seed(100, |seed| {
        let mut scenario = Scenario::calm(seed, 30);
        if seed % 2 == 0 {
            scenario = scenario.authenticated();
        }
        scenario.far.stateful = seed % 3 == 0;
        scenario.forward.loss_per_mille = 100;
        scenario.config.tlv_keys = Some(keys());
        let base = match scenario.config.mode() {
            AuthenticationMode::Unauthenticated => 44,
            AuthenticationMode::Authenticated => 112,
        };
        scenario.config.payload_octets = base + 20 + [0, 4, 77][seed as usize % 3];
        let outcomes = tlv_outcomes(&assert_pair_agrees(scenario));
        assert!(!outcomes.is_empty());
        assert!(outcomes.iter().all(|outcome| *outcome == TlvOutcome::Supported), "{outcomes:?}");
    });
}

/// Numbers of the replies that were in time, and of all that came.
fn numbers(record: &Record) -> (Vec<u32>, Vec<u32>) {
    let in_time = record.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Sample(sample) => sample.reflector_sequence,
        _ => None,
    });
    let late = record.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Late(sample) => sample.reflector_sequence,
        _ => None,
    });
    let in_time: Vec<u32> = in_time.collect();
    (in_time.clone(), in_time.into_iter().chain(late).collect())
}

/// Loss, reordering and duplicates on both ways, probes whose numbers wrap, clocks a year apart: T3 is
/// corrected exactly where both the reply and the one after it arrived, and never wrongly.
#[test]
fn follow_ups_correct_every_reply_whose_successor_came() {
    let corrected = AtomicU64::new(0);
    for_each_seed(400, |seed| {
        let mut scenario = Scenario::rough(seed, 150);
        scenario.far.clock.steps.clear();
        scenario.near.steps.clear();
        scenario.far.stateful = true;
        // What left after it arrived is for others to find.
        scenario.far.residence_ns = scenario.far.residence_ns.min(scenario.backward.delay_ns);
        scenario.config.requests = Requests { follow_up: true, ..Requests::default() }.into();
        scenario.config.payload_octets = scenario.config.smallest_payload();
        let (residence_ns, late_ns) = (scenario.far.residence_ns, scenario.far.residence_ns / 2);
        let record = assert_pair_agrees(scenario);
        let run = record.run.as_ref().expect("it ended");
        let report = run.answers.as_deref().expect("follow-up is asked").follow_up;
        let (in_time, all) = numbers(&record);
        let has_successor = |number: &&u32| all.contains(&(**number + 1));
        let expected = in_time.iter().filter(has_successor).count() as u64;
        assert_eq!((report.backward.count, report.impossible), (expected, 0), "seed {seed}");
        corrected.fetch_add(report.backward.count, Ordering::Relaxed);
        for value in [report.residence.min, report.residence.max].into_iter().flatten() {
            let off = value.ns() - (residence_ns + late_ns) as i64;
            assert!(off.abs() <= 2, "seed {seed}: {off} ns");
        }
    });
    assert!(corrected.into_inner() > 10_000, "it was put to the test");
}
