use super::*;

const GAMING: &str =
    "require = { forward-p50 = \"20ms\" }\nhold = \"30s\"\nmargin = \"10%\"\nchanges-per-hour = 4";

/// Candidate 0 goes before 1, and both have been good for an hour.
fn two() -> Scene {
    let mut scene = Scene::new(GAMING, [200, 100]);
    scene.measure(["10ms", "15ms"]).step();
    scene.after(3600).step();
    scene
}

#[test]
fn preference_goes_before_what_is_measured() {
    let mut scene = Scene::new(GAMING, [100, 200]);
    scene.measure(["10ms", "15ms"]);
    assert_eq!(scene.step(), (Some(1), Some(ChangeReason::First)));
    assert_eq!(scene.after(600).step(), (Some(1), None));
}

#[test]
fn a_path_that_is_down_is_left_at_once_and_comes_back_when_it_has_been_good_for_the_hold_time() {
    let mut scene = two();
    assert_eq!(
        scene.after(1).state(0, ListState::Down).step(),
        (Some(1), Some(ChangeReason::Down))
    );
    assert_eq!(scene.after(60).state(0, ListState::Up).step(), (Some(1), None));
    let decision = scene.after(29).decide();
    let held = decision.held.unwrap();
    assert_eq!((held.by, held.until), (HeldBy::Settling, Some(scene.now + secs(1))));
    assert_eq!(decision.next, held.until);
    assert_eq!(scene.after(1).step(), (Some(0), Some(ChangeReason::Preference)));
}

#[test]
fn what_is_down_at_once_is_left_even_within_the_hold_time_and_beyond_the_budget() {
    let mut scene = two();
    for _ in 0..10 {
        assert_eq!(scene.after(1).state(0, ListState::Down).step().1, Some(ChangeReason::Down));
        scene.state(0, ListState::Up).state(1, ListState::Down);
        assert_eq!(scene.after(1).step(), (Some(0), Some(ChangeReason::Down)));
        scene.state(1, ListState::Up);
    }
}

#[test]
fn with_every_path_down_none_carries_and_the_first_that_is_up_again_does() {
    let mut scene = two();
    scene.after(1).state(0, ListState::Down).state(1, ListState::Down);
    let decision = scene.decide();
    assert_eq!((decision.active, decision.standing), (None, Standing::Unavailable));
    assert!(decision.shares.is_empty());
    assert_eq!(scene.after(1).state(1, ListState::Up).step(), (Some(1), Some(ChangeReason::First)));
}

#[test]
fn a_violation_moves_traffic_at_once_unless_the_hold_time_runs() {
    let mut scene = two();
    scene.after(1).measure(["25ms", "15ms"]);
    assert_eq!(scene.step(), (Some(1), Some(ChangeReason::Violation)));
    // Both limits are crossed again at once: now it waits.
    scene.after(10).measure(["10ms", "25ms"]);
    let decision = scene.decide();
    let held = decision.held.unwrap();
    assert_eq!(
        held.to_string(),
        "to configuration/0:0.0.0.0/0: violation, held by hold until 4631s"
    );
    assert_eq!(decision.standing, Standing::Degraded);
    assert_eq!(scene.after(20).step(), (Some(0), Some(ChangeReason::Violation)));
}

/// Raising and clearing thresholds differ: 20 ms is too much once it was exceeded, 18 ms is not.
#[test]
fn what_violated_a_limit_comes_back_below_it_by_the_margin() {
    let mut scene = two();
    scene.after(1).measure(["25ms", "15ms"]).step();
    scene.after(100).measure(["19ms", "15ms"]);
    let decision = scene.decide();
    assert_eq!(decision.active, Some(id(1)));
    assert_eq!(
        decision.candidates[0].eligibility.to_string(),
        "forward-p50 is 19ms, 18ms or less is waited for since it was above 20ms"
    );
    assert_eq!(scene.after(100).step(), (Some(1), None));
    assert_eq!(scene.after(1).measure(["18ms", "15ms"]).step(), (Some(1), None));
    assert_eq!(scene.after(30).step(), (Some(0), Some(ChangeReason::Preference)));
}

#[test]
fn a_path_that_violates_stays_where_none_is_better() {
    let mut scene = two();
    scene.after(1).measure(["25ms", "21ms"]);
    let decision = scene.decide();
    assert_eq!((decision.active, decision.standing), (Some(id(0)), Standing::Degraded));
    assert_eq!(decision.change, None);
}

#[test]
fn the_changes_of_an_hour_are_counted_and_the_next_waits_for_the_oldest() {
    let mut scene = two();
    let begin = scene.now;
    for number in 0..4 {
        let delays = if number % 2 == 0 { ["25ms", "15ms"] } else { ["15ms", "25ms"] };
        assert!(scene.after(60).measure(delays).step().1.is_some(), "{number}");
    }
    scene.after(60).measure(["25ms", "15ms"]);
    let held = scene.decide().held.unwrap();
    assert_eq!((held.by, held.until), (HeldBy::Budget, Some(begin + secs(60 + 3600))));
    let mut last = None;
    while scene.now < begin + secs(3659) {
        assert_eq!(last, None, "{:?}", scene.now);
        last = scene.after(1).step().1;
    }
    assert_eq!(scene.after(1).step(), (Some(1), Some(ChangeReason::Violation)));
}

