//! How losses are spread: one by one, in bursts, or down to a fixed rate.

use core::time::Duration;

use crate::clock::MonotonicTime;

/// Bins are at least this long, and long enough for this many probes.
const SHORTEST_BIN: Duration = Duration::from_secs(1);
const PROBES_PER_BIN: u32 = 20;

/// Fewer losses than this say nothing about how they are spread.
const FEWEST_LOSSES: u64 = 8;
/// Fewer bins than this are no plateau.
const FEWEST_PLATEAU_BINS: u64 = 4;

/// The fate of every probe, in the order of sending.
#[derive(Clone, Copy, Debug)]
pub struct LossSeries {
    start: MonotonicTime,
    bin: Duration,
    decided: u64,
    lost: u64,
    bursts: u64,
    run: u64,
    longest_run: u64,
    open: Option<Bin>,
    /// The bin that is filling began with a whole bin before it, or at the start.
    open_is_whole: bool,
    last_lossy: Option<u64>,
    rate: RateBins,
    plateau: Plateau,
}

#[derive(Clone, Copy, Debug)]
struct Bin {
    index: u64,
    sent: u64,
    received: u64,
}

impl LossSeries {
    /// Probes are sent from `start` on, about one in `interval`.
    #[must_use]
    pub fn new(start: MonotonicTime, interval: Duration) -> Self {
        let bin = interval.saturating_mul(PROBES_PER_BIN).max(SHORTEST_BIN);
        Self {
            start,
            bin,
            decided: 0,
            lost: 0,
            bursts: 0,
            run: 0,
            longest_run: 0,
            open: None,
            open_is_whole: true,
            last_lossy: None,
            rate: RateBins::default(),
            plateau: Plateau::default(),
        }
    }

    /// The same bins with nothing in them; what falls into the one that is under way is not a
    /// whole bin any more.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let interval = self.bin.checked_div(PROBES_PER_BIN).unwrap_or_default();
        Self { open_is_whole: false, bin: self.bin, ..Self::new(self.start, interval) }
    }

    /// The next probe in the order of sending was lost or not.
    pub fn record(&mut self, sent_at: MonotonicTime, lost: bool) {
        self.decided = self.decided.saturating_add(1);
        if lost {
            self.lost = self.lost.saturating_add(1);
            if self.run == 0 {
                self.bursts = self.bursts.saturating_add(1);
            }
            self.run = self.run.saturating_add(1);
            self.longest_run = self.longest_run.max(self.run);
        } else {
            self.run = 0;
        }
        self.bin(sent_at, lost);
    }

    fn bin(&mut self, sent_at: MonotonicTime, lost: bool) {
        let since = sent_at.since(self.start).as_nanos();
        let index = since.checked_div(self.bin.as_nanos()).unwrap_or(0);
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        let received = u64::from(!lost);
        match &mut self.open {
            Some(bin) if bin.index == index => {
                bin.sent = bin.sent.saturating_add(1);
                bin.received = bin.received.saturating_add(received);
            }
            open => {
                let full = open.replace(Bin { index, sent: 1, received });
                if let Some(full) = full {
                    self.close(full);
                }
            }
        }
    }

    fn close(&mut self, full: Bin) {
        if !core::mem::replace(&mut self.open_is_whole, true) {
            return;
        }
        self.rate.add(full.received);
        if full.received == full.sent {
            return;
        }
        // The first lossy bin of a stretch may be lossy in part only: a policer has its burst first.
        if self.last_lossy == full.index.checked_sub(1) && self.last_lossy.is_some() {
            self.plateau.add(full.sent, full.received);
        }
        self.last_lossy = Some(full.index);
    }

    /// All about them.
    #[must_use]
    pub fn pattern(&self) -> LossPattern {
        LossPattern {
            decided: self.decided,
            lost: self.lost,
            bursts: self.bursts,
            longest_run: self.longest_run,
            bin: self.bin,
            rate: self.rate,
            plateau: self.plateau,
        }
    }
}

