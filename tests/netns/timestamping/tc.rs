//! The shell that puts a program at the ingress. It takes real root: no user namespace lets one
//! load a program.

use stamp_tests::netns::{self, Family, Need, Signal, Trial, trials};

use super::sids::{self, in_shell};
use super::{Folder, Stage, flow, labelled, network, open_probe};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        the_packet_inside_returns_alone_behind_the_last_segment: [Need::IPV6, Need::BPF],
        segments_that_are_left_lead_back: [Need::IPV6, Need::BPF],
        a_container_is_shifted_once_it_is_stamped: [Need::IPV6, Need::BPF],
        an_authenticated_probe_has_a_sid_of_its_own: [Need::IPV6, Need::BPF],
        a_sid_of_another_interface_leads_nowhere: [Need::IPV6, Need::BPF],
        an_ipv4_packet_inside_returns_too: [Need::IPV6, Need::BPF],
        what_is_no_test_packet_passes_and_what_must_not_pass_is_dropped: [Need::IPV6, Need::BPF],
        a_checksum_that_a_sender_left_to_its_card_is_right_in_the_end: [Need::IPV6, Need::BPF],
        a_rate_limit_holds: [Need::IPV6, Need::BPF],
        what_is_too_big_for_the_next_link_is_dropped: [Need::IPV6, Need::BPF],
        a_sender_measures_both_directions_through_it: [Need::IPV6, Need::BPF],
        the_fastest_shell_that_can_do_it_is_taken: [Need::IPV6, Need::BPF],
        what_it_cannot_do_is_refused_by_name: [Need::IPV6, Need::BPF],
        without_rights_it_names_them: [Need::IPV6, Need::BPF],
        a_reload_keeps_counters_and_changes_shells: [Need::IPV6, Need::BPF],
        nothing_is_left_behind: [Need::IPV6, Need::BPF],
        what_a_killed_one_left_is_cleared_at_the_next_start: [Need::IPV6, Need::BPF],
    ]
}

const IPV6: u16 = 0x86dd;
const MPLS: u16 = 0x8847;

fn the_packet_inside_returns_alone_behind_the_last_segment() {
    in_shell::the_packet_inside_returns_alone_behind_the_last_segment("tc");
}

fn segments_that_are_left_lead_back() {
    in_shell::segments_that_are_left_lead_back("tc");
}

fn a_container_is_shifted_once_it_is_stamped() {
    in_shell::a_container_is_shifted_once_it_is_stamped("tc");
}

fn an_authenticated_probe_has_a_sid_of_its_own() {
    in_shell::an_authenticated_probe_has_a_sid_of_its_own("tc");
}

fn a_sid_of_another_interface_leads_nowhere() {
    in_shell::a_sid_of_another_interface_leads_nowhere("tc");
}

fn an_ipv4_packet_inside_returns_too() {
    in_shell::an_ipv4_packet_inside_returns_too("tc");
}

fn what_is_no_test_packet_passes_and_what_must_not_pass_is_dropped() {
    in_shell::what_is_no_test_packet_passes_and_what_must_not_pass_is_dropped("tc");
}

fn a_checksum_that_a_sender_left_to_its_card_is_right_in_the_end() {
    in_shell::a_checksum_that_a_sender_left_to_its_card_is_right_in_the_end("tc");
}

fn what_is_too_big_for_the_next_link_is_dropped() {
    in_shell::what_is_too_big_for_the_next_link_is_dropped("tc");
}

fn a_rate_limit_holds() {
    in_shell::a_rate_limit_holds("tc");
}

pub(super) const SID: &str = "[[timestamp]]\nsid = \"fc00:bb:2:f::/64\"\ninterfaces = [\"eth0\"]\n";
const EXTENDED: &str = "[[timestamp]]\nextended = 240\ninterfaces = [\"eth0\"]\n";

pub(super) fn file(shell: &str, entries: &str) -> String {
    let listen = "listen = [\"127.0.0.1:8620\"]\nworkers = 1\n";
    format!("{listen}timestamp-shell = \"{shell}\"\n{entries}")
}

fn a_sender_measures_both_directions_through_it() {
    let stage = Stage::new(&file("tc", SID));
    for interface in ["all", "eth0"] {
        stage.net.near.set_sysctl(&format!("net.ipv6.conf.{interface}.seg6_enabled"), "1");
    }
    // The header is the kernel's: what leaves `near` has the sum of its pseudo-header alone.
    let flags = "--mode enhanced-loopback --segments fc00:bb:2:f:: -c 20 -i 2ms --json \
                 --clock synchronized,error=1us --far-clock synchronized,error=1us";
    let mut command = netns::binary("stamp-sender");
    command.arg("2001:db8::fe").args(flags.split_whitespace());
    let finished = stage.net.near.spawn(&mut command).wait();
    let session = &finished.assert_code(0).json()["sessions"][0];
    // A machine that is busy misses slots; whatever left came back with T2.
    let sent = session["packets"]["sent"].as_u64().expect("a count");
    assert!(sent > 0 && session["packets"]["received"] == sent, "{session:#}");
    for direction in ["forward", "backward"] {
        assert_eq!(session["delay_ns"][direction]["count"], sent, "{session:#}");
    }
    let told = stage.stop().stderr;
    assert!(told.contains(&format!("SID fc00:bb:2:f::/64: {sent} with T2, 0 without")), "{told}");
}

