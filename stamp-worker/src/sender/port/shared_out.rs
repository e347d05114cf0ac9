//! The socket that frames of all sessions of a worker leave by through one interface, and whose stamps are whose.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stamp_net::{
    ErrorBatch, FrameBatch, FrameFilter, FrameOptions, FrameSocket, NetError, Poller, SendOutcome,
    SocketEvent,
};
use stamp_proto::time::Stamp;

use super::registry::{OUT, OfInterface};

/// Frames whose stamps are awaited at most; the kernel's own queue of stamps holds fewer.
const MOST_AWAITED: usize = 1 << 16;
/// Octets asked for, for frames that have not left yet: thousands of sessions may send within a moment.
const SEND_BUFFER: usize = 1 << 20;

/// Sends frames through one interface. One thread does; another may open it and look for it.
#[derive(Debug)]
pub(in crate::sender) struct SharedOut {
    interface: u32,
    socket: FrameSocket,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    watched: bool,
    awaited: Awaited,
    boxes: HashMap<u32, StampBox>,
}

/// What one session has to do with stamps.
#[derive(Debug, Default)]
struct StampBox {
    /// Stamps that it has not fetched, with Sequence Numbers.
    stamps: VecDeque<(u32, Stamp)>,
    /// Probes whose stamps have not come.
    awaited: usize,
}

/// A probe that left: the number of its session, and its Sequence Number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Probe {
    pub(super) session: u32,
    pub(super) sequence: u32,
}

/// The probes whose stamps have not come: their ids follow each other.
#[derive(Debug, Default)]
struct Awaited {
    /// Id of the first.
    first: u32,
    probes: VecDeque<Option<Probe>>,
}

impl SharedOut {
    /// A socket that receives nothing.
    pub(super) fn open(name: &str) -> Result<Self, NetError> {
        let options = FrameOptions {
            transmit_stamps: true,
            send_buffer: Some(SEND_BUFFER),
            ..FrameOptions::new(name, FrameFilter::nothing())
        };
        let socket = FrameSocket::open(&options)?;
        Ok(Self { interface: socket.interface(), socket, state: Mutex::default() })
    }

    /// From now on the poller watches it, and stamps of session `number` are put aside.
    pub(super) fn enter(&self, poller: &Poller, number: u32) -> Result<(), NetError> {
        let mut state = self.state();
        state.boxes.insert(number, StampBox::default());
        if !state.watched {
            poller.add(&self.socket, OUT | self.interface)?;
            state.watched = true;
        }
        Ok(())
    }

    /// Sends the frame in the batch, which holds this probe.
    pub(super) fn send(&self, probe: Probe, frames: &mut FrameBatch) -> SendOutcome {
        self.socket.send(frames);
        let outcome = frames.outcome(0);
        if let SendOutcome::Sent { transmit_id: Some(id) } = outcome {
            self.state().expect(id, probe);
        }
        outcome
    }

    /// Hands `each` the stamps of a session's frames, with Sequence Numbers, after a look at what has come for anybody.
    pub(super) fn take_stamps(
        &self,
        number: u32,
        batch: &mut ErrorBatch,
        mut each: impl FnMut(u32, Stamp),
    ) {
        let mut state = self.state();
        if state.boxes.get(&number).is_some_and(|it| it.awaited > 0) {
            state.catch(&self.socket, batch);
        }
        let Some(letterbox) = state.boxes.get_mut(&number) else { return };
        letterbox.stamps.drain(..).for_each(|(sequence, stamp)| each(sequence, stamp));
    }

    /// Puts aside the stamps that have come.
    pub(super) fn catch(&self, batch: &mut ErrorBatch) {
        self.state().catch(&self.socket, batch);
    }

