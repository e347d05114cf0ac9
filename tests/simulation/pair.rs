//! Both engines against each other.

use std::net::SocketAddr;
use std::sync::Arc;

use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::{Stamp, StampSource, TimeDelta};
use stamp_session::clock::{ClockState, MonotonicTime};
use stamp_session::datagram::Received;
use stamp_session::reflector::{
    RateLimiter, RateLimiterConfig, Reflector, ReflectorConfig, SourcePolicy, Verdict,
};
use stamp_session::sender::{Outcome, Padding, TlvOutcome};
use stamp_tests::simulation::{Answer, Clock, FarEnd, for_each_seed};

use crate::session::compare::assert_agrees;
use crate::session::scenario::{Scenario, keys};
use crate::session::world::{Record, run};

/// Our Session-Reflector at the far end of a scenario.
struct Ours {
    reflector: Reflector,
    clock: Clock,
    residence_ns: u64,
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
        };
        let mut out = [0xEE; 512];
        match self.reflector.handle_probe(MonotonicTime::from_ns(at_ns), received, &mut out) {
            Verdict::Reply(reply) => {
                let residence = TimeDelta::from_ns(self.residence_ns as i64);
                let reply = reply.seal(arrived.saturating_add(residence));
                let leaves_ns = at_ns + self.residence_ns;
                Some(Answer { leaves_ns, octets: reply.octets.to_vec() })
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
