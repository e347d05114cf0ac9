//! `stamp-sender write` against a daemon that tells what a test wants, in a network with two ways.

pub(crate) mod daemon;
mod network;

use std::process::Command;

use serde_json::{Value, json};
use stamp_tests::netns::{self, Finished, Host, Need, Program, Signal, Trial, trials};

use crate::folder::Folder;
use crate::http::{scrape, value};
use daemon::FakeDaemon;
use network::Network;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        traffic_of_the_class_takes_the_chosen_way_and_no_other: [Need::IPV6],
        what_a_killed_writer_left_is_found_and_mended: [Need::IPV6],
        what_was_written_goes_at_the_end_where_that_is_asked: [Need::IPV6],
        a_dry_run_prints_lines_that_ip_takes: [Need::IPV6],
        a_second_run_does_nothing: [Need::IPV6],
        a_writer_has_the_right_it_needs_and_no_other: [Need::IPV6],
    ]
}

const PORT: u16 = 9862;
const OWN: u16 = 9864;

/// The path of policy `a`, for AF41 to the far host's own prefixes.
pub(crate) fn path(lists: &[(&[&str], u32)]) -> Value {
    let lists: Vec<Value> = lists
        .iter()
        .enumerate()
        .map(|(number, (sids, weight))| {
            json!({
                "name": format!("a/fast/{number}"), "weight": weight, "segments": [], "labels": null,
                "sids": sids, "next_hop": null, "interface": null
            })
        })
        .collect();
    json!({
        "policy": "a", "headend": null, "color": 100, "endpoint": "2001:db8:f::1", "class": "gaming",
        "traffic": { "prefixes": ["2001:db8:f::/64", "198.51.100.0/24"], "dscp": ["AF41"] },
        "standing": "good", "active": "fast", "preference": 200,
        "since": "2026-11-28T23:39:00.000000Z", "reason": "first", "lists": lists
    })
}

/// A writer's file.
fn text(more: &str) -> String {
    format!(
        "sandbox = \"require\"\nwrite = {{ listen = \"127.0.0.1:{OWN}\" }}\n\
         [[writer]]\nkind = \"linux\"\ndry-run = false\ncheck-every = \"100ms\"\n{more}\n"
    )
}

fn start(host: &Host, folder: &Folder, more: &str) -> Program {
    let file = folder.write("writer.toml", &text(more));
    host.spawn(netns::binary("stamp-sender").arg("write").arg(file))
}

fn once(host: &Host, folder: &Folder, more: &str) -> Finished {
    let file = folder.write("once.toml", &text(more));
    host.spawn(netns::binary("stamp-sender").arg("write").arg("--once").arg(file)).wait()
}

/// What `ip` shows of the writer's own: routes of both families, and rules.
fn shown(host: &Host) -> String {
    let show = |words: &str| {
        let mut ip = Command::new("ip");
        host.spawn(ip.args(words.split(' '))).wait().assert_code(0).stdout.clone()
    };
    let routes =
        ["-4", "-6"].map(|family| show(&format!("{family} route show table all proto 84")));
    let rules = ["-4", "-6"].map(|family| show(&format!("{family} rule show")));
    let rules = rules.iter().flat_map(|rules| rules.lines()).filter(|it| it.contains("proto 84"));
    let rules: String = rules.map(|line| format!("{line}\n")).collect();
    routes.concat() + &rules
}

