//! Loss and delay of the way here, for each session that wants no reply.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::HashMap;

use stamp_proto::packet::Ssid;
use stamp_proto::time::TimeDelta;

use super::OneWayArrival;
use crate::clock::MonotonicTime;
use crate::reflector::keyed_hash::KeyedHash;
use crate::reflector::prefix::address_bits;

/// Sessions that are kept; strangers can open as many as they like.
const MOST_SESSIONS: usize = 1_024;
/// A session that was silent for so long makes room.
const LONGEST_SILENCE: Duration = Duration::from_secs(900);
/// How often it is looked for such, when there is no room.
const PAUSE: Duration = Duration::from_secs(1);
/// Sequence Numbers behind the highest that are told apart.
const WINDOW: u32 = u128::BITS;

/// What is known of one session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OneWayView {
    /// Whence its last probe came.
    pub source: SocketAddr,
    /// Its identifier.
    pub ssid: Ssid,
    /// Probes that arrived, each counted once.
    pub received: u64,
    /// Sequence Numbers between the first and the highest that did not arrive.
    pub lost: u64,
    /// Further copies, and what came too late to be told from one.
    pub duplicate: u64,
    /// The least forward delay.
    pub min: Option<TimeDelta>,
    /// The mean of all.
    pub mean: Option<TimeDelta>,
    /// The greatest.
    pub max: Option<TimeDelta>,
    /// Both clocks said with every probe that they are synchronised.
    pub clock_synchronized: bool,
    /// When the last probe arrived.
    pub last_seen: MonotonicTime,
}

/// The sessions of one engine.
#[derive(Debug)]
pub(in crate::reflector) struct OneWayTable {
    sessions: HashMap<(u128, Ssid), Session, KeyedHash>,
    swept: Option<MonotonicTime>,
}

#[derive(Debug)]
struct Session {
    view: OneWayView,
    highest: u32,
    /// Bit n: the Sequence Number `highest - n` was seen.
    seen: u128,
    sum_ns: i128,
    delays: u64,
}

impl OneWayTable {
    pub(in crate::reflector) fn new(hash: KeyedHash) -> Self {
        Self { sessions: HashMap::with_hasher(hash), swept: None }
    }

    /// Enters a probe; `false` when there is no room for its session.
    pub(in crate::reflector) fn enter(
        &mut self,
        now: MonotonicTime,
        arrival: &OneWayArrival,
    ) -> bool {
        let key = key(arrival.from.ip(), arrival.ssid);
        if let Some(session) = self.sessions.get_mut(&key) {
            session.enter(now, arrival);
            return true;
        }
        if self.sessions.len() >= MOST_SESSIONS {
            self.make_room(now);
        }
        let has_room = self.sessions.len() < MOST_SESSIONS;
        if has_room {
            self.sessions.insert(key, Session::new(now, arrival));
        }
        has_room
    }

    pub(in crate::reflector) fn views(&self) -> impl Iterator<Item = OneWayView> + '_ {
        self.sessions.values().map(Session::view)
    }

    fn make_room(&mut self, now: MonotonicTime) {
        if self.swept.is_some_and(|swept| now.since(swept) < PAUSE) {
            return;
        }
        self.swept = Some(now);
        self.sessions.retain(|_, session| now.since(session.view.last_seen) < LONGEST_SILENCE);
    }
}

fn key(source: IpAddr, ssid: Ssid) -> (u128, Ssid) {
    (address_bits(source), ssid)
}

impl Session {
    fn new(now: MonotonicTime, arrival: &OneWayArrival) -> Self {
        let view = OneWayView {
            source: arrival.from,
            ssid: arrival.ssid,
            received: 1,
            lost: 0,
            duplicate: 0,
            min: None,
            mean: None,
            max: None,
            clock_synchronized: true,
            last_seen: now,
        };
        let mut session = Self { view, highest: arrival.sequence, seen: 1, sum_ns: 0, delays: 0 };
        session.measure(arrival);
        session
    }

