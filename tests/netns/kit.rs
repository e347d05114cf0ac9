//! Tests of the kit itself: a test of the product is worth as much as the network under it.

pub(crate) mod child;
mod hosts;
mod programs;
mod wire;

use std::net::{SocketAddr, UdpSocket};

use stamp_tests::netns::{Host, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    [hosts::trials(), wire::trials(), programs::trials()].into_iter().flatten().collect()
}

/// What the last datagram of a series says.
const END: &[u8] = b"end";

/// A socket in each host, connected to the other one.
struct Sockets {
    near: UdpSocket,
    far: UdpSocket,
}

impl Sockets {
    fn open(near: (&Host, SocketAddr), far: (&Host, SocketAddr)) -> Self {
        let sockets = Self { near: near.0.udp_socket(near.1), far: far.0.udp_socket(far.1) };
        sockets.near.connect(local(&sockets.far)).expect("far is reachable");
        sockets.far.connect(local(&sockets.near)).expect("near is reachable");
        sockets
    }
}

fn local(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("the socket is bound")
}

/// Sends datagrams whose one octet counts from 1, then the end.
fn send_series(from: &UdpSocket, count: u8) {
    for number in 1..=count {
        from.send(&[number]).expect("the datagram leaves");
    }
    from.send(END).expect("the datagram leaves");
}

/// Receives until the end and returns the numbers that came.
fn receive_series(at: &UdpSocket) -> Vec<u8> {
    let mut numbers = Vec::new();
    loop {
        let octets = receive(at);
        if octets == END {
            return numbers;
        }
        numbers.push(octets[0]);
    }
}

fn receive(at: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 2048];
    let count = at.recv(&mut buffer).expect("a datagram comes");
    buffer[..count].to_vec()
}

fn receive_from(at: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2048];
    let (count, from) = at.recv_from(&mut buffer).expect("a datagram comes");
    (buffer[..count].to_vec(), from)
}