fn traffic_of_the_class_takes_the_chosen_way_and_no_other() {
    let net = Network::up();
    let folder = Folder::new();
    let daemon = FakeDaemon::start(&net.near, PORT);
    let writer = start(&net.near, &folder, "");
    for (way, other) in [("b", "a"), ("a", "b")] {
        let sids = Network::sid(way);
        daemon.tell(path(&[(&[&sids], 1)]));
        net.wait_until(&writer, || shown(&net.near).matches(&sids).count() == 2);
        // Everything else goes over a.
        for (target, dscp, segmented) in [
            ("2001:db8:f::1", 34, true),
            ("2001:db8:f::1", 0, false),
            ("2001:db8:f::1", 46, false),
            ("2001:db8:e::1", 34, false),
            ("198.51.100.1", 34, true),
            ("198.51.100.1", 36, false),
            ("198.51.101.1", 34, false),
        ] {
            let seen = net.goes_over(target, dscp);
            let expected = if segmented { vec![(way, true)] } else { vec![("a", false)] };
            assert_eq!(seen, expected, "{target} with DSCP {dscp}, and not over {other}");
        }
    }
    daemon.tell(path(&[]));
    net.wait_until(&writer, || shown(&net.near).is_empty());
    assert_eq!(net.goes_over("2001:db8:f::1", 34), [("a", false)], "by the usual routes");
    writer.signal(Signal::SIGTERM);
    writer.wait().assert_code(0);
}

fn what_a_killed_writer_left_is_found_and_mended() {
    let net = Network::up();
    let folder = Folder::new();
    let daemon = FakeDaemon::start(&net.near, PORT);
    let [a, b] = ["a", "b"].map(Network::sid);
    daemon.tell(path(&[(&[&a], 3), (&[&b], 1)]));
    let writer = start(&net.near, &folder, "");
    net.wait_until(&writer, || shown(&net.near).matches("weight").count() == 4);
    let spread = shown(&net.near);
    assert!(spread.contains("weight 3") && spread.contains("weight 1"), "{spread}");
    writer.signal(Signal::SIGKILL);
    let _killed = writer.wait();
    assert_eq!(shown(&net.near), spread, "nobody took it away");
    // What is not wanted any more, what is missing, and what somebody has changed.
    daemon.tell(path(&[(&[&b], 1)]));
    for line in [
        "-6 route add 2001:db8:d::/64 table 8300 proto 84 dev eth0",
        "-6 rule add priority 8302 table 8300 protocol 84",
        "-4 route del 198.51.100.0/24 table 8335 proto 84",
    ] {
        net.ip(line);
    }
    let foreign = "2001:db8:d::/64 dev eth0 table 8300 proto static";
    net.ip("-6 route append 2001:db8:d::/64 dev eth0 table 8300 proto static metric 7");
    let writer = start(&net.near, &folder, "");
    net.wait_until(&writer, || {
        let shown = shown(&net.near);
        shown.matches(&b).count() == 2 && !shown.contains(&a) && !shown.contains("8302:")
    });
    let mut ip = Command::new("ip");
    let all = net.near.spawn(ip.args(["-6", "route", "show", "table", "all"])).wait().stdout;
    assert!(all.contains(foreign), "a route of another stays: {all}");
    // Whoever takes it away meanwhile has it back.
    net.ip("-6 route del 2001:db8:f::/64 table 8335 proto 84");
    net.wait_until(&writer, || shown(&net.near).matches(&b).count() == 2);
    writer.signal(Signal::SIGTERM);
    writer.wait().assert_code(0);
    assert_ne!(shown(&net.near), "", "it stays unless told otherwise");
}

fn what_was_written_goes_at_the_end_where_that_is_asked() {
    let net = Network::up();
    let folder = Folder::new();
    let daemon = FakeDaemon::start(&net.near, PORT);
    daemon.tell(path(&[(&[&Network::sid("b")], 1)]));
    let writer = start(&net.near, &folder, "on-exit = \"undo\"");
    net.wait_until(&writer, || shown(&net.near).matches("seg6 mode").count() == 2);
    // A daemon that is gone changes nothing.
    drop(daemon);
    writer.wait_for_error_line(|line| line.contains("the daemon is not heard"));
    assert_eq!(shown(&net.near).matches("seg6 mode").count(), 2);
    let text = scrape((&net.near, OWN));
    assert_eq!(value(&text, "stamp_writer_connected{writer=\"linux\"}"), Some(0.0));
    writer.signal(Signal::SIGTERM);
    writer.wait().assert_code(0);
    assert_eq!(shown(&net.near), "");
}

