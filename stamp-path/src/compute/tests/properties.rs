use core::time::Duration;

use proptest::prelude::*;
use stamp_document::quantity::{Bandwidth, Ratio};

use super::oracle::{are_disjoint, cost, every_way, small_network};
use super::*;

fn any_metric() -> impl Strategy<Value = Metric> {
    prop_oneof![
        Just(Metric::Igp),
        Just(Metric::Te),
        Just(Metric::Delay),
        Just(Metric::Loss),
        Just(Metric::Hops),
    ]
}

fn any_disjointness() -> impl Strategy<Value = Disjointness> {
    (any::<bool>(), any::<bool>()).prop_map(|(nodes, srlgs)| Disjointness { nodes, srlgs })
}

/// What is asked for, before the network that names refer to is known.
#[derive(Clone, Debug)]
struct Ask {
    ends: (usize, usize),
    metric: Metric,
    which: Vec<(u8, u32)>,
}

fn any_ask() -> impl Strategy<Value = Ask> {
    let constraints = proptest::collection::vec((0_u8..11, 0_u32..8), 0..4);
    ((0_usize..7, 0_usize..7), any_metric(), constraints)
        .prop_filter("two ends", |(ends, _, _)| ends.0 != ends.1)
        .prop_map(|(ends, metric, which)| Ask { ends, metric, which })
}

