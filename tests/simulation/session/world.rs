//! Runs a scenario and keeps a record of everything that was done to it.

use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::time::{Stamp, StampSource};
use stamp_session::clock::{MonotonicTime, Now};
use stamp_session::datagram::{Headers, Received};
use stamp_session::sender::{Outcome, Sender, SenderEvent, UnsentReason};
use stamp_session::snapshot::SessionSnapshot;
use stamp_tests::simulation::{Agenda, FarEnd, Link, Random};

use super::scenario::Scenario;

/// What happened, as only the simulation knows it.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) probes: Vec<SentProbe>,
    /// Replies in the order in which the shell read them.
    pub(crate) arrivals: Vec<Arrival>,
    /// What the far end answered: probe, its number, when.
    pub(crate) answers: Vec<(u32, u32, u64)>,
    /// Every time the shell ran: when, and how many arrivals it had read then.
    pub(crate) wakes: Vec<(u64, usize)>,
    /// How many probes were written after each of them.
    pub(crate) written: Vec<usize>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) events: Vec<SenderEvent>,
    pub(crate) windows: Vec<SessionSnapshot>,
    pub(crate) run: Option<SessionSnapshot>,
    pub(crate) forged: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct SentProbe {
    pub(crate) sequence: u32,
    pub(crate) at_ns: u64,
    pub(crate) intended_ns: u64,
    /// What the kernel's stamp says, in nanoseconds since 1970.
    pub(crate) stamped: Option<i64>,
    pub(crate) left: Left,
    /// It was the last of its batch.
    pub(crate) last_of_batch: bool,
    /// Its headers ask for a timestamp.
    pub(crate) asks: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Left {
    Yes,
    Refused,
    Vanished,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) sequence: u32,
    pub(crate) number: u32,
    pub(crate) reached_far_ns: u64,
    pub(crate) left_far_ns: u64,
    pub(crate) at_ns: u64,
    pub(crate) read_ns: u64,
    pub(crate) corrupted: bool,
}

enum Event {
    Probe { sequence: u32, asks: bool, octets: Vec<u8> },
    Reply { arrival: Arrival, octets: Vec<u8> },
    Vanished { sequence: u32 },
    Window,
    Wake,
}

/// An engine that wants to be woken so often at one instant is never content.
const STANDSTILL: u32 = 10_000;

struct World<'s, F> {
    scenario: &'s Scenario,
    far: F,
    sender: Sender,
    forward: Link,
    backward: Link,
    random: Random,
    forger: Random,
    /// Replies the forger has seen.
    seen: Vec<Vec<u8>>,
    agenda: Agenda<Event>,
    socket: Vec<(Arrival, Vec<u8>)>,
    vanished: Vec<u32>,
    record: Record,
}

/// Runs `scenario` against `far` until nothing is left to happen.
pub(crate) fn run(scenario: &Scenario, far: impl FarEnd) -> Record {
    let seed = scenario.seed;
    let mut world = World {
        scenario,
        far,
        sender: Sender::new(scenario.config.clone(), MonotonicTime::ZERO).unwrap(),
        forward: Link::new(scenario.forward, Random::new(seed ^ 0x0f0f)),
        backward: Link::new(scenario.backward, Random::new(seed ^ 0xf0f0)),
        random: Random::new(seed ^ 0xff00),
        forger: Random::new(seed ^ 0xbad),
        seen: Vec::new(),
        agenda: Agenda::default(),
        socket: Vec::new(),
        vanished: Vec::new(),
        record: Record::default(),
    };
    if let Some(window_ns) = scenario.window_ns {
        (1..5).for_each(|window| world.agenda.enter(window * window_ns, Event::Window));
    }
    world.live();
    world.finish()
}

