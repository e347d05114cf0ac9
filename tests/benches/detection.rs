//! How long after a link was cut a session is said to be DOWN.
//!
//! `cargo bench -p stamp-tests --bench detection`
//!
//! The programs themselves on two hosts joined by the tests' own wire, which is cut, mended and cut
//! again at known times: two-way against a reflector, enhanced loopback over SRv6 against a node that only
//! stamps and forwards; each by `stamp-sender HOST`, and by `stamp-sender run`, to which somebody listens at
//! `/api/v1/events`. A probe may have passed right before the cut, so DOWN is due N · interval + timeout behind it
//! at the latest; `behind` is how much later it was (less than zero where the next probe was nearer than an
//! interval): when it was noticed, and by `run` when the listener had it. `late` is how long after the timeout of the
//! last of those N probes it was noticed, `told` how long after that the listener had it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use stamp_tests::netns::{self, Access, Families, Host, Program, STAMPING_SID, Wired};
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
    let [behind, late, told] = ["behind", "late", "told"].map(|what| format!("{what} 50/99/worst"));
    println!("{:<22} {:>5} {behind:>20} {late:>20} {told:>20}", "", "cuts");
    let runs = if full { 10 } else { 1 };
    let modes = [Mode::TwoWay, Mode::EnhancedLoopback];
    for (mode, by) in modes.into_iter().flat_map(|mode| [(mode, By::Host), (mode, By::Run)]) {
        let name = format!("{}{}", mode.name(), by.name());
        let noticed: Vec<Noticed> = (0..runs).flat_map(|_| mode.measure(by, CUTS)).collect();
        let behind = spread(noticed.iter().map(|it| it.behind_ns)).expect("a link was cut");
        let late = spread(noticed.iter().filter_map(|it| it.late_ns));
        let told_by = spread(noticed.iter().filter_map(|it| it.told_ns));
        let [behind_us, late, told] = [Some(behind), late, told_by].map(|of| {
            let us = of.map(|of| of.map(|ns| format!("{:.0}", ns as f64 / 1e3)).join("/"));
            us.unwrap_or_default()
        });
        println!("{name:<22} {:>5} {behind_us:>20} {late:>20} {told:>20}", noticed.len());
        // A machine that takes the processor away has its worst cases; half of all are ours.
        assert!(behind[0] <= ALLOWED_NS, "{name}: too late in the median");
        let heard_ns = told_by.map_or(0, |told| told[0]);
        assert!(heard_ns <= ALLOWED_NS, "{name}: a listener hears of it too late in the median");
    }
}

/// Who says so.
#[derive(Clone, Copy, Eq, PartialEq)]
enum By {
    /// `stamp-sender HOST`.
    Host,
    /// `stamp-sender run`.
    Run,
}

impl By {
    const fn name(self) -> &'static str {
        match self {
            Self::Host => "",
            Self::Run => ", run",
        }
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

    fn measure(self, by: By, cuts: u32) -> Vec<Noticed> {
        match self {
            Self::TwoWay => two_way(by, cuts),
            Self::EnhancedLoopback => enhanced_loopback(by, cuts),
        }
    }
}

/// One cut.
struct Noticed {
    /// Behind N · interval + timeout after the cut.
    behind_ns: i64,
    /// Behind the timeout of the last of the probes that mean DOWN.
    late_ns: Option<i64>,
    /// From there until a listener had it.
    told_ns: Option<i64>,
}

/// Median, 99th percentile and maximum, if there are any.
fn spread(values: impl Iterator<Item = i64>) -> Option<[i64; 3]> {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    Some([500, 990, 1_000].map(|per_mille| values[last * per_mille / 1_000]))
}

fn two_way(by: By, cuts: u32) -> Vec<Noticed> {
    let net = netns::wired(Families::V4);
    let reflector = netns::binary("stamp-reflector");
    let reflector = run(reflector, "--listen :8620 --rate-limit off", |it| net.far.spawn(it));
    reflector.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    let target = net.far.ipv4();
    match by {
        By::Host => {
            cut_and_mend(&net, &OfHost::start(&net.near, &format!("{target} -p 8620")), cuts)
        }
        By::Run => {
            let keys = format!("target = \"{target}\"\nport = 8620\n");
            cut_and_mend(&net, &OfRun::start(&net.near, &keys), cuts)
        }
    }
}

fn enhanced_loopback(by: By, cuts: u32) -> Vec<Noticed> {
    let net = netns::wired(Families::V6);
    for interface in ["all", "eth0"] {
        net.near.set_sysctl(&format!("net.ipv6.conf.{interface}.seg6_enabled"), "1");
    }
    let file = Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/detection.toml"));
    let _node = netns::stamping_node(&net.near, &net.far, file);
    match by {
        By::Host => {
            let flags = format!("2001:db8::fe --mode enhanced-loopback --segments {STAMPING_SID}");
            cut_and_mend(&net, &OfHost::start(&net.near, &flags), cuts)
        }
        By::Run => {
            let keys = format!(
                "target = \"2001:db8::fe\"\nmode = \"enhanced-loopback\"\nsegments = \"{STAMPING_SID}\"\n"
            );
            cut_and_mend(&net, &OfRun::start(&net.near, &keys), cuts)
        }
    }
}

fn run(mut program: Command, flags: &str, start: impl FnOnce(&mut Command) -> Program) -> Program {
    start(program.args(flags.split_whitespace()))
}

/// A sender that tells what becomes of its session.
trait Sender {
    fn program(&self) -> &Program;

    /// How often the session has come to be so, asked every millisecond.
    fn times(&self, state: &str) -> usize;

    /// Lines so far, in the words of `--ndjson` and the time a listener had each, if anybody listens.
    fn lines(&self) -> Vec<(Option<u64>, Value)>;
}

