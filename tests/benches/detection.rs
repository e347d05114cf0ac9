//! How long after a link was cut a session is said to be DOWN.
//!
//! `cargo bench -p stamp-tests --bench detection`
//!
//! The programs themselves on two hosts joined by the tests' own wire, which is cut, mended and cut
//! again at known times: two-way against a reflector, enhanced loopback over SRv6 against a node that only
//! stamps and forwards. A probe may have passed right before the cut, so DOWN is due
//! N · interval + timeout behind it at the latest; `behind` is how much later it was (less than zero
//! where the next probe was nearer than an interval), `late` is how long after the timeout of the
//! last of those N probes it was noticed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use stamp_tests::netns::{self, Access, Families, Program, STAMPING_SID, Wired};
use stamp_tests::wire::{Moment, Way};

const INTERVAL: Duration = Duration::from_micros(3_300);
const TIMEOUT: Duration = Duration::from_millis(10);
/// Probes lost in a row that mean DOWN.
const LOSSES: u32 = 3;
/// How much later than due it may be noticed.
const ALLOWED_NS: i64 = 2_000_000;
/// Cuts that one run of the sender sees.
const CUTS: u32 = 20;

fn main() {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    let full = asked("--bench") && !asked("--smoke");
    // First of all: the kernel gives a user namespace to a single thread only.
    if let Access::Forbidden { reason, allow } = Access::obtain() {
        println!("skipped: {reason}; allow it: {allow}");
        return;
    }
    println!("DOWN by {LOSSES} losses at {INTERVAL:?}, timeout {TIMEOUT:?}; microseconds");
    println!("{:<18} {:>5} {:>24} {:>24}", "", "cuts", "behind 50/99/worst", "late 50/99/worst");
    let runs = if full { 10 } else { 1 };
    for mode in [Mode::TwoWay, Mode::EnhancedLoopback] {
        let name = mode.name();
        let noticed: Vec<Noticed> = (0..runs).flat_map(|_| mode.measure(CUTS)).collect();
        let (behind, late) = (
            spread(noticed.iter().map(|it| it.behind_ns).collect()),
            spread(noticed.iter().map(|it| it.late_ns).collect()),
        );
        let shown = |of: [i64; 3]| of.map(|ns| format!("{:.0}", ns as f64 / 1e3)).join("/");
        println!("{name:<18} {:>5} {:>24} {:>24}", noticed.len(), shown(behind), shown(late));
        // A machine that takes the processor away has its worst cases; half of all are ours.
        assert!(behind[0] <= ALLOWED_NS, "{name}: noticed too late in the median");
    }
}

/// How the sender measures.
#[derive(Clone, Copy)]
enum Mode {
    TwoWay,
    EnhancedLoopback,
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::TwoWay => "two-way",
            Self::EnhancedLoopback => "enhanced loopback",
        }
    }

    fn measure(self, cuts: u32) -> Vec<Noticed> {
        match self {
            Self::TwoWay => two_way(cuts),
            Self::EnhancedLoopback => enhanced_loopback(cuts),
        }
    }
}

/// One cut.
struct Noticed {
    /// Behind N · interval + timeout after the cut.
    behind_ns: i64,
    /// Behind the timeout of the last of the probes that mean DOWN.
    late_ns: i64,
}

/// Median, 99th percentile and maximum.
fn spread(mut values: Vec<i64>) -> [i64; 3] {
    values.sort_unstable();
    [500, 990, 1_000].map(|per_mille| values[(values.len() - 1) * per_mille / 1_000])
}

fn two_way(cuts: u32) -> Vec<Noticed> {
    let net = netns::wired(Families::V4);
    let reflector = netns::binary("stamp-reflector");
    let reflector = run(reflector, "--listen :8620 --rate-limit off", |it| net.far.spawn(it));
    reflector.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    let target = format!("{} -p 8620", net.far.ipv4());
    cut_and_mend(&net, &target, cuts)
}

fn enhanced_loopback(cuts: u32) -> Vec<Noticed> {
    let net = netns::wired(Families::V6);
    for interface in ["all", "eth0"] {
        net.near.set_sysctl(&format!("net.ipv6.conf.{interface}.seg6_enabled"), "1");
    }
    let file = Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/detection.toml"));
    let _node = netns::stamping_node(&net.near, &net.far, file);
    let target = format!("2001:db8::fe --mode enhanced-loopback --segments {STAMPING_SID}");
    cut_and_mend(&net, &target, cuts)
}

fn run(mut program: Command, flags: &str, start: impl FnOnce(&mut Command) -> Program) -> Program {
    start(program.args(flags.split_whitespace()))
}

/// Cuts the link again and again, each time as soon as the session is UP: soon behind a probe that passed.
fn cut_and_mend(net: &Wired, target: &str, cuts: u32) -> Vec<Noticed> {
    let flags = format!(
        "{target} --ndjson -i {}us -W {}ms --packet-loss-count {LOSSES} \
         --clock synchronized,error=1us --far-clock synchronized,error=1us",
        INTERVAL.as_micros(),
        TIMEOUT.as_millis()
    );
    let sender = run(netns::binary("stamp-sender"), &flags, |it| net.near.spawn(it));
    let is_state = |line: &str, to: &str| {
        line.contains("\"type\":\"state\"") && line.contains(&format!("\"to\":\"{to}\""))
    };
    let wait_for = |to: &str, nth: usize| {
        sender.wait_until(&format!("{to} for the time {nth}"), || {
            sender.stdout().lines().filter(|line| is_state(line, to)).count() >= nth
        });
    };
    let mut moments = Vec::new();
    for nth in 1..=cuts as usize {
        wait_for("up", nth);
        moments.push(net.wire.cut(Way::Forward));
        wait_for("down", nth);
        net.wire.mend(Way::Forward);
    }
    sender.signal(netns::Signal::SIGINT);
    let lines = sender.wait().stdout;
    let lines: Vec<Value> = lines.lines().filter_map(|it| serde_json::from_str(it).ok()).collect();
    let downs = lines.iter().filter(|line| line["type"] == "state" && line["to"] == "down");
    let noticed: Vec<Noticed> =
        downs.zip(&moments).map(|(down, cut)| noticed(down, *cut, &lines)).collect();
    assert_eq!(noticed.len(), moments.len(), "a session goes down with each cut");
    noticed
}

fn noticed(down: &Value, cut: Moment, lines: &[Value]) -> Noticed {
    let ns = |time: Duration| i64::try_from(time.as_nanos()).expect("a short time");
    let at = down["monotonic_ns"].as_u64().expect("a time");
    let after = at.cast_signed() - cut.monotonic_ns.cast_signed();
    let last = &down["sequences"][1];
    let lost = lines.iter().find(|line| line["type"] == "lost" && &line["sequence"] == last);
    let sent = &lost.expect("the last of the lost probes is told")["time"];
    Noticed {
        behind_ns: after - ns(INTERVAL * LOSSES + TIMEOUT),
        late_ns: unix_ns(&down["time"]) - unix_ns(sent) - ns(TIMEOUT),
    }
}

/// The time of the day in ns; none of these runs is near midnight for long.
fn unix_ns(time: &Value) -> i64 {
    let text = time.as_str().expect("a time");
    let (_, clock) = text.trim_end_matches('Z').split_once('T').expect("date and time");
    let parts: Vec<f64> = clock.split(':').map(|part| part.parse().expect("a number")).collect();
    ((parts[0] * 3_600.0 + parts[1] * 60.0 + parts[2]) * 1e9).round() as i64
}