fn the_fastest_shell_that_can_do_it_is_taken() {
    let stage = Stage::new(&file("auto", SID));
    assert!(stage.stop().stderr.contains("written by the kernel, at the ingress\" shell=tc"));
    let stage = Stage::new(&file("auto", &format!("{SID}{EXTENDED}")));
    let told = stage.stop().stderr;
    let why = "written by packet sockets: shell tc cannot do it: extended label 240: ";
    assert!(told.contains(why), "{told}");
    let net = network();
    net.router.set_sysctl("net.ipv6.conf.eth0.forwarding", "0");
    let told = Stage::over(net, &file("auto", SID)).stop().stderr;
    assert!(told.contains("(net.ipv6.conf.eth0.forwarding is not 1)"), "{told}");
}

fn what_it_cannot_do_is_refused_by_name() {
    let net = network();
    let folder = Folder::new();
    let refused = |entries: &str| {
        let file = folder.write("node.toml", &file("tc", entries));
        let finished = net.router.spawn(netns::binary("stamp-reflector").arg(file)).wait();
        finished.assert_code(4).stderr.clone()
    };
    assert!(refused(EXTENDED).contains("shell tc cannot do it: extended label 240: "));
    let forward = format!("{SID}[[forward]]\nlabel = 16011\naction = \"pop\"\n");
    assert!(refused(&forward).contains("shell tc cannot do it: [[forward]] for label 16011: "));
    net.router.set_sysctl("net.ipv6.conf.eth0.forwarding", "0");
    let told = refused(SID);
    assert!(told.contains("  sudo sysctl -w net.ipv6.conf.eth0.forwarding=1"), "{told}");
}

fn without_rights_it_names_them() {
    let net = network();
    let folder = Folder::new();
    let file = folder.write("node.toml", &file("tc", SID));
    let mut command = netns::binary("stamp-reflector");
    let finished = net.router.spawn_without_rights(command.arg(file)).wait();
    let told = &finished.assert_code(4).stderr;
    assert!(told.contains("at the ingress (tc) needs CAP_BPF and CAP_NET_ADMIN"), "{told}");
    assert!(told.contains("  sudo setcap cap_bpf,cap_net_admin=+ep /"), "{told}");
    assert!(told.contains("AmbientCapabilities=CAP_BPF CAP_NET_ADMIN"), "{told}");
}

fn a_reload_keeps_counters_and_changes_shells() {
    let mut stage = Stage::new(&file("auto", SID));
    let near = stage.net.near.address(Family::V4);
    let probe = sids::tunnel(&stage, &["fc00:bb:2:f::"], &open_probe());
    stage.round_trip(IPV6, &probe);
    let path = stage._folder.0.join("node.toml");
    // Each file has an entry that the one before has not, by which its taking effect is told.
    let reload = |stage: &Stage, shell: &str, new: &str, entries: &str| {
        std::fs::write(&path, file(shell, entries)).expect("the file can be written");
        stage.program.signal(Signal::SIGHUP);
        stage.program.wait_for_error_line(|line| line.contains(new));
    };
    let other = |sid: &str| format!("[[timestamp]]\nsid = \"{sid}\"\ninterfaces = [\"eth1\"]\n");
    // The program of before gives way to another one, on one interface more.
    let entries = format!("{}{SID}", other("fc00:bb:2:e::/64"));
    reload(&stage, "auto", "for SID fc00:bb:2:e::", &entries);
    stage.round_trip(IPV6, &probe);
    // To packet sockets and back.
    reload(&stage, "auto", "for extended label 240", &format!("{SID}{EXTENDED}"));
    stage.round_trip(IPV6, &probe);
    stage.round_trip(MPLS, &labelled(&[15, 240], &flow(near, near), &open_probe()));
    let entries = format!("{SID}{}", other("fc00:bb:2:a::/64"));
    reload(&stage, "tc", "for SID fc00:bb:2:a::", &entries);
    stage.round_trip(IPV6, &probe);
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
    let told = stage.stop().stderr;
    assert!(told.contains("SID fc00:bb:2:f::/64: 4 with T2, 0 without"), "{told}");
}

/// The kernel answers that nobody is there: neither a program nor a route is.
pub(super) fn assert_gone(stage: &mut Stage, probe: &[u8]) {
    stage.send(IPV6, probe);
    let unreachable = |seen: &super::Seen| {
        !seen.outgoing && seen.ether_type == IPV6 && seen.octets[6] == 58 && seen.octets[40] == 1
    };
    stage.near.wait_for(unreachable);
}

fn nothing_is_left_behind() {
    let mut stage = Stage::new(&file("tc", SID));
    let probe = sids::tunnel(&stage, &["fc00:bb:2:f::"], &open_probe());
    stage.round_trip(IPV6, &probe);
    stage.program.signal(Signal::SIGTERM);
    stage.program.wait().assert_code(0);
    assert_gone(&mut stage, &probe);
}

fn what_a_killed_one_left_is_cleared_at_the_next_start() {
    let mut stage = Stage::new(&file("tc", SID));
    let probe = sids::tunnel(&stage, &["fc00:bb:2:f::"], &open_probe());
    stage.program.signal(Signal::SIGKILL);
    let _killed = stage.program.wait();
    stage.program = stage
        .net
        .router
        .spawn(netns::binary("stamp-reflector").arg(stage._folder.0.join("node.toml")));
    stage.program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    stage.round_trip(IPV6, &probe);
    assert!(stage.unexpected().is_empty(), "stamped once");
    stage.program.signal(Signal::SIGTERM);
    let ended = stage.program.wait();
    assert!(ended.stderr.contains("SID fc00:bb:2:f::/64: 1 with T2"), "{}", ended.stderr);
    assert_gone(&mut stage, &probe);
}
