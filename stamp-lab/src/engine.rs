//! The lab's packet thread: every wire and every label switch, one after the other.
//!
//! One thread for all of them: what a wire lets go and a switch takes up next does not wait for
//! another thread to wake.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use stamp_net::packet::{OFFLOAD_OCTETS, PacketSocket};
use stamp_net::{NetError, Poller, Waker, clock};
use stamp_path::topology::{LinkId, NodeId, Side};

use crate::LabError;
use crate::impairment::Impairment;
use crate::lane::{Counts, Held, Lane};
use crate::switch::{Switch, SwitchCounts};

/// The largest frame of a host whose interface cuts it into segments later.
const FRAME_OCTETS: usize = OFFLOAD_OCTETS + 14 + 65_535;

/// A sleeping thread comes back about this late; the rest is spent awake.
const WAKE_EARLY_NS: u64 = 150_000;

/// Frames read from one socket before another has its turn.
const BATCH: usize = 64;

/// Tokens of the poller from here on are switches, below it wires.
const SWITCHES: u32 = 1 << 31;

/// Two packet sockets and what happens to packets between them.
#[derive(Debug)]
pub(crate) struct Wire {
    link: LinkId,
    /// In the middle of the link: towards the first end, towards the second.
    sockets: [PacketSocket; 2],
    interfaces: [u32; 2],
    lanes: [Lane; 2],
}

impl Wire {
    pub(crate) fn new(
        link: LinkId,
        sockets: [PacketSocket; 2],
        interfaces: [u32; 2],
        impairments: [Impairment; 2],
    ) -> Self {
        Self { link, sockets, interfaces, lanes: impairments.map(Lane::new) }
    }

    /// Numbers of its interfaces.
    pub(crate) const fn interfaces(&self) -> [u32; 2] {
        self.interfaces
    }
}

/// The running thread. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Engine {
    shared: Arc<Mutex<State>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    wires: Vec<Wire>,
    switches: Vec<Switch>,
    /// Not yet watched.
    new_wires: Vec<Wire>,
    stop: bool,
    failure: Option<NetError>,
}

impl Engine {
    pub(crate) fn start(wires: Vec<Wire>, switches: Vec<Switch>) -> Result<Self, LabError> {
        let poller = Poller::new()?;
        let waker = poller.waker();
        for (token, switch) in (SWITCHES..).zip(&switches) {
            poller.add(switch.socket(), token)?;
        }
        let state = State { switches, new_wires: wires, ..State::default() };
        let shared = Arc::new(Mutex::new(state));
        let theirs = Arc::clone(&shared);
        let run = move || {
            if let Err(error) = relay(&theirs, poller) {
                lock(&theirs).failure = Some(error);
            }
        };
        let thread = thread::Builder::new().name("lab".to_owned()).spawn(run);
        let thread = Some(thread.map_err(LabError::Thread)?);
        Ok(Self { shared, waker, thread })
    }

    pub(crate) fn add(&self, wire: Wire) {
        lock(&self.shared).new_wires.push(wire);
        self.waker.wake();
    }

    /// Does something with the lane of packets sent from a side of a link, if it has a wire.
    pub(crate) fn lane<T>(
        &self,
        link: LinkId,
        side: Side,
        action: impl FnOnce(&mut Lane) -> T,
    ) -> Option<T> {
        let mut state = lock(&self.shared);
        let State { wires, new_wires, .. } = &mut *state;
        let wire = wires.iter_mut().chain(new_wires).find(|wire| wire.link == link)?;
        let [first, second] = &mut wire.lanes;
        Some(action(side.choose(first, second)))
    }

    pub(crate) fn counts(&self, link: LinkId, side: Side) -> Option<Counts> {
        self.lane(link, side, |lane| lane.counts())
    }

    pub(crate) fn held(&self, link: LinkId, side: Side) -> Option<Vec<Held>> {
        self.lane(link, side, |lane| lane.held())
    }

    pub(crate) fn switched(&self, node: NodeId) -> Option<SwitchCounts> {
        let state = lock(&self.shared);
        let switch = state.switches.iter().find(|switch| switch.node() == node);
        switch.map(Switch::counts)
    }

