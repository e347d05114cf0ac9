//! Several replies to each probe (RFC 10052).

use serde_json::Value;
use stamp_tests::netns::{self, Families, Program, Trial, Wired, trials};
use stamp_tests::wire::{Record, Way};

use super::{answered, measure, reflector, session};

pub(super) fn trials() -> Vec<Trial> {
    trials![each_probe_gets_the_replies_it_wants, a_stranger_gets_one_reply]
}

/// Measures with so many probes that want three replies each.
fn asked(net: &Wired, address: &str, count: u64) -> Value {
    let count = count.to_string();
    let flags = ["-c", &count, "-i", "20ms", "--ask-packets", "3,200,2ms", "--json"];
    session(&measure(&net.near, address, &flags))
}

/// Waits until all replies to a session have crossed the wire, the last of the last probe as well: so many.
#[track_caller]
fn cross(net: &Wired, session: &Value, reflector: &Program, replies: u64) {
    let is_of_it = |it: &Record| session["path"]["source_port"] == it.destination.port();
    let crossed = || net.wire.records(Way::Backward).iter().filter(|it| is_of_it(it)).count();
    reflector.wait_until(&format!("{replies} replies"), || crossed() as u64 == replies);
}

fn each_probe_gets_the_replies_it_wants() {
    let net = netns::wired(Families::Both);
    let reflector = reflector(&net.far, &["--stateful", "--packet-control", "3,200,200000"]);
    for address in [net.far.ipv4().to_string(), net.far.ipv6().to_string()] {
        // The series, and what is never refused.
        for slots in [10, 1, 1, 1] {
            let session = asked(&net, &address, slots);
            let (packets, probes) = (&session["answers"]["packets"], &session["packets"]);
            let count = |key: &str| packets[key].as_u64().expect("a count");
            let (told, refused) = (count("told"), count("refused"));
            // Where a busy machine lets probes come together, the second is refused: a source has one burst at a time.
            let all = answered(&session, slots);
            assert_eq!(told + refused, all, "{session}");
            assert!(told > 0 && (slots > 1 || refused == 0), "{session}");
            assert_eq!(packets["expected"], 3 * told, "{session}");
            cross(&net, &session, &reflector, 3 * told + refused);
            // The last of the last probe may still have been on its way.
            assert!((3 * told - 2..=3 * told).contains(&count("received")), "{session}");
            assert_eq!(probes["lost"]["backward"], 0, "each reply has its number");
        }
    }
}

fn a_stranger_gets_one_reply() {
    let net = netns::wired(Families::V4);
    let reflector = reflector(&net.far, &[]);
    let session = asked(&net, &net.far.ipv4().to_string(), 10);
    let (packets, all) = (&session["answers"]["packets"], answered(&session, 10));
    assert_eq!((&packets["told"], &packets["received"]), (&0.into(), &0.into()), "{session}");
    assert_eq!(packets["refused"], all, "{session}");
    cross(&net, &session, &reflector, all);
}
