//! Sends probes as frames and takes them back.

use std::time::{Duration, Instant};

use stamp_net::{
    Addressee, EtherType, FrameBatch, FrameFilter, FrameOptions, FrameSocket, Poller, clock,
};
use stamp_tests::netns::TwoHosts;

/// UDP port of every probe.
pub(crate) const PORT: u16 = 49_300;
/// Probes on the way at once.
const WINDOW: u64 = 256;
/// Probes sent at once.
const STEP: u64 = 32;
/// After this nothing more is expected to return.
const LONG_NS: u64 = 20_000_000;

pub(crate) struct Driver {
    sender: FrameSocket,
    ring: FrameSocket,
    /// Sees when a probe reaches the other end.
    far: FrameSocket,
    poller: Poller,
    batch: FrameBatch,
}

/// What one drive found.
pub(crate) struct Driven {
    pub(crate) returned: u64,
    pub(crate) lost: u64,
    lasted: Duration,
}

impl Driven {
    pub(crate) fn rate(&self) -> f64 {
        self.returned as f64 / self.lasted.as_secs_f64()
    }
}

impl Driver {
    pub(crate) fn open(net: &TwoHosts, ether_type: u16, packet: &[u8]) -> Self {
        let everything = || {
            let types = [EtherType::MPLS, EtherType::IPV4, EtherType::IPV6];
            types.into_iter().fold(FrameFilter::nothing(), FrameFilter::and_type)
        };
        let open = |host: &stamp_tests::netns::Host, filter| {
            let options = FrameOptions::new("eth0", filter);
            host.run(|| FrameSocket::open(&options)).expect("we have the rights")
        };
        let ring = open(&net.near, everything());
        let poller = Poller::new().expect("a descriptor is left");
        poller.add(&ring, 0).expect("it is watched once");
        let mut batch = FrameBatch::new(STEP as usize, 14 + packet.len());
        while let Some(slot) = batch.slot() {
            slot[..6].copy_from_slice(&net.far.mac("eth0"));
            slot[6..12].copy_from_slice(&net.near.mac("eth0"));
            slot[12..14].copy_from_slice(&ether_type.to_be_bytes());
            slot[14..].copy_from_slice(packet);
            batch.push(14 + packet.len());
        }
        Self {
            sender: open(&net.near, FrameFilter::nothing()),
            ring,
            // Closed to everything but while a single probe is on its way.
            far: open(&net.far, everything()),
            poller,
            batch,
        }
    }

    /// Keeps a window of probes on the way for this long.
    pub(crate) fn drive(&mut self, length: Duration) -> Driven {
        self.far.set_filter(&FrameFilter::nothing()).expect("a filter can be set");
        let started = Instant::now();
        let (mut sent, mut returned, mut lost) = (0_u64, 0, 0);
        while started.elapsed() < length {
            while u64::saturating_sub(sent, returned + lost) + STEP <= WINDOW {
                self.refill(STEP);
                sent += self.sender.send(&mut self.batch) as u64;
            }
            let before = returned;
            returned += self.take();
            if returned == before && self.is_silent() {
                lost = sent.saturating_sub(returned);
            }
        }
        let lasted = started.elapsed();
        while !self.is_silent() {
            returned += self.take();
        }
        Driven { returned, lost: sent.saturating_sub(returned), lasted }
    }

    /// Sends one probe and tells how long it took from the other end back here.
    pub(crate) fn single(&mut self) -> Option<i64> {
        let types = [EtherType::MPLS, EtherType::IPV6];
        let open = types.into_iter().fold(FrameFilter::nothing(), FrameFilter::and_type);
        self.far.set_filter(&open).expect("a filter can be set");
        while self.far.receive().is_some() {}
        self.take();
        self.refill(1);
        self.sender.send(&mut self.batch);
        let deadline = clock::monotonic_ns() + LONG_NS;
        loop {
            let late = self.poller.wait(Some(deadline)).expect("no sandbox is here").timer();
            while let Some(frame) = self.ring.receive() {
                let back = frame.stamp.map(|stamp| stamp.time.unix_ns());
                if frame.addressee == Addressee::Us && is_probe(frame.octets) {
                    let there = std::iter::from_fn(|| {
                        let frame = self.far.receive()?;
                        let ours = frame.addressee == Addressee::Us && is_probe(frame.octets);
                        Some(frame.stamp.filter(|_| ours).map(|stamp| stamp.time.unix_ns()))
                    });
                    let there = there.flatten().last()?;
                    return Some(back? - there);
                }
            }
            if late {
                return None;
            }
        }
    }

    /// Sends one probe and gives the frame that returns.
    pub(crate) fn returned(&mut self) -> Vec<u8> {
        self.refill(1);
        self.sender.send(&mut self.batch);
        let deadline = clock::monotonic_ns() + 1_000_000_000;
        loop {
            let late = self.poller.wait(Some(deadline)).expect("no sandbox is here").timer();
            assert!(!late, "nothing came back");
            while let Some(frame) = self.ring.receive() {
                if frame.addressee == Addressee::Us && is_probe(frame.octets) {
                    return frame.octets.to_vec();
                }
            }
        }
    }

    fn refill(&mut self, count: u64) {
        let octets = self.batch.octets_mut(0).map_or(0, |frame| frame.len());
        let octets = if octets == 0 { usize::MAX } else { octets };
        self.batch.clear();
        for _ in 0..count {
            // The frames are in their slots from the start.
            self.batch.push(octets);
        }
    }

    fn take(&mut self) -> u64 {
        let mut taken = 0;
        while let Some(frame) = self.ring.receive() {
            taken += u64::from(frame.addressee == Addressee::Us && is_probe(frame.octets));
        }
        taken
    }

    /// Nothing came for a while.
    fn is_silent(&mut self) -> bool {
        let deadline = clock::monotonic_ns() + LONG_NS;
        self.poller.wait(Some(deadline)).expect("no sandbox is here").iter().next().is_none()
    }
}

/// Every probe ends with its UDP datagram of 52 octets.
fn is_probe(frame: &[u8]) -> bool {
    let datagram = frame.len().checked_sub(52).and_then(|start| frame.get(start..));
    datagram.is_some_and(|datagram| datagram[2..4] == PORT.to_be_bytes())
}
