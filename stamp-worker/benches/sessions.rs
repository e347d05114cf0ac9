//! Many sessions on one sender worker, and how many are too many.
//!
//! `cargo bench -p stamp-worker --bench sessions`, or with `-- 10000 10000` for these numbers only, or with
//! `-- beside` for the comparison alone, which may be of some numbers only as well: `-- beside 10000`, or with
//! `-- fast` for those at 3.3 ms.
//!
//! Every session has a socket of its own, with kernel transmit stamps on; a reflector that never
//! sleeps answers, both on loopback. How cost grows is seen from ten sessions to ten thousand, each every
//! 100 ms, in three runs each; lateness at p99 is that of all their probes together, rounded up to 2 us or by a fifth at
//! most. Then the most that hold at 3.3 ms are looked for: nothing lost, at most one slot in 10 000
//! not used, in the median of three runs. Last, sessions that are given more slots than they can use are
//! held beside a bare prober with as many sockets, by the processor time of a probe. The round trip is what the sessions report (without
//! residence): the median of the sessions, and the worst. It fails where not one of the runs of 200 sessions
//! at 3.3 ms loses nothing and uses its slots, and where a probe of sessions costs more than half as much again as a bare one. Memory is that of the whole process,
//! reflector and bench included; beside it, what each session takes more than the first ten do.

mod crowd;
mod lateness;
mod measure;
mod near_end;
mod reflection;
mod sleepless;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use measure::{Effort, median};
use stamp_proto::time::TimeDelta;
use stamp_session::snapshot::SessionSnapshot;

use sleepless::Sleepless;

/// Interval of the slow ones.
const SLOW: Duration = Duration::from_millis(100);
/// Interval of those that watch for a path that goes down.
const FAST: Duration = Duration::from_micros(3_300);
/// So many of those are to lose nothing on any machine, and to use nearly all of their slots.
const HOLDS: u16 = 200;
/// What they may leave unused where others have a share of the core.
const USABLE: f64 = 0.01;
/// What a bare probe may cost of one of sessions, at least.
const LEAST_OF_BARE: f64 = 2.0 / 3.0;
/// Unused slots that a number of sessions may have and still hold: one in so many.
const CLEAN: f64 = 10_000.0;

/// Name of the reflector's thread.
const REFLECTOR: &str = "reflector";
/// Name of the sender's thread.
const SENDER: &str = "sender";

fn main() {
    let effort = Effort::asked_for();
    // Two descriptors for each session would be plenty.
    let _ = stamp_net::limits::raise_descriptor_limit();
    let chosen: Vec<u16> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    if std::env::args().any(|argument| argument == "beside") {
        return compare(effort, &chosen);
    }
    if std::env::args().any(|argument| argument == "fast") {
        return ceiling(effort);
    }
    if !chosen.is_empty() {
        return grow(&chosen, effort.choose(1, 3), Duration::from_secs(5));
    }
    let (counts, length): (&[u16], _) = effort.choose(
        (&[10], Duration::from_millis(500)),
        (&[10, 30, 100, 300, 1_000, 3_000, 10_000], Duration::from_secs(5)),
    );
    grow(counts, effort.choose(1, 3), length);
    ceiling(effort);
    compare(effort, &[]);
}

fn grow(counts: &[u16], rounds: usize, length: Duration) {
    println!("sessions of {SLOW:?} for {length:?}, {rounds} runs each");
    Run::head();
    let mut least = None;
    for count in counts {
        let runs: Vec<Run> = (0..rounds).map(|_| Run::of(*count, SLOW, length)).collect();
        runs.iter().for_each(Run::print);
        let middle = |of: fn(&Run) -> f64| median(runs.iter().map(of).collect());
        let memory = middle(|run| run.memory);
        let (few, little) = *least.get_or_insert((*count, memory));
        let each = (memory - little) * 1024.0 / f64::from(count.saturating_sub(few).max(1));
        let (rate, late) = (middle(|run| run.rate), middle(|run| run.late));
        println!("{:>8} {rate:.0}/s, late at p99 by {late:.0} us, {each:.1} KiB each", "median");
    }
}

fn ceiling(effort: Effort) {
    let (counts, rounds, length): (&[u16], _, _) = effort.choose(
        (&[10], 1, Duration::from_millis(500)),
        (&[200, 250, 300, 325, 350, 375, 400, 450], 3, Duration::from_secs(4)),
    );
    println!("sessions of {FAST:?} for {length:?}, {rounds} runs each");
    Run::head();
    let mut most = None;
    for count in counts {
        let runs: Vec<Run> = (0..rounds).map(|_| Run::of(*count, FAST, length)).collect();
        runs.iter().for_each(Run::print);
        let troubles: Vec<f64> = runs.iter().map(Run::share_of_trouble).collect();
        // Slots that another tenant of the machine took are not used; probes that left are answered.
        let holds = runs.iter().any(|run| run.lost == 0 && run.share_of_trouble() <= USABLE);
        assert!(holds || *count != HOLDS, "{HOLDS} sessions lose probes or leave them out");
        if median(troubles) > 1.0 / CLEAN {
            break;
        }
        most = Some(*count);
    }
    match most {
        Some(count) => println!("the most that hold: {count}"),
        None => println!("none of these hold"),
    }
}

