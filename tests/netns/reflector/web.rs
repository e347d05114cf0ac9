//! The reflector's metrics over HTTP.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use stamp_tests::netns::{self, Families, Signal, Trial, trials};

use crate::folder::Folder;
use crate::http::{ALICE, BEARER, SECRET_HASH, ask, ask_from, scrape, value, wait_for};
use crate::machine_format::assert_keeps_to;
use crate::measure::{answered, session};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        probes_are_counted_from_zero_and_reloads_show,
        without_a_file_nothing_is_told_unless_asked,
        sessions_are_listed_drained_and_forgotten,
        a_controller_puts_a_document_in_force_until_the_file_is_read_again,
        a_broken_file_of_users_keeps_no_reload_and_every_start,
    ]
}

const RECEIVED: &str = "stamp_reflector_packets_received_total{listener=\"0.0.0.0:862\"}";
const OTHER: &str = "stamp_reflector_packets_received_total{listener=\"0.0.0.0:8620\"}";
const REFUSED: &str = "stamp_config_reloads_total{result=\"refused\"}";

fn probes_are_counted_from_zero_and_reloads_show() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let good = "listen = [\"0.0.0.0:862\"]\nstateful = true\nweb.enable-lifecycle = true\n";
    let both = good.replace("862\"]", "862\", \"0.0.0.0:8620\"]");
    let file = folder.write("reflector.toml", &both);
    let program = net.far.spawn(netns::binary("stamp-reflector").arg("--config.file").arg(&file));
    program.wait_for_error_line(|line| line.contains("metrics are told over HTTP"));
    let at = (&net.far, 9863);
    let text = scrape(at);
    assert_eq!(value(&text, RECEIVED), Some(0.0), "{text}");
    let dropped =
        "stamp_reflector_packets_dropped_total{listener=\"0.0.0.0:862\",reason=\"malformed\"}";
    assert_eq!(value(&text, dropped), Some(0.0), "{text}");
    let far = net.far.ipv4().to_string();
    let mut sender = netns::binary("stamp-sender");
    let finished =
        net.near.spawn(sender.arg(&far).args(["-c", "10", "-i", "5ms", "--json"])).wait();
    let sent = answered(&session(finished.assert_code(0)), 10);
    // And one that asked whether it counts.
    let all = f64::from(u32::try_from(sent + 1).expect("few"));
    let text = wait_for(at, RECEIVED, |received| received >= all);
    assert_eq!(value(&text, RECEIVED), Some(all), "{text}");
    let reflected = RECEIVED.replace("received", "reflected");
    assert_eq!(value(&text, &reflected), value(&text, RECEIVED));
    let turned = "stamp_reflector_turnaround_seconds_count{listener=\"0.0.0.0:862\"}";
    assert_eq!(value(&text, turned), Some(all), "{text}");
    assert_eq!(value(&text, OTHER), Some(0.0), "probes came to the other listener");
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
    // A listener that stays keeps its counts, one that goes takes them along.
    let text = wait_for(at, "stamp_config_last_reload_successful", |is_so| is_so == 1.0);
    assert_eq!((value(&text, RECEIVED), value(&text, OTHER)), (Some(all), None), "{text}");
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

fn a_broken_file_of_users_keeps_no_reload_and_every_start() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let text = "listen = \"0.0.0.0:862\"\nweb.config-file = \"web.yml\"\n\
                web.control-token-file = \"token\"\n";
    let file = folder.write("reflector.toml", text);
    folder.write("web.yml", &format!("basic_auth_users:\n  alice: {SECRET_HASH}\n"));
    let token = folder.write("token", "short\n");
    std::fs::set_permissions(token, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    let program = net.far.spawn(netns::binary("stamp-reflector").arg(&file));
    program.wait_for_error_line(|line| line.contains("a token has 16 octets at least"));
    program.wait_for_error_line(|line| line.contains("metrics are told over HTTP"));
    let at = (&net.far, 9863);
    let asked = |authorization: &str| ask(at, "GET", "/metrics", authorization).0;
    assert_eq!((asked(""), asked(ALICE)), (401, 200));
    folder.write("web.yml", "basic_auth: {}\n");
    folder.write("reflector.toml", &format!("{text}dscp = \"EF\"\n"));
    program.signal(Signal::SIGHUP);
    program.wait_for_error_line(|line| line.contains("msg=\"configuration reloaded\""));
    assert_eq!((asked(""), asked(ALICE)), (401, 200), "the server keeps what it had");
    program.wait_for_error_line(|line| line.contains("web.config-file stays in force as it was"));
    let (_, shown) = ask(at, "GET", "/config", ALICE);
    assert!(shown.contains("dscp = \"EF\"  # file"), "{shown}");
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
    let again = net.far.spawn(netns::binary("stamp-reflector").arg(&file)).wait();
    again.assert_code(3);
    let told = "reflector.toml:2:19: web.config-file = \"web.yml\": ";
    assert!(again.stderr.contains(told) && again.stderr.contains("basic_auth"), "{again}");
}

