//! What goes wrong around the daemon: counters never go back, nothing is told that was not so, no
//! session is lost, and what was lost here is never shown as lost on the path.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use serde_json::Value;
use stamp_tests::netns::{self, Families, Finished, Host, Need, Program, Signal, Trial, trials};

use super::{Daemon, TWO, all_is_back, of_type, reflector, states};
use crate::http::{ask, connect, scrape, value, wait_for};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_killed_daemon_comes_back_with_its_sessions,
        a_killed_reflector_is_a_new_count_and_no_loss_of_a_direction,
        a_daemon_that_was_stopped_has_missed_slots_and_no_loss,
        a_reflector_that_was_stopped_is_down_and_comes_back,
        a_full_disk_costs_events_and_nothing_else,
        an_interface_that_goes_down_loses_nothing_on_the_path,
        a_link_that_takes_less_has_probes_that_are_too_big,
        a_full_queue_of_this_host_loses_nothing_on_the_path: [QUEUE],
        reloads_under_load_cost_no_probe,
        too_few_descriptors_are_refused_before_a_session_is_touched,
        hostile_clients_cost_no_probe,
    ]
}

const PORT: u16 = 9862;

/// A queue that takes less than it is given.
const QUEUE: Need = Need {
    name: "a kernel with sch_tbf, and `tc`",
    allow: "sudo modprobe sch_tbf",
    met: || {
        let host = Host::new("probe", Families::V4);
        queue(&host, "add", "lo", SHORT).code == Some(0)
    },
    beyond_namespaces: false,
};

/// Some sixty probes a second, of which hardly one waits.
const SHORT: &str = "tbf rate 40kbit burst 1600 limit 200";
/// As many as there are.
const WIDE: &str = "tbf rate 1gbit burst 100000 limit 100000";

fn queue(host: &Host, action: &str, interface: &str, what: &str) -> Finished {
    let line = format!("tc qdisc {action} dev {interface} root {what}");
    let mut shell = Command::new("sh");
    host.spawn(shell.args(["-c", &line])).wait()
}

/// The sum of the series of a metric that have these labels.
fn sum(text: &str, metric: &str, labels: &str) -> f64 {
    let of = |line: &&str| {
        line.strip_prefix(metric).is_some_and(|rest| rest.starts_with('{')) && line.contains(labels)
    };
    let value = |line: &str| line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok());
    text.lines().filter(of).filter_map(value).sum()
}

pub(crate) fn lost(text: &str) -> f64 {
    sum(text, "stamp_session_packets_lost_total", "direction=\"round_trip\"")
}

fn unsent(text: &str, reason: &str) -> f64 {
    sum(text, "stamp_session_packets_unsent_total", &format!("reason=\"{reason}\""))
}

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
        let Some(is) = value(after, series) else { continue };
        assert!(is >= was, "{series} was {was} and is {is}");
        compared += 1;
    }
    assert!(compared > 20, "{compared} counters alone");
}

/// Replies to both sessions that come from now on.
#[track_caller]
pub(crate) fn goes_on(host: &Host) -> String {
    let text = scrape((host, PORT));
    let [a, b] = [RECEIVED_A, RECEIVED_B].map(|series| value(&text, series).unwrap_or(0.0));
    wait_for((host, PORT), RECEIVED_A, |received| received > a + 20.0);
    wait_for((host, PORT), RECEIVED_B, |received| received > b + 20.0)
}

/// Replies to both sessions for longer than one is awaited.
#[track_caller]
fn settles(host: &Host) -> String {
    let text = scrape((host, PORT));
    let [a, b] = [RECEIVED_A, RECEIVED_B].map(|series| value(&text, series).unwrap_or(0.0));
    wait_for((host, PORT), RECEIVED_A, |received| received > a + 120.0);
    wait_for((host, PORT), RECEIVED_B, |received| received > b + 120.0)
}

#[track_caller]
fn up(net: &netns::TwoHosts) -> Daemon {
    let daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    daemon.told("metrics are told over HTTP");
    daemon
}

/// A second or so, as a session of its own sees it pass.
#[track_caller]
fn time_passes(net: &netns::TwoHosts) {
    let mut command = netns::binary("stamp-sender");
    command.arg(net.far.ipv4().to_string()).args(["-c", "40", "-i", "20ms", "--quiet"]);
    let finished = net.near.spawn(&mut command).wait();
    finished.assert_code(0);
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

fn a_killed_reflector_is_a_new_count_and_no_loss_of_a_direction() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far);
    let daemon = up(&net);
    let before = goes_on(&net.near);
    far.signal(Signal::SIGKILL);
    let _ = far.wait();
    let _far = reflector(&net.far);
    goes_on(&net.near);
    daemon.told("msg=\"the reflector counts anew\" session=a");
    let after = goes_on(&net.near);
    assert_no_counter_went_back(&before, &after);
    let of = |direction: &str| {
        let labels = format!("direction=\"{direction}\"");
        sum(&after, "stamp_session_packets_lost_total", &labels)
    };
    // What was lost while nobody answered is lost; its direction nobody can tell.
    assert!(of("forward") + of("backward") <= of("round_trip"), "{after}");
    // By then whatever was lost is known.
    let settled = settles(&net.near);
    let later = settles(&net.near);
    assert_eq!(lost(&later), lost(&settled), "nothing more is lost behind the restart");
    let (_, events) = daemon.stop();
    let restarts = events.iter().filter(|event| event["type"] == "reflector_restart");
    assert_eq!(restarts.count(), 2, "one for each session");
}