struct OfHost(Program);

impl OfHost {
    fn start(near: &Host, target: &str) -> Self {
        let flags = format!(
            "{target} --ndjson -i {}us -W {}ms --packet-loss-count {LOSSES} \
             --clock synchronized,error=1us --far-clock synchronized,error=1us",
            INTERVAL.as_micros(),
            TIMEOUT.as_millis()
        );
        Self(run(netns::binary("stamp-sender"), &flags, |it| near.spawn(it)))
    }
}

impl Sender for OfHost {
    fn program(&self) -> &Program {
        &self.0
    }

    fn times(&self, state: &str) -> usize {
        let to = format!("\"to\":\"{state}\"");
        let is_it = |line: &&str| line.contains("\"type\":\"state\"") && line.contains(&to);
        self.0.stdout().lines().filter(is_it).count()
    }

    fn lines(&self) -> Vec<(Option<u64>, Value)> {
        let text = self.0.stdout();
        text.lines().filter_map(|line| Some((None, serde_json::from_str(line).ok()?))).collect()
    }
}

/// What a listener has heard, and when.
type Heard = Arc<Mutex<Vec<(Option<u64>, Value)>>>;

struct OfRun {
    program: Program,
    heard: Heard,
}

impl OfRun {
    fn start(near: &Host, keys: &str) -> Self {
        let text = format!(
            "clock = \"synchronized,error=1us\"\n[[session]]\nname = \"a\"\n{keys}interval = \"{}us\"\n\
             timeout = \"{}ms\"\npacket-loss-count = {LOSSES}\nfar-clock = \"synchronized,error=1us\"\n",
            INTERVAL.as_micros(),
            TIMEOUT.as_millis()
        );
        let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/detection-run.toml");
        std::fs::write(file, text).expect("the file can be written");
        let program =
            run(netns::binary("stamp-sender"), &format!("run {file}"), |it| near.spawn(it));
        program.wait_for_error_line(|line| line.contains("metrics are told over HTTP"));
        let mut stream =
            near.run(|| TcpStream::connect("127.0.0.1:9862")).expect("it is served there");
        let request = "GET /api/v1/events?after=the-beginning HTTP/1.1\r\nHost: near\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("it reads requests");
        let heard = Heard::default();
        let hears = Arc::clone(&heard);
        // Ends with the program.
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let now = stamp_worker::now().monotonic.ns();
                let Some(event) = line.strip_prefix("data: ") else { continue };
                let Ok(event) = serde_json::from_str(event) else { continue };
                lock(&hears).push((Some(now), event));
            }
        });
        Self { program, heard }
    }
}

fn lock(heard: &Heard) -> MutexGuard<'_, Vec<(Option<u64>, Value)>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sender for OfRun {
    fn program(&self) -> &Program {
        &self.program
    }

    fn times(&self, state: &str) -> usize {
        lock(&self.heard).iter().filter(|(_, line)| is_state(line, state)).count()
    }

    fn lines(&self) -> Vec<(Option<u64>, Value)> {
        lock(&self.heard).clone()
    }
}

fn is_state(line: &Value, to: &str) -> bool {
    line["type"] == "state" && line["to"] == to
}

/// Cuts the link again and again, each time as soon as the session is UP: soon behind a probe that passed.
fn cut_and_mend(net: &Wired, sender: &impl Sender, cuts: u32) -> Vec<Noticed> {
    let wait_for = |to: &str, nth: usize| {
        sender
            .program()
            .wait_until(&format!("{to} for the time {nth}"), || sender.times(to) >= nth);
    };
    let mut moments = Vec::new();
    for nth in 1..=cuts as usize {
        wait_for("up", nth);
        moments.push(net.wire.cut(Way::Forward));
        wait_for("down", nth);
        net.wire.mend(Way::Forward);
    }
    let lines = sender.lines();
    sender.program().signal(netns::Signal::SIGINT);
    let downs = lines.iter().filter(|(_, line)| is_state(line, "down"));
    let noticed: Vec<Noticed> =
        downs.zip(&moments).map(|(down, cut)| noticed(down, *cut, &lines)).collect();
    assert_eq!(noticed.len(), moments.len(), "a session goes down with each cut");
    noticed
}

fn noticed(
    (heard, down): &(Option<u64>, Value),
    cut: Moment,
    lines: &[(Option<u64>, Value)],
) -> Noticed {
    let ns = |time: Duration| i64::try_from(time.as_nanos()).expect("a short time");
    let at = down["monotonic_ns"].as_u64().expect("a time");
    let told_ns = heard.map(|heard| heard.cast_signed() - at.cast_signed());
    let after = at.cast_signed() - cut.monotonic_ns.cast_signed();
    let last = &down["sequences"][1];
    let lost = lines.iter().find(|(_, line)| line["type"] == "lost" && &line["sequence"] == last);
    let late = |sent: &Value| unix_ns(&down["time"]) - unix_ns(sent) - ns(TIMEOUT);
    Noticed {
        behind_ns: after + told_ns.unwrap_or(0) - ns(INTERVAL * LOSSES + TIMEOUT),
        late_ns: lost.map(|(_, lost)| late(&lost["time"])),
        told_ns,
    }
}

/// The time of the day in ns; none of these runs is near midnight for long.
fn unix_ns(time: &Value) -> i64 {
    let text = time.as_str().expect("a time");
    let (_, clock) = text.trim_end_matches('Z').split_once('T').expect("date and time");
    let parts: Vec<f64> = clock.split(':').map(|part| part.parse().expect("a number")).collect();
    ((parts[0] * 3_600.0 + parts[1] * 60.0 + parts[2]) * 1e9).round() as i64
}
