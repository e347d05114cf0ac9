use stamp_proto::time::TimeDelta;

use super::super::pending::Usable;
use super::*;

fn answer(reflector_sequence: u32) -> Answer {
    Answer {
        forward_delay: TimeDelta::ZERO,
        round_trip: TimeDelta::ZERO,
        usable: Usable::All,
        reflector_sequence,
        extra: 0,
        extra_reach: 0,
        incarnation: 0,
    }
}

struct Feed {
    direction: Direction,
    events: Events,
    restarts: u32,
}

impl Feed {
    fn new(declared: ReflectorMode) -> Self {
        Self { direction: Direction::new(declared, 0), events: Events::default(), restarts: 0 }
    }

    fn answered(&mut self, sequence: u32, answer: Answer) {
        let Self { direction, events, .. } = self;
        direction.arrived(sequence, answer.reflector_sequence, events);
        match direction.answered(&answer, 0, events) {
            Numbering::GoesOn(span) => events.extend(span.map(SenderEvent::from)),
            Numbering::BeginsAnew => self.restarts += 1,
        }
    }

    /// `Some` is the number of the reply, `None` a loss.
    fn all(declared: ReflectorMode, fates: &[Option<u32>]) -> Self {
        let mut feed = Self::new(declared);
        for (sequence, fate) in (0..).zip(fates) {
            match fate {
                Some(number) => feed.answered(sequence, answer(*number)),
                None => feed.direction.lost(sequence),
            }
        }
        feed
    }

    fn losses(&self) -> Option<(u64, u64)> {
        let losses = self.direction.losses()?;
        Some((losses.forward, losses.backward))
    }

    fn events(&mut self) -> Vec<SenderEvent> {
        core::iter::from_fn(|| self.events.pop()).collect()
    }
}

#[test]
fn two_lost_forward_and_one_backward() {
    // 3 and 4 vanish on the way out, the reply to 7 on the way back.
    let fates = [Some(0), Some(1), Some(2), None, None, Some(3), Some(4), None, Some(6), Some(7)];
    let mut feed = Feed::all(ReflectorMode::Detect, &fates);
    assert_eq!(feed.losses(), Some((2, 1)));
    assert_eq!(feed.direction.reflector(), Reflector::Stateful);
    assert_eq!(
        feed.events(),
        [
            SenderEvent::ReflectorMode { stateful: true },
            SenderEvent::LossDirection { first: 3, last: 4, forward: 2, backward: 0 },
            SenderEvent::LossDirection { first: 7, last: 7, forward: 0, backward: 1 },
        ]
    );
}

#[test]
fn without_a_loss_nobody_knows_the_kind() {
    let feed = Feed::all(ReflectorMode::Detect, &[Some(0), Some(1), Some(2)]);
    assert_eq!(feed.direction.reflector(), Reflector::Unknown);
    assert_eq!(feed.losses(), None);
}

#[test]
fn a_copy_of_the_number_after_a_loss_is_stateless() {
    let mut feed = Feed::all(ReflectorMode::Detect, &[Some(0), None, Some(2), None, Some(4)]);
    assert_eq!(feed.direction.reflector(), Reflector::Stateless);
    assert_eq!(feed.losses(), None);
    assert_eq!(feed.events(), [SenderEvent::ReflectorMode { stateful: false }]);
}

#[test]
fn replies_lost_first_and_probes_lost_later_are_all_counted() {
    // Looks stateless until probe 4 is lost on the way out.
    let feed = Feed::all(ReflectorMode::Detect, &[Some(0), None, Some(2), Some(3), None, Some(4)]);
    assert_eq!(feed.direction.reflector(), Reflector::Stateful);
    assert_eq!(feed.losses(), Some((1, 1)));
}

#[test]
fn a_declared_count_gives_directions_at_once() {
    let feed = Feed::all(ReflectorMode::Stateful, &[Some(0), None, Some(2)]);
    assert_eq!(feed.losses(), Some((0, 1)));
}

#[test]
fn a_declared_count_is_refuted_by_a_number_nobody_sent() {
    let mut feed = Feed::new(ReflectorMode::Stateful);
    feed.answered(0, answer(0));
    feed.direction.unsent();
    feed.answered(2, answer(2));
    assert_eq!(feed.direction.reflector(), Reflector::Stateless);
    assert_eq!(feed.restarts, 0);
}

#[test]
fn numbers_that_are_equal_by_chance_refute_nothing() {
    let mut feed = Feed::new(ReflectorMode::Detect);
    feed.answered(0, answer(2));
    feed.direction.unsent();
    feed.direction.lost(2);
    feed.answered(3, answer(3));
    assert_eq!(feed.direction.reflector(), Reflector::Stateful);
}

