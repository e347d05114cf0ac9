//! What a scrape of many sessions costs: processor time, and memory on top of what is held anyway.
//!
//! `cargo bench -p stamp-metrics --bench scrape`
//!
//! Every session has thresholds in all directions and a window with all figures. Counted is what the
//! exporter does besides the kernel: snapshots of all engines, their counters, and the whole text in
//! its pieces, each dropped as soon as it is there, as a client takes it. A packet thread is asked for
//! sixteen sessions at a time; how long that keeps it from its packets is the last column. It fails where ten thousand
//! sessions take more memory than their budget, and where one of many costs half as much again as one of fewer.

#[path = "../../stamp-net/src/sys/counting_allocator.rs"]
#[expect(unsafe_code, reason = "lives in `sys` of stamp-net like all of it")]
mod counting_allocator;

use std::sync::Arc;
use std::time::{Duration, Instant};

use counting_allocator::CountingAllocator;
use stamp_metrics::process::Process;
use stamp_metrics::program::{Program, Reloads};
use stamp_metrics::sender::{Announced, Identity, Now, Sender, Session, Window};
use stamp_metrics::{Ledger, SessionCounters};
use stamp_proto::packet::Ssid;
use stamp_proto::time::TimeDelta;
use stamp_session::clock::MonotonicTime;
use stamp_session::sender::{
    ByDirection, DelayThreshold, LossThreshold, Sender as Engine, SenderConfig, StatisticsScope,
    Thresholds,
};
use stamp_session::snapshot::{DelayReport, DelaySummary, PdvReport, SessionSnapshot};
use stamp_session::statistics::{Buckets, Histogram};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// Budgets of a scrape of ten thousand sessions (docs/performance.md).
const BUDGET_SECONDS: f64 = 1.0;
const BUDGET_OCTETS: f64 = 64.0 * 1024.0 * 1024.0;
/// Sessions that a packet thread is asked for at a time.
const SLICE: usize = 16;

/// What stays between two scrapes.
struct Kept {
    engine: Engine,
    identity: Arc<Identity>,
    window: Window,
    ledger: Ledger<()>,
}

/// What one scrape cost.
struct Cost {
    seconds: f64,
    octets: f64,
    text: usize,
    lines: usize,
    slice: Duration,
}

fn main() {
    let is_smoke = !std::env::args().any(|argument| argument == "--bench");
    let (rounds, counts) = if is_smoke { (1, &[100][..]) } else { (5, &[100, 1_000, 10_000][..]) };
    println!("a scrape, medians of {rounds}");
    let mut least = f64::INFINITY;
    for count in counts {
        let mut sessions: Vec<Kept> = (0..*count).map(session).collect();
        let mut costs: Vec<Cost> = (0..rounds).map(|_| scrape(&mut sessions)).collect();
        costs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let Cost { seconds, octets, text, lines, slice } = costs.swap_remove(rounds / 2);
        println!(
            "{count:6} sessions {:8.1} ms {:6.1} MiB more, {:6.1} MB of text, {lines:8} lines, a \
             packet thread is kept for {:5.1} us",
            seconds * 1e3,
            octets / f64::from(1 << 20),
            text as f64 / 1e6,
            slice.as_secs_f64() * 1e6
        );
        let each = seconds / *count as f64;
        assert!(each <= least * 1.5, "a session of {count} costs more than one of fewer");
        least = least.min(each);
        if *count == 10_000 {
            println!(
                "of the budget: {:.2} of the time, {:.2} of the memory",
                seconds / BUDGET_SECONDS,
                octets / BUDGET_OCTETS
            );
            assert!(octets <= BUDGET_OCTETS, "a scrape takes too much memory");
        }
    }
}

fn session(number: usize) -> Kept {
    let delay = DelayThreshold::absolute(TimeDelta::from_ns(20_000_000), 3).expect("a limit");
    let loss = LossThreshold::new(3, 100).expect("a limit");
    let thresholds = Thresholds {
        delay: ByDirection { forward: Some(delay), backward: Some(delay), round_trip: Some(delay) },
        loss: ByDirection { forward: Some(loss), backward: Some(loss), round_trip: Some(loss) },
    };
    let target = "192.0.2.1:862".parse().expect("an address");
    let config = SenderConfig {
        thresholds: Some(Arc::new(thresholds)),
        statistics: StatisticsScope::Window,
        ..SenderConfig::new(target, Ssid(1))
    };
    let engine = Engine::new(config, MonotonicTime::ZERO).expect("a session");
    let identity = Identity {
        name: format!("session-{number}"),
        target: "192.0.2.1".to_owned(),
        ..Identity::default()
    };
    let mut ledger = Ledger::default();
    ledger.begin(());
    let window = Window::ended(Arc::new(measured(&engine)));
    Kept { engine, identity: Arc::new(identity), window, ledger }
}

/// A window with every figure.
fn measured(engine: &Engine) -> SessionSnapshot {
    let some = Some(TimeDelta::from_ns(1_234_567));
    let delay = DelaySummary {
        count: 1,
        min: some,
        mean: some,
        p50: some,
        p95: some,
        p99: some,
        p99_9: some,
        max: some,
        ..DelaySummary::default()
    };
    let mut window = engine.snapshot();
    window.packets.received = 1;
    window.delay =
        DelayReport { forward: delay, backward: delay, round_trip: delay, residence: delay };
    window.pdv =
        PdvReport { forward: delay.into(), backward: delay.into(), round_trip: delay.into() };
    window.lateness = delay;
    window
}

fn scrape(kept: &mut [Kept]) -> Cost {
    let held = ALLOCATOR.held();
    let began = processor_seconds();
    let mut peak = 0;
    let mut slice = Duration::ZERO;
    let mut sessions = Vec::with_capacity(kept.len());
    for kept in kept.chunks_mut(SLICE) {
        let asked = Instant::now();
        let standings: Vec<_> = kept.iter().map(|kept| kept.engine.standing()).collect();
        slice = slice.max(asked.elapsed());
        for (kept, standing) in kept.iter_mut().zip(standings) {
            kept.ledger.take((), &SessionCounters::of(&standing));
            sessions.push(Session {
                identity: Arc::clone(&kept.identity),
                counters: *kept.ledger.told(),
                now: Some(Now::from(standing)),
                window: Some(kept.window.clone()),
                histograms: None,
                announced: Some(Announced::default()),
                broken: None,
            });
        }
    }
    let program = Program {
        name: "stamp-sender",
        version: "0",
        config: Some(Reloads::started()),
        process: Process::read(),
        ..Program::default()
    };
    let running = sessions.len();
    let (mut text, mut lines) = (0, 0);
    let (has_histograms, lag) = (false, Arc::new(Histogram::new(Buckets::rising([1_000_000]))));
    let sender = Sender {
        program,
        running,
        waiting: 0,
        has_histograms,
        lag,
        shard: None,
        discovery: Vec::new(),
        policies: Vec::new(),
        sessions,
    };
    for piece in sender.shared().exposition() {
        peak = peak.max(ALLOCATOR.held() - held);
        text += piece.len();
        lines += piece.iter().filter(|octet| **octet == b'\n').count();
    }
    let seconds = processor_seconds() - began;
    assert!(lines > kept.len() * 100, "{lines} lines");
    Cost { seconds, octets: peak as f64, text, lines, slice }
}

/// Processor time of this thread.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}
