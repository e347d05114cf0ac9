//! The headers of a probe as its reflector saw them (draft-ietf-ippm-stamp-ext-hdr), over SIDs of this
//! kernel.

use serde_json::{Value, json};
use stamp_tests::netns::{Need, Trial, trials};

use super::network::{Net, OPEN};
use crate::measure::session;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        the_far_end_shows_the_routing_header_it_saw: [Need::IPV6],
        what_is_around_a_probe_is_off_before_it_is_seen: [Need::IPV6],
        a_stranger_is_shown_no_header: [Need::IPV6],
    ]
}

/// Four slots for probes that ask, of which a busy machine may miss some, and what came of them.
#[track_caller]
fn asked(net: &Net, flags: &str) -> Value {
    let session =
        session(&net.send(&format!("{flags} -p {OPEN} -c 4 -i 20ms --ask-headers --json")));
    assert!(session["packets"]["sent"].as_u64() > Some(0), "{session}");
    session
}

/// Every probe was answered, and all of them this way.
#[track_caller]
fn assert_all(session: &Value, answer: &Value, outcome: &str) {
    for one in ["told", "refused"] {
        let expected = if one == outcome { &session["packets"]["sent"] } else { &json!(0) };
        assert_eq!(&answer[one], expected, "{one}: {session}");
    }
}

fn kinds(session: &Value) -> Vec<&str> {
    let findings = session["findings"].as_array().expect("findings");
    findings.iter().filter_map(|finding| finding["kind"].as_str()).collect()
}

fn the_far_end_shows_the_routing_header_it_saw() {
    let net = Net::up();
    let types = "--header-types 240,251";
    let _reflector = net.reflector(OPEN, &["--reflect-headers", "--header-types", "240,251"]);
    let over = "2001:db8::2 --dscp AF41 --segments fc00:bb:11:1::";
    let over = asked(&net, &format!("{over} {types}"));
    let headers = &over["answers"]["headers"];
    assert_all(&over, headers, "told");
    assert_eq!(headers["source"], over["path"]["source"], "{over}");
    assert_eq!(headers["destination"], "2001:db8::2", "{over}");
    assert_eq!(headers["hop_limit"], 254, "{over}");
    let header = &headers["routing_header"];
    assert_all(&over, header, "told");
    assert_eq!((&header["segments_left"], &header["as_sent"]), (&json!(0), &json!(true)), "{over}");
    let list = json!(["fc00:bb:11:1::", "2001:db8::2"]);
    assert_eq!(header["segments"], list, "{over}");
    assert_eq!(over["answers"]["class_of_service"]["arrived_dscp"], 34, "{over}");

    let plain = asked(&net, &format!("192.0.2.2 {types}"));
    let headers = &plain["answers"]["headers"];
    assert_all(&plain, headers, "told");
    assert_eq!(headers["hop_limit"], 254, "{plain}");
    assert_eq!(headers["source"], plain["path"]["source"], "{plain}");
    assert!(headers["routing_header"].is_null(), "{plain}");

    // Types of which the other end knows nothing.
    let apart = asked(&net, "2001:db8::2");
    assert_all(&apart, &apart["answers"]["headers"], "refused");
}

fn what_is_around_a_probe_is_off_before_it_is_seen() {
    let net = Net::up();
    let _reflector = net.reflector(OPEN, &["--reflect-headers"]);
    let tunnel = "2001:db8::2 --segments fc00:bb:11:1::,fcbb:bb00:2:d6:: --srv6 encap";
    let tunnel = asked(&net, tunnel);
    let headers = &tunnel["answers"]["headers"];
    assert_all(&tunnel, headers, "told");
    assert_eq!(headers["destination"], "2001:db8::2", "{tunnel}");
    assert!(headers["routing_header"].is_null(), "{tunnel}");
    assert!(!kinds(&tunnel).contains(&"segments_not_seen"), "{tunnel}");
}

fn a_stranger_is_shown_no_header() {
    let net = Net::up();
    let _reflector = net.reflector(OPEN, &[]);
    let silent = asked(&net, "2001:db8::2 --segments fc00:bb:11:1::");
    let headers = &silent["answers"]["headers"];
    assert_all(&silent, headers, "refused");
    assert!(headers["hop_limit"].is_null(), "{silent}");
    assert!(kinds(&silent).contains(&"not_told"), "{silent}");
    assert_eq!(silent["packets"]["received"], silent["packets"]["sent"], "{silent}");
}
