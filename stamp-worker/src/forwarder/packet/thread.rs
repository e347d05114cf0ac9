//! The loop of the worker.

use std::sync::mpsc::{Receiver, Sender};

use stamp_net::{Addressee, Frame, FrameSocket, Poller, Ready, RouteWatch, Waker};
use stamp_proto::sr::protocol::EtherType;
use stamp_session::clock::Now;
use stamp_session::forwarding::{Arrival, Forwarder, ForwardingSnapshot, Verdict};

use super::exits::Exits;
use super::prepare::Prepared;
use super::vrfs::Vrfs;
use super::ways::Ways;
use crate::clock::{monotonic, now, user_stamp};
use crate::error::WorkerError;

/// Frames taken from one ring before the others get their turn.
const TURN: usize = 256;
/// Frames between two looks at the clock, which dates rates and what came without a stamp.
const CLOCK_EVERY: usize = 32;
/// Token of the watch for routes; rings have the number of their interface.
const WATCH: u32 = u32::MAX;

/// What the control side asks.
pub(super) enum Command {
    Reconfigure { prepared: Box<Prepared>, answer: Sender<Result<(), WorkerError>> },
    Snapshot(Sender<ForwardingSnapshot>),
    QueueDrops(Sender<u64>),
    Here(Sender<()>),
    Stop,
}

/// Everything the worker owns.
pub(super) struct ForwarderThread {
    node: Node,
    rings: Vec<FrameSocket>,
    /// Drops of rings that are closed, so that the sum never falls.
    closed_queue_drops: u64,
    watch: RouteWatch,
    poller: Poller,
    /// What the last wait found; kept for its memory.
    ready: Vec<Ready>,
    inbox: Receiver<Command>,
}

/// What a packet passes.
struct Node {
    forwarder: Forwarder,
    vrfs: Vrfs,
    ways: Ways,
    exits: Exits,
}

impl ForwarderThread {
    pub(super) fn new(
        mut prepared: Prepared,
        inbox: Receiver<Command>,
    ) -> Result<Self, WorkerError> {
        // Before the first way is looked for, so that no change is missed.
        let watch = RouteWatch::open()?;
        let poller = Poller::new()?;
        poller.add(&watch, WATCH)?;
        for ring in &prepared.rings {
            poller.add(ring, ring.interface())?;
        }
        let ways = prepared.ways(monotonic());
        let node = Node {
            forwarder: Forwarder::new(prepared.config)?,
            vrfs: prepared.vrfs,
            ways,
            exits: Exits::default(),
        };
        Ok(Self {
            node,
            rings: prepared.rings,
            closed_queue_drops: 0,
            watch,
            poller,
            ready: Vec::with_capacity(64),
            inbox,
        })
    }

    pub(super) fn waker(&self) -> Waker {
        self.poller.waker()
    }

    /// Forwards packets until told to stop.
    pub(super) fn run(mut self) -> ForwardingSnapshot {
        loop {
            let woken = match self.poller.wait(None) {
                Ok(readiness) => {
                    self.ready.extend(readiness.iter());
                    readiness.woken()
                }
                // The kernel gives no reason but a signal or lack of memory; both pass.
                Err(_) => false,
            };
            if woken && !self.obey() {
                return self.node.forwarder.snapshot();
            }
            for index in 0..self.ready.len() {
                match self.ready[index].token {
                    WATCH => self.follow(),
                    token => self.serve(token, self.ready[index].error),
                }
            }
            self.ready.clear();
        }
    }

    /// Carries out commands; `false` when it is time to end.
    fn obey(&mut self) -> bool {
        while let Ok(command) = self.inbox.try_recv() {
            // An asker that is gone needs no answer.
            match command {
                Command::Reconfigure { prepared, answer } => {
                    let _ = answer.send(self.reconfigure(*prepared));
                }
                Command::Snapshot(answer) => {
                    let _ = answer.send(self.node.forwarder.snapshot());
                }
                Command::QueueDrops(answer) => {
                    let open: u64 = self.rings.iter().map(queue_drops).sum();
                    let _ = answer.send(self.closed_queue_drops + open);
                }
                Command::Here(answer) => {
                    let _ = answer.send(());
                }
                Command::Stop => return false,
            }
        }
        true
    }

