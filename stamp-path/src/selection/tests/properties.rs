use proptest::prelude::*;

use super::*;
use crate::class::Shared;

const HOLD: u64 = 30;
const CHANGES: usize = 4;
const KEYS: &str =
    "require = { forward-p50 = \"20ms\" }\nhold = \"30s\"\nmargin = \"10%\"\nchanges-per-hour = 4";

/// What happens to one list in a step.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Same,
    Down,
    Init,
    Stale,
    Thin,
    Clock,
    Up(u32),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Same),
        1 => Just(Fate::Down),
        1 => Just(Fate::Init),
        1 => Just(Fate::Stale),
        1 => Just(Fate::Thin),
        1 => Just(Fate::Clock),
        6 => (1_u32..30_000).prop_map(Fate::Up),
    ]
}

/// Seconds, fates of two lists of each of three candidates, and which candidate is drained or
/// forbidden, if one is.
type Step = (u64, [Fate; 6], u8);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fates = prop::array::uniform6(fate());
    prop::collection::vec((1_u64..90, fates, 0_u8..24), 1..150)
}

fn scene() -> Scene {
    let mut scene = Scene::new(KEYS, [200, 100, 100]);
    for candidate in &mut scene.candidates {
        let list = |half: &str| List {
            name: format!("{}{half}", candidate.id.discriminator),
            weight: 1,
            is_replaced: false,
            measured: None,
        };
        candidate.lists = vec![list("a"), list("b")];
    }
    scene
}

fn play(scene: &mut Scene, (seconds, fates, mark): Step) {
    scene.after(seconds);
    let now = scene.now;
    let lists = scene.candidates.iter_mut().flat_map(|candidate| &mut candidate.lists);
    for (list, fate) in lists.zip(fates) {
        let good = up(now, &[("forward-p50", "10ms")]);
        let measured = match fate {
            Fate::Same => continue,
            Fate::Down => Measured { state: ListState::Down, ..good },
            Fate::Init => Measured { state: ListState::Init, ..good },
            Fate::Stale => Measured { at: now.saturating_sub(secs(600)), ..good },
            Fate::Thin => Measured { integrity: Ratio::ZERO, ..good },
            Fate::Clock => Measured { clock: ClockTrust::default(), ..good },
            Fate::Up(micros) => up(now, &[("forward-p50", &format!("{micros}us"))]),
        };
        list.measured = Some(measured);
    }
    for (number, candidate) in (0_u8..).zip(&mut scene.candidates) {
        let drained = Shared::Node { name: "x".to_owned() };
        candidate.admission = Admission {
            drained: (mark == number).then_some(drained),
            forbidden: (mark == number + 3).then_some(Forbidden::Unproven),
        };
    }
}

fn is_down(scene: &Scene, name: &str) -> bool {
    let mut lists = scene.candidates.iter().flat_map(|candidate| &candidate.lists);
    let list = lists.find(|list| list.name == name).and_then(|list| list.measured.as_ref());
    list.is_some_and(|measured| measured.state == ListState::Down)
}

/// The same where every good list of the path in use is a little better.
fn improved(scene: &Scene, active: Option<CandidateId>, decision: &Decision) -> Vec<Candidate> {
    let mut candidates = scene.candidates.clone();
    for (candidate, assessed) in candidates.iter_mut().zip(&decision.candidates) {
        let is_active = Some(candidate.id) == active;
        for (list, verdict) in candidate.lists.iter_mut().zip(&assessed.lists) {
            let measured =
                list.measured.as_mut().filter(|_| is_active && *verdict == Verdict::Good);
            for value in measured.into_iter().flat_map(|measured| measured.values.values_mut()) {
                *value = value.less(Ratio::read("7%").unwrap());
            }
        }
    }
    candidates
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_flaps_and_nothing_unknown_wins(steps in steps()) {
        let mut scene = scene();
        let mut changes: Vec<Duration> = Vec::new();
        for step in steps {
            play(&mut scene, step);
            let decision = scene.decide();
            for share in &decision.shares {
                prop_assert!(!is_down(&scene, &share.list), "{} is down and carries", share.list);
            }
            prop_assert_eq!(decision.active.is_some(), !decision.shares.is_empty());
            if let Some(change) = decision.change {
                let now = scene.now;
                if !change.reason.is_forced() {
                    let waited = changes.last().map(|last| now.saturating_sub(*last));
                    prop_assert!(waited.is_none_or(|it| it >= secs(HOLD)), "{change} after {waited:?}");
                }
                if !change.reason.is_forced() && change.reason != ChangeReason::Drained {
                    let within = |at: &&Duration| **at + secs(3600) > now;
                    prop_assert!(changes.iter().filter(within).count() < CHANGES, "{change}");
                }
                let to = decision.candidates.iter().find(|it| Some(it.id) == change.to);
                let is_good = to.is_some_and(|it| it.eligibility.is_good());
                let has_good = decision.candidates.iter().any(|it| it.eligibility.is_good());
                prop_assert!(is_good || !has_good || change.from == change.to, "{change}");
                changes.push(now);
            }
        }
    }

    #[test]
    fn the_same_input_gives_the_same_choice(steps in steps()) {
        let (mut one, mut other) = (scene(), scene());
        for step in steps {
            play(&mut one, step);
            play(&mut other, step);
            prop_assert_eq!(one.decide(), other.decide());
            prop_assert_eq!(one.decide().change, None, "asked again at once it changes nothing");
            other.decide();
        }
    }

    #[test]
    fn a_path_in_use_that_gets_better_is_never_left_for_that(steps in steps()) {
        let mut scene = scene();
        for step in steps {
            play(&mut scene, step);
            let before = scene.selector.active();
            let mut better = scene.selector.clone();
            let decision = scene.decide();
            let candidates = improved(&scene, before, &decision);
            let better = better.decide(scene.now, &candidates);
            if before.is_some() && decision.active == before {
                prop_assert_eq!(better.active, before);
            }
        }
    }

    /// Nothing changes between a decision and the moment it names.
    #[test]
    fn it_says_when_to_ask_again(steps in steps()) {
        let mut scene = scene();
        for step in steps {
            play(&mut scene, step);
            let decision = scene.decide();
            let until = decision.next.unwrap_or(scene.now + secs(7200));
            prop_assert!(until > scene.now);
            let mut later = scene.selector.clone();
            let just_before = until - Duration::from_nanos(1);
            let asked = later.decide(just_before, &scene.candidates);
            prop_assert_eq!(asked.change, None);
        }
    }
}
