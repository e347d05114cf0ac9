//! What an operator should hear about, at most once per cause.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::net::IpAddr;

use stamp_proto::packet::Ssid;
use stamp_proto::tlv::access_report::AccessReport;

use super::connectivity::ForwardChange;
use super::keyed_hash::KeyedHash;
use super::loops::LoopRule;
use super::prefix::address_bits;
use super::rate::RateLimit;
use crate::clock::MonotonicTime;

/// Events kept for a shell that does not ask for them.
const QUEUE: usize = 256;
/// Sources remembered for which an event was raised before.
const KNOWN_SOURCES: usize = 1_024;
/// Events that are about the whole table are raised no more often than this.
const PAUSE: Duration = Duration::from_secs(10);

/// Something worth a line in a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReflectorEvent {
    /// Probes of this source are not answered because it sends more than it may; once per source.
    RateLimited {
        /// Whence the probe came.
        source: SocketAddr,
        /// What it may send.
        limit: RateLimit,
    },
    /// All sources together send more than is answered; at most every ten seconds.
    Overload {
        /// What is answered.
        limit: RateLimit,
    },
    /// A reply came in as if it were a probe, or something that looks like one; once per source.
    LoopBroken {
        /// Whence it came.
        source: SocketAddr,
        /// What gave it away.
        rule: LoopRule,
    },
    /// A new session found no place; at most every ten seconds.
    SessionsFull {
        /// Whose session.
        source: SocketAddr,
        /// How many there are.
        sessions: usize,
    },
    /// A session goes on from another source port: a NAT on its way forgot the first.
    Rebound {
        /// Where it came from.
        from: SocketAddr,
        /// Where it comes from now.
        to: SocketAddr,
        /// What says that it is the same.
        ssid: Ssid,
    },
    /// Probes of a session do not arrive any more, or they do again.
    Forward(ForwardChange),
    /// A Session-Sender reports that an access network is there or not; once, however often it says
    /// the same.
    AccessReport {
        /// Whence the report came.
        source: SocketAddr,
        /// The session.
        ssid: Ssid,
        /// What it says.
        report: AccessReport,
    },
    /// A Session-Sender began again at a low Sequence Number in the same session.
    SenderRestarted {
        /// Whence the session comes.
        source: SocketAddr,
        /// Its identifier.
        ssid: Ssid,
    },
}

/// A bounded queue of events, and what was told before.
#[derive(Debug)]
pub(super) struct Events {
    queue: VecDeque<ReflectorEvent>,
    lost: u64,
    known: Box<[u32]>,
    hash: KeyedHash,
    overload: Option<MonotonicTime>,
    full: Option<MonotonicTime>,
}

impl Events {
    pub(super) fn new(hash: KeyedHash) -> Self {
        Self {
            queue: VecDeque::with_capacity(QUEUE),
            lost: 0,
            known: vec![0; KNOWN_SOURCES].into_boxed_slice(),
            hash,
            overload: None,
            full: None,
        }
    }

    pub(super) fn push(&mut self, event: ReflectorEvent) {
        if self.queue.len() < QUEUE {
            self.queue.push_back(event);
        } else {
            self.lost = self.lost.saturating_add(1);
        }
    }

    pub(super) fn loop_broken(&mut self, source: SocketAddr, rule: LoopRule) {
        if self.is_new(source.ip()) {
            self.push(ReflectorEvent::LoopBroken { source, rule });
        }
    }

    pub(super) fn overload(&mut self, now: MonotonicTime, limit: RateLimit) {
        if is_due(&mut self.overload, now) {
            self.push(ReflectorEvent::Overload { limit });
        }
    }

    pub(super) fn sessions_full(
        &mut self,
        now: MonotonicTime,
        source: SocketAddr,
        sessions: usize,
    ) {
        if is_due(&mut self.full, now) {
            self.push(ReflectorEvent::SessionsFull { source, sessions });
        }
    }

    pub(super) fn pop(&mut self) -> Option<ReflectorEvent> {
        self.queue.pop_front()
    }

    /// Events that found the queue full.
    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    /// The source is not remembered. It takes the place of another one that hashes alike, so the
    /// memory is bounded and a source may, rarely, be told again.
    fn is_new(&mut self, source: IpAddr) -> bool {
        let hash = self.hash.of(&address_bits(source).to_be_bytes());
        let [a, b, c, d, .., e, f] = hash.to_be_bytes();
        let tag = u32::from_be_bytes([a, b, c, d | 1]);
        let place = usize::from(u16::from_be_bytes([e, f]));
        let Some(known) = self.known.get_mut(place & KNOWN_SOURCES.wrapping_sub(1)) else {
            return false;
        };
        core::mem::replace(known, tag) != tag
    }
}

fn is_due(last: &mut Option<MonotonicTime>, now: MonotonicTime) -> bool {
    let due = last.is_none_or(|last| now.since(last) >= PAUSE);
    if due {
        *last = Some(now);
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 862))
    }

    fn events() -> Events {
        Events::new(KeyedHash::new([3, 5]))
    }

    #[test]
    fn a_source_is_told_once_whatever_its_port() {
        let mut events = events();
        for port in 1..100 {
            let source = SocketAddr::from(([192, 0, 2, 1], port));
            events.loop_broken(source, LoopRule::ReadsAsReply);
        }
        events.loop_broken(source(2), LoopRule::LowPort);
        assert!(matches!(events.pop(), Some(ReflectorEvent::LoopBroken { .. })));
        let second = ReflectorEvent::LoopBroken { source: source(2), rule: LoopRule::LowPort };
        assert_eq!(events.pop(), Some(second));
        assert_eq!(events.pop(), None);
    }

    #[test]
    fn what_nobody_asks_for_is_counted_and_not_kept() {
        let mut events = events();
        for port in 0..1_000 {
            let (from, to) = (SocketAddr::from(([192, 0, 2, 1], port)), source(1));
            events.push(ReflectorEvent::Rebound { from, to, ssid: Ssid(1) });
        }
        assert_eq!(events.lost(), 1_000 - 256);
        assert_eq!(core::iter::from_fn(|| events.pop()).count(), 256);
    }

    #[test]
    fn a_full_table_is_told_every_ten_seconds() {
        let mut events = events();
        for tenths in 0..250 {
            let now = MonotonicTime::from_ns(tenths * 100_000_000);
            events.sessions_full(now, source(1), 5);
            events.overload(now, RateLimit::DEFAULT);
        }
        // At 0 s, 10 s and 20 s, each.
        assert_eq!(core::iter::from_fn(|| events.pop()).count(), 6);
    }
}