    /// What ended the thread before its time.
    pub(crate) fn take_failure(&self) -> Option<NetError> {
        lock(&self.shared).failure.take()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        lock(&self.shared).stop = true;
        self.waker.wake();
        // A thread that panicked has printed why.
        let _printed = self.thread.take().map(JoinHandle::join);
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn relay(shared: &Mutex<State>, mut poller: Poller) -> Result<(), NetError> {
    // The default adds 50 µs to every wake-up.
    clock::set_timer_slack_ns(1)?;
    let mut buffer = vec![0; FRAME_OCTETS];
    let mut ready: Vec<u32> = Vec::new();
    loop {
        let mut state = lock(shared);
        if state.stop {
            return Ok(());
        }
        state.watch_new(&poller, &mut ready)?;
        for token in ready.drain(..) {
            match token.checked_sub(SWITCHES) {
                Some(switch) => {
                    if let Some(switch) = state.switches.get_mut(switch as usize) {
                        switch.work(&mut buffer, BATCH)?;
                    }
                }
                None => state.take_in(token, &mut buffer)?,
            }
        }
        let next_due_ns = state.let_go();
        drop(state);
        let deadline_ns = next_due_ns.map(|due_ns| due_ns.saturating_sub(WAKE_EARLY_NS));
        ready.extend(poller.wait(deadline_ns)?.iter().map(|ready| ready.token));
    }
}

impl State {
    /// New wires are read once without being asked: frames may have come before they were watched.
    fn watch_new(&mut self, poller: &Poller, ready: &mut Vec<u32>) -> Result<(), NetError> {
        for wire in std::mem::take(&mut self.new_wires) {
            let position = self.wires.len();
            for (socket, token) in wire.sockets.iter().zip(tokens(position)) {
                poller.add(socket, token)?;
                ready.push(token);
            }
            self.wires.push(wire);
        }
        Ok(())
    }

    /// Reads frames that came in on one side of a wire.
    fn take_in(&mut self, token: u32, buffer: &mut [u8]) -> Result<(), NetError> {
        let Some(wire) = self.wires.get_mut((token / 2) as usize) else { return Ok(()) };
        let side = if token.is_multiple_of(2) { 0 } else { 1 };
        for _ in 0..BATCH {
            let Some(arrival) = wire.sockets[side].receive(buffer)? else { break };
            if arrival.is_outgoing {
                continue;
            }
            let lane = &mut wire.lanes[side];
            lane.has_overflowed(arrival.overflowed);
            let octets = buffer.get(..arrival.octets).unwrap_or_default();
            lane.enter(octets, on_monotonic(arrival.at_wall_ns));
        }
        Ok(())
    }

    /// Sends what is due; returns when the next frame is.
    fn let_go(&mut self) -> Option<u64> {
        let now_ns = clock::monotonic_ns();
        let mut next_due_ns = None;
        for wire in &mut self.wires {
            for (side, lane) in wire.lanes.iter_mut().enumerate() {
                let (socket, interface) = (&wire.sockets[1 - side], wire.interfaces[1 - side]);
                while let Some(outgoing) = lane.take_due(now_ns) {
                    let let_go_ns = clock::monotonic_ns();
                    let was_taken = socket.send(interface, &outgoing.octets).is_ok();
                    lane.has_gone_out(&outgoing, [let_go_ns, clock::monotonic_ns()], was_taken);
                }
                let due_ns = lane.next_due_ns();
                next_due_ns = [next_due_ns, due_ns].into_iter().flatten().min();
            }
        }
        next_due_ns
    }
}

fn tokens(wire: usize) -> [u32; 2] {
    let first = u32::try_from(wire * 2).unwrap_or(SWITCHES - 2);
    [first, first + 1]
}

/// The instant of a kernel stamp on the clock that never steps.
fn on_monotonic(at_wall_ns: Option<i64>) -> u64 {
    let now = clock::read();
    let wall_ns = now.wall.unix_ns();
    let age_ns = at_wall_ns.map_or(0, |at_ns| wall_ns.saturating_sub(at_ns));
    now.monotonic_ns.saturating_sub(u64::try_from(age_ns).unwrap_or(0))
}
