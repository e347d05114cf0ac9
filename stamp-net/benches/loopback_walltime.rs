//! What the kernel interface of the product costs, beside the least that an echo can do.
//!
//! `cargo bench -p stamp-net` prints for each family the processor time per datagram of
//! * `bare`: `recvmmsg`, `sendmmsg`, nothing else;
//! * `informed`: the same system calls, with the kernel asked for all that the product needs (its
//!   stamp, TTL, traffic class, destination, drops, the source of the answer), unread;
//! * `product`: what a reflector does through this crate, all of it read;
//!
//! then what transmit stamps add to sending. Phases alternate, each with a socket of its own, so
//! that the bare echo does not pay for stamps that another asked for; medians over phases. Only
//! the echo is timed: its queue is filled before and the answers are taken away after.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use stamp_net::{
    ErrorBatch, Outgoing, ReceiveBatch, SendBatch, SendOutcome, SocketOptions, UdpSocket, clock,
};

#[path = "../src/sys/bare_echo.rs"]
#[expect(unsafe_code, reason = "lives in `sys` like all of it")]
mod bare_echo;

const BATCH: usize = 64;
/// Datagrams waiting at once; with their bookkeeping they fit into any queue.
const WAITING: usize = BATCH;
const BUFFER_OCTETS: usize = 2048;

fn main() {
    // `cargo test` runs this too, and wants to know only that it works.
    let (phases, rounds) =
        if std::env::args().any(|arg| arg == "--bench") { (21, 200) } else { (1, 4) };
    for (family, ip) in [("IPv4", Ipv4Addr::LOCALHOST.into()), ("IPv6", Ipv6Addr::LOCALHOST.into())]
    {
        let address = SocketAddr::new(ip, 0);
        let Ok(driver) = Driver::open(address) else {
            println!("{family}: not on this host");
            continue;
        };
        for octets in [44, 112, 1024] {
            let run = Run { driver: &driver, octets, rounds };
            run.compare_echoes(family, phases);
        }
        Run { driver: &driver, octets: 44, rounds }.compare_stamping(family, phases);
    }
}

/// The far end: fills the queue of an echo and takes the answers away.
struct Driver {
    socket: UdpSocket,
}

impl Driver {
    fn open(local: SocketAddr) -> Result<Self, stamp_net::NetError> {
        UdpSocket::open(&SocketOptions::new(local)).map(|socket| Self { socket })
    }

    fn fill(&self, to: SocketAddr, octets: usize) {
        let mut batch = SendBatch::new(BATCH, octets);
        for _ in 0..WAITING / BATCH {
            batch.clear();
            while batch.push(Outgoing::new(octets, to)).is_some() {}
            assert_eq!(self.socket.send(&mut batch), BATCH);
        }
    }

    fn take(&self) -> usize {
        let mut batch = ReceiveBatch::new(BATCH, BUFFER_OCTETS);
        let mut taken = 0;
        while let Ok(count @ 1..) = self.socket.receive(&mut batch) {
            taken += count;
        }
        taken
    }

    fn local(&self) -> SocketAddr {
        self.socket.local_addr()
    }

    fn wildcard(&self) -> SocketAddr {
        match self.local() {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        }
    }
}

struct Run<'a> {
    driver: &'a Driver,
    octets: usize,
    rounds: usize,
}

