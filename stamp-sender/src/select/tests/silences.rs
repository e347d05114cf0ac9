//! What is not known, and why.

use super::twins::Twins;
use super::*;
use crate::policies::Policies;
use crate::select::answer::{Answer, Sample};
use crate::select::decider::Decider;
use crate::select::readings::{Readings, Silence};

const PAST_C: &str = "gaming-to-r/past-c/0";

fn answer() -> (Answer, stamp_session::clock::Now) {
    let mut twins = Twins::new(&example());
    twins.pass(Duration::from_secs(1));
    twins.tell_named(|_| Told::Window(Exposed { ms: 3, lost: 0, sent: 100, clock: 0 }));
    (twins.answer(), twins.now)
}

/// What is said of a list after a decision over this answer.
fn silence(answer: &Answer, now: stamp_session::clock::Now) -> Option<Silence> {
    let mut decider = Decider::new(example(), Duration::from_secs(90));
    decider.decide(&Readings::of(answer), &mut Policies::default(), now);
    let lists: Vec<_> = decider.lists().map(|(list, it)| (list.to_owned(), it.cloned())).collect();
    lists.into_iter().find(|(list, _)| list == PAST_C).unwrap().1
}

fn is_of(sample: &Sample) -> bool {
    sample.label("session") == PAST_C
}

#[test]
fn a_list_that_is_measured_is_known() {
    let (answer, now) = answer();
    assert_eq!(silence(&answer, now), None);
}

#[test]
fn series_that_are_gone_say_nothing() {
    let (mut answer, now) = answer();
    answer.samples.retain(|sample| !is_of(sample));
    assert_eq!(silence(&answer, now), Some(Silence::Missing(PAST_C.to_owned())));
}

#[test]
fn values_that_were_scraped_long_ago_say_nothing() {
    let (mut answer, now) = answer();
    answer.at += 91.0;
    let told = silence(&answer, now);
    assert_eq!(told, Some(Silence::Stale(PAST_C.to_owned(), Duration::from_secs(91))));
}

#[test]
fn of_two_senders_that_tell_the_same_session_neither_is_believed() {
    let (mut answer, now) = answer();
    let again = answer.samples.iter().filter(|sample| is_of(sample)).cloned();
    let other = again.map(|mut sample| {
        sample.labels.insert("instance".to_owned(), "b".to_owned());
        sample
    });
    let other: Vec<Sample> = other.collect();
    answer.samples.extend(other.clone());
    let told = silence(&answer, now).unwrap();
    assert_eq!(told.label(), "twice");
    assert!(told.to_string().contains("instance=\"b\""), "{told}");
    // One that does not probe says nothing against the other.
    for sample in &mut answer.samples {
        let is_other = sample.label("instance") == "b";
        if is_other && sample.label("__name__") == stamp_metrics::catalogue::RUNNING.name {
            sample.value = 0.0;
        }
    }
    assert_eq!(silence(&answer, now), None);
}

#[test]
fn a_session_that_measures_another_list_of_the_same_name_is_none_of_it() {
    let (mut answer, now) = answer();
    for sample in &mut answer.samples {
        if sample.label("segment_list") == PAST_C && !sample.label("imposed").is_empty() {
            sample.labels.insert("imposed".to_owned(), "16999".to_owned());
        }
    }
    assert_eq!(silence(&answer, now), Some(Silence::Unlisted));
}

#[test]
fn a_clock_that_is_ahead_keeps_no_value_fresh() {
    let (mut answer, mut now) = answer();
    for sample in &mut answer.samples {
        if sample.label("__name__") == stamp_metrics::catalogue::WINDOW_END.name {
            sample.value += 86_400.0;
        }
    }
    let (mut decider, mut policies) =
        (Decider::new(example(), Duration::from_secs(3_600)), Policies::default());
    decider.decide(&Readings::of(&answer), &mut policies, now);
    let standing = |decider: &Decider, now| decider.shown(now, None).0[0].choice.standing;
    assert_eq!(standing(&decider, now), "good");
    now.monotonic = now.monotonic.saturating_add(Duration::from_secs(121));
    answer.at += 121.0;
    decider.decide(&Readings::of(&answer), &mut policies, now);
    assert_eq!(standing(&decider, now), "frozen");
}

#[test]
fn a_choice_that_nobody_decides_about_is_told_as_frozen_and_stays() {
    let (answer, now) = answer();
    let mut decider = Decider::new(example(), Duration::from_secs(90));
    decider.decide(&Readings::of(&answer), &mut Policies::default(), now);
    let (before, _) = decider.shown(now, None);
    let (frozen, rows) = decider.shown(now, Some("no answer within 5s"));
    assert_eq!(frozen[0].active, before[0].active);
    assert_eq!(frozen[0].choice.standing, "frozen");
    assert!(rows[0].object.contains("\"frozen\":\"no answer within 5s\""), "{}", rows[0].object);
    assert!(decider.shown(now, None).1[0].object.contains("\"frozen\":null"));
}

#[test]
fn one_decision_is_told_in_lines() {
    let (answer, now) = answer();
    let mut decider = Decider::new(example(), Duration::from_secs(90));
    let mut readings = answer.clone();
    readings.samples.retain(|sample| !is_of(sample));
    decider.decide(&Readings::of(&readings), &mut Policies::default(), now);
    let (shown, _) = decider.shown(now, None);
    let text = crate::select::once::lines(&shown[..1]);
    assert_eq!(
        text,
        "gaming-to-r: past-b (good)\n    past-c  preference 200  unmeasured: nothing was measured yet\n\
         \x20 * past-b  preference 100  eligible\n"
    );
}
