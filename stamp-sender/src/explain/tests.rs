mod answers;
mod headers;
mod lag;
mod looped;
mod traffic;

use super::*;
use crate::output::record::{
    Authentication, Character, ClockFindingRecord, FindingRecord, HopRangeRecord, ReflectorMode,
    Severity, State, TroubleKind, TroubleRecord, examples,
};

fn kinds(session: &SessionRecord) -> Vec<&'static str> {
    explain(session).iter().map(Finding::kind).collect()
}

fn find(session: &SessionRecord, kind: &str) -> FindingRecord {
    explain(session)
        .iter()
        .find(|finding| finding.kind() == kind)
        .unwrap_or_else(|| panic!("no {kind} in {:?}", kinds(session)))
        .record()
}

fn icmp(what: &str, offender: &str, count: u64) -> TroubleRecord {
    TroubleRecord {
        kind: TroubleKind::Icmp,
        what: what.to_owned(),
        offender: Some(offender.to_owned()),
        count,
        first_sequence: Some(0),
        mtu_octets: None,
        largest_payload_octets: None,
    }
}

fn suspicious(suspicion: ClockFindingRecord) -> SessionRecord {
    let mut session = examples::good();
    session.packets.lost.round_trip = 0;
    session.clock.suspicions = vec![suspicion];
    session
}

#[test]
fn a_good_run_raises_no_finding_but_where_its_losses_were() {
    assert_eq!(kinds(&examples::good()), ["loss_both_ways"]);
}

#[test]
fn silence_names_the_causes_in_order() {
    let session = examples::silent();
    let findings = explain(&session);
    assert_eq!(findings[0].severity(), Severity::Error);
    assert!(findings[0].text().contains("None of 600 probes to 192.0.2.11:862 was answered"));
    let causes: Vec<_> = findings[1..].iter().map(Finding::text).collect();
    let words =
        ["1. A firewall", "2. Nothing listens", "3. The far end demands auth", "4. ", "5. "];
    assert_eq!(causes.len(), words.len());
    for (cause, word) in causes.iter().zip(words) {
        assert!(cause.starts_with(word), "{cause}");
    }
    assert!(findings[1].remedy().contains("udp dport 862 accept"));
    assert_eq!(findings[4].remedy(), "there: [[allow]] prefix = \"192.0.2.1\"");
}

#[test]
fn silence_towards_a_port_of_another_service_suspects_the_loop_rules() {
    for (port, suspected) in [(1_023, true), (7, true), (862, false), (1_024, false)] {
        let mut session = examples::silent();
        session.path.source_port = port;
        let findings = explain(&session);
        let last = findings.last().expect("causes").text();
        assert_eq!(
            last.starts_with(&format!("6. The far end takes probes from port {port} ")),
            suspected
        );
    }
}

#[test]
fn a_probe_that_does_not_come_back_has_causes_of_its_own() {
    for (mode, first) in [
        ("loopback", "1. A node on the way does not know its segment"),
        ("enhanced-loopback", "1. The far node does not know the label or SID"),
    ] {
        let mut session = examples::silent();
        session.mode = mode.to_owned();
        session.reflector.mode = ReflectorMode::Absent;
        let findings = explain(&session);
        let causes: Vec<_> = findings[1..].iter().map(Finding::text).collect();
        assert!(causes[0].starts_with(first), "{causes:?}");
        let last = causes.last().expect("causes");
        assert!(last.starts_with(&format!("{}. This host drops", causes.len())), "{last}");
    }
}

#[test]
fn silence_of_an_authenticated_session_suspects_the_key() {
    let mut session = examples::silent();
    session.config.authentication = Authentication::Authenticated;
    let cause = &explain(&session)[3];
    assert!(cause.text().contains("does not know the key"), "{}", cause.text());
}

#[test]
fn before_the_first_timeout_nothing_is_blamed() {
    let mut session = examples::silent();
    session.packets.lost.round_trip = 0;
    assert_eq!(kinds(&session), ["too_early"]);
}

#[test]
fn an_icmp_error_replaces_the_guesses() {
    let mut session = examples::silent();
    session.troubles = vec![icmp("port_unreachable", "192.0.2.11", 600)];
    assert_eq!(kinds(&session), ["icmp"]);
    let finding = find(&session, "icmp");
    assert_eq!(finding.severity, Severity::Error);
    assert_eq!(
        finding.text,
        "600 ICMP errors from 192.0.2.11: nothing listens on UDP port 862 there."
    );
    assert_eq!(finding.remedy, "there: stamp-reflector --listen :862; here: -p PORT");
}

