//! Plain loopback while the far node does not stamp, and enhanced loopback once it does.

use serde_json::Value;
use stamp_tests::netns::{self, Need, Program, Signal, Trial, trials};

use super::network::Net;
use crate::measure::session;
use crate::timestamping::Folder;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_node_that_drops_the_label_is_gone_round_until_it_stamps: [Need::IPV6],
        a_node_that_drops_the_sid_is_gone_round_until_it_stamps: [Need::IPV6],
        a_node_that_never_stamps_is_measured_all_the_same: [Need::IPV6],
    ]
}

const LABELS: &str = "192.0.2.2 --mode enhanced-loopback --segments 16011,16002 --via s-a,10.0.1.2";
const SIDS: &str = "2001:db8::2 --mode enhanced-loopback --segments fc00:bb:11:1::,fc00:bb:2:1::";

/// A line of the stream of this type that leads to this mode.
fn goes_over(line: &str, to: &str) -> bool {
    let event: Value = serde_json::from_str(line).expect("JSON");
    event["type"] == "fallback" && event["to"] == to
}

/// r writes timestamps from now on.
fn stamping(net: &Net, folder: &Folder, entry: &str) -> Program {
    let text =
        format!("listen = [\"127.0.0.1:8620\"]\n[[timestamp]]\n{entry}\ninterfaces = [\"a-r\"]\n");
    let file = folder.write("node.toml", &text);
    let program = net.host("r").spawn(netns::binary("stamp-reflector").arg(file));
    program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    program
}

fn is_gone_round(net: &Net, flags: &str, entry: &str, plain: &str) {
    let folder = Folder::new();
    let flags = format!(
        "{flags} --tsf-fallback --clock synchronized,error=1us --far-clock synchronized,error=1us \
         -i 10ms -W 1s --ndjson"
    );
    let program = net.start(&flags);
    let line = program.wait_for_line(|line| goes_over(line, "loopback"));
    let event: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&event["reason"], &event["from"]), (&"lost".into(), &"enhanced-loopback".into()));
    let _node = stamping(net, &folder, entry);
    let line = program.wait_for_line(|line| goes_over(line, "enhanced-loopback"));
    let event: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(event["reason"], "stamped", "{event}");
    let plain_probes = event["value"].as_u64().expect("a count");
    let trial = event["sequences"][0].as_u64().expect("a number");
    program.wait_for_line(|line| {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let later = event["sequence"].as_u64() > Some(trial + 5);
        event["type"] == "sample" && later && event["forward_ns"].is_i64()
    });
    program.signal(Signal::SIGINT);
    let finished = program.wait();
    finished.assert_code(0);
    let last = finished.stdout.lines().last().expect("an end");
    let end: Value = serde_json::from_str(last).expect("JSON");
    let fallback = &end["stamping"]["fallback"];
    assert_eq!((&fallback["active"], &fallback["count"]), (&false.into(), &1.into()), "{fallback}");
    assert_eq!(fallback["encapsulation"], plain, "{fallback}");
    assert!(fallback["plain"].as_u64() >= Some(plain_probes.max(10)), "{fallback}");
    assert!(fallback["trials"].as_u64() > fallback["trials_lost"].as_u64(), "{fallback}");
    let set: std::time::Duration = ["s>a", "a>r"].iter().map(|way| net.set_delay(way)).sum();
    let forward = end["delay_ns"]["forward"]["p50"].as_u64().expect("a delay");
    assert!(u128::from(forward) >= set.as_nanos(), "{forward}");
}

fn a_node_that_drops_the_label_is_gone_round_until_it_stamps() {
    is_gone_round(&Net::up(), LABELS, "extended = 240", "M4");
}

fn a_node_that_drops_the_sid_is_gone_round_until_it_stamps() {
    let flags = format!("{SIDS} --end-tsf fc00:bb:2:f::");
    is_gone_round(&Net::with_end_tsf(), &flags, "sid = \"fc00:bb:2:f::/64\"", "V4");
}

/// The SID that is to ask for a timestamp is an ordinary one.
fn a_node_that_never_stamps_is_measured_all_the_same() {
    let net = Net::up();
    let flags = format!("{SIDS} --end-tsf fc00:bb:2:1:: --tsf-fallback -c 40 -i 20ms");
    let finished = net.send(&format!("{flags} --json"));
    finished.assert_code(0);
    let session = session(&finished);
    let fallback = &session["stamping"]["fallback"];
    assert_eq!((&fallback["active"], &fallback["reason"]), (&true.into(), &"missing".into()));
    assert_eq!(session["packets"]["lost"]["round_trip"], 0, "{finished}");
    assert_eq!(session["delay_ns"]["round_trip"]["count"], session["packets"]["received"]);
    assert_eq!(session["delay_ns"]["forward"]["count"], 0, "no delay is made up");
    let shown = net.send(&flags);
    for words in [
        "the far node does not stamp (3 in a row came back without a timestamp): plain loopback",
        "fallback   far node does not stamp: measured as plain loopback (V4) since",
    ] {
        assert!(shown.stdout.contains(words), "{words}: {shown}");
    }
}
