//! From what is there to what is to be there.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use stamp_net::steered::{Selector, SteeredRoute, SteeringRule};

/// Routes and rules of one writer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct State {
    pub(super) routes: BTreeSet<SteeredRoute>,
    pub(super) rules: BTreeSet<SteeringRule>,
}

/// One change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// A rule is made.
    PutRule(SteeringRule),
    /// A route is made, or takes the place of that to the same prefix in the same table.
    PutRoute(SteeredRoute),
    /// A rule is taken away.
    TakeRule(SteeringRule),
    /// A route is taken away.
    TakeRoute(SteeredRoute),
}

/// Makes before it breaks: what carries traffic is there before what carried it until now is gone. The
/// writer's own questions are answered past its routes as long as there is one.
pub(super) fn plan(now: &State, wanted: &State) -> Vec<Step> {
    let mut known: BTreeMap<(u32, IpNet), Vec<&SteeredRoute>> = BTreeMap::new();
    for route in &now.routes {
        known.entry((route.table, route.prefix)).or_default().push(route);
    }
    let mut steps = Vec::new();
    let missing = |of_questions: bool| {
        let missing = wanted.rules.difference(&now.rules);
        missing
            .copied()
            .filter(move |rule| is_of_questions(rule) == of_questions)
            .map(Step::PutRule)
    };
    let stale = |of_questions: bool| {
        let stale = now.rules.difference(&wanted.rules);
        stale.copied().filter(move |rule| is_of_questions(rule) == of_questions).map(Step::TakeRule)
    };
    steps.extend(missing(true));
    for route in &wanted.routes {
        match known.remove(&(route.table, route.prefix)).as_deref() {
            Some([same]) if *same == route => {}
            // Of several with one prefix nobody knows which would be replaced.
            Some([_, others @ ..]) if !others.is_empty() => {
                let others = others.iter().map(|other| Step::TakeRoute((*other).clone()));
                steps.extend(others);
                steps.push(Step::PutRoute(route.clone()));
            }
            _ => steps.push(Step::PutRoute(route.clone())),
        }
    }
    steps.extend(missing(false));
    steps.extend(stale(false));
    steps.extend(known.into_values().flatten().map(|route| Step::TakeRoute(route.clone())));
    steps.extend(stale(true));
    steps
}

/// The rule by which the writer asks past its own routes.
const fn is_of_questions(rule: &SteeringRule) -> bool {
    matches!(rule.selector, Selector::Mark(_))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stamp_net::steered::{Onto, SteeredHop};
    use stamp_proto::ip::Dscp;

    use super::*;

    /// What a kernel makes of a step.
    fn take(state: &mut State, step: &Step) {
        match step {
            Step::PutRule(rule) => assert!(state.rules.insert(*rule), "{step:?}"),
            Step::TakeRule(rule) => assert!(state.rules.remove(rule), "{step:?}"),
            Step::TakeRoute(route) => assert!(state.routes.remove(route), "{step:?}"),
            Step::PutRoute(route) => {
                let same = |it: &SteeredRoute| (it.table, it.prefix) == (route.table, route.prefix);
                state.routes.retain(|it| !same(it));
                state.routes.insert(route.clone());
            }
        }
    }

    fn route(table: u32, net: u8, sid: u16) -> SteeredRoute {
        let onto =
            Onto::Sids { reduced: false, sids: vec![[0xfc00, 0, 0, 0, 0, 0, 0, sid].into()] };
        let gateway = "fd00::2".parse().unwrap();
        let hops = vec![SteeredHop { onto, gateway, interface: 7, weight: 1 }];
        let prefix = IpNet::new([198, 51, net, 0].into(), 24).unwrap();
        SteeredRoute { table, prefix, hops }
    }

    fn rule(number: u8) -> SteeringRule {
        let (priority, selector) = match number {
            0 => (8300, Selector::Mark(7)),
            1 => (8302, Selector::All),
            2 => (8302, Selector::Other),
            number => (8301, Selector::Dscp(Dscp::new(number).unwrap())),
        };
        SteeringRule { priority, ipv6: false, selector, table: 8300 + u32::from(number) }
    }

    /// `unique`: a state that is wanted has one route to a prefix.
    fn states(unique: bool) -> impl Strategy<Value = State> {
        let routes = prop::collection::vec((8300_u32..8303, 0_u8..4, 0_u16..3), 0..12);
        let rules = prop::collection::btree_set((0_u8..6).prop_map(rule), 0..6);
        (routes, rules).prop_map(move |(routes, rules)| {
            let mut state = State { rules, ..State::default() };
            for (table, net, sid) in routes {
                let route = route(table, net, sid);
                match unique {
                    true => take(&mut state, &Step::PutRoute(route)),
                    false => drop(state.routes.insert(route)),
                }
            }
            state
        })
    }

    proptest! {
        #[test]
        fn any_state_becomes_the_wanted_one_and_then_stays(now in states(false), wanted in states(true)) {
            let mut state = now.clone();
            plan(&now, &wanted).iter().for_each(|step| take(&mut state, step));
            prop_assert_eq!(&state, &wanted);
            prop_assert_eq!(plan(&state, &wanted), []);
        }

        #[test]
        fn what_is_there_and_wanted_is_never_missing(now in states(true), wanted in states(true)) {
            let mut state = now.clone();
            let reached = |state: &State| -> BTreeSet<_> {
                state.routes.iter().map(|route| (route.table, route.prefix)).collect()
            };
            let kept: BTreeSet<_> =
                reached(&now).intersection(&reached(&wanted)).copied().collect();
            for step in plan(&now, &wanted) {
                take(&mut state, &step);
                prop_assert!(reached(&state).is_superset(&kept), "{:?}", step);
                let rules: BTreeSet<_> = now.rules.intersection(&wanted.rules).copied().collect();
                prop_assert!(state.rules.is_superset(&rules), "{:?}", step);
            }
        }
    }

    #[test]
    fn the_new_is_there_before_the_old_goes() {
        let now = State { routes: [route(8303, 1, 1)].into(), rules: [rule(0), rule(3)].into() };
        let wanted = State { routes: [route(8304, 1, 1)].into(), rules: [rule(0), rule(4)].into() };
        let steps = [
            Step::PutRoute(route(8304, 1, 1)),
            Step::PutRule(rule(4)),
            Step::TakeRule(rule(3)),
            Step::TakeRoute(route(8303, 1, 1)),
        ];
        assert_eq!(plan(&now, &wanted), steps);
        let end = plan(&now, &State::default());
        assert_eq!(end.last(), Some(&Step::TakeRule(rule(0))), "the questions' own goes last");
    }
}
