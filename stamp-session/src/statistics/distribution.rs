//! Where the values of a series lie, in a fixed amount of memory.

use std::sync::LazyLock;

use stamp_proto::time::TimeDelta;

use super::cells::Cells;

/// Largest relative error of a quantile of a [`Precision::Fine`] series: half a cell.
pub const QUANTILE_RELATIVE_ERROR: f64 = 1.0 / 256.0;
/// The same of a [`Precision::Coarse`] series.
pub const COARSE_QUANTILE_RELATIVE_ERROR: f64 = 1.0 / 32.0;
/// Error of a quantile in nanoseconds where that is more than the relative one: half the smallest
/// cell.
pub const QUANTILE_ABSOLUTE_ERROR_NS: u64 = 64;
/// Quantiles of a [`Precision::Fine`] series beyond this are unknown; minimum and maximum are not.
pub const HIGHEST_TRACKED_NS: u64 = 10_000_000_000;
/// The same of a [`Precision::Coarse`] series.
pub const COARSE_HIGHEST_TRACKED_NS: u64 = 1_000_000_000;

/// The smallest cell; each halving costs a quarter of a KiB.
const LOWEST_TRACKED_NS: u64 = 128;
/// Values that wait to be put into a histogram together: what fits into the padding of a series.
const WAITING: usize = 5;

/// How finely a series tells values apart, and what that costs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Precision {
    /// No quantiles, no memory.
    #[default]
    None,
    /// One digit: quantiles within [`COARSE_QUANTILE_RELATIVE_ERROR`], 0.8 KiB; more than
    /// 65 535 values 1.4 KiB.
    Coarse,
    /// Two digits: quantiles within [`QUANTILE_RELATIVE_ERROR`], 5.4 KiB; more than
    /// 65 535 values 10.6 KiB.
    Fine,
}

/// Two histograms of distances from an origin: one for each sign, made when first needed or ahead of that.
///
/// Among thousands of sessions a histogram is in no cache when the next value comes, so a few values
/// are kept here, where the caller is anyway, and then fetch it once for all of them.
#[derive(Debug, Default)]
pub(super) struct Distribution {
    precision: Precision,
    waiting: u8,
    /// Distances from the origin in nanoseconds, as many as wait; longer ones than these hold do not.
    distances: [i32; WAITING],
    origin: TimeDelta,
    above: Option<Box<Cells>>,
    below: Option<Box<Cells>>,
    /// How many values are below the origin, those that wait included.
    below_count: u64,
}

impl Distribution {
    pub(super) fn new(precision: Precision) -> Self {
        Self { precision, ..Self::default() }
    }

    /// Makes room now for values above the origin, where nearly all of them lie.
    pub(super) fn prepare(&mut self) {
        if self.above.is_none() {
            self.above = Cells::empty(self.precision).map(Box::new);
        }
    }

    /// Forgets all values and keeps the memory, but for that of values below the origin where there were
    /// none this time.
    pub(super) fn clear(&mut self) {
        self.waiting = 0;
        self.origin = TimeDelta::ZERO;
        self.below_count = 0;
        self.below = self.below.take().filter(|below| below.len() > 0);
        let sides = [&mut self.above, &mut self.below];
        sides.into_iter().flatten().for_each(|cells| cells.reset());
    }

    pub(super) const fn precision(&self) -> Precision {
        self.precision
    }

    /// Values are kept as distances from here, so that an offset of the clocks costs no precision.
    ///
    /// Only before the first value.
    pub(super) fn set_origin(&mut self, origin: TimeDelta) {
        if self.waiting == 0 && self.in_histograms() == 0 {
            self.origin = origin;
        }
    }

    /// How many values do not wait.
    fn in_histograms(&self) -> u64 {
        let count = |cells: &Option<Box<Cells>>| cells.as_deref().map_or(0, Cells::len);
        count(&self.above).saturating_add(count(&self.below))
    }

