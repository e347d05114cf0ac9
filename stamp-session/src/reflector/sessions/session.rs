//! One session of a stateful Session-Reflector.

use core::hash::{BuildHasher, Hasher};
use core::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use core::time::Duration;

use stamp_proto::auth::KeyId;
use stamp_proto::packet::{AuthenticationMode, Ssid};

use super::replay::ReplayWindow;
use super::slab::Standing;
use crate::clock::MonotonicTime;
use crate::reflector::keyed_hash::KeyedHash;
use crate::reflector::prefix::address_bits;

/// No slot.
pub(super) const NOWHERE: u32 = u32::MAX;

/// What names a session: addresses, ports and SSID (RFC 8972 §3).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::reflector) struct SessionKey {
    source: [u8; 16],
    destination: [u8; 16],
    source_port: u16,
    destination_port: u16,
    ssid: Ssid,
    /// Interface of a link-local source: two links may know the same address.
    scope: u32,
}

impl SessionKey {
    pub(in crate::reflector) fn new(
        source: SocketAddr,
        destination: SocketAddr,
        ssid: Ssid,
    ) -> Self {
        let scope = match source {
            SocketAddr::V4(_) => 0,
            SocketAddr::V6(source) => source.scope_id(),
        };
        Self {
            source: address_bits(source.ip()).to_be_bytes(),
            destination: address_bits(destination.ip()).to_be_bytes(),
            source_port: source.port(),
            destination_port: destination.port(),
            ssid,
            scope,
        }
    }

    /// The same without the source port, which a NAT may change.
    pub(super) const fn without_port(mut self) -> Self {
        self.source_port = 0;
        self
    }

    pub(super) fn source(&self) -> SocketAddr {
        address(self.source, self.source_port, self.scope)
    }

    pub(super) fn destination(&self) -> SocketAddr {
        address(self.destination, self.destination_port, self.scope)
    }

    pub(super) const fn ssid(&self) -> Ssid {
        self.ssid
    }

    pub(super) fn hash(&self, hash: KeyedHash) -> u64 {
        let mut hasher = hash.build_hasher();
        hasher.write(&self.source);
        hasher.write(&self.destination);
        hasher.write_u16(self.source_port);
        hasher.write_u16(self.destination_port);
        hasher.write_u16(self.ssid.0);
        hasher.write_u32(self.scope);
        hasher.finish()
    }
}

fn address(octets: [u8; 16], port: u16, scope: u32) -> SocketAddr {
    let wide = Ipv6Addr::from(octets);
    match wide.to_canonical() {
        IpAddr::V4(address) => SocketAddr::new(IpAddr::V4(address), port),
        IpAddr::V6(address) => SocketAddr::V6(SocketAddrV6::new(address, port, 0, scope)),
    }
}

/// A session, its counter and its past.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) key: SessionKey,
    pub(super) mode: AuthenticationMode,
    /// The key that verified its latest probe.
    pub(super) key_id: Option<KeyId>,
    pub(super) created: MonotonicTime,
    pub(super) last_seen: MonotonicTime,
    /// Between its probes, in microseconds, smoothed; 0 when that is not known yet.
    pub(super) interval: u32,
    pub(super) received: u64,
    pub(super) replies: ReplyCounter,
    pub(super) window: ReplayWindow,
    /// The session that this one may be the continuation of.
    pub(super) predecessor: Option<Predecessor>,
    /// Neighbours in the list of its kind, least recently seen first.
    pub(super) earlier: u32,
    pub(super) later: u32,
    /// Counts the sessions that had this slot.
    pub(super) generation: u32,
    pub(super) standing: Standing,
}

impl Session {
    /// Takes note of one more probe, `ahead` of the highest before; 0 when it is behind.
    pub(super) fn touch(&mut self, now: MonotonicTime, ahead: u32, key_id: Option<KeyId>) {
        let elapsed = now.since(self.last_seen).as_micros();
        if let Some(sample) = elapsed.checked_div(u128::from(ahead)) {
            let sample = u32::try_from(sample).unwrap_or(u32::MAX).max(1);
            self.interval = match self.interval {
                0 => sample,
                smoothed => smoothed.saturating_sub(smoothed / 8).saturating_add(sample / 8).max(1),
            };
        }
        self.last_seen = now;
        self.received = self.received.saturating_add(1);
        self.key_id = key_id;
    }

    /// Between two of its probes, if that is known.
    pub(super) fn interval(&self) -> Option<Duration> {
        (self.interval > 0).then(|| Duration::from_micros(u64::from(self.interval)))
    }

    /// A probe `ahead` of the highest is due about now.
    pub(super) fn is_due(&self, now: MonotonicTime, ahead: u32) -> bool {
        let elapsed = now.since(self.last_seen);
        self.interval().is_some_and(|interval| {
            let due = interval.saturating_mul(ahead);
            elapsed.saturating_mul(2) >= due && elapsed <= due.saturating_mul(2)
        })
    }
}

/// A session from another port, and what it had received when its continuation began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Predecessor {
    pub(super) slot: u32,
    pub(super) generation: u32,
    pub(super) received: u64,
}

