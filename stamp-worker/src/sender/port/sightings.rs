//! One packet that is shown several times.
//!
//! An interface may stand above another: a bridge above its ports, a bond, a VLAN. What arrives
//! below appears above once more, and each has its ring. The kernel stamps a packet where it first
//! arrives, and that stamp goes up with it; a copy that the network made arrives at a time of its
//! own.
//!
//! What has this host's own label on it is shown with it, and once more where whoever reads labels here
//! gives the rest to the kernel.
//!
//! What the kernel delivers is at a socket as well. It may have a new stamp there, where labels were
//! taken off on the way: of a packet that a ring has shown, no socket has more to tell.

use std::collections::VecDeque;

use stamp_proto::time::WallTime;

/// What was seen of late, and where.
#[derive(Debug)]
pub(super) struct Sightings {
    latest: VecDeque<Sighting>,
    /// How many are kept: as many as may be read before the same packet is found elsewhere.
    kept: usize,
}

/// Where a packet is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// In the ring of an interface, with the stamp of its arrival, and a label or none.
    Ring { interface: u32, at: Option<WallTime>, labelled: bool },
    /// At the socket that the kernel delivers to.
    Socket,
}

#[derive(Debug)]
struct Sighting {
    place: Place,
    /// How its payload begins: the Sequence Number.
    start: [u8; 4],
}

impl Place {
    /// Both show one packet, if they show the same probe.
    fn shows_what(self, other: Self) -> bool {
        match (self, other) {
            (
                Self::Ring { interface, at, labelled },
                Self::Ring { interface: other, at: then, labelled: was_labelled },
            ) => interface != other && (labelled != was_labelled || at.is_some() && at == then),
            (Self::Socket, Self::Socket) => false,
            (Self::Ring { .. }, Self::Socket) | (Self::Socket, Self::Ring { .. }) => true,
        }
    }
}

impl Sightings {
    pub(super) fn new(kept: usize) -> Self {
        Self { latest: VecDeque::with_capacity(kept), kept }
    }

    /// Whether this packet was shown at another place before; it is remembered.
    pub(super) fn again(&mut self, place: Place, payload: &[u8]) -> bool {
        let start = payload.first_chunk().copied().unwrap_or_default();
        let is_it = |seen: &Sighting| seen.start == start && seen.place.shows_what(place);
        if self.latest.iter().any(is_it) {
            return true;
        }
        if self.latest.len() == self.kept {
            self.latest.pop_front();
        }
        self.latest.push_back(Sighting { place, start });
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(interface: u32, unix_ns: i64) -> Place {
        let at = Some(WallTime::from_unix_ns(unix_ns));
        Place::Ring { interface, at, labelled: false }
    }

    fn labelled(interface: u32, unix_ns: i64) -> Place {
        let at = Some(WallTime::from_unix_ns(unix_ns));
        Place::Ring { interface, at, labelled: true }
    }

    #[test]
    fn one_packet_on_two_interfaces_is_seen_once() {
        let mut sightings = Sightings::new(4);
        assert!(!sightings.again(ring(2, 1_000), &[0, 0, 0, 7, 1]));
        assert!(sightings.again(ring(3, 1_000), &[0, 0, 0, 7, 1]));
        assert!(sightings.again(ring(4, 1_000), &[0, 0, 0, 7, 1]), "a VLAN above a bond");
    }

    #[test]
    fn what_loses_its_label_here_is_seen_once_in_whatever_order() {
        for [first, second] in
            [[labelled(2, 1_000), ring(900, 5_000)], [ring(900, 5_000), labelled(2, 1_000)]]
        {
            let mut sightings = Sightings::new(4);
            assert!(!sightings.again(first, &[0, 0, 0, 7]));
            assert!(sightings.again(second, &[0, 0, 0, 7]));
            assert!(!sightings.again(second, &[0, 0, 0, 8]), "another probe");
        }
        let mut sightings = Sightings::new(4);
        assert!(!sightings.again(labelled(2, 1_000), &[0, 0, 0, 7]));
        assert!(!sightings.again(labelled(2, 2_000), &[0, 0, 0, 7]), "a copy of the network");
    }

    #[test]
    fn what_the_network_copied_is_seen_twice() {
        let mut sightings = Sightings::new(4);
        assert!(!sightings.again(ring(2, 1_000), &[0, 0, 0, 7]));
        assert!(!sightings.again(ring(3, 1_001), &[0, 0, 0, 7]), "another time");
        assert!(!sightings.again(ring(2, 1_000), &[0, 0, 0, 7]), "the same interface");
        assert!(!sightings.again(ring(3, 1_000), &[0, 0, 0, 8]), "another probe");
    }

    #[test]
    fn what_a_ring_has_shown_is_not_seen_again_at_the_socket() {
        let mut sightings = Sightings::new(4);
        assert!(!sightings.again(ring(2, 1_000), &[0, 0, 0, 7]));
        assert!(sightings.again(Place::Socket, &[0, 0, 0, 7]));
        assert!(!sightings.again(Place::Socket, &[0, 0, 0, 8]), "no ring has shown this");
        assert!(sightings.again(ring(2, 1_001), &[0, 0, 0, 8]), "whichever is read first");
        assert!(!sightings.again(Place::Socket, &[0, 0, 0, 8]), "the network copied it");
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let mut sightings = Sightings::new(2);
        for sequence in 0..3 {
            assert!(!sightings.again(ring(2, 1_000), &[0, 0, 0, sequence]));
        }
        assert!(!sightings.again(ring(3, 1_000), &[0, 0, 0, 0]));
        assert!(sightings.again(ring(3, 1_000), &[0, 0, 0, 2]));
    }
}
