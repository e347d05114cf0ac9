//! Everything here runs over the host's IPv4 loopback; what needs a network of its own is in
//! `tests/kernel`.

mod events;
mod opening;
mod passing;

use std::net::SocketAddr;

use super::*;
use crate::batch::SendOutcome;
use crate::clock;

fn localhost(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn open() -> UdpSocket {
    UdpSocket::open(&SocketOptions::new(localhost(0))).unwrap()
}

fn stamping() -> UdpSocket {
    let options = SocketOptions { transmit_stamps: true, ..SocketOptions::new(localhost(0)) };
    UdpSocket::open(&options).unwrap()
}

/// Adds a datagram made of `payload`, changed by `change`.
fn add(batch: &mut SendBatch, payload: &[u8], to: SocketAddr, change: impl Fn(&mut Outgoing)) {
    batch.slot().unwrap()[..payload.len()].copy_from_slice(payload);
    let mut outgoing = Outgoing::new(payload.len(), to);
    change(&mut outgoing);
    batch.push(outgoing).unwrap();
}

fn send_one(from: &UdpSocket, payload: &[u8], to: SocketAddr) -> SendOutcome {
    let mut batch = SendBatch::new(1, payload.len());
    add(&mut batch, payload, to, |_| {});
    from.send(&mut batch);
    batch.outcome(0)
}

/// Takes what is there; on loopback that is everything that was sent.
fn received(socket: &UdpSocket, octets: usize) -> ReceiveBatch {
    let mut batch = ReceiveBatch::new(64, octets);
    socket.receive(&mut batch).unwrap();
    batch
}

fn payloads(batch: &ReceiveBatch) -> Vec<&[u8]> {
    batch.iter().map(|datagram| datagram.octets).collect()
}
