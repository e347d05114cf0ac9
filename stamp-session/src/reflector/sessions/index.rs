//! A hash table of slot numbers whose keys stay where they are.

use core::ops::ControlFlow;

/// Finds slots by the hash of what they hold.
///
/// Its size is fixed when it is made, at twice what it will ever hold: it never grows while packets
/// wait, and half of it is always free, so a search ends after a few steps. Open addressing, linear;
/// what is removed is closed up, so that nothing is left behind by sessions that came and went.
#[derive(Debug)]
pub(super) struct Index {
    /// Slot number plus one; 0 is free.
    places: Box<[u32]>,
}

impl Index {
    /// Room for `most` slots.
    pub(super) fn new(most: usize) -> Self {
        let count = most.max(8).saturating_mul(2).next_power_of_two();
        Self { places: vec![0; count].into_boxed_slice() }
    }

    /// The slot that was entered under `hash` and is the one.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.walk(hash, |_, slot| match is_it(slot) {
            true => ControlFlow::Break(slot),
            false => ControlFlow::Continue(()),
        })
    }

    /// Enters `slot`, which must not be there yet.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        let mut place = self.home(hash);
        for _ in 0..self.places.len() {
            match self.places.get_mut(place) {
                Some(free @ 0) => {
                    *free = slot.wrapping_add(1);
                    return;
                }
                _ => place = self.after(place),
            }
        }
    }

    /// Overwrites the number of a slot that is there.
    pub(super) fn replace(&mut self, hash: u64, old: u32, new: u32) {
        if let Some(taken) = self.place_of(hash, old).and_then(|place| self.places.get_mut(place)) {
            *taken = new.wrapping_add(1);
        }
    }

    /// Takes `slot` out; `hash_of` tells under what the others were entered.
    pub(super) fn remove(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        let Some(mut hole) = self.place_of(hash, slot) else {
            return;
        };
        let mut place = hole;
        for _ in 0..self.places.len() {
            place = self.after(place);
            let moved = match self.places.get(place) {
                Some(taken) if *taken != 0 => *taken,
                _ => break,
            };
            // It may move into the hole unless its home lies behind the hole.
            let home = self.home(hash_of(moved.wrapping_sub(1)));
            if self.distance(home, hole) < self.distance(home, place) {
                self.put(hole, moved);
                hole = place;
            }
        }
        self.put(hole, 0);
    }

    /// Octets it takes.
    pub(super) fn octets(&self) -> usize {
        size_of_val(&*self.places)
    }

    fn place_of(&self, hash: u64, slot: u32) -> Option<usize> {
        self.walk(hash, |place, taken| match taken == slot {
            true => ControlFlow::Break(place),
            false => ControlFlow::Continue(()),
        })
    }

    fn walk<T>(&self, hash: u64, mut visit: impl FnMut(usize, u32) -> ControlFlow<T>) -> Option<T> {
        let mut place = self.home(hash);
        for _ in 0..self.places.len() {
            let slot = self.places.get(place)?.checked_sub(1)?;
            if let ControlFlow::Break(found) = visit(place, slot) {
                return Some(found);
            }
            place = self.after(place);
        }
        None
    }

    fn put(&mut self, place: usize, value: u32) {
        if let Some(at) = self.places.get_mut(place) {
            *at = value;
        }
    }

    fn home(&self, hash: u64) -> usize {
        // The upper half: the lower one already chose the bucket of the rate limiter.
        usize::try_from(hash >> 32).unwrap_or_default() & self.mask()
    }

    fn after(&self, place: usize) -> usize {
        place.wrapping_add(1) & self.mask()
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.mask()
    }

    fn mask(&self) -> usize {
        self.places.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few homes, so that most entries are not at home.
        #[test]
        fn it_finds_what_a_map_finds(
            steps in prop::collection::vec((0_u32..24, any::<bool>()), 0..200),
            homes in 1_u64..24,
        ) {
            let hash_of = |slot: u32| (u64::from(slot) % homes * 7) << 32;
            let mut index = Index::new(24);
            let mut model: HashMap<u32, ()> = HashMap::new();
            for (slot, insert) in steps {
                if insert && model.insert(slot, ()).is_none() {
                    index.insert(hash_of(slot), slot);
                } else if !insert {
                    model.remove(&slot);
                    index.remove(hash_of(slot), slot, hash_of);
                }
                for slot in 0..24 {
                    let found = index.find(hash_of(slot), |found| found == slot);
                    prop_assert_eq!(found.is_some(), model.contains_key(&slot));
                }
            }
        }
    }

    #[test]
    fn a_slot_can_take_the_place_of_another() {
        let mut index = Index::new(8);
        index.insert(5 << 32, 1);
        index.replace(5 << 32, 1, 2);
        assert_eq!(index.find(5 << 32, |slot| slot == 1), None);
        assert_eq!(index.find(5 << 32, |slot| slot == 2), Some(2));
    }
}
