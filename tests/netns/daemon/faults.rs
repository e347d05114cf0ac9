//! What goes wrong around the daemon: counters never go back, nothing is told that was not so, no
//! session is lost, and what was lost here is never shown as lost on the path.

mod forms;
mod links;
mod restarts;
mod stops;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use serde_json::Value;
use stamp_tests::netns::{self, Families, Host, Program, Signal, Trial, trials};

use super::{Daemon, TWO, of_type, reflector, states};
use crate::http::{ask, connect, scrape, value, wait_for};

pub(crate) fn trials() -> Vec<Trial> {
    let mut all = trials![
        a_killed_daemon_comes_back_with_its_sessions,
        a_full_disk_costs_events_and_nothing_else,
        reloads_under_load_cost_no_probe,
        too_few_descriptors_are_refused_before_a_session_is_touched,
        hostile_clients_cost_no_probe,
    ];
    all.extend([stops::trials(), links::trials(), restarts::trials()].into_iter().flatten());
    all
}

const PORT: u16 = 9862;

/// The sum of the series of a metric that have these labels.
fn sum(text: &str, metric: &str, labels: &str) -> f64 {
    let of = |line: &&str| {
        line.strip_prefix(metric).is_some_and(|rest| rest.starts_with('{')) && line.contains(labels)
    };
    let value = |line: &str| line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok());
    text.lines().filter(of).filter_map(value).sum()
}

/// Whatever was lost, in any direction.
pub(crate) fn lost(text: &str) -> f64 {
    sum(text, "stamp_session_packets_lost_total", "session=")
}

fn unsent(text: &str, reason: &str) -> f64 {
    sum(text, "stamp_session_packets_unsent_total", &format!("reason=\"{reason}\""))
}

/// The two sessions, which await replies for longer than a machine keeps a program from running that builds another
/// one beside it.
fn patient() -> String {
    TWO.replacen("timeout = \"1s\"", "timeout = \"3s\"", 1)
}

/// More replies than there are while one of these sessions awaits one.
const SETTLED: f64 = 320.0;

const SENT_A: &str = "stamp_session_packets_sent_total{session=\"a\"}";
const RECEIVED_A: &str = "stamp_session_packets_received_total{session=\"a\"}";
const RECEIVED_B: &str = "stamp_session_packets_received_total{session=\"b\"}";

/// No counter of `before` is smaller in `after`.
#[track_caller]
pub(crate) fn assert_no_counter_went_back(before: &str, after: &str) {
    let counters = before.lines().filter_map(|line| {
        let (series, was) = line.rsplit_once(' ')?;
        let name = series.split('{').next().unwrap_or(series);
        Some((series, was.parse::<f64>().ok()?)).filter(|_| name.ends_with("_total"))
    });
    let mut compared = 0;
    for (series, was) in counters {
        let is = value(after, series).unwrap_or_else(|| panic!("{series} is gone: {after}"));
        assert!(is >= was, "{series} was {was} and is {is}");
        compared += 1;
    }
    assert!(compared > 20, "{compared} counters alone");
}

/// Replies to both sessions that come from now on.
#[track_caller]
pub(crate) fn goes_on(host: &Host) -> String {
    goes_on_for(host, 20.0)
}

/// Replies to both sessions for longer than one is awaited.
#[track_caller]
fn settles(host: &Host) -> String {
    goes_on_for(host, 120.0)
}

#[track_caller]
fn goes_on_for(host: &Host, replies: f64) -> String {
    let text = scrape((host, PORT));
    let [a, b] = [RECEIVED_A, RECEIVED_B].map(|series| value(&text, series).unwrap_or(0.0));
    wait_for((host, PORT), RECEIVED_A, |received| received > a + replies);
    wait_for((host, PORT), RECEIVED_B, |received| received > b + replies)
}

#[track_caller]
fn up(net: &netns::TwoHosts) -> Daemon {
    let daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    daemon.told("metrics are told over HTTP");
    daemon
}

