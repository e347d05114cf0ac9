//! How likely a value is when this is wrong on the way and that is not.

use super::Assumptions;
use super::observation::{Delay, Loss, Observation, Readings};

/// Probes beyond these tell no more: losses come in bunches.
const MOST_PROBES: f64 = 1000.0;
/// Nothing is so sound, and nothing so broken, that all packets fare alike.
const LEAST_CHANCE: f64 = 1e-6;
/// One in so many powers of e lies farther from what is expected than is usual.
const WITHIN: f64 = 4.0;
/// The longest delay that something of its own may make, in nanoseconds.
const LONGEST_NS: f64 = 1e10;

/// Something that is wrong with packets.
pub(super) trait Symptom {
    type Reading: Copy;

    fn readings(&self, observation: &Observation) -> Readings<Self::Reading>;

    /// What a way does to its packets that meets nothing wrong.
    fn sound(&self) -> f64;

    /// What two parts of a way do together.
    fn both(&self, one: f64, other: f64) -> f64;

    /// How bad a cause has to be to make this reading alone: on a way on which `expected` is usual.
    fn severity(&self, reading: Self::Reading, expected: f64) -> Option<f64>;

    /// Whether two severities, the smaller one first, are one with some noise.
    fn are_near(&self, one: f64, other: f64) -> bool;

    /// How bad it has to be where packets meet it twice.
    fn half(&self, severity: f64) -> f64;

    /// What of that is the same whatever the severity is.
    fn constant(&self, reading: Self::Reading) -> f64;

    /// Logarithm of the chance of a reading, but for its constant.
    fn log_chance(&self, reading: Self::Reading, severity: f64, expected: f64) -> f64;

    /// The same where anything may be the matter with the session.
    fn log_chance_of_any(&self, reading: Self::Reading) -> f64;
}

/// Packets are lost; severity is the share of them.
pub(super) struct LossSymptom {
    usual: f64,
}

impl LossSymptom {
    pub(super) fn new(assumptions: &Assumptions) -> Self {
        Self { usual: assumptions.usual_loss }
    }
}

/// Probes and losses, as far as they count.
fn counted(loss: Loss) -> (f64, f64) {
    let (decided, lost) = (loss.decided as f64, loss.lost.min(loss.decided) as f64);
    let scale = (MOST_PROBES / decided).min(1.0);
    (decided * scale, lost * scale)
}

impl Symptom for LossSymptom {
    type Reading = Loss;

    fn readings(&self, observation: &Observation) -> Readings<Loss> {
        let some = |loss: Option<Loss>| loss.filter(|loss| loss.decided > 0);
        let Readings { forward, backward, round_trip } = observation.loss;
        Readings { forward: some(forward), backward: some(backward), round_trip: some(round_trip) }
    }

    fn sound(&self) -> f64 {
        self.usual
    }

    fn both(&self, one: f64, other: f64) -> f64 {
        1.0 - (1.0 - one) * (1.0 - other)
    }

    fn severity(&self, loss: Loss, _: f64) -> Option<f64> {
        let (decided, lost) = counted(loss);
        let share = lost / decided;
        (share > self.usual).then_some(share)
    }

    fn are_near(&self, one: f64, other: f64) -> bool {
        other < one * 1.3
    }

    fn half(&self, severity: f64) -> f64 {
        1.0 - (1.0 - severity).sqrt()
    }

    fn log_chance(&self, loss: Loss, severity: f64, _: f64) -> f64 {
        let (decided, lost) = counted(loss);
        let share = severity.clamp(LEAST_CHANCE, 1.0 - LEAST_CHANCE);
        lost * share.ln() + (decided - lost) * (-share).ln_1p()
    }

    /// In how many orders the packets can be lost.
    fn constant(&self, loss: Loss) -> f64 {
        let (decided, lost) = counted(loss);
        log_factorial(decided) - log_factorial(lost) - log_factorial(decided - lost)
    }

