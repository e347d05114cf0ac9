//! How often the path of a policy may change, whatever is chosen: a belt beside the calm of the choice.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::table::{ChosenPath, Said};

/// Over which changes are counted.
const HOUR: Duration = Duration::from_secs(3600);

/// What was let through for each policy, and when. Time is since whenever, and does not go back.
#[derive(Debug)]
pub struct Damper {
    /// Changes of a policy within an hour.
    most: u32,
    policies: BTreeMap<String, Passed>,
}

#[derive(Debug, Default)]
struct Passed {
    in_force: Option<ChosenPath>,
    /// Changes within the last hour, the oldest first.
    changes: VecDeque<Duration>,
}

/// What is to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Admitted {
    /// The paths, in the order in which they came.
    pub paths: Vec<ChosenPath>,
    /// Policies whose change waits, and until when.
    pub held: Vec<(String, Duration)>,
}

impl Admitted {
    /// When something may be let through that is held now.
    pub fn next(&self) -> Option<Duration> {
        self.held.iter().map(|(_, until)| *until).min()
    }
}

impl Damper {
    /// Nothing was let through yet.
    pub const fn new(most: u32) -> Self {
        Self { most, policies: BTreeMap::new() }
    }

    /// What of `chosen` is to be in force now.
    ///
    /// What takes traffic off a path that may carry none is let through at all times, and so is what
    /// carries traffic where nothing does.
    pub fn admit(&mut self, now: Duration, chosen: &[ChosenPath]) -> Admitted {
        let mut admitted = Admitted::default();
        for (policy, passed) in &mut self.policies {
            while passed.changes.front().is_some_and(|at| *at + HOUR <= now) {
                passed.changes.pop_front();
            }
            if !chosen.iter().any(|path| path.policy == *policy) {
                passed.in_force = None;
            }
        }
        self.policies.retain(|_, passed| passed.in_force.is_some() || !passed.changes.is_empty());
        for path in chosen {
            let passed = self.policies.entry(path.policy.clone()).or_default();
            match passed.waits(path, self.most) {
                Some(at) => {
                    admitted.held.push((path.policy.clone(), at + HOUR));
                    admitted.paths.extend(passed.in_force.clone());
                }
                None => {
                    if passed.in_force.as_ref().is_some_and(|it| !is_same(&it.said, &path.said)) {
                        passed.changes.push_back(now);
                    }
                    passed.in_force = Some(path.clone());
                    admitted.paths.push(path.clone());
                }
            }
        }
        admitted
    }
}

impl Passed {
    /// The change an hour after which this path may be let through.
    fn waits(&self, path: &ChosenPath, most: u32) -> Option<Duration> {
        let known = self.in_force.as_ref().filter(|it| !it.said.lists.is_empty())?;
        if path.said.lists.is_empty() || is_same(&known.said, &path.said) {
            return None;
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let surplus = self.changes.len().checked_sub(most)?;
        self.changes.get(surplus).copied()
    }
}

/// Packets go the same way.
fn is_same(one: &Said, other: &Said) -> bool {
    let way = |said: &Said| {
        (said.lists.clone(), said.traffic.clone(), said.endpoint, said.color, said.preference)
    };
    way(one) == way(other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::table::Table;
    use super::super::table::tests::{list, path, table};
    use super::*;

    /// The path of `a` over the list of a number; over none where it is 0.
    fn over(number: u32) -> Vec<ChosenPath> {
        let sid = format!("fc00:a::{number}");
        let lists = if number == 0 { json!([]) } else { json!([list("a", 1, &[&sid])]) };
        Table::read(&table(1, &[path("a", &lists)])).unwrap().paths
    }

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    #[test]
    fn changes_beyond_the_budget_wait_until_one_is_an_hour_old() {
        let mut damper = Damper::new(2);
        for (now, number) in [(0, 1), (10, 2), (20, 3)] {
            assert_eq!(damper.admit(minutes(now), &over(number)).paths, over(number));
        }
        let held = damper.admit(minutes(30), &over(4));
        assert_eq!(held.paths, over(3), "the one before stays");
        assert_eq!(held.held, [("a".to_owned(), minutes(70))]);
        assert_eq!(held.next(), Some(minutes(70)));
        assert_eq!(damper.admit(minutes(69), &over(4)).paths, over(3));
        assert_eq!(damper.admit(minutes(69), &over(3)).held, [], "what is in force is no change");
        assert_eq!(damper.admit(minutes(70), &over(4)).paths, over(4));
        assert_eq!(damper.admit(minutes(71), &over(5)).next(), Some(minutes(80)));
    }

    #[test]
    fn what_ends_traffic_on_a_path_never_waits() {
        let mut damper = Damper::new(1);
        for (now, number) in [(0, 1), (1, 2), (2, 0)] {
            assert_eq!(damper.admit(minutes(now), &over(number)).held, [], "{number}");
        }
        assert_eq!(damper.admit(minutes(3), &over(3)).paths, over(3), "where nothing is in force");
        assert_eq!(damper.admit(minutes(4), &over(4)).paths, over(3));
        assert_eq!(damper.admit(minutes(5), &[]), Admitted::default(), "a policy that has gone");
    }

    #[test]
    fn what_is_told_besides_is_no_change() {
        let mut damper = Damper::new(1);
        damper.admit(minutes(0), &over(1));
        damper.admit(minutes(1), &over(2));
        let mut told = over(2);
        told[0].object["standing"] = json!("degraded");
        let admitted = damper.admit(minutes(2), &told);
        assert_eq!(admitted, Admitted { paths: told, held: Vec::new() });
    }

    #[test]
    fn no_policy_changes_more_often_than_it_may() {
        use proptest::prelude::*;
        proptest!(|(most in 1_u32..4, steps in prop::collection::vec((0_u64..40, 1_u32..4), 1..60))| {
            let mut damper = Damper::new(most);
            let (mut now, mut seen, mut changes) = (0, Vec::new(), Vec::new());
            for (later, number) in steps {
                now += later;
                let paths = damper.admit(minutes(now), &over(number)).paths;
                if !seen.is_empty() && seen != paths {
                    changes.push(now);
                }
                seen = paths;
                let recent = changes.iter().filter(|at| **at + 60 > now).count();
                prop_assert!(recent <= most as usize, "{:?} by {}", changes, now);
            }
        });
    }
}
