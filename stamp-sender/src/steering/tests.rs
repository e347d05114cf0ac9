use std::net::SocketAddr;

use clap::Parser;
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::AuthenticationMode::{self, Authenticated, Unauthenticated};
use stamp_session::sender::Requests;

use super::*;
use crate::command_line::CommandLine;

fn flags(line: &str) -> SteeringFlags {
    let words = ["stamp-sender", "r1"].into_iter().chain(line.split_whitespace());
    let measure = CommandLine::try_parse_from(words).unwrap().measure;
    crate::names::resolved(&measure).unwrap().steering
}

fn plan(line: &str) -> Plan {
    plan_of(line, Unauthenticated)
}

fn plan_of(line: &str, authentication: AuthenticationMode) -> Plan {
    Plan::new(&flags(line), authentication).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refused(line: &str) -> String {
    Plan::new(&flags(line), Unauthenticated).expect_err(line).to_string()
}

fn ends(source: &str, destination: &str) -> Endpoints {
    let at = |text: &str| text.parse::<SocketAddr>().unwrap();
    Endpoints {
        source: at(source),
        destination: at(destination),
        traffic_class: (Dscp::DEFAULT, Ecn::NotEct),
        hop_limit: HopLimit::MAX,
    }
}

const SIDS: &str = "fc00:bb:1:1::,fc00:bb:2:1::";

#[test]
fn each_wish_has_its_encapsulation() {
    for (line, id, frames) in [
        ("", "plain", false),
        ("--segments 16005,16011", "M1", true),
        ("--mode one-way --segments 16005", "M1", true),
        ("--segments 16005 --destination-node-address=192.0.2.11", "M2", true),
        ("--segments 16005 --return-segments 16004,16001", "M3", true),
        ("--return-segments 16004,16001", "plain", false),
        ("--mode loopback --segments 16005,16011", "M4", true),
        ("--mode loopback --segments 16005,16011 --return-segments 16004,16001", "M5", true),
        ("--mode loopback --segments 16005 --return-binding-sid 17005", "M8", true),
        ("--mode enhanced-loopback --segments 16005 --return-binding-sid 17005", "M8", true),
        ("--segments 16005 --return-binding-sid 17005", "M3", true),
        ("--mode enhanced-loopback --segments 16005,16011", "M6", true),
        ("--mode enhanced-loopback --segments 16005 --return-segments 16001", "M7", true),
        (&format!("--segments {SIDS}"), "V2", false),
        (&format!("--segments {SIDS} --srv6 encap"), "V1", true),
        (&format!("--mode loopback --segments {SIDS}"), "V4", false),
        (&format!("--mode loopback --segments {SIDS} --srv6 reduced"), "V3", true),
        (&format!("--mode loopback --segments {SIDS} --return-segments fc00:bb:3::"), "V4", false),
        (
            &format!("--mode loopback --segments {SIDS} --return-binding-sid fc00:bb:2:b6::"),
            "V8",
            false,
        ),
        (&format!("--mode enhanced-loopback --segments {SIDS}"), "V6", false),
        (&format!("--mode enhanced-loopback --segments {SIDS} --srv6 encap"), "V5", true),
        ("--segments fcbb:bb00:5::,fcbb:bb00:b:: --srv6 usid", "V7", false),
        ("--mode loopback --segments fcbb:bb00:5:: --srv6 usid", "V7", true),
    ] {
        let plan = plan(line);
        assert_eq!((plan.info.encapsulation, plan.needs_frames()), (id, frames), "{line}");
    }
}

#[test]
fn a_stack_asks_for_the_timestamp_between_there_and_back() {
    let stack = |line: &str, authentication| match plan_of(line, authentication).way {
        Way::Mpls(stack) => {
            stack.entries().iter().map(|entry| entry.label.value()).collect::<Vec<_>>()
        }
        way => panic!("{way:?}"),
    };
    let line = "--mode enhanced-loopback --segments 16005,16011 --return-segments 16004,16001";
    assert_eq!(stack(line, Unauthenticated), [16005, 16011, 15, 240, 16004, 16001]);
    assert_eq!(stack(line, Authenticated), [16005, 16011, 15, 241, 16004, 16001]);
    let own = "--mode enhanced-loopback --segments 16005 --timestamp-label 15001,offset=24";
    assert_eq!(stack(own, Unauthenticated), [16005, 15001]);
    let plan = plan(own);
    assert_eq!(plan.place.unwrap().offset, 24);
    assert_eq!(plan.info.segments, ["16005", "15001"]);
}

#[test]
fn the_sid_that_stamps_is_the_last_of_the_way_there() {
    let line = format!(
        "--mode enhanced-loopback --segments {SIDS} --end-tsf fc00:bb:2:f:: \
         --return-segments fc00:bb:3:1::"
    );
    let plan = plan(&line);
    assert_eq!(plan.info.segments, ["fc00:bb:1:1::", "fc00:bb:2:f::"]);
    let own: SocketAddr = "[2001:db8::1]:5000".parse().unwrap();
    let sids: Vec<String> =
        plan.socket_segments(own).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(sids, ["fc00:bb:1:1::", "fc00:bb:2:f::", "fc00:bb:3:1::"]);
}

#[test]
fn what_contradicts_itself_is_refused_by_its_flag() {
    for (line, words) in [
        ("--mode loopback", "--mode: nothing brings a probe back"),
        ("--mode loopback --segments 16005 --return-path same-link", "--return-path: a reflector"),
        (
            "--mode loopback --segments 16005 --destination-node-address",
            "--destination-node-address: a reflector",
        ),
        ("--return-path none", "--return-path: without replies one way alone is measured"),
        ("--mode loopback --segments 16005 --return-segments fc00::1", "another data plane"),
        ("--segments 16005 --srv6 host", "--srv6: for SIDs"),
        ("--mode loopback --segments 16005 --timestamp-label 15001", "--timestamp-label: asks"),
        ("--mode loopback --segments fc00::1 --end-tsf fc00::2", "--end-tsf: asks"),
        ("--mode enhanced-loopback --segments 16005 --end-tsf fc00::2", "--end-tsf: asks"),
        ("--segments fc00::1 --srv6 usid", "is not in the block fcbb:bb00::/32"),
    ] {
        let refused = refused(line);
        assert!(refused.contains(words), "{line}: {refused}");
    }
}

#[test]
fn more_than_may_be_imposed_is_refused_and_never_cut() {
    let ends = ends("192.0.2.1:5000", "192.0.2.9:862");
    assert!(plan("--segments 16001,16002 --msd 2").compose(&ends).is_ok());
    let deep = plan("--segments 16001,16002,16003 --msd 2").compose(&ends).unwrap_err();
    assert!(deep.to_string().starts_with("--segments: "), "{deep}");
    let ends = self::ends("[2001:db8::1]:5000", "[2001:db8::9]:862");
    assert!(plan(&format!("--segments {SIDS} --msd 2")).compose(&ends).is_err(), "and HOST");
}

#[test]
fn a_looped_list_ends_at_this_host() {
    let plan = plan(&format!("--mode loopback --segments {SIDS}"));
    let template = plan.compose(&ends("[2001:db8::1]:5000", "[2001:db8::1]:6000")).unwrap();
    assert_eq!(template.overhead(), 8 + 3 * 16);
    assert_eq!(
        template.addresses().destination(),
        "2001:db8::1".parse::<std::net::IpAddr>().unwrap()
    );
}

#[test]
fn a_packet_is_laid_open_layer_by_layer() {
    let line = "--mode enhanced-loopback --segments 16005,16011 --return-segments 16004,16001";
    let plan = plan(line);
    let template = plan.compose(&ends("192.0.2.1:5000", "192.0.2.1:6000")).unwrap();
    let names = [("16011".to_owned(), "ams".to_owned()), ("16001".to_owned(), "here".to_owned())];
    let text = show(&plan, &names, &template, &[0; 44]).unwrap();
    for words in [
        "enhanced-loopback M7: 96 octets, 24 of them for steering",
        "     0  MPLS    16005, TC 0, TTL 255  (segment)\n     4  MPLS    16011, TC 0, TTL 255  (segment)  ams\n",
        "    12  MPLS    240, TC 0, TTL 255  (extended label: writes T2)",
        "    20  MPLS    16001, TC 0, TTL 255, bottom  (segment)  here\n",
        "    24  IPv4    192.0.2.1 > 192.0.2.1, TTL 255, DSCP CS0, DF\n",
        "    44  UDP     5000 > 6000, length 52, checksum 0x",
        "    52  STAMP   probe, 44 octets",
        "  behind 15 240        16004 16001",
        "  behind 16001         none: routed by its IP header",
    ] {
        assert!(text.contains(words), "{words:?} in\n{text}");
    }
    let plan = self::plan(&format!("--mode loopback --segments {SIDS}"));
    let template = plan.compose(&ends("[2001:db8::1]:5000", "[2001:db8::1]:6000")).unwrap();
    let text = show(&plan, &[], &template, &[0; 44]).unwrap();
    for words in ["SRH     segments left 2, last entry 2", "  segments left 0      2001:db8::1"] {
        assert!(text.contains(words), "{words:?} in\n{text}");
    }
}

#[test]
fn a_host_that_is_named_twice_has_two_names_and_one_target() {
    let measure = |line: &str| {
        let words = ["stamp-sender"].into_iter().chain(line.split_whitespace());
        crate::setup::sessions(&CommandLine::try_parse_from(words).unwrap().measure).unwrap().infos
    };
    let told: Vec<_> = measure("127.0.0.1 127.0.0.1 --entropy-sweep 2")
        .into_iter()
        .map(|info| (info.name, info.target_text))
        .collect();
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["127.0.0.1 #1", "127.0.0.1 #2", "127.0.0.1 #1#2", "127.0.0.1 #2#2"]);
    assert!(told.iter().all(|(_, target)| target == "127.0.0.1"), "as typed: {told:?}");
    let names: Vec<_> = measure("127.0.0.1 127.0.0.1").into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["127.0.0.1", "127.0.0.1#2"]);
}

