//! Memory of a sender session, counted by the allocator.
//!
//! `cargo bench -p stamp-worker --bench memory`
//!
//! Sessions of 3.3 ms and a timeout of a second run until every histogram has values, all on one
//! worker on loopback; what another hundred of them hold, divided by a hundred. Sockets live in the
//! kernel and are not counted. A reflector session is measured by a test of `stamp-session`.

#[path = "../../stamp-net/src/sys/counting_allocator.rs"]
#[expect(unsafe_code, reason = "lives in `sys` of stamp-net like all of it")]
mod counting_allocator;
mod far_end;
mod measure;
mod near_end;

use std::time::Duration;

use counting_allocator::CountingAllocator;
use measure::{Effort, median};
use stamp_proto::packet::AuthenticationMode;
use stamp_session::sender::StatisticsScope;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

const INTERVAL: Duration = Duration::from_micros(3_300);
/// `design.md` allows this much for a session with window histograms.
const BUDGET: f64 = 40.0 * 1024.0;

fn main() {
    let effort = Effort::asked_for();
    let (rounds, length) =
        effort.choose((1, Duration::from_millis(300)), (5, Duration::from_secs(2)));
    println!("octets of a sender session, medians of {rounds}");
    for (name, scope) in [
        ("quantiles of the run", StatisticsScope::Run),
        ("quantiles of windows", StatisticsScope::Window),
        ("both", StatisticsScope::Both),
    ] {
        let each = median((0..rounds).map(|_| session_octets(scope, length)).collect());
        println!("{name:<22} {each:8.0}  {:.2} of {BUDGET}", each / BUDGET);
    }
}

/// What a session more holds shortly before it ends.
fn session_octets(scope: StatisticsScope, length: Duration) -> f64 {
    let (few, many) = (held(5, scope, length), held(55, scope, length));
    (many - few) / 50.0
}

fn held(count: u16, scope: StatisticsScope, length: Duration) -> f64 {
    let far = far_end::start(near_end::loopback(), AuthenticationMode::Unauthenticated, true);
    let before = ALLOCATOR.held();
    let sessions = (0..count).map(|_| {
        let mut setup = near_end::session(far.address, INTERVAL, length, true);
        setup.config.statistics = scope;
        setup.config.timeout = Duration::from_secs(1);
        setup
    });
    let pool = near_end::start(sessions.collect());
    std::thread::sleep(length.mul_f64(0.8));
    let held = ALLOCATOR.held() - before;
    let sent: u64 = pool.join().expect("it ends well").iter().map(|s| s.packets.received).sum();
    assert!(far.pool.stop().reflected() >= sent && sent > 0, "nothing came back");
    held as f64
}