fn a_killed_daemon_comes_back_with_its_sessions() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let mut daemon = up(&net);
    // What is queued dies with it: both are to stand in the file.
    let written = || fs::read_to_string(daemon.folder.path("events.ndjson")).unwrap_or_default();
    while written().matches("\"to\":\"up\"").count() < 2 {
        assert!(daemon.program.is_running());
        goes_on(&net.near);
    }
    daemon.program.signal(Signal::SIGKILL);
    assert_eq!(daemon.program.wait().signal, Some(Signal::SIGKILL));
    let file = daemon.folder.path("sender.toml");
    daemon.program = net.near.spawn(netns::binary("stamp-sender").arg("run").arg(file));
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    settles(&net.near);
    assert_eq!(lost(&scrape((&net.near, PORT))), 0.0);
    // Whole lines, those of the life before too.
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        assert_eq!(states(&events, session), [("init", "up"); 2], "nothing is down");
    }
}

/// Starts with a file system of two pages for its events, of which a file takes all.
fn with_a_full_disk(net: &netns::TwoHosts, daemon_folder: &crate::folder::Folder) -> Program {
    let text = TWO.replace("events.ndjson", "full/events.ndjson");
    let file =
        daemon_folder.write("sender.toml", &text.replace("FAR", &net.far.ipv4().to_string()));
    let full = daemon_folder.path("full");
    fs::create_dir(&full).expect("the folder is ours");
    let sender = netns::binary("stamp-sender").get_program().to_owned();
    let script = "mount -t tmpfs -o size=8k none \"$1\" && head -c 8192 /dev/zero >\"$1/filler\" \
                  && exec \"$2\" run \"$3\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(&full).arg(sender).arg(file);
    net.near.spawn(&mut command)
}

fn a_full_disk_costs_events_and_nothing_else() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far);
    let folder = crate::folder::Folder::new();
    let program = with_a_full_disk(&net, &folder);
    program.wait_for_error_line(|line| line.contains("msg=\"session is up\" session=b"));
    program.wait_for_error_line(|line| line.contains("msg=\"events cannot be written\""));
    let before = goes_on(&net.near);
    let dropped = sum(&before, "stamp_events_dropped_total", "sink=");
    assert!(dropped >= 2.0, "{before}");
    assert_eq!(lost(&before), 0.0, "{before}");
    // The mount is the program's own.
    let full = format!("/proc/{}/root{}", program.id(), folder.path("full").display());
    fs::remove_file(format!("{full}/filler")).expect("the filler is there");
    far.signal(Signal::SIGTERM);
    program.wait_for_error_line(|line| line.contains("msg=\"session is down\" session=b"));
    program.wait_for_error_line(|line| line.contains("msg=\"events are written, and some before"));
    assert_no_counter_went_back(&before, &scrape((&net.near, PORT)));
    // Held open, for the mount ends with the program, which writes all it has before.
    let mut file = fs::File::open(format!("{full}/events.ndjson")).expect("it is there");
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
    let mut text = String::new();
    file.read_to_string(&mut text).expect("lines of text");
    let events: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a whole line")).collect();
    assert_eq!(events[0]["type"], "dropped", "what is missing is told where it is missing");
    assert!(events[0]["count"].as_f64() >= Some(dropped), "{}", events[0]);
    let first = of_type(&events, "state").next().expect("it went down");
    assert_eq!(first["to"], "down", "what came before is missing");
}