    fn enter(&mut self, now: MonotonicTime, arrival: &OneWayArrival) {
        self.view.source = arrival.from;
        self.view.last_seen = now;
        let ahead = arrival.sequence.wrapping_sub(self.highest);
        let back = self.highest.wrapping_sub(arrival.sequence);
        if ahead != 0 && ahead <= u32::MAX.div_euclid(2) {
            self.view.lost = self.view.lost.saturating_add(u64::from(ahead).saturating_sub(1));
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = arrival.sequence;
        } else if back < WINDOW {
            let bit = 1_u128.checked_shl(back).unwrap_or(0);
            if self.seen & bit != 0 {
                self.view.duplicate = self.view.duplicate.saturating_add(1);
                return;
            }
            // Late, but not lost. One from before the first was never counted as such.
            self.seen |= bit;
            self.view.lost = self.view.lost.saturating_sub(1);
        } else if arrival.sequence < WINDOW {
            // The Session-Sender began again.
            (self.highest, self.seen) = (arrival.sequence, 1);
        } else {
            self.view.duplicate = self.view.duplicate.saturating_add(1);
            return;
        }
        self.view.received = self.view.received.saturating_add(1);
        self.measure(arrival);
    }

    fn measure(&mut self, arrival: &OneWayArrival) {
        self.view.clock_synchronized &= arrival.clock_synchronized;
        let Some(delay) = arrival.forward_delay() else { return };
        self.view.min = Some(self.view.min.map_or(delay, |least| least.min(delay)));
        self.view.max = Some(self.view.max.map_or(delay, |most| most.max(delay)));
        self.sum_ns = self.sum_ns.saturating_add(delay.ns().into());
        self.delays = self.delays.saturating_add(1);
    }

    fn view(&self) -> OneWayView {
        let mean = self.sum_ns.checked_div(self.delays.into());
        let mean = mean.and_then(|ns| i64::try_from(ns).ok()).map(TimeDelta::from_ns);
        OneWayView { mean, ..self.view }
    }
}

#[cfg(test)]
mod tests {
    use stamp_proto::time::WallTime;

    use super::*;

    fn arrival(ssid: u16, sequence: u32, delay_ns: i64) -> OneWayArrival {
        OneWayArrival {
            sequence,
            ssid: Ssid(ssid),
            from: "192.0.2.1:49200".parse().unwrap(),
            to: "192.0.2.11:862".parse().unwrap(),
            probe_sent: Some(WallTime::from_unix_ns(1_000)),
            probe_received: WallTime::from_unix_ns(1_000 + delay_ns),
            clock_synchronized: true,
        }
    }

    fn table() -> OneWayTable {
        OneWayTable::new(KeyedHash::new([1, 2]))
    }

    fn view(sequences: &[u32]) -> OneWayView {
        let mut table = table();
        for sequence in sequences {
            let delay_ns = i64::from(*sequence % 100) + 1;
            assert!(table.enter(MonotonicTime::ZERO, &arrival(7, *sequence, delay_ns)));
        }
        let views: Vec<_> = table.views().collect();
        assert_eq!(views.len(), 1);
        views[0]
    }

    fn counts(sequences: &[u32]) -> (u64, u64, u64) {
        let view = view(sequences);
        (view.received, view.lost, view.duplicate)
    }

    #[test]
    fn gaps_are_loss_until_they_are_filled() {
        assert_eq!(counts(&[0, 1, 2]), (3, 0, 0));
        assert_eq!(counts(&[0, 3]), (2, 2, 0));
        assert_eq!(counts(&[0, 3, 2, 1]), (4, 0, 0));
        assert_eq!(counts(&[0, 1, 1, 0]), (2, 0, 2));
        assert_eq!(counts(&[u32::MAX, 1]), (2, 1, 0));
        assert_eq!(counts(&[0, 500]), (2, 499, 0));
        assert_eq!(counts(&[1_000, 5]), (2, 0, 0), "it began again");
        assert_eq!(counts(&[5, 4]), (2, 0, 0), "the first was overtaken");
    }

    #[test]
    fn the_delay_is_that_of_the_way_here() {
        let view = view(&[0, 1, 5]);
        let ns = |delay: Option<TimeDelta>| delay.map(TimeDelta::ns);
        assert_eq!((ns(view.min), ns(view.mean), ns(view.max)), (Some(1), Some(3), Some(6)));
        let mut unknown = arrival(1, 0, 0);
        unknown.probe_sent = None;
        let mut table = table();
        table.enter(MonotonicTime::ZERO, &unknown);
        assert_eq!(table.views().next().unwrap().mean, None);
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let mut table = table();
        for ssid in 1..=2_000 {
            let has_room = table.enter(MonotonicTime::ZERO, &arrival(ssid, 0, 1));
            assert_eq!(has_room, usize::from(ssid) <= MOST_SESSIONS, "{ssid}");
        }
        // What fell silent makes room.
        let later = MonotonicTime::from_ns(1_000_000_000_000);
        assert!(table.enter(later, &arrival(3_000, 0, 1)));
        assert_eq!(table.views().count(), 1);
    }
}