#[test]
fn plain_probes_pass_the_same_segments_but_for_what_asks() {
    let labels = |plan: &Plan| match &plan.way {
        Way::Mpls(stack) => {
            stack.entries().iter().map(|entry| entry.label.value()).collect::<Vec<_>>()
        }
        way => panic!("{way:?}"),
    };
    let enhanced = "--mode enhanced-loopback --tsf-fallback";
    for (line, id, stack) in [
        ("--segments 16005,16011", "M4", &[16_005, 16_011][..]),
        ("--segments 16005 --return-segments 16001", "M5", &[16_005, 16_001]),
        ("--segments 16005 --return-binding-sid 17005", "M8", &[16_005, 17_005]),
        ("--segments 16005 --timestamp-label 15001,offset=24", "M4", &[16_005]),
    ] {
        let plan = plan(&format!("{enhanced} {line}"));
        assert_eq!(plan.info.fallback, Some(id), "{line}");
        let plain = plan.plain.unwrap();
        assert_eq!((labels(&plain), plain.place), (stack.to_vec(), None), "{line}");
    }
    let tsf = "--end-tsf fc00:bb:2:f::";
    for (form, id, ids) in [("host", "V6", "V4"), ("encap", "V5", "V3"), ("reduced", "V5", "V3")] {
        let plan = plan(&format!("{enhanced} --segments {SIDS} {tsf} --srv6 {form}"));
        let told = (plan.info.encapsulation, plan.info.fallback);
        assert_eq!(told, (id, Some(ids)));
        let last = |plan: &Plan| match &plan.way {
            Way::Host(path, _) | Way::Tunnel(path, _) => path.ultimate().to_string(),
            way => panic!("{way:?}"),
        };
        assert_eq!(last(&plan), "fc00:bb:2:f::");
        assert_eq!(last(&plan.plain.unwrap()), "fc00:bb:2:1::");
    }
}

