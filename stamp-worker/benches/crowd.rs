//! A bare prober with as many sockets as there are sessions: what the kernel and the machine take of
//! any program that probes so many far ends from sockets of their own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stamp_net::{
    ErrorBatch, Outgoing, Poller, ReceiveBatch, SendBatch, SocketOptions, UdpSocket, clock,
};

const OCTETS: usize = 44;

/// Sends from one socket after the other, takes the kernel's stamp of each probe and every reply, and
/// reads nothing of them. Returns the processor time per probe in nanoseconds.
pub(crate) fn cost(far: SocketAddr, count: u16, length: Duration) -> f64 {
    let mut poller = Poller::new().expect("a poller");
    let options = SocketOptions { transmit_stamps: true, ..SocketOptions::new(near(far)) };
    let open = |token| {
        let mut socket = UdpSocket::open(&options).expect("a socket");
        socket.connect(far).expect("loopback has a route");
        poller.add(&socket, u32::from(token)).expect("it can be watched");
        socket
    };
    let sockets: Vec<UdpSocket> = (0..count).map(open).collect();
    let mut send = SendBatch::new(1, OCTETS);
    let (mut receive, mut errors) = (ReceiveBatch::new(1, OCTETS), ErrorBatch::new(1));
    let (mut sent, mut answered) = (0_u32, 0_u32);
    let mut ready = Vec::new();
    let (begin, before) = (Instant::now(), clock::thread_cpu_ns());
    for socket in sockets.iter().cycle() {
        if begin.elapsed() >= length {
            break;
        }
        send.clear();
        let slot = send.slot().expect("room for one");
        slot[..4].copy_from_slice(&sent.to_be_bytes());
        send.push(Outgoing::new(OCTETS, far));
        socket.send(&mut send);
        sent += 1;
        let _ = socket.errors(&mut errors);
        let readiness = poller.wait(Some(0)).expect("a usable poller");
        ready.extend(readiness.iter().map(|ready| ready.token as usize));
        for token in ready.drain(..) {
            answered += u32::from(sockets[token].receive(&mut receive).unwrap_or(0) > 0);
        }
    }
    let spent = clock::thread_cpu_ns() - before;
    assert!(answered > sent / 2, "{answered} of {sent} were answered");
    spent as f64 / f64::from(sent)
}

fn near(far: SocketAddr) -> SocketAddr {
    (far.ip(), 0).into()
}
