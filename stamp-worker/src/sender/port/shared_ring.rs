//! The ring of one interface, from which every session of a worker gets what is its own.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stamp_net::frame::Frame;
use stamp_net::{FrameFilter, FrameOptions, FrameSocket, NetError, Poller};
use stamp_proto::sr::layers::{Outermost, find_udp};
use stamp_proto::time::Stamp;

use super::shared::RING;

/// Frames taken off a ring before probes that are due get their turn.
const TURN: usize = 256;
/// Frames that wait for one session at most; it is attended long before so many of its own can come.
const MOST_WAITING: usize = 4_096;
/// Lets in nothing that anybody sends: without a rule there would be no ring.
const NOWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));

/// The ring of one interface. One thread reads it; another may open it and look for it.
#[derive(Debug)]
pub(in crate::sender) struct SharedRing {
    interface: u32,
    outermost: Outermost,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    socket: FrameSocket,
    filter: FrameFilter,
    watched: bool,
    /// Who listens at an address and port. In VRFs several may.
    listeners: HashMap<SocketAddr, Vec<u32>>,
    boxes: HashMap<u32, Letterbox>,
    /// Whose boxes have got something since this was asked last.
    waiting: Vec<u32>,
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
        Ok(Self {
            interface: socket.interface(),
            outermost,
            state: Mutex::new(State {
                socket,
                filter,
                watched: false,
                listeners: HashMap::new(),
                boxes: HashMap::new(),
                waiting: Vec::new(),
                dropped: 0,
                spare: Vec::new(),
            }),
        })
    }

    /// Number of its interface.
    pub(super) const fn interface(&self) -> u32 {
        self.interface
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
        state.fit_filter(Some(at))?;
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
        if let Some(numbers) = state.listeners.get_mut(&letterbox.at) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                state.listeners.remove(&letterbox.at);
            }
        }
        // Where that fails, what is let in for nobody is thrown away here.
        let _ = state.fit_filter(None);
    }

    /// Puts aside what has come.
    pub(super) fn catch(&self) {
        self.state().catch(self.outermost);
    }

    /// Hands `each` what waits for a session, up to `most` frames, after a look at what has come.
    pub(super) fn take(
        &self,
        number: u32,
        most: usize,
        mut each: impl FnMut(&CaughtFrame),
    ) -> usize {
        let mut state = self.state();
        state.catch(self.outermost);
        let State { boxes, waiting, spare, .. } = &mut *state;
        let Some(letterbox) = boxes.get_mut(&number) else { return 0 };
        let count = letterbox.frames.len().min(most);
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
    pub(super) fn take_waiting(&self, numbers: &mut Vec<u32>) {
        let mut state = self.state();
        let State { boxes, waiting, .. } = &mut *state;
        for number in waiting.drain(..) {
            if let Some(letterbox) = boxes.get_mut(&number) {
                letterbox.announced = false;
                numbers.push(number);
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
}

impl State {
    fn catch(&mut self, outermost: Outermost) {
        let Self { socket, listeners, boxes, waiting, spare, .. } = self;
        let mut after_loss = false;
        for _ in 0..TURN {
            let Some(frame) = socket.receive() else { break };
            after_loss |= frame.after_loss;
            let Ok(place) = find_udp(outermost, frame.octets) else { continue };
            let to = SocketAddr::new(place.addresses.destination(), place.header.destination_port);
            for number in listeners.get(&to).into_iter().flatten() {
                if let Some(letterbox) = boxes.get_mut(number) {
                    letterbox.put(&frame, spare);
                    letterbox.announce(*number, waiting);
                }
            }
        }
        if after_loss {
            self.dropped = self.socket.dropped().unwrap_or(self.dropped);
        }
    }

    /// Lets in what somebody listens to. While the kernel can tell all of it apart that is nothing else; beyond that
    /// what was let in once still is.
    fn fit_filter(&mut self, joined: Option<SocketAddr>) -> Result<(), NetError> {
        if self.listeners.len() > FrameFilter::MOST_ADDRESSES {
            let Some(at) = joined else { return Ok(()) };
            let filter = self.filter.clone().and_datagrams_to(at);
            return self.change_filter(filter);
        }
        let mut all: Vec<SocketAddr> = self.listeners.keys().copied().collect();
        all.sort_unstable();
        let nothing = FrameFilter::nothing();
        self.change_filter(all.into_iter().fold(nothing, FrameFilter::and_datagrams_to))
    }

    fn change_filter(&mut self, filter: FrameFilter) -> Result<(), NetError> {
        if filter != self.filter {
            self.socket.set_filter(&filter)?;
            self.filter = filter;
        }
        Ok(())
    }
}

impl Letterbox {
    fn put(&mut self, frame: &Frame<'_>, spare: &mut Vec<Vec<u8>>) {
        if self.frames.len() >= MOST_WAITING {
            self.overflowed += 1;
            return;
        }
        let mut octets = spare.pop().unwrap_or_default();
        octets.clear();
        octets.extend_from_slice(frame.octets);
        self.frames.push_back(CaughtFrame {
            octets,
            stamp: frame.stamp,
            checksum_ready: frame.checksum_ready,
        });
    }

    /// Tells, once, that something waits.
    fn announce(&mut self, number: u32, waiting: &mut Vec<u32>) {
        if !self.frames.is_empty() && !self.announced {
            waiting.push(number);
            self.announced = true;
        }
    }
}
