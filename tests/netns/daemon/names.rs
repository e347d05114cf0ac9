//! Names that nobody answers: they concern their sessions alone.

use std::fs;
use std::net::{IpAddr, UdpSocket};
use std::process::Command;

use stamp_tests::netns::{self, Families, Host, Signal, Trial, trials};

use super::faults::assert_no_counter_went_back;
use super::{Daemon, TWO, all_is_back, of_type, reflector, states};
use crate::folder::Folder;
use crate::http::{value, wait_for};
use crate::vrf::ip;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_name_that_nobody_answers_delays_no_other_session,
        sessions_live_on_while_a_reload_waits_for_a_name,
        the_end_waits_for_no_name,
        what_a_names_address_forbids_concerns_its_session_alone,
        a_name_is_followed_to_where_a_network_was_renumbered,
        an_address_that_makes_this_host_a_node_is_waited_for,
    ]
}

/// Name servers that take every question and answer none.
fn silent_name_servers(host: &Host) -> Vec<UdpSocket> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let words = text.lines().filter_map(|line| line.strip_prefix("nameserver"));
    let mut servers: Vec<IpAddr> = words.filter_map(|word| word.trim().parse().ok()).collect();
    if servers.is_empty() {
        servers.push(IpAddr::from([127, 0, 0, 1]));
    }
    let bind = |server: IpAddr| {
        if !server.is_loopback() {
            let bits = if server.is_ipv4() { 32 } else { 128 };
            host.add_address("lo", &format!("{server}/{bits}"));
        }
        host.run(|| UdpSocket::bind((server, 53))).expect("nobody else serves names here")
    };
    servers.into_iter().map(bind).collect()
}

const NAMED: &str = "[[session]]\nname = \"slow\"\ntarget = \"far.example\"\n";

fn a_name_that_nobody_answers_delays_no_other_session() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let _silent = silent_name_servers(&net.near);
    let text = format!("{TWO}{NAMED}").replace("FAR", &net.far.ipv4().to_string());
    let folder = Folder::new();
    let mut command = netns::binary("stamp-sender");
    command.arg("run").arg(folder.write("sender.toml", &text));
    // Nobody is asked twice: five seconds are long enough.
    let program = net.near.spawn(command.env("RES_OPTIONS", "attempts:1"));
    let daemon = Daemon { program, folder, text };
    daemon.told("stamp-sender 0.1.0 runs");
    daemon.told("msg=\"session is up\" session=b");
    daemon.program.signal(Signal::SIGUSR1);
    daemon.told("msg=\"is being opened\" session=slow");
    let waits =
        "msg=\"session waits; tried again later\" session=slow reason=\"far.example: cannot";
    daemon.told(waits);
    let (finished, _) = daemon.stop();
    let place = |what: &str| finished.stderr.find(what).expect("it was told");
    assert!(place("stamp-sender 0.1.0 runs") < place(waits), "{finished}");
}

fn sessions_live_on_while_a_reload_waits_for_a_name() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far);
    let mut daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=b");
    let _silent = silent_name_servers(&net.near);
    daemon.change("dscp = \"EF\"", &format!("dscp = \"EF\"\n{NAMED}"));
    far.signal(Signal::SIGTERM);
    daemon.told("msg=\"session is down\" session=a");
    // One that is asked for meanwhile has its turn.
    daemon.change("dscp = \"EF\"", "dscp = \"AF41\"");
    daemon.told("msg=\"configuration reloaded\" added=1 changed=0 tuned=0 removed=0 kept=2");
    daemon.told("msg=\"configuration reloaded\" added=0 changed=1 tuned=0 removed=0 kept=2");
    let (finished, _) = daemon.stop();
    let place = |what: &str| finished.stderr.find(what).expect("it was told");
    let (down, reloaded) = (place("msg=\"session is down\""), place("configuration reloaded"));
    assert!(down < reloaded, "{finished}");
}

fn the_end_waits_for_no_name() {
    let net = netns::two_hosts(Families::V4);
    let _silent = silent_name_servers(&net.near);
    let daemon = Daemon::start(&net.near, &net.far, NAMED);
    daemon.told("metrics are told over HTTP");
    let (finished, _) = daemon.stop();
    assert!(!finished.stderr.contains("session waits"), "{finished}");
}

fn what_a_names_address_forbids_concerns_its_session_alone() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    // Behind segments it needs a name that other nodes do not have (RFC 9503 §3).
    let behind = "[[session]]\nname = \"c\"\ntarget = \"localhost\"\nsegments = [\"16005\"]\nstateful = true\n";
    let daemon = Daemon::start(&net.near, &net.far, &format!("{TWO}{behind}"));
    daemon.told("msg=\"session waits; tried again later\" session=c reason=");
    daemon.told("target is an address that every node has");
    daemon.told("msg=\"session is up\" session=b");
    // Its series are there from the start, and so are those of its directions.
    for way in ["forward", "backward", "round_trip"] {
        let lost = format!("stamp_session_packets_lost_total{{session=\"c\",direction=\"{way}\"}}");
        wait_for((&net.near, 9_862), &lost, |lost| lost == 0.0);
    }
    let written = daemon.text.replace("localhost", "127.0.0.1");
    let mut check = netns::binary("stamp-sender");
    check.args(["config", "check"]).arg(daemon.folder.write("written.toml", &written));
    let refused = net.near.spawn(&mut check).wait();
    refused.assert_code(3);
    let told = "session[2].target = \"127.0.0.1\": destination-node-address: target is an address that every node has";
    assert!(refused.stderr.contains("written.toml:") && refused.stderr.contains(told), "{refused}");
    let _ = daemon.stop();
}

