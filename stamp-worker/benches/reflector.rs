//! What the reflector costs beside the least that an echo can do.
//!
//! `cargo bench -p stamp-worker --bench reflector`
//!
//! A driver keeps a window of probes on the way: it sends as many as came back. Contenders:
//! * `bare`: `poll`, `recvmmsg`, `sendmmsg`, nothing else;
//! * `informed`: the same, with the kernel asked for everything that a reflector needs (its stamp,
//!   TTL, traffic class, destination, drops, the source of the answer), unread;
//! * the pool of the product: one worker, wildcard listener, rate limit off.
//!
//! Phases alternate, each with a thread and a socket of its own; medians over phases. Processor time
//! is that of the echoing thread alone, from `/proc/self/task/*/schedstat`, and does not depend on
//! what else the machine does as much as the rate.

#[path = "../../stamp-net/src/sys/bare_echo.rs"]
#[expect(unsafe_code, reason = "lives in `sys` of stamp-net like all of it")]
mod bare_echo;
mod driver;
mod far_end;
mod measure;
mod reflection;
mod threads;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use driver::Driver;
use far_end::FarEnd;
use measure::{Effort, median};
use nix::poll::{PollFd, PollFlags, poll};
use stamp_net::{SocketOptions, UdpSocket};
use stamp_proto::packet::AuthenticationMode;

const BARE: &str = "bare-echo";

/// Name of the reflector's thread.
const REFLECTOR: &str = "reflector-0";

fn main() {
    let effort = Effort::asked_for();
    println!(
        "{:<28} {:>9} {:>8} {:>8} {:>9} {:>6}",
        "reflector", "ns/packet", "of bare", "of inf.", "packets/s", "lost"
    );
    for local in [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()] {
        let local = SocketAddr::new(local, 0);
        if UdpSocket::open(&SocketOptions::new(local)).is_err() {
            println!("{local}: not on this host");
            continue;
        }
        for group in [&OPEN[..], &AUTHENTICATED] {
            compare(local, group, effort);
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Bare,
    Informed,
    Product { stateful: bool },
}

type Contender = (&'static str, AuthenticationMode, Kind);

const OPEN: [Contender; 4] = [
    ("bare 44 octets", AuthenticationMode::Unauthenticated, Kind::Bare),
    ("informed 44 octets", AuthenticationMode::Unauthenticated, Kind::Informed),
    ("open", AuthenticationMode::Unauthenticated, Kind::Product { stateful: false }),
    ("open stateful", AuthenticationMode::Unauthenticated, Kind::Product { stateful: true }),
];
const AUTHENTICATED: [Contender; 4] = [
    ("bare 112 octets", AuthenticationMode::Authenticated, Kind::Bare),
    ("informed 112 octets", AuthenticationMode::Authenticated, Kind::Informed),
    ("authenticated", AuthenticationMode::Authenticated, Kind::Product { stateful: false }),
    ("authenticated stateful", AuthenticationMode::Authenticated, Kind::Product { stateful: true }),
];

/// Probes that the driver sends at once.
const STEP: usize = 32;

/// What one phase found.
struct Phase {
    processor_ns: f64,
    rate: f64,
    lost: u64,
}

fn compare(local: SocketAddr, group: &[Contender], effort: Effort) {
    let (rounds, length) =
        effort.choose((1, Duration::from_millis(40)), (41, Duration::from_millis(120)));
    let mut phases: Vec<Vec<Phase>> = group.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for ((_, mode, kind), phases) in group.iter().zip(&mut phases) {
            phases.push(run(local, *mode, *kind, length));
        }
    }
    let time = |phases: &[Phase]| median(phases.iter().map(|phase| phase.processor_ns).collect());
    let (bare, informed) = (time(&phases[0]), time(&phases[1]));
    let family = if local.is_ipv4() { "IPv4" } else { "IPv6" };
    for ((name, ..), phases) in group.iter().zip(&phases) {
        let own = time(phases);
        let rate = median(phases.iter().map(|phase| phase.rate).collect());
        let lost: u64 = phases.iter().map(|phase| phase.lost).sum();
        let name = format!("{family} {name}");
        let (of_bare, of_informed) = (bare / own, informed / own);
        println!("{name:<28} {own:9.0} {of_bare:8.3} {of_informed:8.3} {rate:9.0} {lost:6}");
    }
}

fn run(local: SocketAddr, mode: AuthenticationMode, kind: Kind, length: Duration) -> Phase {
    let mut driver = Driver::open(&driver::options(local), mode, STEP);
    match kind {
        Kind::Bare | Kind::Informed => {
            let echo = Echo::start(local, kind == Kind::Informed);
            timed(&mut driver, echo.address, BARE, length)
        }
        Kind::Product { stateful } => {
            let FarEnd { pool, address } = far_end::start(local, mode, stateful);
            let phase = timed(&mut driver, address, REFLECTOR, length);
            let counts = pool.stop();
            assert!(counts.reflected() > 0, "{counts:?}");
            phase
        }
    }
}

fn timed(driver: &mut Driver, to: SocketAddr, thread: &str, length: Duration) -> Phase {
    /// For the thread to come to rest, after which its processor time is exact.
    const REST: Duration = Duration::from_millis(2);
    driver.drive(to, length / 8);
    std::thread::sleep(REST);
    let before = threads::processor_ns(thread);
    let driven = driver.drive(to, length);
    std::thread::sleep(REST);
    let spent = threads::processor_ns(thread) - before;
    assert!(driven.answered > 0, "nothing came back");
    Phase {
        processor_ns: spent as f64 / driven.answered as f64,
        rate: driven.answered as f64 / driven.lasted.as_secs_f64(),
        lost: driven.lost,
    }
}

/// An echo of no use on a thread of its own.
struct Echo {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    fn start(local: SocketAddr, informed: bool) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (address, thread);
        if informed {
            let socket = UdpSocket::open(&SocketOptions::new(local)).expect("a socket");
            address = loopback(socket.local_addr());
            thread = spawn(socket, Some(source(address.ip())), &over);
        } else {
            let socket = std::net::UdpSocket::bind(local).expect("a socket");
            address = loopback(socket.local_addr().expect("it is bound"));
            thread = spawn(socket, None, &over);
        }
        Self { address, over, thread: Some(thread) }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the echo ends well");
        }
    }
}