/// Numbers of the replies of a session (RFC 8762 §4: what a stateful Session-Reflector sent).
///
/// A number is given when its reply is sealed and taken back when that could not be sent. Replies
/// leave in batches, so failures are heard of late and in any order: the latest 64 numbers are
/// remembered, and the counter falls back over all unsent ones at its end. A number before one that
/// is on its way already stays unused; to the Session-Sender its reply was lost on the way back,
/// and so it was.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct ReplyCounter {
    next: u32,
    /// Bit n: the number `next - 1 - n` came back.
    unsent: u64,
}

impl ReplyCounter {
    pub(super) const fn next(self) -> u32 {
        self.next
    }

    pub(super) const fn take(&mut self) -> u32 {
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.unsent <<= 1;
        number
    }

    pub(super) fn give_back(&mut self, number: u32) {
        let behind = self.next.wrapping_sub(1).wrapping_sub(number);
        self.unsent |= 1_u64.checked_shl(behind).unwrap_or(0);
        let unused = self.unsent.trailing_ones();
        self.next = self.next.wrapping_sub(unused);
        self.unsent = self.unsent.checked_shr(unused).unwrap_or(0);
    }
}

/// What is known about a session, for whoever observes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionView {
    /// Where its probes come from.
    pub source: SocketAddr,
    /// Where they are sent to.
    pub destination: SocketAddr,
    /// Its identifier.
    pub ssid: Ssid,
    /// Whether its packets carry an HMAC.
    pub mode: AuthenticationMode,
    /// The key that verified its latest probe.
    pub key: Option<KeyId>,
    /// Probes answered, those whose reply could not be sent included.
    pub received: u64,
    /// Number of its next reply.
    pub next_sequence: u32,
    /// When its first probe came.
    pub created: MonotonicTime,
    /// When its latest probe came.
    pub last_seen: MonotonicTime,
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        Self {
            source: session.key.source(),
            destination: session.key.destination(),
            ssid: session.key.ssid(),
            mode: session.mode,
            key: session.key_id,
            received: session.received,
            next_sequence: session.replies.next(),
            created: session.created,
            last_seen: session.last_seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_were_not_sent_are_given_again_whatever_the_order() {
        for order in [[5, 6, 7], [7, 6, 5], [6, 5, 7], [7, 5, 6]] {
            let mut counter = ReplyCounter::default();
            for number in 0..8 {
                assert_eq!(counter.take(), number);
            }
            order.into_iter().for_each(|number| counter.give_back(number));
            assert_eq!(counter.next(), 5, "{order:?}");
            assert_eq!(counter.take(), 5);
        }
    }

    #[test]
    fn a_number_before_one_that_was_sent_stays_unused() {
        let mut counter = ReplyCounter::default();
        (0..4).for_each(|_| assert!(counter.take() < 4));
        counter.give_back(2);
        assert_eq!(counter.next(), 4);
        counter.give_back(3);
        assert_eq!(counter.next(), 2, "3 was not sent either");
    }

    #[test]
    fn a_failure_heard_of_too_late_changes_nothing() {
        let mut counter = ReplyCounter::default();
        (0..100).for_each(|_| assert!(counter.take() < 100));
        let before = counter;
        counter.give_back(10);
        assert_eq!(counter, before);
    }

    proptest! {
        /// What was given and not given back is what was sent, each number once.
        #[test]
        fn every_number_up_to_the_last_sent_is_given(batches in prop::collection::vec(any::<[bool; 8]>(), 1..40)) {
            let mut counter = ReplyCounter::default();
            let mut sent = Vec::new();
            for batch in batches {
                let numbers: Vec<_> = batch.iter().map(|ok| (counter.take(), *ok)).collect();
                for (number, ok) in numbers {
                    if ok { sent.push(number) } else { counter.give_back(number) }
                }
                let next = sent.last().map_or(0, |last| last + 1);
                prop_assert_eq!(counter.next(), next);
            }
            let mut sorted = sent.clone();
            sorted.dedup();
            prop_assert_eq!(sent, sorted);
        }
    }

    #[test]
    fn addresses_come_out_of_a_key_as_they_went_in() {
        for (source, destination) in [
            ("192.0.2.1:49200", "198.51.100.2:862"),
            ("[2001:db8::1]:49200", "[2001:db8::2]:862"),
            ("[fe80::1%3]:49200", "[fe80::2%3]:862"),
        ] {
            let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
            let key = SessionKey::new(source, destination, Ssid(7));
            assert_eq!(key.source(), source);
            assert_eq!(key.destination(), destination);
        }
    }

    #[test]
    fn a_link_local_source_is_another_on_another_link() {
        let destination = "[fe80::2]:862".parse().unwrap();
        let key = |source: &str| SessionKey::new(source.parse().unwrap(), destination, Ssid(7));
        assert_ne!(key("[fe80::1%3]:49200"), key("[fe80::1%4]:49200"));
        let hash = |key: SessionKey| key.hash(KeyedHash::new([1, 2]));
        assert_ne!(hash(key("[fe80::1%3]:49200")), hash(key("[fe80::1%4]:49200")));
    }
}
