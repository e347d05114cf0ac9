//! What many sessions over segments cost: probes in frames that a node stamps and sends back.
//!
//! `cargo bench -p stamp-tests --bench segments`, or with `-- 1000` for so many sessions only.
//!
//! The service itself on one host, with sessions in enhanced loopback over SRv6 every 100 ms, and on the
//! other the node that stamps and forwards. Printed is what the service tells of itself once all of them run, in five
//! seconds: probes sent and lost, slots not used, how late probes left on average, and the processor time of its packet
//! thread; then its memory and descriptors for each session. Nothing may be lost: the wire loses nothing.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use stamp_tests::netns::{self, Access, Families, Host, Program, STAMPING_SID};

const WEB: u16 = 9862;
const LENGTH: Duration = Duration::from_secs(5);
const HEAD: &str = "\
[defaults]
interval = \"100ms\"
timeout = \"1s\"
mode = \"enhanced-loopback\"
srv6 = \"reduced\"
clock = { synchronized = true, error = \"1us\" }
far-clock = { synchronized = true, error = \"1us\" }
";

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let chosen: Vec<usize> =
        std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    // First of all: the kernel gives a user namespace to a single thread only.
    if let Access::Forbidden { reason, allow } = Access::obtain() {
        println!("skipped: {reason}; allow it: {allow}");
        return;
    }
    let usual: &[usize] = if full { &[10, 100, 300, 1_000] } else { &[10] };
    let counts = if chosen.is_empty() { usual } else { &chosen };
    println!(
        "{:>8} {:>9} {:>6} {:>7} {:>11} {:>9} {:>9} {:>12}",
        "sessions", "sent/s", "lost", "unsent", "late ms avg", "core", "KiB each", "descriptors"
    );
    let mut least = None;
    for count in counts {
        let run = measure(*count, if full { LENGTH } else { Duration::from_millis(500) });
        let (few, memory, descriptors) =
            *least.get_or_insert((*count, run.memory, run.descriptors));
        let more = (*count - few).max(1) as f64;
        println!(
            "{count:8} {:9.0} {:6} {:7} {:11.3} {:9.2} {:9.1} {:12.1}",
            run.sent,
            run.lost,
            run.unsent,
            run.late_ms,
            run.core,
            (run.memory - memory) / more,
            (run.descriptors - descriptors) / more,
        );
        assert!(run.sent > 0.0 && run.lost == 0.0, "the wire loses nothing");
    }
}

/// What one number of sessions came to.
struct Run {
    sent: f64,
    lost: f64,
    unsent: f64,
    late_ms: f64,
    core: f64,
    memory: f64,
    descriptors: f64,
}

fn measure(sessions: usize, length: Duration) -> Run {
    let net = netns::two_hosts(Families::V6);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("segments.toml");
    let session = |nth| format!("[[session]]\nname = \"s{nth}\"\ntarget = \"2001:db8::fe\"\n");
    let sessions_text: String = (0..sessions).map(session).collect();
    let text = format!("{HEAD}segments = [\"{STAMPING_SID}\"]\n{sessions_text}");
    std::fs::write(&file, text).expect("the file can be written");
    let _node = netns::stamping_node(&net.near, &net.far, &folder.join("segments-node.toml"));
    let sender = net.near.spawn(netns::binary("stamp-sender").arg("run").arg(file));
    sender.wait_until("every session is up", || {
        let up = sum(&scrape(&net.near), "stamp_session_up");
        up == sessions as f64
    });
    let (begin, before, busy_before) =
        (Instant::now(), scrape(&net.near), processor_seconds(&sender));
    // Nothing is asked of it meanwhile.
    let mut rest = Command::new("sleep");
    net.far.spawn(rest.arg(length.as_secs_f64().to_string())).wait().assert_code(0);
    let length = begin.elapsed();
    let (after, busy) = (scrape(&net.near), processor_seconds(&sender) - busy_before);
    let grown = |metric: &str| sum(&after, metric) - sum(&before, metric);
    let late = grown("stamp_sender_schedule_lag_seconds_sum");
    let sent = grown("stamp_session_packets_sent_total");
    let status = std::fs::read_to_string(format!("/proc/{}/status", sender.id()));
    let status = status.expect("it runs");
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let memory = memory.and_then(|it| it.trim().trim_end_matches(" kB").parse().ok());
    Run {
        sent: sent / length.as_secs_f64(),
        lost: grown("stamp_session_packets_lost_total"),
        unsent: grown("stamp_session_packets_unsent_total"),
        late_ms: late / sent * 1e3,
        core: busy / length.as_secs_f64(),
        memory: memory.expect("the kernel tells"),
        descriptors: sum(&after, "process_open_fds"),
    }
}

/// Processor time of the packet thread.
fn processor_seconds(sender: &Program) -> f64 {
    const TICKS: f64 = 100.0;
    let tasks = std::fs::read_dir(format!("/proc/{}/task", sender.id())).expect("it runs");
    let stats =
        tasks.flatten().filter_map(|it| std::fs::read_to_string(it.path().join("stat")).ok());
    let busy = stats.filter(|stat| stat.contains("(sender)")).map(|stat| {
        let behind = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = behind.split_whitespace().skip(11).take(2);
        ticks.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>()
    });
    busy.sum::<f64>() / TICKS
}

/// The sum of all series of a metric.
fn sum(text: &str, metric: &str) -> f64 {
    let of = |line: &&str| {
        let rest = line.strip_prefix(metric);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
    };
    let values = text.lines().filter(of).filter_map(|line| line.rsplit_once(' '));
    values.filter_map(|(_, value)| value.parse::<f64>().ok()).sum()
}

fn scrape(host: &Host) -> String {
    let socket = host.run(|| TcpStream::connect((Ipv4Addr::LOCALHOST, WEB)));
    // Where it does not listen yet there is nothing to be seen.
    let Ok(mut socket) = socket else { return String::new() };
    let asked = b"GET /metrics HTTP/1.0\r\n\r\n";
    socket.write_all(asked).expect("it is asked");
    let mut text = String::new();
    socket.read_to_string(&mut text).expect("it answers in text");
    text
}
