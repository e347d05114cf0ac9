//! Thousands of faults in the fabric of RFC 8670, one by one and two at once.

use core::time::Duration;

use super::network::*;
use crate::encoding::Forwarding;
use crate::locate::{Assumptions, Cause, Located, Observation, covering, delay, loss};
use crate::path::Hop;
use crate::topology::{Side, Topology};

/// Sessions between the edges of the fabric, of which nobody knows the ways.
const EDGES: [&str; 4] = ["1", "2", "11", "12"];
const FLOWS: u64 = 3;
const PROBES: u64 = 200;

/// How well faults were found.
#[derive(Debug, Default)]
struct Score {
    faults: usize,
    found: usize,
    named: usize,
    right: usize,
    /// Runs in which the explanation was exactly what is wrong.
    exact: usize,
    runs: usize,
}

impl Score {
    fn add(&mut self, truth: &[Cause], located: &Located) {
        let is_named = |cause: &&Cause| located.suspects.iter().any(|it| it.causes.contains(cause));
        let found = truth.iter().filter(is_named).count();
        let is_right = |suspect: &&crate::locate::Suspect| {
            suspect.causes.iter().any(|cause| truth.contains(cause))
        };
        let right = located.suspects.iter().filter(is_right).count();
        self.runs += 1;
        self.faults += truth.len();
        self.found += found;
        self.named += located.suspects.len();
        self.right += right;
        self.exact += usize::from(found == truth.len() && right == located.suspects.len());
    }

    /// Share of the faults that are named.
    fn recall(&self) -> f64 {
        self.found as f64 / self.faults as f64
    }

    /// Share of what is named that is at fault.
    fn precision(&self) -> f64 {
        self.right as f64 / self.named as f64
    }

    fn assert(&self, recall: f64, precision: f64) {
        assert!(self.recall() >= recall, "recall {} of {self:?}", self.recall());
        assert!(self.precision() >= precision, "precision {} of {self:?}", self.precision());
    }
}

fn observed(
    topology: &Topology,
    sessions: &[Session],
    faults: &Faults,
    chance: &mut Chance,
) -> Vec<Observation> {
    sessions.iter().map(|it| it.measure(topology, faults, PROBES, chance)).collect()
}

/// A share of packets that somebody would call about: 2 % to all of them.
fn share(chance: &mut Chance) -> f64 {
    [0.02, 0.05, 0.1, 0.3, 0.6, 1.0][chance.below(6)]
}

fn any_link(topology: &Topology, chance: &mut Chance) -> crate::topology::LinkId {
    topology.link_ids().nth(chance.below(topology.links.len())).unwrap()
}

/// Flows between the edges, and from two of them probes over lists that tell links apart.
fn watched(topology: &Topology) -> Vec<Session> {
    let mut sessions = mesh(topology, &EDGES, FLOWS);
    let from = ["1", "12"].map(|name| id(topology, name));
    let cover = covering(&Forwarding::new(topology), &from[..1], false);
    let other = covering(&Forwarding::new(topology), &from[1..], false);
    let probes = cover.probes.iter().chain(&other.probes);
    sessions.extend(probes.map(|probe| Session::on(&probe.routes, 0)));
    sessions
}

/// Runs so many seeds: each makes faults, and knows what they are.
fn run(
    seeds: core::ops::Range<u64>,
    sessions: &[Session],
    topology: &Topology,
    make: impl Fn(&mut Chance) -> (Vec<Cause>, Faults),
) -> Score {
    let mut score = Score::default();
    for seed in seeds {
        let mut chance = Chance(seed);
        let (truth, faults) = make(&mut chance);
        let observations = observed(topology, sessions, &faults, &mut chance);
        let located = if faults.late.is_empty() {
            loss(topology, &observations, &Assumptions::default())
        } else {
            delay(topology, &observations, &Assumptions::default())
        };
        score.add(&truth, &located);
    }
    score
}

#[test]
fn a_link_that_loses_is_found() {
    let topology = read(CLOS);
    let sessions = watched(&topology);
    let score = run(0..500, &sessions, &topology, |chance| {
        let (link, share) = (any_link(&topology, chance), share(chance));
        let loss = both(link).map(|hop| (hop, share)).into();
        (vec![Cause::Link(link)], Faults { loss, ..Faults::default() })
    });
    score.assert(0.95, 0.95);
}

#[test]
fn a_direction_of_a_link_that_loses_is_found() {
    let topology = read(CLOS);
    let sessions = watched(&topology);
    let score = run(1000..1500, &sessions, &topology, |chance| {
        let side = Side::BOTH[chance.below(2)];
        let hop = Hop { link: any_link(&topology, chance), side };
        let loss = [(hop, share(chance))].into();
        (vec![Cause::Direction(hop)], Faults { loss, ..Faults::default() })
    });
    score.assert(0.95, 0.95);
}