fn a_daemon_that_was_stopped_has_missed_slots_and_no_loss() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let daemon = up(&net);
    let before = goes_on(&net.near);
    daemon.program.signal(Signal::SIGSTOP);
    time_passes(&net);
    daemon.program.signal(Signal::SIGCONT);
    let after = settles(&net.near);
    assert_no_counter_went_back(&before, &after);
    assert_eq!(lost(&after), lost(&before), "{after}");
    let missed = unsent(&after, "missed_slot") - unsent(&before, "missed_slot");
    assert!(missed >= 2.0 * 50.0, "{missed} slots of two sessions: {after}");
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        assert_eq!(states(&events, session), [("init", "up")], "nothing was down");
    }
    assert!(events.iter().all(|event| event["reason"] != "near_step"), "{events:?}");
}

fn a_reflector_that_was_stopped_is_down_and_comes_back() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far);
    let daemon = up(&net);
    let before = goes_on(&net.near);
    far.signal(Signal::SIGSTOP);
    daemon.told("level=warn msg=\"session is down\" session=a");
    daemon.told("level=warn msg=\"session is down\" session=b");
    far.signal(Signal::SIGCONT);
    daemon.told("msg=\"session is up\" session=a from=down");
    daemon.told("msg=\"session is up\" session=b from=down");
    let after = goes_on(&net.near);
    assert_no_counter_went_back(&before, &after);
    // Its socket held the probes: their replies came, late, and none of them twice.
    assert!(sum(&after, "stamp_session_packets_late_total", "session=") > 0.0, "{after}");
    assert_eq!(sum(&after, "stamp_session_packets_duplicate_total", "session="), 0.0);
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        let expected = [("init", "up"), ("up", "down"), ("down", "up")];
        assert_eq!(states(&events, session), expected);
    }
    assert!(events.iter().all(|event| event["type"] != "reflector_restart"), "its count goes on");
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

fn an_interface_that_goes_down_loses_nothing_on_the_path() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let daemon = up(&net);
    let before = goes_on(&net.near);
    daemon.held(|| {
        all_is_back(&net);
        net.near.set_down("eth0");
    });
    let everything = |text: &str| sum(text, "stamp_session_packets_unsent_total", "session=");
    let was = everything(&before);
    while everything(&scrape((&net.near, PORT))) <= was + 40.0 {
        assert!(daemon.program.is_running());
    }
    // Neighbours are looked for anew, and asked again after a second only: as long as a reply is awaited.
    daemon.held(|| {
        net.near.set_up("eth0");
        all_is_back(&net);
    });
    let after = settles(&net.near);
    assert_no_counter_went_back(&before, &after);
    assert_eq!(lost(&after), lost(&before), "{after}");
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        let down = states(&events, session).iter().any(|(_, to)| *to == "down");
        assert!(!down, "what was not sent is no loss: {events:?}");
    }
}

fn a_link_that_takes_less_has_probes_that_are_too_big() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let text = TWO.replacen("dscp = \"EF\"", "size = 1400", 1);
    let daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    let before = goes_on(&net.near);
    daemon.held(|| {
        all_is_back(&net);
        net.near.set_mtu("eth0", 1_000);
    });
    let too_big = "stamp_session_packets_unsent_total{session=\"b\",reason=\"too_big\"}";
    let between = wait_for((&net.near, PORT), too_big, |unsent| unsent > 20.0);
    assert_no_counter_went_back(&before, &between);
    assert_eq!(value(&between, &too_big.replace("\"b\"", "\"a\"")), Some(0.0), "{between}");
    net.near.set_mtu("eth0", 1_500);
    let after = settles(&net.near);
    assert_no_counter_went_back(&between, &after);
    assert_eq!(lost(&after), lost(&before), "{after}");
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "a"), [("init", "up")]);
    assert!(states(&events, "b").iter().all(|(_, to)| *to == "up"), "{events:?}");
}

fn a_full_queue_of_this_host_loses_nothing_on_the_path() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    // Before there are probes: what is sent while a queue takes the place of another is dropped without a word.
    queue(&net.near, "add", "eth0", WIDE).assert_code(0);
    let daemon = up(&net);
    let before = goes_on(&net.near);
    queue(&net.near, "change", "eth0", SHORT).assert_code(0);
    let of = |session: &str| {
        let labels = format!("session=\"{session}\",reason=\"no_buffer\"");
        format!("stamp_session_packets_unsent_total{{{labels}}}")
    };
    wait_for((&net.near, PORT), &of("a"), |unsent| unsent > 40.0);
    let between = wait_for((&net.near, PORT), &of("b"), |unsent| unsent > 40.0);
    assert_no_counter_went_back(&before, &between);
    // What waits there is let go: it was sent.
    queue(&net.near, "change", "eth0", WIDE).assert_code(0);
    let after = settles(&net.near);
    assert_no_counter_went_back(&between, &after);
    assert_eq!(lost(&after), lost(&before), "{after}");
    let (_, events) = daemon.stop();
    for session in ["a", "b"] {
        assert_eq!(states(&events, session), [("init", "up")], "nothing was down");
    }
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