#[test]
fn every_icmp_error_has_words_and_a_remedy() {
    for what in [
        "network_unreachable",
        "host_unreachable",
        "protocol_unreachable",
        "port_unreachable",
        "administratively_prohibited",
        "time_exceeded",
        "parameter_problem",
    ] {
        let mut session = examples::silent();
        session.troubles = vec![icmp(what, "198.51.100.1", 1)];
        let finding = find(&session, "icmp");
        assert!(finding.text.starts_with("1 ICMP error from 198.51.100.1: "), "{}", finding.text);
        assert!(!finding.text.contains("it says"), "{what}: {}", finding.text);
        assert!(!finding.remedy.is_empty(), "{what}");
    }
}

#[test]
fn the_route_that_is_missing_is_that_to_a_segment() {
    let mut session = examples::silent();
    session.troubles = vec![icmp("network_unreachable", "2001:db8::11", 9)];
    session.packets.unsent_by_reason.insert("no_route".to_owned(), 1);
    session.path.segments = vec!["fc00:bb:11:1::".to_owned()];
    session.path.return_segments = vec!["fc00:bb:99::".to_owned()];
    session.path.encapsulation = "V4".to_owned();
    let router = find(&session, "icmp");
    assert!(router.text.contains("the next of fc00:bb:11:1::, fc00:bb:99::, 1"), "{router:?}");
    assert_eq!(find(&session, "unsent").remedy, "ip route get fc00:bb:11:1::");
    // A label is looked up in no routing table.
    session.path.encapsulation = "M5".to_owned();
    let router = find(&session, "icmp");
    assert!(router.remedy.ends_with(&format!("ip route get {}", session.address)), "{router:?}");
}

#[test]
fn icmp_errors_beside_replies_are_a_warning() {
    let mut session = examples::good();
    session.troubles = vec![icmp("time_exceeded", "198.51.100.1", 3)];
    assert_eq!(find(&session, "icmp").severity, Severity::Warning);
}

#[test]
fn replies_that_cannot_be_verified_say_so() {
    let mut session = examples::silent();
    session.config.authentication = Authentication::Authenticated;
    session.packets.rejected = 600;
    session.packets.rejected_by_reason.insert("authentication".to_owned(), 600);
    assert_eq!(kinds(&session), ["rejected"]);
    let finding = find(&session, "rejected");
    assert!(finding.text.starts_with("600 datagrams came with an HMAC"), "{}", finding.text);
    assert!(finding.remedy.contains("key files of both ends"));
}

#[test]
fn every_reason_to_reject_has_words_and_a_remedy() {
    use stamp_session::sender::RejectReason;
    use stamp_session::statistics::Reason;
    for reason in RejectReason::ALL {
        let mut session = examples::silent();
        session.packets.rejected_by_reason.insert(reason.label().to_owned(), 1);
        let finding = find(&session, "rejected");
        let known = !finding.text.contains("were refused") || reason.label() == "unsent";
        assert!(known, "{}: {}", reason.label(), finding.text);
        assert!(!finding.remedy.is_empty(), "{}", reason.label());
    }
}

#[test]
fn every_reason_not_to_send_has_words_and_a_remedy() {
    use stamp_session::sender::UnsentReason;
    use stamp_session::statistics::Reason;
    for reason in UnsentReason::ALL {
        let mut session = examples::silent();
        session.packets.sent = 0;
        session.packets.lost.round_trip = 0;
        session.packets.unsent_by_reason.insert(reason.label().to_owned(), 5);
        let findings = explain(&session);
        assert_eq!(findings.len(), 1, "{}", reason.label());
        assert_eq!(findings[0].severity(), Severity::Error, "{}", reason.label());
        assert!(!findings[0].remedy().is_empty(), "{}", reason.label());
    }
    let mut session = examples::good();
    session.packets.unsent_by_reason.insert("no_route".to_owned(), 1);
    let finding = find(&session, "unsent");
    assert_eq!(finding.text, "1 probe never left, no loss of the path: there is no route.");
    assert_eq!(finding.remedy, "ip route get 192.0.2.11");
}

#[test]
fn what_our_own_stack_says_of_its_neighbour_is_said_once() {
    let mut session = examples::silent();
    session.packets.sent = 0;
    session.packets.unsent_by_reason.insert("no_neighbour".to_owned(), 9);
    session.troubles = vec![icmp("host_unreachable", "192.0.2.1", 9)];
    assert_eq!(kinds(&session), ["unsent"]);
}