impl Ask {
    fn of(&self, topology: &Topology) -> Request {
        let node = |number: usize| topology.ids().nth(number).unwrap();
        let start = Request::new(node(self.ends.0), node(self.ends.1)).by(self.metric);
        self.which.iter().fold(start, |request, (kind, value)| {
            let value = *value;
            let name = if value % 2 == 0 { "even" } else { "odd" }.to_owned();
            let constraint = match kind {
                0 => Constraint::MaxDelay(Duration::from_millis(value.into())),
                1 => Constraint::MaxLoss(Ratio::from_billionths(value * 10_000_000).unwrap()),
                2 => Constraint::MaxHops(value),
                3 => Constraint::MinBandwidth(Bandwidth(u64::from(value) * 1_000_000_000)),
                4 => Constraint::AvoidNode(node(value as usize % 7)),
                5 => Constraint::AvoidAutonomousSystem(value / 2 + 1),
                6 => Constraint::AvoidSrlg(value / 2),
                7 => Constraint::ExcludeAffinity(name),
                8 => Constraint::IncludeAnyAffinity(vec![name, "none".to_owned()]),
                9 => Constraint::IncludeAllAffinities(vec![name]),
                _ => match topology.link_ids().nth(value as usize) {
                    Some(link) => Constraint::AvoidLink(link),
                    None => return request,
                },
            };
            request.with(constraint)
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_best_way_is_the_best_of_all(topology in small_network(), ask in any_ask()) {
        let request = ask.of(&topology);
        let network = Network::new(&topology);
        let all = every_way(&topology, &request);
        let least = all.iter().map(|path| cost(&topology, path, request.metric)).min();
        match network.best(&request) {
            Ok(answer) => {
                prop_assert!(answer.optimal);
                prop_assert!(all.contains(&answer.path), "{answer:?}");
                prop_assert_eq!(Some(answer.metric), least);
            }
            Err(absence) => {
                prop_assert_eq!(least, None, "{:?}", absence);
                prop_assert!(!absence.in_words(&topology).is_empty());
            }
        }
        prop_assert_eq!(network.best(&request), network.best(&request));
    }

    #[test]
    fn ranked_ways_are_the_first_of_all_in_their_order(
        topology in small_network(),
        ask in any_ask(),
    ) {
        let request = ask.of(&topology);
        let network = Network::new(&topology);
        let all = every_way(&topology, &request);
        let mut costs: Vec<u64> =
            all.iter().map(|path| cost(&topology, path, request.metric)).collect();
        costs.sort_unstable();
        let ranked = network.ranked(&request, 1000).unwrap_or_default();
        prop_assert_eq!(ranked.iter().map(|one| one.metric).collect::<Vec<_>>(), &costs[..]);
        let paths: std::collections::BTreeSet<_> = ranked.iter().map(|one| &one.path).collect();
        prop_assert_eq!(paths.len(), all.len(), "each once");
        prop_assert!(all.iter().all(|path| paths.contains(path)));
        let equal = network.equally_good(&request, 1000).unwrap_or_default();
        prop_assert_eq!(equal.len(), costs.iter().filter(|one| Some(*one) == costs.first()).count());
        if let Ok(Some(hops)) = network.equal_hops(&request) {
            let mut of_ways: Vec<_> =
                equal.iter().flat_map(|one| one.path.hops().to_vec()).collect();
            of_ways.sort_unstable();
            of_ways.dedup();
            prop_assert!(hops.iter().all(|hop| of_ways.contains(hop)));
            if request.metric != Metric::Delay && request.metric != Metric::Loss {
                prop_assert_eq!(of_ways, hops, "no link costs nothing");
            }
        }
    }

    #[test]
    fn a_pair_is_the_best_of_all_pairs(
        topology in small_network(),
        ask in any_ask(),
        kind in any_disjointness(),
    ) {
        let request = ask.of(&topology);
        let all = every_way(&topology, &request);
        let pairs = all.iter().flat_map(|one| all.iter().map(move |other| (one, other)));
        let mut disjoint = pairs.filter(|(one, other)| {
            one != other && are_disjoint(&topology, one, other, kind)
        });
        // Losses of two ways have no sum.
        if request.metric == Metric::Loss {
            let pair = Network::new(&topology).pair(&request, kind);
            prop_assert_eq!(pair.is_ok(), disjoint.next().is_some());
            return Ok(());
        }
        let sum = |one, other| -> u64 {
            [one, other].map(|path| cost(&topology, path, request.metric)).iter().sum()
        };
        let least = disjoint.map(|(one, other)| sum(one, other)).min();
        match Network::new(&topology).pair(&request, kind) {
            Ok(pair) => {
                let [one, other] = pair.ways;
                prop_assert!(pair.optimal);
                prop_assert!(all.contains(&one.path) && all.contains(&other.path));
                prop_assert!(are_disjoint(&topology, &one.path, &other.path, kind));
                prop_assert_eq!(Some(one.metric + other.metric), least);
                prop_assert!(one.metric <= other.metric);
            }
            Err(absence) => prop_assert_eq!(least, None, "{:?}", absence),
        }
    }

    #[test]
    fn a_way_apart_from_another_shares_nothing_with_it(
        topology in small_network(),
        ask in any_ask(),
        kind in any_disjointness(),
    ) {
        let network = Network::new(&topology);
        let request = ask.of(&topology);
        let Ok(first) = network.best(&request) else { return Ok(()) };
        let apart = request.away_from(&first.path, kind);
        let all = every_way(&topology, &apart);
        let found = network.best(&apart).ok();
        prop_assert_eq!(found.is_some(), !all.is_empty());
        if let Some(second) = found {
            prop_assert!(are_disjoint(&topology, &first.path, &second.path, kind));
        }
    }

    #[test]
    fn little_work_gives_no_wrong_answer(
        topology in small_network(),
        ask in any_ask(),
        work_limit in 0_u64..20,
    ) {
        let request = Request { work_limit, ..ask.of(&topology) };
        let all = every_way(&topology, &request);
        let least = all.iter().map(|path| cost(&topology, path, request.metric)).min();
        match Network::new(&topology).best(&request) {
            Ok(answer) => {
                prop_assert!(all.contains(&answer.path));
                prop_assert!(!answer.optimal || Some(answer.metric) == least);
            }
            Err(Absence::Undecided { .. }) => {}
            Err(_) => prop_assert_eq!(least, None),
        }
    }
}
