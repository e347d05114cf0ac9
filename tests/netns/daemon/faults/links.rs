//! Links of this host that take nothing, too little, or too few, and addresses that are gone from them.

use std::process::Command;

use stamp_tests::netns::{self, Families, Finished, Host, Need, Trial, trials};

use super::forms::{Form, Stage};
use super::{PORT, SETTLED, assert_no_counter_went_back, goes_on, goes_on_for, lost, patient, sum};
use crate::daemon::{Daemon, all_is_back, of_type, reflector, states};
use crate::http::{scrape, value, wait_for};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_session_whose_address_has_gone_is_opened_anew,
        an_interface_that_goes_down_loses_nothing_over_ipv4,
        an_interface_that_goes_down_loses_nothing_over_ipv6: [Need::IPV6],
        an_interface_that_goes_down_loses_nothing_over_segments: [Need::IPV6],
        an_interface_that_goes_down_loses_nothing_in_loopback: [Need::IPV6],
        an_interface_that_goes_down_loses_nothing_in_enhanced_loopback: [Need::IPV6],
        an_interface_that_goes_down_loses_nothing_one_way,
        a_link_that_takes_less_has_probes_that_are_too_big_over_ipv4,
        a_link_that_takes_less_has_probes_that_are_too_big_over_ipv6: [Need::IPV6],
        a_link_that_takes_less_has_probes_that_are_too_big_over_segments: [Need::IPV6],
        a_link_that_takes_less_has_probes_that_are_too_big_in_loopback: [Need::IPV6],
        a_link_that_takes_less_has_probes_that_are_too_big_in_enhanced_loopback: [Need::IPV6],
        a_link_that_takes_less_has_probes_that_are_too_big_one_way,
        a_full_queue_of_this_host_loses_nothing_over_ipv4: [QUEUE],
        a_full_queue_of_this_host_loses_nothing_over_ipv6: [QUEUE, Need::IPV6],
        a_full_queue_of_this_host_loses_nothing_over_segments: [QUEUE, Need::IPV6],
        a_full_queue_of_this_host_loses_nothing_in_loopback: [QUEUE, Need::IPV6],
        a_full_queue_of_this_host_loses_nothing_in_enhanced_loopback: [QUEUE, Need::IPV6],
        a_full_queue_of_this_host_loses_nothing_one_way: [QUEUE],
    ]
}

/// A queue that takes less than it is given.
const QUEUE: Need = Need {
    name: "a kernel with sch_tbf, and `tc`",
    allow: "sudo modprobe sch_tbf",
    met: || {
        let host = Host::new("probe", Families::V4);
        queue(&host, "add", "lo", SHORT).code == Some(0)
    },
    beyond_namespaces: false,
};

/// Some sixty probes a second, of which hardly one waits.
const SHORT: &str = "tbf rate 40kbit burst 1600 limit 200";
/// As many as there are.
const WIDE: &str = "tbf rate 1gbit burst 100000 limit 100000";

fn queue(host: &Host, action: &str, interface: &str, what: &str) -> Finished {
    let line = format!("tc qdisc {action} dev {interface} root {what}");
    let mut shell = Command::new("sh");
    host.spawn(shell.args(["-c", &line])).wait()
}

