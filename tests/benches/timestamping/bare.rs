//! The least that returns frames: a ring, a copy, a batch.
//!
//! What it returns has the headers that the node would give it, made beforehand: the driver's kernel
//! does as much about it, and on a veth pair it does so in the time of whoever sends. What is behind
//! them is the frame's own, for nobody forwards a frame without fetching it from the caches of the
//! core that it came in on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use stamp_net::{
    Addressee, EtherType, FrameBatch, FrameFilter, FrameOptions, FrameSocket, Poller, clock,
};
use stamp_tests::netns::Host;

/// Name of its thread.
pub(crate) const THREAD: &str = "bare-forwarder";

/// Octets of an Ethernet and an IPv6 header; of a shorter one with what is behind it.
const HEADERS: usize = 54;

/// Answers every frame of a type with itself below the headers of `answer`, until dropped.
pub(crate) struct Bare {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bare {
    pub(crate) fn start(host: &Host, ether_type: u16, answer: &[u8]) -> Self {
        let filter = FrameFilter::nothing().and_type(EtherType(ether_type));
        let options = FrameOptions::new("eth0", filter);
        let silent = FrameOptions::new("eth0", FrameFilter::nothing());
        let open = |options| host.run(|| FrameSocket::open(options)).expect("we have the rights");
        let (ring, sender) = (open(&options), open(&silent));
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let answer = answer.to_vec();
        let thread = std::thread::Builder::new().name(THREAD.to_owned());
        let thread =
            thread.spawn(move || forward(ring, &sender, &answer, &until)).expect("a thread");
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it ends well");
        }
    }
}

fn forward(mut ring: FrameSocket, sender: &FrameSocket, answer: &[u8], over: &AtomicBool) {
    /// How often it looks whether it is over.
    const LOOK_NS: u64 = 20_000_000;
    let mut poller = Poller::new().expect("a descriptor is left");
    poller.add(&ring, 0).expect("it is watched once");
    let mut batch = FrameBatch::new(32, 2048);
    while !over.load(Ordering::Relaxed) {
        poller.wait(Some(clock::monotonic_ns() + LOOK_NS)).expect("no sandbox is here");
        while let Some(frame) = ring.receive() {
            if frame.addressee != Addressee::Us {
                continue;
            }
            let slot = batch.slot().expect("it was flushed when full");
            let own = &frame.octets[frame.octets.len() - (answer.len() - HEADERS)..];
            slot[..HEADERS].copy_from_slice(&answer[..HEADERS]);
            slot[HEADERS..answer.len()].copy_from_slice(own);
            batch.push(answer.len());
            if batch.is_full() {
                sender.send(&mut batch);
                batch.clear();
            }
        }
        sender.send(&mut batch);
        batch.clear();
    }
}