    /// The session sends nothing here any more.
    pub(super) fn leave(&self, number: u32) {
        self.state().boxes.remove(&number);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfInterface for SharedOut {
    fn interface(&self) -> u32 {
        self.interface
    }

    fn is_bound(&self) -> bool {
        self.socket.is_bound()
    }
}

impl State {
    fn expect(&mut self, id: u32, probe: Probe) {
        let Self { awaited, boxes, .. } = self;
        if let Some(letterbox) = boxes.get_mut(&probe.session) {
            letterbox.awaited += 1;
        }
        awaited.insert(id, probe, |given_up| {
            if let Some(letterbox) = boxes.get_mut(&given_up.session) {
                letterbox.awaited = letterbox.awaited.saturating_sub(1);
            }
        });
    }

    fn catch(&mut self, socket: &FrameSocket, batch: &mut ErrorBatch) {
        batch.expect(batch.capacity());
        loop {
            let taken = socket.errors(batch).unwrap_or(0);
            for event in batch.iter().take(taken) {
                let SocketEvent::TransmitStamp { id, stamp } = event else { continue };
                let Some(Probe { session, sequence }) = self.awaited.take(id) else { continue };
                // It may have gone since.
                if let Some(letterbox) = self.boxes.get_mut(&session) {
                    letterbox.awaited = letterbox.awaited.saturating_sub(1);
                    letterbox.stamps.push_back((sequence, stamp));
                }
            }
            if taken < batch.capacity() {
                return;
            }
        }
    }
}

impl Awaited {
    /// Awaits another; the oldest are given up where there are too many.
    fn insert(&mut self, id: u32, probe: Probe, mut give_up: impl FnMut(Probe)) {
        if self.probes.is_empty() {
            self.first = id;
        }
        while self.place(id) >= MOST_AWAITED {
            let Some(oldest) = self.probes.pop_front() else {
                self.first = id;
                break;
            };
            oldest.into_iter().for_each(&mut give_up);
            self.first = self.first.wrapping_add(1);
        }
        let place = self.place(id);
        while self.probes.len() <= place {
            self.probes.push_back(None);
        }
        if let Some(awaited) = self.probes.get_mut(place) {
            *awaited = Some(probe);
        }
    }

    fn take(&mut self, id: u32) -> Option<Probe> {
        let place = self.place(id);
        let probe = self.probes.get_mut(place)?.take();
        while self.probes.front().is_some_and(Option::is_none) {
            self.probes.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        probe
    }

    fn place(&self, id: u32) -> usize {
        id.wrapping_sub(self.first) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(session: u32) -> Probe {
        Probe { session, sequence: 100 + session }
    }

    fn of(entries: impl IntoIterator<Item = (u32, u32)>) -> Awaited {
        let mut awaited = Awaited::default();
        let mut given_up = Vec::new();
        for (id, session) in entries {
            awaited.insert(id, probe(session), |probe| given_up.push(probe.session));
        }
        assert!(given_up.len() <= 1, "{given_up:?}");
        awaited
    }

    #[test]
    fn a_stamp_finds_its_probe_in_whatever_order_it_comes() {
        let mut awaited = of((0..5).map(|nth| (u32::MAX - 1).wrapping_add(nth)).zip(10..));
        assert_eq!(awaited.take(0), Some(probe(12)));
        assert_eq!(awaited.take(0), None, "once");
        assert_eq!(awaited.take(u32::MAX - 1), Some(probe(10)));
        assert_eq!(awaited.take(u32::MAX), Some(probe(11)));
        assert_eq!([2, 1].map(|id| awaited.take(id)), [14, 13].map(|it| Some(probe(it))));
        assert!(awaited.probes.is_empty());
    }

    #[test]
    fn ids_that_the_kernel_skipped_are_nobodys() {
        let mut awaited = of([(7, 1), (9, 2)]);
        let expected = [None, Some(probe(2)), Some(probe(1)), None];
        assert_eq!([8, 9, 7, 6].map(|id| awaited.take(id)), expected);
    }

    #[test]
    fn stamps_that_never_come_make_room_in_the_end() {
        let later = MOST_AWAITED as u32;
        let mut awaited = of([(0, 1), (later - 1, 2), (later, 3)]);
        let taken = [0, later, later - 1].map(|id| awaited.take(id));
        assert_eq!(taken, [None, Some(probe(3)), Some(probe(2))]);
        let mut given_up = 0;
        awaited.insert(7, probe(4), |_| given_up += 1);
        assert_eq!((awaited.take(7), given_up), (Some(probe(4)), 0), "whatever the id");
    }
}
