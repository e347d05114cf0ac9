//! What raw frames cost through this crate, beside the least that a ring and `sendmmsg` can do.
//!
//! `cargo bench -p stamp-net --bench frames_walltime` needs `CAP_NET_RAW` and prints for loopback the
//! processor time per frame of
//! * echo `bare`: a ring without filter and stamps, one copy, `sendmmsg`, nothing read;
//! * echo `product`: what a node does that answers or forwards frames, all of it read;
//! * send `bare`, `product`, and with transmit stamps that are read.
//!
//! Phases alternate, each with a socket of its own; medians over phases. Only the echo is timed: its
//! ring is filled before and the answers are taken away after. The types are for local experiments,
//! so that the stack of this host has nothing to do with them.

use std::hint::black_box;
use std::os::fd::AsFd;

use socket2::{Domain, Protocol, Socket, Type};
use stamp_net::{
    ErrorBatch, EtherType, FrameBatch, FrameFilter, FrameOptions, FrameSocket, SendOutcome, clock,
    interface,
};

use message::SendBuffers;
use ring::Ring;

#[path = "../src/sys/message.rs"]
#[expect(unsafe_code, reason = "lives in `sys` like all of it")]
#[allow(dead_code, unused_imports, reason = "the rest, and its tests, are the library's")]
mod message;
#[path = "../src/sys/option.rs"]
#[expect(unsafe_code, reason = "lives in `sys` like all of it")]
#[allow(dead_code, unused_imports, reason = "the rest, and its tests, are the library's")]
mod option;
#[path = "../src/sys/ring.rs"]
#[expect(unsafe_code, reason = "lives in `sys` like all of it")]
#[allow(dead_code, reason = "the rest is the library's")]
mod ring;

const BATCH: usize = 64;
const PROBE: EtherType = EtherType(0x88b5);
const REPLY: EtherType = EtherType(0x88b6);
const ETHERNET: usize = 14;
/// `struct tpacket2_hdr` behind its first word tells where the frame begins.
const PLACE: usize = 8;

fn main() {
    // `cargo test` runs this too, and wants to know only that it works.
    let (phases, rounds) =
        if std::env::args().any(|arg| arg == "--bench") { (21, 400) } else { (1, 4) };
    let driver = match Driver::open() {
        Ok(driver) => driver,
        Err(error) => return println!("frames: {error}"),
    };
    for octets in [ETHERNET + 92, ETHERNET + 1500] {
        Run { driver: driver.clone(), octets, rounds, phases }.print();
    }
}

/// The far end: fills the ring of an echo and takes the answers away.
#[derive(Clone)]
struct Driver(std::rc::Rc<std::cell::RefCell<FrameSocket>>);

impl Driver {
    fn open() -> Result<Self, stamp_net::NetError> {
        let socket = open(REPLY, false)?;
        Ok(Self(std::rc::Rc::new(socket.into())))
    }

    fn fill(&self, octets: usize) {
        let mut batch = FrameBatch::new(BATCH, octets);
        while let Some(slot) = batch.slot() {
            slot[ETHERNET - 2..ETHERNET].copy_from_slice(&PROBE.0.to_be_bytes());
            batch.push(octets);
        }
        assert_eq!(self.0.borrow().send(&mut batch), BATCH);
    }

    fn take(&self) -> usize {
        let mut socket = self.0.borrow_mut();
        std::iter::from_fn(|| socket.receive().map(|_| ())).count()
    }
}

fn open(receives: EtherType, transmit_stamps: bool) -> Result<FrameSocket, stamp_net::NetError> {
    let filter = FrameFilter::nothing().and_type(receives);
    FrameSocket::open(&FrameOptions { transmit_stamps, ..FrameOptions::new("lo", filter) })
}

struct Run {
    driver: Driver,
    octets: usize,
    rounds: usize,
    phases: usize,
}

impl Run {
    fn print(&self) {
        let echo = self.compare([Self::bare_echo, Self::product_echo]);
        let send = self.compare([Self::bare_send, Self::product_send, Self::stamped_send]);
        println!(
            "echo {:4} octets: bare {:5.0} ns ({:3.0} kpps), product {:5.0} ns ({:3.0} kpps), {:.3} \
             of bare",
            self.octets,
            echo[0],
            1e6 / echo[0],
            echo[1],
            1e6 / echo[1],
            echo[0] / echo[1]
        );
        println!(
            "send {:4} octets: bare {:5.0} ns, product {:5.0} ns, {:.3} of bare, with transmit \
             stamps {:5.0} ns, {:+.0} %",
            self.octets,
            send[0],
            send[1],
            send[0] / send[1],
            send[2],
            (send[2] / send[1] - 1.0) * 100.0
        );
    }

