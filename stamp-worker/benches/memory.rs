//! Memory of a sender session, counted by the allocator.
//!
//! `cargo bench -p stamp-worker --bench memory`
//!
//! Sessions run until every histogram has values, all on one worker on loopback; what fifty more of
//! them hold, divided by fifty. Half of it or more is the table of probes that may be awaited, which
//! the ratio of timeout and interval decides. Sockets live in the kernel and are not counted. A
//! reflector session is measured by a test of `stamp-session`.

#[path = "../../stamp-net/src/sys/counting_allocator.rs"]
#[expect(unsafe_code, reason = "lives in `sys` of stamp-net like all of it")]
mod counting_allocator;
mod far_end;
mod measure;
mod near_end;
mod reflection;

use std::time::Duration;

use counting_allocator::CountingAllocator;
use measure::{Effort, median};
use stamp_proto::packet::AuthenticationMode;
use stamp_session::sender::StatisticsScope;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// Interval and timeout in µs: as a daemon probes many paths, and as fast probing on the command
/// line does unless told otherwise.
const TIMES: [(u64, u64); 3] = [(10_000, 50_000), (3_300, 50_000), (3_300, 1_000_000)];
/// What a session with window histograms may hold (docs/performance.md).
const BUDGET: f64 = 40.0 * 1024.0;

fn main() {
    let effort = Effort::asked_for();
    let (rounds, length) =
        effort.choose((1, Duration::from_millis(200)), (3, Duration::from_millis(1_500)));
    println!("memory of a sender session, medians of {rounds}");
    for times in TIMES {
        for (name, scope) in [
            ("quantiles of the run", StatisticsScope::Run),
            ("quantiles of windows", StatisticsScope::Window),
            ("both", StatisticsScope::Both),
        ] {
            let octets = (0..rounds).map(|_| session_octets(times, scope, length)).collect();
            let (each, (interval, timeout)) = (median(octets), times);
            println!(
                "interval {interval:5} us, timeout {timeout:7} us, {name:<20} {each:8.0} octets, \
                 {:.2} of the budget",
                each / BUDGET
            );
        }
    }
}

/// What a session more holds shortly before it ends.
fn session_octets(times: (u64, u64), scope: StatisticsScope, length: Duration) -> f64 {
    let (few, many) = (held(5, times, scope, length), held(55, times, scope, length));
    (many - few) / 50.0
}

fn held(count: u16, times: (u64, u64), scope: StatisticsScope, length: Duration) -> f64 {
    let (interval, timeout) = (Duration::from_micros(times.0), Duration::from_micros(times.1));
    let far = far_end::start(near_end::loopback(), AuthenticationMode::Unauthenticated, true);
    let before = ALLOCATOR.held();
    let sessions = (0..count).map(|_| {
        let mut setup = near_end::session(far.address, interval, length, true);
        setup.config.statistics = scope;
        setup.config.timeout = timeout;
        setup
    });
    let pool = near_end::start(sessions.collect());
    std::thread::sleep(length.mul_f64(0.8));
    let held = ALLOCATOR.held() - before;
    let sent: u64 = pool.join().expect("it ends well").iter().map(|s| s.packets.received).sum();
    assert!(far.pool.stop().reflected() >= sent && sent > 0, "nothing came back");
    held as f64
}
