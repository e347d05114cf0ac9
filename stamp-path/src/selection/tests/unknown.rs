use super::*;

const GAMING: &str = "require = { forward-p50 = \"20ms\" }\nhold = \"30s\"\n\
    trust = { age = \"60s\", integrity = \"50%\", samples = 10, clock-error = \"25%\" }";

/// Why candidate 0 is not known.
fn reason(change: impl FnOnce(&mut Measured)) -> String {
    let mut scene = Scene::new(GAMING, [100]);
    scene.measure(["10ms"]);
    change(scene.candidates[0].lists[0].measured.as_mut().unwrap());
    let decision = scene.decide();
    assert!(matches!(decision.candidates[0].eligibility, Eligibility::Unknown(_)));
    assert_eq!((decision.active, decision.standing), (None, Standing::Waiting));
    decision.candidates[0].eligibility.to_string()
}

#[test]
fn what_cannot_be_trusted_says_why() {
    assert_eq!(reason(|it| it.state = ListState::Init), "nothing was measured yet");
    assert_eq!(
        reason(|it| it.at = secs(939)),
        "measured 1m1s ago, at most 1m ago counts".replace("1m1s", "61s")
    );
    let half = Ratio::from_billionths(499_999_999).unwrap();
    let thin = "the window has 49.9999999% of its values, less than 50%";
    assert_eq!(reason(|it| it.integrity = half), thin);
    assert_eq!(reason(|it| it.samples = 9), "the window has 9 values, fewer than 10");
    let clock = "forward-p50 needs synchronised clocks";
    assert_eq!(reason(|it| it.clock.synchronized = false), clock);
    assert_eq!(
        reason(|it| it.clock.error = Some(Duration::from_micros(5001))),
        "clocks may differ by 5001us, too much for forward-p50 of at most 20ms"
    );
    assert_eq!(reason(|it| it.values.clear()), "forward-p50 is not measured");
}

#[test]
fn clocks_that_are_good_enough_count() {
    let mut scene = Scene::new(GAMING, [100]);
    scene.measure(["10ms"]);
    let measured = scene.candidates[0].lists[0].measured.as_mut().unwrap();
    measured.clock.error = Some(Duration::from_millis(5));
    assert_eq!(scene.step().0, Some(0));
}

/// What is not known of a requirement does not hide that another is violated.
#[test]
fn a_violation_is_told_even_where_something_is_unknown() {
    let mut scene = Scene::new("require = { forward-p50 = \"20ms\", loss = \"1%\" }", [100]);
    let mut measured = up(scene.now, &[("forward-p50", "10ms"), ("loss", "2%")]);
    measured.clock.synchronized = false;
    scene.candidates[0].lists[0].measured = Some(measured);
    let decision = scene.decide();
    let told = decision.candidates[0].eligibility.to_string();
    assert_eq!(told, "loss is 2%, at most 1% is allowed");
    assert_eq!(decision.standing, Standing::Degraded, "it works, and nothing is better");
}

#[test]
fn the_choice_is_frozen_when_nothing_is_known_any_more_and_goes_on_when_it_is() {
    let mut scene = Scene::new(GAMING, [100, 200]);
    scene.measure(["10ms", "10ms"]).step();
    let known = scene.now;
    scene.now += secs(3600);
    let decision = scene.decide();
    assert_eq!((decision.active, decision.standing), (Some(id(1)), Standing::Frozen));
    assert_eq!(carrying(&decision), [("1", 1)]);
    assert_eq!(decision.candidates[1].eligibility.label(), "stale");
    assert_eq!(decision.change, None);
    scene.now = known + secs(7200);
    scene.measure(["10ms", "10ms"]);
    assert_eq!(scene.decide().standing, Standing::Good);
}

#[test]
fn a_known_path_replaces_an_unknown_one_when_it_has_been_good_for_the_hold_time() {
    let mut scene = Scene::new(GAMING, [200, 100]);
    scene.measure(["10ms", "10ms"]).step();
    scene.after(10).state(0, ListState::Init);
    assert_eq!(scene.decide().held.unwrap().by, HeldBy::Hold);
    let held = scene.after(29).decide().held.unwrap();
    assert_eq!((held.by, held.until), (HeldBy::Settling, Some(scene.now + secs(1))));
    assert_eq!(scene.after(1).step(), (Some(1), Some(ChangeReason::Unknown)));
}

