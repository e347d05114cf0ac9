//! Names that nobody answers: they concern their sessions alone.

use std::fs;
use std::net::{IpAddr, UdpSocket};

use stamp_tests::netns::{self, Families, Host, Signal, Trial, trials};

use super::{Daemon, TWO, reflector};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_name_that_nobody_answers_delays_no_other_session,
        sessions_live_on_while_a_reload_waits_for_a_name,
        the_end_waits_for_no_name,
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
    let daemon = Daemon::start(&net.near, &net.far, &format!("{TWO}{NAMED}"));
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
