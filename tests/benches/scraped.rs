//! Whether probes are later for a scrape.
//!
//! `cargo bench -p stamp-tests --bench scraped`, or with `-- 1000` for this number of sessions only.
//!
//! Sessions of a probe every 100 ms on one worker, in turns: left alone, and scraped, each scrape at the
//! heels of the one before. A scrape asks the worker for all sessions, a few at a time, and makes the whole
//! text of them, as the exporter does; Prometheus comes every fifteen seconds. Lateness is that of all probes of
//! a turn, rounded up by a fifth at most. The worker has a core of its own; the reflector, which never
//! sleeps, and whoever scrapes share the other.

#[path = "scraped/cores.rs"]
mod cores;
#[path = "../../stamp-worker/benches/lateness.rs"]
mod lateness;
#[path = "../../stamp-worker/benches/measure.rs"]
mod measure;
#[path = "../../stamp-worker/benches/near_end.rs"]
mod near_end;
#[path = "../../stamp-worker/benches/reflection.rs"]
mod reflection;
#[path = "../../stamp-worker/benches/sleepless.rs"]
mod sleepless;
#[path = "../../stamp-worker/benches/threads.rs"]
mod threads;

use std::sync::Arc;
use std::time::Duration;

use cores::Cores;
use lateness::below_which;
use measure::{Effort, median};
use sleepless::Sleepless;
use stamp_metrics::SessionCounters;
use stamp_metrics::process::Process;
use stamp_metrics::program::Program;
use stamp_metrics::sender::{Identity, Now, Sender, Session};
use stamp_net::Poller;
use stamp_session::clock::MonotonicTime;
use stamp_session::snapshot::SessionSnapshot;
use stamp_session::statistics::Histogram;
use stamp_worker::sender::SenderAsker;

/// Interval of every session.
const INTERVAL: Duration = Duration::from_millis(100);
/// A worker of which 99 probes in 100 are no later than this has time left, in microseconds.
const IN_TIME_US: f64 = 100.0;
/// Name of the reflector's thread.
const REFLECTOR: &str = "reflector";
/// Name of the sender's thread.
const SENDER: &str = "sender";

fn main() {
    let effort = Effort::asked_for();
    let _ = stamp_net::limits::raise_descriptor_limit();
    let cores = Cores::of_this_process();
    let chosen: Vec<u16> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (usual, rounds, length, is_judged): (&[u16], _, _, _) = effort.choose(
        (&[32], 1, Duration::from_millis(500), false),
        (&[1_000, 10_000], 7, Duration::from_secs(5), true),
    );
    let counts = if chosen.is_empty() { usual } else { &chosen };
    println!("sessions of {INTERVAL:?}, medians of {rounds} turns of {length:?} each");
    println!(
        "{:>8} {:>8} {:>9} {:>8} {:>8} {:>10} {:>10} {:>10} {:>9}",
        "sessions",
        "turns",
        "scrapes/s",
        "sent/s",
        "unsent",
        "late p50",
        "p99",
        "p99.9 us",
        "ns/probe"
    );
    for count in counts {
        let (mut alone, mut scraped) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            alone.push(Turn::of(*count, length, &cores, false));
            scraped.push(Turn::of(*count, length, &cores, true));
        }
        assert!(scraped.iter().all(|turn| turn.scrapes > 0), "nobody has scraped");
        let (alone, scraped) = (Medians::of(&alone), Medians::of(&scraped));
        alone.print(*count, "alone", length);
        scraped.print(*count, "scraped", length);
        println!(
            "{:>8} {:>17} {:>37.2} {:>10.2} {:>10.2} {:>9.2}",
            "",
            "scraped of alone",
            scraped.p50 / alone.p50,
            scraped.p99 / alone.p99,
            scraped.p99_9 / alone.p99_9,
            scraped.cost / alone.cost
        );
        // Where it keeps up by itself, a scrape makes no more of one probe in a hundred than the machine of one in
        // a thousand.
        if is_judged && alone.p99 < IN_TIME_US {
            let (with, without) = (scraped.p99, alone.p99_9);
            assert!(with <= without, "{count} sessions: {with} us for a scrape, {without} us");
        }
    }
}

/// Sessions for a while, scraped or not.
struct Turn {
    scrapes: u64,
    sent: u64,
    unsent: u64,
    lag: Arc<Histogram>,
    /// Processor time of the worker for each probe, in nanoseconds.
    cost: f64,
}

