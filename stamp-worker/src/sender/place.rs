//! Where a worker keeps its sessions: each at the number by which its observer hears of it.

use stamp_net::Poller;
use stamp_session::sender::Sender;
use stamp_session::snapshot::SessionSnapshot;

use super::SessionSetup;
use super::commons::Commons;
use super::companion::{Companion, Ear};
use super::port::SharedSockets;
use super::session::Session;
use crate::clock::{monotonic, now};
use crate::error::WorkerError;

/// Sessions that are given to a worker together, companions behind those that are measured.
pub(super) struct Group(Vec<Box<Place>>);

impl Group {
    /// Makes engines and stamps ready, which takes time, before a worker sees them. The first
    /// session gets number `first`; companions count from the first of their group.
    pub(super) fn new(
        first: usize,
        setups: Vec<SessionSetup>,
        companions: Vec<Companion>,
        shared: &SharedSockets,
    ) -> Result<Self, WorkerError> {
        let start = monotonic();
        let measured = setups.into_iter().map(|setup| (setup, None));
        let beside = companions.into_iter().map(|companion| {
            let of = companion.of.iter().map(|number| first.saturating_add(*number)).collect();
            (companion.setup, Some(Ear::new(of)))
        });
        let mut places = Vec::new();
        for (mut setup, ear) in measured.chain(beside) {
            setup.port.join(shared)?;
            let number = first.saturating_add(places.len());
            let session = Session::new(number, setup, start)?;
            places.push(Box::new(Place { session, ear }));
        }
        Ok(Self(places))
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// A session, and what is heard from it if it is a companion of others.
pub(super) struct Place {
    pub(super) session: Session,
    pub(super) ear: Option<Ear>,
}

/// All sessions of a worker. A place that was left stays empty: what comes late for a session must
/// never be taken for another's.
#[derive(Default)]
pub(super) struct Places {
    places: Vec<Option<Box<Place>>>,
    /// How many of them are companions: asked for after every wait, so not counted anew.
    companions: usize,
}

impl Places {
    /// Takes in a group and watches its ports; all or nothing. Returns the numbers it got.
    pub(super) fn add(
        &mut self,
        group: Group,
        poller: &Poller,
        commons: &mut Commons,
    ) -> Result<core::ops::Range<usize>, WorkerError> {
        let first = self.places.len();
        let mut failed = None;
        for mut place in group.0 {
            self.companions += usize::from(place.ear.is_some());
            let token = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
            let port = place.session.port_mut();
            let admitted = commons.admit(port, token, poller);
            let watched = admitted.and_then(|()| port.watch(poller, token, &mut commons.sockets));
            failed = failed.or_else(|| watched.err());
            self.places.push(Some(place));
        }
        let taken = first..self.places.len();
        match failed {
            None => Ok(taken),
            Some(error) => {
                taken.for_each(|number| self.remove(number, commons));
                Err(error.into())
            }
        }
    }

    /// Empties a place.
    pub(super) fn remove(&mut self, number: usize, commons: &mut Commons) {
        let Some(left) = self.places.get_mut(number).and_then(Option::take) else { return };
        commons.dismiss(left.session.port(), u32::try_from(number).unwrap_or(u32::MAX));
        self.companions -= usize::from(left.ear.is_some());
        drop(left);
        commons.sockets.forget_unused();
    }

    pub(super) const fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, number: usize) -> Option<&Place> {
        self.places.get(number)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Place> {
        self.places.get_mut(number)?.as_deref_mut()
    }

    /// Whoever is here is wanted soon: among thousands of sessions its memory is in no cache, and comes while
    /// the kernel works for another.
    pub(super) fn expect(&self, number: Option<usize>) {
        if let Some(place) = number.and_then(|number| self.get(number)) {
            stamp_net::prefetch(place);
        }
    }

    /// Numbers and sessions, companions too.
    pub(super) fn all(&mut self) -> impl Iterator<Item = (usize, &mut Session)> {
        let places = self.places.iter_mut().enumerate();
        places.filter_map(|(number, place)| Some((number, &mut place.as_mut()?.session)))
    }

    /// Those that are measured.
    fn measured(&self) -> impl Iterator<Item = &Session> {
        let places = self.places.iter().flatten().filter(|place| place.ear.is_none());
        places.map(|place| &place.session)
    }

    pub(super) fn snapshots(&self) -> Vec<SessionSnapshot> {
        self.measured().map(|session| session.engine().snapshot()).collect()
    }

    /// Something of each of these, where it is still here.
    pub(super) fn each<T>(&self, numbers: Vec<usize>, of: fn(&Sender) -> T) -> Vec<Option<T>> {
        let places = numbers.into_iter().map(|number| self.get(number));
        places.map(|place| place.map(|place| of(place.session.engine()))).collect()
    }

    /// Nothing is left but companions, which end with what they are for.
    pub(super) fn only_companions_go_on(&self) -> bool {
        self.companions > 0 && self.measured().all(|session| session.next_timeout().is_none())
    }

    /// Companions of which every session has gone.
    pub(super) fn forsaken(&self) -> Vec<usize> {
        let is_forsaken = |place: &Place| {
            place.ear.as_ref().is_some_and(|ear| ear.of().iter().all(|of| self.get(*of).is_none()))
        };
        let numbers =
            (0..self.places.len()).filter(|number| self.get(*number).is_some_and(is_forsaken));
        numbers.collect()
    }

    /// Passes on what a companion has heard.
    pub(super) fn listen(&mut self, number: usize) {
        let Some(Place { session, ear: Some(ear) }) = self.get_mut(number) else { return };
        let Some(clock) = ear.news(session) else { return };
        for of in ear.of().to_vec() {
            if let Some(place) = self.get_mut(of) {
                place.session.engine_mut().handle_far_clock(now(), clock);
            }
        }
    }
}
