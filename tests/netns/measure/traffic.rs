//! Loss of real traffic, told by the counters of both ends (RFC 8972 §4.5).

use std::net::SocketAddr;

use serde_json::Value;
use stamp_tests::netns::{self, Families, Signal, Trial, Wired, trials};
use stamp_tests::wire::{Datagram, Effect, Way, Which};

use super::{answered, measure, reflector, sender, session};

/// Port of the traffic.
const TRAFFIC: u16 = 9_000;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        the_loss_of_real_traffic_is_told_by_direction,
        counters_of_a_command_are_told,
        counters_are_told_by_a_reflector_that_has_some_alone,
    ]
}

/// Between two probes.
const INTERVAL_NS: i64 = 20_000_000;

/// Measures while `work` is done: from behind the first replies until ten more have come after it.
fn measured_around(net: &Wired, flags: &[&str], work: impl FnOnce()) -> Value {
    let target = net.far.ipv4().to_string();
    let replies = |more: u64| {
        let before = net.wire.counts(Way::Backward).delivered;
        net.wire.wait_for(Way::Backward, |counts| counts.delivered >= before + more);
    };
    let interval = format!("{INTERVAL_NS}ns");
    let flags = [&["-c", "0", "-i", &interval, "--json"], flags].concat();
    let program = net.near.spawn(&mut sender(&target, &flags));
    replies(5);
    work();
    replies(10);
    program.signal(Signal::SIGINT);
    session(&program.wait())
}

fn the_loss_of_real_traffic_is_told_by_direction() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &["--direct-measurement", "eth0"]);
    let [near, far] =
        [&net.near, &net.far].map(|host| SocketAddr::new(host.ipv4().into(), TRAFFIC));
    let third = |datagram: &Datagram<'_>| {
        datagram.destination.port() == TRAFFIC && datagram.payload[0].is_multiple_of(3)
    };
    for (way, key) in [(Way::Forward, "forward"), (Way::Backward, "backward")] {
        net.wire.impair(way, Which::only(third), Effect::Drop);
        let ends = [net.near.udp_socket(near), net.far.udp_socket(far)];
        let before = net.wire.counts(way).seen;
        let session = measured_around(&net, &["--ask-direct", "eth0"], || {
            for round in 1..=6 {
                for number in 0..100 {
                    let sent = match way {
                        Way::Forward => ends[0].send_to(&[number + round], far),
                        Way::Backward => ends[1].send_to(&[number + round], near),
                    };
                    sent.expect("traffic leaves");
                }
                // No burst is larger than what the wire can hold.
                net.wire.wait_for(way, |counts| counts.seen >= before + u64::from(round) * 100);
            }
        });
        net.wire.clear(way);
        let traffic = &session["answers"]["direct_measurement"];
        assert!(traffic["told"].as_u64() >= Some(10), "{traffic}");
        assert_eq!(
            (&traffic["refused"], &traffic["restarts"]),
            (&0.into(), &0.into()),
            "{traffic}"
        );
        // Traffic moves on while a probe is under way: what each end counted is apart by as much as
        // probes were sent meanwhile, and one at either end of the measurement.
        let longest = |what: &str| session["delay_ns"][what]["max"].as_i64().expect("a delay");
        let apart = 2 + (longest("round_trip") + longest("residence")) / INTERVAL_NS;
        for other in ["forward", "backward"] {
            let count = |name: &str| traffic[other][name].as_i64().expect("a count");
            let (lost, sent) = (count("lost"), count("sent"));
            assert_eq!(lost, sent - count("received"), "{traffic}");
            let expected = if other == key { 200 } else { 0 };
            assert!((lost - expected).abs() <= apart, "{other}, {apart} apart: {traffic}");
            assert!(other != key || sent >= 600, "{other}: {traffic}");
        }
        let findings = session["findings"].as_array().expect("findings");
        let told = findings.iter().filter(|finding| finding["kind"] == "traffic_lost");
        let told: Vec<_> = told.filter_map(|finding| finding["text"].as_str()).collect();
        assert!(told.len() == 1 && told[0].contains(&format!("({key})")), "{told:?}");
    }
}

fn counters_of_a_command_are_told() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &["--direct-measurement", "cmd:echo 50 90"]);
    // A machine that is busy for longer than a number of probes takes would leave one reply, which is none
    // to compare with: replies are counted instead.
    let session = measured_around(&net, &["--ask-direct", "cmd:echo 100 60"], || ());
    let traffic = &session["answers"]["direct_measurement"];
    let all = &session["packets"]["received"];
    assert_eq!((&traffic["told"], &traffic["uncounted"]), (all, &0.into()), "{traffic}");
    for way in ["forward", "backward"] {
        assert_eq!(traffic[way]["sent"], 0, "it does not move: {traffic}");
        assert_eq!(traffic[way]["lost"], 0, "{traffic}");
    }
    let silent = ["-c", "1", "--ask-direct", "cmd:echo none"];
    let refused = measure(&net.near, &net.far.ipv4().to_string(), &silent);
    assert!(refused.stderr.contains("prints no line of two numbers"), "{refused}");
}

fn counters_are_told_by_a_reflector_that_has_some_alone() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &[]);
    let target = net.far.ipv4().to_string();
    let flags = ["-c", "3", "-i", "5ms", "--ask-direct", "eth0", "--json"];
    let session = session(&measure(&net.near, &target, &flags));
    let traffic = &session["answers"]["direct_measurement"];
    let all = answered(&session, 3).into();
    assert_eq!((&traffic["told"], &traffic["refused"]), (&0.into(), &all), "{session}");
    assert!(traffic["forward"].is_null() && traffic["backward"].is_null(), "{session}");
    let missing = measure(&net.near, &target, &["-c", "1", "--ask-direct", "eth9"]);
    missing.assert_code(3);
    assert!(missing.stderr.contains("eth9"), "{missing}");
}