    /// Medians of the ways, run in turn.
    fn compare<const WAYS: usize>(&self, ways: [fn(&Self) -> f64; WAYS]) -> [f64; WAYS] {
        let mut results = [const { Vec::new() }; WAYS];
        for _ in 0..self.phases {
            for (way, results) in ways.iter().zip(&mut results) {
                results.push(way(self));
            }
        }
        results.map(median)
    }

    /// Time per frame of an echo that is called until nothing is left.
    fn timed(&self, mut echo: impl FnMut() -> usize) -> f64 {
        let (mut echoed, mut spent) = (0, 0);
        for _ in 0..self.rounds {
            self.driver.fill(self.octets);
            let start = clock::thread_cpu_ns();
            loop {
                match echo() {
                    0 => break,
                    count => echoed += count,
                }
            }
            spent += clock::thread_cpu_ns() - start;
            assert_eq!(self.driver.take(), BATCH);
        }
        spent as f64 / echoed as f64
    }

    fn bare_echo(&self) -> f64 {
        let socket = bare_socket();
        let mut ring = Ring::new(socket.as_fd(), FrameOptions::RING_FRAMES, 2048).unwrap();
        bind(&socket, PROBE.0);
        let mut frames = vec![vec![0; self.octets]; BATCH];
        self.timed(|| {
            let mut count = 0;
            while count < BATCH {
                let Some((_, octets)) = ring.next() else { break };
                let place: [u8; 2] = octets[PLACE..PLACE + 2].try_into().unwrap();
                let start = usize::from(u16::from_ne_bytes(place)) - size_of::<u32>();
                frames[count].copy_from_slice(&octets[start..start + self.octets]);
                frames[count][ETHERNET - 1] = REPLY.0 as u8;
                count += 1;
            }
            if count == 0 { 0 } else { bare_transmit(&socket, &frames[..count]) }
        })
    }

    fn product_echo(&self) -> f64 {
        let mut socket = open(PROBE, false).unwrap();
        let mut batch = FrameBatch::new(BATCH, self.octets);
        self.timed(|| {
            batch.clear();
            while !batch.is_full() {
                let Some(frame) = socket.receive() else { break };
                black_box((frame.stamp, frame.addressee, frame.checksum_ready, frame.vlan));
                let octets = frame.octets.len();
                let slot = batch.slot().unwrap();
                slot[..octets].copy_from_slice(frame.octets);
                slot[ETHERNET - 1] = REPLY.0 as u8;
                batch.push(octets);
            }
            let sent = socket.send(&mut batch);
            black_box(batch.outcomes().all(|outcome| matches!(outcome, SendOutcome::Sent { .. })));
            sent
        })
    }

    /// Time per frame of sending a batch.
    fn sending(&self, mut send: impl FnMut()) -> f64 {
        let mut spent = 0;
        for _ in 0..self.rounds {
            let start = clock::thread_cpu_ns();
            send();
            spent += clock::thread_cpu_ns() - start;
            assert_eq!(self.driver.take(), BATCH);
        }
        spent as f64 / (self.rounds * BATCH) as f64
    }

    fn reply(&self) -> Vec<u8> {
        let mut frame = vec![0; self.octets];
        frame[ETHERNET - 2..ETHERNET].copy_from_slice(&REPLY.0.to_be_bytes());
        frame
    }

    fn bare_send(&self) -> f64 {
        let socket = bare_socket();
        bind(&socket, 0);
        let frames = vec![self.reply(); BATCH];
        self.sending(|| assert_eq!(bare_transmit(&socket, &frames), BATCH))
    }

    fn product_send(&self) -> f64 {
        self.send_with(false)
    }

    fn stamped_send(&self) -> f64 {
        self.send_with(true)
    }

    fn send_with(&self, transmit_stamps: bool) -> f64 {
        let socket = open(PROBE, transmit_stamps).unwrap();
        let mut batch = FrameBatch::new(BATCH, self.octets);
        while let Some(slot) = batch.slot() {
            slot.copy_from_slice(&self.reply());
            batch.push(self.octets);
        }
        let mut errors = ErrorBatch::new(BATCH);
        self.sending(|| {
            batch.clear();
            while batch.push(self.octets).is_some() {}
            assert_eq!(socket.send(&mut batch), BATCH);
            if transmit_stamps {
                assert_eq!(socket.errors(&mut errors).unwrap(), BATCH);
                black_box(errors.iter().count());
            }
        })
    }
}

fn bare_socket() -> Socket {
    Socket::new(Domain::PACKET, Type::RAW.nonblocking(), Some(Protocol::from(0))).unwrap()
}

fn bind(socket: &Socket, protocol: u16) {
    ring::bind(socket.as_fd(), interface::index_of("lo").unwrap(), protocol).unwrap();
}

fn bare_transmit(socket: &Socket, frames: &[Vec<u8>]) -> usize {
    let messages = frames.iter().map(|payload| SendBuffers { payload, name: &[], control: &[] });
    message::send(socket.as_fd(), messages).unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
