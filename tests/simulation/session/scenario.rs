//! What a run is made of.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::packet::Ssid;
use stamp_session::clock::ClockState;
use stamp_session::sender::{
    Padding, ReflectorMode, Schedule, SenderConfig, StatisticsScope, default_timeout,
};
use stamp_tests::simulation::{Clock, Impairment, MS, PlainReflector, Random, SECOND, Step, US};

/// One session and everything that happens to it.
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) config: SenderConfig,
    pub(crate) forward: Impairment,
    pub(crate) backward: Impairment,
    /// Our own clock.
    pub(crate) near: Clock,
    pub(crate) far: PlainReflector,
    /// The shell does not run from the first instant to the second.
    pub(crate) stalls_ns: Vec<(u64, u64)>,
    /// The shell reads its socket up to so much late.
    pub(crate) read_delay_ns: u64,
    /// The kernel stamps probes up to so much after they were written; `None`: not at all.
    pub(crate) stamp_delay_ns: Option<u64>,
    /// System calls of a thousand that fail.
    pub(crate) refused_per_mille: u64,
    /// Probes of a thousand that the kernel drops after taking them.
    pub(crate) vanished_per_mille: u64,
    /// Windows are taken in this rhythm.
    pub(crate) window_ns: Option<u64>,
    /// Somebody sends forged replies, so many for each time the shell wakes up.
    pub(crate) forgeries: u64,
    /// In the loopback modes: what the far node does to probes from each instant on.
    pub(crate) nodes: Vec<(u64, Node)>,
}

/// What a far node does to a probe that asks for its receive timestamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Node {
    /// It writes it where it belongs.
    Stamps,
    /// It writes it, but at this octet.
    Elsewhere(u16),
    /// Somebody on the way popped what asks, and it forwards the probe as it is.
    PoppedEarly,
    /// It knows neither label nor SID, and drops it.
    Unknowing,
}

const INTERVALS_NS: [u64; 4] = [3_300 * US, 10 * MS, 100 * MS, SECOND];

pub(crate) fn keys() -> Arc<KeyRing> {
    let key = Key::new(KeyId(1), b"sixteen octets of key and more").unwrap();
    Arc::new(KeyRing::new(vec![key]).unwrap())
}

impl Scenario {
    /// A session of `probes` probes over a path that only delays.
    pub(crate) fn calm(seed: u64, probes: u64) -> Self {
        let mut random = Random::new(seed);
        let interval_ns = random.pick(&INTERVALS_NS);
        let interval = Duration::from_nanos(interval_ns);
        let target = "192.0.2.1:862".parse().unwrap();
        let config = SenderConfig {
            schedule: Schedule::Fixed { interval },
            count: Some(probes),
            timeout: default_timeout(interval),
            clock: synchronized(),
            statistics: StatisticsScope::Both,
            seed,
            ..SenderConfig::new(target, Ssid(random.between(1, 0xFFFF) as u16))
        };
        let one_way = |random: &mut Random| {
            // From a cable to a satellite; out and back stay within the timeout.
            let delay_ns = random.pick(&[5 * US, 200 * US, 8 * MS, 250 * MS]);
            Impairment { delay_ns: delay_ns + random.below(delay_ns), ..Impairment::default() }
        };
        Self {
            seed,
            config,
            forward: one_way(&mut random),
            backward: one_way(&mut random),
            near: Clock::default(),
            far: PlainReflector {
                clock: Clock::default(),
                synchronized: true,
                stateful: false,
                first_number: 0,
                residence_ns: random.between(1, 200 * US),
                restarts_ns: Vec::new(),
                keys: None,
                counts: HashMap::new(),
            },
            stalls_ns: Vec::new(),
            read_delay_ns: 0,
            stamp_delay_ns: Some(20 * US),
            refused_per_mille: 0,
            vanished_per_mille: 0,
            window_ns: None,
            forgeries: 0,
            nodes: Vec::new(),
        }
    }

