//! The same history told both ways: by packet threads to a chooser as a daemon has it, and by the text of
//! metrics, as Prometheus would answer with it, to a decider.

mod exposed;
mod silences;
mod twins;

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use stamp_session::sender::SessionState;

use crate::daemon::Paths;
use crate::paths::Drain;
use exposed::Exposed;
use twins::Twins;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies");
const EXAMPLE: &str = include_str!("../../../examples/policies/three-paths.toml");
/// One link is measured alone, so that what is computed follows its delay.
const ONE_LINK: &str = "\n[[policy]]\nname = \"link\"\nfrom = \"s\"\ncolor = 7\nendpoint = \"c\"\n\
                        candidate = [{ name = \"only\", segments = [\"c\"] }]\n";

fn paths(text: &str) -> Paths {
    let read = crate::daemon::Configuration::read("run.toml", text, Path::new(FOLDER));
    read.unwrap_or_else(|errors| panic!("{errors}")).paths
}

fn example() -> Paths {
    let text = EXAMPLE
        .replacen("hold = \"30s\"", "hold = \"3s\"", 1)
        .replacen("dynamic = { metric = \"igp\" }", "dynamic = { metric = \"delay\" }", 1)
        .replacen("[class.bulk]\n", "[class.bulk]\nhold = \"2s\"\ntrust = { age = \"10s\" }\n", 1);
    paths(&(text + ONE_LINK))
}

/// What becomes of one session within a second.
#[derive(Clone, Debug)]
enum Told {
    /// A window of a session that is up.
    Window(Exposed),
    /// Nothing new.
    Silent,
    /// Too many probes in a row are lost.
    Down,
    /// It probes no longer.
    Ends,
}

fn told() -> impl Strategy<Value = Told> {
    let window = (1_i64..60, 0_u64..40, 1_u32..=120, 0_u8..4);
    prop_oneof![
        8 => window.prop_map(|(ms, lost, sent, clock)| Told::Window(Exposed { ms, lost, sent, clock })),
        2 => Just(Told::Silent),
        1 => Just(Told::Down),
        1 => Just(Told::Ends),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_same_history_leads_to_the_same_decisions(
        history in prop::collection::vec(prop::collection::vec(told(), 7), 1..24),
    ) {
        let mut twins = Twins::new(&example());
        for (second, told) in history.iter().enumerate() {
            twins.pass(Duration::from_secs(1));
            twins.tell(told);
            let [near, far] = twins.decide();
            prop_assert_eq!(near, far, "in second {}", second);
        }
    }
}

#[test]
fn a_path_that_degrades_is_left_by_both_for_the_same_reason() {
    let mut twins = Twins::new(&example());
    let window = |ms| Told::Window(Exposed { ms, lost: 0, sent: 100, clock: 0 });
    let mut second = |past_c: i64| {
        twins.pass(Duration::from_secs(1));
        twins.tell_named(|list| match list {
            "gaming-to-r/past-c/0" => window(past_c),
            _ => window(3),
        });
        let [near, far] = twins.decide();
        assert_eq!(near, far);
        far
    };
    let first = second(2);
    assert!(
        first.moved.iter().any(|it| it.starts_with("gaming-to-r None -> Some(\"past-c\") first"))
    );
    (0..5).for_each(|_| drop(second(2)));
    let moved = second(25).moved;
    let expected = "gaming-to-r Some(\"past-c\") -> Some(\"past-b\") violation";
    assert!(moved.iter().any(|it| it.starts_with(expected)), "{moved:?}");
}

#[test]
fn what_is_announced_of_a_link_makes_other_paths_on_both_sides() {
    let mut twins = Twins::new(&example());
    let window = |ms| Told::Window(Exposed { ms, lost: 0, sent: 100, clock: 0 });
    let mut lists = Vec::new();
    for ms in [1, 50] {
        for _ in 0..40 {
            twins.pass(Duration::from_secs(1));
            twins.tell_named(|list| if list.starts_with("link/") { window(ms) } else { window(3) });
            let [near, far] = twins.decide();
            assert_eq!(near, far);
        }
        lists.push(twins.segments_of("bulk-to-r/cheapest"));
    }
    assert_ne!(lists[0], lists[1], "another path is the shortest now");
}

#[test]
fn what_is_drained_is_left_by_both_and_taken_again_after() {
    let mut twins = Twins::new(&example());
    let mut seconds = |drain: Option<bool>| {
        if let Some(is_drained) = drain {
            twins.drain(&Drain::Link("c-r".to_owned()), is_drained);
        }
        let mut moved = Vec::new();
        for _ in 0..5 {
            twins.pass(Duration::from_secs(1));
            let quick = Exposed { ms: 3, lost: 0, sent: 100, clock: 0 };
            twins.tell_named(|_| Told::Window(quick));
            let [near, far] = twins.decide();
            assert_eq!(near, far);
            moved.extend(far.moved.into_iter().filter(|it| it.starts_with("gaming-to-r ")));
        }
        moved.iter().map(|it| it.split(' ').take(5).collect::<Vec<_>>().join(" ")).collect()
    };
    let all: [Vec<String>; 4] = [None, Some(true), Some(true), Some(false)].map(&mut seconds);
    let past = |from: &str, to: &str, reason: &str| {
        vec![format!("gaming-to-r {from} -> Some(\"past-{to}\") {reason}")]
    };
    assert_eq!(all[0], past("None", "c", "first"));
    assert_eq!(all[1], past("Some(\"past-c\")", "b", "drained"));
    assert_eq!(all[2], [""; 0]);
    assert_eq!(all[3], past("Some(\"past-b\")", "c", "preference"));
}

#[test]
fn down_and_not_yet_up_are_told_apart() {
    let mut twins = Twins::new(&example());
    twins.pass(Duration::from_secs(1));
    twins.tell_named(|_| Told::Silent);
    let [near, far] = twins.decide();
    assert_eq!(near, far);
    assert_eq!(twins.state_of("gaming-to-r/past-c/0"), SessionState::Init);
    twins.tell_named(|_| Told::Down);
    let [near, far] = twins.decide();
    assert_eq!(near, far);
    assert!(far.rows.iter().any(|row| row.contains("\"standing\":\"unavailable\"")), "{far:?}");
}
