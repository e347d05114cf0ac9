//! Where sessions are kept, and in which order they were last seen.

use super::session::{NOWHERE, Session};

/// Sessions allocated together: enough to be rare, few enough to waste little.
const CHUNK: usize = 256;

/// Sessions by slot number.
///
/// Grows by chunks, so that no session ever moves and a table of few sessions is small. Every
/// session is in one of two lists, ordered by when it was last seen: those that sent one probe and
/// those that sent more.
#[derive(Debug, Default)]
pub(super) struct Slab {
    chunks: Vec<Vec<Session>>,
    free: Option<u32>,
    count: usize,
    unproven: List,
    proven: List,
}

/// Ends of a list of sessions.
#[derive(Debug)]
struct List {
    first: u32,
    last: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { first: NOWHERE, last: NOWHERE }
    }
}

impl Slab {
    pub(super) fn get(&self, slot: u32) -> Option<&Session> {
        let (chunk, place) = split(slot);
        self.chunks.get(chunk)?.get(place)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Session> {
        let (chunk, place) = split(slot);
        self.chunks.get_mut(chunk)?.get_mut(place)
    }

    /// Takes a session in, as the latest of those that have sent once; `None` when even the numbers
    /// of slots are used up.
    pub(super) fn insert(&mut self, mut session: Session) -> Option<u32> {
        session.proven = false;
        let slot = match self.free {
            Some(slot) => {
                let old = self.get_mut(slot)?;
                let next = old.later;
                session.generation = old.generation.wrapping_add(1);
                *old = session;
                self.free = (next != NOWHERE).then_some(next);
                slot
            }
            None => self.append(session)?,
        };
        self.count = self.count.saturating_add(1);
        self.link_last(slot);
        Some(slot)
    }

    /// Lets a session go; its slot will be used again.
    pub(super) fn remove(&mut self, slot: u32) {
        self.unlink(slot);
        let free = self.free.unwrap_or(NOWHERE);
        if let Some(session) = self.get_mut(slot) {
            session.generation = session.generation.wrapping_add(1);
            session.later = free;
            self.free = Some(slot);
            self.count = self.count.saturating_sub(1);
        }
    }

    /// Makes a session the latest of those that sent more than once.
    pub(super) fn renew(&mut self, slot: u32) {
        self.unlink(slot);
        if let Some(session) = self.get_mut(slot) {
            session.proven = true;
        }
        self.link_last(slot);
    }

    /// The session that was last seen longest ago.
    pub(super) fn stalest(&self) -> Option<u32> {
        let last_seen = |slot: u32| self.get(slot).map(|session| (session.last_seen, slot));
        let both = [last_seen(self.unproven.first), last_seen(self.proven.first)];
        both.into_iter().flatten().min().map(|(_, slot)| slot)
    }

    /// As [`Self::stalest`], of those that have sent once.
    pub(super) fn stalest_unproven(&self) -> Option<u32> {
        (self.unproven.first != NOWHERE).then_some(self.unproven.first)
    }

    /// Slots of all sessions.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        [self.unproven.first, self.proven.first].into_iter().flat_map(|first| {
            let first = (first != NOWHERE).then_some(first);
            core::iter::successors(first, |slot| {
                self.get(*slot).map(|session| session.later).filter(|later| *later != NOWHERE)
            })
        })
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    pub(super) fn octets(&self) -> usize {
        let sessions =
            self.chunks.iter().map(|chunk| chunk.capacity().saturating_mul(size_of::<Session>()));
        let chunks = self.chunks.capacity().saturating_mul(size_of::<Vec<Session>>());
        sessions.fold(chunks, usize::saturating_add)
    }

    fn append(&mut self, session: Session) -> Option<u32> {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let full = self.chunks.len().saturating_sub(1).saturating_mul(CHUNK);
        let chunk = self.chunks.last_mut()?;
        let slot = u32::try_from(full.saturating_add(chunk.len())).ok()?;
        if slot == NOWHERE {
            return None;
        }
        chunk.push(session);
        Some(slot)
    }

    fn list(&mut self, proven: bool) -> &mut List {
        if proven { &mut self.proven } else { &mut self.unproven }
    }

    fn link_last(&mut self, slot: u32) {
        let Some(proven) = self.get(slot).map(|session| session.proven) else {
            return;
        };
        let list = self.list(proven);
        let last = core::mem::replace(&mut list.last, slot);
        if last == NOWHERE {
            list.first = slot;
        }
        if let Some(neighbour) = self.get_mut(last) {
            neighbour.later = slot;
        }
        if let Some(session) = self.get_mut(slot) {
            (session.earlier, session.later) = (last, NOWHERE);
        }
    }

    fn unlink(&mut self, slot: u32) {
        let Some(session) = self.get(slot) else {
            return;
        };
        let (earlier, later, proven) = (session.earlier, session.later, session.proven);
        match self.get_mut(earlier) {
            Some(neighbour) => neighbour.later = later,
            None => self.list(proven).first = later,
        }
        match self.get_mut(later) {
            Some(neighbour) => neighbour.earlier = earlier,
            None => self.list(proven).last = earlier,
        }
    }
}

fn split(slot: u32) -> (usize, usize) {
    let slot = usize::try_from(slot).unwrap_or(usize::MAX);
    (slot / CHUNK, slot % CHUNK)
}
