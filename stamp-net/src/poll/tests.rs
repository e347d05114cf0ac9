use std::net::SocketAddr;
use std::thread;

use super::*;
use crate::socket::{ErrorBatch, Outgoing, SendBatch, SocketOptions, UdpSocket};

fn socket() -> UdpSocket {
    UdpSocket::open(&SocketOptions::new("127.0.0.1:0".parse().unwrap())).unwrap()
}

fn send(from: &UdpSocket, to: SocketAddr) {
    let mut batch = SendBatch::new(1, 8);
    batch.push(Outgoing::new(8, to));
    assert_eq!(from.send(&mut batch), 1);
}

#[test]
fn a_deadline_is_not_reached_early() {
    let mut poller = Poller::new().unwrap();
    let deadline = clock::monotonic_ns() + 2_000_000;
    let readiness = poller.wait(Some(deadline)).unwrap();
    assert!(readiness.timer() && !readiness.woken());
    assert_eq!(readiness.iter().count(), 0);
    assert!(clock::monotonic_ns() >= deadline);
}

#[test]
fn a_deadline_that_has_passed_makes_it_a_look() {
    let mut poller = Poller::new().unwrap();
    let readiness = poller.wait(Some(0)).unwrap();
    assert!(readiness.timer());
}

#[test]
fn the_same_deadline_can_be_waited_for_again_after_it_fired() {
    let mut poller = Poller::new().unwrap();
    for _ in 0..2 {
        let deadline = clock::monotonic_ns() + 500_000;
        assert!(poller.wait(Some(deadline)).unwrap().timer());
        assert!(poller.wait(Some(deadline)).unwrap().timer());
    }
}

#[test]
fn a_deadline_taken_back_does_not_fire() {
    let mut poller = Poller::new().unwrap();
    let waker = poller.waker();
    waker.wake();
    let deadline = clock::monotonic_ns() + 1_000_000;
    assert!(poller.wait(Some(deadline)).unwrap().woken());
    let later = clock::monotonic_ns() + 5_000_000;
    let second = poller.wait(Some(later)).unwrap();
    assert!(second.timer());
    assert!(clock::monotonic_ns() >= later);
}

#[test]
fn another_thread_ends_the_wait() {
    let mut poller = Poller::new().unwrap();
    let waker = poller.waker();
    let thread = thread::spawn(move || waker.wake());
    let readiness = poller.wait(None).unwrap();
    assert!(readiness.woken() && !readiness.timer());
    thread.join().unwrap();
}

#[test]
fn waking_twice_before_the_wait_ends_one_wait_only() {
    let mut poller = Poller::new().unwrap();
    let waker = poller.waker();
    waker.wake();
    waker.wake();
    assert!(poller.wait(None).unwrap().woken());
    let readiness = poller.wait(Some(0)).unwrap();
    assert!(!readiness.woken());
}

#[test]
fn the_socket_that_has_something_is_named() {
    let (near, far) = (socket(), socket());
    let mut poller = Poller::new().unwrap();
    poller.add(&near, 7).unwrap();
    poller.add(&far, 8).unwrap();
    send(&near, far.local_addr());
    let ready: Vec<_> = poller.wait(None).unwrap().iter().collect();
    assert_eq!(ready, [Ready { token: 8, readable: true, error: false }]);
    poller.remove(&far).unwrap();
    assert_eq!(poller.wait(Some(0)).unwrap().iter().count(), 0);
}

#[test]
fn an_error_that_found_no_room_in_the_queue_does_not_keep_us_awake() {
    let options = SocketOptions {
        receive_buffer: Some(2048),
        ..SocketOptions::new("127.0.0.1:0".parse().unwrap())
    };
    let near = UdpSocket::open(&options).unwrap();
    let (far, closed) = (socket(), socket().local_addr());
    let mut poller = Poller::new().unwrap();
    poller.add(&near, 0).unwrap();
    while near.queue_drops() == Some(0) {
        send(&far, near.local_addr());
    }
    send(&near, closed);
    let ready = |poller: &mut Poller| poller.wait(Some(0)).unwrap().iter().next();
    assert_eq!(ready(&mut poller), Some(Ready { token: 0, readable: true, error: true }));
    assert_eq!(near.errors(&mut ErrorBatch::new(64)).unwrap(), 0);
    assert_eq!(ready(&mut poller), Some(Ready { token: 0, readable: true, error: false }));
}

#[test]
fn a_waiting_transmit_stamp_shows_as_error() {
    let options = SocketOptions {
        transmit_stamps: true,
        ..SocketOptions::new("127.0.0.1:0".parse().unwrap())
    };
    let near = UdpSocket::open(&options).unwrap();
    let far = socket();
    let mut poller = Poller::new().unwrap();
    poller.add(&near, 3).unwrap();
    send(&near, far.local_addr());
    let ready: Vec<_> = poller.wait(None).unwrap().iter().collect();
    assert_eq!(ready, [Ready { token: 3, readable: false, error: true }]);
}
