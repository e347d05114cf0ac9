use super::*;

fn three_of_ten(direction: MeasuredDirection) -> LossWatch {
    LossWatch::new(direction, LossThreshold::new(3, 10).unwrap())
}

#[test]
fn three_of_ten_are_told_at_probe_12_and_cleared_at_probe_14() {
    let mut watch = three_of_ten(MeasuredDirection::RoundTrip);
    let mut told = Vec::new();
    for sequence in 1..=20 {
        let change = watch.decided(sequence, [4, 9, 12].contains(&sequence), seen());
        match sequence {
            9 => assert_eq!((watch.report(true).decided, watch.report(true).lost), (9, 2)),
            10 => assert_eq!((watch.report(true).decided, watch.report(true).lost), (10, 2)),
            13 => assert_eq!(watch.report(true).state, ThresholdState::Exceeded),
            _ => {}
        }
        told.extend(change.map(|it| (sequence, it.to, it.lost, it.first, it.last)));
    }
    assert_eq!(
        told,
        [(12, ThresholdState::Exceeded, 3, 3, 12), (14, ThresholdState::NotExceeded, 2, 5, 14),]
    );
    assert_eq!(watch.report(true).transitions, Transitions { exceeded: 1, cleared: 1 });
}

#[test]
fn a_window_that_is_not_full_is_judged_as_it_is() {
    let mut watch = three_of_ten(MeasuredDirection::RoundTrip);
    let told: Vec<u32> =
        (0..4).filter(|sequence| watch.decided(*sequence, true, seen()).is_some()).collect();
    assert_eq!(told, [2]);
}

#[test]
fn a_loss_that_was_none_is_taken_back() {
    let mut watch = three_of_ten(MeasuredDirection::RoundTrip);
    assert!((0..2).all(|sequence| watch.decided(sequence, true, seen()).is_none()));
    watch.forget(1);
    assert_eq!(watch.decided(2, true, seen()), None);
    assert_eq!(watch.report(true).lost, 2);
}

fn watching(loss: ByDirection<Option<LossThreshold>>) -> Box<Watch> {
    Watch::new(&Thresholds { loss, ..Thresholds::default() }).unwrap()
}

fn everywhere() -> ByDirection<Option<LossThreshold>> {
    let threshold = Some(LossThreshold::new(2, 10).unwrap());
    ByDirection { forward: threshold, backward: threshold, round_trip: threshold }
}

fn told(events: &mut Events) -> Vec<(MeasuredDirection, u32, u32)> {
    let events = core::iter::from_fn(|| events.pop());
    events
        .map(|event| match event {
            SenderEvent::Loss(change) => (change.direction, change.first, change.last),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn losses_count_for_the_direction_in_which_they_happened() {
    let mut watch = watching(everywhere());
    let mut events = Events::default();
    watch.answered(0, None, seen(), &mut events);
    (1..4).for_each(|sequence| watch.lost(sequence, seen(), &mut events));
    // One on the way out, two on the way back.
    let span = LossSpan { first: 1, last: 3, forward: 1, backward: 2 };
    watch.answered(4, Some(span), seen(), &mut events);
    let (backward, round_trip) = (MeasuredDirection::Backward, MeasuredDirection::RoundTrip);
    assert_eq!(told(&mut events), [(round_trip, 0, 2), (backward, 0, 3)]);
    let report = watch.report(true).loss;
    let counted = |report: Option<LossThresholdReport>| {
        let report = report.unwrap();
        (report.lost, report.decided)
    };
    assert_eq!(counted(report.forward), (1, 5));
    // What did not arrive there was not sent back.
    assert_eq!(counted(report.backward), (2, 4));
    assert_eq!(counted(report.round_trip), (3, 5));
}

#[test]
fn without_a_count_at_the_far_end_loss_has_no_direction() {
    let mut watch = watching(everywhere());
    let mut events = Events::default();
    watch.answered(0, None, seen(), &mut events);
    (1..5).for_each(|sequence| watch.lost(sequence, seen(), &mut events));
    watch.answered(5, None, seen(), &mut events);
    let round_trip = MeasuredDirection::RoundTrip;
    assert_eq!(told(&mut events), [(round_trip, 0, 2)]);
    let report = watch.report(false).loss;
    assert_eq!(report.forward.unwrap().state, ThresholdState::NoValue);
    assert_eq!(report.round_trip.unwrap().state, ThresholdState::Exceeded);
}

#[test]
fn a_long_outage_is_told_of_without_a_step_for_each_probe() {
    let mut watch = watching(everywhere());
    let mut events = Events::default();
    watch.answered(0, None, seen(), &mut events);
    let span = LossSpan { first: 1, last: 1_000_000_000, forward: 1_000_000_000, backward: 0 };
    watch.answered(1_000_000_001, Some(span), seen(), &mut events);
    let forward = watch.report(true).loss.forward.unwrap();
    assert_eq!((forward.lost, forward.decided), (9, 10));
    assert_eq!(told(&mut events).len(), 1);
}

#[test]
fn what_our_own_queue_dropped_is_no_loss_of_the_path() {
    let mut watch = watching(everywhere());
    let mut events = Events::default();
    watch.answered(0, None, seen(), &mut events);
    watch.local_drop(2, 4);
    (1..4).for_each(|sequence| watch.lost(sequence, seen(), &mut events));
    // All three had been answered, and the third was lost on the way back.
    let span = LossSpan { first: 1, last: 3, forward: 0, backward: 3 };
    watch.answered(4, Some(span), seen(), &mut events);
    let report = watch.report(true).loss;
    assert_eq!(report.round_trip.unwrap().lost, 1);
    assert_eq!(report.backward.unwrap().lost, 1);
    assert!(told(&mut events).is_empty());
}

#[test]
fn a_drop_explains_no_loss_of_probes_that_were_sent_later() {
    let mut watch = watching(everywhere());
    let mut events = Events::default();
    watch.local_drop(5, 1);
    watch.lost(0, seen(), &mut events);
    (1..3).for_each(|sequence| watch.lost(sequence, seen(), &mut events));
    assert_eq!(watch.report(true).loss.round_trip.unwrap().lost, 2);
}
