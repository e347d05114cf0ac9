//! What one session can send, and what a probe costs.
//!
//! `cargo bench -p stamp-worker --bench sender`
//!
//! One session on loopback against the reflector of the product, each on its own worker thread.
//! First the clean rate, kernel transmit stamps on: the rate is raised step by step; a step is clean
//! when at most one slot in 10 000 was lost or not used, in the median of its rounds. Then the rate
//! of a session that is given more slots than it can use, which makes its worker work throughout,
//! beside a bare prober: `sendmmsg`, `recvmmsg` of what came back, nothing read. Of its two forms the
//! one with a call for each probe is what a paced session is compared with: it never has two to send.
//! A session whose T1 is the kernel's is compared with the same prober taking those stamps as well:
//! a call more for each round, and the kernel's work of making them.

mod driver;
mod far_end;
mod measure;
mod near_end;
mod reflection;
mod threads;

use std::time::Duration;

use driver::Driver;
use measure::{Effort, median};
use stamp_net::SocketOptions;
use stamp_proto::packet::AuthenticationMode;
use stamp_session::snapshot::SessionSnapshot;

const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;
/// Lost and unused slots that a clean rate may have: one in so many.
const CLEAN: f64 = 10_000.0;

/// Name of the sender's thread.
const SENDER: &str = "sender";

fn main() {
    let effort = Effort::asked_for();
    step_up(effort);
    compare(effort);
}

/// One run of one session.
struct Run {
    session: SessionSnapshot,
    processor_ns: u64,
    length: Duration,
}

fn probe(interval: Duration, length: Duration, transmit_stamps: bool) -> Run {
    let far = far_end::start(near_end::loopback(), OPEN, false);
    let setup = near_end::session(far.address, interval, length, transmit_stamps);
    let pool = near_end::start(vec![setup]);
    std::thread::sleep(length.mul_f64(0.95));
    let processor_ns = threads::processor_ns(SENDER);
    let mut sessions = pool.join().expect("the worker ends well");
    let answered = far.pool.stop().reflected();
    assert!(answered > 0, "nothing was answered");
    Run { session: sessions.remove(0), processor_ns, length }
}

impl Run {
    fn rate(&self) -> f64 {
        self.session.packets.sent as f64 / self.length.as_secs_f64()
    }

    fn slots(&self) -> f64 {
        let packets = &self.session.packets;
        (packets.sent + packets.unsent.total()) as f64
    }

    fn lost(&self) -> f64 {
        self.session.packets.lost.round_trip as f64 / self.slots()
    }

    fn unsent(&self) -> f64 {
        self.session.packets.unsent.total() as f64 / self.slots()
    }

    fn corrected(&self) -> f64 {
        let stamps = &self.session.stamps.probe_sent;
        stamps.kernel as f64 / (stamps.kernel + stamps.user).max(1) as f64
    }
}

fn step_up(effort: Effort) {
    let rates: &[u32] = effort.choose(&[10, 20], &[20, 40, 60, 80, 90, 100, 110, 120, 140]);
    let (rounds, length) =
        effort.choose((1, Duration::from_millis(200)), (7, Duration::from_secs(1)));
    println!("one session, kernel transmit stamps, medians of {rounds} runs of {length:?}");
    println!(
        "{:>6} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>12}",
        "kpps", "sent/s", "lost", "unsent", "best unsent", "T1 kernel", "core", "late p99 us"
    );
    let mut clean = None;
    for kpps in rates {
        let interval = Duration::from_nanos(1_000_000 / u64::from(*kpps));
        let runs: Vec<Run> = (0..rounds).map(|_| probe(interval, length, true)).collect();
        let of = |value: &dyn Fn(&Run) -> f64| median(runs.iter().map(value).collect());
        let best = runs.iter().map(Run::unsent).fold(1.0, f64::min);
        let late = of(&|run| micros(run.session.lateness.p99));
        let core = of(&|run| run.processor_ns as f64 / run.length.as_nanos() as f64);
        println!(
            "{kpps:6} {:10.0} {:9.4}% {:9.4}% {:9.4}% {:9.2}% {:9.2} {late:12.1}",
            of(&Run::rate),
            of(&Run::lost) * 100.0,
            of(&Run::unsent) * 100.0,
            best * 100.0,
            of(&Run::corrected) * 100.0,
            core,
        );
        let bad = of(&|run| run.lost() + run.unsent());
        if bad <= 1.0 / CLEAN {
            clean = Some(*kpps);
        }
    }
    match clean {
        Some(kpps) => println!("highest clean rate: {kpps} kpps"),
        None => println!("no rate was clean"),
    }
}

fn micros(delta: Option<stamp_proto::time::TimeDelta>) -> f64 {
    delta.map_or(f64::NAN, |delta| delta.ns() as f64 / 1_000.0)
}

fn compare(effort: Effort) {
    let (rounds, length) =
        effort.choose((1, Duration::from_millis(100)), (21, Duration::from_millis(400)));
    // More slots than can be used.
    let interval = Duration::from_micros(5);
    let (mut batches, mut single, mut taking) = (Vec::new(), Vec::new(), Vec::new());
    let (mut plain, mut stamped) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        batches.push(bare_cost(32, false, length));
        single.push(bare_cost(1, false, length));
        taking.push(bare_cost(1, true, length));
        plain.push(cost(&probe(interval, length, false)));
        stamped.push(cost(&probe(interval, length, true)));
    }
    let (single, taking) = (median(single), median(taking));
    println!("processor time per round trip of a prober that always has something to send");
    println!("{:<34} {:>6} {:>8}", "", "ns", "of bare");
    for (name, own, bare) in [
        ("bare, sendmmsg of 32", median(batches), single),
        ("bare, a call for each probe", single, single),
        ("session, T1 by the program", median(plain), single),
        ("bare, and the kernel's stamps", taking, taking),
        ("session, T1 by the kernel", median(stamped), taking),
    ] {
        println!("{name:<34} {own:6.0} {:8.3}", bare / own);
    }
}

fn cost(run: &Run) -> f64 {
    // Asked at 95 % of the time.
    run.processor_ns as f64 / (run.session.packets.sent as f64 * 0.95)
}

/// Processor time per probe of the driver of the reflector bench.
fn bare_cost(step: usize, stamped: bool, length: Duration) -> f64 {
    let far = far_end::start(near_end::loopback(), OPEN, false);
    let options = SocketOptions { transmit_stamps: stamped, ..driver::options(far.address) };
    let mut driver = Driver::open(&options, OPEN, step);
    let before = stamp_net::clock::thread_cpu_ns();
    let driven = driver.drive(far.address, length);
    let spent = stamp_net::clock::thread_cpu_ns() - before;
    assert!(driven.lost == 0 && driven.lasted >= length / 2, "the reflector did not keep up");
    spent as f64 / driven.answered as f64
}