impl Turn {
    fn of(count: u16, length: Duration, cores: &Cores, is_scraped: bool) -> Self {
        let far = Sleepless::start(near_end::loopback(), REFLECTOR);
        let lag = Arc::new(lateness::histogram());
        let setups = (0..count).map(|_| {
            let mut setup = near_end::session(far.address, INTERVAL, length, true);
            setup.config.lag = Some(Arc::clone(&lag));
            setup
        });
        let pool = near_end::start(setups.collect());
        // A thread has its name once it runs, and one that answers runs.
        assert_eq!(pool.standings_of(vec![0]).len(), 1, "the worker is there");
        let _ = cores.give_one_to(SENDER);
        let end = stamp_worker::now().monotonic.saturating_add(length.mul_f64(0.95));
        let scrapes = if is_scraped { scrape_until(end, &pool.asker(), count, &lag) } else { 0 };
        let _ = Poller::new().expect("a poller").wait(Some(end.ns())).expect("nothing comes");
        let spent = threads::processor_ns(SENDER) as f64;
        let sessions = pool.join().expect("the worker ends well");
        assert!(far.stop() > 0, "nothing was answered");
        let sum = |of: fn(&SessionSnapshot) -> u64| sessions.iter().map(of).sum::<u64>();
        let (sent, unsent) = (sum(|s| s.packets.sent), sum(|s| s.packets.unsent.total()));
        let cost = spent / 0.95 / sent as f64;
        Self { scrapes, sent, unsent, lag, cost }
    }
}

/// The middle of turns.
struct Medians {
    scrapes: f64,
    sent: f64,
    unsent: f64,
    /// Lateness in microseconds.
    p50: f64,
    p99: f64,
    p99_9: f64,
    cost: f64,
}

impl Medians {
    fn of(turns: &[Turn]) -> Self {
        let middle = |of: fn(&Turn) -> f64| median(turns.iter().map(of).collect());
        Self {
            scrapes: middle(|turn| turn.scrapes as f64),
            sent: middle(|turn| turn.sent as f64),
            unsent: middle(|turn| turn.unsent as f64),
            p50: middle(|turn| below_which(&turn.lag, 500)),
            p99: middle(|turn| below_which(&turn.lag, 990)),
            p99_9: middle(|turn| below_which(&turn.lag, 999)),
            cost: middle(|turn| turn.cost),
        }
    }

    fn print(&self, count: u16, turns: &str, length: Duration) {
        let Self { scrapes, sent, unsent, p50, p99, p99_9, cost } = self;
        let seconds = length.as_secs_f64();
        println!(
            "{count:8} {turns:>8} {:9.2} {:8.0} {unsent:8.0} {p50:10.1} {p99:10.1} {p99_9:10.1} {cost:9.0}",
            scrapes / seconds,
            sent / seconds,
        );
    }
}

/// Scrapes until then; how often.
fn scrape_until(end: MonotonicTime, asker: &SenderAsker, count: u16, lag: &Arc<Histogram>) -> u64 {
    let named = |number| Identity { name: format!("session-{number}"), ..Identity::default() };
    let identities: Vec<_> = (0..count).map(named).map(Arc::new).collect();
    let (mut scrapes, mut longest) = (0, Duration::ZERO);
    loop {
        let began = stamp_worker::now().monotonic;
        // The last one ends before the sessions do.
        if began.saturating_add(longest) >= end {
            return scrapes;
        }
        scrapes += u64::from(scrape(asker, &identities, lag));
        longest = longest.max(stamp_worker::now().monotonic.since(began));
    }
}

/// Whether the worker was there for all of it.
fn scrape(asker: &SenderAsker, identities: &[Arc<Identity>], lag: &Arc<Histogram>) -> bool {
    let mut sessions = Vec::with_capacity(identities.len());
    let numbers: Vec<usize> = (0..identities.len()).collect();
    let is_whole = asker.standings_of(&numbers, |number, standing| {
        sessions.push(Session {
            identity: Arc::clone(&identities[number]),
            counters: SessionCounters::of(&standing),
            now: Some(Now::from(standing)),
            window: None,
            histograms: None,
            announced: None,
            broken: None,
        });
    });
    if !is_whole {
        return false;
    }
    let program = Program { name: "bench", process: Process::read(), ..Program::default() };
    let sender = Sender {
        program,
        running: sessions.len(),
        waiting: 0,
        has_histograms: false,
        lag: Arc::clone(lag),
        shard: None,
        discovery: Vec::new(),
        policies: Vec::new(),
        sessions,
    };
    sender.shared().exposition().map(|piece| piece.len()).sum::<usize>() > 0
}
