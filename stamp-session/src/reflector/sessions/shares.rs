//! How many sessions each source has.

use core::net::SocketAddr;

use super::index::Index;
use super::session::NOWHERE;
use crate::reflector::keyed_hash::KeyedHash;
use crate::reflector::prefix::leading_bits;

/// Sessions that share one allowance: those of an IPv4 address or an IPv6 /64.
///
/// There are never more sources than sessions, so all room is made at the start and nothing grows.
#[derive(Debug)]
pub(super) struct Shares {
    index: Index,
    shares: Vec<Share>,
    free: u32,
    hash: KeyedHash,
}

#[derive(Clone, Copy, Debug)]
struct Share {
    source: u64,
    sessions: u32,
    next_free: u32,
}

impl Shares {
    /// Room for `most` sources.
    pub(super) fn new(most: usize, hash: KeyedHash) -> Self {
        let shares = Vec::with_capacity(most);
        Self { index: Index::new(most), shares, free: NOWHERE, hash }
    }

    /// Sessions that `source` has.
    pub(super) fn of(&self, source: SocketAddr) -> usize {
        let share = self.find(source_of(source)).and_then(|place| self.get(place));
        share.map_or(0, |share| usize::try_from(share.sessions).unwrap_or(usize::MAX))
    }

    /// `source` has one more.
    pub(super) fn add(&mut self, source: SocketAddr) {
        let source = source_of(source);
        let found = self.find(source);
        match found.and_then(|place| self.get_mut(place)) {
            Some(share) => share.sessions = share.sessions.saturating_add(1),
            None => self.enter(source),
        }
    }

    /// `source` has one less.
    pub(super) fn subtract(&mut self, source: SocketAddr) {
        let source = source_of(source);
        let free = self.free;
        let Some(place) = self.find(source) else {
            return;
        };
        let Some(share) = self.get_mut(place) else {
            return;
        };
        share.sessions = share.sessions.saturating_sub(1);
        if share.sessions > 0 {
            return;
        }
        share.next_free = free;
        self.free = place;
        let (shares, hash) = (&self.shares, self.hash);
        let hash_at = |place: u32| {
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            shares.get(place).map_or(0, |share| hash.of(&share.source.to_be_bytes()))
        };
        self.index.remove(hash.of(&source.to_be_bytes()), place, hash_at);
    }

    /// Octets it takes, as allocated.
    pub(super) fn octets(&self) -> usize {
        let shares = self.shares.capacity().saturating_mul(size_of::<Share>());
        shares.saturating_add(self.index.octets())
    }

    fn enter(&mut self, source: u64) {
        let mut share = Share { source, sessions: 1, next_free: NOWHERE };
        let place = match self.get_mut(self.free) {
            Some(free) => {
                core::mem::swap(free, &mut share);
                core::mem::replace(&mut self.free, share.next_free)
            }
            None => {
                self.shares.push(share);
                u32::try_from(self.shares.len().wrapping_sub(1)).unwrap_or(NOWHERE)
            }
        };
        self.index.insert(self.hash.of(&source.to_be_bytes()), place);
    }

    fn find(&self, source: u64) -> Option<u32> {
        let is_it = |place| self.get(place).is_some_and(|share| share.source == source);
        self.index.find(self.hash.of(&source.to_be_bytes()), is_it)
    }

    fn get(&self, place: u32) -> Option<&Share> {
        self.shares.get(usize::try_from(place).unwrap_or(usize::MAX))
    }

    fn get_mut(&mut self, place: u32) -> Option<&mut Share> {
        self.shares.get_mut(usize::try_from(place).unwrap_or(usize::MAX))
    }
}

/// The bits in which addresses of one source are equal.
fn source_of(source: SocketAddr) -> u64 {
    let bits = leading_bits(source.ip(), 32, 64);
    // ::ffff:a.b.c.d has its bits in the lower half; no unicast /64 begins with 16 zero bits.
    let half = if source.ip().to_canonical().is_ipv4() { bits } else { bits >> 64 };
    u64::try_from(half).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn source(host: u8) -> SocketAddr {
        match host % 2 {
            0 => SocketAddr::from(([192, 0, 2, host], 5_000)),
            _ => SocketAddr::from(([0x2001, 0xdb8, 0, host.into(), 1, 2, 3, 4], 5_000)),
        }
    }

    proptest! {
        #[test]
        fn it_counts_what_a_map_counts(steps in prop::collection::vec((0_u8..16, any::<bool>()), 0..300)) {
            let mut shares = Shares::new(16, KeyedHash::new([1, 2]));
            let octets = shares.octets();
            let mut model: HashMap<SocketAddr, usize> = HashMap::new();
            for (host, add) in steps {
                let count = model.entry(source(host)).or_default();
                if add {
                    *count += 1;
                    shares.add(source(host));
                } else {
                    *count = count.saturating_sub(1);
                    shares.subtract(source(host));
                }
                for host in 0..16 {
                    prop_assert_eq!(shares.of(source(host)), *model.get(&source(host)).unwrap_or(&0));
                }
            }
            prop_assert_eq!(shares.octets(), octets);
        }
    }

    #[test]
    fn the_port_and_the_lower_half_of_an_ipv6_address_do_not_matter() {
        let mut shares = Shares::new(4, KeyedHash::new([1, 2]));
        shares.add("[2001:db8::1]:1".parse().unwrap());
        assert_eq!(shares.of("[2001:db8::2]:2".parse().unwrap()), 1);
        assert_eq!(shares.of("[2001:db8:0:1::1]:1".parse().unwrap()), 0);
        shares.add("192.0.2.1:1".parse().unwrap());
        assert_eq!(shares.of("192.0.2.1:2".parse().unwrap()), 1);
        assert_eq!(shares.of("192.0.2.2:1".parse().unwrap()), 0);
    }
}
