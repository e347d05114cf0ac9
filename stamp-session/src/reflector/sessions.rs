//! The sessions of a stateful Session-Reflector.
//!
//! Bounded in every direction, as whoever sends decides how many there are: by number, by share of
//! one source, and by time. When the table is full, a new session takes the place of the oldest that
//! has sent a single probe; one that has sent more works on. Only a session of a key holder may put
//! out one that anybody could have forged, and nobody puts out that of a key holder.

mod index;
mod rebinding;
pub(in crate::reflector) mod replay;
pub(in crate::reflector) mod session;
mod shares;
mod slab;

use core::net::SocketAddr;
use core::time::Duration;

use stamp_proto::auth::KeyId;
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_proto::time::WallTime;

use self::index::Index;
use self::replay::{Judgement, ReplayWindow};
use self::session::{NOWHERE, ReplyCounter, Session, SessionKey, SessionView};
use self::shares::Shares;
use self::slab::{Slab, Standing};
use super::drop_reason::DropReason;
use super::keyed_hash::KeyedHash;
use super::reply::ReplyToken;
use crate::clock::MonotonicTime;

/// A session that goes on from another port is at most so many probes ahead.
const LONGEST_SILENCE: u32 = 1 << 16;
/// Sessions removed by one call, so that packets need not wait for a crowd that left together.
const EXPIRED_AT_ONCE: usize = 64;

/// What the table needs to know about a probe; everything in it is verified already.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) now: MonotonicTime,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) ssid: Ssid,
    pub(super) mode: AuthenticationMode,
    pub(super) key_id: Option<KeyId>,
    pub(super) sequence: u32,
    /// T1, if it can be read.
    pub(super) probe_sent: Option<WallTime>,
    /// Sessions its source may have.
    pub(super) share: Option<usize>,
}

/// The reply's number, and what the probe told about its session.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) token: ReplyToken,
    pub(super) restarted: bool,
    /// Where the session came from before.
    pub(super) rebound: Option<SocketAddr>,
}

/// Counters of the table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SessionCounts {
    pub(super) rebindings: u64,
    pub(super) restarts: u64,
    pub(super) expired: u64,
    pub(super) evicted: u64,
}

/// The session table.
#[derive(Debug)]
pub(super) struct Sessions {
    slab: Slab,
    by_key: Index,
    /// The latest session of each name without its source port; those without SSID are not here.
    by_name: Index,
    shares: Shares,
    hash: KeyedHash,
    limit: usize,
    expiry: Duration,
    is_draining: bool,
    counts: SessionCounts,
}

impl Sessions {
    pub(super) fn new(limit: usize, expiry: Duration, hash: KeyedHash) -> Self {
        Self {
            slab: Slab::default(),
            by_key: Index::new(limit),
            by_name: Index::new(limit),
            shares: Shares::new(limit, hash),
            hash,
            limit,
            expiry,
            is_draining: false,
            counts: SessionCounts::default(),
        }
    }

    /// The probe was seen before; changes nothing, so that a copy costs its source no allowance.
    pub(super) fn is_replay(&self, arrival: &Arrival) -> bool {
        let key = SessionKey::new(arrival.source, arrival.destination, arrival.ssid);
        let alive = |slot: &u32| !self.is_expired(*slot, arrival.now);
        if let Some(session) = self.find(&key).filter(alive).and_then(|slot| self.slab.get(slot)) {
            let Arrival { mode, sequence, probe_sent, .. } = *arrival;
            return session.window.judge(mode, sequence, probe_sent) == Judgement::Replay;
        }
        // Ports are not under the HMAC: a copy of an old packet may come from any.
        arrival.mode == AuthenticationMode::Authenticated
            && self
                .kin(&key)
                .filter(alive)
                .and_then(|slot| self.slab.get(slot))
                .is_some_and(|old| !old.window.is_newest(arrival.probe_sent))
    }

    /// Finds or makes the session of a probe that is no replay, and gives its reply a number.
    ///
    /// # Errors
    ///
    /// [`DropReason::Capacity`] when there is no room for a new session, [`DropReason::Draining`] when none
    /// is to begin; nothing has changed then.
    pub(super) fn admit(&mut self, arrival: &Arrival) -> Result<Admitted, DropReason> {
        let key = SessionKey::new(arrival.source, arrival.destination, arrival.ssid);
        let known = self.find(&key);
        let known = known.filter(|slot| !self.drop_if_expired(*slot, arrival.now));
        let (slot, restarted) = match known {
            Some(slot) => (slot, self.go_on(slot, arrival)),
            None => (self.begin(key, arrival)?, false),
        };
        let rebound = self.confirm_rebinding(slot, arrival.now);
        let session = self.slab.get_mut(slot).ok_or(DropReason::Capacity)?;
        let number = session.replies.take();
        let token = ReplyToken { slot, generation: session.generation, number };
        Ok(Admitted { token, restarted, rebound })
    }