fn a_dry_run_prints_lines_that_ip_takes() {
    let net = Network::up();
    let folder = Folder::new();
    let daemon = FakeDaemon::start(&net.near, PORT);
    let [a, b] = ["a", "b"].map(Network::sid);
    daemon.tell(path(&[(&[&a], 3), (&[&b], 1)]));
    let file = folder.write("dry.toml", "[[writer]]\nkind = \"linux\"\n");
    let mut command = netns::binary("stamp-sender");
    let dry = net.near.spawn(command.arg("write").arg("--once").arg(file)).wait();
    dry.assert_code(0);
    assert_eq!(shown(&net.near), "", "nothing was done");
    let lines: Vec<&str> = dry.stdout.lines().collect();
    assert_eq!(lines.len(), 6, "{dry}");
    for line in lines {
        // Of a newer `ip`.
        if !line.contains(" dscp ") {
            net.ip(line.strip_prefix("ip ").expect("a line of ip"));
        }
    }
    // What those lines did is what the writer would have.
    let finished = once(&net.near, &folder, "");
    finished.assert_code(0);
    assert_eq!(finished.stderr.matches("msg=written").count(), 1, "{finished}");
    assert!(finished.stderr.contains("dscp 34"), "{finished}");
}

fn a_second_run_does_nothing() {
    let net = Network::up();
    let folder = Folder::new();
    let daemon = FakeDaemon::start(&net.near, PORT);
    let [a, b] = ["a", "b"].map(Network::sid);
    daemon.tell(path(&[(&[&a, &b], 300), (&[&b], 100)]));
    for (changes, more) in [(6, ""), (0, ""), (2, "srv6 = \"reduced\""), (0, "srv6 = \"reduced\"")]
    {
        let finished = once(&net.near, &folder, more);
        finished.assert_code(0);
        assert_eq!(finished.stderr.matches("msg=written").count(), changes, "{finished}");
    }
    assert_eq!(shown(&net.near).matches("encap.red").count(), 4, "{}", shown(&net.near));
}

fn a_writer_has_the_right_it_needs_and_no_other() {
    let net = Network::up();
    let folder = Folder::new();
    let daemon = FakeDaemon::start(&net.near, PORT);
    daemon.tell(path(&[(&[&Network::sid("b")], 1)]));
    let writer = start(&net.near, &folder, "");
    net.wait_until(&writer, || shown(&net.near).matches("seg6 mode").count() == 2);
    let status = std::fs::read_to_string(format!("/proc/{}/status", writer.id())).expect("it runs");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel's");
        line.trim().to_owned()
    };
    assert_eq!(field("CapEff:"), format!("{:016x}", 1 << 12), "CAP_NET_ADMIN");
    assert_eq!((field("NoNewPrivs:").as_str(), field("Seccomp:").as_str()), ("1", "2"));
    let text = scrape((&net.near, OWN));
    for (series, expected) in [
        ("stamp_writer_changes_total{writer=\"linux\",result=\"made\"}", 6.0),
        ("stamp_writer_connected{writer=\"linux\"}", 1.0),
        ("stamp_writer_policies{writer=\"linux\",state=\"written\"}", 1.0),
        ("stamp_sandbox_layer{layer=\"seccomp\"}", 1.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in {text}");
    }
    writer.signal(Signal::SIGTERM);
    writer.wait().assert_code(0);
    // Without the right it says so, and goes on to look.
    let file = folder.write("writer.toml", &text_of_another());
    let mut command = netns::binary("stamp-sender");
    let finished =
        net.near.spawn_without_rights(command.args(["write", "--once"]).arg(file)).wait();
    finished.assert_code(1);
    assert!(finished.stderr.contains("needs CAP_NET_ADMIN"), "{finished}");
}

/// Routes that are not there yet.
fn text_of_another() -> String {
    "[[writer]]\nkind = \"linux\"\ndry-run = false\nprotocol = 85\ntable = 9000\npriority = 9000\n"
        .to_owned()
}