fn reloads_under_load_cost_no_probe() {
    const SESSIONS: usize = 60;
    const RELOADS: usize = 12;
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    // Together fewer than the reflector lets a stranger have.
    let session = |number| {
        format!("[[session]]\nname = \"s{number:02}\"\ntarget = \"FAR\"\ninterval = \"100ms\"\n")
    };
    let many: String = (0..SESSIONS).map(session).collect();
    let mut daemon = Daemon::start(&net.near, &net.far, &format!("{TWO}{many}"));
    daemon.told("metrics are told over HTTP");
    for number in 0..SESSIONS {
        daemon.told(&format!("msg=\"session is up\" session=s{number:02}"));
    }
    let before = goes_on(&net.near);
    let told =
        |seen: usize| format!("added=0 changed=1 tuned=0 removed=0 kept={}", seen + SESSIONS);
    for reload in 0..RELOADS {
        let classes = ["\"EF\"", "\"AF41\""];
        daemon.change(classes[reload % 2], classes[(reload + 1) % 2]);
        daemon.told_times(&told(1), reload + 1);
    }
    let after = settles(&net.near);
    assert_no_counter_went_back(&before, &after);
    assert_eq!(lost(&after), lost(&before), "{after}");
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "a"), [("init", "up")], "it went on through all of them");
    for number in 0..SESSIONS {
        assert_eq!(states(&events, &format!("s{number:02}")), [("init", "up")]);
    }
    assert!(states(&events, "b").iter().all(|(_, to)| *to == "up"), "{events:?}");
}

fn too_few_descriptors_are_refused_before_a_session_is_touched() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let folder = crate::folder::Folder::new();
    let session = |number| format!("[[session]]\nname = \"s{number:02}\"\ntarget = \"FAR\"\n");
    let text = |sessions: usize| {
        let many: String = (0..sessions).map(session).collect();
        format!("{TWO}{many}").replace("FAR", &net.far.ipv4().to_string())
    };
    let file = folder.write("sender.toml", &text(100));
    let sender = netns::binary("stamp-sender").get_program().to_owned();
    let start = || {
        let mut command = Command::new("sh");
        let script = "ulimit -n 60 && exec \"$1\" run \"$2\"";
        net.near.spawn(command.args(["-c", script, "sh"]).arg(&sender).arg(&file))
    };
    let refused = start().wait();
    assert!(refused.code.is_some_and(|code| code != 0), "{refused}");
    assert!(refused.stderr.contains("file descriptors are needed and 60 allowed"), "{refused}");
    folder.write("sender.toml", &text(10));
    let program = start();
    program.wait_for_error_line(|line| line.contains("msg=\"session is up\" session=a"));
    program.wait_for_error_line(|line| line.contains("msg=\"session is up\" session=b"));
    let before = goes_on(&net.near);
    // More sessions than that: the file is refused, and those that run go on.
    folder.write("sender.toml", &text(100));
    program.signal(Signal::SIGHUP);
    program.wait_for_error_line(|line| line.contains("the one before stays in force"));
    // Clients that take every descriptor that is left.
    let mute: Vec<TcpStream> = (0..80).map(|_| connect((&net.near, PORT))).collect();
    drop(mute);
    let after = settles(&net.near);
    assert_no_counter_went_back(&before, &after);
    assert_eq!(lost(&after), 0.0, "{after}");
    program.signal(Signal::SIGTERM);
    program.wait().assert_code(0);
}

fn hostile_clients_cost_no_probe() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let daemon = up(&net);
    let before = goes_on(&net.near);
    let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}", "x: y\r\n".repeat(20_000));
    let hostile: [&[u8]; 6] = [
        b"",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ];
    let mut open: Vec<TcpStream> = Vec::new();
    for words in hostile.iter().cycle().take(300) {
        let mut stream = connect((&net.near, PORT));
        // It may have closed already.
        let _ = stream.write_all(words);
        open.push(stream);
    }
    let after = settles(&net.near);
    drop(open);
    assert_no_counter_went_back(&before, &after);
    assert_eq!(lost(&after), lost(&before), "{after}");
    assert_eq!(ask((&net.near, PORT), "GET", "/-/healthy", "").0, 200);
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        assert_eq!(states(&events, session), [("init", "up")]);
    }
    assert!(value(&after, SENT_A) > value(&before, SENT_A));
}
