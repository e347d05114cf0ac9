//! The ring of one interface, from which every session of a worker gets what is its own.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stamp_net::frame::{Frame, FrameGate};
use stamp_net::{ErrorBatch, FrameFilter, FrameOptions, FrameSocket, NetError, Poller};
use stamp_proto::sr::layers::{Outermost, find_udp};
use stamp_proto::time::Stamp;

use super::registry::{OfInterface, RING};

/// Frames taken off a ring before probes that are due get their turn.
const TURN: usize = 256;
/// Frames that wait for one session at most, and for all: what comes faster is told as lost here.
const MOST_WAITING: usize = 1_024;
const MOST_TOGETHER: usize = 8_192;
/// Lets in nothing that anybody sends: without a rule there would be no ring.
const NOWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));

/// The ring of one interface. One thread reads it; the other opens it and says what it lets in.
#[derive(Debug)]
pub(in crate::sender) struct SharedRing {
    interface: u32,
    outermost: Outermost,
    gate: Mutex<Gate>,
    state: Mutex<State>,
}

/// What is let in. To change it takes the kernel up to a millisecond, so the thread that reads
/// never does.
#[derive(Debug)]
struct Gate {
    gate: FrameGate,
    filter: FrameFilter,
    /// Where somebody listens, and how many do.
    listeners: BTreeMap<SocketAddr, usize>,
    /// How many have gone since the filter was made anew.
    gone: usize,
}

#[derive(Debug)]
struct State {
    socket: FrameSocket,
    watched: bool,
    /// Who listens at an address and port. In VRFs several may.
    listeners: HashMap<SocketAddr, Vec<u32>>,
    boxes: HashMap<u32, Letterbox>,
    /// Whose boxes have got something since this was asked last.
    waiting: Vec<u32>,
    /// Frames in all boxes.
    held: usize,
    /// Frames that had found no room when that was last asked.
    dropped: u64,
    /// Memory of frames that were fetched.
    spare: Vec<Vec<u8>>,
}

/// What waits for one session.
#[derive(Debug)]
struct Letterbox {
    at: SocketAddr,
    frames: VecDeque<CaughtFrame>,
    /// It is told that something waits.
    announced: bool,
    /// Frames that the ring had dropped before it listened.
    dropped_before: u64,
    /// Frames that there was no room for in here.
    overflowed: u64,
}

/// A frame that was taken off a ring.
#[derive(Debug)]
pub(super) struct CaughtFrame {
    pub(super) octets: Vec<u8>,
    /// When the kernel or the network card received it.
    pub(super) stamp: Option<Stamp>,
    pub(super) checksum_ready: bool,
}

impl SharedRing {
    /// A ring of so many frames that nothing gets into until somebody listens.
    pub(super) fn open(name: &str, frames: usize) -> Result<Self, NetError> {
        let filter = FrameFilter::nothing().and_datagrams_to(NOWHERE);
        let options =
            FrameOptions { ring_frames: frames, ..FrameOptions::new(name, filter.clone()) };
        let socket = FrameSocket::open(&options)?;
        let outermost =
            if socket.has_ethernet_header() { Outermost::Ethernet } else { Outermost::Ip };
        let gate = Gate { gate: socket.gate()?, filter, listeners: BTreeMap::new(), gone: 0 };
        Ok(Self {
            interface: socket.interface(),
            outermost,
            gate: Mutex::new(gate),
            state: Mutex::new(State {
                socket,
                watched: false,
                listeners: HashMap::new(),
                boxes: HashMap::new(),
                waiting: Vec::new(),
                held: 0,
                dropped: 0,
                spare: Vec::new(),
            }),
        })
    }

    /// From now on datagrams to `at` are let in.
    pub(super) fn let_in(&self, at: SocketAddr) -> Result<(), NetError> {
        self.gate().let_in(at)
    }

    /// Somebody wants them no more.
    pub(super) fn forget(&self, at: SocketAddr) {
        self.gate().forget(at);
    }

    /// What its frames begin with.
    pub(super) const fn outermost(&self) -> Outermost {
        self.outermost
    }

    /// From now on datagrams to `at` are put aside for session `number`, and the poller watches the ring.
    pub(super) fn listen(
        &self,
        poller: &Poller,
        number: u32,
        at: SocketAddr,
    ) -> Result<(), NetError> {
        let mut state = self.state();
        let letterbox = Letterbox {
            at,
            frames: VecDeque::new(),
            announced: false,
            dropped_before: state.dropped,
            overflowed: 0,
        };
        state.boxes.insert(number, letterbox);
        state.listeners.entry(at).or_default().push(number);
        if !state.watched {
            poller.add(&state.socket, RING | self.interface)?;
            state.watched = true;
        }
        Ok(())
    }

