//! The test's own link: every packet between two hosts passes through a thread of the test, which
//! loses, delays, copies, reorders, corrupts and translates exactly what the test asked for, and
//! keeps a record that no other program had a hand in. The kernel needs no traffic control for it.
//!
//! ```text
//! near eth0 ═══ veth ═══ [ near  namespace of the wire  far ] ═══ veth ═══ eth0 far
//!                              packet socket ─ relay ─ packet socket
//! ```
//!
//! UDP datagrams count and are impaired, nothing else is: ARP, neighbour discovery, multicast
//! listener reports and ICMP pass at once and untouched. TCP does not pass intact (its checksums
//! are left to the interface, and nothing here fills them in).

mod frame;
mod impairment;
mod lane;
mod port;
mod relay;
mod translation;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use nix::sys::eventfd::EventFd;
use nix::time::{ClockId, clock_gettime};

use crate::netns::{Host, PATIENCE};
pub use frame::Datagram;
pub use impairment::{Checksum, Effect, Which};
use lane::Lane;
use translation::Translation;

/// Direction on a wire.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Way {
    /// From near to far: probes, usually.
    Forward,
    /// From far to near: replies, usually.
    Backward,
}

/// One instant on two clocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Moment {
    /// CLOCK_REALTIME, nanoseconds since 1970.
    pub wall_ns: i64,
    /// CLOCK_MONOTONIC, nanoseconds.
    pub monotonic_ns: u64,
}

/// What passed one way. Datagrams, except for the last two.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Came in, whatever became of them.
    pub seen: u64,
    /// Were lost on purpose: by [`Effect::Drop`], [`Effect::Police`] or a cut.
    pub dropped: u64,
    /// Went out, copies included.
    pub delivered: u64,
    /// Extra copies that went out.
    pub copies: u64,
    /// Were corrupted.
    pub corrupted: u64,
    /// Found no mapping in the translation and were dropped.
    pub untranslated: u64,
    /// Frames that are no UDP datagram.
    pub other: u64,
    /// Frames that the kernel dropped before the relay could read them. Not zero means that the
    /// test sends more than this wire can carry, and its other numbers are worth nothing.
    pub overflowed: u64,
}

/// One datagram as it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Position among the datagrams of its way, from 1.
    pub nth: u64,
    /// When the kernel received it; CLOCK_REALTIME, nanoseconds since 1970.
    pub arrived_wall_ns: i64,
    /// As sent, before any translation.
    pub source: SocketAddr,
    /// As sent, before any translation.
    pub destination: SocketAddr,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// Type of service or traffic class.
    pub traffic_class: u8,
    /// Source and destination behind the translation, which are the same without one; nothing if
    /// it was dropped.
    pub translated: Option<(SocketAddr, SocketAddr)>,
    /// UDP payload, before any corruption.
    pub payload: Vec<u8>,
    /// How many times it has gone out so far.
    pub delivered: u32,
}

/// The test's own link between two hosts; see the module.
#[derive(Debug)]
pub struct Wire {
    shared: Arc<Shared>,
    wake: Arc<EventFd>,
    relay: Option<JoinHandle<()>>,
    near: Host,
    far: Host,
    interfaces: [String; 2],
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lanes: [Lane; 2],
    translation: Option<Translation>,
    stop: bool,
}

impl Wire {
    /// Links two hosts by a wire that does nothing yet; their interfaces come into being.
    #[must_use]
    #[track_caller]
    pub fn join(near: &Host, near_interface: &str, far: &Host, far_interface: &str) -> Self {
        let ports = relay::link(near, near_interface, far, far_interface);
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let wake = Arc::new(EventFd::new().expect("a descriptor is left"));
        let relay = relay::start(ports, Arc::clone(&shared), Arc::clone(&wake));
        Self {
            shared,
            wake,
            relay: Some(relay),
            near: near.clone(),
            far: far.clone(),
            interfaces: [near_interface.to_owned(), far_interface.to_owned()],
        }
    }

    /// From now on, `effect` happens to the datagrams meant by `which`. Where several rules match
    /// one datagram, all apply.
    pub fn impair(&self, way: Way, which: Which, effect: Effect) {
        self.lane(way, |lane| lane.add_rule(which, effect));
    }

    /// Forgets all rules of that way. What is delayed or held back already stays so.
    pub fn clear(&self, way: Way) {
        self.lane(way, Lane::clear_rules);
    }

    /// Cuts one way: nothing that comes in after the returned moment goes out, be it a datagram or
    /// not. What is delayed at that moment still arrives.
    pub fn cut(&self, way: Way) -> Moment {
        self.lane(way, Lane::cut)
    }