#[test]
fn a_sweep_of_plain_probes_keeps_the_bits_of_its_session() {
    let line = "--mode enhanced-loopback --tsf-fallback --entropy-sweep 2 --segments 16011";
    let branches = branched(line);
    let Way::Mpls(stack) = &branches[1].plan.plain.as_ref().unwrap().way else { panic!("labels") };
    let labels: Vec<u32> = stack.entries().iter().map(|it| it.label.value()).collect();
    assert_eq!(labels, [16_011, 7, 0xf_0001]);
}

#[test]
fn what_cannot_go_over_to_plain_probes_is_refused() {
    let sids = format!("--mode enhanced-loopback --tsf-fallback --segments {SIDS}");
    for (line, words) in [
        ("--tsf-fallback --mode loopback --segments 16005", "--tsf-fallback: of --mode enhanced"),
        (sids.as_str(), "name that one by --end-tsf"),
    ] {
        assert!(refused(line).contains(words), "{}", refused(line));
    }
}

fn branched(line: &str) -> Vec<Branch> {
    branches_to(line, "192.0.2.2")
}

fn branches_to(line: &str, host: &str) -> Vec<Branch> {
    branches(&flags(line), Unauthenticated, &[host.to_owned()])
        .unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn a_list_is_looped_to_the_end_of_each_prefix() {
    let branches = branched("--mode loopback --per-segment --segments 16011,16002,16013");
    let suffixes: Vec<&str> = branches.iter().map(|branch| branch.suffix.as_str()).collect();
    assert_eq!(suffixes, [" to 16011", " to 16002", " to 16013"]);
    let lists: Vec<usize> = branches.iter().map(|it| it.plan.info.segments.len()).collect();
    assert_eq!(lists, [1, 2, 3]);
    let refused = super::branches(&flags("--per-segment --segments 16011"), Unauthenticated, &[]);
    assert!(refused.unwrap_err().to_string().starts_with("--per-segment: loops"));
}

#[test]
fn a_sweep_varies_what_the_encapsulation_has() {
    let labels: Vec<u32> = branched("--entropy-sweep 3 --segments 16011,16002")
        .into_iter()
        .map(|branch| match branch.plan.way {
            Way::Mpls(stack) => {
                let labels: Vec<u32> = stack.entries().iter().map(|it| it.label.value()).collect();
                assert_eq!(labels[..3], [16_011, 16_002, 7]);
                labels[3]
            }
            way => panic!("{way:?}"),
        })
        .collect();
    assert_eq!(labels, [0xf_0000, 0xf_0001, 0xf_0002]);
    let line = format!("--entropy-sweep 4 --srv6 encap --segments {SIDS}");
    let mut flows: Vec<u32> =
        branched(&line).iter().map(|branch| branch.plan.flow_label.value()).collect();
    flows.sort_unstable();
    flows.dedup();
    assert!(flows.len() == 4 && flows.iter().all(|flow| (1..1 << 20).contains(flow)), "{flows:?}");
    for line in ["--entropy-sweep 2".to_owned(), format!("--entropy-sweep 2 --segments {SIDS}")] {
        let branches = branched(&line);
        assert_eq!(branches[1].plan.info.entropy.as_deref(), Some("source port"));
        assert_eq!(branches[1].suffix, " #2");
    }
}

#[test]
fn a_sweep_towards_an_address_of_127_8_varies_that() {
    let host: SocketAddr = "127.0.0.254:862".parse().unwrap();
    let branches = branches_to("--entropy-sweep 3 --segments 16011,16002", "127.0.0.254:862");
    let ends: Vec<String> =
        branches.iter().map(|branch| branch.plan.end(host).to_string()).collect();
    assert_eq!(ends, ["127.0.0.254:862", "127.0.0.255:862", "127.0.1.0:862"]);
    assert_eq!(branches[2].plan.info.entropy.as_deref(), Some("address of 127/8 +2"));
    for branch in &branches {
        let Way::Mpls(stack) = &branch.plan.way else { panic!("{:?}", branch.plan.way) };
        assert_eq!(stack.entries().len(), 2, "no entropy label beside it");
    }
    let elsewhere = branches_to("--entropy-sweep 2 --segments 16011", "127.example");
    assert_eq!(elsewhere[1].plan.end(host), host, "a name is no address");
}

#[test]
fn an_entropy_label_stays_out_of_what_asks_for_the_timestamp() {
    let line =
        "--mode enhanced-loopback --entropy-sweep 2 --segments 16011 --return-segments 16001";
    let Way::Mpls(stack) = &branched(line)[0].plan.way else { panic!("labels") };
    let labels: Vec<u32> = stack.entries().iter().map(|it| it.label.value()).collect();
    assert_eq!(labels, [16_011, 7, 0xf_0000, 15, 240, 16_001]);
}

fn asked(line: &str, host: &str) -> Result<Requests, String> {
    let flags = flags(line);
    let plan = Plan::new(&flags, Unauthenticated).map_err(|error| error.to_string())?;
    plan.requests(&flags, host.parse().unwrap()).map_err(|error| error.to_string())
}

#[test]
fn a_way_back_is_asked_for_as_it_was_written() {
    for way in ["same-link", "192.0.2.77", "16004,16001"] {
        let requests = asked(&format!("--return-path {way}"), "192.0.2.9:862").unwrap();
        assert_eq!(requests.return_path.as_ref().map(request_words).as_deref(), Some(way));
    }
    for (line, host) in [
        ("--return-segments 16004,16001", "192.0.2.9:862"),
        ("--return-segments fc00:bb:1:1::", "[2001:db8::9]:862"),
        ("--return-path fc00:bb:1:1::,fc00:bb:2:1::", "[2001:db8::9]:862"),
    ] {
        let list = line.split_once(' ').unwrap().1;
        let requests = asked(line, host).unwrap();
        assert_eq!(requests.return_path.as_ref().map(request_words).as_deref(), Some(list));
    }
    let none = asked("--mode one-way --return-path none", "192.0.2.9:862").unwrap();
    assert!(none.wants_no_reply());
    assert_eq!(asked("", "127.0.0.1:862"), Ok(Requests::default()));
}

#[test]
fn the_node_that_is_to_answer_is_named_where_its_address_is_everyones() {
    let host = "127.0.0.5:862";
    let refused = asked("--segments 16005", host).unwrap_err();
    assert!(refused.starts_with("--destination-node-address: HOST is"), "{refused}");
    let named = asked("--segments 16005 --destination-node-address=192.0.2.11", host).unwrap();
    assert_eq!(named.destination_node, "192.0.2.11".parse().ok());
    let host = asked("--destination-node-address", "192.0.2.9:862").unwrap();
    assert_eq!(host.destination_node, "192.0.2.9".parse().ok());
    for (line, flag) in [
        ("--destination-node-address=2001:db8::9", "--destination-node-address: of another"),
        ("--return-path 2001:db8::9", "--return-path: of another family"),
        ("--return-segments fc00:bb:1:1::", "--return-path: SIDs lead to IPv6"),
    ] {
        let refused = asked(line, "192.0.2.9:862").unwrap_err();
        assert!(refused.starts_with(flag), "{refused}");
    }
}