    fn reconfigure(&mut self, mut prepared: Prepared) -> Result<(), WorkerError> {
        for ring in &prepared.rings {
            self.poller.add(ring, ring.interface())?;
        }
        let ways = prepared.ways(monotonic());
        self.node.forwarder.replace_config(prepared.config)?;
        self.node.vrfs = prepared.vrfs;
        self.node.ways = ways;
        let filters = &prepared.filters;
        let wanted = |ring: &FrameSocket| {
            filters.iter().find(|(interface, _)| *interface == ring.interface())
        };
        let leaving = self.rings.iter().filter(|ring| wanted(ring).is_none());
        self.closed_queue_drops += leaving.map(queue_drops).sum::<u64>();
        self.rings.retain(|ring| wanted(ring).is_some());
        self.rings.extend(prepared.rings);
        for ring in &self.rings {
            if let Some((_, filter)) = wanted(ring) {
                // What a filter of before lets in beyond that is told apart by the core.
                let _ = ring.set_filter(filter);
            }
        }
        Ok(())
    }

    fn follow(&mut self) {
        let Ok(changes) = self.watch.changes() else { return };
        // Where the kernel does not tell, what was known is as good as it gets.
        if changes.concern_links()
            && let Ok(vrfs) = Vrfs::look()
        {
            self.node.vrfs = vrfs;
        }
        self.node.ways.follow(&changes, monotonic());
        if changes.lost {
            self.node.exits.close_all();
        }
    }

    /// Takes what one ring holds, up to a turn.
    fn serve(&mut self, interface: u32, error: bool) {
        let Some(ring) = self.rings.iter_mut().find(|ring| ring.interface() == interface) else {
            return;
        };
        if error {
            // The interface went down; nothing to do but to take the news out of the way.
            let mut errors = stamp_net::ErrorBatch::new(1);
            while ring.errors(&mut errors).is_ok_and(|taken| taken > 0) {}
        }
        let ethernet = ring.has_ethernet_header();
        let mut clock = now();
        for taken in 1..=TURN {
            if taken % CLOCK_EVERY == 0 {
                clock = now();
            }
            let Some(frame) = ring.receive() else { break };
            if frame.addressee == Addressee::Us && frame.vlan.is_none() {
                self.node.handle(&frame, interface, ethernet, clock);
            }
        }
        self.node.exits.flush_all(&mut self.node.forwarder);
    }
}

impl Node {
    fn handle(&mut self, frame: &Frame<'_>, interface: u32, ethernet: bool, clock: Now) {
        let Some((ether_type, packet)) = network_layer(frame.octets, ethernet) else { return };
        let arrival = Arrival {
            interface,
            stamp: frame.stamp.unwrap_or_else(|| user_stamp(clock)),
            now: clock.monotonic,
            checksum_ready: frame.checksum_ready,
            truncated: frame.truncated,
        };
        let Self { forwarder, vrfs, ways, exits } = self;
        let added = match forwarder.handle_packet(&arrival, ether_type, packet) {
            Verdict::Forward(forward) => {
                let way = ways.to(forward.next_hop(), vrfs.of(interface), clock.monotonic);
                way.and_then(|egress| {
                    let exit = exits.through(egress)?;
                    Ok(exits.add(exit, egress, &forward)?.then_some(exit))
                })
            }
            Verdict::Drop(_) | Verdict::NotOurs => return,
        };
        match added {
            Ok(Some(full)) => exits.flush(full, forwarder),
            Ok(None) => {}
            Err(reason) => forwarder.handle_unsent(reason),
        }
    }
}

/// The packet in a frame. A link without Ethernet headers carries IPv6 or labels here, and no label
/// that is in use begins like IPv6.
fn network_layer(frame: &[u8], ethernet: bool) -> Option<(EtherType, &[u8])> {
    if ethernet {
        let (header, packet) = frame.split_first_chunk::<14>()?;
        let ether_type = u16::from_be_bytes([header[12], header[13]]);
        return Some((EtherType(ether_type), packet));
    }
    let is_ipv6 = frame.first()? >> 4 == 6;
    Some((if is_ipv6 { EtherType::IPV6 } else { EtherType::MPLS }, frame))
}

fn queue_drops(ring: &FrameSocket) -> u64 {
    ring.dropped().unwrap_or(0)
}
