//! The published fabric: from node 1 to node 11 past spine 5, 6, 7 or 8.

use super::*;

/// Candidates 0 to 3 go past 5 to 8.
fn fabric() -> Scene {
    let mut scene =
        Scene::new("prefer = \"forward-p50\"\nhold = \"30s\"\nmargin = \"10%\"", [100; 4]);
    scene.measure(["800us", "700us", "615us", "1055us"]);
    scene
}

const PAST_6: Option<u32> = Some(1);
const PAST_7: Option<u32> = Some(2);

#[test]
fn the_least_delay_wins_and_is_left_when_its_link_slows_down() {
    let mut scene = fabric();
    assert_eq!(scene.step(), (PAST_7, Some(ChangeReason::First)));
    // The link from 7 to 10 rises from 210 to 510 microseconds.
    scene.after(60).measure(["800us", "700us", "915us", "1055us"]);
    let decision = scene.decide();
    let change = decision.change.unwrap();
    assert_eq!(
        change.to_string(),
        "from configuration/0:0.0.0.0/2 to configuration/0:0.0.0.0/1: better (915us to 700us)"
    );
    assert!(change.makes_before_breaking());
}

/// 630 is 10 % below 700: only below it is the old path worth the return.
#[test]
fn the_way_back_needs_the_margin() {
    let mut scene = fabric();
    scene.step();
    scene.after(60).measure(["800us", "700us", "915us", "1055us"]);
    assert_eq!(scene.step().0, PAST_6);
    for delay in ["640us", "630us"] {
        for _ in 0..10 {
            scene.after(30).measure(["800us", "700us", delay, "1055us"]);
            assert_eq!(scene.step(), (PAST_6, None), "{delay}");
        }
    }
    scene.after(30).measure(["800us", "700us", "629us", "1055us"]);
    assert_eq!(scene.step(), (PAST_7, Some(ChangeReason::Better)));
}

#[test]
fn lists_within_a_bound_share_traffic_and_the_others_carry_none() {
    let mut scene = Scene::new("require = { forward-p50 = \"900us\" }", [100]);
    let list = |(name, delay): (&str, &str)| List {
        name: name.to_owned(),
        weight: 1,
        is_replaced: false,
        measured: Some(up(secs(1000), &[("forward-p50", delay)])),
    };
    scene.candidates[0].lists =
        [("7", "615us"), ("6", "700us"), ("5", "800us"), ("8", "1055us")].map(list).to_vec();
    let decision = scene.decide();
    assert_eq!(carrying(&decision), [("7", 1), ("6", 1), ("5", 1)]);
    let Verdict::Violates(violation) = &decision.candidates[0].lists[3] else { panic!() };
    assert_eq!(violation.to_string(), "forward-p50 is 1.055ms, at most 900us is allowed");
    // What is down carries nothing from then on.
    scene.after(1);
    scene.candidates[0].lists[1].measured.as_mut().unwrap().state = ListState::Down;
    let decision = scene.decide();
    assert_eq!(carrying(&decision), [("7", 1), ("5", 1)]);
    assert_eq!(decision.change.unwrap().reason, ChangeReason::Down);
}