    pub(super) fn record(&mut self, value: TimeDelta) {
        if self.precision == Precision::None {
            return;
        }
        let distance = value.saturating_sub(self.origin);
        if distance.is_negative() {
            self.below_count = self.below_count.saturating_add(1);
        }
        let Ok(short) = i32::try_from(distance.ns()) else { return self.keep(distance.ns()) };
        if usize::from(self.waiting) == WAITING {
            self.put_away();
        }
        if let Some(place) = self.distances.get_mut(usize::from(self.waiting)) {
            *place = short;
            self.waiting = self.waiting.saturating_add(1);
        }
    }

    /// Puts what waits into the histograms.
    fn put_away(&mut self) {
        for distance in self.distances.into_iter().take(usize::from(self.waiting)) {
            self.keep(distance.into());
        }
        self.waiting = 0;
    }

    fn keep(&mut self, distance_ns: i64) {
        let cells = if distance_ns < 0 { &mut self.below } else { &mut self.above };
        if cells.is_none() {
            *cells = Cells::empty(self.precision).map(Box::new);
        }
        if let Some(cells) = cells {
            cells.record(distance_ns.unsigned_abs());
        }
    }

    /// Octets on the heap.
    pub(super) fn heap_octets(&self) -> usize {
        let of = |cells: &Option<Box<Cells>>| cells.as_deref().map_or(0, Cells::octets);
        of(&self.above).saturating_add(of(&self.below))
    }

    /// The values of these ranks, which do not fall, 1 for the smallest; `None` for each that is too far from
    /// the origin to be told. All of them in one walk, as cells are many.
    pub(super) fn at_ranks<const N: usize>(&self, ranks: [u64; N]) -> [Option<TimeDelta>; N] {
        let mut values = [None; N];
        let mut above = self.walk(self.above.as_deref(), |ns| ns >= 0);
        let mut below = self.walk(self.below.as_deref(), |ns| ns < 0);
        let is_below = |rank: &u64| *rank <= self.below_count;
        for (value, rank) in values.iter_mut().zip(ranks).filter(|(_, rank)| !is_below(rank)) {
            let magnitude = above.magnitude_at(rank.saturating_sub(self.below_count));
            *value = magnitude.map(|magnitude| self.origin.saturating_add(magnitude));
        }
        // Magnitudes run the other way.
        for (value, rank) in values.iter_mut().zip(ranks).rev().filter(|(_, rank)| is_below(rank)) {
            let from_origin = self.below_count.saturating_sub(rank).saturating_add(1);
            let magnitude = below.magnitude_at(from_origin);
            *value = magnitude.map(|magnitude| self.origin.saturating_sub(magnitude));
        }
        values
    }

    /// Over the values on one side, away from the origin.
    fn walk<'a>(
        &self,
        side: Option<&'a Cells>,
        is_of_this_side: fn(i32) -> bool,
    ) -> Walk<impl Iterator<Item = (u64, u64)> + use<'a>> {
        let cells = cells(self.precision);
        let cell_of = move |magnitude: u64| {
            cells.map_or(0, |cells| cells.lowest_equivalent(magnitude.min(cells.high())))
        };
        // Cells of what waits, in order; places without one come last and are left out.
        let mut waiting = [u64::MAX; WAITING];
        let distances = self.distances.iter().take(usize::from(self.waiting));
        let of_this_side = distances.filter(|distance| is_of_this_side(**distance));
        let mut count = 0_usize;
        for (place, distance) in waiting.iter_mut().zip(of_this_side) {
            *place = cell_of(distance.unsigned_abs().into());
            count = count.saturating_add(1);
        }
        waiting.sort_unstable();
        let mut waiting = waiting.into_iter().take(count).peekable();
        let recorded = side.into_iter().flat_map(Cells::recorded);
        let mut recorded =
            recorded.map(move |(highest, count)| (cell_of(highest), count)).peekable();
        let both = core::iter::from_fn(move || {
            let next = recorded.peek().map_or(u64::MAX, |(cell, _)| *cell);
            let waits = waiting.next_if(|waiting| *waiting <= next);
            waits.map(|cell| (cell, 1)).or_else(|| recorded.next())
        });
        // Everything beyond its cells was put into the last one as well.
        Walk { both, cells, last: cell_of(u64::MAX), seen: 0, cell: None }
    }
}