    /// Nothing more is put aside for this session.
    pub(super) fn leave(&self, number: u32) {
        let mut state = self.state();
        let Some(letterbox) = state.boxes.remove(&number) else { return };
        state.held -= letterbox.frames.len();
        if let Some(numbers) = state.listeners.get_mut(&letterbox.at) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                state.listeners.remove(&letterbox.at);
            }
        }
    }

    /// Puts aside what has come, and takes note of an interface that went down: until then no wait
    /// lasts.
    pub(super) fn catch(&self, is_error: bool, batch: &mut ErrorBatch) {
        let mut state = self.state();
        if is_error {
            let _ = state.socket.errors(batch);
        }
        state.catch(self.outermost);
    }

    /// Hands `each` what waits for a session, up to `most` frames; where that is less, after a look
    /// at what has come.
    pub(super) fn take(
        &self,
        number: u32,
        most: usize,
        mut each: impl FnMut(&CaughtFrame),
    ) -> usize {
        let mut state = self.state();
        if state.boxes.get(&number).is_some_and(|it| it.frames.len() < most) {
            state.catch(self.outermost);
        }
        let State { boxes, waiting, spare, held, .. } = &mut *state;
        let Some(letterbox) = boxes.get_mut(&number) else { return 0 };
        let count = letterbox.frames.len().min(most);
        *held -= count;
        for frame in letterbox.frames.drain(..count) {
            each(&frame);
            if spare.len() < TURN {
                spare.push(frame.octets);
            }
        }
        letterbox.announce(number, waiting);
        count
    }

    /// Somebody has something to fetch.
    pub(super) fn has_waiting(&self) -> bool {
        !self.state().waiting.is_empty()
    }

    /// Adds those who have something to fetch.
    pub(super) fn take_waiting(&self, numbers: &mut VecDeque<u32>) {
        let mut state = self.state();
        let State { boxes, waiting, .. } = &mut *state;
        for number in waiting.drain(..) {
            if let Some(letterbox) = boxes.get_mut(&number) {
                letterbox.announced = false;
                numbers.push_back(number);
            }
        }
    }

    /// Frames that are known to have found no room while this session listened.
    pub(super) fn known_drops(&self, number: u32) -> u64 {
        let state = self.state();
        let of = |it: &Letterbox| state.dropped - it.dropped_before + it.overflowed;
        state.boxes.get(&number).map_or(0, of)
    }

    /// The same, asked anew; `None` when a sandbox forbids the question.
    pub(super) fn dropped(&self, number: u32) -> Option<u64> {
        {
            let mut state = self.state();
            state.dropped = state.socket.dropped()?;
        }
        Some(self.known_drops(number))
    }

    /// Only its own thread can have broken down while it held this.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfInterface for SharedRing {
    fn interface(&self) -> u32 {
        self.interface
    }

    fn is_bound(&self) -> bool {
        self.state().socket.is_bound()
    }
}

impl State {
    fn catch(&mut self, outermost: Outermost) {
        let Self { socket, listeners, boxes, waiting, spare, held, .. } = self;
        let mut after_loss = false;
        for _ in 0..TURN {
            let Some(frame) = socket.receive() else { break };
            after_loss |= frame.after_loss;
            let Ok(place) = find_udp(outermost, frame.octets) else { continue };
            let to = SocketAddr::new(place.addresses.destination(), place.header.destination_port);
            for number in listeners.get(&to).into_iter().flatten() {
                if let Some(letterbox) = boxes.get_mut(number) {
                    *held += usize::from(letterbox.put(&frame, *held, spare));
                    letterbox.announce(*number, waiting);
                }
            }
        }
        if after_loss {
            self.dropped = self.socket.dropped().unwrap_or(self.dropped);
        }
    }
}

impl Gate {
    fn let_in(&mut self, at: SocketAddr) -> Result<(), NetError> {
        *self.listeners.entry(at).or_default() += 1;
        let filter = if self.listeners.len() <= FrameFilter::MOST_ADDRESSES
            || self.gone > FrameFilter::MOST_ADDRESSES
        {
            self.gone = 0;
            let all = self.listeners.keys().copied();
            all.fold(FrameFilter::nothing(), FrameFilter::and_datagrams_to)
        } else {
            self.filter.clone().and_datagrams_to(at)
        };
        if filter != self.filter {
            self.gate.set_filter(&filter)?;
            self.filter = filter;
        }
        Ok(())
    }

    /// What was let in for it still is until others join; it is thrown away here.
    fn forget(&mut self, at: SocketAddr) {
        let Some(count) = self.listeners.get_mut(&at) else { return };
        *count -= 1;
        if *count == 0 {
            self.listeners.remove(&at);
            self.gone += 1;
        }
    }
}

impl Letterbox {
    /// Keeps a frame, where all boxes hold so many; whether there was room.
    fn put(&mut self, frame: &Frame<'_>, held: usize, spare: &mut Vec<Vec<u8>>) -> bool {
        if self.frames.len() >= MOST_WAITING || held >= MOST_TOGETHER {
            self.overflowed += 1;
            return false;
        }
        let mut octets = spare.pop().unwrap_or_default();
        octets.clear();
        octets.extend_from_slice(frame.octets);
        self.frames.push_back(CaughtFrame {
            octets,
            stamp: frame.stamp,
            checksum_ready: frame.checksum_ready,
        });
        true
    }

    /// Tells, once, that something waits.
    fn announce(&mut self, number: u32, waiting: &mut Vec<u32>) {
        if !self.frames.is_empty() && !self.announced {
            waiting.push(number);
            self.announced = true;
        }
    }
}