/// What a probe of many sessions costs, beside one of a prober that knows nothing of sessions.
fn compare(effort: Effort, chosen: &[u16]) {
    let (usual, rounds, length): (&[u16], _, _) = effort.choose(
        (&[10], 1, Duration::from_millis(200)),
        (&[10, 1_000, 10_000], 7, Duration::from_secs(2)),
    );
    let counts = if chosen.is_empty() { usual } else { chosen };
    println!("processor time of a probe, medians of {rounds} runs of {length:?} in turns");
    println!("{:>8} {:>8} {:>8} {:>8} {:>8}", "sessions", "bare ns", "ns", "of bare", "at most");
    for count in counts {
        let (mut bare, mut own) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let far = Sleepless::start(near_end::loopback(), REFLECTOR);
            bare.push(crowd::cost(far.address, *count, length));
            assert!(far.stop() > 0, "nothing was answered");
            // Twice as many slots as the bare one could use.
            let interval = Duration::from_micros(5) * u32::from(*count);
            own.push(Run::of(*count, interval, length).cost);
        }
        let (bare, own) = (median(bare), median(own));
        let of_bare = bare / own;
        println!("{count:8} {bare:8.0} {own:8.0} {of_bare:8.3} {:6.0}/s", 1e9 / own);
        assert!(effort == Effort::Smoke || of_bare >= LEAST_OF_BARE, "a probe costs too much");
    }
}

/// So many sessions on one worker, once.
struct Run {
    count: u16,
    rate: f64,
    lost: u64,
    local: u64,
    unsent: u64,
    slots: u64,
    p50: f64,
    p99: f64,
    worst: f64,
    /// Lateness of all probes at p99, in microseconds.
    late: f64,
    sender: f64,
    reflector: f64,
    memory: f64,
    /// Processor time of the sender for each probe, in nanoseconds.
    cost: f64,
}

impl Run {
    fn of(count: u16, interval: Duration, length: Duration) -> Self {
        let far = Sleepless::start(near_end::loopback(), REFLECTOR);
        let lag = Arc::new(lateness::histogram());
        let setups = (0..count).map(|_| {
            let mut setup = near_end::session(far.address, interval, length, true);
            setup.config.lag = Some(Arc::clone(&lag));
            setup
        });
        let pool = near_end::start(setups.collect());
        std::thread::sleep(length.mul_f64(0.95));
        let core =
            |thread| threads::processor_ns(thread) as f64 / (length.as_nanos() as f64 * 0.95);
        let (sender, reflector, memory) = (core(SENDER), core(REFLECTOR), resident_mib());
        let sessions = pool.join().expect("the worker ends well");
        assert!(far.stop() > 0, "nothing was answered");
        let sum = |of: fn(&SessionSnapshot) -> u64| sessions.iter().map(of).sum::<u64>();
        let of = |of: fn(&SessionSnapshot) -> Option<TimeDelta>| -> Vec<f64> {
            let micros = |value: TimeDelta| value.ns() as f64 / 1_000.0;
            sessions.iter().map(|session| of(session).map_or(f64::NAN, micros)).collect()
        };
        let p99 = of(|s| s.delay.round_trip.p99);
        let (sent, unsent) = (sum(|s| s.packets.sent), sum(|s| s.packets.unsent.total()));
        Self {
            count,
            rate: sent as f64 / length.as_secs_f64(),
            lost: sum(|s| s.packets.lost.round_trip),
            local: sum(|s| s.packets.lost.local),
            unsent,
            slots: sent + unsent,
            p50: median(of(|s| s.delay.round_trip.p50)),
            worst: p99.iter().copied().fold(0.0, f64::max),
            p99: median(p99),
            late: lateness::below_which(&lag, 990),
            sender,
            reflector,
            memory,
            cost: sender * length.as_nanos() as f64 / sent as f64,
        }
    }

    fn share_of_trouble(&self) -> f64 {
        (self.lost + self.unsent) as f64 / self.slots.max(1) as f64
    }

    fn head() {
        println!(
            "{:>8} {:>9} {:>8} {:>9} {:>8} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9} {:>8}",
            "sessions",
            "sent/s",
            "lost",
            "of these",
            "unsent",
            "p50 us",
            "p99 us",
            "worst p99",
            "late p99",
            "sender",
            "reflector",
            "RSS MiB"
        );
        println!(
            "{:>8} {:>9} {:>8} {:>9} {:>8} {:>43} {:>19}",
            "", "", "", "ours", "", "us", "core"
        );
    }

    fn print(&self) {
        println!(
            "{:8} {:9.0} {:8} {:9} {:8} {:10.1} {:10.1} {:10.1} {:9.1} {:9.2} {:9.2} {:8.1}",
            self.count,
            self.rate,
            self.lost,
            self.local,
            self.unsent,
            self.p50,
            self.p99,
            self.worst,
            self.late,
            self.sender,
            self.reflector,
            self.memory,
        );
    }
}

/// Memory of this process that is in use.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}