fn spawn(
    socket: impl AsFd + Send + 'static,
    control: Option<Vec<u8>>,
    over: &Arc<AtomicBool>,
) -> JoinHandle<()> {
    /// How often it looks whether it is over.
    const LOOK_MS: u8 = 20;
    let over = Arc::clone(over);
    let work = move || {
        let mut echo = bare_echo::BareEcho::new(control);
        while !over.load(Ordering::Relaxed) {
            let mut descriptors = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
            poll(&mut descriptors, LOOK_MS).expect("a usable socket");
            while echo.echo(socket.as_fd()) > 0 {}
        }
    };
    std::thread::Builder::new().name(BARE.to_owned()).spawn(work).expect("a thread")
}

fn loopback(mut address: SocketAddr) -> SocketAddr {
    address.set_ip(match address {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    });
    address
}

/// `IP_PKTINFO` or `IPV6_PKTINFO` as a control message.
fn source(ip: IpAddr) -> Vec<u8> {
    let (level, kind, data) = match ip {
        IpAddr::V4(v4) => (0, 8, [&[0; 4][..], &v4.octets(), &[0; 4]].concat()),
        IpAddr::V6(v6) => (41, 50, [&v6.octets()[..], &[0; 4]].concat()),
    };
    let header = size_of::<usize>() + 8;
    let mut control = (header + data.len()).to_ne_bytes().to_vec();
    control.extend([i32::to_ne_bytes(level), i32::to_ne_bytes(kind)].concat());
    control.extend(data);
    control.resize(control.len().next_multiple_of(size_of::<usize>()), 0);
    control
}
