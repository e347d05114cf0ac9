//! NAT rebinding: one session that comes from another port.
//!
//! A NAT that forgot a flow gives it another port, and the Session-Reflector sees a session that ends
//! and one that begins. It is one, but only if it goes on: two Session-Senders behind one address may
//! have chosen the same SSID. So a session from a new port, whose SSID, addresses and next Sequence
//! Numbers are those of a known one, *begins with a copy of its counter and its window*. Nothing is
//! merged by that: the old one stays, and if it speaks again they were two. When it has been silent
//! for eight of its own intervals while the new one was not, it is the same session, is marked as
//! [`ReflectorEvent::Rebound`](crate::reflector::ReflectorEvent::Rebound), and the old port is
//! forgotten. To the Session-Sender the numbers never broke.

use core::net::SocketAddr;
use core::time::Duration;

use super::session::{Predecessor, Session, SessionKey};
use super::{Arrival, LONGEST_SILENCE, Sessions};
use crate::clock::MonotonicTime;

/// Probes after which a session from another port can be called the continuation.
const PROBES_TO_CONFIRM: u64 = 3;
/// Intervals of silence after which the old port is given up.
const INTERVALS_TO_CONFIRM: u32 = 8;
/// The old port is not given up before, whatever the interval: probes arrive in batches.
const LEAST_PATIENCE: Duration = Duration::from_millis(100);
impl Sessions {
    /// The latest session that differs in the source port only.
    pub(super) fn kin(&self, key: &SessionKey) -> Option<u32> {
        if key.ssid().is_none() {
            return None;
        }
        let name = key.without_port();
        let has_name = |slot| self.slab.get(slot).is_some_and(|old| old.key.without_port() == name);
        self.by_name.find(name.hash(self.hash), has_name)
    }

    /// Lets a session begin where the one in `slot` is, if its first probe follows on that.
    pub(super) fn go_on_from(&self, slot: u32, session: &mut Session, arrival: &Arrival) {
        let Some(old) = self.slab.get(slot).filter(|old| old.mode == arrival.mode) else {
            return;
        };
        let ahead = arrival.sequence.wrapping_sub(old.window.highest());
        if !(1..=LONGEST_SILENCE).contains(&ahead) {
            return;
        }
        session.replies = old.replies;
        session.window = old.window;
        session.window.enter(arrival.mode, arrival.sequence, arrival.probe_sent);
        if old.is_due(arrival.now, ahead) {
            session.interval = old.interval;
        }
        let (generation, received) = (old.generation, old.received);
        session.predecessor = Some(Predecessor { slot, generation, received });
    }

    /// Ends the question whether a session continues another one, as soon as it can be answered.
    pub(super) fn confirm_rebinding(
        &mut self,
        slot: u32,
        now: MonotonicTime,
    ) -> Option<SocketAddr> {
        let session = self.slab.get(slot)?;
        let suspected = session.predecessor?;
        let old = self.slab.get(suspected.slot);
        let old = old.filter(|old| {
            old.generation == suspected.generation && old.received == suspected.received
        });
        let Some(old) = old else {
            // It spoke again, so it is another session, or it is gone.
            self.slab.get_mut(slot)?.predecessor = None;
            return None;
        };
        let interval = old.interval().zip(session.interval()).map(|(old, new)| old.max(new));
        let patience = interval?.saturating_mul(INTERVALS_TO_CONFIRM).max(LEAST_PATIENCE);
        if now.since(old.last_seen) < patience || session.received < PROBES_TO_CONFIRM {
            return None;
        }
        let (from, created, received) = (old.key.source(), old.created, old.received);
        let before = old.predecessor;
        self.remove(suspected.slot);
        let session = self.slab.get_mut(slot)?;
        session.created = created;
        session.received = session.received.saturating_add(received);
        session.predecessor = before;
        self.counts.rebindings = self.counts.rebindings.saturating_add(1);
        Some(from)
    }
}