fn a_session_whose_address_has_gone_is_opened_anew() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let daemon = Daemon::start(&net.near, &net.far, &patient());
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    daemon.told("metrics are told over HTTP");
    let before = goes_on(&net.near);
    // What comes to an address that has gone is lost, and rightly.
    daemon.held(|| {
        all_is_back(&net);
        net.near.remove_address("eth0", &format!("{}/24", net.near.ipv4()));
    });
    let waits = "msg=\"session goes on as it was: it cannot be opened anew; tried again later\"";
    for session in ["a", "b"] {
        daemon.told(&format!("session={session} what=source_gone"));
        daemon.told(&format!("{waits} session={session} "));
    }
    let between = scrape((&net.near, PORT));
    assert_no_counter_went_back(&before, &between);
    net.near.add_address("eth0", "192.0.2.77/24");
    for session in ["a", "b"] {
        daemon.told_times(&format!("msg=\"session is up\" session={session}"), 2);
    }
    let after = goes_on_for(&net.near, SETTLED);
    assert_no_counter_went_back(&between, &after);
    assert_eq!(lost(&after), 0.0, "{after}");
    for session in ["a", "b"] {
        let unsent = |text: &str| {
            let labels = format!("session=\"{session}\",reason=\"source_gone\"");
            value(text, &format!("stamp_session_packets_unsent_total{{{labels}}}"))
        };
        assert_eq!(unsent(&before), Some(0.0), "{before}");
        assert!(unsent(&after) > Some(0.0), "{after}");
    }
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        assert_eq!(states(&events, session), [("init", "up"); 2], "nothing was lost on the path");
    }
    for kind in ["loss", "loss_direction", "reflector_restart", "dropped"] {
        assert_eq!(of_type(&events, kind).count(), 0, "{kind} was told: {events:?}");
    }
    // Nobody vouches for the far clock: that is known with the first reply.
    assert!(of_type(&events, "clock").all(|event| event["reason"] == "far_clock"), "{events:?}");
}

fn an_interface_that_goes_down_loses_nothing_over_ipv4() {
    an_interface_that_goes_down_loses_nothing_on_the_path(Form::Ipv4);
}

fn an_interface_that_goes_down_loses_nothing_over_ipv6() {
    an_interface_that_goes_down_loses_nothing_on_the_path(Form::Ipv6);
}

fn an_interface_that_goes_down_loses_nothing_over_segments() {
    an_interface_that_goes_down_loses_nothing_on_the_path(Form::Segments);
}

fn an_interface_that_goes_down_loses_nothing_in_loopback() {
    an_interface_that_goes_down_loses_nothing_on_the_path(Form::Loopback);
}

fn an_interface_that_goes_down_loses_nothing_in_enhanced_loopback() {
    an_interface_that_goes_down_loses_nothing_on_the_path(Form::EnhancedLoopback);
}

fn an_interface_that_goes_down_loses_nothing_one_way() {
    an_interface_that_goes_down_loses_nothing_on_the_path(Form::OneWay);
}

fn an_interface_that_goes_down_loses_nothing_on_the_path(form: Form) {
    let stage = Stage::new(form);
    let daemon = stage.up();
    let before = stage.goes_on();
    daemon.held(|| {
        stage.all_is_back();
        stage.near.set_down("eth0");
    });
    let everything = |text: &str| sum(text, "stamp_session_packets_unsent_total", "session=");
    let was = everything(&before);
    while everything(&scrape(stage.web())) <= was + 40.0 {
        assert!(daemon.program.is_running());
    }
    // Neighbours are looked for anew, and asked again after a second only: as long as a reply is awaited.
    daemon.held(|| {
        stage.set_up();
        stage.all_is_back();
    });
    let after = stage.settles();
    assert_no_counter_went_back(&before, &after);
    assert_eq!(lost(&after), 0.0, "{after}");
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        let down = states(&events, session).iter().any(|(_, to)| *to == "down");
        assert!(!down, "what was not sent is no loss: {events:?}");
    }
}

fn a_link_that_takes_less_has_probes_that_are_too_big_over_ipv4() {
    a_link_that_takes_less_has_probes_that_are_too_big(Form::Ipv4);
}

fn a_link_that_takes_less_has_probes_that_are_too_big_over_ipv6() {
    a_link_that_takes_less_has_probes_that_are_too_big(Form::Ipv6);
}

fn a_link_that_takes_less_has_probes_that_are_too_big_over_segments() {
    a_link_that_takes_less_has_probes_that_are_too_big(Form::Segments);
}

