//! Where sessions are kept, and in which order they were last seen.

use super::session::{NOWHERE, Session};

/// Sessions allocated together: enough to be rare, few enough to waste little.
const CHUNK: usize = 256;

/// Sessions by slot number.
///
/// Grows by chunks, so that no session ever moves and a table of few sessions is small. Every
/// session is in the list of its [`Standing`], ordered by when it was last seen.
#[derive(Debug, Default)]
pub(super) struct Slab {
    chunks: Vec<Vec<Session>>,
    free: Option<u32>,
    count: usize,
    single: List,
    proven: List,
    authenticated: List,
}

/// How sure it is that a session is one, least sure first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// It sent one probe, which anyone can forge.
    Single,
    /// It sent more.
    Proven,
    /// Its probes are signed.
    Authenticated,
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

    /// Takes a session in, as the latest of its standing; `None` when even the numbers of slots are
    /// used up.
    pub(super) fn insert(&mut self, mut session: Session) -> Option<u32> {
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

    /// Makes a session that sent once more the latest of its standing.
    pub(super) fn renew(&mut self, slot: u32) {
        self.unlink(slot);
        if let Some(session) = self.get_mut(slot)
            && session.standing == Standing::Single
        {
            session.standing = Standing::Proven;
        }
        self.link_last(slot);
    }

    /// The session that was last seen longest ago.
    pub(super) fn stalest(&self) -> Option<u32> {
        let last_seen = |slot: u32| self.get(slot).map(|session| (session.last_seen, slot));
        self.firsts().filter_map(last_seen).min().map(|(_, slot)| slot)
    }

    /// As [`Self::stalest`], of one standing.
    pub(super) const fn stalest_of(&self, standing: Standing) -> Option<u32> {
        let first = match standing {
            Standing::Single => self.single.first,
            Standing::Proven => self.proven.first,
            Standing::Authenticated => self.authenticated.first,
        };
        if first == NOWHERE { None } else { Some(first) }
    }

    /// Slots of all sessions.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.firsts().flat_map(|first| {
            core::iter::successors(Some(first), |slot| {
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

    fn firsts(&self) -> impl Iterator<Item = u32> + use<> {
        let lists = [Standing::Single, Standing::Proven, Standing::Authenticated];
        lists.map(|standing| self.stalest_of(standing)).into_iter().flatten()
    }

    const fn list(&mut self, standing: Standing) -> &mut List {
        match standing {
            Standing::Single => &mut self.single,
            Standing::Proven => &mut self.proven,
            Standing::Authenticated => &mut self.authenticated,
        }
    }

    fn link_last(&mut self, slot: u32) {
        let Some(standing) = self.get(slot).map(|session| session.standing) else {
            return;
        };
        let list = self.list(standing);
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
        let (earlier, later, standing) = (session.earlier, session.later, session.standing);
        match self.get_mut(earlier) {
            Some(neighbour) => neighbour.later = later,
            None => self.list(standing).first = later,
        }
        match self.get_mut(later) {
            Some(neighbour) => neighbour.earlier = earlier,
            None => self.list(standing).last = earlier,
        }
    }
}

fn split(slot: u32) -> (usize, usize) {
    let slot = usize::try_from(slot).unwrap_or(usize::MAX);
    (slot / CHUNK, slot % CHUNK)
}