fn sessions_are_listed_drained_and_forgotten() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let token = folder.write("token", "0123456789abcdef\n");
    std::fs::set_permissions(token, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    let text = "listen = \"0.0.0.0:862\"\nstateful = true\nweb.listen = [\"0.0.0.0:9863\"]\n\
                web.control-token-file = \"token\"\n";
    let file = folder.write("reflector.toml", text);
    let program = net.far.spawn(netns::binary("stamp-reflector").arg(&file));
    program.wait_for_error_line(|line| line.contains("metrics are told over HTTP"));
    let at = (&net.far, 9863);
    let order =
        |method, path: &str| ask(at, method, path, &format!("{BEARER}Content-Length: 0\r\n"));
    let listed = || -> Value {
        let (status, text) = ask(at, "GET", "/api/v1/sessions", "");
        assert_eq!(status, 200, "{text}");
        let list = serde_json::from_str(&text).expect("an object");
        assert_keeps_to("stamp-reflector", "sessions", &list);
        list
    };
    let sender = |count, ssid| {
        let mut command = netns::binary("stamp-sender");
        command.arg(net.far.ipv4().to_string()).args(["-c", count, "-i", "5ms", "--ssid", ssid]);
        net.near.spawn(&mut command)
    };
    assert_eq!(listed()["sessions"], serde_json::json!([]));
    // Beside that of the probe that asked whether it counts.
    let of_77 = |list: &Value| {
        let sessions = list["sessions"].as_array().expect("a list");
        sessions.iter().find(|session| session["ssid"] == 77).cloned()
    };
    let going_on = sender("0", "77");
    let (list, session) = loop {
        let list = listed();
        if let Some(session) = of_77(&list) {
            break (list, session);
        }
        assert!(going_on.is_running());
    };
    assert_eq!(list["draining"], false, "{list}");
    assert_eq!(session["authentication"], "unauthenticated");
    assert!(session["source"].as_str().is_some_and(|it| it.starts_with("192.0.2.1:")), "{list}");
    assert!(session["last_seen"].as_str() >= session["created"].as_str(), "{list}");

    assert_eq!(ask(at, "PUT", "/api/v1/drain", "Content-Length: 0\r\n").0, 401);
    let from_afar = |method, path: &str| {
        let to = (net.far.ipv4(), 9863).into();
        ask_from(&net.near, to, method, path, &format!("{BEARER}Content-Length: 0\r\n"))
    };
    let (status, words) = from_afar("PUT", "/api/v1/drain");
    assert!(status == 403 && words.starts_with("orders are taken over TLS"), "{words}");
    assert_eq!(from_afar("GET", "/-/ready"), (200, "ready\n".to_owned()), "nothing was drained");
    let (status, words) = order("PUT", "/api/v1/drain");
    assert_eq!(
        (status, words.as_str()),
        (200, "no session begins from now on; those that there are go on\n")
    );
    assert_eq!(ask(at, "GET", "/-/ready", ""), (503, "no session begins: drained\n".to_owned()));
    assert_eq!(value(&scrape(at), "stamp_reflector_draining"), Some(1.0));
    let refused = sender("3", "78").wait();
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    let received = || of_77(&listed()).expect("it goes on")["received"].as_u64();
    let before = received();
    while received() == before {
        assert!(going_on.is_running());
    }
    let (status, words) = order("DELETE", "/api/v1/sessions?source=192.0.2.1&ssid=77");
    assert_eq!((status, words.as_str()), (200, "1 session forgotten\n"));
    assert!(of_77(&listed()).is_none(), "and it does not come back");
    let (status, words) = order("DELETE", "/api/v1/sessions?port=1");
    assert_eq!((status, words.as_str()), (400, "port: unknown; there are source and ssid\n"));
    assert_eq!(order("DELETE", "/api/v1/drain").0, 200);
    while of_77(&listed()).is_none() {
        assert!(going_on.is_running());
    }
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}

fn a_controller_puts_a_document_in_force_until_the_file_is_read_again() {
    let net = netns::two_hosts(Families::V4);
    let folder = Folder::new();
    let token = folder.write("token", "0123456789abcdef\n");
    std::fs::set_permissions(token, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    let text = "listen = \"0.0.0.0:862\"\nstateful = true\nrate-limit = 1000\n\
                web.control-token-file = \"token\"\nweb.enable-lifecycle = true\n";
    let file = folder.write("reflector.toml", text);
    let program = net.far.spawn(netns::binary("stamp-reflector").arg(&file));
    program.wait_for_error_line(|line| line.contains("metrics are told over HTTP"));
    let at = (&net.far, 9863);
    let put = |document: &str| {
        let head = format!("{BEARER}Content-Length: {}\r\n\r\n{document}", document.len());
        ask(at, "PUT", "/api/v1/config", &head)
    };
    let in_force = || ask(at, "GET", "/config", "").1;
    let sessions = || {
        let list: Value =
            serde_json::from_str(&ask(at, "GET", "/api/v1/sessions", "").1).expect("JSON");
        list["sessions"].as_array().expect("a list").len()
    };
    let mut sender = netns::binary("stamp-sender");
    sender.arg(net.far.ipv4().to_string()).args(["-c", "10", "-i", "5ms"]);
    net.near.spawn(&mut sender).wait().assert_code(0);
    let held = sessions();
    assert!(held > 0);

    assert_eq!(ask(at, "PUT", "/api/v1/config", "Content-Length: 0\r\n").0, 401);
    let pushed = text.replace("rate-limit = 1000", "rate-limit = 2000");
    let (status, words) = put(&pushed.replace("stateful = true", "stateful = 7"));
    assert_eq!(status, 400, "{words}");
    assert!(words.contains("stateful = 7"), "{words}");
    assert!(in_force().contains("rate-limit = 1000"), "all of it or nothing: {}", in_force());
    let (status, words) = put(&pushed);
    assert_eq!(status, 200, "{words}");
    assert!(in_force().contains("rate-limit = 2000"), "{}", in_force());
    assert_eq!(sessions(), held, "sessions go on");
    assert_eq!(ask(at, "POST", "/-/reload", "").0, 200);
    assert!(in_force().contains("rate-limit = 1000"), "the file counts again: {}", in_force());
    assert_eq!(sessions(), held);
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}
