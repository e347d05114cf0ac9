//! The reflector's metrics over HTTP.

use std::net::TcpStream;

use stamp_tests::netns::{self, Families, Signal, Trial, trials};

use crate::folder::Folder;
use crate::http::{ask, scrape, value, wait_for};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        probes_are_counted_from_zero_and_reloads_show,
        without_a_file_nothing_is_told_unless_asked
    ]
}

const RECEIVED: &str = "stamp_reflector_packets_received_total";
const REFUSED: &str = "stamp_config_reloads_total{result=\"refused\"}";

fn probes_are_counted_from_zero_and_reloads_show() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let good = "listen = [\"0.0.0.0:862\"]\nstateful = true\nweb.enable-lifecycle = true\n";
    let file = folder.write("reflector.toml", good);
    let program = net.far.spawn(netns::binary("stamp-reflector").arg("--config.file").arg(&file));
    program.wait_for_error_line(|line| line.contains("metrics are told over HTTP"));
    let at = (&net.far, 9863);
    let text = scrape(at);
    assert_eq!(value(&text, RECEIVED), Some(0.0), "{text}");
    let dropped = "stamp_reflector_packets_dropped_total{reason=\"malformed\"}";
    assert_eq!(value(&text, dropped), Some(0.0), "{text}");
    let far = net.far.ipv4().to_string();
    net.near
        .spawn(netns::binary("stamp-sender").arg(&far).args(["-c", "10", "-i", "5ms"]))
        .wait()
        .assert_code(0);
    let text = wait_for(at, RECEIVED, |received| received >= 10.0);
    assert_eq!(value(&text, "stamp_reflector_packets_reflected_total"), value(&text, RECEIVED));
    assert!(value(&text, "stamp_reflector_sessions").is_some_and(|held| held >= 1.0), "{text}");
    assert_eq!(ask(at, "GET", "/-/ready", "").0, 200);
    folder.write("reflector.toml", "stateful = 7\n");
    let (status, reason) = ask(at, "POST", "/-/reload", "");
    assert_eq!(status, 500);
    assert!(reason.contains("reflector.toml:1:12: stateful = 7"), "{reason}");
    let text = wait_for(at, REFUSED, |refused| refused == 1.0);
    assert_eq!(value(&text, "stamp_config_last_reload_successful"), Some(0.0), "{text}");
    folder.write("reflector.toml", good);
    assert_eq!(ask(at, "POST", "/-/reload", "").0, 200);
    assert!(ask(at, "GET", "/config", "").1.contains("stateful = true  # file"));
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}

fn without_a_file_nothing_is_told_unless_asked() {
    let net = netns::two_hosts(Families::V4);
    let start = |more: &[&str]| {
        let listen = ["--listen", "0.0.0.0:862"];
        let program = net.far.spawn(netns::binary("stamp-reflector").args(listen).args(more));
        net.far.wait_for_udp_listener(&program, 862);
        program
    };
    let silent = start(&[]);
    assert!(net.far.run(|| TcpStream::connect("127.0.0.1:9863")).is_err(), "nobody listens");
    drop(silent);
    let asked = start(&["--web.listen-address", "127.0.0.1:9999"]);
    asked.wait_for_error_line(|line| line.contains("metrics are told over HTTP"));
    assert_eq!(value(&scrape((&net.far, 9999)), RECEIVED), Some(0.0));
}
