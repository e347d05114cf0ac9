//! Segment Routing Global Blocks: how an index becomes a label.

use super::Label;

/// Labels from the first to the last, both included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LabelRange {
    first: Label,
    last: Label,
}

impl LabelRange {
    /// A range, unless it ends before it begins.
    #[must_use]
    pub fn new(first: Label, last: Label) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The lowest label.
    #[must_use]
    pub const fn first(self) -> Label {
        self.first
    }

    /// The highest label.
    #[must_use]
    pub const fn last(self) -> Label {
        self.last
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.last.value() - self.first.value() + 1
    }

    /// Whether a label lies inside.
    #[must_use]
    pub fn contains(self, label: Label) -> bool {
        (self.first..=self.last).contains(&label)
    }

    /// Whether two ranges share a label.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Ranges of labels, counted through by the indexes of Prefix-SIDs.
///
/// Their order matters: where one range ends, the next goes on counting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Srgb(pub Vec<LabelRange>);

impl Srgb {
    /// The label of an index; none when the block is too small for it.
    #[must_use]
    pub fn label_of(&self, index: u32) -> Option<Label> {
        let mut left = index;
        for range in &self.0 {
            if left < range.count() {
                return Label::new(range.first.value() + left);
            }
            left -= range.count();
        }
        None
    }

    /// The index of a label; none when it lies outside.
    #[must_use]
    pub fn index_of(&self, label: Label) -> Option<u32> {
        let mut before = 0;
        for range in &self.0 {
            if range.contains(label) {
                return Some(before + (label.value() - range.first.value()));
            }
            before += range.count();
        }
        None
    }

    /// How many indexes have a label.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.0.iter().map(|range| range.count()).sum()
    }
}

impl Default for Srgb {
    /// 16000 to 23999, by custom.
    fn default() -> Self {
        let usual = [16_000, 23_999].map(Label::new);
        let [Some(first), Some(last)] = usual else { unreachable!("both have less than 20 bits") };
        Self(vec![LabelRange { first, last }])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn srgb(ranges: &[(u32, u32)]) -> Srgb {
        let range = |(first, last): &(u32, u32)| {
            LabelRange::new(Label::new(*first).unwrap(), Label::new(*last).unwrap()).unwrap()
        };
        Srgb(ranges.iter().map(range).collect())
    }

    /// The published example of two ranges.
    #[test]
    fn an_index_falls_into_the_range_where_it_lands() {
        let block = srgb(&[(100, 199), (1000, 1099)]);
        let labels = [0, 99, 100, 199, 200].map(|index| block.label_of(index).map(Label::value));
        assert_eq!(labels, [Some(100), Some(199), Some(1000), Some(1099), None]);
        assert_eq!(block.size(), 200);
    }

    proptest! {
        #[test]
        fn index_and_label_are_each_others_inverse(index in 0_u32..300) {
            let block = srgb(&[(20_000, 20_099), (100, 199), (1000, 1050)]);
            let back = block.label_of(index).map(|label| block.index_of(label));
            prop_assert_eq!(back, (index < 251).then_some(Some(index)));
        }
    }
}
