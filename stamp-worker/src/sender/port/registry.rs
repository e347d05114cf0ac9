//! Sockets that sessions of a worker have together, one of a kind for each interface.
//!
//! The kernel shows each frame to every packet socket that receives, and runs its filter: with a socket for each
//! session the cost of a probe would grow with their number. And to close a packet socket takes it ten
//! milliseconds, in which the thread that does it sends nothing: so they are closed on the other side.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use stamp_net::{ErrorBatch, NetError, Ready, interface};

use super::shared_out::SharedOut;
use super::shared_ring::SharedRing;

/// Tokens with this bit are of rings, and the rest of them is the number of the interface.
pub(in crate::sender) const RING: u32 = 1 << 31;
/// The same of sockets that frames leave by. Those of sessions are less than both.
pub(in crate::sender) const OUT: u32 = 1 << 30;

/// Frames that the rings of all interfaces hold together, at two KiB each: a host may have hundreds of interfaces.
const FRAMES_TOGETHER: usize = 32 << 10;
/// Frames that each of them holds at least.
const LEAST_FRAMES: usize = 128;

/// The sockets of one worker, for its thread and for whoever gives it sessions.
#[derive(Clone, Debug)]
pub(in crate::sender) struct SharedSockets(Arc<Mutex<Registry>>);

#[derive(Debug)]
struct Registry {
    ring_frames: usize,
    rings: Vec<Arc<SharedRing>>,
    outs: Vec<Arc<SharedOut>>,
}

/// A socket of one interface.
pub(super) trait OfInterface {
    /// Number of the interface.
    fn interface(&self) -> u32;

    /// The interface is still there: one that went and came back with its number is another.
    fn is_bound(&self) -> bool;
}

impl SharedSockets {
    /// None yet. Rings are to hold so many frames.
    pub(in crate::sender) fn new(ring_frames: usize) -> Self {
        let (rings, outs) = (Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(Registry { ring_frames, rings, outs })))
    }

    /// The ring of an interface, one of so many; opened if there is none.
    pub(super) fn ring(&self, name: &str, interfaces: usize) -> Result<Arc<SharedRing>, NetError> {
        let frames = ring_frames(self.registry().ring_frames, interfaces);
        self.find(name, |registry| &mut registry.rings, || SharedRing::open(name, frames))
    }

    /// The socket that frames leave by through an interface, opened if there is none.
    pub(super) fn out(&self, name: &str) -> Result<Arc<SharedOut>, NetError> {
        self.find(name, |registry| &mut registry.outs, || SharedOut::open(name))
    }

    /// Opens without holding up others. What is dead stays until no session has it.
    fn find<T: OfInterface>(
        &self,
        name: &str,
        kind: impl Fn(&mut Registry) -> &mut Vec<Arc<T>>,
        open: impl FnOnce() -> Result<T, NetError>,
    ) -> Result<Arc<T>, NetError> {
        let index = interface::index_of(name)?;
        let is_it = |it: &&Arc<T>| it.interface() == index && it.is_bound();
        if let Some(known) = kind(&mut self.registry()).iter().find(is_it) {
            return Ok(Arc::clone(known));
        }
        let opened = Arc::new(open()?);
        kind(&mut self.registry()).push(Arc::clone(&opened));
        Ok(opened)
    }

    /// Closes what no session has any more. Not to be called on the thread that sends.
    pub(in crate::sender) fn close_unused(&self) {
        let mut registry = self.registry();
        let rings = take_unused(&mut registry.rings);
        let outs = take_unused(&mut registry.outs);
        // The thread that sends may want it meanwhile.
        drop(registry);
        drop((rings, outs));
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_unused<T>(sockets: &mut Vec<Arc<T>>) -> Vec<Arc<T>> {
    sockets.extract_if(.., |it| Arc::strong_count(it) == 1).collect()
}

/// How many frames each of so many rings holds, where one alone would hold `most`.
fn ring_frames(most: usize, rings: usize) -> usize {
    (FRAMES_TOGETHER / rings.max(1)).clamp(LEAST_FRAMES, most.max(LEAST_FRAMES))
}

/// The sockets that the thread of a worker looks after.
#[derive(Default)]
pub(in crate::sender) struct SocketTable {
    rings: Vec<Weak<SharedRing>>,
    outs: Vec<Weak<SharedOut>>,
}

impl SocketTable {
    /// Looks after this ring as well, for as long as sessions have it.
    pub(super) fn add_ring(&mut self, ring: &Arc<SharedRing>) {
        add(&mut self.rings, ring);
    }

    /// Looks after this socket as well, for as long as sessions have it.
    pub(super) fn add_out(&mut self, out: &Arc<SharedOut>) {
        add(&mut self.outs, out);
    }

    /// Looks after what no session has any more no longer, and so never closes it: that is up to
    /// the other side.
    pub(in crate::sender) fn forget_unused(&mut self) {
        self.rings.retain(|ring| ring.strong_count() > 1);
        self.outs.retain(|out| out.strong_count() > 1);
    }

    /// Puts aside what has come to the sockets with this token, for whoever it is.
    pub(in crate::sender) fn catch(&self, ready: Ready, batch: &mut ErrorBatch) {
        if ready.token & RING != 0 {
            let rings = self.rings().filter(|ring| RING | ring.interface() == ready.token);
            rings.for_each(|ring| ring.catch(ready.error, batch));
        } else {
            let outs = self.outs.iter().filter_map(Weak::upgrade);
            let outs = outs.filter(|out| OUT | out.interface() == ready.token);
            outs.for_each(|out| out.catch(batch));
        }
    }

    /// Some session has something to fetch from a ring.
    pub(in crate::sender) fn has_waiting(&self) -> bool {
        self.rings().any(|ring| ring.has_waiting())
    }

    /// Adds the sessions that have; some may have fetched it since.
    pub(in crate::sender) fn take_waiting(&self, numbers: &mut VecDeque<u32>) {
        self.rings().for_each(|ring| ring.take_waiting(numbers));
    }

    fn rings(&self) -> impl Iterator<Item = Arc<SharedRing>> {
        self.rings.iter().filter_map(Weak::upgrade)
    }
}

fn add<T>(known: &mut Vec<Weak<T>>, socket: &Arc<T>) {
    if !known.iter().any(|it| std::ptr::eq(it.as_ptr(), Arc::as_ptr(socket))) {
        known.retain(|it| it.strong_count() > 0);
        known.push(Arc::downgrade(socket));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_of_many_interfaces_are_smaller() {
        let rings = [(2_048, 1), (2_048, 16), (2_048, 64), (512, 64), (512, 500), (512, 0)];
        let frames = rings.map(|(most, rings)| ring_frames(most, rings));
        assert_eq!(frames, [2_048, 2_048, 512, 512, 128, 512]);
    }
}