    /// A probe with a higher number came before this one, whose reply has this token.
    pub(super) fn is_overtaken(&self, token: &ReplyToken, sequence: u32) -> bool {
        let session = self.slab.get(token.slot);
        session.is_some_and(|session| {
            session.generation == token.generation && session.window.highest() != sequence
        })
    }

    /// The number of a further reply to the last probe of a session; `None` when it is gone.
    pub(super) fn further(&mut self, slot: u32, generation: u32) -> Option<u32> {
        let session = self.slab.get_mut(slot).filter(|session| session.generation == generation)?;
        Some(session.replies.take())
    }

    /// Takes the number of a reply back that was not sent.
    pub(super) fn give_back(&mut self, token: &ReplyToken) {
        if let Some(session) = self.slab.get_mut(token.slot)
            && session.generation == token.generation
        {
            session.replies.give_back(token.number);
        }
    }

    /// Forgets sessions that have been silent for too long; call again while
    /// [`Self::next_expiry`] is due.
    pub(super) fn expire(&mut self, now: MonotonicTime) {
        for _ in 0..EXPIRED_AT_ONCE {
            match self.slab.stalest() {
                Some(slot) if self.drop_if_expired(slot, now) => {}
                _ => return,
            }
        }
    }

    /// Adopts new limits and forgets the sessions that `keeps` does not want.
    pub(super) fn reconfigure(
        &mut self,
        limit: usize,
        expiry: Duration,
        keeps: impl Fn(&SessionView) -> bool,
    ) {
        self.expiry = expiry;
        let unwanted: Vec<u32> = self
            .slab
            .slots()
            .filter(|slot| {
                self.slab.get(*slot).is_some_and(|session| !keeps(&SessionView::from(session)))
            })
            .collect();
        unwanted.into_iter().for_each(|slot| self.remove(slot));
        self.limit = limit;
        let room = limit.max(self.slab.count());
        (self.by_key, self.by_name) = (Index::new(room), Index::new(room));
        self.shares = Shares::new(room, self.hash);
        let mut slots: Vec<u32> = self.slab.slots().collect();
        slots.sort_by_key(|slot| self.slab.get(*slot).map(|session| session.created));
        for slot in slots {
            self.index(slot);
            if let Some(session) = self.slab.get(slot) {
                self.shares.add(session.key.source());
            }
        }
    }

    /// Forgets sessions; how many.
    pub(super) fn forget(&mut self, is_meant: impl Fn(&SessionView) -> bool) -> usize {
        let is_meant = |slot: &u32| {
            self.slab.get(*slot).is_some_and(|session| is_meant(&SessionView::from(session)))
        };
        let meant: Vec<u32> = self.slab.slots().filter(is_meant).collect();
        let count = meant.len();
        meant.into_iter().for_each(|slot| self.remove(slot));
        self.counts.expired = self.counts.expired.saturating_add(count as u64);
        count
    }

    /// Lets no session begin from now on, or lets them again.
    pub(super) const fn drain(&mut self, is_draining: bool) {
        self.is_draining = is_draining;
    }

    pub(super) const fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// When the next session will have been silent for too long.
    pub(super) fn next_expiry(&self) -> Option<MonotonicTime> {
        let stalest = self.slab.stalest().and_then(|slot| self.slab.get(slot))?;
        Some(stalest.last_seen.saturating_add(self.expiry))
    }