/// Windows of two paths do not end together, so one tells first that a clock which both need is out.
#[test]
fn doubt_about_a_clock_of_all_paths_moves_nothing() {
    for hold in ["1s", "30s"] {
        let mut scene = Scene::new(&GAMING.replace("30s", hold), [200, 100]);
        scene.measure(["10ms", "10ms"]).step();
        scene.after(100).step();
        let last = scene.now;
        scene.now += secs(5);
        scene.synchronized(0, false);
        let decision = scene.decide();
        assert_eq!((decision.change, decision.standing), (None, Standing::Frozen));
        assert_eq!(decision.held.unwrap().by, HeldBy::Settling);
        scene.now += secs(4);
        assert_eq!(scene.decide().change, None, "the other was measured before there was doubt");
        scene.now = last + secs(10);
        scene.synchronized(1, false);
        assert_eq!((scene.decide().change, scene.decide().held), (None, None));
        scene.now += secs(5);
        scene.synchronized(0, true);
        let decision = scene.decide();
        assert_eq!((decision.change, decision.standing), (None, Standing::Good));
    }
}

#[test]
fn what_was_measured_since_replaces_what_is_unknown() {
    let mut scene = Scene::new(&GAMING.replace("30s", "1s"), [200, 100]);
    scene.measure(["10ms", "10ms"]).step();
    scene.after(100).step();
    scene.now += secs(5);
    scene.synchronized(0, false);
    assert_eq!(scene.step(), (Some(0), None));
    scene.now += secs(5);
    scene.synchronized(1, true);
    assert_eq!(scene.step(), (Some(1), Some(ChangeReason::Unknown)));
}

/// A list of which nothing is known any more carries on while that may pass.
#[test]
fn shares_do_not_follow_a_doubt_that_has_just_begun() {
    let mut scene = Scene::new(GAMING, [200]);
    let mut other = scene.candidates[0].lists[0].clone();
    other.name = "other".to_owned();
    scene.candidates[0].lists.push(other);
    scene.measure(["10ms"]).step();
    scene.after(100);
    scene.candidates[0].lists[1].measured.as_mut().unwrap().clock.synchronized = false;
    assert_eq!(carrying(&scene.decide()), [("0", 1), ("other", 1)]);
    assert_eq!(carrying(&scene.after(29).decide()), [("0", 1), ("other", 1)]);
    assert_eq!(carrying(&scene.after(1).decide()), [("0", 1)]);
}

/// Traffic that needs nothing goes by preference until something is known, and that is told.
#[test]
fn what_is_taken_without_knowing_is_called_so() {
    let mut scene = Scene::new("", [100, 200]);
    let decision = scene.decide();
    assert_eq!((decision.active, decision.standing), (Some(id(1)), Standing::Provisional));
    scene.after(60).measure(["10ms"]).step();
    assert_eq!(scene.after(60).step(), (Some(0), Some(ChangeReason::Unknown)), "known goes first");
    scene.now += secs(600);
    assert_eq!(scene.decide().standing, Standing::Frozen, "it was known once");
}

#[test]
fn an_unknown_path_is_better_than_one_that_is_down() {
    let mut scene = Scene::new(GAMING, [200, 100]);
    scene.measure(["10ms"]).step();
    let decision = scene.after(1).state(0, ListState::Down).decide();
    assert_eq!((decision.active, decision.standing), (Some(id(1)), Standing::Provisional));
}

/// Sessions of new lists know nothing yet: traffic stays where it is until they do.
#[test]
fn a_path_that_is_computed_anew_carries_when_it_is_measured() {
    let mut scene = Scene::new(GAMING, [100]);
    scene.measure(["10ms"]).step();
    scene.after(60);
    scene.candidates[0].lists.push(List {
        name: "new".to_owned(),
        weight: 1,
        is_replaced: false,
        measured: None,
    });
    assert_eq!(carrying(&scene.decide()), [("0", 1)]);
    scene.measure(["10ms"]).step();
    assert_eq!(carrying(&scene.after(30).decide()), [("0", 1), ("new", 1)]);
    scene.candidates[0].lists.remove(0);
    let decision = scene.after(1).decide();
    assert_eq!(carrying(&decision), [("new", 1)], "what is taken away carries nothing");
}

#[test]
fn a_candidate_that_is_taken_away_is_left() {
    let mut scene = Scene::new(GAMING, [200, 100]);
    scene.measure(["10ms", "10ms"]).step();
    scene.candidates.remove(0);
    assert_eq!(scene.after(1).step(), (Some(1), Some(ChangeReason::Forbidden)));
}