impl<F: FarEnd> World<'_, F> {
    fn live(&mut self) {
        let mut last = (0, 0);
        loop {
            let engine = self.sender.next_timeout().map(MonotonicTime::ns);
            let engine = engine.map(|at_ns| self.after_stalls(at_ns));
            let Some(now) = engine.into_iter().chain(self.agenda.next_at()).min() else {
                return;
            };
            last = if last.0 == now { (now, last.1 + 1) } else { (now, 0) };
            assert!(last.1 < STANDSTILL, "time stands still at {now} ns");
            let mut wakes = engine == Some(now);
            while let Some((at_ns, event)) = self.agenda.take(now) {
                wakes |= self.happen(at_ns, event);
            }
            if wakes && self.after_stalls(now) == now {
                self.wake(now);
            } else if wakes {
                self.agenda.enter(self.after_stalls(now), Event::Wake);
            }
        }
    }

    fn after_stalls(&self, at_ns: u64) -> u64 {
        let mut at_ns = at_ns;
        // Stalls may overlap.
        for _ in 0..=self.scenario.stalls_ns.len() {
            for &(from, until) in &self.scenario.stalls_ns {
                if (from..until).contains(&at_ns) {
                    at_ns = until;
                }
            }
        }
        at_ns
    }

    /// True when it wakes the shell.
    fn happen(&mut self, at_ns: u64, event: Event) -> bool {
        match event {
            Event::Probe { sequence, asks, octets } => {
                self.reflect(at_ns, (sequence, asks), &octets);
            }
            Event::Reply { arrival, octets } => {
                self.socket.push((arrival, octets));
                let read_ns = at_ns + self.random.below(self.scenario.read_delay_ns + 1);
                self.agenda.enter(read_ns, Event::Wake);
            }
            Event::Vanished { sequence } => {
                self.vanished.push(sequence);
                return true;
            }
            Event::Window => self.record.windows.push(self.sender.take_window()),
            Event::Wake => return true,
        }
        false
    }

    fn reflect(&mut self, at_ns: u64, (sequence, asks): (u32, bool), octets: &[u8]) {
        let answer = match asks {
            true => self.far.answer(at_ns, octets),
            false => self.far.answer_plain(at_ns, octets),
        };
        let Some(answer) = answer else { return };
        let number = u32::from_be_bytes([
            answer.octets[0],
            answer.octets[1],
            answer.octets[2],
            answer.octets[3],
        ]);
        self.record.answers.push((sequence, number, at_ns));
        for passage in self.backward.pass(answer.leaves_ns) {
            let mut octets = answer.octets.clone();
            if passage.corrupted {
                self.corrupt(&mut octets);
            }
            let arrival = Arrival {
                sequence,
                number,
                reached_far_ns: at_ns,
                left_far_ns: answer.leaves_ns,
                at_ns: passage.arrives_ns,
                read_ns: 0,
                corrupted: passage.corrupted,
            };
            self.agenda.enter(passage.arrives_ns, Event::Reply { arrival, octets });
        }
    }

    /// Changes a bit that a session can notice: of what is echoed, or under the HMAC. Of a probe that
    /// comes back itself, what is behind its fields is nobody's.
    fn corrupt(&mut self, octets: &mut [u8]) {
        let config = &self.scenario.config;
        let (first, last) = match (&config.keys, config.measurement.looped()) {
            (Some(_), None) => (0, 111),
            (None, None) => (24, 37),
            (Some(_), Some(_)) => self.random.pick(&[(0, 3), (16, 27), (96, 111)]),
            (None, Some(_)) => (0, 15),
        };
        let octet = self.random.between(first, last) as usize;
        octets[octet] ^= 1 << self.random.below(8);
    }

    fn wake(&mut self, now: u64) {
        let clocks = self.clocks(now);
        for sequence in std::mem::take(&mut self.vanished) {
            self.sender.handle_unsent_late(sequence, UnsentReason::NoNeighbour);
        }
        for (mut arrival, octets) in std::mem::take(&mut self.socket) {
            arrival.read_ns = now;
            self.record.arrivals.push(arrival);
            if self.scenario.forgeries > 0 && !arrival.corrupted && self.seen.len() < 64 {
                self.seen.push(octets.clone());
            }
            let outcome = self.sender.handle_reply(
                clocks,
                Received {
                    octets: &octets,
                    from: self.scenario.peer(),
                    to: "198.51.100.1:50000".parse().unwrap(),
                    interface: 1,
                    stamp: Stamp {
                        time: self.scenario.near.wall(arrival.at_ns),
                        source: StampSource::Kernel,
                    },
                    hop_limit: Some(HopLimit(250)),
                    traffic_class: Some((Dscp::DEFAULT, Ecn::NotEct)),
                    headers: Headers::UNKNOWN,
                },
            );
            self.record.outcomes.push(outcome);
        }
        self.forge(now, clocks);
        self.sender.handle_timeout(clocks);
        self.transmit(now, clocks);
        while let Some(event) = self.sender.poll_event() {
            self.record.events.push(event);
        }
        self.record.wakes.push((now, self.record.arrivals.len()));
        self.record.written.push(self.record.probes.len());
    }

    /// What somebody can send who knows the addresses and the format, and has seen old replies.
    fn forge(&mut self, now: u64, clocks: Now) {
        for _ in 0..self.scenario.forgeries {
            let octets = self.forgery();
            let from = match self.forger.below(4) {
                0 => "203.0.113.9:862".parse().unwrap(),
                _ => self.scenario.config.target,
            };
            let outcome = self.sender.handle_reply(
                clocks,
                Received {
                    octets: &octets,
                    from,
                    to: "198.51.100.1:50000".parse().unwrap(),
                    interface: 1,
                    stamp: Stamp {
                        time: self.scenario.near.wall(now),
                        source: StampSource::Kernel,
                    },
                    hop_limit: Some(HopLimit(1)),
                    traffic_class: Some((Dscp::new(8).unwrap(), Ecn::Ce)),
                    headers: Headers::UNKNOWN,
                },
            );
            assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?} for {octets:?}");
            self.record.forged += 1;
        }
    }

    fn forgery(&mut self) -> Vec<u8> {
        let length = self.forger.pick(&[0, 40, 41, 44, 60, 112, 200]) as usize;
        let mut octets: Vec<u8> = (0..length).map(|_| self.forger.draw() as u8).collect();
        if self.forger.chance(700) && !self.seen.is_empty() {
            // A reply to another probe, or with another T1: whoever forges has not seen this one.
            let old = self.forger.below(self.seen.len() as u64) as usize;
            octets.clone_from(&self.seen[old]);
            let echoed = if self.scenario.config.keys.is_some() { 64 } else { 28 };
            octets[echoed + 4 + self.forger.below(4) as usize] ^= 1 + self.forger.below(255) as u8;
            if self.forger.chance(500) {
                let ssid = if self.scenario.config.keys.is_some() { 26 } else { 14 };
                octets[ssid..ssid + 2].fill(0);
            }
        }
        octets
    }

    fn transmit(&mut self, now: u64, clocks: Now) {
        let mut out = [0; 512];
        let mut batch = Vec::new();
        loop {
            let asks = self.sender.asks_for_timestamp();
            let Some(transmit) = self.sender.poll_transmit(clocks, &mut out) else { break };
            batch.push((transmit.token, transmit.octets.to_vec(), transmit.intended, asks));
        }
        let last = batch.len().saturating_sub(1);
        for (index, (token, octets, intended, asks)) in batch.into_iter().enumerate() {
            let sequence = token.sequence();
            let leaves_ns = now + self.random.below(self.scenario.stamp_delay_ns.unwrap_or(0) + 1);
            let stamped =
                self.scenario.stamp_delay_ns.map(|_| self.scenario.near.unix_ns(leaves_ns));
            let stamp = stamped.map(|_| Stamp {
                time: self.scenario.near.wall(leaves_ns),
                source: StampSource::Kernel,
            });
            let left = if self.random.chance(self.scenario.refused_per_mille) {
                self.sender.handle_unsent(token, UnsentReason::NoBuffer);
                Left::Refused
            } else if self.random.chance(self.scenario.vanished_per_mille) {
                self.sender.handle_sent(token, None);
                let told_ns = now + self.random.below(self.scenario.timeout_ns() / 2);
                self.agenda.enter(told_ns, Event::Vanished { sequence });
                Left::Vanished
            } else {
                self.sender.handle_sent(token, stamp);
                self.depart(leaves_ns, (sequence, asks), &octets);
                Left::Yes
            };
            self.record.probes.push(SentProbe {
                sequence,
                at_ns: now,
                intended_ns: intended.ns(),
                stamped,
                left,
                last_of_batch: index == last,
                asks,
            });
        }
    }

    fn depart(&mut self, leaves_ns: u64, (sequence, asks): (u32, bool), octets: &[u8]) {
        // Changed on the way out, a probe fails its UDP checksum or HMAC at the far end.
        for passage in self.forward.pass(leaves_ns).into_iter().filter(|copy| !copy.corrupted) {
            let octets = octets.to_vec();
            self.agenda.enter(passage.arrives_ns, Event::Probe { sequence, asks, octets });
        }
    }

    fn clocks(&self, now: u64) -> Now {
        Now { monotonic: MonotonicTime::from_ns(now), wall: self.scenario.near.wall(now) }
    }

    fn finish(mut self) -> Record {
        assert!(self.sender.is_finished(), "the session waits for nothing");
        self.record.windows.push(self.sender.take_window());
        self.record.run = Some(self.sender.snapshot());
        self.record
    }
}
