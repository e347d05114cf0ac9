//! Many sessions on one sender worker, and how many are too many.
//!
//! `cargo bench -p stamp-worker --bench sessions`
//!
//! Every session has a socket of its own and probes each 3.3 ms with kernel transmit stamps; one
//! reflector worker answers, both on loopback. The round trip is what the sessions report (without
//! residence): the median of the sessions, and the worst. Memory is that of the whole process,
//! reflector and bench included.

mod far_end;
mod measure;
mod near_end;
mod threads;

use std::time::Duration;

use measure::{Effort, median};
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::TimeDelta;
use stamp_session::snapshot::SessionSnapshot;

const INTERVAL: Duration = Duration::from_micros(3_300);

/// Name of the reflector's thread.
const REFLECTOR: &str = "reflector-0";
/// Name of the sender's thread.
const SENDER: &str = "sender";

fn main() {
    let effort = Effort::asked_for();
    let (counts, length): (&[u16], _) = effort.choose(
        (&[10], Duration::from_millis(500)),
        (&[200, 300, 400, 500, 600, 800, 1_000], Duration::from_secs(5)),
    );
    // Two descriptors for each session would be plenty.
    let _ = stamp_net::limits::raise_descriptor_limit();
    println!("sessions of 3.3 ms for {length:?}");
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
    println!("{:>8} {:>9} {:>8} {:>9} {:>8} {:>43} {:>19}", "", "", "", "ours", "", "us", "core");
    for count in counts {
        run(*count, length);
    }
}

fn run(count: u16, length: Duration) {
    let far = far_end::start(near_end::loopback(), AuthenticationMode::Unauthenticated, false);
    let setups = (0..count).map(|_| near_end::session(far.address, INTERVAL, length, true));
    let pool = near_end::start(setups.collect());
    std::thread::sleep(length.mul_f64(0.95));
    let core = |thread| threads::processor_ns(thread) as f64 / (length.as_nanos() as f64 * 0.95);
    let (sender, reflector, memory) = (core(SENDER), core(REFLECTOR), resident_mib());
    let sessions = pool.join().expect("the worker ends well");
    assert!(far.pool.stop().reflected() > 0, "nothing was answered");
    let sum = |of: fn(&SessionSnapshot) -> u64| sessions.iter().map(of).sum::<u64>();
    let micros = |value: Option<TimeDelta>| value.map_or(f64::NAN, |v| v.ns() as f64 / 1_000.0);
    let p99: Vec<f64> = sessions.iter().map(|s| micros(s.delay.round_trip.p99)).collect();
    let worst = p99.iter().copied().fold(0.0, f64::max);
    println!(
        "{count:8} {:9.0} {:8} {:9} {:8} {:10.1} {:10.1} {worst:10.1} {:9.1} {sender:9.2} \
         {reflector:9.2} {memory:8.1}",
        sum(|s| s.packets.sent) as f64 / length.as_secs_f64(),
        sum(|s| s.packets.lost.round_trip),
        sum(|s| s.packets.lost.local),
        sum(|s| s.packets.unsent.total()),
        median(sessions.iter().map(|s| micros(s.delay.round_trip.p50)).collect()),
        median(p99),
        median(sessions.iter().map(|s| micros(s.lateness.p99)).collect()),
    );
}

/// Memory of this process that is in use.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}