/// Three nodes in a row: which of them this host is, its address tells.
const NODES: &str = "\
[[node]]
name = \"s\"
loopbacks = [\"198.51.100.1\"]
index = 1
srgb = [[1000, 1999]]
[[node]]
name = \"a\"
loopbacks = [\"198.51.100.2\"]
index = 2
srgb = [[2000, 2999]]
[[node]]
name = \"r\"
loopbacks = [\"FAR\"]
index = 3
srgb = [[3000, 3999]]
[[link]]
ends = [\"s\", \"a\"]
[[link]]
ends = [\"a\", \"r\"]
";

fn an_address_that_makes_this_host_a_node_is_waited_for() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let folder = Folder::new();
    let far = net.far.ipv4().to_string();
    // Where the first label leads.
    ip(&net.near, &format!("route add 198.51.100.2/32 via {far}"));
    folder.write("net.toml", &NODES.replace("FAR", &far));
    let steered = "[[session]]\nname = \"c\"\ntarget = \"r\"\ntopology = \"net.toml\"\nsegments = [\"a\", \"r\"]\n";
    let text = format!("{TWO}{steered}").replace("FAR", &far);
    let file = folder.write("sender.toml", &text);
    // It is no mistake, and told all the same.
    let mut check = netns::binary("stamp-sender");
    let checked = net.near.spawn(check.args(["config", "check"]).arg(&file)).wait();
    checked.assert_code(0);
    let why = "topology: this host has no address of a node there: from names it when it is one, behind the router in front of it";
    let note = format!("note: session c would wait: {why}");
    assert!(checked.stdout.contains(&note), "{checked}");
    let program = net.near.spawn(netns::binary("stamp-sender").arg("run").arg(file));
    let daemon = Daemon { program, folder, text };
    daemon.told(&format!("msg=\"session waits; tried again later\" session=c reason=\"{why}"));
    daemon.told("msg=\"session is up\" session=b");
    let at = (&net.near, 9_862);
    wait_for(at, "stamp_session_running{session=\"c\"}", |running| running == 0.0);
    net.near.add_address("lo", "198.51.100.1/32");
    wait_for(at, "stamp_session_running{session=\"c\"}", |running| running == 1.0);
    wait_for(at, "stamp_session_packets_sent_total{session=\"c\"}", |sent| sent > 0.0);
    let _ = daemon.stop();
}

fn a_name_is_followed_to_where_a_network_was_renumbered() {
    const WEB: u16 = 9862;
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let folder = Folder::new();
    let names = folder.write("hosts", &format!("{} far.example\n", net.far.ipv4()));
    let text = TWO.replacen("FAR", "far.example", 1).replace("FAR", &net.far.ipv4().to_string());
    let file = folder.write("sender.toml", &text);
    // It alone sees these names.
    let script = "mount --bind \"$1\" /etc/hosts && exec \"$2\" run \"$3\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(&names);
    command.arg(netns::binary("stamp-sender").get_program()).arg(file);
    let program = net.near.spawn(&mut command);
    let daemon = Daemon { program, folder, text };
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    let at = (&net.near, WEB);
    let received = "stamp_session_packets_received_total{session=\"a\"}";
    let before = wait_for(at, received, |received| received > 20.0);
    daemon.held(|| {
        all_is_back(&net);
        // Both ends have other addresses, and the name is told of it. Written in place: it is a mount.
        fs::write(names, "198.51.100.2 far.example\n").expect("it is ours");
        net.far.add_address("eth0", "198.51.100.2/24");
        net.near.remove_address("eth0", &format!("{}/24", net.near.ipv4()));
        net.near.add_address("eth0", "198.51.100.1/24");
    });
    daemon.told("msg=\"session runs\" session=a target=198.51.100.2:862");
    daemon.told_times("msg=\"session is up\" session=a", 2);
    let was = value(&before, received).unwrap_or_default();
    // For longer than a reply is awaited: whatever was lost is known.
    let after = wait_for(at, received, |received| received > was + 120.0);
    let lost = "stamp_session_packets_lost_total{session=\"a\",direction=\"round_trip\"}";
    assert_eq!((value(&before, lost), value(&after, lost)), (Some(0.0), Some(0.0)), "{after}");
    assert_no_counter_went_back(&before, &after);
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "a"), [("init", "up"); 2], "nothing was down");
    assert!(of_type(&events, "loss").next().is_none(), "{events:?}");
    assert!(states(&events, "b").iter().all(|(_, to)| *to != "down"), "{events:?}");
}
