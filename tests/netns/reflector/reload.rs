//! SIGHUP and SIGUSR1.

use std::net::SocketAddr;

use stamp_tests::netns::{self, Families, Program, Signal, Trial, TwoHosts, trials};

use super::{Folder, Prober, command, counted, reflector, stopped};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_reload_keeps_sessions_and_counters,
        a_file_with_a_mistake_changes_nothing,
        listeners_come_and_go,
        a_listener_that_cannot_be_bound_changes_nothing,
        what_needs_a_restart_is_refused,
        keys_are_read_again,
        statistics_are_printed_on_demand,
        statistics_are_log_events_where_the_log_is_json,
    ]
}

const STATEFUL: &str = "listen = \"0.0.0.0:862\"\nworkers = 1\nstateful = true\n";

fn target(net: &TwoHosts, port: u16) -> SocketAddr {
    SocketAddr::new(net.far.ipv4().into(), port)
}

fn prober(net: &TwoHosts, port: u16) -> Prober {
    Prober::new(&net.near, (net.near.ipv4(), 0), target(net, port), 7)
}

fn reload(program: &Program) {
    program.signal(Signal::SIGHUP);
    program.wait_for_error_line(|line| line.contains("msg=\"configuration reloaded\""));
}

fn refuse_reload(program: &Program) {
    program.signal(Signal::SIGHUP);
    program
        .wait_for_error_line(|line| line.contains("reload refused: the old configuration stays"));
}

fn a_reload_keeps_sessions_and_counters() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let file = folder.write("r.toml", STATEFUL);
    let program = reflector(&net.far, 1, command("").arg(file));
    let mut session = prober(&net, 862);
    assert_eq!([session.exchange(), session.exchange()].map(|reply| reply.sequence), [0, 1]);
    // A lost probe, so that the two numbers differ.
    session.probe();
    folder.write("r.toml", &format!("{STATEFUL}rate-limit = 5000\ndscp = \"EF\"\n"));
    reload(&program);
    let reply = session.exchange();
    assert_eq!((reply.sender_sequence, reply.sequence), (3, 2), "the session goes on");
    let finished = stopped(&program);
    assert_eq!(counted(&finished, "answered"), 3, "the counters go on: {finished}");
}

fn a_file_with_a_mistake_changes_nothing() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let file = folder.write("r.toml", STATEFUL);
    let program = reflector(&net.far, 1, command("").arg(&file));
    let mut session = prober(&net, 862);
    session.exchange();
    folder.write("r.toml", "listen = \"0.0.0.0:8620\"\nrate-limit = \"much\"\n");
    refuse_reload(&program);
    let expected = format!("{}:2:14: rate-limit", file.display());
    program.wait_for_error_line(|line| line.contains("level=error") && line.contains(&expected));
    assert_eq!(session.exchange().sequence, 1, "the session goes on where it was");
    prober(&net, 8620).assert_refused();
    stopped(&program);
}

fn listeners_come_and_go() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let file =
        folder.write("r.toml", "listen = [\"0.0.0.0:862\", \"0.0.0.0:8621\"]\nstateful = true\n");
    let program = reflector(&net.far, 2, command("--workers 2").arg(file));
    let (mut stays, mut goes) = (prober(&net, 862), prober(&net, 8621));
    stays.exchange();
    goes.exchange();
    folder.write("r.toml", "listen = [\"0.0.0.0:862\", \"0.0.0.0:8622\"]\nstateful = true\n");
    reload(&program);
    assert_eq!(stays.exchange().sequence, 1);
    prober(&net, 8622).exchange();
    goes.assert_refused();
    let finished = stopped(&program);
    assert!(finished.stderr.contains("listening on 0.0.0.0:8622"), "{finished}");
    assert!(finished.stderr.contains("no longer listening on 0.0.0.0:8621"), "{finished}");
}

fn a_listener_that_cannot_be_bound_changes_nothing() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let file = folder.write("r.toml", "listen = \"0.0.0.0:862\"\n");
    let program = reflector(&net.far, 1, command("").arg(file));
    let _stranger = net.far.udp_socket(([0, 0, 0, 0], 8622));
    folder.write("r.toml", "listen = [\"0.0.0.0:8621\", \"0.0.0.0:8622\"]\n");
    refuse_reload(&program);
    program.wait_for_error_line(|line| line.contains("cannot listen on 0.0.0.0:8622: taken by"));
    prober(&net, 862).exchange();
    prober(&net, 8621).assert_refused();
    // The address it has already, on one interface only: its own old socket stands in the way.
    folder.write("r.toml", "listen = \"0.0.0.0:862\"\ninterface = \"eth0\"\n");
    program.signal(Signal::SIGHUP);
    program.wait_for_error_line(|line| line.contains("only a restart makes this change"));
    prober(&net, 862).exchange();
    stopped(&program);
}

fn what_needs_a_restart_is_refused() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let file = folder.write("r.toml", STATEFUL);
    let program = reflector(&net.far, 1, command("").arg(file));
    folder.write("r.toml", &STATEFUL.replace("workers = 1", "workers = 3"));
    refuse_reload(&program);
    program.wait_for_error_line(|line| line.contains("workers changes with a restart only"));
    prober(&net, 862).exchange();
    stopped(&program);
}

fn keys_are_read_again() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let keys = folder.write("keys", "1 000102030405060708090a0b0c0d0e0f\n");
    let arguments = "--listen 0.0.0.0:862 --key-file";
    let program = reflector(&net.far, 1, command(arguments).arg(&keys));
    folder.write("keys", "1 00\n");
    reload(&program);
    program.wait_for_error_line(|line| line.contains("key 1 is shorter than 16 octets"));
    folder.write("keys", "1 0\n");
    refuse_reload(&program);
    program.wait_for_error_line(|line| line.contains("keys:1: the key is not hexadecimal"));
    stopped(&program);
}

fn statistics_are_printed_on_demand() {
    let net = netns::two_hosts(Families::V4);
    let program = reflector(&net.far, 1, &mut command("--listen 0.0.0.0:862 --stateful"));
    let mut session = prober(&net, 862);
    session.exchange();
    session.socket.send(b"no probe").expect("it leaves");
    session.exchange();
    program.signal(Signal::SIGUSR1);
    program.wait_for_error_line(|line| line.contains("received") && line.contains(" 3 "));
    program.wait_for_error_line(|line| line.contains("malformed") && line.contains(" 1 "));
    let port = session.socket.local_addr().expect("it is bound").port();
    let about_session =
        format!("    192.0.2.1:{port} ssid 7 unauthenticated: received 2, next reply 2");
    program.wait_for_error_line(|line| line.starts_with(&about_session));
    assert_eq!(session.exchange().sequence, 2, "and it carries on");
    stopped(&program);
}

fn statistics_are_log_events_where_the_log_is_json() {
    let net = netns::two_hosts(Families::V4);
    let program = net.far.spawn(&mut command("--listen 0.0.0.0:862 --log.format json"));
    program.wait_for_error_line(|line| line.contains("\"listening on 0.0.0.0:862\""));
    prober(&net, 862).exchange();
    let finished = stopped(&program);
    let events: Vec<serde_json::Value> = finished
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let statistics = events.iter().find(|event| event["message"] == "statistics");
    assert_eq!(statistics.expect("statistics at exit")["answered"], 1, "{finished}");
}
