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

/// Four probes that ask, and what came of them.
#[track_caller]
fn asked(net: &Net, flags: &str) -> Value {
    session(&net.send(&format!("{flags} -p {OPEN} -c 4 -i 5ms --ask-headers --json")))
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
    assert_eq!((&headers["told"], &headers["refused"]), (&json!(4), &json!(0)), "{over}");
    assert_eq!(headers["source"], over["path"]["source"], "{over}");
    assert_eq!(headers["destination"], "2001:db8::2", "{over}");
    assert_eq!(headers["hop_limit"], 254, "{over}");
    let header = &headers["routing_header"];
    assert_eq!((&header["told"], &header["refused"]), (&json!(4), &json!(0)), "{over}");
    assert_eq!((&header["segments_left"], &header["as_sent"]), (&json!(0), &json!(true)), "{over}");
    let list = json!(["fc00:bb:11:1::", "2001:db8::2"]);
    assert_eq!(header["segments"], list, "{over}");
    assert_eq!(over["answers"]["class_of_service"]["arrived_dscp"], 34, "{over}");

    let plain = asked(&net, &format!("192.0.2.2 {types}"));
    let headers = &plain["answers"]["headers"];
    assert_eq!((&headers["told"], &headers["hop_limit"]), (&json!(4), &json!(254)), "{plain}");
    assert_eq!(headers["source"], plain["path"]["source"], "{plain}");
    assert!(headers["routing_header"].is_null(), "{plain}");

    // Types of which the other end knows nothing.
    let apart = asked(&net, "2001:db8::2");
    assert_eq!(apart["answers"]["headers"]["refused"], 4, "{apart}");
}

fn what_is_around_a_probe_is_off_before_it_is_seen() {
    let net = Net::up();
    let _reflector = net.reflector(OPEN, &["--reflect-headers"]);
    let tunnel = "2001:db8::2 --segments fc00:bb:11:1::,fcbb:bb00:2:d6:: --srv6 encap";
    let tunnel = asked(&net, tunnel);
    let headers = &tunnel["answers"]["headers"];
    assert_eq!((&headers["told"], &headers["destination"]), (&json!(4), &json!("2001:db8::2")));
    assert!(headers["routing_header"].is_null(), "{tunnel}");
    assert!(!kinds(&tunnel).contains(&"segments_not_seen"), "{tunnel}");
}

fn a_stranger_is_shown_no_header() {
    let net = Net::up();
    let _reflector = net.reflector(OPEN, &[]);
    let silent = asked(&net, "2001:db8::2 --segments fc00:bb:11:1::");
    let headers = &silent["answers"]["headers"];
    assert_eq!((&headers["told"], &headers["refused"]), (&json!(0), &json!(4)), "{silent}");
    assert!(headers["hop_limit"].is_null(), "{silent}");
    assert!(kinds(&silent).contains(&"not_told"), "{silent}");
    assert_eq!(silent["packets"]["received"], 4, "{silent}");
}