/// A walk over cells, those that hold values, by how many they hold.
struct Walk<I> {
    both: I,
    cells: Option<&'static Cells>,
    last: u64,
    /// How many values lie in cells up to here.
    seen: u64,
    /// Where it stands; nowhere before the first and behind the last.
    cell: Option<u64>,
}

impl<I: Iterator<Item = (u64, u64)>> Walk<I> {
    /// The middle of the cell that holds the value of this rank, unless that cell is the last one. Ranks
    /// must not fall from call to call.
    ///
    /// By counting, as `value_at_quantile` would have to be asked with a fraction that rounds.
    fn magnitude_at(&mut self, rank: u64) -> Option<TimeDelta> {
        while self.seen < rank {
            let next = self.both.next();
            self.cell = next.map(|(cell, _)| cell);
            let (_, count) = next?;
            self.seen = self.seen.saturating_add(count);
        }
        let cell = self.cell.filter(|cell| *cell < self.last)?;
        i64::try_from(self.cells?.median_equivalent(cell)).ok().map(TimeDelta::from_ns)
    }
}

/// An empty histogram, to ask for the cells that all of a precision have.
fn cells(precision: Precision) -> Option<&'static Cells> {
    static COARSE: LazyLock<Option<Cells>> = LazyLock::new(|| Cells::empty(Precision::Coarse));
    static FINE: LazyLock<Option<Cells>> = LazyLock::new(|| Cells::empty(Precision::Fine));
    match precision {
        Precision::None => None,
        Precision::Coarse => COARSE.as_ref(),
        Precision::Fine => FINE.as_ref(),
    }
}

