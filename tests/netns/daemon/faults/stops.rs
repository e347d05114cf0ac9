//! Programs that are stopped and go on, as on a host that is frozen.

use stamp_tests::netns::{Need, Signal, Trial, trials};

use super::forms::{Form, Stage};
use super::{assert_no_counter_went_back, lost, sum, unsent};
use crate::daemon::{of_type, states};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_daemon_over_ipv4_that_was_stopped_has_missed_slots_and_no_loss,
        a_daemon_over_ipv6_that_was_stopped_has_missed_slots_and_no_loss: [Need::IPV6],
        a_daemon_over_segments_that_was_stopped_has_missed_slots_and_no_loss: [Need::IPV6],
        a_daemon_in_loopback_that_was_stopped_has_missed_slots_and_no_loss: [Need::IPV6],
        a_daemon_in_enhanced_loopback_that_was_stopped_has_missed_slots_and_no_loss: [Need::IPV6],
        a_daemon_one_way_that_was_stopped_has_missed_slots_and_no_loss,
        a_reflector_over_ipv4_that_was_stopped_is_down_and_comes_back,
        a_reflector_over_ipv6_that_was_stopped_is_down_and_comes_back: [Need::IPV6],
        a_reflector_over_segments_that_was_stopped_is_down_and_comes_back: [Need::IPV6],
        a_node_that_stamps_and_was_stopped_is_down_and_comes_back: [Need::IPV6],
    ]
}

fn a_daemon_over_ipv4_that_was_stopped_has_missed_slots_and_no_loss() {
    a_daemon_that_was_stopped_has_missed_slots_and_no_loss(Form::Ipv4);
}

fn a_daemon_over_ipv6_that_was_stopped_has_missed_slots_and_no_loss() {
    a_daemon_that_was_stopped_has_missed_slots_and_no_loss(Form::Ipv6);
}

fn a_daemon_over_segments_that_was_stopped_has_missed_slots_and_no_loss() {
    a_daemon_that_was_stopped_has_missed_slots_and_no_loss(Form::Segments);
}

fn a_daemon_in_loopback_that_was_stopped_has_missed_slots_and_no_loss() {
    a_daemon_that_was_stopped_has_missed_slots_and_no_loss(Form::Loopback);
}

fn a_daemon_in_enhanced_loopback_that_was_stopped_has_missed_slots_and_no_loss() {
    a_daemon_that_was_stopped_has_missed_slots_and_no_loss(Form::EnhancedLoopback);
}

fn a_daemon_one_way_that_was_stopped_has_missed_slots_and_no_loss() {
    a_daemon_that_was_stopped_has_missed_slots_and_no_loss(Form::OneWay);
}

fn a_daemon_that_was_stopped_has_missed_slots_and_no_loss(form: Form) {
    let stage = Stage::new(form);
    let daemon = stage.up();
    let before = stage.goes_on();
    daemon.program.signal(Signal::SIGSTOP);
    stage.time_passes();
    daemon.program.signal(Signal::SIGCONT);
    let after = stage.settles();
    assert_no_counter_went_back(&before, &after);
    assert_eq!(lost(&after), 0.0, "{after}");
    let missed = unsent(&after, "missed_slot") - unsent(&before, "missed_slot");
    assert!(missed >= 2.0 * 50.0, "{missed} slots of two sessions: {after}");
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        assert_eq!(states(&events, session), [("init", "up")], "nothing was down");
    }
    assert!(events.iter().all(|event| event["reason"] != "near_step"), "{events:?}");
}

fn a_reflector_over_ipv4_that_was_stopped_is_down_and_comes_back() {
    a_far_end_that_was_stopped_is_down_and_comes_back(Form::Ipv4);
}

fn a_reflector_over_ipv6_that_was_stopped_is_down_and_comes_back() {
    a_far_end_that_was_stopped_is_down_and_comes_back(Form::Ipv6);
}

fn a_reflector_over_segments_that_was_stopped_is_down_and_comes_back() {
    a_far_end_that_was_stopped_is_down_and_comes_back(Form::Segments);
}

fn a_node_that_stamps_and_was_stopped_is_down_and_comes_back() {
    a_far_end_that_was_stopped_is_down_and_comes_back(Form::EnhancedLoopback);
}

fn a_far_end_that_was_stopped_is_down_and_comes_back(form: Form) {
    let stage = Stage::new(form);
    let daemon = stage.up();
    let before = stage.goes_on();
    stage.program().signal(Signal::SIGSTOP);
    daemon.told("level=warn msg=\"session is down\" session=a");
    daemon.told("level=warn msg=\"session is down\" session=b");
    stage.program().signal(Signal::SIGCONT);
    daemon.told("msg=\"session is up\" session=a from=down");
    daemon.told("msg=\"session is up\" session=b from=down");
    let after = stage.goes_on();
    assert_no_counter_went_back(&before, &after);
    // It held the probes: what was sent back came, late, and none of it twice.
    assert!(sum(&after, "stamp_session_packets_late_total", "session=") > 0.0, "{after}");
    assert_eq!(sum(&after, "stamp_session_packets_duplicate_total", "session="), 0.0);
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        let expected = [("init", "up"), ("up", "down"), ("down", "up")];
        assert_eq!(states(&events, session), expected);
    }
    assert_eq!(of_type(&events, "reflector_restart").count(), 0, "its count goes on");
}
