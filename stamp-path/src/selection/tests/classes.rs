//! The shipped classes, each through a day of its traffic.

use super::*;
use crate::Topology;
use crate::class::Touched;
use crate::path::{Hop, Path};
use crate::policy::shares;
use crate::topology::Side;

const GAMING: &str = include_str!("../../../../examples/classes/gaming.toml");
const STREAMING: &str = include_str!("../../../../examples/classes/streaming.toml");
const MEDICAL: &str = include_str!("../../../../examples/classes/medical.toml");
const BULK: &str = include_str!("../../../../examples/classes/bulk.toml");
const ISOLATED: &str = include_str!("../../../../examples/classes/isolated.toml");

/// From a to d past b, past c, past the satellite or over the exchange abroad.
fn network() -> Topology {
    let node = |(name, more): (&str, &str)| {
        format!("[[node]]\nname = \"{name}\"\nloopbacks = [\"192.0.2.{}\"]\n{more}\n", name.len())
    };
    let nodes = [
        ("a", ""),
        ("dd", ""),
        ("bbb", ""),
        ("cccc", ""),
        ("exchange", "domain = \"abroad\"\nas = 64666"),
    ];
    let link = |(from, to, more): (&str, &str, &str)| {
        format!("[[link]]\nends = [\"{from}\", \"{to}\"]\n{more}\n")
    };
    let links = [
        ("a", "bbb", ""),
        ("bbb", "dd", ""),
        ("a", "cccc", ""),
        ("cccc", "dd", ""),
        ("a", "dd", "affinities = [\"satellite\"]"),
        ("a", "exchange", ""),
        ("exchange", "dd", ""),
        ("bbb", "cccc", "affinities = [\"leased\"]"),
    ];
    let text = nodes.map(node).concat() + &links.map(link).concat();
    Topology::read("t.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

const PAST_B: &[&str] = &["a-bbb", "bbb-dd"];
const PAST_C: &[&str] = &["a-cccc", "cccc-dd"];
const SATELLITE: &[&str] = &["a-dd"];
const ABROAD: &[&str] = &["a-exchange", "exchange-dd"];

fn touched(topology: &Topology, links: &[&str]) -> Touched {
    let hop = |name: &&str| Hop { link: topology.link_id(name).unwrap(), side: Side::First };
    let start = topology.node_id("a").unwrap();
    let path = Path::new(topology, start, links.iter().map(hop).collect()).unwrap();
    Touched::by(topology, &path)
}

/// Policies of one class or several, whose candidates take these ways, the first one preferred.
struct Day {
    topology: Topology,
    selection: Selection,
    now: Duration,
    inputs: Vec<Vec<Input>>,
}

impl Day {
    fn new(classes: &str, policies: &[(&str, &[&[&str]])]) -> Self {
        let topology = network();
        let table = |(number, (class, _)): (usize, &(&str, &[&[&str]]))| {
            format!(
                "[[policy]]\nfrom = \"a\"\ncolor = {}\nendpoint = \"dd\"\nclass = \"{class}\"\n\
                 candidate = [{{ segments = [\"dd\"] }}]\n",
                number + 1
            )
        };
        let tables: String = policies.iter().enumerate().map(table).collect();
        let text = format!("{classes}\n{tables}");
        let read = Policies::read("day.toml", &text, Some(&topology));
        let read = read.unwrap_or_else(|errors| panic!("{errors}"));
        let input = |(number, links): (u32, &&[&str])| Input {
            id: id(number),
            preference: 200 - number,
            flaw: None,
            lists: vec![List {
                name: number.to_string(),
                weight: 1,
                is_replaced: false,
                measured: None,
            }],
            touched: Some(touched(&topology, links)),
        };
        let inputs =
            policies.iter().map(|(_, ways)| (0..).zip(*ways).map(input).collect()).collect();
        let selection = Selection::new(&read);
        Self { topology, selection, now: secs(1000), inputs }
    }

    /// Every list of a policy measures the same from now on.
    fn measure(&mut self, policy: usize, candidate: usize, values: &[(&str, &str)]) -> &mut Self {
        for list in &mut self.inputs[policy][candidate].lists {
            list.measured = Some(up(self.now, values));
        }
        self
    }

    /// Time passes, with a window each second.
    fn after(&mut self, seconds: u64) -> Vec<Outcome> {
        for _ in 0..seconds {
            self.now += secs(1);
            let lists = self.inputs.iter_mut().flatten().flat_map(|input| &mut input.lists);
            for measured in lists.filter_map(|list| list.measured.as_mut()) {
                measured.at = self.now;
            }
            self.selection.decide(self.now, &self.topology, &self.inputs);
        }
        self.selection.decide(self.now, &self.topology, &self.inputs)
    }
}

fn active(outcomes: &[Outcome], policy: usize) -> Option<u32> {
    outcomes[policy].decision.active.map(|id| id.discriminator)
}

#[test]
fn players_leave_a_path_whose_stragglers_are_late() {
    let mut day = Day::new(GAMING, &[("gaming", &[PAST_B, PAST_C])]);
    let good =
        [("forward-p50", "8ms"), ("forward-p99", "15ms"), ("backward-p99", "15ms"), ("loss", "0%")];
    day.measure(0, 0, &good).measure(0, 1, &good);
    assert_eq!(active(&day.after(60), 0), Some(0));
    let late =
        [("forward-p50", "8ms"), ("forward-p99", "21ms"), ("backward-p99", "15ms"), ("loss", "0%")];
    assert_eq!(active(&day.measure(0, 0, &late).after(1), 0), Some(1));
    assert_eq!(active(&day.measure(0, 0, &good).after(9), 0), Some(1), "it has to stay good");
    assert_eq!(active(&day.after(2), 0), Some(0));
    let lossy = [
        ("forward-p50", "8ms"),
        ("forward-p99", "15ms"),
        ("backward-p99", "15ms"),
        ("loss", "0.2%"),
    ];
    assert_eq!(active(&day.measure(0, 0, &lossy).after(11), 0), Some(1));
}

#[test]
fn viewers_do_not_mind_delay_but_loss_and_variation() {
    let mut day = Day::new(STREAMING, &[("streaming", &[PAST_B, PAST_C])]);
    let slow = [("forward-p99", "400ms"), ("forward-loss", "0.01%"), ("forward-variation", "3ms")];
    let fast = [("forward-p99", "10ms"), ("forward-loss", "0.4%"), ("forward-variation", "3ms")];
    day.measure(0, 0, &slow).measure(0, 1, &fast);
    assert_eq!(active(&day.after(600), 0), Some(0));
    let shaky =
        [("forward-p99", "400ms"), ("forward-loss", "0.01%"), ("forward-variation", "20ms")];
    assert_eq!(active(&day.measure(0, 0, &shaky).after(1), 0), Some(1));
}

#[test]
fn a_surgeon_has_a_second_path_and_no_satellite_and_good_clocks() {
    let mut day = Day::new(MEDICAL, &[("medical", &[SATELLITE, PAST_B, PAST_C])]);
    let good = [
        ("forward-max", "20ms"),
        ("backward-max", "20ms"),
        ("forward-loss", "0%"),
        ("backward-loss", "0%"),
        ("round-trip-p99", "38ms"),
    ];
    for candidate in 0..3 {
        day.measure(0, candidate, &good);
    }
    let outcomes = day.after(1);
    assert_eq!((active(&outcomes, 0), outcomes[0].standby), (Some(1), Some(id(2))));
    let satellite = outcomes[0].decision.candidates[0].eligibility.to_string();
    assert_eq!(satellite, "its packets can touch link a-dd of group satellite");
    day.inputs[0][2].lists[0].measured.as_mut().unwrap().state = ListState::Down;
    let outcomes = day.after(1);
    assert!(outcomes[0].is_unprotected && outcomes[0].standby.is_none());
    // 5 % of 25 ms is 1.25 ms.
    let measured = day.inputs[0][1].lists[0].measured.as_mut().unwrap();
    measured.clock.error = Some(Duration::from_millis(2));
    let outcomes = day.after(1);
    assert_eq!(outcomes[0].decision.standing, Standing::Frozen);
    assert_eq!(outcomes[0].decision.candidates[1].eligibility.label(), "clock");
}

/// The paths in the published proportion of 40 to 20 to 40.
#[test]
fn large_flows_fill_several_paths_by_bandwidth_and_keep_off_those_of_small_ones() {
    let ways: &[&[&str]] = &[PAST_B, PAST_C];
    let mut day = Day::new(BULK, &[("bulk", ways), ("interactive", &[PAST_B])]);
    day.measure(1, 0, &[("round-trip-p99", "30ms")]);
    let list = |(name, weight): (&str, u32)| List {
        name: name.to_owned(),
        weight,
        is_replaced: false,
        measured: None,
    };
    day.inputs[0][1].lists = [("x", 40), ("y", 20), ("z", 40)].map(list).to_vec();
    day.measure(0, 0, &[]).measure(0, 1, &[]);
    let outcomes = day.after(1);
    assert_eq!((active(&outcomes, 0), active(&outcomes, 1)), (Some(1), Some(0)));
    let refused = outcomes[0].decision.candidates[0].eligibility.to_string();
    assert_eq!(refused, "it shares link a-bbb with class interactive");
    let weights: Vec<u32> = outcomes[0].decision.shares.iter().map(|share| share.weight).collect();
    assert_eq!(shares(&weights), [0.4, 0.2, 0.4]);
}

#[test]
fn isolated_traffic_touches_nothing_it_avoids_on_any_branch() {
    let mut day = Day::new(ISOLATED, &[("isolated", &[ABROAD, PAST_B, PAST_C])]);
    for candidate in 0..3 {
        day.measure(0, candidate, &[]);
    }
    let outcomes = day.after(1);
    assert_eq!(active(&outcomes, 0), Some(1));
    let abroad = outcomes[0].decision.candidates[0].eligibility.to_string();
    assert_eq!(abroad, "its packets can touch node exchange");
    // A branch of equal cost over the leased link.
    let branch = touched(&day.topology, &["a-bbb", "bbb-cccc"]);
    day.inputs[0][1].touched.as_mut().unwrap().extend(branch);
    assert_eq!(active(&day.after(1), 0), Some(2));
    day.inputs[0][2].touched = None;
    let outcomes = day.after(1);
    assert_eq!(
        (active(&outcomes, 0), outcomes[0].decision.standing),
        (None, Standing::Unavailable)
    );
}

#[test]
fn a_reload_keeps_what_is_in_use_and_takes_new_rules() {
    let mut day = Day::new(GAMING, &[("gaming", &[PAST_B, PAST_C])]);
    let good = [("forward-p99", "15ms"), ("backward-p99", "15ms"), ("loss", "0%")];
    day.measure(0, 1, &good);
    assert_eq!(active(&day.after(1), 0), Some(1));
    let text = GAMING.replace("forward-p99 = \"20ms\"", "forward-p99 = \"10ms\"")
        + "[[policy]]\nfrom = \"a\"\ncolor = 1\nendpoint = \"dd\"\nclass = \"gaming\"\n\
           candidate = [{ segments = [\"dd\"] }]\n";
    let policies = Policies::read("day.toml", &text, Some(&day.topology)).unwrap();
    day.selection.reload(&policies);
    let outcomes = day.after(1);
    assert_eq!(
        (active(&outcomes, 0), outcomes[0].decision.standing),
        (Some(1), Standing::Degraded)
    );
    day.selection.reload(&Policies::default());
    assert!(day.selection.decide(day.now, &day.topology, &[]).is_empty());
}
