//! Many sessions over segments: what the kernel shows to every socket of a kind, they have one of together.

use std::fs;
use std::process::Command;

use stamp_tests::netns::{
    self, Families, Host, Need, Program, STAMPING_SID, Signal, Trial, TwoHosts, trials,
};

use crate::daemon::faults::lost;
use crate::folder::Folder;
use crate::http::{scrape, value, wait_for};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        sessions_over_segments_have_what_sees_everything_together: [Need::IPV6],
        a_route_that_was_away_is_taken_again_by_all: [Need::IPV6],
        an_interface_that_was_away_is_used_again: [Need::IPV6],
    ]
}

const WEB: u16 = 9862;
/// More than the kernel tells apart by address and port.
const CROWD: usize = 80;

const HEAD: &str = "\
[defaults]
interval = \"20ms\"
timeout = \"1s\"
window = \"1s\"
mode = \"enhanced-loopback\"
srv6 = \"reduced\"
clock = { synchronized = true, error = \"1us\" }
far-clock = { synchronized = true, error = \"1us\" }
";

fn text(sessions: usize) -> String {
    let session = |nth| format!("[[session]]\nname = \"s{nth:02}\"\ntarget = \"2001:db8::fe\"\n");
    format!(
        "{HEAD}segments = [\"{STAMPING_SID}\"]\n{}",
        (0..sessions).map(session).collect::<String>()
    )
}

/// A sender of so many sessions, with its folder, and the node that they pass.
fn start(net: &TwoHosts, sessions: usize) -> (Program, Folder, Program) {
    let folder = Folder::new();
    let node = netns::stamping_node(&net.near, &net.far, &folder.path("node.toml"));
    let file = folder.write("sender.toml", &text(sessions));
    let sender = net.near.spawn(netns::binary("stamp-sender").arg("run").arg(file));
    sender.wait_for_error_line(|line| line.contains("runs\" file="));
    (sender, folder, node)
}

/// Packet sockets at a host: those that receive, and those that only send.
fn packet_sockets(host: &Host) -> (usize, usize) {
    let table = host.run(|| fs::read_to_string("/proc/thread-self/net/packet"));
    let table = table.expect("the kernel tells");
    let receives = |line: &&str| line.split_whitespace().nth(3) != Some("0000");
    let (receiving, sending): (Vec<_>, Vec<_>) = table.lines().skip(1).partition(receives);
    (receiving.len(), sending.len())
}

/// Raw sockets of IPv6 at a host, and those that are told of changes of neighbours.
fn others(host: &Host) -> (usize, usize) {
    const NEIGHBOURS: u32 = 1 << 2;
    let read = |name| fs::read_to_string(format!("/proc/thread-self/net/{name}"));
    let (raw, netlink) = host.run(|| (read("raw6"), read("netlink")));
    let raw = raw.expect("the kernel tells").lines().skip(1).count();
    let hears = |line: &&str| {
        let groups = line.split_whitespace().nth(3);
        groups
            .and_then(|it| u32::from_str_radix(it, 16).ok())
            .is_some_and(|it| it & NEIGHBOURS != 0)
    };
    (raw, netlink.expect("the kernel tells").lines().skip(1).filter(hears).count())
}

fn received(text: &str, session: usize) -> f64 {
    let series = format!("stamp_session_packets_received_total{{session=\"s{session:02}\"}}");
    value(text, &series).expect("its counter")
}

fn sessions_over_segments_have_what_sees_everything_together() {
    let net = netns::two_hosts(Families::V6);
    let (sender, folder, _node) = start(&net, CROWD);
    let web = (&net.near, WEB);
    for session in 0..CROWD {
        let series = format!("stamp_session_packets_received_total{{session=\"s{session:02}\"}}");
        wait_for(web, &series, |received| received >= 5.0);
    }
    assert_eq!(packet_sockets(&net.near), (1, 1), "one to receive and one to send at eth0");
    assert_eq!(others(&net.near), (1, 1), "errors about tunnels, changes of neighbours");
    let before = scrape(web);
    assert_eq!(lost(&before), 0.0, "{before}");
    // T1 of each is the kernel's.
    let by_kernel = |text: &str, session: usize| {
        let labels =
            format!("{{session=\"s{session:02}\",point=\"probe_sent\",source=\"kernel\"}}");
        value(text, &format!("stamp_session_timestamps_total{labels}"))
    };
    for session in [0, CROWD - 1] {
        assert!(by_kernel(&before, session).is_some_and(|count| count >= 5.0), "{before}");
    }

    // Those that stay have lost nothing by it that others went, and one that comes finds all of it there.
    folder.write("sender.toml", &text(3));
    sender.signal(Signal::SIGHUP);
    sender.wait_for_error_line(|line| line.contains("configuration reloaded"));
    let goes_on = received(&scrape(web), 2) + 20.0;
    wait_for(web, "stamp_session_packets_received_total{session=\"s02\"}", |it| it > goes_on);
    folder.write("sender.toml", &text(4));
    sender.signal(Signal::SIGHUP);
    let added = "stamp_session_packets_received_total{session=\"s03\"}";
    wait_for(web, added, |received| received >= 5.0);
    assert_eq!(packet_sockets(&net.near), (1, 1));
    let after = scrape(web);
    assert_eq!(lost(&after), 0.0, "{after}");
    sender.signal(Signal::SIGTERM);
    sender.wait().assert_code(0);
}

fn both_receive(host: &Host, least: f64) {
    for session in 0..2 {
        let series = format!("stamp_session_packets_received_total{{session=\"s{session:02}\"}}");
        wait_for((host, WEB), &series, |received| received >= least);
    }
}

/// How far both of them have come.
fn come(host: &Host) -> f64 {
    let text = scrape((host, WEB));
    received(&text, 0).max(received(&text, 1))
}

fn ip(host: &Host, line: &str) {
    let mut ip = Command::new("ip");
    host.spawn(ip.args(line.split_whitespace())).wait().assert_code(0);
}

fn a_route_that_was_away_is_taken_again_by_all() {
    let net = netns::two_hosts(Families::V6);
    let (sender, _folder, _node) = start(&net, 2);
    both_receive(&net.near, 5.0);
    ip(&net.near, "-6 route del fc00:bb:2::/48");
    let unsent = "stamp_session_packets_unsent_total{session=\"s01\",reason=\"no_route\"}";
    wait_for((&net.near, WEB), unsent, |count| count >= 3.0);
    net.near.add_route("fc00:bb:2::/48", Some(net.far.ipv6().into()), "eth0");
    both_receive(&net.near, come(&net.near) + 20.0);
    let after = scrape((&net.near, WEB));
    assert_eq!(lost(&after), 0.0, "{after}");
    sender.signal(Signal::SIGTERM);
    sender.wait().assert_code(0);
}

/// How often the packet thread has slept.
fn sleeps(sender: &Program) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", sender.id())).expect("it runs");
    let read = |task: fs::DirEntry| fs::read_to_string(task.path().join("status")).ok();
    let mut threads = tasks.flatten().filter_map(read);
    let thread = threads.find(|status| status.starts_with("Name:\tsender-0\n"));
    let thread = thread.expect("it has a packet thread");
    let count = thread.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.and_then(|it| it.trim().parse().ok()).expect("the kernel counts")
}

/// Its sockets are gone for good, though it comes back with the number that it had; and nothing of
/// them keeps the packet thread awake.
fn an_interface_that_was_away_is_used_again() {
    let net = netns::two_hosts(Families::V6);
    let (sender, _folder, _node) = start(&net, 2);
    both_receive(&net.near, 5.0);
    let index = net.near.index("eth0");
    let elsewhere = Host::new("elsewhere", Families::V6);
    let there = elsewhere.spawn(Command::new("sleep").arg("1000"));
    ip(&net.near, &format!("link set eth0 netns {}", there.id()));
    ip(&elsewhere, &format!("link set eth0 netns {}", sender.id()));
    assert_eq!(net.near.index("eth0"), index);
    ip(&net.near, "link set eth0 up");
    ip(&net.near, &format!("address add {}/64 dev eth0 nodad", net.near.ipv6()));
    net.near.add_route("fc00:bb:2::/48", Some(net.far.ipv6().into()), "eth0");
    both_receive(&net.near, come(&net.near) + 20.0);
    let (slept, come) = (sleeps(&sender), come(&net.near));
    both_receive(&net.near, come + 50.0);
    let slept = sleeps(&sender) - slept;
    assert!(slept >= 25, "it slept {slept} times while 50 probes of each session came back");
    sender.signal(Signal::SIGTERM);
    sender.wait().assert_code(0);
    there.signal(Signal::SIGKILL);
    let _killed = there.wait();
}