#[test]
fn a_probe_too_big_names_the_mtu_the_router_and_the_size_that_fits() {
    let mut session = examples::silent();
    session.config.payload_octets = 1_472;
    session.packets.sent = 0;
    session.packets.unsent_by_reason.insert("too_big".to_owned(), 3);
    let mut wide = icmp("packet_too_big", "198.51.100.1", 1);
    wide.mtu_octets = Some(1_492);
    wide.largest_payload_octets = Some(1_464);
    let mut tight = icmp("packet_too_big", "198.51.100.7", 2);
    tight.mtu_octets = Some(1_400);
    tight.largest_payload_octets = Some(1_372);
    session.troubles = vec![wide, tight];
    assert_eq!(kinds(&session), ["too_big"]);
    let finding = find(&session, "too_big");
    assert_eq!(
        finding.text,
        "A payload of 1472 octets does not fit, says the router 198.51.100.7 (MTU 1400)."
    );
    assert_eq!(finding.remedy, "-s 1372 is the largest that fits");
}

#[test]
fn drops_of_our_own_host_are_told_apart_from_loss() {
    let mut session = examples::good();
    session.packets.lost.local = 2;
    assert_eq!(kinds(&session), ["local_drop"]);
    assert!(find(&session, "local_drop").remedy.contains("net.core.rmem_max"));
}

#[test]
fn losses_one_way_say_which() {
    let mut session = examples::good();
    session.packets.lost.round_trip = 12;
    session.packets.lost.forward = Some(12);
    session.packets.lost.backward = Some(0);
    let finding = find(&session, "loss_one_way");
    assert_eq!(finding.text, "All 12 lost probes were lost on the way there (forward).");
    assert_eq!(finding.remedy, "mtr --udp -P 862 192.0.2.11");
    session.packets.lost.forward = Some(1);
    session.packets.lost.backward = Some(11);
    let finding = find(&session, "loss_one_way");
    assert_eq!(finding.text, "11 of 12 lost probes were lost on the way back (backward).");
    assert_eq!(finding.remedy, "there: mtr --udp 192.0.2.1");
}

#[test]
fn a_stateless_reflector_cannot_say_where() {
    let mut session = examples::good();
    session.reflector.mode = ReflectorMode::Stateless;
    session.packets.lost.forward = None;
    session.packets.lost.backward = None;
    assert_eq!(
        find(&session, "loss_direction_unknown").remedy,
        "there: stamp-reflector --stateful"
    );
}

#[test]
fn bursts_are_told_with_their_length() {
    let mut session = examples::good();
    session.config.interval_ns = 10_000_000;
    session.packets.lost.round_trip = 300;
    session.packets.lost.longest_run = 120;
    session.loss.bursts = 3;
    session.loss.character = Some(Character::Bursty);
    let finding = find(&session, "loss_bursts");
    assert!(
        finding.text.starts_with(
            "Losses come in bursts (3 bursts); the longest took 1.20s (120 probes): a link"
        ),
        "{}",
        finding.text
    );
}

#[test]
fn even_losses_are_told_with_their_share() {
    let mut session = examples::good();
    session.loss.character = Some(Character::Even);
    session.loss.ratio.round_trip = Some(0.025);
    assert!(find(&session, "loss_even").text.contains("one by one (2.5%)"));
}

#[test]
fn a_flat_received_rate_is_called_a_policer_with_its_rate() {
    let mut session = examples::good();
    session.config.interval_ns = 100_000;
    session.loss.character = Some(Character::Even);
    session.loss.policed = true;
    session.loss.plateau_per_second = Some(998);
    let finding = find(&session, "policed");
    assert!(
        finding.text.starts_with("About 998 probes/s get through of 10000/s sent"),
        "{}",
        finding.text
    );
    assert!(finding.remedy.starts_with("stay below it: -i 1."), "{}", finding.remedy);
    assert!(!kinds(&session).contains(&"loss_even"));
    session.loss.policed = false;
    session.loss.plateau_per_second = Some(2_080);
    assert!(find(&session, "policed").remedy.contains("a stamp-reflector allows 2000/s"));
}

#[test]
fn late_replies_ask_for_a_longer_timeout() {
    let mut session = examples::good();
    session.packets.late = 1;
    assert_eq!(find(&session, "late").text, "1 reply came after 3s: their probes count as lost.");
}

#[test]
fn a_session_that_is_down_says_so() {
    let mut session = examples::good();
    session.state = State::Down;
    assert_eq!(find(&session, "down").severity, Severity::Error);
}

#[test]
fn a_negative_delay_estimates_the_offset() {
    let mut session =
        suspicious(ClockFindingRecord::NegativeForward { count: 598, lowest_ns: -4_900_000 });
    session.delay_ns.forward.p50 = Some(-4_880_000);
    session.delay_ns.backward.p50 = Some(5_120_000);
    let finding = find(&session, "negative_delay");
    assert_eq!(
        finding.text,
        "598 values of forward delay below zero (lowest -4.90ms): impossible, a clock is wrong. \
         Forward and backward still add up to the round trip, which is right. If both ways take equally long, the far clock is 5.00ms behind."
    );
    session.clock.suspicions =
        vec![ClockFindingRecord::NegativeBackward { count: 1, lowest_ns: -1 }];
    assert!(find(&session, "negative_delay").text.starts_with("1 value of backward delay"));
}