/// Between two nodes alone all but the first and the last link are members of some choice.
#[test]
fn a_member_of_equal_links_that_loses_is_found() {
    let topology = read(CLOS);
    // Flows alone: that some suffer and others do not is all that is seen.
    let sessions = mesh(&topology, &["1", "11"], 24);
    let members = ["1-3", "1-4", "3-5", "3-6", "4-7", "4-8", "9-11", "10-11"];
    let mut told = 0;
    for seed in 2000..2300 {
        let mut chance = Chance(seed);
        let name = members[chance.below(members.len())];
        // Away from node 1: the way there is where the choice is.
        let side = if name.ends_with("-11") { Side::Second } else { Side::First };
        let hop = Hop { link: link(&topology, name), side };
        let faults = Faults { loss: [(hop, share(&mut chance))].into(), ..Faults::default() };
        let observations = observed(&topology, &sessions, &faults, &mut chance);
        let located = loss(&topology, &observations, &Assumptions::default());
        let Some(suspect) = located.suspects.first() else { continue };
        let is_it = suspect.causes.contains(&Cause::Direction(hop));
        let member = suspect.member.as_ref();
        told += usize::from(is_it && member.is_some_and(|it| !it.others.is_empty()));
    }
    assert!(told >= 294, "{told} of 300");
}

#[test]
fn two_links_at_once_are_both_found() {
    let topology = read(CLOS);
    let sessions = watched(&topology);
    let score = run(3000..3300, &sessions, &topology, |chance| {
        let first = any_link(&topology, chance);
        let second = core::iter::repeat_with(|| any_link(&topology, chance));
        let second = second.take(99).find(|link| *link != first).unwrap();
        let loss = [first, second].into_iter().flat_map(|link| {
            let share = share(chance);
            both(link).map(|hop| (hop, share))
        });
        let faults = Faults { loss: loss.collect(), ..Faults::default() };
        (vec![Cause::Link(first), Cause::Link(second)], faults)
    });
    score.assert(0.9, 0.9);
}

#[test]
fn a_link_that_is_slow_is_found() {
    let topology = read(CLOS);
    let sessions = watched(&topology);
    let score = run(4000..4300, &sessions, &topology, |chance| {
        let side = Side::BOTH[chance.below(2)];
        let hop = Hop { link: any_link(&topology, chance), side };
        let late = Duration::from_millis([3, 5, 20, 100][chance.below(4)]);
        (vec![Cause::Direction(hop)], Faults { late: [(hop, late)].into(), ..Faults::default() })
    });
    score.assert(0.95, 0.95);
}

#[test]
fn a_sound_network_is_not_suspected() {
    let topology = read(CLOS);
    let sessions = watched(&topology);
    for seed in 5000..5100 {
        let observations = observed(&topology, &sessions, &Faults::default(), &mut Chance(seed));
        for located in [
            loss(&topology, &observations, &Assumptions::default()),
            delay(&topology, &observations, &Assumptions::default()),
        ] {
            assert!(located.suspects.is_empty() && located.bad.is_empty(), "{seed}: {located:#?}");
        }
    }
}

/// The case of RFC 8670: link 5-9 fails, and node 1, whose routes are summaries, cannot know: it goes on to send a
/// quarter of what is for node 11 into it. It has probes that it steers over each spine itself.
#[test]
fn node_1_finds_that_link_5_9_has_failed() {
    let topology = read(CLOS);
    let failed = link(&topology, "5-9");
    let faults = Faults { loss: both(failed).map(|hop| (hop, 1.0)).into(), ..Faults::default() };
    let mut sessions: Vec<Session> =
        (0..8).map(|flow| Session::answered(&topology, "1", "11", flow)).collect();
    let before = sessions.len();
    for spine in ["5", "6", "7", "8"] {
        let beyond = if matches!(spine, "5" | "6") { "9" } else { "10" };
        sessions.push(Session::looped(&topology, &["1", spine, "1"], 1));
        sessions.push(Session::looped(&topology, &["1", spine, beyond, spine, "1"], 1));
        sessions.push(Session::looped(&topology, &["1", spine, "11", spine, "1"], 1));
    }
    let observations = observed(&topology, &sessions, &faults, &mut Chance(8670));
    let plain = loss(&topology, &observations[..before], &Assumptions::default());
    assert!(plain.suspects[0].causes.len() > 1 || plain.confidence < 0.9, "{plain:#?}");
    let located = loss(&topology, &observations, &Assumptions::default());
    let [suspect] = &located.suspects[..] else { panic!("{located:#?}") };
    assert!(suspect.causes.contains(&Cause::Link(failed)), "{located:#?}");
    assert_eq!((located.links[0].0, located.unexplained.len()), (failed, 0), "{located:#?}");
    assert!(located.links[0].1 > 0.95, "{located:#?}");
}