/// How losses are spread over a period.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LossPattern {
    /// Probes whose fate is known.
    pub decided: u64,
    /// Lost ones among them.
    pub lost: u64,
    /// Runs of consecutive losses, single losses included.
    pub bursts: u64,
    /// Probes in the longest of them.
    pub longest_run: u64,
    /// Length of the bins below.
    pub bin: Duration,
    /// What was received in every whole bin.
    pub rate: RateBins,
    /// What was received while losses went on.
    pub plateau: Plateau,
}

/// Replies counted in bins of equal length, by when their probes were sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RateBins {
    /// Whole bins.
    pub bins: u64,
    /// Probes received in the poorest bin.
    pub least: u64,
    /// Probes received in the richest bin.
    pub most: u64,
    /// Probes received in all of them.
    pub received: u64,
}

impl RateBins {
    fn add(&mut self, received: u64) {
        self.least = if self.bins == 0 { received } else { self.least.min(received) };
        self.most = self.most.max(received);
        self.bins = self.bins.saturating_add(1);
        self.received = self.received.saturating_add(received);
    }
}

/// Bins with losses that follow another bin with losses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Plateau {
    /// How many.
    pub bins: u64,
    /// Probes sent in them.
    pub sent: u64,
    /// Probes of theirs that were received.
    pub received: u64,
    /// Squares of the probes received in each, summed.
    pub received_squares: u128,
}

impl Plateau {
    fn add(&mut self, sent: u64, received: u64) {
        self.bins = self.bins.saturating_add(1);
        self.sent = self.sent.saturating_add(sent);
        self.received = self.received.saturating_add(received);
        let square = u128::from(received).saturating_mul(u128::from(received));
        self.received_squares = self.received_squares.saturating_add(square);
    }
}

/// Whether losses come alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LossCharacter {
    /// As often in a row as chance alone makes it.
    Even,
    /// More than twice as many in a row.
    Bursty,
}

impl LossPattern {
    /// Even or in bursts; `None` while there are too few losses to tell.
    ///
    /// Chance alone makes a run of losses 1 / (1 - ratio) long in the mean.
    #[must_use]
    pub fn character(&self) -> Option<LossCharacter> {
        if self.lost < FEWEST_LOSSES {
            return None;
        }
        let received = self.decided.saturating_sub(self.lost);
        let found = u128::from(self.lost).saturating_mul(u128::from(received));
        let by_chance = u128::from(self.bursts).saturating_mul(u128::from(self.decided));
        Some(if found > by_chance.saturating_mul(2) || received == 0 {
            LossCharacter::Bursty
        } else {
            LossCharacter::Even
        })
    }

    /// While losses went on, about the same number came through in every bin: a rate limit.
    ///
    /// Losses by chance scatter like throws of a coin; what a policer lets pass scatters less than
    /// half as far.
    #[must_use]
    pub fn looks_policed(&self) -> bool {
        let Plateau { bins, sent, received, received_squares } = self.plateau;
        let lost = sent.saturating_sub(received);
        if bins < FEWEST_PLATEAU_BINS || lost < bins.saturating_mul(FEWEST_PLATEAU_BINS) {
            return false;
        }
        // Variance: (bins * squares - received^2) / bins^2; of coins: lost * received / (sent * bins).
        let received = u128::from(received);
        let scatter = u128::from(bins)
            .saturating_mul(received_squares)
            .saturating_sub(received.saturating_mul(received))
            .saturating_mul(u128::from(sent));
        let by_chance = u128::from(lost).saturating_mul(received).saturating_mul(u128::from(bins));
        received > 0 && scatter.saturating_mul(4) < by_chance
    }

    /// Probes a second that come through while losses go on, rounded down.
    #[must_use]
    pub fn plateau_rate(&self) -> Option<u64> {
        let time = self.bin.as_nanos().saturating_mul(self.plateau.bins.into());
        let per_second =
            u128::from(self.plateau.received).saturating_mul(1_000_000_000).checked_div(time)?;
        u64::try_from(per_second).ok()
    }
}

#[cfg(test)]
mod tests;