impl Run<'_> {
    fn compare_echoes(&self, family: &str, phases: usize) {
        let (mut bare, mut informed, mut product) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..phases {
            bare.push(self.bare());
            informed.push(self.informed());
            product.push(self.product());
        }
        let (bare, informed, product) = (median(bare), median(informed), median(product));
        println!(
            "echo {family} {:4} octets: bare {bare:5.0} ns ({:3.0} kpps), informed {informed:5.0} \
             ns, product {product:5.0} ns ({:3.0} kpps), {:.3} of bare, {:.3} of informed",
            self.octets,
            1e6 / bare,
            1e6 / product,
            bare / product,
            informed / product
        );
    }

    fn compare_stamping(&self, family: &str, phases: usize) {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for _ in 0..phases {
            without.push(self.send(false));
            with.push(self.send(true));
        }
        let (without, with) = (median(without), median(with));
        println!(
            "send {family} {:4} octets: {without:5.0} ns, with transmit stamps {with:5.0} ns, \
             {:+.0} %",
            self.octets,
            (with / without - 1.0) * 100.0
        );
    }

    /// Time per datagram of an echo that is called until nothing is left.
    fn timed(&self, socket: SocketAddr, mut echo: impl FnMut() -> usize) -> f64 {
        let to = SocketAddr::new(self.driver.local().ip(), socket.port());
        let (mut echoed, mut spent) = (0, 0);
        for _ in 0..self.rounds {
            self.driver.fill(to, self.octets);
            let start = clock::thread_cpu_ns();
            loop {
                match echo() {
                    0 => break,
                    count => echoed += count,
                }
            }
            spent += clock::thread_cpu_ns() - start;
            assert_eq!(self.driver.take(), WAITING);
        }
        spent as f64 / echoed as f64
    }

    fn bare(&self) -> f64 {
        let socket = std::net::UdpSocket::bind(self.driver.wildcard()).unwrap();
        let mut echo = bare_echo::BareEcho::new(None);
        self.timed(socket.local_addr().unwrap(), || echo.echo(socket.as_fd()))
    }

    fn informed(&self) -> f64 {
        let socket = UdpSocket::open(&SocketOptions::new(self.driver.wildcard())).unwrap();
        let mut echo = bare_echo::BareEcho::new(Some(source(self.driver.local().ip())));
        self.timed(socket.local_addr(), || echo.echo(socket.as_fd()))
    }

    fn product(&self) -> f64 {
        let socket = UdpSocket::open(&SocketOptions::new(self.driver.wildcard())).unwrap();
        let mut receive = ReceiveBatch::new(BATCH, BUFFER_OCTETS);
        let mut send = SendBatch::new(BATCH, BUFFER_OCTETS);
        self.timed(socket.local_addr(), || {
            if socket.receive(&mut receive).unwrap() == 0 {
                return 0;
            }
            send.clear();
            for datagram in receive.iter() {
                black_box((datagram.stamp, datagram.hop_limit, datagram.truncated));
                let octets = datagram.octets.len();
                send.slot().unwrap()[..octets].copy_from_slice(datagram.octets);
                send.push(Outgoing {
                    keeps_link: false,
                    octets,
                    to: datagram.from,
                    from: datagram.reply_from,
                    interface: datagram.interface,
                    traffic_class: datagram.traffic_class,
                    wants_stamp: false,
                });
            }
            let sent = socket.send(&mut send);
            black_box(send.outcomes().all(|outcome| matches!(outcome, SendOutcome::Sent { .. })));
            sent
        })
    }

    /// Time per datagram of sending a batch and, if asked for, of taking its stamps.
    fn send(&self, transmit_stamps: bool) -> f64 {
        let any = SocketAddr::new(self.driver.local().ip(), 0);
        let options = SocketOptions { transmit_stamps, ..SocketOptions::new(any) };
        let socket = UdpSocket::open(&options).unwrap();
        let mut batch = SendBatch::new(BATCH, self.octets);
        let mut errors = ErrorBatch::new(BATCH);
        let mut spent = 0;
        for _ in 0..self.rounds {
            batch.clear();
            while batch.push(Outgoing::new(self.octets, self.driver.local())).is_some() {}
            let start = clock::thread_cpu_ns();
            socket.send(&mut batch);
            let stamps = if transmit_stamps { socket.errors(&mut errors).unwrap() } else { BATCH };
            black_box(errors.iter().count());
            spent += clock::thread_cpu_ns() - start;
            assert_eq!((stamps, self.driver.take()), (BATCH, BATCH));
        }
        spent as f64 / (self.rounds * BATCH) as f64
    }
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