/// Traffic is gone before the work begins, whatever the hour has seen, and back after it.
#[test]
fn a_drained_path_is_left_while_it_works_and_taken_again_after() {
    let mut scene = two();
    for number in 0..4 {
        let delays = if number % 2 == 0 { ["25ms", "15ms"] } else { ["15ms", "25ms"] };
        scene.after(60).measure(delays).step();
    }
    scene.after(60).measure(["15ms", "15ms"]);
    let drained = Some(crate::class::Shared::Link { name: "a-b".to_owned() });
    scene.candidates[0].admission.drained = drained;
    let decision = scene.decide();
    let change = decision.change.clone().unwrap();
    assert_eq!((change.to, change.reason), (Some(id(1)), ChangeReason::Drained));
    assert!(change.makes_before_breaking());
    assert_eq!(decision.candidates[0].eligibility.to_string(), "link a-b is drained");
    scene.candidates[0].admission.drained = None;
    assert_eq!(scene.after(3600).step(), (Some(0), Some(ChangeReason::Preference)));
}

#[test]
fn what_is_drained_stays_where_nothing_else_leads() {
    let mut scene = two();
    scene.candidates[0].admission.drained =
        Some(crate::class::Shared::Node { name: "a".to_owned() });
    let decision = scene.after(1).state(1, ListState::Down).decide();
    assert_eq!((decision.active, decision.standing), (Some(id(0)), Standing::Good));
}

#[test]
fn lists_of_the_path_in_use_come_and_go_calmly() {
    let mut scene = Scene::new(GAMING, [100]);
    let list =
        |name: &str| List { name: name.to_owned(), weight: 3, is_replaced: false, measured: None };
    scene.candidates[0].lists = vec![list("a"), list("b")];
    scene.measure(["10ms"]);
    assert_eq!(carrying(&scene.decide()), [("a", 3), ("b", 3)]);
    let set = |scene: &mut Scene, delay: &str| {
        scene.candidates[0].lists[1].measured = Some(up(scene.now, &[("forward-p50", delay)]));
    };
    scene.after(10);
    set(&mut scene, "25ms");
    assert_eq!(carrying(&scene.decide()).len(), 2, "the hold time runs");
    let decision = scene.after(20).decide();
    assert_eq!(decision.change.clone().unwrap().reason, ChangeReason::Rebalanced);
    assert_eq!((carrying(&decision), decision.since), (vec![("a", 3)], Some(secs(1000))));
    scene.after(60);
    set(&mut scene, "12ms");
    assert_eq!(carrying(&scene.decide()), [("a", 3)], "it has to be good for the hold time");
    assert_eq!(carrying(&scene.after(30).decide()), [("a", 3), ("b", 3)]);
}

/// Without anything to compare the order is the standard's.
#[test]
fn without_a_class_the_order_is_that_of_the_standard() {
    let mut scene = Scene::new("", [100, 100]);
    scene.measure(["10ms"]);
    scene.state(1, ListState::Init);
    assert_eq!(scene.step(), (Some(0), Some(ChangeReason::First)), "the other is not known");
    scene.after(60).state(1, ListState::Up).step();
    assert_eq!(
        scene.after(60).step(),
        (Some(1), Some(ChangeReason::Order)),
        "higher discriminator"
    );
    let mut keeping =
        Scene { selector: Selector::new(class(""), true), ..Scene::new("", [100, 100]) };
    keeping.measure(["10ms"]).step();
    keeping.after(60).state(1, ListState::Up).step();
    assert_eq!(keeping.after(60).step(), (Some(0), None), "what is installed stays");
}

/// Lists of the only candidate: one that carries, and one that has come in its place.
fn replaced(delay: &str) -> Scene {
    let mut scene = Scene::new(GAMING, [100]);
    scene.measure(["10ms"]).step();
    scene.after(3600).step();
    let old = &mut scene.candidates[0].lists[0];
    old.is_replaced = true;
    let new = List { name: "new".to_owned(), is_replaced: false, ..old.clone() };
    scene.candidates[0].lists.insert(0, new);
    scene.measure([delay]);
    scene
}

#[test]
fn a_list_that_was_replaced_carries_until_the_other_has_been_good_for_the_hold_time() {
    let mut scene = replaced("12ms");
    assert_eq!(carrying(&scene.decide()), [("0", 1)]);
    assert_eq!(carrying(&scene.after(29).decide()), [("0", 1)]);
    let decision = scene.after(1).decide();
    assert_eq!(carrying(&decision), [("new", 1)]);
    assert_eq!(decision.change.map(|change| change.reason), Some(ChangeReason::Rebalanced));
    scene.candidates[0].lists.pop();
    assert_eq!(scene.after(1).step(), (Some(0), None), "it is not missed");
}

#[test]
fn a_list_that_was_replaced_and_is_down_is_left_at_once() {
    let mut scene = replaced("12ms");
    scene.step();
    let old = scene.candidates[0].lists[1].measured.as_mut().unwrap();
    old.state = ListState::Down;
    let decision = scene.after(1).decide();
    assert_eq!(carrying(&decision), [("new", 1)]);
    assert_eq!(decision.change.map(|change| change.reason), Some(ChangeReason::Down));
}