#[test]
fn a_session_that_starts_at_one_tells_the_kind_by_its_first_reply() {
    for (number, kind) in [(0, Reflector::Stateful), (1, Reflector::Stateless)] {
        let mut direction = Direction::new(ReflectorMode::Detect, 1);
        let mut events = Events::default();
        direction.arrived(1, number, &mut events);
        let numbering = direction.answered(&answer(number), 0, &mut events);
        assert_ne!(numbering, Numbering::BeginsAnew);
        assert_eq!(direction.reflector(), kind);
    }
}

#[test]
fn a_number_nobody_sent_is_no_loss() {
    let mut feed = Feed::new(ReflectorMode::Stateful);
    feed.answered(0, answer(0));
    feed.direction.unsent();
    feed.answered(2, answer(1));
    assert_eq!(feed.losses(), Some((0, 0)));
}

#[test]
fn losses_outside_of_the_first_and_last_reply_have_no_direction() {
    let fates = [None, None, Some(0), Some(1), None, None];
    assert_eq!(Feed::all(ReflectorMode::Stateful, &fates).losses(), Some((0, 0)));
}

#[test]
fn probes_swapped_on_the_way_out_are_no_loss() {
    let fates = [Some(0), Some(2), Some(1), Some(3)];
    assert_eq!(Feed::all(ReflectorMode::Stateful, &fates).losses(), Some((0, 0)));
    // Even when the first two are swapped.
    let fates = [Some(1), Some(0), Some(2)];
    assert_eq!(Feed::all(ReflectorMode::Stateful, &fates).losses(), Some((0, 0)));
}

#[test]
fn a_swap_that_is_half_counted_is_no_restart() {
    let mut feed = Feed::new(ReflectorMode::Stateful);
    feed.answered(0, answer(0));
    // Probe 2 overtook probe 1 and is in flight still.
    let restarted = feed.direction.answered(&answer(2), 1, &mut feed.events);
    assert_ne!(restarted, Numbering::BeginsAnew);
    feed.answered(2, answer(1));
    assert_eq!((feed.losses(), feed.restarts), (Some((0, 0)), 0));
}

#[test]
fn copies_of_probes_are_taken_out_again() {
    let mut feed = Feed::new(ReflectorMode::Stateful);
    feed.answered(0, answer(0));
    let mut twice = answer(1);
    assert!(twice.add_extra(2) && !twice.add_extra(2) && !twice.add_extra(1));
    feed.answered(1, twice);
    assert_eq!(feed.losses(), Some((0, 0)));
    feed.answered(2, answer(3));
    // The reply to the copy of probe 2 comes last.
    feed.direction.extra(0, 4);
    assert_eq!(feed.losses(), Some((0, 0)));
    feed.direction.lost(3);
    feed.answered(4, answer(5));
    assert_eq!(feed.losses(), Some((1, 0)));
}

#[test]
fn a_restart_closes_the_interval_and_keeps_its_losses() {
    let mut feed = Feed::all(ReflectorMode::Stateful, &[Some(0), None, Some(1), None]);
    let again = |number| Answer { incarnation: 1, ..answer(number) };
    feed.answered(4, again(0));
    feed.direction.lost(5);
    feed.answered(6, again(2));
    assert_eq!(feed.losses(), Some((1, 1)));
    assert_eq!(feed.restarts, 0);
}

#[test]
fn a_straggler_from_before_a_restart_changes_nothing() {
    let mut feed = Feed::new(ReflectorMode::Stateful);
    feed.answered(0, Answer { incarnation: 1, ..answer(0) });
    feed.answered(1, answer(40));
    feed.answered(2, Answer { incarnation: 1, ..answer(1) });
    assert_eq!(feed.losses(), Some((0, 0)));
}

#[test]
fn a_count_that_outruns_the_probes_is_shared_or_new() {
    let mut feed = Feed::all(ReflectorMode::Stateful, &[Some(0), Some(1), None, Some(2)]);
    feed.answered(4, answer(9));
    assert_eq!(feed.restarts, 1);
    feed.answered(5, answer(10));
    assert_eq!((feed.losses(), feed.restarts), (Some((1, 0)), 1));
}

#[test]
fn two_replies_with_one_number_cannot_be_of_one_count() {
    let mut feed = Feed::all(ReflectorMode::Stateful, &[Some(0), Some(1)]);
    feed.answered(2, answer(1));
    assert_eq!(feed.restarts, 1);
}

#[test]
fn a_count_goes_on_across_its_wrap() {
    let mut feed = Feed::new(ReflectorMode::Stateful);
    feed.answered(0, answer(u32::MAX - 1));
    feed.answered(1, answer(u32::MAX));
    feed.direction.lost(2);
    feed.answered(3, answer(1));
    feed.direction.lost(4);
    feed.answered(5, answer(2));
    assert_eq!((feed.losses(), feed.restarts), (Some((1, 1)), 0));
}