    pub(super) fn views(&self) -> impl Iterator<Item = SessionView> + '_ {
        self.slab.slots().filter_map(|slot| self.slab.get(slot).map(SessionView::from))
    }

    /// The session at a place, if it is still the same.
    pub(super) fn view(&self, slot: u32, generation: u32) -> Option<SessionView> {
        let session = self.slab.get(slot).filter(|session| session.generation == generation)?;
        Some(SessionView::from(session))
    }

    pub(super) const fn count(&self) -> usize {
        self.slab.count()
    }

    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    pub(super) const fn counts(&self) -> SessionCounts {
        self.counts
    }

    /// Octets the table takes, as allocated.
    pub(super) fn octets(&self) -> usize {
        let indices = self.by_key.octets().saturating_add(self.by_name.octets());
        let parts = [self.slab.octets(), self.shares.octets(), indices];
        parts.into_iter().fold(0, usize::saturating_add)
    }

    /// One more probe of a known session; tells whether its Session-Sender began again.
    fn go_on(&mut self, slot: u32, arrival: &Arrival) -> bool {
        let Some(session) = self.slab.get_mut(slot) else {
            return false;
        };
        // Behind, modulo 2^32, is far ahead: no interval can be told from either.
        let ahead = arrival.sequence.wrapping_sub(session.window.highest());
        let ahead = if ahead <= LONGEST_SILENCE { ahead } else { 0 };
        let judgement = session.window.enter(arrival.mode, arrival.sequence, arrival.probe_sent);
        let restarted = judgement == Judgement::Restart;
        if restarted {
            session.replies = ReplyCounter::default();
            session.predecessor = None;
            self.counts.restarts = self.counts.restarts.saturating_add(1);
        }
        session.touch(arrival.now, ahead, arrival.key_id);
        self.slab.renew(slot);
        restarted
    }

    /// The first probe from these addresses and ports.
    fn begin(&mut self, key: SessionKey, arrival: &Arrival) -> Result<u32, DropReason> {
        let kin = self.kin(&key).filter(|slot| !self.drop_if_expired(*slot, arrival.now));
        if self.is_draining && kin.is_none() {
            return Err(DropReason::Draining);
        }
        let mut session = Session {
            key,
            mode: arrival.mode,
            key_id: arrival.key_id,
            created: arrival.now,
            last_seen: arrival.now,
            interval: 0,
            received: 1,
            replies: ReplyCounter::default(),
            window: ReplayWindow::new(arrival.sequence, arrival.probe_sent),
            predecessor: None,
            earlier: NOWHERE,
            later: NOWHERE,
            generation: 0,
            standing: match arrival.mode {
                AuthenticationMode::Unauthenticated => Standing::Single,
                AuthenticationMode::Authenticated => Standing::Authenticated,
            },
        };
        if let Some(kin) = kin {
            self.go_on_from(kin, &mut session, arrival);
        }
        self.make_room(arrival)?;
        let slot = self.slab.insert(session).ok_or(DropReason::Capacity)?;
        self.index(slot);
        self.shares.add(arrival.source);
        Ok(slot)
    }

    fn make_room(&mut self, arrival: &Arrival) -> Result<(), DropReason> {
        let quarter = (self.limit / 4).max(1);
        if self.shares.of(arrival.source) >= arrival.share.unwrap_or(quarter) {
            return Err(DropReason::Capacity);
        }
        if self.slab.count() < self.limit {
            return Ok(());
        }
        if self.slab.stalest().is_some_and(|slot| self.drop_if_expired(slot, arrival.now)) {
            return Ok(());
        }
        let proven = match arrival.mode {
            AuthenticationMode::Unauthenticated => None,
            AuthenticationMode::Authenticated => self.slab.stalest_of(Standing::Proven),
        };
        let oldest = self.slab.stalest_of(Standing::Single).or(proven);
        let oldest = oldest.ok_or(DropReason::Capacity)?;
        self.remove(oldest);
        self.counts.evicted = self.counts.evicted.saturating_add(1);
        Ok(())
    }

    fn is_expired(&self, slot: u32, now: MonotonicTime) -> bool {
        self.slab.get(slot).is_some_and(|session| now.since(session.last_seen) >= self.expiry)
    }

    fn drop_if_expired(&mut self, slot: u32, now: MonotonicTime) -> bool {
        let expired = self.is_expired(slot, now);
        if expired {
            self.remove(slot);
            self.counts.expired = self.counts.expired.saturating_add(1);
        }
        expired
    }

    fn remove(&mut self, slot: u32) {
        let Some(key) = self.slab.get(slot).map(|session| session.key) else {
            return;
        };
        let (slab, hash) = (&self.slab, self.hash);
        let key_hash = |slot| slab.get(slot).map_or(0, |session| session.key.hash(hash));
        let name_hash =
            |slot| slab.get(slot).map_or(0, |session| session.key.without_port().hash(hash));
        self.by_key.remove(key_hash(slot), slot, key_hash);
        self.by_name.remove(name_hash(slot), slot, name_hash);
        self.slab.remove(slot);
        self.shares.subtract(key.source());
    }

    fn find(&self, key: &SessionKey) -> Option<u32> {
        let is_it = |slot| self.slab.get(slot).is_some_and(|session| session.key == *key);
        self.by_key.find(key.hash(self.hash), is_it)
    }

    /// Enters a session that is in the slab into both indices.
    fn index(&mut self, slot: u32) {
        let Some(key) = self.slab.get(slot).map(|session| session.key) else {
            return;
        };
        self.by_key.insert(key.hash(self.hash), slot);
        if key.ssid().is_none() {
            return;
        }
        let name = key.without_port();
        let hash = name.hash(self.hash);
        let has_name = |slot| self.slab.get(slot).is_some_and(|old| old.key.without_port() == name);
        match self.by_name.find(hash, has_name) {
            Some(old) => self.by_name.replace(hash, old, slot),
            None => self.by_name.insert(hash, slot),
        }
    }
}

#[cfg(test)]
mod tests;