impl Precision {
    /// Lowest value in nanoseconds, highest value, and digits of a histogram.
    pub(super) const fn bounds(self) -> Option<(u64, u64, u8)> {
        // One cell more than is promised, because the last one takes whatever lies beyond it as well.
        let (highest, digits) = match self {
            Self::None => return None,
            Self::Coarse => {
                (COARSE_HIGHEST_TRACKED_NS.saturating_add(COARSE_HIGHEST_TRACKED_NS / 16), 1)
            }
            Self::Fine => (HIGHEST_TRACKED_NS.saturating_add(HIGHEST_TRACKED_NS / 128), 2),
        };
        Some((LOWEST_TRACKED_NS, highest, digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Distribution {
        fn at_rank(&self, rank: u64) -> Option<TimeDelta> {
            let [value] = self.at_ranks([rank]);
            value
        }
    }

    fn over(values: &[i64]) -> Distribution {
        let mut distribution = Distribution::new(Precision::Fine);
        for value in values {
            distribution.record(TimeDelta::from_ns(*value));
        }
        distribution
    }

    #[test]
    fn ranks_run_from_the_most_negative_value_to_the_largest() {
        let distribution = over(&[5_000, -3_000, 1_000, -7_000]);
        let places: Vec<i64> =
            (1..=4).map(|rank| distribution.at_rank(rank).unwrap().ns()).collect();
        for (place, value) in places.iter().zip([-7_000, -3_000, 1_000, 5_000]) {
            assert!((place - value).abs() <= 64, "{place} for {value}");
        }
        assert_eq!(distribution.at_rank(5), None);
    }

    #[test]
    fn the_highest_tracked_value_is_known() {
        for (precision, highest) in
            [(Precision::Fine, HIGHEST_TRACKED_NS), (Precision::Coarse, COARSE_HIGHEST_TRACKED_NS)]
        {
            let mut distribution = Distribution::new(precision);
            distribution.record(TimeDelta::from_ns(highest.try_into().unwrap()));
            assert!(distribution.at_rank(1).is_some(), "{precision:?}");
        }
    }

    #[test]
    fn histograms_are_made_when_needed_only() {
        let mut distribution = over(&[5_000]);
        assert!(distribution.above.is_none() && distribution.below.is_none());
        distribution.put_away();
        assert!(distribution.above.is_some() && distribution.below.is_none());
        let mut distribution = over(&[-5_000]);
        distribution.put_away();
        assert!(distribution.above.is_none() && distribution.below.is_some());
    }

    #[test]
    fn what_was_prepared_or_cleared_is_like_new_and_keeps_its_memory() {
        let far = TimeDelta::from_ns(37_000_000_000);
        let mut distribution = Distribution::new(Precision::Fine);
        distribution.prepare();
        let prepared = distribution.heap_octets();
        assert!(prepared > 5_000, "{prepared}");
        for _ in 0..3 {
            distribution.set_origin(far);
            for distance in [-3_000, 1_000, 2_000, 4_000, 5_000, 6_000] {
                distribution.record(far.saturating_add(TimeDelta::from_ns(distance)));
            }
            distribution.put_away();
            let smallest = distribution.at_rank(1).unwrap().saturating_sub(far);
            assert!((smallest.ns() + 3_000).abs() <= 64, "{smallest:?}");
            assert!(distribution.at_rank(6).is_some());
            assert_eq!(distribution.at_rank(7), None);
            let taken = distribution.heap_octets();
            distribution.clear();
            assert_eq!(distribution.at_rank(1), None);
            assert_eq!(distribution.heap_octets(), taken);
        }
        distribution.clear();
        assert_eq!(distribution.heap_octets(), prepared, "nothing was below the origin since");
        let mut without = Distribution::new(Precision::None);
        without.prepare();
        assert_eq!(without.heap_octets(), 0);
    }

    #[test]
    fn what_waits_has_its_rank_as_if_it_were_put_away() {
        let (longest, shortest) = (i64::from(i32::MAX), i64::from(i32::MIN));
        let beyond = [i64::MAX, i64::MIN, 0, -1, longest, longest + 1, shortest, shortest - 1];
        // Cells are 128 ns wide at first: some values share one with those before them.
        let near = (0..40).map(|number: i64| (number * 7_919) % 3_000 - 1_500);
        let values: Vec<i64> = near.chain(beyond).collect();
        for precision in [Precision::Coarse, Precision::Fine] {
            for count in 1..=values.len() {
                let mut distribution = Distribution::new(precision);
                for value in &values[..count] {
                    distribution.record(TimeDelta::from_ns(*value));
                }
                let ranks = 0..count as u64 + 2;
                let waiting: Vec<_> =
                    ranks.clone().map(|rank| distribution.at_rank(rank)).collect();
                distribution.put_away();
                let away: Vec<_> = ranks.map(|rank| distribution.at_rank(rank)).collect();
                assert_eq!(waiting, away, "{count} values");
                for (rank, alone) in (0..).zip(away.windows(3)) {
                    assert_eq!(distribution.at_ranks([rank, rank + 1, rank + 2]), alone);
                }
            }
        }
    }

    #[test]
    fn values_out_of_range_are_unknown_and_no_error() {
        let distribution = over(&[i64::MAX, i64::MIN, 10_500_000_000, 1_000]);
        assert_eq!(distribution.at_rank(1), None);
        assert!(distribution.at_rank(2).is_some());
        assert_eq!(distribution.at_rank(3), None);
        assert_eq!(distribution.at_rank(4), None);
    }

    #[test]
    fn an_origin_keeps_a_large_offset_from_hiding_small_variation() {
        let mut distribution = Distribution::new(Precision::Fine);
        distribution.set_origin(TimeDelta::from_ns(37_000_000_000));
        for ns in [37_000_001_000, 37_000_002_000, 36_999_999_000] {
            distribution.record(TimeDelta::from_ns(ns));
        }
        let smallest = distribution.at_rank(1).unwrap();
        assert!((smallest.ns() - 36_999_999_000).abs() <= 64);
    }
}