#[test]
fn an_offset_of_37_seconds_is_tai_and_nothing_else() {
    let mut session = suspicious(ClockFindingRecord::TaiOffset {
        offset_ns: 37_000_000_000,
        formats_differ: true,
    });
    session
        .clock
        .suspicions
        .insert(0, ClockFindingRecord::NegativeBackward { count: 598, lowest_ns: -36_999_000_000 });
    assert_eq!(kinds(&session), ["tai_offset"]);
    let finding = find(&session, "tai_offset");
    assert!(finding.text.contains("37.0s") && finding.text.contains("TAI against UTC"));
    assert!(finding.remedy.contains("--ptp-utc-offset 37"));
}

#[test]
fn a_far_clock_that_jumped_is_told_by_what_it_looks_like() {
    let session = suspicious(ClockFindingRecord::FarStep { count: 2, last_ns: -500_000_000 });
    let text = find(&session, "clock_step").text;
    assert!(
        text.contains("opposite directions") && text.contains("twice, last by -500ms"),
        "{text}"
    );
    let session = suspicious(ClockFindingRecord::NearStep { count: 1, last_ns: 500_000_000 });
    let text = find(&session, "clock_step").text;
    assert!(text.starts_with("This host's clock jumped once, last by +500ms"), "{text}");
}

#[test]
fn stamps_apart_and_mixed_formats_are_told() {
    let session = suspicious(ClockFindingRecord::StampsApart { count: 4 });
    assert!(find(&session, "stamps_apart").text.contains("4 probes"));
    let session = suspicious(ClockFindingRecord::MixedFormats);
    assert_eq!(find(&session, "mixed_formats").severity, Severity::Note);
}

#[test]
fn clocks_that_nobody_disciplines_are_named() {
    let mut session = examples::good();
    session.clock.synchronized = false;
    assert!(find(&session, "unsynchronized").text.starts_with("This host's clock is not"));
    session.clock.far.synchronized = Some(false);
    assert!(find(&session, "unsynchronized").text.starts_with("Neither clock is"));
    session.clock.synchronized = true;
    assert!(find(&session, "unsynchronized").text.starts_with("The far clock is not"));
}

#[test]
fn a_far_end_of_another_kind_is_named() {
    let mut session = examples::good();
    session.reflector.zero_ssid = true;
    session.reflector.restarts = 1;
    session.tlvs.last = "unsupported".to_owned();
    assert!(find(&session, "zero_ssid").text.contains("RFC 8762 only"));
    assert!(find(&session, "restart").text.contains("began again once"));
    assert_eq!(find(&session, "tlvs").text, "The far end knows no TLVs.");
}

#[test]
fn what_the_way_did_to_packets_is_told() {
    let mut session = examples::good();
    session.path.dscp = 46;
    session.path.reply_dscp = Some(0);
    session.path.remarked = 598;
    session.path.congestion_experienced = 2;
    session.path.forward_hops = Some(HopRangeRecord { min: 3, max: 5, last: 5 });
    assert!(find(&session, "remarked").text.ends_with("46 became 0."));
    assert!(find(&session, "congestion").text.starts_with("2 replies met congestion"));
    assert!(find(&session, "path_changed").text.contains("3 to 5 hops on the way there"));
}

#[test]
fn what_the_reflector_did_not_do_is_told_with_what_was_wanted() {
    let mut session = examples::good();
    session.tlvs.last = "unrecognized".to_owned();
    session.requests.destination_node = Some("192.0.2.11".to_owned());
    session.requests.return_path = Some("16004,16001".to_owned());
    session.requests.wrong_reflector = 1;
    session.requests.return_path_not_honoured = 7;
    let kinds = kinds(&session);
    assert!(!kinds.contains(&"tlvs"), "{kinds:?}");
    let wrong = find(&session, "wrong_reflector");
    assert!(wrong.text.starts_with("1 reply did not come from 192.0.2.11"), "{}", wrong.text);
    let refused = find(&session, "return_path_not_honoured");
    let told = "7 replies did not take the way asked for (16004,16001)";
    assert!(refused.text.starts_with(told), "{}", refused.text);
    assert!(refused.remedy.contains("--return-path PREFIX"), "{}", refused.remedy);
}

#[test]
fn silence_that_was_asked_for_is_no_riddle() {
    let mut session = examples::silent();
    session.packets.lost.round_trip = 0;
    session.requests.return_path = Some("none".to_owned());
    assert_eq!(kinds(&session), ["no_reply_asked"]);
    let finding = find(&session, "no_reply_asked");
    assert_eq!(finding.severity, Severity::Note);
    assert!(finding.remedy.contains("--one-way-export"), "{}", finding.remedy);
}
