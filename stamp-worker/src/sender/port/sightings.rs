//! One packet that several interfaces show.
//!
//! An interface may stand above another: a bridge above its ports, a bond, a VLAN. What arrives
//! below appears above once more, and each has its ring. The kernel stamps a packet where it first
//! arrives, and that stamp goes up with it; a copy that the network made arrives at a time of its
//! own.

use std::collections::VecDeque;

use stamp_proto::time::WallTime;

/// What was seen of late, and where.
#[derive(Debug)]
pub(super) struct Sightings {
    latest: VecDeque<Sighting>,
    /// How many are kept: as many as may be read before the same packet is found above.
    kept: usize,
}

#[derive(Debug)]
struct Sighting {
    interface: u32,
    at: WallTime,
    /// How its payload begins: the Sequence Number.
    start: [u8; 4],
}

impl Sightings {
    pub(super) fn new(kept: usize) -> Self {
        Self { latest: VecDeque::with_capacity(kept), kept }
    }

    /// Whether another interface has shown this packet before; it is remembered.
    pub(super) fn again(&mut self, interface: u32, at: WallTime, payload: &[u8]) -> bool {
        let start = payload.first_chunk().copied().unwrap_or_default();
        let is_it =
            |seen: &Sighting| seen.at == at && seen.start == start && seen.interface != interface;
        if self.latest.iter().any(is_it) {
            return true;
        }
        if self.latest.len() == self.kept {
            self.latest.pop_front();
        }
        self.latest.push_back(Sighting { interface, at, start });
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(unix_ns: i64) -> WallTime {
        WallTime::from_unix_ns(unix_ns)
    }

    #[test]
    fn one_packet_on_two_interfaces_is_seen_once() {
        let mut sightings = Sightings::new(4);
        assert!(!sightings.again(2, at(1_000), &[0, 0, 0, 7, 1]));
        assert!(sightings.again(3, at(1_000), &[0, 0, 0, 7, 1]));
        assert!(sightings.again(4, at(1_000), &[0, 0, 0, 7, 1]), "a VLAN above a bond");
    }

    #[test]
    fn what_the_network_copied_is_seen_twice() {
        let mut sightings = Sightings::new(4);
        assert!(!sightings.again(2, at(1_000), &[0, 0, 0, 7]));
        assert!(!sightings.again(3, at(1_001), &[0, 0, 0, 7]), "another time");
        assert!(!sightings.again(2, at(1_000), &[0, 0, 0, 7]), "the same interface");
        assert!(!sightings.again(3, at(1_000), &[0, 0, 0, 8]), "another probe");
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let mut sightings = Sightings::new(2);
        for sequence in 0..3 {
            assert!(!sightings.again(2, at(1_000), &[0, 0, 0, sequence]));
        }
        assert!(!sightings.again(3, at(1_000), &[0, 0, 0, 0]));
        assert!(sightings.again(3, at(1_000), &[0, 0, 0, 2]));
    }
}
