//! Stamps that the kernel still owes a session.

use std::time::Duration;

/// Most transmit stamps that may be under way at once on one socket.
const STAMPS: usize = 1024;
/// How long a stamp may be under way: the kernel returns it when the packet leaves, so this covers
/// what a queueing discipline holds back.
const STAMP_DELAY: Duration = Duration::from_millis(500);

/// Which probe a transmit stamp belongs to: the kernel numbers them, and some never come.
pub(super) struct PendingStamps {
    places: Box<[Option<(u32, u32)>]>,
    /// How many of the places are taken.
    pub(super) awaited: usize,
}

impl PendingStamps {
    /// Room for the stamps of probes sent at this interval; a power of two, as ids wrap.
    pub(super) fn new(interval: Duration) -> Self {
        let needed = STAMP_DELAY.as_nanos() / interval.as_nanos().max(1);
        let room = usize::try_from(needed).unwrap_or(STAMPS).clamp(16, STAMPS);
        let places = vec![None; room.next_power_of_two()].into_boxed_slice();
        Self { places, awaited: 0 }
    }

    fn slot(&mut self, id: u32) -> Option<&mut Option<(u32, u32)>> {
        let place = id as usize & (self.places.len() - 1);
        self.places.get_mut(place)
    }

    pub(super) fn insert(&mut self, id: u32, sequence: u32) {
        let before = self.slot(id).and_then(|slot| slot.replace((id, sequence)));
        self.awaited += usize::from(before.is_none());
    }

    pub(super) fn take(&mut self, id: u32) -> Option<u32> {
        let slot = self.slot(id)?;
        let (known, sequence) = (*slot)?;
        if known != id {
            return None;
        }
        *slot = None;
        self.awaited -= 1;
        Some(sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_finds_its_probe_by_number_not_by_position() {
        let mut stamps = PendingStamps::new(Duration::from_secs(1));
        for id in 0..4 {
            stamps.insert(id, 100 + id);
        }
        assert_eq!(stamps.take(2), Some(102));
        assert_eq!(stamps.take(2), None);
        assert_eq!(stamps.take(0), Some(100));
        assert_eq!(stamps.awaited, 2);
    }

    #[test]
    fn a_stamp_that_never_came_makes_room_for_a_later_one() {
        let mut stamps = PendingStamps::new(Duration::from_secs(1));
        stamps.insert(5, 105);
        let later = 5 + stamps.places.len() as u32;
        stamps.insert(later, 7);
        assert_eq!(stamps.awaited, 1);
        assert_eq!(stamps.take(5), None);
        assert_eq!(stamps.take(later), Some(7));
        assert_eq!(stamps.awaited, 0);
    }
}
