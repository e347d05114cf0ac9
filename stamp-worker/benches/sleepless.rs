//! A far end that never sleeps.
//!
//! On loopback the call that sends a probe wakes whoever waits for it, and on a virtual machine that
//! can take longer than all the rest of the probe. No network charges that to a sender.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use stamp_net::{Outgoing, ReceiveBatch, SendBatch, SocketOptions, UdpSocket, clock};
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::{Stamp, StampSource};
use stamp_session::datagram::{Headers, Received};
use stamp_session::reflector::{Reflector, Verdict};

use crate::reflection;

const BATCH: usize = 64;
const OCTETS: usize = 256;

/// The product's engine around a loop that looks for probes all the time.
pub(crate) struct Sleepless {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Sleepless {
    /// Listens at `at` on a thread of this name.
    pub(crate) fn start(at: SocketAddr, name: &str) -> Self {
        let socket = UdpSocket::open(&SocketOptions::new(at)).expect("a socket");
        let address = socket.local_addr();
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stop);
        let run = move || reflect(&socket, &theirs);
        let thread = Builder::new().name(name.to_owned()).spawn(run).expect("a thread");
        Self { address, stop, thread }
    }

    /// Ends it and tells how many probes it answered.
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("it ends well")
    }
}

fn reflect(socket: &UdpSocket, stop: &AtomicBool) -> u64 {
    let config = reflection::config(AuthenticationMode::Unauthenticated, false);
    let mut engine = Reflector::new(config, reflection::limiter()).expect("a good configuration");
    let mut receive = ReceiveBatch::new(BATCH, OCTETS);
    let mut send = SendBatch::new(BATCH, OCTETS);
    let mut answered = 0;
    while !stop.load(Ordering::Relaxed) {
        if socket.receive(&mut receive).expect("a usable socket") == 0 {
            std::hint::spin_loop();
            continue;
        }
        let now = stamp_worker::now();
        send.clear();
        for datagram in receive.iter() {
            let user = Stamp { time: now.wall, source: StampSource::User };
            let probe = Received {
                octets: datagram.octets,
                from: datagram.from,
                to: datagram.to,
                interface: datagram.interface,
                stamp: datagram.stamp.unwrap_or(user),
                hop_limit: datagram.hop_limit,
                traffic_class: datagram.traffic_class,
                headers: Headers::UNKNOWN,
            };
            let slot = send.slot().expect("as much room as was received");
            if let Verdict::Reply(reply) = engine.handle_probe(now.monotonic, probe, slot) {
                let reply = reply.seal(clock::wall_now());
                let outgoing = Outgoing::new(reply.octets.len(), reply.to);
                send.push(outgoing);
            }
        }
        answered += socket.send(&mut send) as u64;
    }
    answered
}