fn a_link_that_takes_less_has_probes_that_are_too_big_in_loopback() {
    a_link_that_takes_less_has_probes_that_are_too_big(Form::Loopback);
}

fn a_link_that_takes_less_has_probes_that_are_too_big_in_enhanced_loopback() {
    a_link_that_takes_less_has_probes_that_are_too_big(Form::EnhancedLoopback);
}

fn a_link_that_takes_less_has_probes_that_are_too_big_one_way() {
    a_link_that_takes_less_has_probes_that_are_too_big(Form::OneWay);
}

fn a_link_that_takes_less_has_probes_that_are_too_big(form: Form) {
    let stage = Stage::new(form);
    // Headers of segments fit beside that into what a link usually takes.
    let text = stage.text().replacen("dscp = \"EF\"", "size = 1350", 1);
    let daemon = stage.up_with(&text);
    let before = stage.goes_on();
    daemon.held(|| {
        stage.all_is_back();
        // The least that a link of IPv6 may have.
        stage.near.set_mtu("eth0", 1_280);
    });
    let too_big = "stamp_session_packets_unsent_total{session=\"b\",reason=\"too_big\"}";
    let between = wait_for(stage.web(), too_big, |unsent| unsent > 20.0);
    assert_no_counter_went_back(&before, &between);
    assert_eq!(value(&between, &too_big.replace("\"b\"", "\"a\"")), Some(0.0), "{between}");
    stage.near.set_mtu("eth0", 1_500);
    let after = stage.settles();
    assert_no_counter_went_back(&between, &after);
    assert_eq!(lost(&after), 0.0, "{after}");
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "a"), [("init", "up")]);
    assert!(states(&events, "b").iter().all(|(_, to)| *to == "up"), "{events:?}");
}

fn a_full_queue_of_this_host_loses_nothing_over_ipv4() {
    a_full_queue_of_this_host_loses_nothing_on_the_path(Form::Ipv4);
}

fn a_full_queue_of_this_host_loses_nothing_over_ipv6() {
    a_full_queue_of_this_host_loses_nothing_on_the_path(Form::Ipv6);
}

fn a_full_queue_of_this_host_loses_nothing_over_segments() {
    a_full_queue_of_this_host_loses_nothing_on_the_path(Form::Segments);
}

fn a_full_queue_of_this_host_loses_nothing_in_loopback() {
    a_full_queue_of_this_host_loses_nothing_on_the_path(Form::Loopback);
}

fn a_full_queue_of_this_host_loses_nothing_in_enhanced_loopback() {
    a_full_queue_of_this_host_loses_nothing_on_the_path(Form::EnhancedLoopback);
}

fn a_full_queue_of_this_host_loses_nothing_one_way() {
    a_full_queue_of_this_host_loses_nothing_on_the_path(Form::OneWay);
}

fn a_full_queue_of_this_host_loses_nothing_on_the_path(form: Form) {
    let stage = Stage::new(form);
    // Before there are probes: what is sent while a queue takes the place of another is dropped without a word.
    queue(&stage.near, "add", "eth0", WIDE).assert_code(0);
    let daemon = stage.up();
    let before = stage.goes_on();
    queue(&stage.near, "change", "eth0", SHORT).assert_code(0);
    let of = |session: &str| {
        let labels = format!("session=\"{session}\",reason=\"no_buffer\"");
        format!("stamp_session_packets_unsent_total{{{labels}}}")
    };
    wait_for(stage.web(), &of("a"), |unsent| unsent > 40.0);
    let between = wait_for(stage.web(), &of("b"), |unsent| unsent > 40.0);
    assert_no_counter_went_back(&before, &between);
    // What waits there is let go: it was sent.
    queue(&stage.near, "change", "eth0", WIDE).assert_code(0);
    let after = stage.settles();
    assert_no_counter_went_back(&between, &after);
    assert_eq!(lost(&after), 0.0, "{after}");
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        assert_eq!(states(&events, session), [("init", "up")], "nothing was down");
    }
}