    /// Cuts one way as soon as its `nth` datagram has passed.
    pub fn cut_after(&self, way: Way, nth: u64) {
        self.lane(way, |lane| lane.cut_after(nth));
    }

    /// When that way was cut, if it is.
    #[must_use]
    pub fn cut_moment(&self, way: Way) -> Option<Moment> {
        self.lane(way, |lane| lane.cut_moment())
    }

    /// Joins a cut way again.
    pub fn mend(&self, way: Way) -> Moment {
        self.lane(way, Lane::mend)
    }

    /// Puts a source NAT in front of `near`: its flows appear at `far` as `outside:first_port`,
    /// `outside:first_port + 1` and so on, in order of appearance. Answers and ICMP errors are
    /// translated back; what answers no mapping is dropped.
    #[track_caller]
    pub fn translate(&self, outside: IpAddr, first_port: u16) {
        let [near_interface, far_interface] = &self.interfaces;
        self.far.set_neighbour(far_interface, outside, self.near.mac(near_interface));
        self.shared.lock().translation = Some(Translation::new(outside, first_port));
    }

    /// Forgets all mappings, as a NAT does that restarts: flows get new ports, from `first_port`
    /// on, with their next datagram, and answers to the old ports are dropped.
    ///
    /// # Panics
    ///
    /// Without [`Self::translate`] before.
    #[track_caller]
    pub fn rebind(&self, first_port: u16) -> Moment {
        let mut state = self.shared.lock();
        state.translation.as_mut().expect("translate comes before rebind").rebind(first_port);
        Moment::now()
    }

    /// [`Self::rebind`] as soon as the `nth` forward datagram has passed.
    ///
    /// # Panics
    ///
    /// Without [`Self::translate`] before.
    #[track_caller]
    pub fn rebind_after(&self, nth: u64, first_port: u16) {
        let mut state = self.shared.lock();
        let translation = state.translation.as_mut().expect("translate comes before rebind_after");
        translation.rebind_after(nth, first_port);
    }

    /// Sends a datagram that nobody sent, with whatever source is claimed. It goes out at once, past
    /// rules, cuts and translation, and counts nowhere.
    ///
    /// # Panics
    ///
    /// If the two addresses are not of one family.
    #[track_caller]
    pub fn inject(&self, way: Way, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        let [near, far] =
            [(&self.near, 0), (&self.far, 1)].map(|(host, side)| host.mac(&self.interfaces[side]));
        let macs = match way {
            Way::Forward => (near, far),
            Way::Backward => (far, near),
        };
        let octets = frame::build(macs, (source, destination), payload);
        self.lane(way, |lane| lane.inject(octets));
        self.wake();
    }

    /// What has passed so far.
    #[must_use]
    pub fn counts(&self, way: Way) -> Counts {
        self.lane(way, |lane| lane.counts())
    }

    /// Waits until the counts of that way satisfy `enough`.
    ///
    /// # Panics
    ///
    /// With the counts, when they do not within [`PATIENCE`].
    #[track_caller]
    pub fn wait_for(&self, way: Way, mut enough: impl FnMut(&Counts) -> bool) -> Counts {
        let state = self.shared.lock();
        let (state, late) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, |state| {
                !enough(&state.lanes[way as usize].counts())
            })
            .unwrap_or_else(PoisonError::into_inner);
        let counts = state.lanes[way as usize].counts();
        drop(state);
        assert!(!late.timed_out(), "what was awaited on the wire never came: {way:?} {counts:?}");
        counts
    }

    /// All datagrams that came in that way, in order.
    #[must_use]
    pub fn records(&self, way: Way) -> Vec<Record> {
        self.lane(way, |lane| lane.records().to_vec())
    }

    fn lane<T>(&self, way: Way, action: impl FnOnce(&mut Lane) -> T) -> T {
        action(&mut self.shared.lock().lanes[way as usize])
    }

    fn wake(&self) {
        self.wake.write(1).expect("the counter is far from its limit");
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.wake();
        let stopped = self.relay.take().map(JoinHandle::join);
        // A relay that panicked has printed why; a test that has not failed by it fails here.
        if !std::thread::panicking() {
            assert!(matches!(stopped, Some(Ok(()))), "the relay of the wire failed");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Moment {
    /// Reads both clocks.
    #[must_use]
    pub fn now() -> Self {
        let ns = |clock| {
            let time = clock_gettime(clock).expect("Linux has this clock");
            time.tv_sec() * 1_000_000_000 + time.tv_nsec()
        };
        let monotonic_ns = ns(ClockId::CLOCK_MONOTONIC).cast_unsigned();
        Self { wall_ns: ns(ClockId::CLOCK_REALTIME), monotonic_ns }
    }
}