    fn log_chance_of_any(&self, loss: Loss) -> f64 {
        let (decided, _) = counted(loss);
        -(decided + 1.0).ln()
    }
}

/// Logarithm of a factorial (Stirling's series).
fn log_factorial(number: f64) -> f64 {
    // Small numbers by the recurrence, where the series is bad.
    let (mut argument, mut below) = (number + 1.0, 0.0);
    while argument < 8.0 {
        below += argument.ln();
        argument += 1.0;
    }
    let series = 1.0 / (12.0 * argument) - 1.0 / (360.0 * argument.powi(3));
    (argument - 0.5) * argument.ln() - argument + 0.5 * core::f64::consts::TAU.ln() + series - below
}

/// Packets are late; severity is by how many nanoseconds.
pub(super) struct DelaySymptom {
    usual_ns: f64,
}

impl DelaySymptom {
    pub(super) fn new(assumptions: &Assumptions) -> Self {
        Self { usual_ns: assumptions.usual_delay.as_nanos() as f64 }
    }

    /// By how much a delay is more than expected, and how far off it may be.
    fn excess(&self, delay: Delay, expected: f64) -> (f64, f64) {
        let usual = delay.usual.map_or(expected, |usual| usual.as_nanos() as f64);
        let scale = self.usual_ns.max(delay.spread.as_nanos() as f64) / WITHIN;
        (delay.value.as_nanos() as f64 - usual, scale)
    }
}

impl Symptom for DelaySymptom {
    type Reading = Delay;

    fn readings(&self, observation: &Observation) -> Readings<Delay> {
        observation.delay
    }

    fn sound(&self) -> f64 {
        0.0
    }

    fn both(&self, one: f64, other: f64) -> f64 {
        one + other
    }

    fn severity(&self, delay: Delay, expected: f64) -> Option<f64> {
        let (excess, scale) = self.excess(delay, expected);
        (excess > WITHIN * scale).then_some(excess)
    }

    fn are_near(&self, one: f64, other: f64) -> bool {
        other < one + self.usual_ns / WITHIN
    }

    fn half(&self, severity: f64) -> f64 {
        severity / 2.0
    }

    fn log_chance(&self, delay: Delay, severity: f64, expected: f64) -> f64 {
        let (excess, scale) = self.excess(delay, expected);
        -(excess - severity).abs() / scale - (2.0 * scale).ln()
    }

    fn constant(&self, _: Delay) -> f64 {
        0.0
    }

    fn log_chance_of_any(&self, _: Delay) -> f64 {
        -LONGEST_NS.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factorials_are_those_of_whole_numbers() {
        let mut exact: f64 = 0.0;
        for number in 1..200_u32 {
            exact += f64::from(number).ln();
            let error = (log_factorial(f64::from(number)) - exact).abs();
            assert!(error < 1e-6, "{number}: {error}");
        }
        assert!(log_factorial(0.0).abs() < 1e-6);
    }

    #[test]
    fn chances_of_all_counts_add_up_to_one() {
        let symptom = LossSymptom::new(&Assumptions::default());
        for share in [0.01, 0.3, 0.999] {
            let chance = |lost| {
                let loss = Loss { decided: 60, lost };
                (symptom.constant(loss) + symptom.log_chance(loss, share, 0.0)).exp()
            };
            let all: f64 = (0..=60).map(chance).sum();
            assert!((all - 1.0).abs() < 1e-3, "{share}: {all}");
        }
    }

    #[test]
    fn many_probes_tell_no_more_than_a_thousand() {
        let symptom = LossSymptom::new(&Assumptions::default());
        let chance = |decided, lost| {
            let loss = Loss { decided, lost };
            symptom.constant(loss) + symptom.log_chance(loss, 0.2, 0.0)
        };
        assert!((chance(1000, 100) - chance(1_000_000, 100_000)).abs() < 1e-9);
        assert!(chance(100, 10) > chance(1000, 100));
    }
}
