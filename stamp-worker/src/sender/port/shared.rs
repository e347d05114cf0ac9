//! Sockets that sessions of a worker have together, one of a kind for each interface.
//!
//! The kernel shows each frame to every packet socket that receives, and runs its filter: with a socket for each
//! session the cost of a probe would grow with their number. And to close a packet socket takes it ten
//! milliseconds, in which the thread that does it sends nothing: so they are closed on the other side.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use stamp_net::{ErrorBatch, NetError, interface};

use super::shared_out::SharedOut;
use super::shared_ring::SharedRing;

/// Tokens with this bit are of rings, and the rest of them is the number of the interface.
pub(in crate::sender) const RING: u32 = 1 << 31;
/// The same of sockets that frames leave by. Those of sessions are less than both.
pub(in crate::sender) const OUT: u32 = 1 << 30;

/// The sockets of one worker, for its thread and for whoever gives it sessions.
#[derive(Clone, Debug)]
pub(in crate::sender) struct SharedSockets(Arc<Mutex<Registry>>);

#[derive(Debug)]
struct Registry {
    ring_frames: usize,
    rings: HashMap<u32, Arc<SharedRing>>,
    outs: HashMap<u32, Arc<SharedOut>>,
}

impl SharedSockets {
    /// None yet. Rings are to hold so many frames.
    pub(in crate::sender) fn new(ring_frames: usize) -> Self {
        let (rings, outs) = (HashMap::new(), HashMap::new());
        Self(Arc::new(Mutex::new(Registry { ring_frames, rings, outs })))
    }

    /// The ring of an interface, opened if nobody has it.
    pub(super) fn ring(&self, name: &str) -> Result<Arc<SharedRing>, NetError> {
        let mut registry = self.registry();
        if let Some(ring) = registry.rings.get(&interface::index_of(name)?) {
            return Ok(Arc::clone(ring));
        }
        let ring = Arc::new(SharedRing::open(name, registry.ring_frames)?);
        registry.rings.insert(ring.interface(), Arc::clone(&ring));
        Ok(ring)
    }

    /// The socket that frames leave by through an interface, opened if nobody has it.
    pub(super) fn out(&self, name: &str) -> Result<Arc<SharedOut>, NetError> {
        let mut registry = self.registry();
        if let Some(out) = registry.outs.get(&interface::index_of(name)?) {
            return Ok(Arc::clone(out));
        }
        let out = Arc::new(SharedOut::open(name)?);
        registry.outs.insert(out.interface(), Arc::clone(&out));
        Ok(out)
    }

    /// Closes what no session has any more. Not to be called on the thread that sends.
    pub(in crate::sender) fn close_unused(&self) {
        let mut registry = self.registry();
        let Registry { rings, outs, .. } = &mut *registry;
        let rings: Vec<_> =
            rings.extract_if(|_, ring| Arc::strong_count(ring) == 1).map(|(_, it)| it).collect();
        let outs: Vec<_> =
            outs.extract_if(|_, out| Arc::strong_count(out) == 1).map(|(_, it)| it).collect();
        // The thread that sends may want it meanwhile.
        drop(registry);
        drop((rings, outs));
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    /// Puts aside what has come to the socket with this token, for whoever it is.
    pub(in crate::sender) fn catch(&self, token: u32, batch: &mut ErrorBatch) {
        if token & RING != 0 {
            let rings = self.rings().filter(|ring| RING | ring.interface() == token);
            rings.for_each(|ring| ring.catch());
        } else {
            let outs = self.outs.iter().filter_map(Weak::upgrade);
            outs.filter(|out| OUT | out.interface() == token).for_each(|out| out.catch(batch));
        }
    }

    /// Some session has something to fetch from a ring.
    pub(in crate::sender) fn has_waiting(&self) -> bool {
        self.rings().any(|ring| ring.has_waiting())
    }

    /// Adds the sessions that have; some may have fetched it since.
    pub(in crate::sender) fn take_waiting(&self, numbers: &mut Vec<u32>) {
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