    /// Everything at once, each with some probability.
    pub(crate) fn rough(seed: u64, probes: u64) -> Self {
        let mut scenario = Self::calm(seed, probes);
        let mut random = Random::new(seed ^ 0x7065_7274_7572_6264);
        scenario.forward = roughen(scenario.forward, &mut random);
        scenario.backward = roughen(scenario.backward, &mut random);
        scenario.far.stateful = random.chance(500);
        scenario.far.synchronized = random.chance(500);
        if !scenario.far.synchronized {
            // Up to a year off.
            let off = random.below(365 * 86_400 * SECOND) as i64;
            scenario.far.clock.offset_ns = random.pick(&[0, off, -off, 37 * SECOND as i64]);
            let steps = steps(&scenario, &mut random);
            scenario.far.clock.steps = steps;
        }
        if random.chance(300) {
            scenario.config.clock = ClockState::UNKNOWN;
            let steps = steps(&scenario, &mut random);
            scenario.near.steps = steps;
        }
        if random.chance(400) {
            let last = scenario.length_ns();
            for _ in 0..random.between(1, 3) {
                let from = random.below(last);
                scenario.stalls_ns.push((from, from + random.below(2 * SECOND)));
            }
        }
        scenario.read_delay_ns = random.pick(&[0, 10 * US, 20 * MS]);
        scenario.stamp_delay_ns = random.pick(&[None, Some(0), Some(80 * US)]);
        scenario.refused_per_mille = random.pick(&[0, 0, 20, 300]);
        scenario.vanished_per_mille = random.pick(&[0, 0, 20]);
        scenario.config.first_sequence = random.pick(&[0, 0, 1, u32::MAX - 40]);
        scenario.config.packet_loss_count = random.between(1, 4) as u32;
        scenario.config.payload_octets = random.pick(&[44, 48, 200]);
        scenario.config.padding = random.pick(&[Padding::Zero, Padding::Random]);
        scenario.far.first_number = random.pick(&[0, 0, 7, u32::MAX - 60]);
        scenario.window_ns = random.chance(500).then(|| scenario.length_ns() / 5 + 1);
        scenario
    }

    pub(crate) fn authenticated(mut self) -> Self {
        self.config.keys = Some(keys());
        self.config.payload_octets = 112;
        self.far.keys = Some(keys());
        self
    }

    /// The far end counts, and what the counts say can be told exactly: nothing overtakes or is
    /// copied on the way out.
    pub(crate) fn countable(mut self) -> Self {
        self.far.stateful = true;
        self.far.clock.steps.clear();
        self.forward.overtaking = false;
        self.forward.duplicate_per_mille = 0;
        self.config.reflector = ReflectorMode::Stateful;
        self
    }

    /// Gaps between probes are random.
    pub(crate) fn poisson(mut self) -> Self {
        self.config.schedule = Schedule::Poisson { mean: self.config.schedule.interval() };
        self
    }

    /// Who datagrams come from: in the loopback modes we ourselves.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.config.measurement.looped().map_or(self.config.target, |looped| looped.source)
    }

    /// What the far node does to a probe that reaches it then.
    pub(crate) fn node(&self, at_ns: u64) -> Option<Node> {
        self.nodes.iter().rfind(|(from_ns, _)| *from_ns <= at_ns).map(|(_, node)| *node)
    }

    pub(crate) fn interval_ns(&self) -> u64 {
        self.config.schedule.interval().as_nanos() as u64
    }

    pub(crate) fn timeout_ns(&self) -> u64 {
        self.config.timeout.as_nanos() as u64
    }

    /// How long probes are sent.
    pub(crate) fn length_ns(&self) -> u64 {
        self.interval_ns() * self.config.count.unwrap()
    }
}

pub(crate) fn synchronized() -> ClockState {
    ClockState { synchronized: true, error_bound_ns: Some(1_000), declared: true }
}

fn roughen(calm: Impairment, random: &mut Random) -> Impairment {
    let overtaking = random.chance(500);
    Impairment {
        variation_ns: random.pick(&[0, calm.delay_ns / 10, calm.delay_ns, 60 * MS]),
        overtaking,
        loss_per_mille: random.pick(&[0, 10, 100, 400]),
        burst_per_mille: random.pick(&[0, 0, 700]),
        // Two copies on the way out would not be FIFO to each other's replies otherwise.
        duplicate_per_mille: random.pick(&[0, 0, 50]),
        corrupt_per_mille: random.pick(&[0, 0, 30]),
        ..calm
    }
}

/// Steps that no delay of the path explains, far enough apart that a flight spans only one.
fn steps(scenario: &Scenario, random: &mut Random) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at_ns = random.below(10 * SECOND);
    while at_ns < scenario.length_ns() && steps.len() < 3 {
        let by_ns = random.between(20 * SECOND, 90 * SECOND) as i64;
        steps.push(Step { at_ns, by_ns: random.pick(&[by_ns, -by_ns]) });
        at_ns += 10 * SECOND + random.below(20 * SECOND);
    }
    steps
}
