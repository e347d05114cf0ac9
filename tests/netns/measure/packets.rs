//! Several replies to each probe (RFC 10052).

use serde_json::Value;
use stamp_tests::netns::{self, Families, Trial, trials};

use super::{measure, reflector, session};

pub(super) fn trials() -> Vec<Trial> {
    trials![each_probe_gets_the_replies_it_wants, a_stranger_gets_one_reply]
}

const FLAGS: [&str; 7] = ["-c", "10", "-i", "20ms", "--ask-packets", "3,200,2ms", "--json"];

fn each_probe_gets_the_replies_it_wants() {
    let net = netns::wired(Families::Both);
    let _reflector = reflector(&net.far, &["--stateful", "--packet-control", "3,200,200000"]);
    for address in [net.far.ipv4().to_string(), net.far.ipv6().to_string()] {
        let session = session(&measure(&net.near, &address, &FLAGS));
        let (packets, probes) = (&session["answers"]["packets"], &session["packets"]);
        let count = |key: &str| packets[key].as_u64().expect("a count");
        let (told, received) = (count("told"), count("received"));
        // Where a busy machine lets probes come together, the second is refused: a source has one burst at a time.
        assert_eq!(Some(told + count("refused")), probes["received"].as_u64(), "{session}");
        assert!(told > 0, "{session}");
        // The last of the last probe may still be on its way.
        assert_eq!(packets["expected"], 3 * told, "{session}");
        assert!(received + 2 >= 3 * told, "{session}");
        assert_eq!((&probes["duplicate"], &probes["lost"]["round_trip"]), (&0.into(), &0.into()));
        assert_eq!(probes["lost"]["backward"], Value::from(0), "each reply has its number");
    }
}

fn a_stranger_gets_one_reply() {
    let net = netns::wired(Families::V4);
    let _reflector = reflector(&net.far, &[]);
    let target = net.far.ipv4().to_string();
    let session = session(&measure(&net.near, &target, &FLAGS));
    let packets = &session["answers"]["packets"];
    assert_eq!((&packets["told"], &packets["received"]), (&0.into(), &0.into()), "{session}");
    assert_eq!(packets["refused"], session["packets"]["received"], "{session}");
    assert_eq!(session["packets"]["duplicate"], 0, "{session}");
}
