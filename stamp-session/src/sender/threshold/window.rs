//! The fates of the last Y probes, two bits each.

use std::collections::VecDeque;

use super::super::serial;

/// Sequence Numbers that share a block.
const BLOCK: u32 = u64::BITS;

/// Probes in the order of sending, the oldest leaving as new ones come.
///
/// Blocks of 64 Sequence Numbers: those that were never on the wire have no bit, so the window holds
/// exactly Y probes, however many numbers lie between the first and the last.
#[derive(Debug)]
pub(super) struct FateWindow {
    blocks: VecDeque<Block>,
    size: u32,
    decided: u32,
    lost: u32,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    base: u32,
    decided: u64,
    lost: u64,
}

impl Block {
    /// The bit of a Sequence Number, where it belongs here.
    const fn bit(&self, sequence: u32) -> Option<u64> {
        1_u64.checked_shl(sequence.wrapping_sub(self.base))
    }

    /// Sequence Number of the oldest.
    const fn first(&self) -> u32 {
        self.base.wrapping_add(self.decided.trailing_zeros())
    }
}

impl FateWindow {
    /// Of `size` probes.
    pub(super) fn new(size: u32) -> Self {
        // One block is begun at each end.
        let blocks = size.div_ceil(BLOCK).saturating_add(2) as usize;
        Self { blocks: VecDeque::with_capacity(blocks), size, decided: 0, lost: 0 }
    }

    /// Takes the fate of the next probe in the order of sending.
    pub(super) fn push(&mut self, sequence: u32, lost: bool) {
        if self.decided >= self.size {
            self.leave();
        }
        let last = self.blocks.back().filter(|block| block.bit(sequence).is_some());
        if last.is_none() {
            self.blocks.push_back(Block { base: sequence, decided: 0, lost: 0 });
        }
        let Some(block) = self.blocks.back_mut() else { return };
        let bit = block.bit(sequence).unwrap_or(0);
        block.decided |= bit;
        self.decided = self.decided.saturating_add(1);
        if lost {
            block.lost |= bit;
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// Takes a loss out again, if it is still here.
    pub(super) fn forget(&mut self, sequence: u32) {
        let found = self.blocks.partition_point(|block| !serial::is_after(block.base, sequence));
        let Some(index) = found.checked_sub(1) else { return };
        let Some(block) = self.blocks.get_mut(index) else { return };
        let Some(bit) = block.bit(sequence).filter(|bit| block.lost & bit != 0) else { return };
        block.lost &= !bit;
        block.decided &= !bit;
        self.decided = self.decided.saturating_sub(1);
        self.lost = self.lost.saturating_sub(1);
        if block.decided == 0 {
            self.blocks.remove(index);
        }
    }

    pub(super) const fn decided(&self) -> u32 {
        self.decided
    }

    pub(super) const fn lost(&self) -> u32 {
        self.lost
    }

    /// Sequence Number of the oldest probe.
    pub(super) fn first(&self) -> Option<u32> {
        self.blocks.front().map(Block::first)
    }

    pub(super) fn heap_octets(&self) -> usize {
        self.blocks.capacity().saturating_mul(size_of::<Block>())
    }

    /// The oldest probe leaves.
    fn leave(&mut self) {
        let Some(block) = self.blocks.front_mut() else { return };
        let bit = block.bit(block.first()).unwrap_or(0);
        if block.lost & bit != 0 {
            self.lost = self.lost.saturating_sub(1);
        }
        block.decided &= !bit;
        block.lost &= !bit;
        self.decided = self.decided.saturating_sub(1);
        if block.decided == 0 {
            self.blocks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque as Model;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_oldest_leaves_when_the_window_is_full() {
        let mut window = FateWindow::new(3);
        for (sequence, lost) in [(7, true), (8, false), (9, true), (10, false)] {
            window.push(sequence, lost);
        }
        assert_eq!((window.decided(), window.lost(), window.first()), (3, 1, Some(8)));
    }

    #[test]
    fn a_window_of_the_largest_size_is_small() {
        let mut window = FateWindow::new(100_000);
        let octets = window.heap_octets();
        assert!(octets <= 40_000, "{octets}");
        (0..1_000_000).for_each(|sequence| window.push(sequence, true));
        assert_eq!(window.heap_octets(), octets, "no memory is taken while it runs");
        assert_eq!(window.lost(), 100_000);
    }

    proptest! {
        #[test]
        fn it_holds_what_a_list_would(
            size in 1_u32..200,
            first in any::<u32>(),
            fates in prop::collection::vec((1_u32..100, any::<bool>(), 0_u32..300), 1..600),
        ) {
            let (mut window, mut model) = (FateWindow::new(size), Model::new());
            let mut sequence = first;
            for (step, lost, back) in fates {
                // Steps of one are the usual ones.
                sequence = sequence.wrapping_add(if step < 90 { 1 } else { step });
                window.push(sequence, lost);
                model.push_back((sequence, lost));
                if model.len() > size as usize {
                    model.pop_front();
                }
                if back % 7 == 0 {
                    let forgotten = sequence.wrapping_sub(back);
                    window.forget(forgotten);
                    model.retain(|fate| *fate != (forgotten, true));
                }
                prop_assert_eq!(window.decided() as usize, model.len());
                prop_assert_eq!(window.lost() as usize, model.iter().filter(|fate| fate.1).count());
                prop_assert_eq!(window.first(), model.front().map(|fate| fate.0));
            }
        }
    }
}
